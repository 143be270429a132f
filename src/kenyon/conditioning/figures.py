"""The picture of what larvae learned, for someone who has never seen a mushroom body."""

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kenyon import archive
from kenyon.conditioning.preference import interval
from kenyon.conditioning.results import test_labels
from kenyon.errors import InputError

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, safe for color-blind readers.
_APPROACH, _AVOIDANCE, _ODOR = "#0072B2", "#D55E00", "#009E73"
_US = {"reward": "#E69F00", "punishment": "#CC79A7"}
_GROUPS = ("#0072B2", "#D55E00", "#555555", "#CC79A7", "#E69F00", "#56B4E9", "#009E73")
_FAINT = 0.13

_TITLES = {
    "paired": "paired",
    "unpaired": "unpaired",
    "unpaired-reversed": "unpaired, reversed",
    "reinforcement-alone": "{us} alone",
    "odor-alone": "odor alone",
    "extinction": "extinction",
    "naive": "naive",
}


def learning_figure(results: Sequence["xarray.Dataset"]) -> "Figure":
    """Draw what larvae learned, the first result in full and the others beside it.

    Panels: what each group was given and when; the preference index at each test, every larva faint behind the mean
    with its 95 % interval; for the first group the rates of the two output neurons and the weights that learning moves.

    Args:
        results: One dataset a group, as `experiment.run` returns them.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: there is no result.
    """
    if not results:
        raise InputError("results must hold at least one experiment, got none")
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(
        figsize=(12, 8.4 + 0.3 * (len(results) - 1)), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    )
    strip_height = 0.24 + 0.2 * len(results)
    grid = figure.add_gridspec(4, 2, height_ratios=(strip_height, 2.1, 2.1, 0.72), width_ratios=(1.3, 1))
    _draw_protocols(figure.add_subplot(grid[0, :]), results)
    _draw_preference(figure.add_subplot(grid[1:3, 0]), results)
    _draw_rates(figure.add_subplot(grid[1, 1]), results[0])
    _draw_weights(figure.add_subplot(grid[2, 1]), results[0])
    figure.add_subplot(grid[3, :]).set_axis_off()
    figure.text(0.012, 0.012, _words(results[0]), fontsize=9.2, va="bottom", linespacing=1.35)
    figure.suptitle(_headline(results[0]), fontsize=15, fontweight="bold", x=0.012, ha="left")
    return figure


def save_figure(figure: "Figure", path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a figure to a file of the format its suffix names, whole or not at all.

    Raises:
        InputError: the file exists and `overwrite` is False, its folder does not, or the suffix is unknown.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.
    """
    known = sorted(figure.canvas.get_supported_filetypes())
    if Path(path).suffix[1:] not in known:
        raise InputError(f"the suffix of {path} must be one of {', '.join(known)}")
    with archive.replacing(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, dpi=150)
    return Path(path)


def _title(result: "xarray.Dataset") -> str:
    return _TITLES[result.attrs["paradigm"]].format(us=result.attrs["us"])


def _headline(result: "xarray.Dataset") -> str:
    cs, us, larvae = result.attrs["cs"], result.attrs["us"], result.sizes["larva"]
    final = result.sel(test_odor=cs).isel(test=-1)
    mean = float(final.preference_index.mean())
    low, high = final.preference_interval.values
    who = f"{larvae} virtual larvae" if larvae > 1 else "One virtual larva"
    bounds = f" [{low:.2f}, {high:.2f}]" if larvae > 1 else ""
    return f"{who}, {cs} and {us}, {_title(result)}: preference ends at {mean:+.2f}{bounds}"


def _mean_with_larvae(
    axes: "Axes", values: NDArray[np.float64], color: str, *, label: str, dashed: bool = False, shift: float = 0.0
) -> None:
    """Draw [B, tests]: each larva faint, the mean, and its interval as error bars."""
    tests = np.arange(values.shape[1]) + shift
    axes.plot(tests, values.T, color=color, alpha=_FAINT, linewidth=0.8, linestyle=":" if dashed else "-")
    mean = values.mean(axis=0)
    below, above = np.abs(interval(values) - mean[:, None]).T
    axes.errorbar(
        tests, mean, yerr=(below, above), color=color, label=label, linewidth=2, capsize=3,
        linestyle="--" if dashed else "-", marker="o", markersize=5, markerfacecolor="white" if dashed else color,
    )  # fmt: skip


def _draw_protocols(axes: "Axes", results: Sequence["xarray.Dataset"]) -> None:
    us = results[0].attrs["us"]
    for row, result in enumerate(results):
        for start, length, cs_on, us_on in zip(
            result.phase_start_s.values,
            result.phase_duration_s.values,
            result.phase_cs.values,
            result.phase_us.values,
            strict=True,
        ):
            if cs_on:
                axes.broken_barh([(start, length)], (row - 0.36, 0.34), color=_ODOR)
            if us_on:
                axes.broken_barh([(start, length)], (row + 0.02, 0.34), color=_US[us])
        axes.plot(result.test_time_s.values, np.full(result.sizes["test"], row), "v", color="black", markersize=5)
    axes.set_yticks(range(len(results)), [_title(result) for result in results])
    axes.set_ylim(len(results) - 0.5, -0.55)
    axes.set_xlabel("time (s)", labelpad=1)
    axes.tick_params(left=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title("What they were given", loc="left", fontsize=11)
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color=_ODOR, label=results[0].attrs["cs"]),
        Patch(color=_US[us], label=us),
        Line2D(
            [], [], color="black", marker="v", linestyle="", markersize=5, label="test: on a copy, it takes no time"
        ),
    ]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, fontsize=9)


def _draw_preference(axes: "Axes", results: Sequence["xarray.Dataset"]) -> None:
    first = results[0]
    for number, result in enumerate(results):
        cs = result.attrs["cs"]
        color, shift = _GROUPS[number % len(_GROUPS)], 0.04 * number
        index = result.preference_index
        label = f"{_title(result)}: {cs}"
        _mean_with_larvae(axes, index.sel(test_odor=cs).values, color, label=label, shift=shift)
        if result is first:
            for odor in [odor for odor in result.test_odor.values if odor != cs]:
                label = f"{_title(result)}, tested with {odor}"
                _mean_with_larvae(axes, index.sel(test_odor=odor).values, color, label=label, dashed=True, shift=-0.05)
    axes.axhline(0.0, color="black", linewidth=0.8)
    _test_axis(axes, max(results, key=lambda result: int(result.sizes["test"])))
    axes.set_ylabel("MBON preference index (p - n) / (p + n)")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.15), max(high, 0.15))
    axes.legend(loc="best", frameon=False, fontsize=9)
    axes.set_title("What they learned: above 0 the odor attracts, below 0 it repels", loc="left", fontsize=11)


def _draw_rates(axes: "Axes", result: "xarray.Dataset") -> None:
    at = result.sel(test_odor=result.attrs["cs"])
    _mean_with_larvae(axes, at.test_mbonp_hz.values, _APPROACH, label="MBONp, “approach”")
    _mean_with_larvae(axes, at.test_mbonn_hz.values, _AVOIDANCE, label="MBONn, “avoid”", shift=0.04)
    _output_panel(axes, result, "rate (Hz)", f"Output neurons smelling {result.attrs['cs']}")


def _draw_weights(axes: "Axes", result: "xarray.Dataset") -> None:
    mean_p, mean_n = (result[name].mean("kc").values for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"))
    _mean_with_larvae(axes, mean_p, _APPROACH, label="onto MBONp")
    _mean_with_larvae(axes, mean_n, _AVOIDANCE, label="onto MBONn", shift=0.04)
    _output_panel(axes, result, "weight (nS)", "Kenyon cell synapses onto them, mean")


def _output_panel(axes: "Axes", result: "xarray.Dataset", label: str, title: str) -> None:
    axes.set_ylabel(label)
    low, high = axes.get_ylim()
    low = min(0.0, low)
    axes.set_ylim(low, high + 0.05 * (high - low))
    axes.legend(loc="lower left", ncols=2, frameon=False, fontsize=9)
    axes.set_title(f"{title} ({_title(result)})", loc="left", fontsize=11)
    _test_axis(axes, result)


def _test_axis(axes: "Axes", result: "xarray.Dataset") -> None:
    labels = [label.replace(" ", "\n") for label in test_labels(result)]
    axes.set_xticks(range(len(labels)), labels, fontsize=9 if len(labels) <= 5 else 7)
    axes.set_xlabel("tested before and after each trial", fontsize=9)
    axes.set_xlim(-0.3, len(labels) - 0.7)
    axes.spines[["top", "right"]].set_visible(False)


def _words(result: "xarray.Dataset") -> str:
    weakened, output, effect = {
        "reward": ("DANp", "MBONn", "avoidance fades and the odor attracts"),
        "punishment": ("DANn", "MBONp", "approach fades and the odor repels"),
    }[result.attrs["us"]]
    words = (
        "How to read this. An odor makes a few of a larva's 72 Kenyon cells fire. They drive two output neurons: MBONp "
        "says “approach”, MBONn says “avoid”, and in a naive larva the two balance. "
        f"{result.attrs['us'].capitalize()} excites a dopamine neuron ({weakened}), and that weakens the synapses of "
        f"just active Kenyon cells onto {output}: {effect}, but only for odors that share these cells. Bold: mean of "
        f"{result.sizes['larva']} with its 95 % bootstrap interval; faint: single larvae. Circuit: Jürgensen et al. "
        f"2024, parameters “{result.attrs['parameters']}”. Odor responses: Si et al. 2019. Seed {result.attrs['seed']}."
    )
    return "\n".join(textwrap.wrap(words, 170))
