"""Designs drawn at random, and texts of them damaged."""

import random
import string
from typing import Any

from kenyon.conditioning import Design, Group, Lived, Phase, Probe, Shuffle, Stage
from kenyon.mushroom_body import Odor
from kenyon.mushroom_body.odors import odors

OWN = Odor('my own: a "name"'.replace('"', "'"), {0.01: [0.1] * 21, 1.0: [2.0] * 21})
NAMES = [odor.name for odor in odors()]
LABELS = ["", "", "", "", "cue", "after an hour", "24h", "a|b; c: {d}", "été"]
MANIPULATIONS = [
    *("silence DANp", "silence KC[7]", "drive KC 20pA", "drive MBONn -5.5pA", "cut MBONn>DANp", "cut KC[7]>MBONp"),
    *("scale APL>KC 0.5", "scale PN>KC 1.25", "set kc.threshold_mV -34", "set weight_floor_nS none"),
]


def a_design(rng: random.Random) -> Design:
    """Return a design of whatever the data allows; small, with repeats."""
    return Design(
        [
            Group(name, [Stage(_items(rng), rng.choice(LABELS)) for _ in range(rng.randint(1, 3))])
            for name in rng.sample(["larvae", "trained", "control-2", "A", "my group", "été", "1st"], rng.randint(1, 3))
        ],
        rng.choice([None, {"A": "pentyl acetate"}, {"B": ("anisole", 0.1), "C": "anisole", "Z": OWN}]),
        (rng.choice(["reward", "punishment"]), rng.choice([1.0, 0.5, 1e-05])),
    )


def _items(rng: random.Random) -> list[Any]:
    items: list[Any] = []
    for _ in range(rng.randint(1, 4)):
        row: list[Any] = [_element(rng) for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.15:
            row = [Shuffle([rng.choice([row, _element(rng)]) for _ in range(rng.randint(1, 4))])]
        if rng.random() < 0.08:
            own = _given(rng)
            row += [Probe({name: 0.5}, 2.0, **own) for name in NAMES]
        items += row * rng.choice([1, 1, 1, 2, 3])
    return items


def _element(rng: random.Random) -> Any:
    smelled, given = _odors(rng), _given(rng)
    kind = rng.random()
    if kind < 0.6:
        return Phase(_duration(rng), smelled, **given)
    smelled = smelled or {"pentyl acetate": 1.0}
    if kind < 0.85:
        return Probe(smelled, rng.choice([3.0, 3.0, _duration(rng)]), **given)
    if rng.random() < 0.5:
        return Lived(smelled, 20.0 * rng.randint(1, 9), _odors(rng), **given)
    return Lived(smelled, _duration(rng), **given)


def _odors(rng: random.Random) -> dict[Any, float]:
    known = rng.sample(["pentyl acetate", "anisole", "4,5-dimethylthiazole", OWN], rng.choice([0, 1, 1, 1, 2]))
    return {odor: rng.choice([1.0, 1.0, 0.1, 1e-07, 12.5]) for odor in known}


def _given(rng: random.Random) -> dict[str, Any]:
    manipulated = rng.sample(MANIPULATIONS, rng.choice([0, 0, 0, 0, 1, 2]))
    if {"silence DANp", "silence KC[7]"} <= set(manipulated) or "drive KC 20pA" in manipulated:
        manipulated = manipulated[:1]
    return {
        "reward": rng.choice([0.0, 0.0, 1.0, 0.5]),
        "punishment": rng.choice([0.0, 0.0, 0.0, 0.5, 1.0]),
        "manipulations": manipulated,
        "label": rng.choice(LABELS),
    }


def _duration(rng: random.Random) -> float:
    return rng.choice([60.0, 60.0, 30.0, 0.5, 0.0001, 3600.0, 86400.0, 90.0, 600.0, 0.1 + 0.2, rng.uniform(0.001, 1e5)])


def damaged(text: str, rng: random.Random) -> str:
    """Return a text with one to three things wrong with it, or nothing."""
    signs = '()[]{}|;:,+-?@#"=x .0123456789sABCZ' + "été\n\t\x1b\0^%" + string.ascii_lowercase
    for _ in range(rng.randint(1, 3)):
        at, other = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        left, right = sorted((at, other))
        text = rng.choice(
            [
                text[:at] + text[at + 1 :],
                text[:at] + rng.choice(signs) + text[at:],
                text[:at] + rng.choice(signs) + text[at + 1 :],
                text[:left] + text[left : left + 4] + text[left:],
                text[:at],
                text[:left] + text[right:][:20] + text[left:right] + text[right:][20:],
                text[:at]
                + rng.choice(["e5", "60", " ", "  ", "live ", "?all", "1x(", "of", "mirror(A,B) of x"])
                + text[at:],
            ]
        )
    return text
