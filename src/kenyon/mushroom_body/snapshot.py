"""A population at one moment, kept exactly: going on from it equals never having stopped."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import archive, checks
from kenyon.errors import FileFormatError, InputError, KenyonError, MismatchError
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.circuit import MOST_KCS, N_CHANNELS, layout
from kenyon.mushroom_body.inputs import MAX_RATE_HZ
from kenyon.mushroom_body.manipulated import unmanipulated
from kenyon.mushroom_body.parameters import Parameters, check_parameters, restated
from kenyon.mushroom_body.state import State
from kenyon.notebook import words_and_table
from kenyon.seeds import checked_seed
from kenyon.words import shown

KIND = "snapshot"


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot:
    """Everything about some larvae at one moment, for good; either engine goes on from it.

    It cannot be changed, nor can its arrays, and neither can a copy, however it was made: what one sees is what is
    restored and saved. Another one is made with `dataclasses.replace`, with `State.replace` for its state.

    Attributes:
        parameters: The constants they live under.
        seeds: One seed a larva.
        drive_hz: [B, C] float64, the drive that was set.
        state: Their state, B rows.

    Raises:
        InputError: the parts do not belong together, or hold values that no larva could have had.

    Example:
        >>> from dataclasses import replace
        >>> from kenyon.mushroom_body import Population
        >>> naive = Population(seeds=[1]).snapshot()
        >>> older = replace(naive, state=naive.state.replace(step=[600_000]))
        >>> older.state.step, older == naive
        (array([600000]), False)
    """

    parameters: Parameters
    seeds: tuple[int, ...]
    drive_hz: NDArray[np.float64]
    state: State

    def __post_init__(self) -> None:
        """Check that it is one population, and make it last."""
        unmanipulated(self.parameters)
        checks.instance("state", self.state, State, "pass that of a population or snapshot")
        seeds = tuple(checked_seed("seed of a larva", seed) for seed in checks.several("seeds", self.seeds))
        if len(seeds) != len(self.state) or not seeds:
            raise InputError(f"a snapshot must have one seed a larva, got {len(seeds)} for {len(self.state)} larvae")
        drive_hz = checks.array("drive_hz", self.drive_hz, (len(seeds), N_CHANNELS), low=0.0, high=MAX_RATE_HZ)
        drive_hz.flags.writeable = False
        states.check(self.parameters, states.arrays(self.state))
        for name, value in (("seeds", seeds), ("drive_hz", drive_hz), ("state", states.sealed(self.state))):
            object.__setattr__(self, name, value)

    @classmethod
    def taken(
        cls, parameters: Parameters, seeds: tuple[int, ...], drive_hz: NDArray[np.float64], state: State
    ) -> "Snapshot":
        """Return the snapshot of what a population has, which needs no check; the arrays, copies for it, are kept."""
        snapshot = object.__new__(cls)
        drive_hz.flags.writeable = state.records.flags.writeable = False
        vars(snapshot).update(parameters=parameters, seeds=seeds, drive_hz=drive_hz, state=state)
        return snapshot

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Let copies and pickles be made anew from the parts, and so be checked and immutable like this one."""
        return type(self), (self.parameters, self.seeds, self.drive_hz, self.state)

    def __eq__(self, other: object) -> bool:
        """Return whether they are of the same larvae at the same moment, bit for bit."""
        return isinstance(other, Snapshot) and self._bits() == other._bits()

    def __hash__(self) -> int:
        """Return what is the same for equal snapshots."""
        return hash(self.seeds)

    def __repr__(self) -> str:
        """Say whose it is."""
        return f"<snapshot of {len(self.seeds)} larvae, {self.parameters.description}>"

    def _repr_html_(self) -> str:
        """Show the first larvae, in a notebook."""
        return words_and_table(repr(self), states.rows(self.state, self.seeds, self.parameters.dt_ms))

    def _bits(self) -> tuple[object, ...]:
        return self.parameters, self.seeds, self.drive_hz.tobytes(), self.state.records.tobytes()

    def require(self, parameters: Parameters) -> None:
        """Refuse to be of other parameters than these.

        Raises:
            MismatchError: a constant differs.
            InputError: `parameters` are none.
        """
        check_parameters(parameters)
        for name, (ours, theirs) in parameters.differences(self.parameters).items():
            raise MismatchError(
                f"a snapshot must be of the same parameters, got {name}={theirs} instead of {ours}; "
                f"Population.from_snapshot takes over its parameters, Snapshot.under gives it others"
            )

    def under(self, parameters: Parameters) -> "Snapshot":
        """Return the same larvae at the same moment under other constants, for whatever comes next.

        All that has come to be stays: potentials, conductances, weights, wiring, input streams, and the drive that was
        set, in Hz. So a weight may start other than where homeostasis now leads, and one below a new floor is raised to
        it by the next depression. A neuron is held no longer than the new refractory period.

        Raises:
            MismatchError: the time step is another, in which everything is counted.
            InputError: `parameters` are none.

        Example:
            >>> from kenyon.mushroom_body import BALANCED, Population
            >>> larvae = Population(BALANCED, seeds=[1])
            >>> fast = larvae.snapshot().under(BALANCED.replace(learning_rate_nS=0.3))
            >>> Population.from_snapshot(fast).parameters.description
            'balanced with learning_rate_nS=0.3'
        """
        if unmanipulated(parameters).dt_ms != self.parameters.dt_ms:
            raise MismatchError(
                f"a snapshot must go on in time steps of {self.parameters.dt_ms:g} ms, got {parameters.dt_ms:g} ms"
            )
        longest = max(0, parameters.steps("refractory_ms", parameters.refractory_ms) - 1)
        held = np.minimum(self.state.refractory_steps, np.int32(longest))
        return replace(self, parameters=parameters, state=self.state.replace(refractory_steps=held))

    def join(self, other: "Snapshot") -> "Snapshot":
        """Return the larvae of both, first those of this one.

        Raises:
            MismatchError: the parameters differ, or how many Kenyon cells the larvae have.
        """
        checks.instance("other", other, Snapshot, "pass the snapshot to join with").require(self.parameters)
        states.require_layout(self.state, other.state)
        drive_hz = np.concatenate((self.drive_hz, other.drive_hz))
        return Snapshot(self.parameters, self.seeds + other.seeds, drive_hz, states.join(self.state, other.state))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write to an .npz file with a JSON header.

        Raises:
            InputError: the file exists and `overwrite` is False, or its folder does not exist.
            LockedError: somebody else is writing it.
            StorageError: the disk is full.
        """
        return archive.save(checks.path("file", path), KIND, *self.plain(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> "Snapshot":
        """Read a file that `save` wrote, of arrays of at most `limit_bytes`.

        Raises:
            FileFormatError: the file is truncated, foreign, of another version, inconsistent or too much.
            FileNotFoundError: there is no such file.
        """
        header, arrays = archive.load(checks.path("file", path), KIND, limit_bytes=limit_bytes)
        return cls.from_plain(str(path), header, arrays)

    def to_bytes(self) -> bytes:
        """Return the bytes of such a file, to be sent or kept."""
        return archive.pack(KIND, *self.plain())

    @classmethod
    def from_bytes(cls, source: str, words: bytes, *, limit_bytes: int = 2**24) -> "Snapshot":
        """Read what `to_bytes` gave; `source` is where it comes from, for the message.

        Raises:
            FileFormatError: the bytes are truncated, foreign, of another version, inconsistent or too much.
        """
        checks.instance("words", words, bytes, "pass what Snapshot.to_bytes gave")
        return cls.from_plain(source, *archive.unpack(source, words, KIND, limit_bytes=limit_bytes))

    def plain(self) -> tuple[dict[str, Any], archive.Arrays]:
        """Return a header that JSON can say, and arrays by name: all there is to keep."""
        header = {"parameters": self.parameters.stated(), "seeds": [str(seed) for seed in self.seeds]}
        return header, {"drive_hz": self.drive_hz, **states.arrays(self.state)}

    @classmethod
    def from_plain(cls, source: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "Snapshot":
        """Return what `plain` gave; `source` is where it comes from, for the message.

        Raises:
            FileFormatError: it is of another version or inconsistent.
        """
        checks.instance("header", header, dict, "pass what Snapshot.plain gave")
        try:
            parameters = restated(header["parameters"])
            seeds = _seeds(header["seeds"])
        except (KenyonError, KeyError, TypeError, ValueError) as reason:
            raise FileFormatError(f"{source} must be a snapshot of this version of Kenyon: {reason}") from None
        checks.instance("arrays", arrays, dict, "pass what Snapshot.plain gave")
        variables = states.renewed(arrays)
        _check_arrays(source, len(seeds), variables)
        drive_hz = variables.pop("drive_hz")
        try:
            return cls(parameters, seeds, drive_hz, states.gathered(variables))
        except InputError as reason:
            raise FileFormatError(f"{source}: {reason}") from None


def _seeds(given: Any) -> tuple[int, ...]:
    if (
        not isinstance(given, list)
        or not given
        or not all(isinstance(seed, str) and checks.spelled_integer(seed) is not None for seed in given)
    ):
        raise InputError("its seeds must be a list of whole numbers of 0 or more")
    return tuple(int(seed) for seed in given)


def _check_arrays(source: str, larvae: int, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays that are not those of so many larvae; what is in them is looked at afterward."""
    named = {*states.VARIABLES, "drive_hz"}
    for name in sorted(arrays.keys() ^ named, key=shown):
        odd = "is missing" if name in named else "is none of them"
        raise FileFormatError(
            f"{source} must be a snapshot of this version of Kenyon, with all its arrays: {shown(name)} {odd}"
        )
    fields = _fields(arrays["kc_silent_steps"])
    for name, values in arrays.items():
        dtype, shape = fields[name].base, (larvae, *fields[name].shape)
        if not isinstance(values, np.ndarray) or values.shape != shape or values.dtype != dtype:
            raise FileFormatError(f"{source}: {name} must be {dtype} of shape {shape}, got {checks.got(values)}")


def _fields(of_kcs: Any) -> dict[str, np.dtype[Any]]:
    """Return what each array has of a larva; `of_kcs` has as many columns as the circuit has Kenyon cells."""
    n_kcs = of_kcs.shape[-1] if isinstance(of_kcs, np.ndarray) and of_kcs.ndim > 0 else 0
    cells = layout(n_kcs) if 1 <= n_kcs <= MOST_KCS else layout()
    own = {name: states.record(cells)[name] for name in states.VARIABLES}
    return own | {"drive_hz": np.dtype((np.float64, (N_CHANNELS,)))}
