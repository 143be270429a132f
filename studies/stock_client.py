"""What an unmodified Larvaworld learns from `kenyon serve`, measured.

    python studies/stock_client.py           # everything: stock_client.csv and docs/images/stock_client.png; 35 minutes
    python studies/stock_client.py --figure  # prints and draws anew what stock_client.csv holds

The first needs the environment that `make test-larvaworld` makes. Ten larvae of `max_forager_MB` live through
`MB_patch_grid` for its own ten minutes, with Larvaworld's `RemoteBrianModelMemory` as it is; the server multiplies the
concentrations that it sends by `--concentration-scale`. Once a minute, and at the end, each mushroom body on the server
is asked about the odor of the food and about one unlike it, with plasticity off. Arms, at each scale:

- `reward`: as the host has it, reward wherever a larva is on food.
- `no reward`: the memory is always told that there is none.
- `same tracks`: what the clients of `reward` sent at scale 1, sent again. At scale 1 it must give the same numbers.
- `another's reward`: the same, but each larva is rewarded when the next one was on food: as much reward on the whole,
  unrelated to what was smelled.

And once each: `reward alone`, the same tracks without odor, and `our client`, Kenyon's class in the place of
Larvaworld's, which sends the sensed concentration instead of its change.

Within one process the host repeats a run under the same seed, until gains that differ lead larvae elsewhere; another
process gives other tracks. The mushroom bodies are the same in all arms.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning.statistics import interval
from kenyon.drawing import BLUE, GRAY, GREEN, VERMILION, new_figure, save_figure
from kenyon.provenance import versions
from kenyon.server import ready
from kenyon.wire import Address, Message, close_connections, exchange

TABLE = Path(__file__).with_suffix(".csv")
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "stock_client.png"

EXPERIMENT, MODEL, LARVAE, MINUTES, SEED = "MB_patch_grid", "max_forager_MB", 10, 10, 1
TICKS_A_MINUTE = 600
SCALES = (1.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0)
ODOR, OTHER = "pentyl acetate", "4,5-dimethylthiazole"
PROBE = {"op": "probe", "probe": [ODOR, OTHER], "probe_ms": 3000}

LAST = f"index at {MINUTES} min"

RECOMMENDED = 1000.0

# The host's odor is 3.9 at its sources and little less between them; a quarter of it is the dilution 1e-04.
OUR_SCALE = 0.25


class Arm(NamedTuple):
    """What a group of larvae has lived through, and what its mushroom bodies then say.

    Attributes:
        larvae: Their names.
        sent: [B, T] float64, `odor_concentration` of each step, before the server's scale.
        reward: [B, T] bool, whether each larva was on food.
        gain: [B, T] float64, the gain after each step; nan where no memory was in between.
        probed: [B, minutes] float64, preference index for the odor of the food.
        other: [B, minutes] float64, for an odor unlike it.
    """

    larvae: list[str]
    sent: NDArray[np.float64]
    reward: NDArray[np.bool_]
    gain: NDArray[np.float64]
    probed: NDArray[np.float64]
    other: NDArray[np.float64]


@contextmanager
def server(scale: float) -> Iterator[Address]:
    """Run `kenyon serve` with a concentration scale, and nothing kept."""
    command = [sys.executable, "-c", "from kenyon.cli import main; main()", "serve", "--port", "0"]
    command += ["--parameters", "balanced"]
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/ready"
        command += ["--state-dir", ":memory:", "--concentration-scale", str(scale), "--ready-file", file]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603  # our own
            try:
                found = ready.wait_for(file, is_alive=lambda: process.poll() is None)
                if found is None:
                    raise SystemExit("kenyon serve must start, but did not; it has said why")
                yield Address("127.0.0.1", found.address.port)
            finally:
                close_connections()
                process.terminate()


def probe(address: Address, larvae: Sequence[str]) -> list[tuple[float, float]]:
    """Return the preference index of each larva for the odor of the food, and for another."""
    asked = [Message(EXPERIMENT, larva, 0, PROBE) for larva in larvae]
    answers = [reply.kwargs["probes"] for reply in exchange(address, asked, timeout_s=60.0)]
    return [(answer[ODOR]["preference_index"], answer[OTHER]["preference_index"]) for answer in answers]


def live(address: Address, *, rewarded: bool = True, kind: Any = None, options: Mapping[str, Any] | None = None) -> Arm:
    """Return what larvae of the host lived through, with a memory class that is only watched."""
    from larvaworld.lib import reg
    from larvaworld.lib.model.modules.memory import RemoteBrianModelMemory
    from larvaworld.lib.model.modules.module_modes import moduleDB
    from larvaworld.lib.sim import ExpRun

    notes: dict[str, list[tuple[float, bool, float]]] = {}
    probes: dict[str, list[tuple[float, float]]] = {}

    class Watched(kind or RemoteBrianModelMemory):  # type: ignore[misc]  # of any class
        def step(self, dx: Any = None, reward: bool = False, t_warmup: float = 0) -> Any:
            larva, sent = self.brain.agent.unique_id, dx["Odor"]
            if kind is not None:
                sent = self.brain.modalities["olfaction"].sensor.X["Odor"] * OUR_SCALE
            gain = super().step(dx=dx, reward=reward and rewarded, t_warmup=t_warmup)
            own = notes.setdefault(larva, [])
            own.append((sent, bool(reward), gain["Odor"]))
            if len(own) % TICKS_A_MINUTE == 0:
                probes.setdefault(larva, []).extend(probe(address, [larva]))
            return gain

    classes = moduleDB.brainDB["memory"].dict["MB"]
    before, classes["olfaction"] = classes["olfaction"], Watched
    try:
        with tempfile.TemporaryDirectory() as folder:
            run = ExpRun(
                experiment=EXPERIMENT, modelIDs=[MODEL], N=LARVAE, duration=MINUTES, id=EXPERIMENT,
                screen_kws={"vis_mode": None}, store_data=False, dir=folder,
            )  # fmt: skip
            model = reg.conf.Model.getID(MODEL).get_copy()
            model.brain.memory.update({"server_port": address.port, **(options or {})})
            run.p.larva_groups[MODEL].model = model
            run.p.enrichment = None
            run.simulate(seed=SEED)
    finally:
        classes["olfaction"] = before
    larvae = sorted(notes)
    sent, reward, gain = np.moveaxis(np.array([notes[larva] for larva in larvae], dtype=float), -1, 0)
    index, other = np.moveaxis(np.array([probes[larva] for larva in larvae]), -1, 0)
    return Arm(larvae, sent, reward.astype(bool), gain, index, other)


def send_again(address: Address, arm: Arm) -> Arm:
    """Return what the mushroom bodies say when they are sent what an arm holds, without a host."""
    probes = []
    for step in range(arm.sent.shape[1]):
        given = zip(arm.larvae, arm.sent[:, step].tolist(), arm.reward[:, step].tolist(), strict=True)
        messages = [
            Message(EXPERIMENT, larva, step, {
                "odor_id": 0, "odor_concentration": sent, "T": 100, "warmup": 0, "step_id": step, "reward": int(reward),
            })
            for larva, sent, reward in given
        ]  # fmt: skip
        exchange(address, messages, timeout_s=60.0)
        if (step + 1) % TICKS_A_MINUTE == 0:
            probes.append(probe(address, arm.larvae))
    index, other = np.moveaxis(np.array(probes), -1, 0)
    return arm._replace(gain=np.full_like(arm.gain, np.nan), probed=index.T, other=other.T)


def measure() -> Iterator[tuple[str, float, Arm]]:
    """Yield each arm with its name and scale."""
    from kenyon.memory import RemoteBrianModelMemory

    with server(SCALES[0]) as address:
        first = live(address)
    yield "reward", SCALES[0], first
    alone = first._replace(sent=np.zeros_like(first.sent))
    anothers = first._replace(reward=np.roll(first.reward, -1, axis=0))
    with server(SCALES[0]) as address:
        yield "reward alone", SCALES[0], send_again(address, alone)
    for scale in SCALES:
        with server(scale) as address:
            again = send_again(address, first)
        if scale == SCALES[0] and not np.array_equal(again.probed, first.probed):
            raise SystemExit("what is sent again must give the same numbers, but did not")
        yield "same tracks", scale, again
        with server(scale) as address:
            yield "another's reward", scale, send_again(address, anothers)
        if scale > SCALES[0]:
            with server(scale) as address:
                yield "reward", scale, live(address)
        with server(scale) as address:
            yield "no reward", scale, live(address, rewarded=False)
    with server(1.0) as address:
        options = {"concentration_scale": OUR_SCALE}
        yield "our client", 1.0, live(address, kind=RemoteBrianModelMemory, options=options)


def rows(name: str, scale: float, arm: Arm) -> Iterator[dict[str, Any]]:
    """Yield a row of the table for each larva of an arm."""
    for i, larva in enumerate(arm.larvae):
        up = arm.sent[i][arm.sent[i] > 0]
        yield {
            "arm": name,
            "concentration_scale": f"{scale:g}",
            "larva": larva,
            "share of time on food": round(float(arm.reward[i].mean()), 4),
            "share of steps sent above 0": round(len(up) / arm.sent.shape[1], 4),
            "median sent above 0": f"{np.median(up) if len(up) else np.nan:.3g}",
            "95th percentile sent above 0": f"{np.quantile(up, 0.95) if len(up) else np.nan:.3g}",
            "mean gain in the last minute": f"{arm.gain[i, -TICKS_A_MINUTE:].mean():.4g}",
            "index for an odor unlike it": round(float(arm.other[i, -1]), 4),
            **{f"index at {minute + 1} min": round(float(index), 4) for minute, index in enumerate(arm.probed[i])},
        }


def write(table: list[dict[str, Any]]) -> None:
    """Write the table, with what made it in lines of comment before it."""
    from importlib.metadata import version

    made_by = {"larvaworld": version("larvaworld"), **versions()}
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {EXPERIMENT}, {LARVAE} larvae of {MODEL}, {MINUTES} min, seed of the host {SEED}, ")
        file.write("of the server 0, parameters balanced\n")
        file.write(f"# {', '.join(f'{name} {number}' for name, number in made_by.items())}\n")
        file.write(f"# index: preference index for {ODOR}, {PROBE['probe_ms']} ms, plasticity off; ")
        file.write(f"the odor unlike it is {OTHER}\n")
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def read() -> list[dict[str, str]]:
    """Return the rows of the table."""
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def column(table: list[dict[str, str]], arm: str, scale: float, name: str) -> NDArray[np.float64]:
    """Return one number of each larva of an arm."""
    wanted = (arm, f"{scale:g}")
    return np.array([float(row[name]) for row in table if (row["arm"], row["concentration_scale"]) == wanted])


def summary(table: list[dict[str, str]]) -> None:
    """Print the mean of each arm, with the 95 % interval over larvae of the index."""
    shown = [name for name in table[0] if name.startswith(("share", "median", "95th", "mean"))]
    for arm, scale in sorted({(row["arm"], float(row["concentration_scale"])) for row in table}):
        index, other = (column(table, arm, scale, name) for name in (LAST, "index for an odor unlike it"))
        low, high = interval(index)
        print(
            f"{arm:<17} {scale:>6g}  {index.mean():+.3f} [{low:+.3f}, {high:+.3f}], unlike {other.mean():+.3f}", end=""
        )
        print("".join(f"; {name} {column(table, arm, scale, name).mean():.3g}" for name in shown))


def draw(table: list[dict[str, str]]) -> None:
    """Draw what was learned at each scale, and how it came about over time."""
    figure = new_figure(11.5, 5.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1), sharey=True)
    for arm, words, shift, style in (
        ("reward", "stock client, each scale a run of its own", 0.88, {"color": BLUE, "marker": "o", "linestyle": ""}),
        ("same tracks", "what it sent at scale 1, sent again", 1.0, {"color": BLUE, "marker": "o", "mfc": "white"}),
        ("another's reward", "the same, with another larva's reward", 1.14,
         {"color": VERMILION, "marker": "s", "linestyle": "--", "mfc": "white"}),
        ("no reward", "stock client, always told there is no reward", 1.0, {"color": GRAY, "marker": "o"}),
    ):  # fmt: skip
        values = [column(table, arm, scale, LAST) for scale in SCALES]
        means = np.array([value.mean() for value in values])
        bars = np.abs(np.array([interval(value) for value in values]).T - means)
        left.errorbar(np.array(SCALES) * shift, means, yerr=bars, capsize=3, label=words, **style)
    unlike = [column(table, "same tracks", scale, "index for an odor unlike it").mean() for scale in SCALES]
    left.plot(SCALES, unlike, color=GREEN, marker="^", label="sent again, asked about an odor unlike it")
    alone = column(table, "reward alone", SCALES[0], LAST).mean()
    left.axhline(alone, color=GRAY, linestyle=":", label="sent again without odor: reward alone")
    left.axvline(RECOMMENDED, color="black", linewidth=8, alpha=0.07)
    left.set(xscale="log", xlabel="--concentration-scale", ylabel="preference index (mean, 95 % interval over larvae)")
    left.set_title("after ten minutes", loc="left", fontsize=11)
    left.set_xticks(SCALES, [f"{scale:,.0f}" for scale in SCALES])
    left.minorticks_off()
    left.text(RECOMMENDED, -0.035, "recommended", ha="center", fontsize=8.5)
    left.set_ylim(-0.05, 0.74)
    left.legend(loc="upper left", fontsize=8.5, frameon=False)

    minutes = np.arange(MINUTES + 1)
    for arm, scale, words, color in (
        ("same tracks", SCALES[0], "sent again, scale 1", GRAY),
        ("same tracks", RECOMMENDED, f"sent again, scale {RECOMMENDED:,.0f}", BLUE),
        ("our client", 1.0, "Kenyon's client (sensed concentration)", GREEN),
    ):
        larvae = np.array([column(table, arm, scale, f"index at {minute} min") for minute in minutes[1:]])
        larvae = np.vstack([np.zeros(larvae.shape[1]), larvae])
        right.plot(minutes, larvae, color=color, linewidth=0.6, alpha=0.3)
        right.plot(minutes, larvae.mean(axis=1), color=color, linewidth=2.5, label=words)
    right.set_xlabel("time, min")
    right.set_title("on the way (thin: each larva)", loc="left", fontsize=11)
    right.legend(loc="upper left", fontsize=8.5, frameon=False)
    for axes in (left, right):
        axes.axhline(0, color="black", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"What {LARVAE} larvae of an unmodified Larvaworld learn in {EXPERIMENT}",
        x=0.01, ha="left", fontsize=13, fontweight="bold",
    )  # fmt: skip
    save_figure(figure, FIGURE, overwrite=True)


def main() -> None:
    """Measure, or only draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", action="store_true", help="print and draw what is there")
    if not parser.parse_args().figure:
        # pygame, which the host imports, looks for a screen otherwise.
        os.environ["SDL_AUDIODRIVER"] = os.environ["SDL_VIDEODRIVER"] = "dummy"
        import larvaworld

        larvaworld.VERBOSE = 3  # Its progress is no result.
        table: list[dict[str, Any]] = []
        began = time.monotonic()
        for name, scale, arm in measure():
            table += rows(name, scale, arm)
            write(table)
            print(f"{time.monotonic() - began:5.0f} s  {name} {scale:g}: {arm.probed[:, -1].mean():+.3f}", flush=True)
    summary(read())
    draw(read())


if __name__ == "__main__":
    main()
