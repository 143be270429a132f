"""Any design runs as it is written; it can be stopped anywhere, and goes on exactly there."""

import json
import pickle
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon.conditioning import Design, Experiment, Lived, Phase, Probe, Results, run
from kenyon.conditioning.events import Answered, GroupBegan, GroupEnded, PhaseBegan, PhaseEnded, SliceLived
from kenyon.conditioning.schedule import order
from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import DEFAULT, Odor, Population, Record
from kenyon.seeds import larva_seeds

MINE = Odor("mine", [0.0] * 15 + [3.0] * 6)

RICH = Design.read(
    'B = anisole, C = "mine": '
    "first: ?A 100ms, shuffle(A+ 300ms, (B[punishment 0.5] 200ms, ?B 100ms), {drive KC 20pA: 6s}, ?A+ 100ms) "
    "| live C 400ms, {silence DANp: ?A 100ms}; "
    "second: {cut MBONn>DANp: 2x(AB@0.1 200ms, 100ms)} | live A/B 20s, {scale APL>KC 0.5: ?A@0.1 200ms}",
    odors=[MINE],
)
"""Orders drawn for each larva, tests lived through, a choice, manipulations, doses, an odor of one's own."""

KEPT: dict[str, Any] = {"larvae": 5, "seed": 3, "weights": True, "codes": True, "per_second": True}


@pytest.fixture(scope="module")
def whole() -> Results:
    """Return what came of it without a stop."""
    return run(RICH, show_progress=False, **KEPT)


def assert_same(results: Results, others: Results) -> None:
    """Hold every group against the other's, to the last bit."""
    assert list(results) == list(others)
    for name, result in results.items():
        assert result.identical(others[name]), name


def test_every_larva_lives_what_its_order_says(whole: Results) -> None:
    """By hand, one larva after the other, element after element: the second implementation."""
    for group in RICH.groups:
        seeds = larva_seeds(3, 5)
        for place, seed in enumerate(seeds):
            larva = Population(DEFAULT, [seed])
            result = whole[group.name].isel(larva=place)
            answers = [live(larva, group.elements[number]) for number in order(group, seeds)[place]]
            expected = sorted(index for own in answers for index in own)
            found = result.preference_index.values.ravel()
            assert sorted(found[~np.isnan(found)].tolist()) == expected
            assert (result.w_kc_mbonp_nS.values[-1] == larva.state.w_kc_mbonp_nS[0].astype(np.float32)).all()


def live(larva: Population, element: Phase | Probe | Lived) -> list[float]:
    """Let one larva live through an element, or ask it; return its answer, if it is a test."""
    given: dict[str, Any] = {"reward": element.reward, "punishment": element.punishment}
    duration_ms = round(element.duration_s * 1e3, 6)
    if isinstance(element, Probe):
        asked = larva.probe(dict(element.odors), duration_ms, manipulations=element.manipulations, **given)
        answers: list[float] = asked.preference_index.tolist()
        return answers
    larva.manipulate(*element.manipulations)
    if isinstance(element, Lived) and element.against:
        counts = np.zeros((2, 2))
        for turn in range(round(element.duration_s / 10)):
            larva.stimulate(dict((element.odors, element.against)[turn % 2]), **given)
            activity = larva.advance(10_000)
            counts[turn % 2] += [activity.spikes_of("MBONp")[0], activity.spikes_of("MBONn")[0]]
        first, second = (counts[:, 0] - counts[:, 1]) / counts.sum(axis=1)
        return [first - second]
    larva.stimulate(dict(element.odors), **given)
    lived = larva.advance(duration_ms)
    answers = lived.preference_index.tolist()
    return answers if isinstance(element, Lived) else []


def test_a_result_says_of_each_larva_when_it_came_to_what(whole: Results) -> None:
    """Larvae of one group differ in it where their order was drawn; every order holds the same."""
    first, second = whole.values()
    assert first.phase_start_s.dims == ("larva", "phase")
    assert second.phase_start_s.dims == ("phase",)
    assert len({tuple(own) for own in first.phase_start_s.values[:, :3].tolist()}) > 1
    ends = (first.phase_start_s + first.phase_duration_s).max("phase")
    assert np.allclose(ends, RICH.groups[0].duration_s)
    assert first.phase_manipulations.values.tolist() == ["", "", "drive KC 20pA", ""]
    assert first.test_odor.values.tolist() == [
        "pentyl acetate",
        "anisole",
        "pentyl acetate, reward 1",
        "live mine 0.4s",
        "pentyl acetate, silence DANp",
    ]
    assert second.test_odor.values.tolist() == [
        "live pentyl acetate/anisole 20s",
        "pentyl acetate@0.1, scale APL>KC 0.5",
    ]
    assert json.loads(first.own_odors.item())["mine"]


def test_rates_of_seconds_are_those_of_their_phase(whole: Results) -> None:
    """Their mean over the phase, each weighed by how long it lasted."""
    for result in whole.values():
        for phase in range(result.sizes["phase"]):
            of_phase = result.isel(second=result.second_phase.values == phase)
            mean = (of_phase.rate_hz * of_phase.second_duration_s).sum("second") / of_phase.second_duration_s.sum()
            assert np.allclose(mean, result.phase_rate_hz.isel(phase=phase))


def test_an_experiment_stopped_anywhere_goes_on_exactly(whole: Results, tmp_path: Path) -> None:
    """After any event: by going on, from a pickle, from a file, with other threads."""
    experiment = Experiment(RICH, **KEPT)
    told = []
    for number in range(10_000):
        event = next(experiment.events(), None)
        if event is None:
            break
        told.append(type(event))
        if number % 5 == 1:
            experiment = pickle.loads(pickle.dumps(experiment))
        if number % 5 == 3:
            experiment = Experiment.resume(experiment.checkpoint(tmp_path / f"{number}"), threads=1 + number % 2)
    assert experiment.ended
    assert_same(experiment.results(), whole)
    assert told == [type(event) for event in Experiment(RICH, **KEPT).events()]


def test_an_interrupted_act_is_done_again(whole: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C within the engine, and between its end and what is made of it: nothing is lost and nothing done twice."""
    experiment = Experiment(RICH, **KEPT)
    advance, calls = Population.advance, 0

    def interrupted(self: Population, *given: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 3 == 1:
            raise KeyboardInterrupt
        activity = advance(self, *given, **options)
        if calls % 3 == 2:  # The population has moved on, nobody has heard of it.
            raise KeyboardInterrupt
        return activity

    monkeypatch.setattr(Population, "advance", interrupted)
    while not experiment.ended:
        with suppress(KeyboardInterrupt):
            list(experiment.events())
    assert_same(experiment.results(), whole)


def test_events_tell_what_happens_in_order() -> None:
    """Of each group its beginning, of each phase its beginning and end, of each test its answer."""
    heard: list[Any] = []
    results = run("one: A+ 6s, ?A 1s; two: live A 1s", larvae=2, listeners=[heard.append], show_progress=False)
    kinds = [GroupBegan, PhaseBegan, SliceLived, SliceLived, PhaseEnded, Answered, GroupEnded]
    assert [type(event) for event in heard[:7]] == kinds
    assert [type(event) for event in heard[7:]] == [
        GroupBegan, PhaseBegan, SliceLived, PhaseEnded, Answered, GroupEnded,
    ]  # fmt: skip
    assert [event.group for event in heard] == ["one"] * 7 + ["two"] * 6
    assert [float(event.activity.duration_ms[0]) for event in heard[2:6]] == [5000, 1000, 6000, 1000]
    assert (heard[5].preference_index == results["one"].preference_index.values[:, 0, 0]).all()


def test_whoever_listens_may_stop_it() -> None:
    """What a listener raises ends the run; the experiment itself can go on."""
    experiment = Experiment("A+ 12s, ?A 1s", larvae=1)

    def enough(event: Any) -> None:
        assert not isinstance(event, SliceLived), "enough"

    with pytest.raises(AssertionError, match="enough"):
        experiment.run([enough], show_progress=False)
    with pytest.raises(InputError, match="must have a group that is through, got none"):
        experiment.results()
    assert_same(experiment.run(show_progress=False), run("A+ 12s, ?A 1s", larvae=1, show_progress=False))


def test_trained_larvae_are_taken_into_tests_and_continuations() -> None:
    """Each branch finds the larvae as they were: what one does with them the others do not see."""
    trained = Experiment("trained: A+ 2s, ?A 1s; naive: 2s, ?A 1s", larvae=3, seed=4)
    trained.run(show_progress=False)
    together = run("trained: A+ 2s, ?A 1s, A 3s, ?A 1s; naive: 2s, ?A 1s, A 3s, ?A 1s", larvae=3, seed=4,
                   show_progress=False)  # fmt: skip
    asked = trained.branch("?A 1s").run(show_progress=False)
    extinguished = [trained.branch("A 3s, ?A 1s").run(show_progress=False) for _ in range(2)]
    for name in ("trained", "naive"):
        last = together[name].preference_index.values[:, -1, 0]
        assert (asked[name].preference_index.values[:, 0, 0] == together[name].preference_index.values[:, 0, 0]).all()
        for result in extinguished:
            assert (result[name].preference_index.values[:, -1, 0] == last).all()
        assert asked[name].began_as.item().startswith("larvae ")
        assert asked[name].run_id.item() != extinguished[0][name].run_id.item()
    assert_same(*extinguished)
    assert asked["trained"].run_id.item() != asked["naive"].run_id.item()


def test_larvae_that_were_given_go_on_as_they_were() -> None:
    """Of a population, at any moment; the id of the run tells them apart."""
    population = Population(DEFAULT, larva_seeds(4, 3))
    population.stimulate("pentyl acetate", reward=1.0)
    population.advance(2000)
    given = run("?A 1s", larvae=population.snapshot(), show_progress=False).one
    trained = run("A+ 2s, ?A 1s", larvae=3, seed=4, show_progress=False).one
    assert (given.preference_index.values == trained.preference_index.values).all()
    newborn = run("?A 1s", larvae=Population(DEFAULT, larva_seeds(4, 3)).snapshot(), show_progress=False).one
    assert newborn.run_id.item() != given.run_id.item()


def test_a_branch_of_unknown_groups_is_refused() -> None:
    """And one of an experiment that has not begun."""
    trained = Experiment("trained: A+ 1s, ?A 1s; naive: 1s, ?A 1s", larvae=1)
    with pytest.raises(InputError, match="names of those that have begun, \\[\\], got \\['larvae'\\]"):
        trained.branch("A 1s")
    trained.run(show_progress=False)
    with pytest.raises(InputError, match="groups of a branch must be one for all, or have the names of those"):
        trained.branch("x: A 1s; y: A 2s")


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    """In one sentence: truncated, of something else, or with something missing or odd within."""
    experiment = Experiment("A+ 6s, ?A 1s", larvae=2)
    for _, _ in zip(range(3), experiment.events(), strict=False):
        pass
    file = experiment.checkpoint(tmp_path / "a")
    with pytest.raises(InputError, match="exists already"):
        experiment.checkpoint(file)
    words = file.read_bytes()
    for broken in (b"", words[:1000], words[:-50]):
        file.write_bytes(broken)
        with pytest.raises(FileFormatError, match="must be a whole"):
            Experiment.resume(file)
    other = Population(seeds=[1]).snapshot().save(tmp_path / "b")
    with pytest.raises(FileFormatError, match="must hold a experiment, got a 'snapshot'"):
        Experiment.resume(other)


def test_groups_without_a_shuffle_have_one_order() -> None:
    """All larvae the same; a shuffled one has every order sooner or later, and the same in every process."""
    plain = Design.read("A 1s, ?A, 2s").groups[0]
    assert order(plain, [1, 2]).tolist() == [[0, 1, 2]] * 2
    shuffled = Design.read("B = anisole: shuffle(A 1s, B 1s, 1s)").groups[0]
    drawn = {tuple(own) for own in order(shuffled, range(200)).tolist()}
    assert len(drawn) == 6


def _concat(parts: Sequence[xarray.Dataset]) -> xarray.Dataset:
    return xarray.concat(parts, "larva", coords="different", compat="equals")


def test_results_of_new_kinds_keep_their_origin_when_joined(whole: Results, tmp_path: Path) -> None:
    """Designs, manipulations and odors of one's own are said by each larva, also out of a file."""
    other = run(RICH, **{**KEPT, "seed": 4}, show_progress=False)
    for name in whole:
        joined = _concat([whole[name], other[name]])
        assert joined.design.ndim == 0
        for own, result in ((slice(5), whole[name]), (slice(5, 10), other[name])):
            assert set(joined.isel(larva=own).run_id.values.tolist()) == {result.run_id.item()}
    files = whole.save(tmp_path)
    assert [file.name for file in files] == ["first.nc", "second.nc"]
    assert_same(Results.load(tmp_path), whole)


def test_results_come_in_the_order_of_the_numbers_in_their_names(whole: Results, tmp_path: Path) -> None:
    """A trend over doses goes by them, not by their spelling."""
    one = whole["first"]
    Results({"dose 2": one, "dose 10": one, "dose 0.5": one, "none": one}).save(tmp_path)
    assert list(Results.load(tmp_path)) == ["dose 0.5", "dose 2", "dose 10", "none"]


def test_recordings_are_those_of_single_larvae() -> None:
    """Spikes, potentials and eligibility of phases and tests, wherever slices end, in orders of each larva's own."""
    text = "B = anisole: ?A 100ms, shuffle(A+ 6s, (B 300ms, ?B 200ms))"
    record = Record(spikes=True, variables=("v_mV", "eligibility"), every_ms=70)
    experiment = Experiment(text, larvae=3, seed=1, recordings=record)
    for number, _ in enumerate(experiment.events()):
        if number == 4:
            break
    experiment = pickle.loads(pickle.dumps(experiment))
    result = experiment.run(show_progress=False).one
    group = experiment.design.groups[0]
    for place, seed in enumerate(larva_seeds(1, 3)):
        larva = Population(DEFAULT, [seed])
        for number in order(group, larva_seeds(1, 3))[place]:
            element = group.elements[number]
            given = {"reward": element.reward}
            if isinstance(element, Probe):
                activity = larva.probe(dict(element.odors), element.duration_s * 1e3, record=record, **given)
                dim, at = "test_odor", result.test_odor.values.tolist().index(dict(element.odors).popitem()[0])
            else:
                larva.stimulate(dict(element.odors), **given)
                activity = larva.advance(element.duration_s * 1e3, record=record)
                dim, at = "phase", result.phase_odors.values.tolist().index(dict(element.odors).popitem()[0])
            mine = (result.spike_larva == place) & (result[f"spike_{dim}"] == at)
            assert activity.spikes is not None
            steps = np.rint(result.spike_time_ms.values[mine] / DEFAULT.dt_ms).astype(int)
            found = sorted(zip(steps.tolist(), result.spike_neuron.values[mine].tolist(), strict=True))
            assert found == sorted(map(tuple, activity.spikes[0].tolist()))
            of_it = result[f"sample_{dim}"].values == at
            assert np.allclose(result.sample_time_ms.values[of_it], activity.sample_ms)
            for name in ("v_mV", "eligibility"):
                assert (result[f"recorded_{name}"].values[place, of_it] == activity.samples[name][0]).all(), name


def test_only_what_is_named_is_recorded() -> None:
    """By label, by test odor, in all phases or tests; what names nothing is refused."""
    text = "B = anisole: #first A 100ms, ?A 100ms, ?B 100ms | #second A 100ms"
    for named, phases, tests in (
        ({"first": Record(spikes=True)}, {0}, {0, 1}),
        ({"anisole": Record(spikes=True)}, set(), {1}),
        ({"phases": Record(spikes=True)}, {0, 1}, set()),
    ):
        result = run(text, larvae=1, recordings=named, show_progress=False).one
        assert set(result.spike_phase.values.tolist()) - {-1} == phases
        assert set(result.spike_test_odor.values.tolist()) - {-1} == tests
    with pytest.raises(InputError, match="'third' must name a phase, a stage or a test, got none of these"):
        run(text, larvae=1, recordings={"third": Record(spikes=True)}, show_progress=False)
    with pytest.raises(InputError, match="every_ms must divide a second"):
        run(text, recordings=Record(variables=("v_mV",), every_ms=70), per_second=True, show_progress=False)
