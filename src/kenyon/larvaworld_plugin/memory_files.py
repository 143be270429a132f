"""Files of what larvae of the host have learned: what one says about its larvae, and to whom it may go."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kenyon import checks
from kenyon.errors import FileFormatError, InputError, MismatchError
from kenyon.memory import RLmemory, RLOlfMemory, checkpoint
from kenyon.memory.mushroom_body import MBmemory
from kenyon.mushroom_body.odors import MeasuredOdor, from_plain, plain
from kenyon.words import shown


class Learners(NamedTuple):
    """Larvae of one group whose memories lie in a file, one after the other.

    Attributes:
        name: That of the group; "" where the file says none.
        model: The stored model that they are of; None where the file says none, or theirs was no stored one.
        larvae: How many.
        odors: The odor that each stimulus stands for, as JSON says it.
    """

    name: str
    model: str | None
    larvae: int
    odors: Mapping[str, Any]


def there(name: str, path: Any) -> Path:
    """Return the path of a file of memories.

    Raises:
        InputError: there is no such file.
        FileFormatError: it holds no memories.
    """
    file = checks.path(name, path)
    if not file.is_file():
        raise InputError(f"{name} must be a file that is there, got {file}; a run writes one (memories.npz)")
    checkpoint.about(file)
    return file


def about(experiment: str, larvae: Iterable[tuple[str, str | None, Any]]) -> dict[str, Any]:
    """Return what a file of memories says of its larvae.

    Args:
        experiment: Name of the experiment they have lived through.
        larvae: For each larva the name of its group, its stored model, None where it is of none, and its memory.
    """
    groups: list[Learners] = []
    for name, model, memory in larvae:
        if groups and (groups[-1].name, groups[-1].model) == (name, model):
            groups[-1] = groups[-1]._replace(larvae=groups[-1].larvae + 1)
        else:
            groups.append(Learners(name, model, 1, odors_of([memory])))
    return {"experiment": experiment, "groups": [group._asdict() for group in groups]}


def refuse_foreign(path: Path, models: Sequence[str | None], where: str = "") -> None:
    """Refuse a file of memories of another model, or of more or fewer larvae.

    Args:
        path: The file.
        models: The stored model of each larva that is to begin with them; None where it is of none.
        where: What is said after their number, such as " in group 'x'".

    Raises:
        MismatchError: it is one.
        FileFormatError: it holds no memories.
        InputError: there is no such file.
    """
    kept = [group.model for group in _groups(there("memories", path)) for _ in range(group.larvae)]
    if len(kept) != len(models):
        raise MismatchError(
            f"the memories of {path} must be of as many larvae as are run with one{where}, {len(models)}, but are of "
            f"{len(kept)}; run {len(kept)}"
        )
    for model, was in zip(models, kept, strict=True):
        if None not in (model, was) and model != was:
            raise MismatchError(
                f"the memories of {path} must be of larvae of the model {model}, got those of {was}; run with that "
                f"model"
            )


def fill(path: Path, memories: Sequence[Any]) -> None:
    """Put what the memories of a file have learned into memories that are there, in the same order.

    Raises:
        MismatchError: they are of another kind, know nothing that is here, or learned of another odor.
        FileFormatError: the file is damaged, or says nonsense.
        NoAnswerError: the server of a remote memory did not answer.
    """
    checkpoint.restore(path, memories)
    rest = iter(memories)
    for group in _groups(path):
        _refuse_other_odors(path, group, [next(rest) for _ in range(group.larvae)])
    for memory in memories:
        if isinstance(memory, RLOlfMemory):
            memory.iterator = memory.Niters  # It follows what it knows from the first tick on.


def odor_contents(odors: Mapping[str, Any]) -> dict[str, Any]:
    """Return what each stimulus smells of: the responses to the odor that it stands for, whatever that is called."""
    return {name: from_plain(odor).contents for name, odor in odors.items()}


def called(odor: Any) -> str:
    """Return what an odor is called, where it is one of one's own with the id of its responses."""
    known = from_plain(odor)
    return known.name if isinstance(known, MeasuredOdor) else f"{known.name} ({known.id})"


def odors_of(memories: Sequence[Any]) -> dict[str, Any]:
    """Return the odor that each stimulus stands for, as JSON says it; empty for memories without a mushroom body."""
    first = memories[0]
    if not isinstance(first, MBmemory):
        return {}
    return {stimulus: plain(first.odor_of(stimulus)) for stimulus in first.stimuli}


def _groups(path: Path) -> list[Learners]:
    """Return the groups of larvae of a file; one without a name where it says none, as files of before."""
    said, larvae = checkpoint.about(path), len(checkpoint.names(path))
    groups = list(_told(said.get("groups")))
    if sum(group.larvae for group in groups) == larvae:
        return groups
    model, odors = said.get("model"), said.get("odors")
    return [Learners("", model if isinstance(model, str) else None, larvae, odors if isinstance(odors, dict) else {})]


def _told(groups: Any) -> Iterator[Learners]:
    """Yield what a file says of groups, as far as it is that; anyone may say anything about memories."""
    for group in groups if isinstance(groups, list) else ():
        match group:
            case {"name": str(name), "model": str() | None as model, "larvae": int(larvae), "odors": dict(odors)}:
                yield Learners(name, model, max(larvae, 0), odors)


def _called_in(path: Path, odor: Any) -> str:
    try:
        return called(odor)
    except InputError as reason:
        raise FileFormatError(f"{path} must say what its larvae have smelled: {reason}") from None


def _refuse_other_odors(path: Path, group: Learners, memories: Sequence[Any]) -> None:
    """Refuse memories that have learned about nothing that is here, or about another odor of the same name."""
    learned, here = group.odors, odors_of(memories)
    for stimulus, odor in here.items():
        if learned.get(stimulus, odor) != odor:
            was, now = _called_in(path, learned[stimulus]), called(odor)
            raise MismatchError(
                f"{stimulus} must stand for what the memories of {path} learned, {was}, got {now}; run with "
                f"memory={{'odors': {{{shown(stimulus)}: {shown(was)}}}}} (--odor '{stimulus}={was}')"
            )
    tables = {name for memory in memories if isinstance(memory, RLmemory) for name in memory.best_gain}
    known, world = set(learned) or tables, set(memories[0].stimuli)
    if known and world and not known & world:  # A file need not say what a mushroom body has smelled.
        raise MismatchError(
            f"the memories of {path} must know a stimulus of this experiment, {', '.join(sorted(world))}, got "
            f"{', '.join(sorted(known)) or 'none'}; run an experiment with the same odors"
        )
