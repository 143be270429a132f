"""Puts Kenyon's memories behind Larvaworld's modes RL and MB, and takes them away again.

Only what is in memory is changed: the two tables in which the host looks its classes up, the way by which it builds
larvae, so that they begin with what they have learned, and the two by which it sends work to other processes, so that
those register too. Nothing is written into the installation, and a larva whose
model has no memory never comes here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from kenyon import checks
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import beginning, children, host, memory_files
from kenyon.larvaworld_plugin.beginning import Beginning
from kenyon.larvaworld_plugin.memories import GAINS, Options, classes
from kenyon.larvaworld_plugin.plan import by_name
from kenyon.memory.options import plain_value
from kenyon.words import shown

AnyRegistration = TypeVar("AnyRegistration", bound="Registration")


@dataclass(frozen=True)
class Settings:
    """What was registered, as JSON can say it, so that other processes can do the same; checked when it is made.

    Attributes:
        remote: Whether the mushroom body lives on a server.
        gain: How MBONp - MBONn becomes a gain, "calibrated" or "published".
        touch_odors: For a mushroom body for touch, the odor that each touch sensor stands for.
        options: Defaults of further options of the memories, by mode, such as {"MB": {"probe_ms": 500.0}}.
        other_versions: What to do about a version of Larvaworld that Kenyon does not know, "refuse" or "warn".
        memories: Path of the file of memories that larvae begin with, or of one for each of some groups.
        frozen: Whether larvae follow what was learned, and learn no more.
    """

    remote: bool = False
    gain: str = "calibrated"
    touch_odors: Mapping[str, Any] | None = None
    options: Options = field(default_factory=dict)
    other_versions: str = "refuse"
    memories: str | Mapping[str, str] | None = None
    frozen: bool = False

    def __post_init__(self) -> None:
        """Check what needs no host."""
        checks.boolean("remote", self.remote)
        checks.boolean("frozen", self.frozen)
        checks.one_of("gain", self.gain, list(GAINS))
        checks.one_of("other_versions", self.other_versions, host.OTHER_VERSIONS)
        if self.touch_odors is not None:
            object.__setattr__(self, "touch_odors", plain_value(by_name("touch_odors", self.touch_odors)))
        object.__setattr__(self, "options", plain_value(by_name("options", self.options)))
        object.__setattr__(self, "memories", _files(self.memories))

    @property
    def begins_with(self) -> Beginning:
        """What the larvae of any run begin with."""
        named = self.memories
        if isinstance(named, Mapping):
            return Beginning({group: Path(file) for group, file in named.items()}, self.frozen)
        return Beginning(None if named is None else Path(named), self.frozen)


def _files(memories: Any) -> str | dict[str, str] | None:
    """Return where files of memories are, so that other processes find them, too.

    Raises:
        InputError, FileFormatError: there is none, or it holds no memories.
    """
    if memories is None:
        return None
    if not isinstance(memories, Mapping):
        return str(memory_files.there("memories", memories).absolute())
    if not memories:
        raise InputError("memories must be for at least one group, got {}; pass {'group': 'memories.npz'}, or None")
    named = by_name("memories", memories)
    return {
        group: str(memory_files.there(f"memories of group {shown(group)}", file).absolute())
        for group, file in named.items()
    }


class Registration:
    """Kenyon's memories in Larvaworld, until `undo`; in a `with` statement until its end.

    Args:
        settings: What was registered.
        undoing: What takes it back.

    Attributes:
        settings: As given.
    """

    def __init__(self, settings: Settings, undoing: Sequence[Callable[[], None]]) -> None:
        self.settings = settings
        self._undoing = list(undoing)

    def undo(self) -> None:
        """Give the host its own classes back; what has been built stays as it is."""
        global _current  # noqa: PLW0603  # there is one
        while self._undoing:
            self._undoing.pop()()
        if _current is self:
            _current = None

    def __enter__(self: AnyRegistration) -> AnyRegistration:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo it."""
        self.undo()


_current: Registration | None = None


def register(
    *,
    remote: bool = False,
    gain: str = "calibrated",
    touch_odors: Mapping[str, Any] | None = None,
    options: Options | None = None,
    other_versions: str = "refuse",
    memories: str | Path | Mapping[str, str | Path] | None = None,
    frozen: bool = False,
) -> Registration:
    """Put Kenyon's memories behind Larvaworld's modes RL and MB; in place of what was registered before.

    From then on every larva whose model has a memory is built with one of Kenyon's, in this process and in those to
    which a parallel batch run or a run in a process of its own sends work. A model's own options go before defaults.

    Args:
        remote: Let mushroom bodies live on a server (`kenyon serve`) instead of in process.
        gain: How MBONp - MBONn becomes a gain: "calibrated", as measured in the host, or "published", 0.001 per Hz.
        touch_odors: The measured odor that each touch sensor stands for, without which there is no mushroom body for
            touch.
        options: Other defaults for options of the memories, by mode, such as {"MB": {"probe_ms": 500.0}}.
        other_versions: What to do about a version of Larvaworld other than 2.4.0 and 2.5.1: "refuse" or "warn".
        memories: A file that `save_memories`, `checkpoint.save` or `kenyon larvaworld run` wrote: in every run that
            begins from now on, the i-th larva with a memory begins with what the i-th memory there has learned. Or a
            file for each of some groups, by the group's name; the others begin naive. A file of another model, of other
            odors or of another number of larvae is refused before the run's first tick.
        frozen: Let larvae follow what was learned, and learn no more, whatever their models say.

    Returns:
        The registration: `undo()` takes it back, and so does the end of a `with` statement.

    Raises:
        MissingDependencyError: Larvaworld is not installed.
        MismatchError: it is of another version.
        InputError, FileFormatError: an option is unknown or out of range, or there is no such file of memories. Nothing
            is changed after any of these.

    Example:
        >>> from kenyon.errors import InputError
        >>> try:
        ...     register(gain="louder")
        ... except InputError as refusal:
        ...     print(refusal)
        unknown gain 'louder'; known are calibrated, published
    """
    own: Options = {} if options is None else options
    settings = Settings(remote, gain, touch_odors, own, other_versions, memories, frozen)  # type: ignore[arg-type]  # it looks
    return _begin(settings)


def registered() -> Settings | None:
    """Return what is registered at present; None where the host has its own classes."""
    return None if _current is None else _current.settings


def beginning_of(run: Any) -> Beginning:
    """Return what the larvae of a run begin with: what was given to the run itself, or what is registered."""
    usual = Beginning() if _current is None else _current.settings.begins_with
    return getattr(run, "begins_with", usual)


def unregister() -> None:
    """Give the host its own classes back, if it has ours."""
    if _current is not None:
        _current.undo()


def entered(plain: Mapping[str, Any]) -> Registration:
    """Register what another process had registered, given as plain data."""
    return _begin(Settings(**plain))


def _begin(settings: Settings) -> Registration:
    global _current  # noqa: PLW0603  # there is one
    # Whatever can be refused is refused before anything is changed.
    made = classes(
        remote=settings.remote, gain=settings.gain, touch_odors=settings.touch_odors, options=settings.options
    )
    host.require(settings.other_versions)
    unregister()
    undoing = [*children.take_along(settings, entered), beginning.attend(settings.begins_with)]
    for table in host.memory_table():
        for mode, by_modality in made.items():
            undoing.append(partial(table[mode].update, {modality: table[mode][modality] for modality in by_modality}))
            table[mode].update(by_modality)
    _current = Registration(settings, undoing)
    return _current
