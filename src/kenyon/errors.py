"""Every exception that Kenyon raises on purpose.

A message says what was expected, what came, and what to do, in one sentence.
"""


class KenyonError(Exception):
    """Base class: catch this to catch whatever Kenyon refuses."""


class InputError(KenyonError, ValueError):
    """A value given by the caller is not usable; nothing was changed."""


class FileFormatError(KenyonError, ValueError):
    """A file is not of the format it should have: foreign, truncated or of another version."""


class MismatchError(KenyonError, ValueError):
    """Two things that must belong together do not, such as a snapshot and a population."""


class DivergenceWarning(RuntimeWarning):
    """The equations have left the range in which they mean anything; the affected larvae are counted."""


class MissingDependencyError(KenyonError, ImportError):
    """An optional dependency is not installed; the message says how to install it."""
