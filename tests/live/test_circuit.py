from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from kenyon.conditioning import Experiment
from kenyon.errors import MismatchError
from kenyon.live.circuit import CircuitSource
from kenyon.mushroom_body import Record
from tests.live.reading import Tape

DESIGN = (
    "B = anisole: trained: ?A, A+ 3s, {silence APL: B 2s}, ?A, ?B; "
    "shuffled: shuffle(A 2s, B- 2s, 2s), ?A; choice: live A/B 20s"
)


def _told(design: str = DESIGN, *chosen: int, **options: Any) -> tuple[Tape, Experiment]:
    experiment = Experiment(design, larvae=3, seed=5, **options)
    tape = Tape(*chosen)
    experiment.run([CircuitSource([experiment], tape)], show_progress=False)
    return tape, experiment


def test_what_was_answered_is_told_as_the_result_has_it() -> None:
    """Every test of every group, larva by larva, and what each larva has learned in the end."""
    tape, experiment = _told()
    results, told = experiment.results(), defaultdict(list)
    for answer in tape.of("answer"):
        told[answer["group"], answer["odor"]].append(answer["preference"])
    first = {"trained": 0, "shuffled": 3, "choice": 6}
    for group, result in results.items():
        for column, odor in enumerate(result.test_odor.values.tolist()):
            measured = result.preference_index.values[:, :, column]
            moments = [own for own in measured.T if not np.isnan(own).any()]
            assert len(moments) == len(told[group, odor]) > 0
            for mine, theirs in zip(moments, told[group, odor], strict=True):
                own = [None] * 9
                own[first[group] : first[group] + 3] = np.round(mine, 3).tolist()
                assert theirs == own
    ended = tape.messages[-1]
    assert (ended["kind"], ended["complete"], ended["t_s"]) == ("ended", True, 31.0)
    learned: dict[str, list[float | None]] = {odor: [None] * 9 for odor in tape.messages[0]["stimuli"]}
    for answer in tape.of("answer"):
        for place, index in enumerate(answer["preference"]):
            learned[answer["odor"]][place] = learned[answer["odor"]][place] if index is None else index
    assert ended["learned"] == learned


def test_the_spikes_of_a_larva_are_those_that_are_recorded() -> None:
    """A copy that lives through the same again fires as the larva did, also manipulated, shuffled and in a choice."""
    tape, experiment = _told(DESIGN, 1, 4, 8, recordings={"phases": Record(spikes=True)})
    results = experiment.results()
    for place, group, larva in ((1, "trained", 1), (4, "shuffled", 1), (8, "choice", 2)):
        recorded = results[group]
        mine = recorded.spike_larva.values == larva
        expected = np.bincount(recorded.spike_neuron.values[mine], minlength=142)
        told = np.zeros(142, dtype=int)
        for message in tape.of("cells"):
            if message["larva"] == place:
                for cell, *times_ms in message["spikes"]:
                    assert times_ms == sorted(times_ms)
                    assert 0 <= times_ms[0] <= times_ms[-1] < (message["t_s"] - message["from_s"]) * 1e3
                    told[cell] += len(times_ms)
        assert told.tolist() == expected.tolist()
        assert told.sum() > 1000


def test_time_runs_on_over_groups() -> None:
    """Frames and cells never go back, and stand within the time of their group."""
    tape, experiment = _told(DESIGN, 0, 3)
    begun, frames = tape.messages[0], tape.of("frame")
    assert begun["spans"] == {"trained": [0.0, 5.0], "shuffled": [5.0, 11.0], "choice": [11.0, 31.0]}
    assert begun["duration_s"] == 31.0
    times = [frame["t_s"] for frame in frames]
    assert times == sorted(times)
    assert times[-1] == 31.0
    for message in tape.of("cells"):
        start, end = begun["spans"][begun["groups"][message["larva"]]]
        assert start <= message["from_s"] < message["t_s"] <= end
    for frame in frames:
        lived = [i for i, rate in enumerate(frame["rates"]["ORN"]) if rate is not None]
        group = next(name for name, (start, end) in begun["spans"].items() if start < frame["t_s"] <= end)
        assert {begun["groups"][i] for i in lived} == {group}
    assert [row["group"] for row in begun["timeline"]].count("trained") == 5
    assert experiment.ended


def test_what_is_given_is_told_with_each_frame() -> None:
    """Of larvae that are in different phases nothing is said."""
    tape, _ = _told()
    given = {frame["t_s"]: frame["given"] for frame in tape.of("frame")}
    assert given[3.0] == {"odors": {"pentyl acetate": 1.0}, "reward": 1.0, "punishment": 0.0}
    assert given[5.0] == {"odors": {"anisole": 1.0}, "reward": 0.0, "punishment": 0.0}
    assert None in {given[t] if given[t] is None else 0 for t in given if 5 < t <= 11}
    assert [given[t]["odors"] for t in (16.0, 21.0, 26.0, 31.0)] == [{"pentyl acetate": 1.0}] * 2 + [
        {"anisole": 1.0}
    ] * 2


def test_nothing_is_another_number_for_being_watched() -> None:
    """The results are the same to the last bit."""
    tape, experiment = _told("A+ 3s, ?A", 0, 1, 2)
    unwatched = Experiment("A+ 3s, ?A", larvae=3, seed=5).run(show_progress=False)
    assert experiment.results().one.identical(unwatched.one)
    assert tape.of("cells")


def test_several_experiments_stand_on_one_page() -> None:
    """One after the other, also where their groups have the same name."""
    designs = ("A+ 2s, ?A", "A 2s, ?A")
    experiments = [Experiment(design, larvae=2) for design in designs]
    tape = Tape()
    source = CircuitSource(experiments, tape)
    for experiment in experiments:
        experiment.run([source], show_progress=False)
    assert len(tape.of("begun")) == len(tape.of("ended")) == 1
    assert [answer["t_s"] for answer in tape.of("answer")] == [2.0, 4.0]
    assert [sum(own is not None for own in answer["preference"]) for answer in tape.of("answer")] == [2, 2]
    with pytest.raises(MismatchError, match="must be of a group that the page was told of and that is to come"):
        Experiment("A 1s, ?A", larvae=1).run([source], show_progress=False)


def test_an_experiment_that_goes_on_is_watched_from_there() -> None:
    """What a page was not told, it leaves out."""
    experiment = Experiment("A+ 12s, ?A", larvae=2)
    events = experiment.events()
    for _ in range(3):
        next(events)
    tape = Tape(0)
    experiment.run([CircuitSource([experiment], tape)], show_progress=False)
    assert next(message["kind"] for message in tape.messages if message["kind"] != "cells") == "begun"
    assert tape.of("ended")[0]["complete"]
