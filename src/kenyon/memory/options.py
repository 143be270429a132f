"""Options of the memory classes: `param` types that refuse what is out of range in Kenyon's words.

param's own types let nan pass, and never look into a list. An inspector shows these like the types they derive from.
"""

import math
from typing import Any

import numpy as np
import param

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import Odor, plain
from kenyon.mushroom_body.wiring import check_pn_to_kc
from kenyon.seeds import checked_seed
from kenyon.words import shown


class Number(param.Number):
    """A finite number within bounds; its unit and bounds are added to its doc.

    Example:
        >>> class Leaky(param.Parameterized):
        ...     tau = Number(1.0, low=0.0, high=10.0, unit="s", doc="Decay time.")
        >>> Leaky(tau=20)
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: tau must be a finite number from 0 to 10 s, got 20
    """

    __slots__ = ["unit"]
    _slot_defaults = {**param.Number._slot_defaults, "unit": ""}  # noqa: RUF012  # how param declares slots

    def __init__(self, default: Any, *, low: float, high: float, doc: str, unit: str = "", **more: Any) -> None:
        self.unit = unit
        super().__init__(default=default, bounds=(low, high), doc=_with_range(doc, low, high, unit), **more)

    def _validate(self, value: Any) -> None:
        if value is None and self.allow_None:
            return
        low, high = self.bounds
        checks.number(self.name or "default", value, low=low, high=high, unit=self.unit)


class Integer(param.Integer):
    """A whole number within bounds."""

    def __init__(self, default: Any, *, low: int, high: int | None = None, doc: str, **more: Any) -> None:
        super().__init__(default=default, bounds=(low, high), doc=_with_range(doc, low, high, ""), **more)

    def _validate(self, value: Any) -> None:
        if value is None and self.allow_None:
            return
        low, high = self.bounds
        checks.integer(self.name or "default", value, low=low, high=high)


class Seed(Integer):
    """A seed: a whole number of at most 256 bits."""

    def _validate(self, value: Any) -> None:
        if value is not None or not self.allow_None:
            checked_seed(self.name or "default", value)


class Switch(param.Boolean):
    """True or False."""

    def _validate(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise InputError(f"{self.name or 'default'} must be True or False, got {shown(value)}")


class Choice(param.Selector):
    """One of a few words."""

    def __init__(self, words: list[str], *, doc: str, **more: Any) -> None:
        more.setdefault("default", words[0])
        super().__init__(objects=words, doc=f"{doc} One of {', '.join(words)}.", **more)

    def _validate(self, value: Any) -> None:
        if value is None and self.allow_None:
            return
        checks.one_of(self.name or "default", value, list(self.objects))


class Numbers(param.List):
    """A list of one or more finite numbers."""

    def _validate(self, value: Any) -> None:
        name = self.name or "default"
        if not isinstance(value, list) or not value:
            raise InputError(f"{name} must be a list of at least one number, got {shown(value)}")
        for number in value:
            checks.number(f"each of {name}", number)


class Table(param.Dict):
    """A dictionary with texts as keys."""

    def _validate(self, value: Any) -> None:
        name = self.name or "default"
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise InputError(f"{name} must be a dictionary with texts as keys, got {shown(value)}")


class Wiring(param.Parameter):
    """PN to KC wiring of one larva, [K, P] of 0 and 1, or None for one that is drawn."""

    def _validate(self, value: Any) -> None:
        if value is not None:
            check_pn_to_kc(value, 1)


class Identity(param.Parameter):
    """A text of at most 200 characters or a whole number within 64 bits, or None for absent."""

    def _validate(self, value: Any) -> None:
        if value is not None:
            checked_identity(self.name or "default", value)


class Secret(param.String):
    """A text that no message shows, or None."""

    def _validate(self, value: Any) -> None:
        if not (isinstance(value, str) or (value is None and self.allow_None)):
            raise InputError(f"{self.name or 'default'} must be a text, got a {type(value).__name__}")


class Text(param.String):
    """A text, or None where that is allowed."""

    def _validate(self, value: Any) -> None:
        if not (isinstance(value, str) or (value is None and self.allow_None)):
            raise InputError(f"{self.name or 'default'} must be a text, got {shown(value)}")


def checked_identity(name: str, value: Any) -> str | int:
    """Return what names a larva or a simulation, as every message carries it.

    Raises:
        InputError: it is no text of 1 to 200 characters and no whole number within 64 bits.

    Example:
        >>> checked_identity("model_id", "Larva_3")
        'Larva_3'
    """
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(f"{name} must be a text that can be written, got {shown(value)}") from None
        if 1 <= len(value) <= 200:
            return value
        raise InputError(f"{name} must be of 1 to 200 characters, got {len(value)}")
    try:
        return checks.integer(name, value, low=-(2**63), high=2**63 - 1)
    except InputError:
        raise InputError(f"{name} must be a text or a whole number within 64 bits, got {shown(value)}") from None


def plain_value(value: Any) -> Any:
    """Return a value of an option as JSON can say it, and as the option takes it again.

    Example:
        >>> plain_value({"CS": "anisole"})
        {'CS': 'anisole'}
    """
    if isinstance(value, Odor):
        return plain(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain_value(own) for name, own in value.items()}
    return value


def _with_range(doc: str, low: float, high: float | None, unit: str) -> str:
    unit = f" {unit}" if unit else ""
    if high is None or math.isinf(high):
        return f"{doc} At least {low:g}{unit}."
    return f"{doc} From {low:g} to {high:g}{unit}."
