"""Timelines computed together are what each would be alone."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kenyon.errors import KenyonError
from kenyon.mushroom_body import BALANCED, Population, drive
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.mushroom_body.inputs import stimulus
from kenyon.mushroom_body.state import newborn, pack
from kenyon.server.batching import Batch, DroppedError, Segment, Timeline
from kenyon.server.computing import Advanced, KernelComputer

LARVAE = pack(newborn(BALANCED, range(5)))
ODORS = ("pentyl acetate", "anisole", "3-octanol")


class Slicing(KernelComputer):
    """The kernel, in slices of another length."""

    def __init__(self, slice_steps: int) -> None:
        super().__init__(BALANCED)
        self.slice_steps = slice_steps


def timeline(larva: int, plan: list[tuple[int, int, int]]) -> Timeline:
    """Live through segments of (odor, steps, probes), each probe on a copy with plasticity off."""
    circuit, seen = LARVAE[larva], []
    for odor, steps, probes in plan:
        segment = Segment(circuit, stimulus(BALANCED, ODORS[odor], reward=0.5), steps)
        yield [segment]
        circuit = segment.larva
        asked = [Segment(circuit, stimulus(BALANCED, name), steps, plastic=False) for name in ODORS[:probes]]
        yield asked
        seen.append([list(one.spikes) for one in (segment, *asked)])
    return circuit, seen


def alone(larva: int, plan: list[tuple[int, int, int]]) -> Any:
    """Return the same from the library."""
    population, seen = Population(BALANCED, [larva]), []
    for odor, steps, probes in plan:
        activity = population.advance(steps / 10, drive(BALANCED, ODORS[odor], reward=0.5))
        asked = [population.probe(name, steps / 10) for name in ODORS[:probes]]
        seen.append([[int(one.counts[0, cells].sum()) for cells in GROUPS.values()] for one in (activity, *asked)])
    return pack(population.state)[0], seen


plans = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 90), st.integers(0, 3)), min_size=1, max_size=3)


@settings(max_examples=30)
@given(all_plans=st.lists(plans, min_size=1, max_size=5), slice_steps=st.integers(7, 100), rows=st.integers(1, 6))
def test_neither_slices_nor_neighbors_change_a_number(
    all_plans: list[list[tuple[int, int, int]]], slice_steps: int, rows: int
) -> None:
    """Whatever the length of a slice, and however few circuits fit into a round."""
    batch: Batch[int] = Batch(Slicing(slice_steps), rows)
    for larva, plan in enumerate(all_plans):
        batch.add(larva, timeline(larva, plan))
    results = {}
    while len(batch):
        for finished in batch.round():
            results[finished.tag] = finished.result
    assert results == {larva: alone(larva, plan) for larva, plan in enumerate(all_plans)}


def test_a_short_course_ends_before_a_long_one() -> None:
    """And one that comes later is not kept waiting by those that are under way."""
    batch: Batch[str] = Batch(Slicing(10), rows=2)
    for name, steps in (("long", 1000), ("longer", 2000), ("short", 5)):
        batch.add(name, timeline(0, [(0, steps, 0)]))
    ended = []
    for rounds in itertools.count():
        ended += [(finished.tag, rounds) for finished in batch.round()]
        if not len(batch):
            break
    assert [tag for tag, _ in ended] == ["short", "long", "longer"]
    assert ended[0][1] <= 1


def test_newcomers_without_end_do_not_keep_a_long_course_waiting() -> None:
    """A part of every round is for those under way, however many newcomers there are."""
    batch: Batch[str] = Batch(Slicing(10), rows=4)
    batch.add("long", timeline(0, [(0, 50, 0)]))
    ended: list[str] = []
    for rounds in range(20):
        for i in range(8):
            batch.add(f"short {rounds} {i}", timeline(1, [(0, 5, 0)]))
        ended += [finished.tag for finished in batch.round()]
        if "long" in ended:
            break
    assert "long" in ended
    assert len(ended) > rounds


@given(st.integers(1, 70), st.integers(0, 70), st.integers(0, 3))
def test_who_is_late_waits_for_the_others_but_not_for_ever(late: int, others: int, under_way: int) -> None:
    """However many came before: newcomers fill the round but for an eighth, which is kept for those who are late."""
    batch: Batch[str] = Batch(Slicing(10), rows=16)
    for _ in range(under_way):
        batch.add("under way", timeline(0, [(0, 1000, 0)]))
    batch.round()
    for _ in range(late):
        batch.add("late", timeline(0, [(0, 5, 0)]), is_late=True)
    for _ in range(others):
        batch.add("other", timeline(0, [(0, 5, 0)]))
    tags = [finished.tag for finished in batch.round()]
    room = 16 - min(4, under_way)
    assert tags.count("other") == min(others, room - min(2, late))
    assert tags.count("late") == min(late, 2)
    while len(batch) > under_way:
        tags += [finished.tag for finished in batch.round()]
    assert (tags.count("late"), tags.count("other")) == (late, others)


def test_newcomers_are_not_held_up_by_many_long_timelines_while_others_are_computed() -> None:
    """Then a round of newcomers takes along few of those under way, and what is over at once is said at once."""
    batch: Batch[str] = Batch(Slicing(10), rows=4)
    for i in range(8):
        batch.add(f"long {i}", timeline(0, [(0, 100, 0)]))
    for _ in range(2):  # All of them are under way now.
        assert batch.round() == []
    first, _ = batch.begin()
    batch.add("short", timeline(1, [(0, 5, 0)]))

    def nothing() -> Timeline:
        yield []
        return "done"

    batch.add("nothing", nothing())
    second, over = batch.begin()
    assert [finished.tag for finished in over] == ["nothing"]
    assert (len(first), len(second)) == (4, 2)
    for begun in (second, first):
        begun.compute()
    assert [finished.tag for finished in batch.end(second)] == ["short"]
    assert batch.end(first) == []


def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    """What was begun is finished."""
    gone: set[str] = set()
    batch: Batch[str] = Batch(Slicing(10), rows=1, is_gone=lambda tag: tag in gone)
    batch.add("begun", timeline(0, [(0, 30, 0)]))
    assert batch.round() == []
    batch.add("not begun", timeline(1, [(0, 30, 0)]))
    gone |= {"begun", "not begun"}
    over = {}
    while len(batch):
        over.update({finished.tag: finished for finished in batch.round()})
    assert isinstance(over["not begun"].error, DroppedError)
    assert over["begun"].result == alone(0, [(0, 30, 0)])


def test_a_course_that_fails_ends_alone() -> None:
    """Its error is its own; the others go on."""

    def failing(after: int) -> Timeline:
        for _ in range(after):
            yield [Segment(LARVAE[0], stimulus(BALANCED), 10)]
        raise KenyonError(f"after {after}")

    batch: Batch[int] = Batch(Slicing(10))
    batch.add(0, failing(0))
    batch.add(1, failing(3))
    batch.add(2, timeline(2, [(0, 50, 1)]))
    over = {}
    while len(batch):
        for finished in batch.round():
            over[finished.tag] = finished
    assert [str(over[i].error) for i in (0, 1)] == ["after 0", "after 3"]
    assert over[2].result == alone(2, [(0, 50, 1)])


def test_an_engine_that_fails_fails_those_it_was_computing() -> None:
    """Whoever waits hears of it, and later ones are computed."""

    class Broken(KernelComputer):
        broken = True

        def advance(self, *job: Any, plastic: bool) -> Advanced:
            if self.broken:
                raise KenyonError("the engine is broken")
            return super().advance(*job, plastic=plastic)

    engine = Broken(BALANCED)
    batch: Batch[int] = Batch(engine)
    batch.add(0, timeline(0, [(0, 10, 0)]))
    (finished,) = batch.round()
    assert str(finished.error) == "the engine is broken"
    engine.broken = False
    batch.add(1, timeline(1, [(0, 10, 0)]))
    assert batch.round()[0].result == alone(1, [(0, 10, 0)])


def test_circuits_of_a_frame_are_computed_at_once() -> None:
    """As many as there are, up to what a round takes."""
    batch: Batch[int] = Batch(KernelComputer(BALANCED), rows=4)
    for larva in range(5):
        batch.add(larva, timeline(larva, [(0, 10, 0)]))
    while len(batch):
        batch.round()
    assert batch.take_sizes() == [4, 1]
    assert batch.take_sizes() == []


@pytest.mark.parametrize("larvae", [1, 5])
def test_a_computer_gives_back_what_it_was_given_moved_on(larvae: int) -> None:
    """One record, one row of spikes and one verdict for each; it keeps nothing."""
    computer = KernelComputer(BALANCED)
    steps: NDArray[np.int64] = np.arange(1, larvae + 1, dtype=np.int64) * 10
    rates = np.tile(drive(BALANCED, "anisole"), (larvae, 1))
    moved, spikes, diverged = computer.advance(LARVAE[:larvae], steps, rates, plastic=True)
    assert (len(moved), spikes.shape, diverged.tolist()) == (larvae, (larvae, len(GROUPS)), [False] * larvae)
    again = computer.advance(LARVAE[:larvae], steps, rates, plastic=True)
    assert again[0] == moved
