import itertools
import json
from typing import Any

from kenyon.live.stream import MOST_CELLS, MOST_CHOSEN, MOST_FRAMES, Stream


def _all(stream: Stream) -> list[dict[str, Any]]:
    number = 0
    messages: list[dict[str, Any]] = []
    while True:
        texts, number = stream.after(number, wait_s=0.0)
        if not texts:
            return messages
        messages += [json.loads(text) for text in texts]


def test_who_comes_late_gets_everything_so_far_in_order() -> None:
    """However much it is, in pieces of bounded size."""
    stream = Stream()
    stream.say({"kind": "begun", "larvae": ["x" * 1000]})
    for t in range(700):
        stream.say({"kind": "frame", "t_s": t, "x": [0.5] * 100})
    stream.say({"kind": "ended", "t_s": 700})
    kinds = [message["kind"] for message in _all(stream)]
    assert kinds == ["begun", *["frame"] * 700, "ended"]
    first, _ = stream.after(0, wait_s=0.0)
    assert sum(map(len, first)) < 300_000


def test_of_too_many_frames_some_over_all_the_time_are_kept() -> None:
    """At most twice the number that a screen shows, the last one among them, and whatever is no frame."""
    stream = Stream()
    stream.say({"kind": "begun"})
    for t in range(25_001):
        if t == 4321:
            stream.say({"kind": "answer", "t_s": t})
        stream.say({"kind": "frame", "t_s": t})
    messages = _all(stream)
    times = [message["t_s"] for message in messages if message["kind"] == "frame"]
    assert MOST_FRAMES <= len(times) <= 2 * MOST_FRAMES
    assert times == sorted(times)
    assert times[-1] == 25_000
    assert times[0] == 0
    older = [later - earlier for earlier, later in itertools.pairwise(times) if earlier < 20_000]
    assert max(older) <= 4 * 25_000 / MOST_FRAMES
    assert [message["kind"] for message in messages if message["kind"] != "frame"] == ["begun", "answer"]


def test_a_reader_goes_on_where_it_was_also_after_some_was_forgotten() -> None:
    """Whoever is slow misses frames, and gets none twice."""
    stream, seen, number = Stream(), [], 0
    for t in range(3 * MOST_FRAMES):
        stream.say({"kind": "frame", "t_s": t})
        if t % 997 == 0:
            texts, number = stream.after(number, wait_s=0.0)
            seen += [json.loads(text)["t_s"] for text in texts]
    while (found := stream.after(number, wait_s=0.0))[0]:
        number = found[1]
        seen += [json.loads(text)["t_s"] for text in found[0]]
    assert seen == sorted(set(seen))
    assert seen[-1] == 3 * MOST_FRAMES - 1


def test_a_new_run_begins_anew() -> None:
    """What was before it is told to nobody any more."""
    stream = Stream()
    for run in ("first", "second"):
        stream.say({"kind": "begun", "title": run})
        stream.say({"kind": "frame", "t_s": 0.0})
    assert [message.get("title") for message in _all(stream)] == ["second", None]


def test_what_cells_did_long_ago_is_forgotten() -> None:
    """The last messages are kept, for those who come late."""
    stream = Stream()
    for t in range(5 * MOST_CELLS):
        stream.say({"kind": "cells", "larva": 0, "from_s": t})
    kept = [message["from_s"] for message in _all(stream)]
    assert MOST_CELLS <= len(kept) <= 2 * MOST_CELLS
    assert kept == list(range(5 * MOST_CELLS - len(kept), 5 * MOST_CELLS))


def test_the_larvae_that_were_chosen_last_are_looked_at() -> None:
    """No more than a few; choosing one again brings it to the front."""
    stream = Stream()
    for place in (*range(MOST_CHOSEN), 0, 99):
        stream.choose(place)
    assert stream.chosen == {*range(2, MOST_CHOSEN), 0, 99}


def test_nobody_waits_for_a_stream_that_is_closed() -> None:
    """A reader hears the rest, then that there is no more."""
    stream = Stream()
    stream.say({"kind": "begun"})
    stream.close()
    texts, number = stream.after(0, wait_s=60.0)
    assert len(texts) == 1
    assert stream.after(number, wait_s=60.0) == ([], number)
    assert stream.ended(number)
