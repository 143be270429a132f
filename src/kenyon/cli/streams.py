"""Standard output and error as they may be: of any encoding, full, closed, or with nobody who reads on."""

import codecs
import contextlib
import os
import sys
import unicodedata
from collections.abc import Iterator

_ERRORS = "kenyon.plain"
_PLAIN = {
    "Δ": "d",
    "µ": "u",
    "μ": "u",
    "ß": "ss",
    "→": "->",
    "←": "<-",
    "…": "...",
    "±": "+-",
    "·": "*",
    "≥": ">=",
    "≤": "<=",
    "≈": "~",
    "“": '"',
    "”": '"',
    "—": "-",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
}


def plain(character: str) -> str:
    r"""Return what stands for a character where an encoding has none for it.

    Example:
        >>> "".join(map(plain, "ΔF, Jürgensen, 果"))
        'dF, Jurgensen, \\u679c'
    """
    if character.isascii():
        return character
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _PLAIN.get(character) or bare or character.encode("unicode_escape").decode()


def encodable(text: str, encoding: str | None) -> str:
    """Return text in which plain characters stand for what an encoding does not have.

    Example:
        >>> encodable("ΔF/F", "latin-1"), encodable("ΔF/F", "utf-8")
        ('dF/F', 'ΔF/F')
    """
    name = encoding or "utf-8"
    return text.encode(name, _ERRORS).decode(name)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(plain, error.object[error.start : error.end])), error.end


codecs.register_error(_ERRORS, _replace)


@contextlib.contextmanager
def any_streams() -> Iterator[None]:
    """Let standard output and error take every character, and the process end quietly if they take nothing."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ERRORS)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except (OSError, ValueError):  # noqa: PERF203  # two of them
                # Python would try once more at its very end, and complain where nobody can help it.
                with contextlib.suppress(OSError, ValueError):
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, stream.fileno())
                    os.close(nowhere)


def _open_what_is_closed() -> None:
    """Or the next file to be opened would have the number of a standard stream, and take what is printed."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203  # three of them
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one


def sentence(error: OSError) -> str:
    """Return what to say of a file or a stream that the system refuses.

    Example:
        >>> sentence(FileNotFoundError(2, "No such file or directory", "a.npz"))
        'a.npz must be there and usable, but: No such file or directory; see to it or name another'
    """
    if error.strerror is None:
        return str(error)
    if error.filename is None:
        return f"what is written must find room, but: {error.strerror}; see to the disk or write elsewhere"
    return f"{error.filename} must be there and usable, but: {error.strerror}; see to it or name another"
