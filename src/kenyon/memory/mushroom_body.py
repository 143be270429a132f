"""What the memories with a mushroom body share, in process or remote: which odor drives it, and how a gain is read.

In each step the circuit lives through one tick of its larva: it smells, is rewarded or punished, and learns. The gain
of a stimulus follows the difference between its two output neurons: G * (MBONp - MBONn), above the innate gain. It may
show only where the larva wins by it: approach where there is no reward yet, avoidance where there is punishment.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import param
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError, KenyonError
from kenyon.memory import sensing
from kenyon.memory.base import Gains, Levels, Memory, Plain, forgotten, wholly
from kenyon.memory.options import Choice, Identity, Number, Switch, Table, checked_identity
from kenyon.memory.overriding import as_written
from kenyon.mushroom_body.activity import preference_index
from kenyon.mushroom_body.odors import Odor, from_plain
from kenyon.whole import Change, at_once, update
from kenyon.words import shown

HOST_ODORS = {"Odor": "pentyl acetate", "CS": "pentyl acetate", "UCS": "4,5-dimethylthiazole"}
"""What the names that Larvaworld's own experiments use stand for where nothing else is said."""


class Request(NamedTuple):
    """What one circuit shall live through in one step.

    Attributes:
        concentrations: Of each stimulus; 1.0 is the dilution 1e-04, 0 or less is none.
        reward: Strength of reward, 0 to 1.
        punishment: Strength of punishment, 0 to 1.
        warmup_ms: Time without odor and reinforcement to live through before.
        probes: Stimuli to ask about afterward, each alone.
        levels: How strong each stimulus is, where the memory senses that itself.
        awaited: Whether its answer is looked at; if not, the circuit may live through it later.
    """

    concentrations: Mapping[str, float]
    reward: float
    punishment: float
    warmup_ms: float
    probes: tuple[str, ...]
    levels: Levels
    awaited: bool = True


class Answer(NamedTuple):
    """What a circuit did.

    Attributes:
        difference_hz: MBONp - MBONn, Hz, over the step.
        probes_hz: The same for each stimulus that was asked about.
    """

    difference_hz: float
    probes_hz: Mapping[str, float] = MappingProxyType({})


class Outcome(NamedTuple):
    """What came of a step.

    Attributes:
        answer: What the circuit did; None where the gains shall stay.
        after: Attributes of the memory that change with it.
        failure: To be raised when the others are done with; the step is not done then.
    """

    answer: Answer | None
    after: Mapping[str, Any] = MappingProxyType({})
    failure: KenyonError | None = None


Finish = Callable[[Sequence[Outcome], Sequence[Change]], None]
"""Takes over what came of a step, together with the changes of circuits, while nobody else may change these."""


@as_written
class MBmemory(Memory):
    """A memory with a mushroom body; `MushroomBodyMemory` has it in process, `RemoteBrianModelMemory` on a server.

    Attributes:
        step_id: Steps done.
    """

    mode = Choice(["MB"], readonly=True, doc="How it learns.")
    G = Number(0.001, low=-1e9, high=1e9, unit="gain per Hz", doc="Gain per difference between MBONp and MBONn.")
    innate_gain = Number(
        0.0,
        low=-1e9,
        high=1e9,
        allow_None=True,
        doc="Gain before learning, to which what is learned is added; None is the gain that each stimulus was given.",
    )
    readout = Choice(
        ["step", "probe"],
        doc="Where gains come from: the rates during the step, the same for every odor; or probes of each odor alone, "
        "with plasticity off, which tell odors apart that are in the air together.",
    )
    probe_ms = Number(1000.0, low=0.1, high=60_000.0, unit="ms", doc="Duration of a probe.")
    probe_every_s = Number(2.0, low=0.0, high=86_400.0, unit="s", doc="Time between two probes; 0 is every step.")
    probe_concentration = Number(1.0, low=0.0, high=1e4, doc="Concentration of a probed odor; 1 is the dilution 1e-04.")
    smoothing_s = Number(
        0.0, low=0.0, high=86_400.0, unit="s", doc="Decay time of a running mean over steps or probes."
    )
    odors = Table(
        {},
        doc="The odor that each stimulus of the host stands for, such as {'CS': '3-octanol'}: the name of a measured "
        "one, or an `Odor` of one's own.",
    )
    drive = Choice(
        ["auto", "concentration", "change"],
        doc="What drives the receptors: the sensed concentration, or the change dx; auto is the concentration where "
        "the brain has a sensor.",
    )
    concentration_scale = Number(
        1.0, low=0.0, high=1e9, doc="What the host's concentrations are multiplied by, to be in units of 1e-04."
    )
    reward_strength = Number(1.0, low=0.0, high=1.0, doc="Strength of reward at a reward of 1.")
    punishment_strength = Number(1.0, low=0.0, high=1.0, doc="Strength of punishment at a punishment of 1.")
    reinforcement = Choice(["reward", "punishment"], doc="What the host's `reward`, contact with food, means.")
    approaches_unless_rewarded = Switch(
        False,
        doc="Whether learned approach shows only as far as a reward is not there already: where MBONp is above MBONn, "
        "what that adds to the gain is multiplied by 1 - the strength of reward in the tick.",
    )
    avoids_only_if_punished = Switch(
        False,
        doc="Whether learned avoidance shows only as far as punishment is there: where MBONp is below MBONn, what that "
        "takes from the gain is multiplied by the strength of punishment in the tick.",
    )
    sim_id = Identity(
        None,
        allow_None=True,
        constant=True,
        doc="Id of the simulation, a text or a number; that of the brain's model if absent.",
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step_id = 0
        self._smoothed_hz: dict[str, float] = {}
        self._given_gain = dict(self.gain)
        self._recalled = False
        given: Any = self.sim_id
        if given is None:
            host_id: Any = getattr(getattr(getattr(self.brain, "agent", None), "model", None), "id", None)
            if host_id is not None:
                with param.edit_constant(self):
                    self.param.update(sim_id=checked_identity("id of the agent's model", host_id))
        self._read_options()
        self.param.watch(self._read_options, list(self.param))
        for stimulus in self.odors:
            self.odor_of(stimulus)

    def _read_options(self, *_: Any) -> None:
        """Keep all options as plain attributes, ten times faster to read, and forget what was made of them."""
        self._own = SimpleNamespace(**self.param.values())
        self._smelled: dict[str, Odor] = {}

    def _simulation(self) -> str | int | None:
        given: Any = self.sim_id
        return None if given is None else checked_identity("sim_id", given)

    @property
    def t_sim(self) -> float:
        """Duration of a step of the circuit, ms: the tick, rounded to the circuit's own step of 0.1 ms."""
        tenths: int = round(self._own.dt * 1e4)
        return tenths // 10 if tenths % 10 == 0 else tenths / 10

    def step(  # type: ignore[override]  # Larvaworld's class takes them in this order
        self,
        dx: Any = None,
        reward: float = False,
        t_warmup: float = 0,
        *,
        punishment: float = False,
    ) -> Gains:
        """Let the circuit live through one tick, and return the gains.

        Args:
            dx: The change of each stimulus since the tick before.
            reward: Whether the larva is rewarded, or how much, 0 to 1.
            t_warmup: ms without odor and reinforcement before the first step; later it means nothing.
            punishment: Whether it is punished, or how much, 0 to 1.

        Returns:
            The gain of each stimulus: `self.gain` itself.

        Raises:
            InputError: a value is not finite, out of range or of another type, or a stimulus stands for no known odor.
            NoAnswerError: no server answered a remote memory; RefusedError, RemoteProtocolError: it answered otherwise.
        """
        return _step_together([self], [dx], [reward], [punishment], t_warmup)[0]

    def probe(self, stimuli: Sequence[str] | None = None, probe_ms: float | None = None) -> dict[str, dict[str, float]]:
        """Return what the larva would answer to stimuli now, each alone; it learns nothing and stays as it is.

        Args:
            stimuli: Their names; those of its gains that are in its world if absent.
            probe_ms: For how long each, ms; the option `probe_ms` if absent.

        Returns:
            For each stimulus the rates `MBONp` and `MBONn`, Hz, and their `preference_index`, (p - n) / (p + n).

        Raises:
            InputError: a stimulus stands for no known odor, or the time is unusable.
            NoAnswerError: no server answered a remote memory; RefusedError, RemoteProtocolError: it answered otherwise.

        Example:
            >>> from kenyon.memory import MushroomBodyMemory
            >>> answers = MushroomBodyMemory(gain={"CS": 0.0}).probe(probe_ms=500)
            >>> answers["CS"]["preference_index"]  # of a naive larva
            0.0
        """
        if stimuli is None:
            stimuli = self.stimuli
        asked = [
            checks.instance("stimulus", stimulus, str, "name it by a text")
            for stimulus in checks.several("stimuli", stimuli)
        ]
        if not asked:
            return {}
        rates = self._probe(
            {stimulus: self.odor_of(stimulus) for stimulus in asked},
            checks.number(
                "probe_ms", self._own.probe_ms if probe_ms is None else probe_ms, low=0.1, high=60_000.0, unit="ms"
            ),
        )
        return {
            stimulus: {"MBONp": p, "MBONn": n, "preference_index": float(preference_index(p, n))}
            for stimulus, (p, n) in rates.items()
        }

    def measured_odor(self, stimulus: str) -> str:
        """Return the name of the odor that a stimulus stands for.

        Raises:
            InputError: none is known.

        Example:
            >>> from kenyon.memory import MushroomBodyMemory
            >>> MushroomBodyMemory(odors={"CS": "3-Octanol"}).measured_odor("CS")
            '3-octanol'
        """
        return self.odor_of(stimulus).name

    def odor_of(self, stimulus: str) -> Odor:
        """Return the odor that a stimulus stands for, a measured one or one of one's own.

        Raises:
            InputError: none is known; or larvae of a host would meet it at concentrations of which nothing is known.

        Example:
            >>> from kenyon.memory import MushroomBodyMemory
            >>> mine = Odor("mine", {0.1: [0.5] * 21, 1.0: [2.0] * 21})
            >>> MushroomBodyMemory(odors={"CS": mine}).odor_of("CS") is mine
            True
        """
        if not isinstance(stimulus, str):
            raise InputError(f"stimulus must be a text, got {shown(stimulus)}; name it, such as 'Odor'")
        known = self._smelled.get(stimulus)
        if known is None:
            known = _find(stimulus, self.odors.get(stimulus, HOST_ODORS.get(stimulus, stimulus)))
            if self.brain is not None and len(known.concentrations) == 1:
                raise InputError(
                    f"stimulus {shown(stimulus)} must stand for an odor measured at several concentrations, for a "
                    f"larva meets all, got {known.name} at {known.concentrations[0]:g} alone; give more"
                )
            self._smelled[stimulus] = known
        return known

    def measured_mixture(self, concentrations: Mapping[str, float]) -> dict[str, float]:
        """Return concentrations by name of the odor; those of stimuli that stand for the same odor add.

        Raises:
            InputError: a stimulus stands for no known odor, or a concentration is no finite number.

        Example:
            >>> from kenyon.memory import MushroomBodyMemory
            >>> MushroomBodyMemory().measured_mixture({"Odor": 0.5, "CS": 0.25, "UCS": 1.0})
            {'pentyl acetate': 0.75, '4,5-dimethylthiazole': 1.0}
        """
        mixture = self._mixture(concentrations)
        by_name = {odor.name: there for odor, there in mixture.items()}
        if len(by_name) < len(mixture):
            raise InputError(
                f"odors of one's own must have a name each, got {', '.join(odor.name for odor in mixture)}"
            )
        return by_name

    def _mixture(self, concentrations: Mapping[str, float]) -> dict[Odor, float]:
        checks.instance("concentrations", concentrations, dict, "pass the concentration of each stimulus")
        mixture: dict[Odor, float] = {}
        for stimulus, concentration in concentrations.items():
            odor = self.odor_of(stimulus)
            there = checks.number(f"concentration of {stimulus}", concentration)
            mixture[odor] = mixture.get(odor, 0.0) + max(there, 0.0)
        return mixture

    @classmethod
    @abstractmethod
    def _live_through(cls, memories: Sequence[Any], requests: Sequence[Request], finish: Finish) -> None:
        """Let the circuits of memories of this class live through a step, and finish it with what came of it.

        Nothing is changed before: neither a memory nor a circuit that lives here.
        """
        raise NotImplementedError

    @abstractmethod
    def _probe(self, odors: Mapping[str, Odor], probe_ms: float) -> dict[str, tuple[float, float]]:
        """Return the rates of MBONp and MBONn, Hz, by stimulus, each of whose odors is smelled alone."""
        raise NotImplementedError

    def _plain(self) -> Plain:
        header, arrays = super()._plain()
        own = {"step_id": self.step_id, "smoothed_hz": self._smoothed_hz, "given_gain": self._given_gain}
        return {**header, **own}, arrays

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Change]:
        step_id = checks.integer("step_id", header["step_id"], low=0, high=2**62)
        smoothed_hz = dict(sensing.checked_change(header["smoothed_hz"]))
        given_gain = {**sensing.checked_change(header["given_gain"]), **self._given_gain}
        own = {"step_id": step_id, "_smoothed_hz": smoothed_hz, "_given_gain": given_gain, "_recalled": False}
        return [*super()._from_plain(header, arrays), update(self.__dict__, own)]

    def _request(self, dx: Any, reward: Any, punishment: Any, t_warmup: Any) -> Request:
        """Return what the circuit shall live through; refuse what cannot be."""
        reward, punishment = self._reinforced(reward, punishment)
        warmup_ms = checks.number("t_warmup", t_warmup, low=0.0, high=1e7, unit="ms")
        change, sensed = self._perceive(dx)
        levels = sensing.levels(self.brain, self._own.modality) if self.brain is not None else None
        if self._own.drive == "concentration" and levels is None:
            raise InputError("drive must be 'change' where the brain has no sensor, got 'concentration'")
        given = change if self._own.drive == "change" or levels is None else levels
        concentrations = {
            stimulus: checks.number(f"concentration of {stimulus!r}", given.get(stimulus, 0.0))
            * self._own.concentration_scale
            for stimulus in self._stimuli(self.gain, change, given)
        }
        probing = self._own.readout == "probe" and self.step_id % self._steps_per_probe() == 0
        probes = tuple(concentrations) if probing else ()
        return Request(
            concentrations,
            reward,
            punishment,
            warmup_ms if self.step_id == 0 else 0.0,
            probes,
            sensed,
            self._own.readout == "step" or bool(probes),
        )

    def _reinforced(self, reward: Any, punishment: Any) -> tuple[float, float]:
        """Return the strengths of reward and punishment that the larva meets."""
        reward, punishment = self._strength("reward", self._on_food(reward)), self._strength("punishment", punishment)
        if self._own.reinforcement == "punishment":
            reward, punishment = 0.0, max(reward, punishment)
        return reward * self._own.reward_strength, punishment * self._own.punishment_strength

    def _strength(self, name: str, value: Any) -> float:
        if isinstance(value, (bool, np.bool_)):
            return int(value)
        self._refuse_swapped(name, value)
        return checks.number(name, value, low=0.0, high=1.0)

    def _finished(self, request: Request, outcome: Outcome) -> list[Change]:
        """Return the changes that take over what came of a step: gains, clock and reward."""
        if outcome.failure is not None:
            return self._changed(outcome.after, {})
        answer, smoothed_hz = outcome.answer, self._smoothed_hz
        if answer is not None:
            by_step = self._own.readout == "step"
            elapsed_s = self._own.dt if by_step else self._own.dt * self._steps_per_probe()
            read = dict.fromkeys(request.concentrations, answer.difference_hz) if by_step else answer.probes_hz
            followed = {s: self._follow(s, read[s], elapsed_s) for s in request.concentrations if s in read}
            smoothed_hz = {**smoothed_hz, **followed}
        # In every tick, for a sensor of the host sets the gain of a stimulus that it meets for the first time to 0.
        gains = self._gains(request.concentrations, smoothed_hz, request.reward, request.punishment)
        after = {**outcome.after, "_smoothed_hz": smoothed_hz, "_levels_before": request.levels}
        return self._changed({**after, "rewardSum": self.rewardSum + request.reward - 0.01}, gains, ticks=1)

    def _changed(self, after: Mapping[str, Any], gains: Mapping[str, float], ticks: int = 0) -> list[Change]:
        """Return the changes after which attributes and gains are others and the clock has moved.

        What the class of the memory, or that of its gains, does by methods of its own is done right away instead: what
        was before comes back if the step is not completed.
        """
        ticks = ticks if self.active else 0
        if self._calls:
            for name, value in after.items():
                setattr(self, name, value)
            for stimulus, gain in gains.items():
                self.gain[stimulus] = gain
            if ticks:
                self.count_time()
            return [forgotten(self)]
        clock = {"ticks": self.ticks + ticks, "total_ticks": self.total_ticks + ticks}
        return [update(self.__dict__, {**after, **clock}), update(self.gain, gains)]

    def _follow(self, stimulus: str, difference_hz: float, elapsed_s: float) -> float:
        """Return what is read of a stimulus, smoothed."""
        before = self._smoothed_hz.get(stimulus)
        if before is not None and self._own.smoothing_s > 0.0:
            return before + (difference_hz - before) * -math.expm1(-elapsed_s / self._own.smoothing_s)
        return difference_hz

    def _gains(
        self, stimuli: Iterable[str], smoothed_hz: Mapping[str, float], reward: float, punishment: float
    ) -> dict[str, float]:
        """Return the gain of each stimulus by what was last read; one that was never asked about has the innate one."""
        scale = self.G if "G" in self._overridden else self._own.G
        gains = {}
        for stimulus in stimuli:
            if stimulus in smoothed_hz:
                shown_hz = self._that_shows(smoothed_hz[stimulus], reward, punishment)
                gains[stimulus] = self._innate(stimulus) + scale * shown_hz
            elif stimulus not in self.gain:
                gains[stimulus] = self._innate(stimulus)
        return gains

    def _that_shows(self, difference_hz: float, reward: float, punishment: float) -> float:
        """Return how much of a learned difference shows, by what the larva would win by it (Gerber & Hendel 2006)."""
        if difference_hz > 0.0 and self._own.approaches_unless_rewarded:
            return difference_hz * (1.0 - reward)
        if difference_hz < 0.0 and self._own.avoids_only_if_punished:
            return difference_hz * punishment
        return difference_hz

    def _innate(self, stimulus: str) -> float:
        innate: float | None = self._own.innate_gain
        return self._given_gain.get(stimulus, 0.0) if innate is None else innate

    def _recall(self, dx: Any, reward: Any, punishment: Any) -> tuple[dict[str, Any], dict[str, float]]:
        """Return the attributes and gains of a frozen memory after a step.

        Its circuit stands still; the first time, it is asked what it has learned.
        """
        smoothed_hz, dx = self._smoothed_hz, sensing.checked_change(dx)
        met = self._reinforced(reward, punishment)
        if self._own.readout == "probe" and not self._recalled:
            answers = self.probe(self._stimuli(self.gain, dx))
            smoothed_hz = {**smoothed_hz, **{s: answer["MBONp"] - answer["MBONn"] for s, answer in answers.items()}}
        return {"_smoothed_hz": smoothed_hz, "_recalled": True}, self._gains(smoothed_hz, smoothed_hz, *met)

    def _steps_per_probe(self) -> int:
        steps: int = round(self._own.probe_every_s / self._own.dt)
        return max(1, steps)


def step_together(
    memories: Sequence[MBmemory],
    dx: Sequence[Any],
    reward: Sequence[float],
    punishment: Sequence[float] | None = None,
    *,
    t_warmup: float = 0,
) -> list[Gains]:
    """Step many memories with a mushroom body as one batch: the numbers are those of one by one.

    Args:
        memories: All of one class; circuits in process are advanced on all cores, remote ones asked in one message.
        dx: For each, the change of its stimuli.
        reward: For each, whether it is rewarded, or how much.
        punishment: For each, whether it is punished, or how much; none is if absent.
        t_warmup: ms without odor and reinforcement before a first step.

    Returns:
        The gains of each.

    Raises:
        InputError: the numbers of entries differ, a memory comes twice or is of another class, or as for `step`.

    Example:
        >>> from kenyon.memory import MushroomBodyMemory
        >>> larvae = [MushroomBodyMemory(model_id=i, gain={"Odor": 0.0}) for i in range(3)]
        >>> gains = step_together(larvae, [{"Odor": 1.0}] * 3, [True] * 3)
        >>> len(gains)
        3
    """
    memories = checks.several("memories", memories)
    dx, reward = checks.several("dx", dx), checks.several("reward", reward)
    punishment = [False] * len(memories) if punishment is None else checks.several("punishment", punishment)
    if not memories:
        return []
    if not len(dx) == len(reward) == len(punishment) == len(memories):
        raise InputError(
            f"dx, reward and punishment must have one entry for each of {len(memories)} memories, "
            f"got {len(dx)}, {len(reward)} and {len(punishment)}"
        )
    kind = type(memories[0])
    if (
        not issubclass(kind, MBmemory)
        or any(type(memory) is not kind for memory in memories)
        or len({id(memory) for memory in memories}) < len(memories)
    ):
        words = ", ".join(type(memory).__name__ for memory in memories[:5])
        raise InputError(f"memories must be different ones of one class with a mushroom body, got {words}")
    if any("step" in memory._overridden for memory in memories):
        given = zip(memories, dx, reward, punishment, strict=True)
        # A class of one's own need not know of punishment, as that of the host does not.
        return [m.step(d, r, t_warmup, **({} if p is False else {"punishment": p})) for m, d, r, p in given]
    return _step_together(memories, dx, reward, punishment, t_warmup)


def _step_together(
    memories: Sequence[MBmemory], dx: Sequence[Any], reward: Sequence[Any], punishment: Sequence[Any], t_warmup: Any
) -> list[Gains]:
    """Step memories: all of them, or none."""
    failures: list[KenyonError] = []

    def step() -> None:
        given = list(zip(memories, dx, reward, punishment, strict=True))
        requests = {m: m._request(d, r, p, t_warmup) for m, d, r, p in given if not m._own.frozen}
        recalled = {m: m._recall(d, r, p) for m, d, r, p in given if m._own.frozen}

        def finish(outcomes: Sequence[Outcome], changes: Sequence[Change]) -> None:
            own = [m._finished(r, outcome) for (m, r), outcome in zip(requests.items(), outcomes, strict=True)]
            own += [m._changed(*after, ticks=1) for m, after in recalled.items()]
            failures.extend(outcome.failure for outcome in outcomes if outcome.failure is not None)
            at_once([*changes, *chain(*own)])

        if requests:
            type(memories[0])._live_through(list(requests), list(requests.values()), finish)
        else:
            finish([], [])

    wholly([memory for memory in memories if memory._calls], step)
    for failure in failures:
        raise failure
    return [memory.gain for memory in memories]


def _find(stimulus: Any, odor: Any) -> Odor:
    checks.instance("stimulus", stimulus, str, "name it by a text, such as 'Odor'")
    if not isinstance(odor, (str, Odor, Mapping)):
        raise InputError(
            f"odors[{shown(stimulus)}] must be an odor, got {shown(odor)}; name one, such as 'pentyl acetate', or pass "
            "an Odor"
        )
    try:
        return from_plain(odor)
    except InputError as reason:
        raise InputError(
            f"stimulus {shown(stimulus)} must stand for a measured odor or one of one's own: {reason}; "
            f"say which, such as odors={{{shown(stimulus)}: 'pentyl acetate'}}"
        ) from None
