"""The kenyon command: one file a group of subcommands, each a thin layer over the package."""

from typing import Any

import click

from kenyon import __version__
from kenyon.cli.circuit import odors, verify
from kenyon.cli.conditioning import paradigms, train
from kenyon.cli.doctor import doctor
from kenyon.cli.larvaworld import larvaworld
from kenyon.cli.serving import ping, serve
from kenyon.cli.sessions import sessions
from kenyon.errors import InputError, KenyonError


class _BadInput(click.ClickException):
    exit_code = 2


class _Refusing(click.Group):
    """Turns what Kenyon refuses into one sentence on standard error: exit status 2 for bad input, 1 for the rest."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise _BadInput(str(error)) from None
        except BrokenPipeError:  # The reader has seen enough, as `head` has; click then ends in silence.
            raise
        except (KenyonError, OSError) as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Refusing, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, package_name="kenyon")
def main() -> None:
    """Learning and memory for virtual Drosophila larvae.

    Begin with `kenyon train`: thirty larvae learn that an odor comes with reward, and a figure shows what they learned.
    """


for command in (train, paradigms, odors, verify, doctor, serve, ping, sessions, larvaworld):
    main.add_command(command)
