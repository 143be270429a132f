"""Thirty questions of a neuroscientist, each asked in one line: twenty-five of the library, five of one's own.

As a command a question is `kenyon train ASKED`, in Python `run(ASKED)`. In the suite larvae live through each in a few
seconds of theirs, and what comes back is held against what the question needs: its groups, its controls, its tests. The
long test asks it by the command, in full, and what the circuit is known to do must come out.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import xarray
from numpy.typing import NDArray
from scipy import stats

from kenyon.conditioning import Design, Group, Lived, Phase, Probe, Results, Shuffle, Stage, as_design, compare, run
from kenyon.conditioning.entry import UNLIKE
from kenyon.conditioning.library import entries
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import odors
from tests.cli.running import run as command

LETTERS = dict(zip(UNLIKE, "ABC", strict=True))
A, B, C = UNLIKE
OCTANOL = "3-octanol"
"""Much like A."""

EVERY = ", ".join(f"?{LETTERS.get(odor.name, odor.name)}" for odor in odors())


class Answer(NamedTuple):
    """What a group answered to an odor, the last time unless another is named."""

    group: str
    odor: str = A
    time: int = -1


class Question(NamedTuple):
    """A question, and what an answer to it needs.

    Attributes:
        words: As a neuroscientist asks it.
        asked: The experiment: an id of the library, or a text.
        groups: What each group is tested with, in letters, each different test once.
        controls: Which of the groups are controls.
        effects: Pairs of answers of which the first is more; where the circuit is known to do it.
        options: Of the command, behind the experiment.
    """

    words: str
    asked: str
    groups: dict[str, str]
    controls: Sequence[str]
    effects: Sequence[tuple[Answer, Answer]] = ()
    options: Sequence[str] = ()

    @property
    def design(self) -> Design:
        """What is asked, as data."""
        design = as_design(self.asked)
        return design.with_twins() if "--twin" in self.options else design


def each(tests: str, *groups: str) -> dict[str, str]:
    """Return the same tests for each group."""
    return dict.fromkeys(groups, tests)


def more(group: str, *others: str, odor: str = A) -> list[tuple[Answer, Answer]]:
    """Return that a group answers more to an odor than each of the others does, at last."""
    return [(Answer(group, odor), Answer(other, odor)) for other in others]


LIBRARY = [
    Question(
        "Is it learning, and not what the odor, the reward or time do on their own?",
        "absolute",
        {"paired": "?A, ?B", "unpaired": "?A, ?B", "odor": "?A, ?B", "reinforcer": "?A, ?B", "naive": "?A, ?B"},
        ["unpaired", "odor", "reinforcer", "naive"],
        more("paired", "unpaired", "odor", "reinforcer", "naive"),
    ),
    Question(
        "Do they tell the odor that came with reward from one that did not?",
        "differential",
        each("?A, ?B", "trained", "exposed"),
        ["exposed"],
        more("trained", "exposed"),
    ),
    Question(
        "What do they learn of either of two odors, whichever is rewarded?",
        "reciprocal",
        each("?A, ?B", "first", "second"),
        ["second"],
        [*more("first", "second"), *more("second", "first", odor=B)],
    ),
    Question(
        "Which of two odors do they follow, one after the other before them for three minutes?",
        "choice",
        {"first": "live A/B", "second": "live B/A"},
        ["second"],
    ),
    Question(
        "Is a single trial enough?",
        "one-trial",
        each("?A", "paired", "unpaired"),
        ["unpaired"],
        more("paired", "unpaired"),
    ),
    Question(
        "How does the memory grow over eight trials?",
        "acquisition",
        each("?A", "paired", "unpaired"),
        ["unpaired"],
        [(Answer("paired", time=3), Answer("paired", time=1)), (Answer("paired", time=3), Answer("unpaired", time=3))],
    ),
    Question(
        "Does it matter that the odor announces the reward, if both come at random times?",
        "truly-random",
        each("?A", "random", "paired", "unpaired"),
        ["paired", "unpaired"],
        more("paired", "random", "unpaired"),
    ),
    Question(
        "Over which gap is an odor still linked with the reward that follows?",
        "trace/5s,30s",
        each("?A", "gap 5s", "gap 30s", "no gap", "together", "odor"),
        ["no gap", "together", "odor"],
        more("together", "no gap", "gap 5s", "gap 30s"),
    ),
    Question(
        "What is learned of an odor that comes after the reward?",
        "backward/5s",
        each("?A", "gap 5s", "no gap", "together", "odor"),
        ["no gap", "together", "odor"],
        more("together", "no gap", "gap 5s"),
    ),
    Question(
        "Does a tenth of the odor teach as much?",
        "dose/0.1,1",
        {"dose 0.1": "?A@0.1, ?A", "dose 1": "?A", "unpaired": "?A"},
        ["unpaired"],
        [*more("dose 0.1", "unpaired"), *more("dose 1", "unpaired")],
    ),
    Question(
        "Does more reward make more of a memory?",
        "strength/0.5,1",
        each("?A", "strength 0.5", "strength 1", "unpaired"),
        ["unpaired"],
        more("strength 1", "strength 0.5", "unpaired"),
    ),
    Question(
        "To which of all measured odors does it extend?",
        "generalisation",
        each(EVERY, "paired", "unpaired"),
        ["unpaired"],
        [(Answer("paired"), Answer("paired", B)), (Answer("paired", OCTANOL), Answer("paired", B))],
    ),
    Question(
        "Does the reward, if it is there at the test, change what they show?",
        "test-with-reinforcer",
        each("?A, ?A+, ?+", "paired", "unpaired"),
        ["unpaired"],
        more("paired", "unpaired"),
    ),
    Question(
        "Does one odor overshadow the other, if both are rewarded at once?",
        "overshadowing",
        each("?A, ?B", "compound", "alone", "other"),
        ["alone", "other"],
        [*more("alone", "other"), *more("other", "alone", odor=B)],
    ),
    Question(
        "Does what they know block what they could learn?",
        "blocking",
        each("?A, ?B", "blocked", "other", "fresh"),
        ["other", "fresh"],
    ),
    Question(
        "Does an odor gain value by leading to one that has it?",
        "second-order",
        each("?A, ?B", "second-order", "apart", "untrained"),
        ["apart", "untrained"],
        [(Answer("second-order", time=0), Answer("untrained", time=0))],
    ),
    Question(
        "Is an odor that they know already learned more slowly?",
        "latent-inhibition",
        each("?A", "exposed", "other", "fresh"),
        ["other", "fresh"],
        [(Answer("fresh"), Answer("fresh", time=0))],
    ),
    Question(
        "Does a reward that they know already teach less?",
        "reinforcer-preexposure",
        each("?A", "exposed", "fresh"),
        ["fresh"],
        [(Answer("fresh"), Answer("fresh", time=0))],
    ),
    Question(
        "Is a memory lost to its own odor alone, or to any?",
        "extinction-other-odor",
        each("?A, ?B", "same", "other", "rest"),
        ["other", "rest"],
        [*more("rest", "same"), *more("other", "same")],
    ),
    Question(
        "Is what was extinguished learned again faster?",
        "reacquisition",
        each("?A", "again", "first"),
        ["first"],
        [(Answer("again", time=0), Answer("again", time=1)), (Answer("again"), Answer("again", time=1))],
    ),
    Question(
        "Can they learn that what was sweet is bitter now?",
        "reversal-of-valence",
        each("?A", "reversed", "extinguished", "punished"),
        ["extinguished", "punished"],
        more("extinguished", "reversed"),
    ),
    Question(
        "Can they learn that the other odor is the good one now?",
        "reversal-of-odors",
        each("?A, ?B", "reversed", "kept", "first"),
        ["kept", "first"],
        [*more("kept", "reversed"), *more("reversed", "kept", odor=B)],
    ),
    Question(
        "Is anything left after half an hour?",
        "retention/30min",
        each("?A", "after 30min", "unpaired, after 30min", "at once"),
        ["at once", "unpaired, after 30min"],
        more("after 30min", "unpaired, after 30min"),
    ),
    Question(
        "Is the dopamine neuron needed to learn, or to show what was learned?",
        "dopamine-silenced",
        {"training": "?A", "test": "?A {silence DANp}", "never": "?A"},
        ["never"],
        [*more("never", "training"), (Answer("test", f"{A}, silence DANp"), Answer("training"))],
    ),
    Question(
        "Can driving the dopamine neuron stand in for the reward?",
        "dopamine-driven",
        each("?A", "driven", "apart", "rewarded"),
        ["apart", "rewarded"],
        [*more("rewarded", "apart"), *more("driven", "apart")],
    ),
]
"""Twenty-five of the library. What the circuit is known not to do, such as blocking, is not held against it."""

OTHER = f'B = "{B}"'

OWN = [
    Question(
        "Do larvae that were rewarded in two odors at once follow both, as long as they live through the test?",
        f"{OTHER}: compound: 3x(AB+ 60s, 60s) | live AB 60s, ?A, ?B; apart: 3x(AB 60s, + 60s) | live AB 60s, ?A, ?B",
        each("live AB, ?A, ?B", "compound", "apart"),
        ["apart"],
        [effect for odor in (f"live {B} + {A} 60s", A, B) for effect in more("compound", "apart", odor=odor)],
    ),
    Question(
        "What is an odor worth that came with sugar and quinine at once?",
        "both: 3x(A[reward 1, punishment 1] 60s, 60s) | ?A; sweet: 3x(A[reward 1] 60s, 60s) | ?A; "
        "bitter: 3x(A[punishment 1] 60s, 60s) | ?A",
        each("?A", "both", "sweet", "bitter"),
        ["sweet", "bitter"],
        [*more("sweet", "both", "bitter"), *more("both", "bitter")],
    ),
    Question(
        "Does current in the dopamine neuron of punishment teach what punishment teaches?",
        "driven: 3x({drive DANn 250pA: A 60s}, 60s) | ?A; apart: 3x(A 60s, {drive DANn 250pA: 60s}) | ?A; "
        "punished: 3x(A[punishment 1] 60s, 60s) | ?A",
        each("?A", "driven", "apart", "punished"),
        ["apart", "punished"],
        more("apart", "driven", "punished"),
    ),
    Question(
        "Do they know an odor again at ten times the dose they learned it at, and beside another?",
        f"{OTHER}: weak: 3x(A@0.1+ 60s, 60s) | ?A@0.1, ?A, ?AB@0.1; unpaired: 3x(A@0.1 60s, + 60s) | "
        "?A@0.1, ?A, ?AB@0.1",
        each("?A@0.1, ?A, ?AB@0.1", "weak", "unpaired"),
        ["unpaired"],
        [*more("weak", "unpaired"), *more("weak", "unpaired", odor=f"{A}@0.1")],
    ),
    Question(
        "Do they learn with less inhibition, and without feedback in pauses; and show it with one output neuron alone?",
        "{scale APL>KC 0.9: 3x(A+ 60s, {cut MBONn>DANp, cut LNp>DANp: 60s})} | {silence MBONn: ?A}, ?A",
        each("?A {silence MBONn}, ?A", "larvae") | each("?A", "larvae-twin"),
        ["larvae-twin"],
        options=["--twin"],
    ),
]
"""Five of one's own that no library names."""

QUESTIONS = [*LIBRARY, *OWN]

by_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.words)


def test_there_are_thirty() -> None:
    """Twenty-five different ones of the library, five texts."""
    assert len({question.asked.partition("/")[0] for question in LIBRARY} & set(entries())) == len(LIBRARY) == 25
    assert len(OWN) == 5
    assert len({question.design.id for question in QUESTIONS}) == 30


@by_question
def test_a_question_is_asked_in_one_line(question: Question) -> None:
    """Larvae of every group are asked what it needs, the controls among them, and are the same larvae in each."""
    design = brief(question.design)
    results = run(design, larvae=2, show_progress=False)
    assert {name: asked(result) for name, result in results.items()} == {
        name: set(needed.split(", ")) for name, needed in question.groups.items()
    }
    if question in LIBRARY:
        entry = entries()[question.asked.partition("/")[0]]
        assert set(question.controls) >= set(entry.controls)
    assert set(question.controls) < set(results)
    for name, result in results.items():
        group = design.group(name)
        needed = group_tests(group)
        assert np.isfinite(result.preference_index).sum() == 2 * len(needed)
        assert float(result.phase_duration_s.sum()) == pytest.approx(group.duration_s)
        assert (result.larva_seed.values == next(iter(results.values())).larva_seed.values).all()
    assert len(results.to_dataframe()) == sum(len(group_tests(design.group(name))) for name in results)
    assert len({result.design.item() for result in results.values()}) == len(results)


@by_question
def test_a_question_is_one_command(question: Question, tmp_path: Path) -> None:
    """Which says before anything is run what would be: the same groups, for as long."""
    done = command(["train", question.asked, *question.options, "--dry-run", "--json"], tmp_path)
    assert done.status == 0, done.err
    planned = json.loads(done.out)[0]
    assert {group["name"]: group["duration_s"] for group in planned["groups"]} == {
        name: question.design.group(name).duration_s for name in question.groups
    }
    assert Design.read(planned["design"]) == question.design


@pytest.mark.parametrize("question", [LIBRARY[22], OWN[0], OWN[4]], ids=lambda question: question.words)
def test_its_result_is_kept_in_files(question: Question, tmp_path: Path) -> None:
    """Written and read back it is equal, group by group, and says how it was made."""
    design = brief(question.design)
    results = run(design, larvae=1, weights=True, show_progress=False)
    results.save(tmp_path)
    loaded = Results.load(tmp_path)
    assert set(loaded) == set(results)
    for name, result in results.items():
        xarray.testing.assert_identical(loaded[name], result)
        assert Design.read(loaded[name].design.item()).groups[0].stages == design.group(name).stages


def test_larvae_that_were_asked_nothing_answer_nothing() -> None:
    """Nothing to show, and nothing to compare."""
    results = run("rest: 1s", larvae=2, show_progress=False)
    assert results.to_dataframe().empty
    assert "table" in results._repr_html_()
    with pytest.raises(InputError, match="rest must have been tested to be compared, got no test"):
        compare(results)


@pytest.mark.long
@by_question
def test_its_answer_is_what_the_circuit_is_known_to_do(question: Question, tmp_path: Path) -> None:
    """By the command, in full; larva by larva the first answer of each pair is more, by Wilcoxon's signed ranks."""
    folder = tmp_path / "results"
    done = command(
        ["train", question.asked, *question.options, "--larvae", "6", "--out", str(folder), "--json"], tmp_path
    )
    assert done.status == 0, done.err
    results = Results.load(folder)
    assert set(results) == set(question.groups)
    for high, low in question.effects:
        p = stats.wilcoxon(indices(results, high), indices(results, low), alternative="greater").pvalue
        assert p < 0.05, (high, low)


def brief(design: Design) -> Design:
    """Return a design that takes larvae 600 times less long, but for choices, which take 20 s at least."""
    return Design(
        [
            Group(group.name, [Stage([_brief(item) for item in stage.items], stage.label) for stage in group.stages])
            for group in design.groups
        ],
        design.bindings,
        design.reinforcer,
    )


def _brief(item: Phase | Probe | Lived | Shuffle) -> Phase | Probe | Lived | Shuffle:
    if isinstance(item, Shuffle):
        return Shuffle([[_brief(element) for element in block] for block in item.blocks])
    if isinstance(item, Lived) and item.against:
        return replace(item, duration_s=20.0)
    return replace(item, duration_s=round(item.duration_s / 600, 3))


def asked(result: xarray.Dataset) -> set[str]:
    """Return what a group was tested with, in letters."""
    return {_test(result.sel(test_odor=odor)) for odor in result.test_odor.values}


def _test(at: xarray.Dataset) -> str:
    smelled, against = _letters(str(at.test_smelled.item())), _letters(str(at.test_against.item()))
    done = str(at.test_manipulations.item())
    return (
        f"{'live ' if at.test_lived else '?'}{smelled}{'/' * bool(against)}{against}"
        f"{'+' * bool(at.test_reward > 0 or at.test_punishment > 0)}{f' {{{done}}}' * bool(done)}"
    )


def _letters(mixture: str) -> str:
    for odor, letter in LETTERS.items():
        mixture = mixture.replace(odor, letter)
    return "".join(sorted(mixture.split(" + ")))


def group_tests(group: Group) -> list[Probe | Lived]:
    """Return the tests of a group, in order."""
    return [element for element in group.elements if not isinstance(element, Phase)]


def indices(results: Results, answer: Answer) -> NDArray[np.float64]:
    """Return the preference index of each larva."""
    index = results[answer.group].preference_index.sel(test_odor=answer.odor).dropna("test", how="all")
    numbers: NDArray[np.float64] = index.isel(test=answer.time).values
    return numbers
