"""What a shell offers to complete: subcommands, options, odors, experiments, files of results.

A shell asks at each TAB and nobody waits a second for that; so what there is to offer is read from `completion.json`,
which `make docs` writes from the commands themselves, and none of their files is imported.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from glob import escape, glob
from pathlib import Path
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, shell_complete

from kenyon.cli.inputs import Known
from kenyon.cli.output import say

VARIABLE = "_KENYON_COMPLETE"
"""In the environment of a command that a shell asks: what it wants, as click calls it."""

FILE = Path(__file__).with_suffix(".json")

_LETTER = re.compile(r"([A-Z]=)?(.*)", re.DOTALL)
_KEPT_BY_BASH = re.compile(r"([^\w@%+=:,./-])")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what lets a SHELL complete commands, options, odors, experiments and files of results at TAB.

    \b
    Put it where the shell looks, once for all versions of Kenyon:
      kenyon completion bash > ~/.local/share/bash-completion/completions/kenyon
      kenyon completion fish > ~/.config/fish/completions/kenyon.fish
      kenyon completion zsh > ~/.kenyon-completion; echo '. ~/.kenyon-completion' >> ~/.zshrc
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    kind = click.shell_completion.get_completion_class(shell)
    assert kind is not None  # noqa: S101  # click has one for each of the three
    script = kind(click.Command("kenyon"), {}, "kenyon", VARIABLE)
    for line in (script.source_template % script.source_vars()).splitlines():
        say(line)


def answer() -> int:
    """Answer the shell that asks; return the exit status."""
    return shell_complete(_command("kenyon", _told()["command"]), {}, "kenyon", VARIABLE, os.environ[VARIABLE])


def outline(command: click.Command) -> dict[str, Any]:
    """Return of a command, as JSON can say it, what a shell offers: its subcommands, or its parameters."""
    own: dict[str, Any] = {"help": command.get_short_help_str()}
    if isinstance(command, click.Group):
        own["commands"] = {name: outline(below) for name, below in command.commands.items()}
    return {**own, "parameters": [_parameter_outline(each) for each in command.params]}


def _parameter_outline(parameter: click.Parameter) -> dict[str, Any]:
    own: dict[str, Any] = {"names": [parameter.name], "nargs": parameter.nargs}
    if isinstance(parameter, click.Option):
        *others, last = parameter.opts
        own["names"] += [*others, "/".join([last, *parameter.secondary_opts])]
        own |= {"help": parameter.help, "flag": parameter.is_flag, "multiple": parameter.multiple}
    kind = parameter.type
    return {**own, "takes": list(kind.choices) if isinstance(kind, click.Choice) else kind.name}


@cache
def _told() -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(FILE.read_text("utf-8"))
    return told


def _command(name: str, own: Mapping[str, Any]) -> click.Command:
    """Return a command that can be completed, and does nothing."""
    parameters = [_parameter(each) for each in own["parameters"]]
    if "commands" not in own:
        return click.Command(name, params=parameters, help=own["help"])
    below = {each: _command(each, its) for each, its in own["commands"].items()}
    return click.Group(name, commands=below, params=parameters, help=own["help"])


def _parameter(own: Mapping[str, Any]) -> click.Parameter:
    if "flag" not in own:
        return click.Argument(own["names"], nargs=own["nargs"], required=False, type=_type(own["takes"]))
    if own["flag"]:
        return click.Option(own["names"], is_flag=True, help=own["help"])
    several = {"nargs": own["nargs"], "multiple": own["multiple"]}
    return click.Option(own["names"], type=_type(own["takes"]), help=own["help"], **several)


def _type(takes: str | list[str]) -> "click.ParamType[Any]":
    if isinstance(takes, list):
        return click.Choice(takes)
    if takes in ("file", "path", "directory"):
        return click.Path(file_okay=takes != "directory")
    return _Offered(takes)


class _Offered(Known):
    """Text of which some is known: names of a kind, or files of results."""

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  # click passes it
        param: click.Parameter,  # noqa: ARG002  # as above
        incomplete: str,
    ) -> "list[CompletionItem[str]]":
        """Return what begins so, in any case; the letter that an odor is bound to stays before it."""
        if self.name == "results":
            return [CompletionItem(path) for path in _results(incomplete)] or [CompletionItem(incomplete, type="file")]
        names = _told()["names"].get(self.name, {})
        letter, begun = _LETTER.fullmatch(incomplete).groups("")  # type: ignore[union-attr]  # anything matches
        return [
            CompletionItem(letter + name, help=words)
            for name, words in names.items()
            if name.lower().startswith(begun.lower())
        ]


def _results(incomplete: str) -> Iterator[str]:
    """Give the files of results that begin so, and those in folders that do."""
    for between in ("*", "*/*"):
        for ending in (".nc", ".npz"):
            yield from sorted(glob(f"{escape(incomplete)}{between}{ending}"))  # noqa: PTH207  # keeps it as it is typed


class _Bash(BashComplete):
    """As click's, but a name with blanks stays one word, as in other shells by themselves."""

    def format_completion(self, item: "CompletionItem[Any]") -> str:
        words = os.environ["COMP_WORDS"]
        quoted = words.count('"') % 2 or words.count("'") % 2
        if item.type != "plain" or quoted:
            return super().format_completion(item)
        # Twice, for its script reads each line as one in which a backslash keeps what follows.
        kept = _KEPT_BY_BASH.sub(r"\\\\\1", item.value)
        return f"{item.type},{kept}"


add_completion_class(_Bash)
