"""Puts Kenyon's memories behind Larvaworld's modes RL and MB, and takes them away again.

Only what is in memory is changed: the two tables in which the host looks its classes up, and the two ways by which it
sends work to other processes, so that those register too. Nothing is written into the installation, and a larva whose
model has no memory never comes here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from kenyon import checks
from kenyon.larvaworld_plugin import children, host
from kenyon.larvaworld_plugin.memories import GAINS, Options, classes
from kenyon.larvaworld_plugin.plan import by_name
from kenyon.memory.options import plain_value

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
    """

    remote: bool = False
    gain: str = "calibrated"
    touch_odors: Mapping[str, Any] | None = None
    options: Options = field(default_factory=dict)
    other_versions: str = "refuse"

    def __post_init__(self) -> None:
        """Check what needs no host."""
        checks.boolean("remote", self.remote)
        checks.one_of("gain", self.gain, list(GAINS))
        checks.one_of("other_versions", self.other_versions, host.OTHER_VERSIONS)
        if self.touch_odors is not None:
            object.__setattr__(self, "touch_odors", plain_value(by_name("touch_odors", self.touch_odors)))
        object.__setattr__(self, "options", plain_value(by_name("options", self.options)))


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

    Returns:
        The registration: `undo()` takes it back, and so does the end of a `with` statement.

    Raises:
        MissingDependencyError: Larvaworld is not installed.
        MismatchError: it is of another version.
        InputError: an option is unknown or out of range. Nothing is changed after any of these.

    Example:
        >>> from kenyon.errors import InputError
        >>> try:
        ...     register(gain="louder")
        ... except InputError as refusal:
        ...     print(refusal)
        unknown gain 'louder'; known are calibrated, published
    """
    settings = Settings(remote, gain, touch_odors, {} if options is None else options, other_versions)
    return _begin(settings)


def registered() -> Settings | None:
    """Return what is registered at present; None where the host has its own classes."""
    return None if _current is None else _current.settings


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
    undoing = children.take_along(settings, entered)
    for table in host.memory_table():
        for mode, by_modality in made.items():
            undoing.append(partial(table[mode].update, {modality: table[mode][modality] for modality in by_modality}))
            table[mode].update(by_modality)
    _current = Registration(settings, undoing)
    return _current
