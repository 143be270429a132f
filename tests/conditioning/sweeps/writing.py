"""Processes that write into a store, race for it and are killed.

`python -m tests.conditioning.sweeps.writing WHAT FOLDER RESULT...` prints JSON. A program of its own, so that it can
fork: it has one thread.
"""

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import xarray

from kenyon.conditioning import load
from kenyon.conditioning.sweeps import Store
from tests.reserving import Child, killed_at

Kept = dict[str, xarray.Dataset]


def steps(folder: Path, results: list[Kept]) -> dict[str, Any]:
    """Kill a writer before each single act on the file system; look at what is there, and let the next one write."""
    faults, act, done = [], 0, False
    while not done:
        act += 1
        store = Store(folder / str(act))
        store.add(results[0])
        done = killed_at(act, partial(store.add, results[1]))
        found = Store(store.folder)
        faults += [[act, "lost"] for own in results[0] if own not in found.ids()]
        faults += [[act, "half"] for own in found.ids() if not found.get(own).identical((results[0] | results[1])[own])]
        found.add(results[1])
        faults += [[act, "refused"] for own in results[1] if own not in found.ids()]
    return {"faults": faults, "acts": act}


def kill(folder: Path, results: list[Kept], count: int = 8) -> dict[str, Any]:
    """Kill a writer again and again, at any moment: what it said was there is there."""
    chance, faults = Random(0), []
    for turn in range(count):
        store = Store(folder / str(turn))

        def work(child: Child, store: Store = store) -> None:
            for number, own in enumerate(results):
                store.add(own)
                child.say(str(number))

        child = Child(work)
        child.hear()
        time.sleep(chance.uniform(0.0, 0.02))
        os.kill(child.pid, signal.SIGKILL)
        said = int((child.end() or "0").split()[-1])
        everything = {run_id: result for own in results for run_id, result in own.items()}
        found = store.read(everything)
        faults += [[turn, "lost"] for own in results[: said + 1] for run_id in own if run_id not in found]
        faults += [[turn, "half"] for run_id, own in found.items() if not own.identical(everything[run_id])]
    return {"faults": faults}


def race(folder: Path, results: list[Kept], count: int = 8) -> dict[str, Any]:
    """Let two write the same part at once."""
    faults = []
    for turn in range(count):
        store = Store(folder / str(turn))

        def work(child: Child, store: Store = store) -> None:
            child.wait()
            store.add(results[0])
            child.say("done")

        both = [Child(work), Child(work)]
        for child in both:
            child.go_on()
        words = [child.end() for child in both]
        files = list(store.folder.iterdir())
        if words != ["done", "done"] or len(files) != 1 or store.ids() != set(results[0]):
            faults.append([turn, words, list(map(str, files))])
    return {"faults": faults}


if __name__ == "__main__":
    what, folder, *files = sys.argv[1:]
    kept = [{own.run_id.item(): own} for own in map(load, files)]
    print(json.dumps({"race": race, "kill": kill, "steps": steps}[what](Path(folder), kept)))
