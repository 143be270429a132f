"""The kenyon command: one file a group of subcommands, each a thin layer over the package."""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from kenyon.cli import streams
from kenyon.errors import InputError, KenyonError, NotationError
from kenyon.words import clean


class _BadInput(click.ClickException):
    exit_code = 2


class _BadText(_BadInput):
    """Shows the text, and the place below it."""

    def __init__(self, error: NotationError) -> None:
        from kenyon.conditioning.cursor import below

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


_COMMANDS = {
    "train": ("conditioning", "train", "Train larvae; show what they learned."),
    "reproduce": ("reproduce", "reproduce_", "Hold what science claims of larvae against the circuit."),
    "sweep": ("sweep", "sweep", "Thousands of experiments, on what is there."),
    "plot": ("plotting", "plot", "Draw results."),
    "show": ("showing", "show", "Make a page of a finished run that plays by itself."),
    "table": ("tables", "table", "Give results as CSV."),
    "cite": ("cite", "cite", "Say what to cite for results, as BibTeX."),
    "paradigms": ("library", "paradigms", "List the experiments of the library, or show one."),
    "odors": ("circuit", "odors", "List the measured odors."),
    "circuit": ("circuit", "circuit", "Draw the circuit."),
    "verify": ("circuit", "verify", "Compare with recorded spikes."),
    "doctor": ("doctor", "doctor", "Say what can run here."),
    "serve": ("serving", "serve", "Run the model server for Larvaworld."),
    "ping": ("serving", "ping", "Ask whether a server is there."),
    "sessions": ("sessions", "sessions", "Look at the larvae a server keeps."),
    "larvaworld": ("larvaworld", "larvaworld", "Larvaworld with Kenyon's memories."),
    "completion": ("completion", "completion", "Let a shell complete what you type."),
}
"""Of each: the file it is in, what it is called there, and what it is for."""


class _Commands(Mapping[str, click.Command]):
    """The subcommands by name; a file is imported when one of its own is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        file, command, _ = _COMMANDS[name]
        found: click.Command = getattr(import_module(f"kenyon.cli.{file}"), command)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Refusing(click.Group):
    """Refuses in one sentence on standard error, whatever the streams are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands: Any = _Commands()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][-1]) for name in self.list_commands(ctx)])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Do what the command line says, or answer the shell that wants to complete it."""
        if "_KENYON_COMPLETE" in os.environ:
            from kenyon.cli import completion

            raise SystemExit(completion.answer())
        with streams.any_streams(), _warnings_on_one_line():
            return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _sentences():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _sentences():
            return super().invoke(ctx)


@click.group(cls=_Refusing, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(package_name="kenyon")
def main() -> None:
    """Learning and memory for virtual Drosophila larvae.

    Begin with `kenyon train`: thirty larvae learn that an odor comes with reward, and a figure shows what they learned.
    """
