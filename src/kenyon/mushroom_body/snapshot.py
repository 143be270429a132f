"""A population at one moment, kept exactly: going on from it equals never having stopped."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import archive
from kenyon.errors import FileFormatError, InputError, KenyonError
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.circuit import N_CHANNELS
from kenyon.mushroom_body.inputs import MAX_RATE_HZ
from kenyon.mushroom_body.parameters import PUBLISHED, Parameters, constants
from kenyon.mushroom_body.state import State
from kenyon.words import shown

KIND = "snapshot"


@dataclass(frozen=True)
class Snapshot:
    """Everything about some larvae at one moment; either engine goes on from it.

    Attributes:
        parameters: The constants they live under.
        seeds: One seed a larva.
        drive_hz: [B, C] float64, the drive that was set.
        state: Their state, B rows.
    """

    parameters: Parameters
    seeds: tuple[int, ...]
    drive_hz: NDArray[np.float64]
    state: State

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write to an .npz file with a JSON header.

        Raises:
            InputError: the file exists and `overwrite` is False.
            LockedError: somebody else is writing it.
            StorageError: the disk is full.
        """
        return archive.save(path, KIND, *self.plain(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> "Snapshot":
        """Read a file that `save` wrote, of arrays of at most `limit_bytes`.

        Raises:
            FileFormatError: the file is truncated, foreign, of another version, inconsistent or too much.
            FileNotFoundError: there is no such file.
        """
        return cls.from_plain(str(path), *archive.load(path, KIND, limit_bytes=limit_bytes))

    def to_bytes(self) -> bytes:
        """Return the bytes of such a file, to be sent or kept."""
        return archive.pack(KIND, *self.plain())

    @classmethod
    def from_bytes(cls, source: str, words: bytes, *, limit_bytes: int = 2**24) -> "Snapshot":
        """Read what `to_bytes` gave; `source` is where it comes from, for the message.

        Raises:
            FileFormatError: the bytes are truncated, foreign, of another version, inconsistent or too much.
        """
        return cls.from_plain(source, *archive.unpack(source, words, KIND, limit_bytes=limit_bytes))

    def plain(self) -> tuple[dict[str, Any], archive.Arrays]:
        """Return a header that JSON can say, and arrays by name: all there is to keep."""
        header = {"parameters": self.parameters.values(), "seeds": [str(seed) for seed in self.seeds]}
        return header, {"drive_hz": self.drive_hz, **states.arrays(self.state)}

    @classmethod
    def from_plain(cls, source: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "Snapshot":
        """Return what `plain` gave; `source` is where it comes from, for the message.

        Raises:
            FileFormatError: it is of another version or inconsistent.
        """
        try:
            values = header["parameters"]
            if set(values) != set(constants()):
                raise InputError(f"its parameters must name every constant, got {len(values)} of {len(constants())}")
            parameters = PUBLISHED.replace(values)
            seeds = _seeds(header["seeds"])
        except (KenyonError, KeyError, TypeError, ValueError) as reason:
            raise FileFormatError(f"{source} must be a snapshot of this version of Kenyon: {reason}") from None
        _check(source, parameters, len(seeds), arrays)
        variables = dict(arrays)
        drive_hz = variables.pop("drive_hz")
        return cls(parameters, seeds, drive_hz, states.gathered(variables))


def _seeds(given: Any) -> tuple[int, ...]:
    if (
        not isinstance(given, list)
        or not given
        or not all(isinstance(seed, str) and seed.isdecimal() for seed in given)
    ):
        raise InputError("its seeds must be a list of whole numbers of 0 or more")
    return tuple(int(seed) for seed in given)


def _check(path: str, parameters: Parameters, larvae: int, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays that no population could have had."""
    like = states.arrays(states.newborn(parameters, [])) | {"drive_hz": np.empty((0, N_CHANNELS))}
    for name in sorted(arrays.keys() ^ like.keys()):
        odd = "is missing" if name in like else "is none of them"
        raise FileFormatError(
            f"{path} must be a snapshot of this version of Kenyon, with all its arrays: {shown(name)} {odd}"
        )
    for name, values in arrays.items():
        shape, dtype = (larvae, *like[name].shape[1:]), like[name].dtype
        if values.shape != shape or values.dtype != dtype:
            raise FileFormatError(
                f"{path}: {name} must be {dtype} of shape {shape}, got {values.dtype} of shape {values.shape}"
            )
    check_values(path, parameters, arrays)


def check_values(source: str, parameters: Parameters, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse values that no larva could have had, and that compiled code must not be given; only v may have any.

    Args:
        source: Where they come from, for the message.
        parameters: The constants that the larvae live under.
        arrays: Variables by name, each of its own shape and type.

    Raises:
        FileFormatError: a value is out of its range.

    Example:
        >>> larva = states.newborn(PUBLISHED, [1])
        >>> larva.refractory_steps[0, 3] = 2**30
        >>> check_values("this larva", PUBLISHED, states.arrays(larva))
        Traceback (most recent call last):
        ...
        kenyon.errors.FileFormatError: this larva: refractory_steps must lie from 0 to 19, got 1073741824
    """
    held = max(0, parameters.steps("refractory_ms", parameters.refractory_ms) - 1)
    ranges = {
        "refractory_steps": (0, held),
        "kc_silent_steps": (0, np.inf),
        "ticks_left": (1, 2**62),
        "step": (0, 2**62),
        "pn_to_kc": (0, 1),
        "drive_hz": (0, MAX_RATE_HZ),
    }
    largest = np.finfo(np.float64).max
    for name, values in arrays.items():
        low, high = ranges.get(name, (-largest, largest if values.dtype.kind == "f" else np.inf))
        good = np.ones(values.shape, bool) if name == "v_mV" else (values >= low) & (values <= high)
        if not good.all():
            raise FileFormatError(f"{source}: {name} must lie from {low:g} to {high:g}, got {values[~good][0]}")
