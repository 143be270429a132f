"""Random sets of constants with learning rules, singly and together, strong enough to reach every corner of them."""

from itertools import chain, combinations

import numpy as np

from kenyon.mushroom_body import BALANCED, LARVAL, Parameters

RULES = ("graded eligibility", "recovery", "potentiation")
COMBINED = tuple(chain.from_iterable(combinations(RULES, n) for n in (3, 1, 2)))
"""All together, each alone, each two."""

LARVAE = 8
"""Of each set: 56 protocols."""


def random_set(number: int) -> Parameters:
    """Draw a set of constants that has some of the rules; every third has no floor, and learns slowly instead."""
    rng = np.random.default_rng(number)
    rules, floorless = COMBINED[number % len(COMBINED)], number % 3 == 2

    def size(low: float, high: float) -> float:
        return float(10.0 ** rng.uniform(np.log10(low), np.log10(high)))

    changes: dict[str, float | None] = {
        "learning_rate_nS": size(0.005, 0.02) if floorless else size(0.1, 2.0),
        "weight_floor_nS": None if floorless else float(rng.choice([0.0, 12.0, rng.uniform(20, 75)])),
        "homeostasis": float(rng.choice([0.0, size(1e-5, 1e-3)], p=[0.3, 0.7])),
        "eligibility_tau_ms": size(1e3, 2e4),
        "eligibility_step": size(0.005, 0.9) if "graded eligibility" in rules else 1.0,
        "recovery": size(1e-4, 1e-2) if "recovery" in rules else 0.0,
        "potentiation": size(3e-3, 0.5) if "potentiation" in rules else 0.0,
        "potentiation_tau_ms": size(500, 3e4),
        "potentiation_closing_ms": size(10, 3e3),
        "weight_ceiling_nS": float(rng.choice([155.0, 160.0, rng.uniform(160, 250)])),
    }
    return (LARVAL if number % 2 == 0 else BALANCED).replace(changes)
