"""One larva as a network of Brian2 whose parts have names: for monitors, other neurons and other synapses.

Reference: Stimberg, Brette & Goodman 2019, eLife 8:e47314.
"""

from typing import Any, Final

import numpy as np

from kenyon import checks
from kenyon.errors import MismatchError
from kenyon.mushroom_body import inputs
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.brian_cells import Cells
from kenyon.mushroom_body.brian_circuit import RULES, build_neurons, connect, constants, plastic, spread, transmitting
from kenyon.mushroom_body.brian_setup import import_brian2, settings
from kenyon.mushroom_body.odors import Odors
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.population import Population
from kenyon.mushroom_body.snapshot import Snapshot

_STRETCH: Final = 128
"""Steps whose input is drawn at once."""


def brian_network(larvae: Population, larva: int = 0) -> Any:
    """Return a larva as a Brian2 `Network`, which goes on as the larva would, with the same spikes.

    Its parts have names, by which the network gives them: `network["KC"]`.

    - Neurons, as `Subgroup`: ORN, PN, LN, KC, MBONp, MBONn, DANp, DANn, LNp, LNn, APL. All of them together are
      `kenyon_neurons`. Their variables are without units, which are in the names: v_mV, g_e_nS, g_i_nS, g_a_nS; of
      Kenyon cells the weights w_kc_mbonp_nS and w_kc_mbonn_nS.
    - Synapses, one for each connection of which the circuit has any: PN_KC, ORN_PN, ORN_LN, LN_PN, KC_APL, APL_KC,
      KC_MBONp, KC_MBONn, MBONp_LNp, MBONn_LNn, MBONn_DANp, MBONp_DANn, LNp_DANp, LNn_DANn; each with its
      excitation_nS or inhibition_nS. What makes the larva learn: kenyon_marking, kenyon_teaching, kenyon_restoration.
    - `input`, a `NetworkOperation` that gives the larva what it smells, by its own streams. Its
      `stimulate(odors, reward=..., punishment=...)` sets that anew, as `Population.stimulate` does.

    Larvae of the population stay as they are. Add what you like to the network, with the clock of
    `network["kenyon_neurons"].clock` where it has one of its own, and run it; `restore` of Brian2 is refused, for the
    input does not go back.

    Args:
        larvae: A population; its parameters, and what it is manipulated with, hold in the network.
        larva: The place of the larva.

    Raises:
        InputError: `larvae` is no population, or has no larva at that place.
        MissingDependencyError: Brian2 is not installed, or has yet to be imported in the main thread.

    Example:
        >>> larvae = Population(seeds=[1])
        >>> larvae.stimulate("pentyl acetate")
        >>> network = brian_network(larvae)
        >>> len(network["KC"]), len(network["APL_KC"])
        (72, 72)
        >>> network["input"].stimulate("3-octanol", reward=1.0)
    """
    checks.instance("larvae", larvae, Population, "pass a Population")
    checks.integer("larva", larva, low=0)
    brian2 = import_brian2()
    snapshot, parameters = larvae.snapshot([larva]), larvae.lives_under
    with settings("numpy"):  # Connecting pairs is quick anyway.
        clock = brian2.Clock(parameters.dt_ms * brian2.ms, name="kenyon_clock")
        parts = _parts(parameters, snapshot, clock)
        cells = Cells(parameters, snapshot.state.layout, 1, parts[0])
        cells.put(snapshot.state, np.array([0]))
        given = _Input(parameters, snapshot, cells, clock)
        operation = brian2.NetworkOperation(given.step, clock=clock, when="end", name="input")
        operation.stimulate = given.stimulate
        network = brian2.Network(*parts, operation)
    network.schedule = ["start", "groups", "thresholds", "synapses", "resets", "end"]
    return network


def _parts(parameters: Parameters, snapshot: Snapshot, clock: Any) -> list[Any]:
    """Return the neurons, their groups and their synapses."""
    cells, known = snapshot.state.layout, constants(parameters)
    neurons = build_neurons(parameters, cells, 1, clock, known)
    groups = {
        name: import_brian2().Subgroup(neurons, own.start, own.stop, name=name) for name, own in cells.groups.items()
    }
    parts = [neurons, *groups.values()]
    for connection, wires in transmitting(parameters, snapshot.state.pn_to_kc).items():
        source, target = connection.split(">")
        table = spread([wires], 1, cells.n_neurons)
        table = table[:, table[2:].any(axis=0)]
        table[:2] -= [[cells.groups[source].start], [cells.groups[target].start]]
        ends = groups[source], groups[target]
        if table.size:
            parts.append(connect(ends, f"{source}_{target}", RULES["transmission"], table, clock, known))
    for name, several in plastic(parameters, cells).items():
        table = spread(several, 1, cells.n_neurons)
        parts.append(connect((neurons, neurons), f"kenyon_{name}", RULES[name], table, clock, known))
    return parts


class _Input:
    """Gives a larva its input spikes, step by step, as its streams draw them."""

    def __init__(self, parameters: Parameters, snapshot: Snapshot, cells: Cells, clock: Any) -> None:
        self._parameters, self._cells, self._clock = parameters, cells, clock
        state = states.copy(snapshot.state)
        self._rng, self._ticks_left = state.rng[0], state.ticks_left[0]
        self._rates_hz = snapshot.drive_hz[0].copy()
        self._next = 0
        self._begin()

    def stimulate(self, odors: Odors = None, *, reward: float = 0.0, punishment: float = 0.0) -> None:
        """Set what the larva smells and how it is reinforced from now on, as `Population.stimulate` does."""
        rates_hz = inputs.drive(self._parameters, odors, reward=reward, punishment=punishment)
        self._draw(self._done)
        self._rates_hz = rates_hz
        self._begin()

    def step(self) -> None:
        """Deliver the input of this time step."""
        now = int(self._clock.timestep[:])
        if now != self._next:
            raise MismatchError(
                f"the input of a larva must go on with step {self._next}, got {now}; make the network anew instead of "
                "restoring it"
            )
        if self._done == _STRETCH:
            self._draw(_STRETCH)
            self._begin()
        self._deliver(self._done)
        self._done += 1
        self._next += 1

    def _begin(self) -> None:
        """Look ahead: draw the input of a stretch, and leave the streams where they are until it is over."""
        ahead = inputs.draw_events(
            self._parameters, self._rng.copy(), self._ticks_left.copy(), self._rates_hz, _STRETCH
        )
        self._deliver = self._cells.delivery([ahead], _STRETCH)
        self._done = 0

    def _draw(self, steps: int) -> None:
        """Move the streams on by so many steps of the stretch."""
        inputs.draw_events(self._parameters, self._rng, self._ticks_left, self._rates_hz, steps)
