"""What `kenyon train` is asked for: texts, ids of the library, and files of both, become designs."""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from kenyon.checks import nearest, one_of
from kenyon.cli.inputs import InputFile
from kenyon.conditioning import DESCRIPTIONS, Design, paradigm
from kenyon.conditioning.entry import UNLIKE
from kenyon.conditioning.library import as_design, entries
from kenyon.errors import InputError, NotationError
from kenyon.mushroom_body import Odor, Parameters, read_odors
from kenyon.mushroom_body.odors import find
from kenyon.words import shown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_DESIGNS = InputFile(most_mb=10)
_KEYS = ("designs", "groups", "odors", "options")
_ID = re.compile(r"[a-z][a-z-]+(/.*)?")
_LETTER = re.compile(r"([A-Z])=(.*)", re.DOTALL)
_DOSED = re.compile(r"(.*)@([0-9]+(?:\.[0-9]+)?)", re.DOTALL)

_OF_TRIALS = {"trials": "--trials", "stimulus": "--stimulus", "pause": "--pause", "test_odors": "--test-odor"}
"""Options of the experiments with trials of one odor; a design of one's own says these things itself."""

Bindings = dict[str, tuple[Any, float]]


class Asked(NamedTuple):
    """An experiment that was asked for.

    Attributes:
        name: What it is called: its id, the name of its file, or a number.
        text: As it was written.
    """

    name: str
    text: str


class File(NamedTuple):
    """What a file of experiments holds.

    Attributes:
        experiments: In order.
        odors: What its letters stand for, each as after `--odor`.
        options: Options of the command by their long names, without hyphens.
    """

    experiments: tuple[Asked, ...]
    odors: tuple[str, ...]
    options: Mapping[str, Any]


def asked(arguments: Sequence[str]) -> tuple[list[Asked], list[File]]:
    """Return the experiments that arguments name, and the files among these.

    Raises:
        InputError: a file cannot be read, or holds something else.
    """
    experiments: list[Asked] = []
    files: list[File] = []
    for argument in arguments:
        if argument.startswith("@"):
            files.append(read_file(argument[1:]))
            experiments += files[-1].experiments
        else:
            name = argument.replace("/", " ") if _ID.fullmatch(argument) else f"design {len(experiments) + 1}"
            experiments.append(Asked(name, argument))
    return experiments, files


def read_file(path: str) -> File:
    """Return what a file of experiments holds, in TOML.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    file = _DESIGNS.convert(path, None, None)
    try:
        held = tomllib.loads(file.read_text("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as reason:
        raise InputError(f"a file of designs must be TOML, got {shown(str(file))}: {reason}") from None
    for key in held:
        if key not in _KEYS:
            raise InputError(
                f"{file.name} must hold designs, groups, odors, options, got {shown(key)}; {nearest(key, _KEYS)}"
            )
    designs, groups = held.get("designs", []), _table(file, held, "groups")
    if not isinstance(designs, list) or not all(isinstance(text, str) for text in designs):
        raise InputError(f"designs of {file.name} must be a list of texts, got {shown(designs)}")
    experiments = [
        Asked(f"{file.stem} {place}" if len(designs) > 1 or groups else file.stem, text)
        for place, text in enumerate(designs, 1)
    ]
    if groups:
        body = "; ".join(f'"{name}": {_text(file, name, text)}' for name, text in groups.items())
        experiments.append(Asked(file.stem, body))
    if not experiments:
        raise InputError(f"{file.name} must hold designs or groups, got none; write designs = ['A+ 60s, ?A']")
    odors = [f"{letter}={_text(file, letter, odor)}" for letter, odor in _table(file, held, "odors").items()]
    return File(tuple(experiments), tuple(odors), _table(file, held, "options"))


def bindings(odors: Sequence[str], own: Sequence[Odor]) -> Bindings:
    """Return what letters stand for: `NAME` or `NAME@DOSE` for A, `B=NAME@DOSE` for others; the last of each letter.

    Raises:
        InputError: a letter or an odor is none.
    """
    by_name = {odor.name: odor for odor in own}
    found: Bindings = {}
    for given in odors:
        lettered = _LETTER.fullmatch(given)
        letter, odor = lettered.groups() if lettered else ("A", given)
        dosed = None if odor in by_name else _DOSED.fullmatch(odor)
        name, dose = dosed.groups() if dosed else (odor, "1")
        found[letter] = by_name.get(name, name), float(dose)
    return found


def designs(
    asked: Sequence[Asked],
    parameters: Parameters,
    given: set[str],
    *,
    odors: tuple[str, ...],
    odors_file: Path | None,
    concentration: float,
    us: str,
    trials: int,
    stimulus: float,
    pause: float,
    test_odors: tuple[str, ...],
) -> list[Design]:
    """Return the design of each experiment.

    All but the first three arguments are the options of `kenyon train`, `given` the names of those that were given: of
    the others a text says itself what it wants.

    Raises:
        InputError: there is no such experiment, its text cannot be read, or an option does not go with it.
    """
    own = [] if odors_file is None else read_odors(odors_file)
    by_name = {odor.name: odor for odor in own}
    letters = bindings(odors, own)
    if "concentration" in given:
        letters["A"] = (letters.get("A", (UNLIKE[0], 1.0))[0], concentration)
    cs, dose = letters.get("A", (UNLIKE[0], 1.0))
    odd = next((option for name, option in _OF_TRIALS.items() if name in given), None)
    if odd is not None and not any(one.text in DESCRIPTIONS for one in asked):
        raise InputError(
            f"{odd} must go with an experiment that has trials of one odor ({', '.join(DESCRIPTIONS)}), got "
            f"{shown(asked[0].text)}; write it into the design"
        )
    tests = [by_name.get(odor, odor) for odor in test_odors] or [UNLIKE[find(cs).name != UNLIKE[1]]]
    return [
        paradigm(
            one.text, cs=cs, concentration=dose, us=us, trials=trials, stimulus_s=stimulus, pause_s=pause,
            test_odors=tests,
        )
        if one.text in DESCRIPTIONS
        else design(
            one, asked, bindings=letters, reinforcer=(us, 1.0) if "us" in given else None, odors=own,
            parameters=parameters,
        )
        for one in asked
    ]  # fmt: skip


def with_twins(designs: Sequence[Design]) -> list[Design]:
    """Return designs with an unmanipulated group beside each that is manipulated.

    Raises:
        InputError: none is.
    """
    twins = [design.with_twins() for design in designs]
    if twins == list(designs):
        raise InputError(
            "--twin must go with a group that is manipulated, got none; write {silence DANp: ...} around what it shall "
            "hold for"
        )
    return twins


def group_names(asked: Sequence[Asked], designs: Sequence[Design]) -> list[list[str]]:
    """Return what the groups of each experiment are called here: by their experiment, too, where it takes that.

    Raises:
        InputError: two experiments have one name.
    """
    if len({one.name for one in asked}) < len(asked):
        raise InputError(f"each experiment must be named once, got {shown(' '.join(one.name for one in asked))}")
    names = [[group.name for group in design.groups] for design in designs]
    if len({name.casefold() for own in names for name in own}) < sum(map(len, names)):
        names = [[f"{one.name}, {name}" for name in own] for one, own in zip(asked, names, strict=True)]
    return names


def design(asked: Asked, others: Sequence[Asked] = (), **options: Any) -> Design:
    """Return the design of an experiment; where arguments were not quoted, say how.

    Args:
        asked: The experiment.
        others: All arguments that are no files, to see whether they are the parts of one text.
        **options: As for `library.as_design`.

    Raises:
        NotationError: the text cannot be read.
        InputError: it is no experiment of the library, or is one of several parts of a text.
    """
    try:
        return as_design(asked.text, **options)
    except InputError:
        texts = [other.text for other in others]
        if len(texts) > 1 and not all(map(_is_whole, texts)):
            whole = shlex.quote(" ".join(texts))
            raise InputError(
                f"an experiment must be one argument, got {len(texts)}; quote it: kenyon train {whole}"
            ) from None
        raise


def _is_whole(text: str) -> bool:
    """Return whether a text could be an experiment by itself, whatever its letters stand for."""
    if _ID.fullmatch(text):
        return text.partition("/")[0] in entries()
    try:
        Design.read(text, bindings={letter: number for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")})
    except NotationError:
        return False
    return True


def _table(file: Path, held: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = held.get(key, {})
    if not isinstance(table, dict):
        raise InputError(f"{key} of {file.name} must be a table, got {shown(table)}; write [{key}]")
    return table


def _text(file: Path, name: str, text: Any) -> str:
    if '"' in name or not isinstance(text, str):
        raise InputError(f"{name} in {file.name} must be a text, got {shown(text)}")
    return text


class FromFiles(click.Command):
    """A command whose experiments may be in files with options of theirs; what is on the command line goes before."""

    def invoke(self, ctx: click.Context) -> Any:
        """Put the options of files in the place of those that are not on the command line."""
        experiments, files = asked(ctx.params["asked"])
        known = {option.lstrip("-"): own for own in self.params for option in own.opts if option.startswith("--")}
        given = {
            name for name in ctx.params if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        }
        of_files: dict[str, Any] = {}
        for file in files:
            for option, value in file.options.items():
                parameter = known[one_of("option", option, list(known))]
                if parameter.name in of_files:
                    raise InputError(f"options must be in one file at most, got {shown(option)} in two")
                of_files[str(parameter.name)] = value
                if parameter.name not in given:
                    ctx.params[str(parameter.name)] = parameter.process_value(ctx, _spelled(parameter, value))
        ctx.params["odors"] = (*(odor for file in files for odor in file.odors), *ctx.params["odors"])
        ctx.params["asked"] = experiments
        ctx.meta["given"] = given | set(of_files)
        return super().invoke(ctx)


def _spelled(parameter: click.Parameter, value: Any) -> Any:
    """Return a value of TOML as a command line spells it."""
    if parameter.multiple:
        return [str(each) for each in (value if isinstance(value, list) else [value])]
    return str(value)
