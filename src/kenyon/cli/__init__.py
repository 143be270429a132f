"""The kenyon command: one file a group of subcommands, each a thin layer over the package."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from kenyon import __version__
from kenyon.cli import streams
from kenyon.cli.circuit import circuit, odors, verify
from kenyon.cli.conditioning import train
from kenyon.cli.doctor import doctor
from kenyon.cli.larvaworld import larvaworld
from kenyon.cli.library import paradigms
from kenyon.cli.plotting import plot
from kenyon.cli.reproduce import reproduce_
from kenyon.cli.serving import ping, serve
from kenyon.cli.sessions import sessions
from kenyon.cli.tables import table
from kenyon.conditioning.cursor import below
from kenyon.errors import InputError, KenyonError, NotationError
from kenyon.words import clean


class _BadInput(click.ClickException):
    exit_code = 2


class _BadText(_BadInput):
    """Shows the text, and the place below it."""

    def __init__(self, error: NotationError) -> None:
        super().__init__(str(error))
        self._below = below(error.text, error.place)

    def format_message(self) -> str:
        """Return the sentence and two lines more."""
        return f"{self.message}\n{streams.encodable(self._below, getattr(sys.stderr, 'encoding', None))}"


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what Kenyon, the system or click refuses into one clean sentence: exit status 2 for bad input, 1 else."""
    try:
        try:
            yield
        except NotationError as error:
            raise _BadText(error) from None
        except InputError as error:
            raise _BadInput(str(error)) from None
        except BrokenPipeError:  # The reader has seen enough, as `head` has; click then ends in silence.
            raise
        except KenyonError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            raise click.ClickException(streams.sentence(error)) from None
    except click.ClickException as error:
        sentence = streams.encodable(clean(error.message), getattr(sys.stderr, "encoding", None))
        error.message = sentence  # type: ignore[misc]  # click calls it final, but has no other way to word its own
        raise


@contextmanager
def _warnings_on_one_line() -> Iterator[None]:
    """Let a warning be its sentence, without the line of code that gave it."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_args, **_kwargs: f"Careful: {clean(str(message))}\n"
    try:
        yield
    finally:
        warnings.formatwarning = before


class _Refusing(click.Group):
    """Refuses in one sentence on standard error, whatever the streams are."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        with streams.any_streams(), _warnings_on_one_line():
            return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _sentences():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _sentences():
            return super().invoke(ctx)


@click.group(cls=_Refusing, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, package_name="kenyon")
def main() -> None:
    """Learning and memory for virtual Drosophila larvae.

    Begin with `kenyon train`: thirty larvae learn that an odor comes with reward, and a figure shows what they learned.
    """


for command in (
    train,
    reproduce_,
    plot,
    table,
    paradigms,
    odors,
    circuit,
    verify,
    doctor,
    serve,
    ping,
    sessions,
    larvaworld,
):
    main.add_command(command)
