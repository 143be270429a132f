"""Messages of small runs: a real one of the circuit, and what other worlds would tell."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kenyon.conditioning import Experiment
from kenyon.live.circuit import CircuitSource
from kenyon.mushroom_body import DEFAULT, Population
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.seeds import larva_seeds

Message = dict[str, Any]

LARVAE = 4
SECOND_MS = 1000.0


@lru_cache(maxsize=1)
def learning() -> tuple[Message, ...]:
    """Return what four larvae tell of six seconds in a dish: circuits that live, on walks that are made up."""
    larvae = Population(DEFAULT, larva_seeds(seed=1, larvae=LARVAE))
    larvae.stimulate("pentyl acetate", reward=1.0)
    told: list[Message] = [begun()]
    for second in range(6):
        activity = larvae.advance(SECOND_MS)
        told += [_frame(second, activity.rates_hz()), _cells(second, larvae, activity.rates_hz())]
    return (*told, {"kind": "ended", "t_s": 5.0, "complete": True, "learned": {"CS": [0.4, 0.5, None, 0.6]}})


def begun(**other: Any) -> Message:
    """Return the beginning of a run in the dish, with some fields as given."""
    cells = [
        {"name": name, "long": name, "first": where.start, "count": where.stop - where.start}
        for name, where in GROUPS.items()
    ]
    place = {"x": -0.04, "y": 0.0, "amount": 2.0}
    sources = [
        {"id": "left", "kind": "odor", "stimulus": "CS", "radius_m": 0.003, **place},
        {"id": "grid", "kind": "food", "stimulus": None, "radius_m": None, **place},
    ]
    message: Message = {
        "kind": "begun", "version": 1, "world": "arena", "title": "four larvae", "run": {"seed": "17"},
        "larvae": [f"larva {number}" for number in range(LARVAE)], "groups": [""] * LARVAE, "spans": {},
        "stimuli": ["CS", "UCS"], "memory": "mushroom body",
        "colour": {"by": "gain", "stimulus": "CS", "low": -50, "high": 50},
        "arena": {"shape": "circular", "width_m": 0.1, "height_m": 0.1}, "sources": sources, "cells": cells,
        "no_cells": None, "timeline": [], "duration_s": 6.0, "dt_s": 0.1,
    }  # fmt: skip
    return message | other


def _frame(second: int, rates: Any) -> Message:
    """Return where larvae walk in circles, and what their circuits did."""
    turned = [0.3 * second + larva * math.tau / LARVAE for larva in range(LARVAE)]
    index = [float(p - n) for p, n in zip(rates["MBONp"], rates["MBONn"], strict=True)]
    return {
        "kind": "frame", "t_s": float(second), "x": [0.03 * math.cos(angle) for angle in turned],
        "y": [0.03 * math.sin(angle) for angle in turned], "heading": [angle + math.pi / 2 for angle in turned],
        "on_food": [1, 0, 1, 0], "gain": {"CS": index, "UCS": [0.0] * LARVAE}, "preference": None,
        "rates": {name: values.tolist() for name, values in rates.items()},
        "given": {"odors": {"CS": 1.0}, "reward": 1.0, "punishment": 0.0},
    }  # fmt: skip


def _cells(second: int, larvae: Population, rates: Any) -> Message:
    """Return what the cells of the first larva did; those of a Kenyon cell that fires are spread over the second."""
    fired = [int(cell) for cell in range(142) if cell % 3 == second % 3]
    return {
        "kind": "cells", "larva": 0, "from_s": second - 1.0, "t_s": float(second),
        "spikes": [[cell, *range(cell, 1000, 100)] for cell in fired],
        "rates": {name: float(values[0]) for name, values in rates.items()},
        "w_kc_mbonp_nS": larvae.state.w_kc_mbonp_nS[0].tolist(),
        "w_kc_mbonn_nS": larvae.state.w_kc_mbonn_nS[0].tolist(),
    }  # fmt: skip


def going_on(messages: tuple[Message, ...], frames: int) -> list[Message]:
    """Return a run of so many frames: its frames and cells again and again, each later than the last."""
    told = [message for message in messages if message["kind"] in ("frame", "cells")]
    lasts_s = told[-1]["t_s"] + 1.0
    longer = [messages[0] | {"duration_s": None}]
    times = -(-frames // sum(message["kind"] == "frame" for message in told))
    for number in range(times):
        later = number * lasts_s
        longer += [
            message | {key: message[key] + later for key in ("t_s", "from_s") if key in message} for message in told
        ]
    return longer


def with_table() -> list[Message]:
    """Return a run of Q-learners, which have no cells."""
    told = [message for message in learning() if message["kind"] == "frame"]
    first = begun(memory="Q-learning", cells=None, no_cells="Q-learners have a table, no cells.")
    table = {"kind": "table", "larva": 0, "t_s": 0.0, "states": ["CS rises", "CS falls"], "actions": ["-50", "0", "50"],
             "q": [[0.0, 0.1, 0.7], [0.2, 0.0, None]]}  # fmt: skip
    return [first, table, *[message | {"rates": None} for message in told]]


class _Tape:
    """Keeps what a run tells; somebody looks at the first larva."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.chosen = frozenset({0})

    def say(self, message: Mapping[str, Any]) -> None:
        """Keep one message."""
        self.messages.append(dict(message))


@lru_cache(maxsize=1)
def conditioning() -> tuple[Message, ...]:
    """Return what an experiment on the circuit tells, which has no dish: two groups of two larvae."""
    tape = _Tape()
    experiment = Experiment("paired: ?A, A+ 4s, ?A; alone: ?A, A 4s, ?A", larvae=2, seed=1)
    experiment.run([CircuitSource([experiment], tape)], show_progress=False)
    return tuple(tape.messages)


def on_a_server() -> list[Message]:
    """Return what a server tells: larvae come one after the other, and frames before know nothing of them."""
    first = begun(world="server", larvae=[], groups=[], arena=None, sources=[], stimuli=["CS"], duration_s=None)
    told: list[Message] = [first | {"no_cells": "The circuits live on the server.", "cells": None}]
    for number in range(5):
        told.append({"kind": "joined", "larvae": [f"<b>{number}</b>"], "groups": [""]})
        gain = [10.0 * place - 20.0 for place in range(number + 1)]
        told.append({"kind": "frame", "t_s": float(number), "gain": {"CS": gain}, "rates": None, "given": None})
    return told
