"""What a message asks for: from its kwargs to values that the rest of the server may trust.

Law of this file: a message goes in, and a request comes out or a `RefusedError` with its code. No larva, no state.
"""

import hmac
import json
import logging
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from functools import cache, lru_cache
from typing import Any, NamedTuple

from kenyon import checks
from kenyon.errors import InputError, RefusedError
from kenyon.mushroom_body import Odor, Parameters
from kenyon.mushroom_body.inputs import stimulus
from kenyon.mushroom_body.odors import find, odors
from kenyon.server.settings import Settings, limits
from kenyon.wire import Message
from kenyon.words import shown

_logger = logging.getLogger(__name__)


def name_of(odor: str | Odor) -> str:
    """Return what an odor is called in messages and rows.

    Raises:
        TypeError: it is none.
    """
    if isinstance(odor, (str, Odor)):
        return odor if isinstance(odor, str) else odor.name
    raise TypeError(f"{type(odor).__name__} is nothing that JSON can say")


# Made once: making one costs more than a small text.
_as_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=name_of).encode
_name_as_json = cache(_as_json)


class Step(NamedTuple):
    """One step of a larva: what its circuit shall live through.

    Attributes:
        step: Which one, from 0.
        odors: Concentration of each odor, a measured one by name or one of one's own; 1.0 is the dilution 1e-04, 0 or
            less none.
        duration_ms: How long it lasts.
        warmup_ms: Time without odor and reinforcement before step 0.
        reward: 0 to 1.
        punishment: 0 to 1.
        seed: Seed that the client gave, or None.
        probe: Odors to ask about afterward, each alone.
        probe_ms: For how long each.
        probe_concentration: How strong.
    """

    step: int
    odors: dict[str | Odor, float]
    duration_ms: float
    warmup_ms: float = 0.0
    reward: float = 0.0
    punishment: float = 0.0
    seed: int | None = None
    probe: tuple[str | Odor, ...] = ()
    probe_ms: float = 1000.0
    probe_concentration: float = 1.0

    def to_json(self) -> str:
        """Return it as text, to be kept; the seed and the probes only where there are any.

        Its numbers are Python's own and finite, so that Python's words for them are JSON's.
        """
        step, odors, duration_ms, warmup_ms, reward, punishment, *others = self
        mixture = ",".join([f"{_name_as_json(odor)}:{concentration!r}" for odor, concentration in odors.items()])
        text = f"[{step},{{{mixture}}},{duration_ms!r},{warmup_ms!r},{reward!r},{punishment!r}"
        return f"{text}]" if others == _NO_OTHERS else f"{text},{_as_json(others)[1:]}"

    def named(self) -> dict[str, Any]:
        """Return its values by name, odors by theirs, as JSON can say them."""
        odors = {name_of(odor): concentration for odor, concentration in self.odors.items()}
        return {**self._asdict(), "odors": odors, "probe": tuple(map(name_of, self.probe))}

    @classmethod
    def from_json(cls, text: str, own: Mapping[str, Odor] | None = None) -> "Step":
        """Return what `to_json` gave.

        Args:
            text: What it gave.
            own: The odors of one's own that it may name, by name.

        Raises:
            ValueError, TypeError, LookupError: it is something else.

        Example:
            >>> Step.from_json(Step(3, {"anisole": 1.0}, 100.0).to_json()).odors
            {'anisole': 1.0}
        """
        step = cls(*json.loads(text))
        known: Mapping[Any, Odor] = {} if own is None else own
        step = step._replace(
            odors={known.get(odor, odor): concentration for odor, concentration in step.odors.items()},
            probe=tuple(known.get(odor, odor) for odor in step.probe),
        )
        numbers = (*step.odors.values(), *step[2:6], step.probe_ms, step.probe_concentration)
        whole = [step.step] if step.seed is None else [step.step, step.seed]
        if not all(type(number) in (int, float) for number in numbers) or not all(type(own) is int for own in whole):
            raise ValueError(f"a step must be made of numbers, got {shown(text)}")
        return step


_NO_OTHERS = list(Step(0, {}, 0.0)[6:])


class Operation(NamedTuple):
    """Anything else that can be asked.

    Attributes:
        op: "ping", "export", "load", "delete" or "probe".
        step: For load, the step that the larva is to expect.
        snapshot: For load, what export gave.
        probe: For probe, the odors, as in `Step`.
        probe_ms: As in `Step`.
        probe_concentration: As in `Step`.
    """

    op: str
    step: int
    snapshot: str = ""
    probe: tuple[str | Odor, ...] = ()
    probe_ms: float = 1000.0
    probe_concentration: float = 1.0


Request = Step | Operation

_MOST_STEPS = 2**53
"""More than any larva lives, and safe to count on from."""

_LONGEST_NAME = 200

_LONGEST_MS = {name: limit.high for name, limit in limits()}["max_step_ms"]
"""Longest step of the server that takes the longest ones."""

_MOST_CONCENTRATION = 1e12
_MOST_SCALED = _MOST_CONCENTRATION * 1e9
"""As a step bears it: multiplied by the largest scale."""

_PROBE = ("probe", "probe_ms", "probe_concentration", "own_odors")
_STEP = (
    *("odor_id", "odor_concentration", "concentration_mmol", "concentration_change_mmol", "odors", "T", "warmup"),
    *("step_id", "reward", "punishment", "seed", *_PROBE),
)
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "step": _STEP,
    "ping": (),
    "export": (),
    "load": ("snapshot",),
    "delete": (),
    "probe": _PROBE,
}
_IGNORED = frozenset(("baseline_input_current", "concentration_max_mmol", "g_Ia", "max_rate", "min_rate"))
"""What `LocalOlfactor`, the client in Larvaworld's tutorial, tells the model of a receptor behind its own server."""

_KNOWN = {op: frozenset((*names, "op", "token")) for op, names in _FIELDS.items()}


def check_step(parameters: Parameters, step: Step) -> None:
    """Refuse a step that no server could have been asked for, whatever its limits: one that was kept, and changed.

    Raises:
        InputError: a value is out of range, or an odor is unknown.

    Example:
        >>> check_step(Settings().parameters, Step(0, {}, 1e9))
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: T must be a finite number from 0 to 1e+07 ms, got 1000000000.0
    """
    checks.integer("step", step.step, low=0, high=_MOST_STEPS)
    for name, value in (("T", step.duration_ms), ("warmup", step.warmup_ms), ("probe_ms", step.probe_ms)):
        parameters.steps(name, checks.number(name, value, low=0.0, high=_LONGEST_MS, unit="ms"))
        if value == 0 and name != "warmup":
            raise InputError(f"{name} must be above 0 ms, got 0")
    for odor, concentration in (*step.odors.items(), *((odor, step.probe_concentration) for odor in step.probe)):
        checks.number(f"concentration of {name_of(odor)}", concentration, low=-_MOST_SCALED, high=_MOST_SCALED)
        find(odor).at(concentration)
    _strength("reward", step.reward)
    _strength("punishment", step.punishment)
    if step.seed is not None:
        checks.integer("seed", step.seed, low=0, high=2**63 - 1)
    if len(set(step.probe)) < len(step.probe):
        raise InputError("probe must name each odor once")


class Reader:
    """Reads requests under the settings of a server.

    Args:
        settings: Its odors and own odors, parameters, limits, scale and token.

    Example:
        >>> reader = Reader(Settings())
        >>> reader.read(Message("run", 0, 0, {"odor_id": 0, "odor_concentration": 0.5, "T": 100})).odors
        {'pentyl acetate': 0.5}
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parameters = settings.parameters
        self._longest_ms = settings.limits.max_step_ms
        self._own = {odor.name: odor for odor in settings.own_odors}
        self._listed = [self._own.get(name, name) for name in settings.odors]
        self._most_odors = len(odors()) + len(self._own)
        self._found = lru_cache(maxsize=4096)(self._find)
        self._token = None if settings.token is None else settings.token.encode()
        self._has_said = False

    def read(self, message: Message) -> Request:
        """Return what a message asks for.

        Raises:
            RefusedError: it is not allowed to ask, or asks for what cannot be.
        """
        given = message.kwargs
        self._check_token(given.get("token"))
        if message.sim_id is None or message.model_id is None or message.step is None:
            raise RefusedError(
                "a request must name sim_id, model_id and step, got null; say which larva is meant", "message"
            )
        if message.step > _MOST_STEPS:
            raise RefusedError(f"step must be at most {_MOST_STEPS}, got {message.step}; begin anew at step 0", "field")
        op = given.get("op", "step")
        known = _KNOWN.get(op) if isinstance(op, str) else None
        if known is None:
            raise RefusedError(
                f"op must be one of {', '.join(_KNOWN)}, got {shown(op)}; leave it out for a step", "field"
            )
        if not given.keys() <= known and (strangers := given.keys() - known - self._ignored(op, given)):
            strange = min(strangers)
            raise RefusedError(
                f"a request of op {op} must have no field {shown(strange)}; {checks.nearest(strange, known)}", "field"
            )
        if "own_odors" in given:
            self._check_same(given["own_odors"])
        try:
            return self._step(message.step, given) if op == "step" else self._operation(op, message.step, given)
        except InputError as reason:
            raise RefusedError(str(reason), "field") from None

    def _check_same(self, ids: Any) -> None:
        """Refuse a client whose odors of its own are other ones than those of the same names here."""
        if not isinstance(ids, dict) or len(ids) > self._most_odors:
            raise RefusedError(f"own_odors must be ids of odors by name, got {shown(ids)}", "field")
        for name, asked in ids.items():
            own = self._own.get(name)
            if own is None or own.id != asked:
                here = "none" if own is None else own.id
                raise RefusedError(
                    f"own odor {shown(name)} must be one that this server has, {here}, got {shown(asked)}; start the "
                    "server with --odors-file and the same responses",
                    "odor",
                )

    def _ignored(self, op: str, given: Mapping[str, Any]) -> AbstractSet[str]:
        """Return the fields that are passed over, and say once that there are such."""
        ignored = given.keys() & _IGNORED if op == "step" else set()
        if ignored and not self._has_said:
            self._has_said = True
            _logger.info(
                "%s of Larvaworld's tutorial client are ignored: receptors are as they were measured (said once)",
                ", ".join(sorted(ignored)),
            )
        return ignored

    def _check_token(self, given: Any) -> None:
        if self._token is None:
            return
        try:
            said = given.encode() if isinstance(given, str) else b""
        except UnicodeEncodeError:
            said = b""
        if not hmac.compare_digest(said, self._token):
            got = "none" if given is None else "another"
            raise RefusedError(f"a request must bear this server's token, got {got}; pass token=", "token")

    def _step(self, step: int, given: Mapping[str, Any]) -> Step:
        if "T" not in given:
            raise InputError("T must be the ms to simulate, got none; pass such as T=100")
        duration_ms = self._duration("T", given["T"])
        if duration_ms == 0.0:
            raise InputError("T must be above 0 ms, got 0; a rate over no time is no number")
        if "step_id" in given and (given["step_id"] != step or isinstance(given["step_id"], bool)):
            raise InputError(f"step_id must be the step of the message, {step}, got {shown(given['step_id'])}")
        seed = given.get("seed")
        return Step(
            step,
            self._mixture(given),
            duration_ms,
            self._duration("warmup", given.get("warmup", 0)),
            _strength("reward", given.get("reward", 0)),
            _strength("punishment", given.get("punishment", 0)),
            None if seed is None else checks.integer("seed", seed, low=0, high=2**63 - 1),
            *self._probes(given),
        )

    def _operation(self, op: str, step: int, given: Mapping[str, Any]) -> Operation:
        if op == "load":
            text = checks.instance("snapshot", given.get("snapshot"), str, "pass what export gave")
            return Operation(op, step, text)
        if op == "probe":
            probes = self._probes(given)
            if not probes[0]:
                raise InputError("probe must name at least one odor, got none")
            return Operation(op, step, "", *probes)
        return Operation(op, step)

    def _probes(self, given: Mapping[str, Any]) -> tuple[tuple[str | Odor, ...], float, float]:
        asked = given.get("probe", ())
        if not asked:
            if asked not in ((), []):
                raise InputError(f"probe must be a list of odors, got {shown(asked)}")
            return (), 1000.0, 1.0
        if not isinstance(asked, list):
            raise InputError(f"probe must be a list of odors, got {shown(asked)}")
        self._check_few("probe", asked)
        asked = tuple(self._odor(odor) for odor in asked)
        if len(set(asked)) < len(asked):
            raise InputError(f"probe must name each odor once, got {', '.join(map(name_of, asked))}")
        duration_ms = self._duration("probe_ms", given.get("probe_ms", 1000.0))
        if duration_ms == 0.0:
            raise InputError("probe_ms must be above 0 ms, got 0; a rate over no time is no number")
        concentration = checks.number("probe_concentration", given.get("probe_concentration", 1.0), low=0.0, high=1e4)
        for odor in asked:
            self._check_own({odor: concentration})
        return asked, duration_ms, concentration

    def _mixture(self, given: Mapping[str, Any]) -> dict[str | Odor, float]:
        """Return the concentration of each odor; `concentration_mmol` counts where nothing else is said."""
        single = given.get("odor_concentration", given.get("concentration_mmol"))
        for name in ("concentration_mmol", "concentration_change_mmol"):
            if name in given:
                checks.number(name, given[name])
        if "odors" in given:
            if "odor_id" in given or single is not None:
                raise InputError("a step must have either odors or odor_id with its concentration, got both")
            asked = given["odors"]
            if not isinstance(asked, dict):
                raise InputError(f"odors must be concentrations by name, got {shown(asked)}; pass {{'anisole': 1.0}}")
            self._check_few("odors", asked)
            mixture: dict[str | Odor, float] = {}
            for odor, concentration in asked.items():
                known = self._odor(odor)
                name = known if isinstance(known, str) else known.name
                if known in mixture:
                    raise InputError(f"odors must name each odor once, got {shown(name)} twice")
                mixture[known] = self._concentration(f"concentration of {name}", concentration)
            return self._check_own(mixture)
        if "odor_id" not in given and single is None:
            return {}
        if "odor_id" not in given or single is None:
            missing = "odor_id" if "odor_id" not in given else "odor_concentration"
            raise InputError(f"odor_id and odor_concentration must come together, got no {missing}")
        odor_id = given["odor_id"]
        if isinstance(odor_id, bool) or not isinstance(odor_id, int):
            raise InputError(
                f"odor_id must be a whole number, got {shown(odor_id)}; it counts through the server's odors"
            )
        return self._check_own({self._odor(odor_id): self._concentration("odor_concentration", single)})

    def _concentration(self, name: str, value: Any) -> float:
        return (
            checks.number(name, value, low=-_MOST_CONCENTRATION, high=_MOST_CONCENTRATION)
            * self._settings.concentration_scale
        )

    def _odor(self, odor: Any) -> str | Odor:
        """Return the odor of a name, or of a place in the server's list: a measured one's name, or one of its own."""
        listed = self._listed
        if isinstance(odor, str) and len(odor) > _LONGEST_NAME:
            raise RefusedError(
                f"an odor must have a name of at most {_LONGEST_NAME} characters, got {len(odor)}", "odor"
            )
        if isinstance(odor, str) and not odor.isdecimal():
            if odor in listed:
                return odor
            known, refusal = self._found(odor)
            if known is None:
                raise RefusedError(refusal, "odor")
            return known
        if isinstance(odor, bool) or not isinstance(odor, (int, str)):
            raise InputError(f"an odor must be a name or a place in the server's list, got {shown(odor)}")
        place = int(odor)
        if not 0 <= place < len(listed):
            names = ", ".join(f"{i} {name_of(own)}" for i, own in enumerate(listed))
            raise RefusedError(f"odor_id must be a place in the server's list ({names}), got {shown(odor)}", "odor")
        return listed[place]

    def _find(self, odor: str) -> tuple[str | Odor | None, str]:
        """Return the odor of a name, or None and why there is none: looking for the nearest takes 0.1 ms."""
        if odor in self._own:
            return self._own[odor], ""
        try:
            return find(odor).name, ""
        except InputError:
            names = [*self._own, *(known.name for known in odors())]
            return None, f"unknown odor {shown(odor)}; {checks.nearest(odor, names)}"

    def _check_own(self, mixture: dict[str | Odor, float]) -> dict[str | Odor, float]:
        """Return a mixture; refuse one of the server's own odors where it cannot be smelled so, or is too strong."""
        if self._own and not all(isinstance(odor, str) for odor in mixture):
            stimulus(self._parameters, mixture)
        return mixture

    def _check_few(self, name: str, asked: Collection[Any]) -> None:
        """Refuse more odors than there are before each of them is looked at."""
        if len(asked) > self._most_odors:
            raise InputError(f"{name} must name each of {self._most_odors} odors at most once, got {len(asked)}")

    def _duration(self, name: str, value: Any) -> float:
        """Return a duration in ms, a whole number of time steps and no longer than allowed."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > self._longest_ms:
            raise RefusedError(
                f"{name} must be at most {self._longest_ms:g} ms, got {shown(value)}; cut it into several steps",
                "limit",
            )
        self._parameters.steps(name, value)
        return float(value)


def _strength(name: str, value: Any) -> float:
    if value is True or value is False:
        return float(value)
    return checks.number(name, value, low=0.0, high=1.0)
