"""What larvae answered in the groups of a claim, signed so that learning is positive.

A test is named as in the notation, without its question mark: "A", "A@0.1", "A+". Which odor a letter stands for, the
design of the group says.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning import measures
from kenyon.conditioning.designs import Design
from kenyon.conditioning.moments import mixture_words
from kenyon.conditioning.phases import REINFORCERS
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FloatArray: TypeAlias = NDArray[np.float64]

_CELLS: Final = {
    "reward": {"other": "punishment", "dan": "DANp", "mbon": "MBONn", "ln": "LNp"},
    "punishment": {"other": "reward", "dan": "DANn", "mbon": "MBONp", "ln": "LNn"},
}


def spelled(text: str, us: str) -> str:
    """Return the text of a group for one reinforcer.

    Args:
        text: In the notation, where {us} is the reinforcer, {other} the other one, {dan} the dopamine neuron that it
            excites, {mbon} the output neuron that this one teaches and is excited by, and {ln} the interneuron that
            inhibits it.
        us: "reward" or "punishment".

    Raises:
        InputError: the reinforcer is unknown, or the text none.

    Example:
        >>> spelled("{silence {dan}: A[{us} 0.5] 60s}", "punishment")
        '{silence DANn: A[punishment 0.5] 60s}'
    """
    us = checks.one_of("reinforcer", us, REINFORCERS)
    text = checks.instance("text of a group", text, str, "write one in the notation")
    for name, word in {"us": us, **_CELLS[us]}.items():
        text = text.replace(f"{{{name}}}", word)
    return text


class Answers:
    """What larvae answered in the groups of a claim, for one odor and one reinforcer.

    Args:
        designs: The design of each group, by the name that the claim gives it; each of one group.
        results: What that group gave, by the same name.
        us: The reinforcer, whose sign counts: a preference that punishment lowers is a memory, too.

    Raises:
        InputError: the reinforcer is unknown, or a group is in one of the two only.
    """

    def __init__(self, designs: Mapping[str, Design], results: "Mapping[str, xarray.Dataset]", us: str) -> None:
        self._sign = 1.0 if checks.one_of("reinforcer", us, REINFORCERS) == "reward" else -1.0
        if set(designs) != set(results):
            raise InputError(f"designs and results must be of the same groups, got {list(designs)}, {list(results)}")
        self._designs, self._results = dict(designs), dict(results)
        self._dan = _CELLS[us]["dan"]

    def index(self, group: str, test: str = "A") -> FloatArray:
        """Return the preference index at each moment at which a group was tested with something.

        Returns:
            [B, tests] float64, the sign turned for punishment.

        Raises:
            InputError: there is no such group, or it was never so tested.
        """
        return self._sign * self._answered(group, test, "preference_index")

    def last(self, group: str, test: str = "A") -> FloatArray:
        """Return the preference index at the last test: [B]; see `index`."""
        return self.index(group, test)[:, -1]

    def dan_hz(self, group: str, test: str = "A") -> FloatArray:
        """Return what the dopamine neuron of the reinforcer fired at each test: [B, tests], Hz; see `index`."""
        return self._answered(group, test, "test_rate_hz", group=list(GROUPS).index(self._dan))

    def overlap(self, group: str, first: str = "A", second: str = "B") -> FloatArray:
        """Return the cosine of the spike counts of Kenyon cells in the first test of each of two odors: [B]."""
        result = self._result(group)
        names = [str(result.test_odor.values[self._column(group, test)]) for test in (first, second)]
        cosine: FloatArray = measures.overlap(result, *names).isel(test=0).values
        return cosine

    def _answered(self, name: str, test: str, variable: str, /, **at: int) -> FloatArray:
        # Without the coordinates, of which xarray would copy a hundred at each selection.
        values = self._result(name).variables[variable].isel({"test_odor": self._column(name, test), **at})
        table = values.transpose("larva", "test").values.astype(np.float64)
        there: FloatArray = table[:, ~np.isnan(table).all(axis=0)]
        return there

    def _column(self, group: str, test: str) -> int:
        """Return the place of what was tested, of whatever length the test was."""
        bindings = {letter: (odor, dose) for letter, odor, dose in self._designs[group].bindings}
        (asked,) = (
            Design.read(f"?{test}", bindings=bindings, reinforcer=self._designs[group].reinforcer).groups[0].elements
        )
        tested = self._result(group).variables
        same = (
            (tested["test_smelled"].values == mixture_words(asked.odors))
            & (tested["test_reward"].values == asked.reward)
            & (tested["test_punishment"].values == asked.punishment)
        )
        places = np.flatnonzero(same)
        if not len(places):
            raise InputError(f"group {shown(group)} must have been tested with {shown(test)}, got no such test")
        return int(places[0])

    def _result(self, group: str) -> "xarray.Dataset":
        return self._results[checks.one_of("group", group, list(self._results))]
