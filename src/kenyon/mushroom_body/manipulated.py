"""A circuit under manipulations: what they make of the constants of each neuron and of each connection.

Every engine takes what a circuit is made of from here. Without a manipulation it is the constants as they are, and no
step costs more with one than without.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import CONNECTIONS, PLASTIC, Layout, layout, per_neuron
from kenyon.mushroom_body.manipulations import Manipulation, checked
from kenyon.mushroom_body.parameters import Parameters, check_parameters

FloatArray = NDArray[np.float64]

_FARTHEST_MV = 500.0
"""A current may move a resting potential this far from 0: farther than any threshold, and not out of all bounds."""


@dataclass(frozen=True, repr=False)
class Manipulated(Parameters):
    """A set of constants under which cells are silenced or driven, or connections cut or scaled; `under` makes it.

    Attributes:
        manipulations: What is done; constants that are set are changed already, and are not among them.
    """

    manipulations: tuple[Manipulation, ...] = ()

    def __repr__(self) -> str:
        """Say which set it is, and what is done."""
        return f"<parameters: {self.description}, {', '.join(own.text for own in self.manipulations)}>"


def under(parameters: Parameters, manipulations: Iterable[Manipulation | str]) -> Parameters:
    """Return what larvae of these constants live under while they are manipulated: the same where nothing is done.

    Raises:
        InputError: a manipulation is none, two are of one kind on one cell, a constant that is set contradicts another,
            or a current would move a cell's resting potential out of -500 to 500 mV.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> under(BALANCED, []) is BALANCED
        True
        >>> under(BALANCED, ["set homeostasis 0"]) == BALANCED.replace(homeostasis=0)
        True
        >>> thresholds_mV(under(BALANCED, ["silence DANp"]))[137:139]
        array([ inf, -35.])
    """
    given = checked(manipulations)
    changes = {own.target: own.value for own in given if own.kind == "set"}
    parameters = unmanipulated(parameters)
    if changes:
        parameters = parameters.replace(changes)
    rest = tuple(own for own in given if own.kind != "set")
    if not rest:
        return parameters
    same = {constant.name: getattr(parameters, constant.name) for constant in fields(Parameters)}
    made = Manipulated(**same, manipulations=rest)
    _check_currents(made)
    return made


def unmanipulated(parameters: Parameters) -> Parameters:
    """Return parameters if they are a set of constants and nothing is done to the circuit.

    Raises:
        InputError: they are none, or those of a manipulated circuit.
    """
    if isinstance(check_parameters(parameters), Manipulated):
        raise InputError("parameters must be those of a circuit as it is, got manipulated ones; use `manipulate`")
    return parameters


def thresholds_mV(parameters: Parameters, cells: Layout | None = None) -> FloatArray:
    """Return the threshold of each neuron, [N] float64; inf where it is silenced."""
    cells = layout() if cells is None else cells
    thresholds = per_neuron(parameters, "threshold_mV", cells)
    for own in _of_kind(parameters, "silence"):
        thresholds[_cells_of(own, cells)] = np.inf
    return thresholds


def resting_mV(parameters: Parameters, cells: Layout | None = None) -> FloatArray:
    """Return where the leak and a constant current move each neuron, [N] float64: rest_mV + current / leak."""
    cells = layout() if cells is None else cells
    resting, leak_nS = per_neuron(parameters, "rest_mV", cells), per_neuron(parameters, "leak_nS", cells)
    for own in _of_kind(parameters, "drive"):
        resting[_cells_of(own, cells)] += float(own.value or 0.0) / leak_nS[_cells_of(own, cells)]
    return resting


def weights_nS(parameters: Parameters, cells: Layout | None = None) -> dict[str, FloatArray]:
    """Return by how much a spike of each cell of a group excites or inhibits what a connection of it leads to, in nS.

    Returns:
        By name of the connection, an entry for each cell that it comes from; of the two plastic connections, the share
        of the plastic weight that passes.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> weights_nS(under(BALANCED, ["cut KC[2]>MBONp"]))["KC>MBONp"][:4]
        array([1., 1., 0., 1.])
    """
    cells = layout() if cells is None else cells
    weights: dict[str, FloatArray] = {}
    for name, constant in CONNECTIONS.items():
        source = cells.groups[name.partition(">")[0]]
        weights[name] = np.full(source.stop - source.start, 1.0 if name in PLASTIC else getattr(parameters, constant))
    for own in _of_kind(parameters, "cut", "scale"):
        place = slice(None) if own.place is None else own.place
        weights[own.connection][place] *= float(own.value or 0.0)
    return weights


def _cells_of(own: Manipulation, cells: Layout) -> slice:
    """Return which neurons are silenced or driven, or where the connection comes from."""
    where = cells.groups[own.group]
    return where if own.place is None else slice(where.start + own.place, where.start + own.place + 1)


def _of_kind(parameters: Parameters, *kinds: str) -> Iterator[Manipulation]:
    if isinstance(parameters, Manipulated):
        yield from (own for own in parameters.manipulations if own.kind in kinds)


def _check_currents(made: Manipulated) -> None:
    for own in _of_kind(made, "drive"):
        cell = layout().groups[own.group].start
        rest, leak_nS = per_neuron(made, "rest_mV")[cell], per_neuron(made, "leak_nS")[cell]
        least, most = (leak_nS * (bound - rest) for bound in (-_FARTHEST_MV, _FARTHEST_MV))
        if not least <= float(own.value or 0.0) <= most:
            raise InputError(
                f"the current into {own.target} must be from {least:g} to {most:g} pA, got {own.value:g} pA"
            )
