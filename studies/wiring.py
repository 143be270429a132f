"""What a measured wiring of Kenyon cells changes: how sparse their code is, how alike odors are to it, what is learned.

Ten larvae for each wiring and set. Those of a measured wiring all have the same and differ by their input alone, for
one brain with two sides was measured: what holds on both sides holds in n = 1 brain.

    python studies/wiring.py   # writes wiring.csv; ten minutes on two cores
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning import Design, run
from kenyon.conditioning.statistics import interval
from kenyon.mushroom_body import Parameters, Population, named, odors
from kenyon.mushroom_body.wiring import WIRINGS, counted
from kenyon.seeds import larva_seeds

TABLE = Path(__file__).with_suffix(".csv")
LARVAE, SEED, PROBE_MS = 10, 0, 3000.0
SETS = ("balanced", "larval")
A, B, PAIR = "pentyl acetate", "4,5-dimethylthiazole", "3-octanol"
BINDINGS = {"A": A, "B": B, "C": PAIR}

FloatArray = NDArray[np.float64]


def main() -> None:
    """Measure all, and write the table."""
    with TABLE.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(["parameters", "wiring", "measure", "mean", "low", "high"])
        for name in SETS:
            for wiring in (*WIRINGS, *(f"{side}, 0 and 1" for side in ("left", "right"))):
                for measure, values in measured(named(name), wiring).items():
                    mean, (low, high) = float(np.nanmean(values)), interval(values)
                    out.writerow([name, wiring, measure, f"{mean:.4f}", f"{low:.4f}", f"{high:.4f}"])
                    stream.flush()


def measured(parameters: Parameters, wiring: str) -> dict[str, FloatArray]:
    """Return each measure of each larva of a wiring: [B]."""
    how = how_wired(wiring)
    return code(parameters, how) | learned(parameters, how)


def how_wired(wiring: str) -> dict[str, object]:
    """Return what a population is to be told."""
    side, _, counts_for_nothing = wiring.partition(", ")
    return {"pn_to_kc": counted(side) > 0} if counts_for_nothing else {"wiring": wiring}


def code(parameters: Parameters, how: dict[str, object]) -> dict[str, FloatArray]:
    """Return how Kenyon cells of naive larvae answer to all measured odors, each for three seconds."""
    larvae = Population(parameters, larva_seeds(SEED, LARVAE), **how)  # type: ignore[arg-type]
    place = {odor.name: number for number, odor in enumerate(odors.odors())}
    kcs = larvae.state.layout.groups["KC"]
    all_counts = np.stack([larvae.probe(odor, PROBE_MS).counts[:, kcs] for odor in place], axis=1).astype(np.float64)
    lengths = np.linalg.norm(all_counts, axis=2)
    products = lengths[:, :, None] * lengths[:, None]
    dots = np.einsum("bik,bjk->bij", all_counts, all_counts)
    cosines = np.divide(dots, products, out=np.full_like(dots, np.nan), where=products > 0)
    pairs = np.triu_indices(len(place), 1)
    silent = larvae.probe(None, PROBE_MS)
    return {
        "Kenyon cells that answer to an odor, share": (all_counts > 0).mean(axis=(1, 2)),
        "Kenyon cells that answer to no odor, share": (all_counts.sum(axis=1) == 0).mean(axis=1),
        "rate of Kenyon cells without odor (Hz)": silent.rate_hz("KC"),
        "overlap of two odors, mean of all pairs": np.nanmean(cosines[:, pairs[0], pairs[1]], axis=1),
        f"overlap of {A} and {PAIR}": cosines[:, place[A], place[PAIR]],
        f"overlap of {A} and {B}": cosines[:, place[A], place[B]],
    }


def learned(parameters: Parameters, how: dict[str, object]) -> dict[str, FloatArray]:
    """Return what three trials leave, absolute and differential."""
    index = {}
    for name, text in (
        ("absolute", "3x(A+ 60s, 60s) | ?A 4s, ?B 4s, ?C 4s"),
        ("differential", "3x(A+ 60s, C 60s) | ?A 4s, ?B 4s, ?C 4s"),
    ):
        result = run(Design.read(text, bindings=BINDINGS), larvae=LARVAE, seed=SEED, parameters=parameters,
                     show_progress=False, **how).one  # type: ignore[arg-type]  # fmt: skip
        last = result.preference_index.isel(test=-1)
        index[name] = {odor: last.sel(test_odor=odor).values for odor in BINDINGS.values()}
    absolute, differential = index["absolute"], index["differential"]
    return {
        "index of the trained odor, after three trials": absolute[A],
        f"{PAIR} as a share of it": absolute[PAIR] / absolute[A],
        f"{B} as a share of it": absolute[B] / absolute[A],
        f"differential against {PAIR}, as a share of it": (differential[A] - differential[PAIR]) / absolute[A],
    }


if __name__ == "__main__":
    main()
