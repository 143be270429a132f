"""Every exception that Kenyon raises on purpose.

A message says what was expected, what came, and what to do, in one sentence: on one line, of bounded length, with every
character spelled that a terminal or a log would obey instead of show.
"""

from kenyon.words import clean


class KenyonError(Exception):
    r"""Base class: catch this to catch whatever Kenyon refuses.

    Example:
        >>> str(KenyonError("two\nlines, \x1b[31mred"))
        'two lines, \\x1b[31mred'
    """

    def __init__(self, sentence: str = "", *more: object) -> None:
        super().__init__(clean(str(sentence)), *more)


class InputError(KenyonError, ValueError):
    """A value given by the caller is not usable; nothing was changed."""


class NotationError(InputError):
    """A text that says what to do cannot be read; the sentence shows the place, with `^` before it.

    Attributes:
        text: What was to be read.
        place: Where it goes wrong, a number of characters from its beginning.
    """

    def __init__(self, sentence: str = "", text: str = "", place: int = 0) -> None:
        super().__init__(sentence)
        self.text = text
        self.place = place


class FileFormatError(KenyonError, ValueError):
    """A file is not of the format it should have: foreign, truncated or of another version."""


class MismatchError(KenyonError, ValueError):
    """Two things that must belong together do not, such as a snapshot and a population."""


class DivergenceWarning(RuntimeWarning):
    """The equations have left the range in which they mean anything; the affected larvae are counted."""


class CompiledCodeWarning(RuntimeWarning):
    """Compiled code could not be read or kept, so it is compiled anew; no number depends on it."""


class DamagedPartWarning(RuntimeWarning):
    """A file with the results of a sweep's points cannot be read; these points count as not computed."""


class CloneWarning(UserWarning):
    """Several memories draw the same numbers, because nothing tells them apart."""


class ChangedPlanWarning(UserWarning):
    """The folder of a sweep had another plan; the sentence says which points are new, and which orphaned."""


class MissingMemoryWarning(UserWarning):
    """Larvae of the host cannot learn although their model asks for a memory; the sentence says which, and why."""


class MissingStimulusError(KenyonError, IndexError):
    """A memory is asked for a stimulus that it has not met."""


class MissingDependencyError(KenyonError, ImportError):
    """An optional dependency is not installed; the message says how to install it."""


def installed_by(extra: str) -> str:
    """Return how what an extra needs is installed, as the pages say it.

    Example:
        >>> installed_by("brian")
        "in the clone: .venv/bin/pip install -c requirements.lock -e '.[brian]'"
    """
    return f"in the clone: .venv/bin/pip install -c requirements.lock -e '.[{extra}]'"


class ProtocolError(KenyonError):
    """What the wire carries is not what the protocol says; the subclasses name whose fault that is."""


class LocalProtocolError(ProtocolError, ValueError):
    """Our fault: this side was asked to send what the wire cannot carry; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The peer's fault: it sent bytes that are no message, or an answer to something else."""


class NoAnswerError(KenyonError, ConnectionError):
    """Nobody answered within the deadline."""


class RefusedError(KenyonError):
    """A server refused a request; `code` says why, in one word (see `kenyon.wire.refusals`).

    Attributes:
        code: The server's word for it, such as "busy"; None if it gave none.
        expected_step: The step that it would have taken; None if it named none.
        retry_after_s: When to ask again; None if it did not say.
    """

    def __init__(
        self,
        sentence: str,
        code: str | None = None,
        expected_step: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.expected_step = expected_step
        self.retry_after_s = retry_after_s


class StorageError(KenyonError):
    """What must be kept could not be written or read; nothing was changed."""


class DamagedError(StorageError):
    """One larva is not as it was kept; the others are."""


class LockedError(StorageError):
    """Another program holds the file; later it may be free."""
