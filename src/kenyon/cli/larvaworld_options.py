"""What every command that runs Larvaworld is asked for: its options, and what they make of memories."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from kenyon import checks
from kenyon.cli.inputs import TABLE, WORD, read_word
from kenyon.cli.output import as_json
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import read_odors
from kenyon.reservations import reserved
from kenyon.words import shown

Command = TypeVar("Command", bound=Callable[..., Any])

_GAINS = ("calibrated", "published")


def common(command: Command) -> Command:
    """Add the options that every run has."""
    for option in reversed(
        [
            click.option("--seed", type=int, default=0, help="Same seed, same numbers, in any process."),
            click.option("--gain", type=click.Choice(_GAINS), default="calibrated", help="How the output neurons' "
                         "difference becomes a gain: as measured in Larvaworld, or 0.001 per Hz, as published."),
            click.option("--odors-file", type=TABLE, metavar="FILE", help="CSV of odors of your own, which --odor may "
                         "then name (docs/how_to/own_odors.md)."),
            click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Option of the memory, such as "
                         "probe_ms=500; may be given more than once."),
            click.option("--server", metavar="HOST[:PORT]", help="Let mushroom bodies live on a server; see `kenyon "
                         "serve`.  [default: in process]"),
            click.option("--token-file", type=WORD, metavar="FILE",
                         help="File with the word that the server asks for."),
            click.option("--out", type=click.Path(path_type=Path, file_okay=False),
                         default=Path("kenyon-results/larvaworld"), help="Folder for the results."),
            click.option("--overwrite", is_flag=True, help="Replace results that lie there."),
            as_json,
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def stands_for(command: Command) -> Command:
    """Add the options that say what things in the arena stand for, where no design says it."""
    for option in reversed(
        [
            click.option("--reinforcement", type=click.Choice(("reward", "punishment")), default="reward",
                         help="What contact with food means to a mushroom body."),
            click.option("--odor", "odors", multiple=True, metavar="NAME=ODOR", help="The measured odor that a name "
                         "in the arena stands for to a mushroom body, such as CS=3-octanol; may be given repeatedly."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


@contextmanager
def prepared(plan: Any, how: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Path]:
    """Register as the options say, refuse a plan that cannot be carried out, and give a folder to make results in."""
    from kenyon.larvaworld_plugin.building import checked

    with _registered(how):
        _refuse_unused(plan.model, how)
        checked(plan)
        with reserved(how["out"], *names, overwrite=how["overwrite"], make=True) as new:
            yield new


def _refuse_unused(model: str, how: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing to larvae of a model."""
    from kenyon.larvaworld_plugin import host

    memory = host.stored("Model", model).brain.memory
    if memory is None or memory.mode == "MB":
        return
    given = {"--server": how["server"], "--gain": how["gain"] != _GAINS[0], "--odor": how["odors"]}
    for option, is_given in given.items():
        if is_given:
            raise InputError(
                f"{option} must be given for a model with a mushroom body, got it for {model}, which learns by "
                f"Q-learning; leave it out, or give --model forager_MB"
            )


def _registered(how: Mapping[str, Any]) -> Any:
    """Register as the options say, for the time of a `with` statement."""
    from kenyon.larvaworld_plugin import register

    remote: dict[str, Any] = {}
    if how["server"] is not None:
        name, _, port = how["server"].rpartition(":") if ":" in how["server"] else (how["server"], "", "5795")
        if checks.spelled_integer(port) is None:
            raise InputError(f"--server must be HOST or HOST:PORT, got {shown(how['server'])}")
        remote = {"server_host": name, "server_port": int(port)}
    if how["token_file"] is not None:
        remote["token"] = read_word(how["token_file"])
    return register(remote=how["server"] is not None, gain=how["gain"], options={"MB": remote} if remote else {})


def options_of(how: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the memory that were asked for."""
    options: dict[str, Any] = {}
    if how["odors"]:
        own = {} if how["odors_file"] is None else {odor.name: odor for odor in read_odors(how["odors_file"])}
        named = (_halves("--odor", "NAME=ODOR", odor) for odor in how["odors"])
        options["odors"] = {stimulus: own.get(odor, odor) for stimulus, odor in named}
    if how["reinforcement"] != "reward":
        options["reinforcement"] = how["reinforcement"]
    for change in how["changes"]:
        name, words = _halves("--set", "NAME=VALUE", change)
        options[name] = _value(words)
    return options


def _halves(option: str, form: str, words: str) -> tuple[str, str]:
    name, equals, value = words.partition("=")
    if not equals:
        raise InputError(f"{option} must be {form}, got {shown(words)}")
    return name, value


def _value(words: str) -> Any:
    if words in ("true", "false"):
        return words == "true"
    if words == "none":
        return None
    with suppress(ValueError):
        return int(words)
    with suppress(ValueError):
        return float(words)
    return words
