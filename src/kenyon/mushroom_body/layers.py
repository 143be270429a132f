"""The layers of the circuit as vector loops: each goes through a stretch of steps before the next one begins.

A layer takes what excites it as one mask a step and leaves its own spikes as one mask a step. Two kinds of loop: cells
that fire often go on by themselves, spikes, holding and release included; cells that fire seldom stop after a spike and
before a release, so that ordinary compiled code does what follows from it.

A cell that is held after its spike has v = NaN: it stays so in each step and is above no threshold. Whatever is left
out here is a term that is always 0.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kenyon.mushroom_body import circuit
from kenyon.mushroom_body.inputs import STRETCH
from kenyon.mushroom_body.vectors import LANES, Vectors, vector_loop


class Group(NamedTuple):
    """Neurons that are worked on together, padded to whole vectors with cells that never fire.

    Attributes:
        neuron: Its first neuron.
        size: How many neurons it has.
        padded: How many cells, a multiple of 8.
        place: Where its rows begin.
    """

    neuron: int
    size: int
    padded: int
    place: int


# Rows of a group: state, then constants, each of one number a cell. PULL is the leak times where it pulls the cell.
V, G_E, G_I, G_A, SCALE, LEAK, PULL, THRESHOLD, RESET, ADAPTATION, WEIGHT = range(11)
_ROWS: Final = 11


def _groups() -> tuple[Group, ...]:
    place, groups = 0, []
    for neuron, size in (
        (circuit.ORN, circuit.N_ORNS),
        (circuit.PN, circuit.N_PNS),
        (circuit.LN, circuit.N_LNS),
        (circuit.KC, circuit.N_KCS),
        (circuit.KC, circuit.N_KCS),
        (circuit.MBON_P, circuit.N_NEURONS - circuit.MBON_P),
    ):
        padded = -(-size // 8) * 8
        groups.append(Group(neuron, size, padded, place))
        place += _ROWS * padded
    return tuple(groups)


ORNS, PNS, LNS, KCS, KCS_AFTER, OUTPUTS = _groups()
"""KCS_AFTER is where Kenyon cells are after a window; OUTPUTS are MBONs, DANs, feedback LNs and APL."""

VECTORS: Final = 3
"""Vectors of cells in one loop: enough to keep the processor busy, and few enough for its registers."""

KC_BLOCK: Final = VECTORS * LANES
"""Kenyon cells in one loop."""

# Then the numbers that are the same for all cells, those of each step, and what a PN's spike adds to each Kenyon cell.
REVERSAL_E = OUTPUTS.place + _ROWS * OUTPUTS.padded
REVERSAL_I, REVERSAL_A, DECAY_E, DECAY_I, DECAY_A = range(REVERSAL_E + 1, REVERSAL_E + 6)
PN_INHIBITION = REVERSAL_E + 8
KC_INHIBITION = PN_INHIBITION + STRETCH + 8
FROM_PN = KC_INHIBITION + STRETCH + 8
FROM_NONE = FROM_PN + circuit.N_PNS * circuit.N_KCS
NUMBERS: Final = FROM_NONE + circuit.N_KCS
"""How many numbers one larva is worked on in."""

# Masks of each step: of the input; the place of what excites Kenyon cells; which Kenyon cells have fired, of any block.
# Then the spikes of seven groups, of `period` steps before the stretch and of the stretch.
INPUT, EXCITED_FROM, KC_SPIKES, SPIKES = 0, STRETCH, 2 * STRETCH, 3 * STRETCH

_REINFORCED = 0b11 << (circuit.DAN_P - circuit.MBON_P)
_REINFORCEMENT = circuit.REWARD - (circuit.DAN_P - circuit.MBON_P)


class _Cells:
    """Cells of a group within a loop: which rows of them change, and where each vector of them lies.

    Args:
        v: What writes.
        group: Their group.
        first: The first cell, a whole number or a value of the loop.
        size: How many, whole vectors of them.
        state: The rows that change: V first, then the conductances.
    """

    def __init__(self, v: Vectors, group: Group, first: Any, size: int, state: tuple[int, ...]) -> None:
        self.v, self.group, self.state = v, group, state
        self.places = [v.sum(group.place, first, cell) for cell in range(0, size, v.lanes)]
        self.reversals = {G_E: REVERSAL_E, G_I: REVERSAL_I, G_A: REVERSAL_A}
        self.decays = {G_E: DECAY_E, G_I: DECAY_I, G_A: DECAY_A}
        self.reversals = {row: v.everywhere(place) for row, place in self.reversals.items()}
        self.decays = {row: v.everywhere(place) for row, place in self.decays.items()}

    def load(self, row: int, vector: int) -> Any:
        """Return a constant, or state, of one vector of cells."""
        return self.v.load(self.v.sum(self.places[vector], row * self.group.padded))

    def loaded(self) -> list[Any]:
        """Return the state of all, to be carried from step to step."""
        return [self.load(row, vector) for vector in range(len(self.places)) for row in self.state]

    def store(self, values: list[Any], elsewhere: Any = 0) -> None:
        """Write the state of all; `elsewhere` is how far from their own place."""
        rows = [(vector, row) for vector in range(len(self.places)) for row in self.state]
        for (vector, row), value in zip(rows, values, strict=True):
            self.v.store(value, self.v.sum(self.places[vector], row * self.group.padded, elsewhere))

    def of(self, values: list[Any], vector: int) -> dict[int, Any]:
        """Return the state of one vector of cells, by row."""
        size = len(self.state)
        return dict(zip(self.state, values[vector * size : (vector + 1) * size], strict=True))

    def integrate(self, x: dict[int, Any], vector: int, shared: dict[int, Any]) -> Any:
        """Write one step of one vector of cells into its state, as `kernel` does, term by term.

        `shared` are conductances of one number for all.

        Returns:
            Which of them are above threshold.
        """
        b, conductances = self.v.builder, {**x, **shared}
        total, current = self.load(LEAK, vector), self.load(PULL, vector)
        if G_I in conductances:
            total = b.fadd(total, conductances[G_I])
            current = b.fadd(current, b.fmul(conductances[G_I], self.reversals[G_I]))
        for row in (G_E, G_A):
            if row in conductances:
                total = b.fadd(total, conductances[row])
                current = self.v.fused(conductances[row], self.reversals[row], current)
        rising = self.v.fused(b.fneg(total), x[V], current)
        x[V] = self.v.fused(self.load(SCALE, vector), rising, x[V])
        for row in self.state[1:]:
            x[row] = b.fmul(x[row], self.decays[row])
        return b.fcmp_ordered(">", x[V], self.load(THRESHOLD, vector))

    def add(self, x: dict[int, Any], row: int, vector: int, lanes: Any, what: int) -> None:
        """Write that some lanes of a conductance rise by a constant of theirs."""
        more = self.v.builder.fadd(x[row], self.load(what, vector))
        x[row] = self.v.builder.select(lanes, more, x[row])


def _flowing(group: Group, state: tuple[int, ...], inhibition: int | None = None) -> Callable[..., Any]:
    """Return the writer of a layer that goes through all steps by itself.

    Its arguments: the places of the masks that excite it and of its own, the refractory period, the first step and the
    one after the last.
    """

    def write(v: Vectors, source: Any, own: Any, period: Any, first: Any, last: Any) -> Any:
        size = VECTORS * v.lanes
        for begin in range(0, group.padded, size):
            write_part(v, begin, min(size, group.padded - begin), source, own, period, first, last)
        return last

    def write_part(
        v: Vectors, begin: int, size: int, source: Any, own: Any, period: Any, first: Any, last: Any
    ) -> None:
        cells = _Cells(v, group, begin, size, state)

        def body(step: Any, values: list[Any]) -> tuple[list[Any], None]:
            excited, released = v.choice(v.mask(v.sum(source, step))), v.choice(v.mask(v.sum(own, step)))
            shared = {} if inhibition is None else {G_I: v.everywhere(v.sum(inhibition, step))}
            after: list[Any] = []
            fired: list[Any] = []
            for vector in range(len(cells.places)):
                x, cell = cells.of(values, vector), begin + vector * v.lanes
                x[V] = v.builder.select(released(cell), cells.load(RESET, vector), x[V])
                fired.append(cells.integrate(x, vector, shared))
                cells.add(x, G_E, vector, excited(cell), WEIGHT)
                x[V] = v.builder.select(fired[-1], v.held, x[V])
                if G_A in x:
                    cells.add(x, G_A, vector, fired[-1], ADAPTATION)
                after += x.values()
            mask, place = v.builder.shl(v.gathered(fired), v.bits(begin)), v.sum(own, period, step)
            v.store_mask(v.builder.or_(mask, v.mask(place)) if begin else mask, place)
            return after, None

        _, values = v.loop(first, last, cells.loaded(), body)
        cells.store(values)

    return write


write_orns = _flowing(ORNS, (V, G_E, G_A))
write_lns = _flowing(LNS, (V, G_E))
write_pns = _flowing(PNS, (V, G_E), PN_INHIBITION)


def write_kcs(
    v: Vectors,
    block: Any,
    source: Any,
    target: Any,
    own: Any,
    period: Any,
    first: Any,
    last: Any,
    *,
    size: int = KC_BLOCK,
) -> Any:
    """Write a loop over one block of Kenyon cells, that stops after a spike and before a release.

    Its arguments: the first cell of the block, how far from KCS the block is read and written; then its own masks and
    so on, as for the layers that flow.
    """
    state = (V, G_E, G_A)
    constants = _Cells(v, KCS, block, size, state)
    vectors = range(len(constants.places))
    fired: list[Any] = []

    def body(step: Any, values: list[Any]) -> tuple[list[Any], Any]:
        shared = {G_I: v.everywhere(v.sum(KC_INHIBITION, step))}
        row = v.sum(v.builder.zext(v.mask(v.sum(EXCITED_FROM, step)), first.type), block)
        after: list[Any] = []
        for vector in vectors:
            x = constants.of(values, vector)
            fired.append(constants.integrate(x, vector, shared))
            x[G_E] = v.builder.fadd(x[G_E], v.load(v.sum(row, vector * v.lanes)))
            after += x.values()
        v.store_mask(v.no_bits, v.sum(own, period, step))
        releases = v.is_set(v.mask(v.sum(own, step, 1)))
        return after, v.builder.or_(v.any(fired), releases)

    reading = _Cells(v, KCS, v.sum(block, source), size, state)
    step, values = v.loop(first, last, reading.loaded(), body)
    constants.store(values, target)
    v.store_mask(v.gathered(fired), v.sum(own, period, step, -1))
    return step


def write_outputs(v: Vectors, own: Any, period: Any, first: Any, last: Any) -> Any:
    """Write the loop over output neurons, that stops also in each step in which a Kenyon cell fires.

    Its arguments: its own masks and so on, as for the layers that flow.
    """
    cells = _Cells(v, OUTPUTS, 0, OUTPUTS.padded, (V, G_E, G_I, G_A))
    fired: list[Any] = []

    def body(step: Any, values: list[Any]) -> tuple[list[Any], Any]:
        given = v.builder.lshr(v.mask(v.sum(INPUT, step)), v.bits(_REINFORCEMENT))
        reinforced = v.choice(v.builder.and_(given, v.bits(_REINFORCED)))
        after: list[Any] = []
        for vector in range(len(cells.places)):
            x = cells.of(values, vector)
            fired.append(cells.integrate(x, vector, {}))
            cells.add(x, G_E, vector, reinforced(vector * v.lanes), WEIGHT)
            after += x.values()
        v.store_mask(v.no_bits, v.sum(own, period, step))
        stops = v.mask(v.sum(own, step, 1))
        excited = v.mask(v.sum(KC_SPIKES, step))
        return after, v.builder.or_(v.any(fired), v.is_set(v.builder.or_(stops, excited)))

    step, values = v.loop(first, last, cells.loaded(), body)
    cells.store(values)
    v.store_mask(v.gathered(fired), v.sum(own, period, step, -1))
    return step


advance_orns: Any = vector_loop(write_orns)
advance_lns: Any = vector_loop(write_lns)
advance_pns: Any = vector_loop(write_pns)
advance_kcs: Any = vector_loop(write_kcs)
advance_outputs: Any = vector_loop(write_outputs)
