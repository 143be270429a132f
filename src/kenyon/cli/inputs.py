"""What options name: files, looked at before anything reads them; odors and experiments, for shells to complete."""

import stat
from pathlib import Path
from typing import Any

import click

from kenyon.errors import InputError
from kenyon.words import shown

_MOST_WORD_BYTES = 4096
_MOST_PATH = 500
"""Characters of a path that a sentence has room for: its end, the name of the file, says most."""

_PIPES = "/dev/fd/", "/proc/self/fd/"
"""Where a shell puts what it reads from a command, `<(...)`: a pipe that comes to its end."""


class InputFile(click.Path):
    """A file to be read, which is not endless, no folder, and there.

    Args:
        most_mb: Most that it may hold; more is another file, named by mistake.
        name: What shells complete here: any file, or results.
    """

    def __init__(self, most_mb: float, name: str = "file") -> None:
        super().__init__(path_type=Path)
        self.name = name
        self._most_mb = most_mb

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """Return the path of a file that can be read to its end.

        Raises:
            InputError: it is none.
        """
        path = Path(value)
        name = "a file" if param is None else param.opts[0]
        wanted = f"{name} must be a readable file of at most {self._most_mb:g} MB, got {shown(str(path), _MOST_PATH)}"
        try:
            kind = path.stat()
            if stat.S_ISFIFO(kind.st_mode) and str(path).startswith(_PIPES):
                return path
            if stat.S_ISREG(kind.st_mode):
                path.open("rb").close()
        except (OSError, ValueError) as reason:
            raise InputError(f"{wanted}: {getattr(reason, 'strerror', reason)}; name another") from None
        if not stat.S_ISREG(kind.st_mode):
            raise InputError(f"{wanted}: {'a folder' if stat.S_ISDIR(kind.st_mode) else 'no file'}; name another")
        if kind.st_size > self._most_mb * 1e6:
            raise InputError(f"{wanted} with {kind.st_size / 1e6:.0f} MB; name another")
        return path


WORD = InputFile(most_mb=0.1)
"""A secret word."""

CERTIFICATES = InputFile(most_mb=10)
"""Certificates, or a key, in PEM."""

TABLE = InputFile(most_mb=10)
"""A table of comma-separated values."""

ARRAYS = InputFile(most_mb=10_000, name="results")
"""Arrays that Kenyon has saved."""


class Known(click.types.StringParamType):
    """Text that may be one of many known names, which shells complete.

    Args:
        name: What they are names of.
    """

    def __init__(self, name: str) -> None:
        self.name = name


ODOR = Known("odor")
"""A measured odor, or what a file names."""

EXPERIMENT = Known("experiment")
"""One of the library, or one that is written."""


def read_word(path: Path) -> str:
    """Return the secret word that a file holds.

    Raises:
        InputError: it holds something else.
    """
    try:
        with path.open("rb") as file:
            word = file.read(_MOST_WORD_BYTES + 1).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as reason:
        raise InputError(f"a token file must be of readable text, got {path}: {reason}; name another") from None
    if not word or len(word) > _MOST_WORD_BYTES or not word.isprintable():
        raise InputError(
            f"a token file must hold one word of at most {_MOST_WORD_BYTES} letters, got {path} with something else; "
            "write the word into it"
        )
    return word
