"""What an experiment gave: one result for each group of larvae, by the name of the group."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kenyon import archive, checks
from kenyon.conditioning import results
from kenyon.errors import InputError
from kenyon.reservations import reserved
from kenyon.words import shown

if TYPE_CHECKING:  # xarray and pandas are slow to import
    import pandas as pd
    import xarray

_ENDING = ".nc"
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")


class Results(Mapping[str, "xarray.Dataset"]):
    """The result of each group of larvae, by the name of the group; it cannot be changed.

    Args:
        of_groups: An `xarray.Dataset` for each group, as `results.load` gives them.

    Raises:
        InputError: there is none, or something that is none.

    Example:
        >>> from kenyon.conditioning import paradigm, run
        >>> short = paradigm("naive", trials=1, stimulus_s=1, pause_s=0, test_s=0.5)
        >>> results = run(short, larvae=2, show_progress=False)
        >>> results
        <results of naive: 2 larvae, 2 tests>
        >>> results["naive"] is results.one
        True
    """

    def __init__(self, of_groups: Mapping[str, "xarray.Dataset"]) -> None:
        if not isinstance(of_groups, Mapping) or not of_groups:
            raise InputError(f"results must be datasets by the names of their groups, got {shown(of_groups)}")
        self._of_groups = {checks.label("name of a group", name): results.check(own) for name, own in of_groups.items()}

    def __getitem__(self, group: str) -> "xarray.Dataset":
        """Return the result of a group.

        Raises:
            InputError: there is no such group; the message names those that are.
        """
        return self._of_groups[checks.one_of("group", group, list(self._of_groups))]

    def __iter__(self) -> Iterator[str]:
        """Give the names of the groups, in their order."""
        return iter(self._of_groups)

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self._of_groups)

    def __contains__(self, group: object) -> bool:
        """Return whether there is such a group."""
        return group in self._of_groups

    def __repr__(self) -> str:
        """Say of how many groups, larvae and tests they are."""
        return f"<results of {'; '.join(_words(name, own) for name, own in self._of_groups.items())}>"

    def _repr_html_(self) -> str:
        """Show the means as a table, in a notebook."""
        shown_here: str = (
            self.to_dataframe()
            .drop(columns=["interval"], errors="ignore")
            .to_html(index=False, float_format="{:.3g}".format)
        )
        return shown_here

    @property
    def one(self) -> "xarray.Dataset":
        """The result of the only group.

        Raises:
            InputError: there are several.
        """
        if len(self) > 1:
            raise InputError(
                f"an experiment must have one group to be asked for the one, got {shown(list(self))}; name it"
            )
        return next(iter(self._of_groups.values()))

    def summary(self) -> list[dict[str, Any]]:
        """Return the rows of `results.summary` of every group."""
        return [row for own in self._of_groups.values() for row in results.summary(own)]

    def to_dataframe(self) -> "pd.DataFrame":
        """Return these rows as a table of pandas."""
        import pandas as pd

        return pd.DataFrame(self.summary())

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write a file for each group, called like the group, into a folder: all of them or none.

        The folder is made if it is not there.

        Raises:
            InputError: a file exists and `overwrite` is False, or the folder cannot be written to.
            LockedError: somebody else is writing one of them.
            StorageError: the disk is full.
        """
        target = checks.path("folder", folder)
        checks.boolean("overwrite", overwrite)
        files = [f"{name}{_ENDING}" for name in self._of_groups]
        with reserved(target, *files, overwrite=overwrite, make=True) as new:
            for file, own in zip(files, self._of_groups.values(), strict=True):
                results.save(own, new / file)
        return [target / file for file in files]

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> "Results":
        """Read every result file of a folder, by name: numbers within names as numbers, so that 2 comes before 10.

        Raises:
            FileFormatError: one is no result.
            InputError: there is none, or two are of groups of one name.
        """
        files = sorted(checks.path("folder", folder).glob(f"*{_ENDING}"), key=_in_order)
        if not files:
            raise InputError(f"folder {shown(str(folder))} must hold result files, got none; one file is read by load")
        return cls({file.stem: results.load(file, limit_bytes=limit_bytes) for file in files})


def _in_order(file: Path) -> list[tuple[bool, float | str]]:
    parts = _NUMBER.split(file.stem)
    return [(place % 2 == 0, part if place % 2 == 0 else float(part)) for place, part in enumerate(parts)]


def _words(name: str, result: "xarray.Dataset") -> str:
    larvae, tests = result.sizes["larva"], result.sizes["test"]
    return f"{name}: {larvae} larva{'e' * (larvae > 1)}, {tests} test{'s' * (tests != 1)}"
