"""The results of groups of larvae: kept in files, summed up, and refused where they were joined wrongly."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import archive, checks, netcdf
from kenyon.conditioning import file_format, origin
from kenyon.conditioning.statistics import interval
from kenyon.conditioning.variables import ANSWERS, MEASURED
from kenyon.errors import MismatchError
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray


def save(result: "xarray.Dataset", path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a result to a NetCDF file, whole or not at all.

    Raises:
        InputError: the file exists and `overwrite` is False, or its folder does not.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.
    """
    _checked(result)
    with archive.replacing(path, overwrite=overwrite) as temporary:
        netcdf.write(file_format.packed(result), temporary)
    return Path(path)


def load(path: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> "xarray.Dataset":
    """Read a result that `save` wrote, of variables of at most `limit_bytes`.

    A file of format version 1 or 2 is given the coordinates of today; what it does not say is nan or "".

    Raises:
        FileFormatError: the file is truncated, foreign, of a later version, or holds something else than it should.
        FileNotFoundError: there is no such file.
    """
    file = netcdf.read(path, limit_bytes=limit_bytes)
    return file_format.unpacked(str(path), file)


def summary(result: "xarray.Dataset") -> list[dict[str, Any]]:
    """Return one row for each test and test odor: means over larvae, and how sure that of the preference index is.

    The interval is computed from the larvae that are there, so it is right after selecting and joining, too: 95 %, by
    a bootstrap over larvae with 10,000 resamples of the seed 0; see `statistics.interval`.

    Args:
        result: Of one group of larvae, as `run` returns it; larvae may have been selected, or joined from runs.

    Returns:
        Mappings with group, test_odor, after (what the test came after), mbonp_hz, mbonn_hz, preference_index,
        interval, and diverged, how many larvae had a potential beyond all bounds by then. What was never tested has no
        row.

    Raises:
        MismatchError: larvae differ in what was done to them, in test or in circuit; it is joined along something else
            than larvae, has none, or states other runs than its larvae are of.

    Example:
        >>> from kenyon.conditioning import paradigm, run
        >>> short = paradigm("naive", trials=1, stimulus_s=1, pause_s=0, test_s=0.5)
        >>> summary(run(short, larvae=2, show_progress=False).one)[0]["after"]
        'before'
    """
    check(result)
    origin.check_alike(result)
    rows = []
    name = origin.only(result, "larva_group")
    labels, diverged = test_labels(result), diverged_at_tests(result)
    # Without the coordinates, of which xarray would copy a hundred at each selection.
    indices = result.preference_index.variable.transpose(*ANSWERS).values
    mbons = result.sel(group=["MBONp", "MBONn"]).test_rate_hz.variable.transpose("group", *ANSWERS).values
    for place, odor in enumerate(result.test_odor.values):
        index, (mbonp_hz, mbonn_hz) = indices[..., place], mbons[..., place]
        bounds = interval(index)
        rows += [
            {
                "group": name,
                "test_odor": str(odor),
                "after": label,
                "mbonp_hz": float(np.nanmean(mbonp_hz[:, test])),
                "mbonn_hz": float(np.nanmean(mbonn_hz[:, test])),
                "preference_index": float(np.nanmean(index[:, test])),
                "interval": [float(bound) for bound in bounds[test]],
                "diverged": int(diverged[:, test].sum()),
            }
            for test, label in enumerate(labels)
            if not np.isnan(index[:, test]).all()
        ]
    return rows


def check(result: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result, if its numbers are of larvae of the runs that it states.

    Raises:
        MismatchError: they are of others, or it is joined along something else than larvae.
    """
    _checked(result)
    _check_kept(result)
    return origin.check(result, {"preference_index": ANSWERS, "diverged": ("larva", "phase"), "larva_seed": ("larva",)})


def _check_kept(result: "xarray.Dataset") -> None:
    """Refuse numbers that no run of those that are stated has kept: a join has taken them from another."""
    if "kept" not in result.coords:
        return
    kept = {option for said in origin.distinct(result, "kept") for option in str(said).split(", ")}
    for name, variable in MEASURED.items():
        if variable.kept_by and variable.kept_by not in kept and name in result and result[name].notnull().any():
            raise MismatchError(
                f"{name} of a result must be of a run that has kept it, got one of another; join results with "
                'xarray.concat(..., coords="different", compat="equals")'
            )


def diverged_at_tests(result: "xarray.Dataset") -> NDArray[np.bool_]:
    """Return which larvae had diverged by the time of each test: [B, tests] bool."""
    _checked(result)
    began_s, lasted_s = result.phase_start_s.variable, result.phase_duration_s.variable
    ended = began_s + lasted_s <= result.test_time_s.variable + 1e-9
    by_then: NDArray[np.bool_] = (result.diverged.variable & ended).any("phase").transpose("larva", "test").values
    return by_then


def test_labels(result: "xarray.Dataset") -> list[str]:
    """Return what each test came after, such as "training 2".

    Example:
        >>> import xarray
        >>> test_labels(xarray.Dataset(coords={"test_label": ("test", ["before", "training", "training"])}))
        ['before', 'training 1', 'training 2']
    """
    return numbered(tested_after(result))


def tested_after(result: "xarray.Dataset") -> list[str]:
    """Return the label of the trial that each test came after, as it was given.

    Raises:
        MismatchError: larvae of the result differ in it.
    """
    _checked(result)
    return [_test_label(result.isel(test=test)) for test in range(result.sizes["test"])]


def _checked(result: Any) -> None:
    import xarray

    checks.instance("result", result, xarray.Dataset, "pass what experiment.run returned")


def numbered(labels: list[str]) -> list[str]:
    """Return labels with a number where one comes more than once.

    Example:
        >>> numbered(["before", "training", "training"])
        ['before', 'training 1', 'training 2']
    """
    numbers = [f"{label} {labels[: i + 1].count(label)}" for i, label in enumerate(labels)]
    return [label if labels.count(label) == 1 else numbers[i] for i, label in enumerate(labels)]


def _test_label(at: "xarray.Dataset") -> str:
    """Return what one test came after, "" if no larva has it; larvae that were joined may not differ in it."""
    labels = [label for label in origin.distinct(at, "test_label") if isinstance(label, str)] or [""]
    if len(labels) != 1:
        raise MismatchError(
            f"each test of a result must come after one thing, got {shown(labels)}; select the larvae of each paradigm"
        )
    return labels[0]
