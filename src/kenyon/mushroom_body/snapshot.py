"""A population at one moment, kept exactly: going on from it equals never having stopped."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import archive
from kenyon.errors import FileFormatError, KenyonError
from kenyon.mushroom_body.circuit import N_CHANNELS
from kenyon.mushroom_body.parameters import PUBLISHED, Parameters
from kenyon.mushroom_body.state import State, newborn

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
        """
        header = {"parameters": self.parameters.values(), "seeds": [str(seed) for seed in self.seeds]}
        arrays: dict[str, NDArray[Any]] = {"drive_hz": self.drive_hz, **self.state._asdict()}
        return archive.save(path, KIND, header, arrays, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Snapshot":
        """Read a file that `save` wrote.

        Raises:
            FileFormatError: the file is truncated, foreign, of another version or inconsistent.
        """
        header, arrays = archive.load(path, KIND)
        try:
            parameters = PUBLISHED.replace(header["parameters"])
            seeds = tuple(int(seed) for seed in header["seeds"])
            drive_hz = arrays.pop("drive_hz")
            state = State(**arrays)
        except (KenyonError, KeyError, TypeError, ValueError) as reason:
            raise FileFormatError(f"{path} must be a snapshot of this version of Kenyon: {reason}") from None
        _check_layout(path, parameters, len(seeds), drive_hz, state)
        return cls(parameters, seeds, drive_hz, state)


def _check_layout(
    path: str | os.PathLike[str], parameters: Parameters, larvae: int, drive_hz: NDArray[np.float64], state: State
) -> None:
    expected = newborn(parameters, [0])._asdict() | {"drive_hz": np.zeros((1, N_CHANNELS))}
    for name, found in (state._asdict() | {"drive_hz": drive_hz}).items():
        like = expected[name]
        shape = (larvae, *like.shape[1:])
        if found.shape != shape or found.dtype != like.dtype:
            raise FileFormatError(
                f"{path}: {name} must be {like.dtype} of shape {shape}, got {found.dtype} of shape {found.shape}"
            )
        if np.isnan(found).any():
            raise FileFormatError(f"{path}: {name} must be numbers, got nan")
