"""Generators that a user handed in, as JSON can say them."""

import random
from typing import Any

import numpy as np

from kenyon import checks

_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")

Rng = np.random.Generator | random.Random


def plain_rng(rng: Rng | None) -> dict[str, Any] | None:
    """Return the state of a generator as JSON can say it; None for none.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> rng_from_plain(plain_rng(rng)).random() == rng.random()
        True
    """
    if rng is None:
        return None
    if isinstance(rng, random.Random):
        return {"kind": "random.Random", "state": rng.getstate()}
    state = rng.bit_generator.state
    kind = checks.one_of("kind of generator", state["bit_generator"], _BIT_GENERATORS)
    return {"kind": kind, "state": _lists(state)}


def rng_from_plain(plain: dict[str, Any] | None) -> Rng | None:
    """Return a generator in the state that `plain_rng` gave.

    Raises:
        InputError: the kind of generator is unknown.
    """
    if plain is None:
        return None
    if plain["kind"] == "random.Random":
        version, words, gauss = plain["state"]
        chance = random.Random()  # noqa: S311  # no secret
        chance.setstate((version, tuple(words), gauss))
        return chance
    bits = getattr(np.random, checks.one_of("kind of generator", plain["kind"], _BIT_GENERATORS))()
    bits.state = plain["state"]
    return np.random.Generator(bits)


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(each) for key, each in value.items()}
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
