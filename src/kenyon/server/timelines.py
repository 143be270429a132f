"""What a circuit lives through when it is asked for a step, a probe or a copy of itself: the timelines of a batch."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from kenyon.mushroom_body import Parameters, Snapshot, drive
from kenyon.mushroom_body.circuit import MOST_KCS, layout
from kenyon.mushroom_body.inputs import stimulus
from kenyon.mushroom_body.state import layout_of_packed, newborn, pack, unpack
from kenyon.server.batching import Batch, Segment, Timeline
from kenyon.server.computing import KernelComputer
from kenyon.server.requests import Operation, Step, name_of
from kenyon.wire.messages import spelling

READOUTS = {"MBONp": "MBONp", "MBONn": "MBONn", "OSN_rate": "ORN", "KC_rate": "KC", "DANp": "DANp", "DANn": "DANn"}
"""Rates in a reply, mean over the cells of a group, Hz; the receptor class of Larvaworld reads `OSN_rate`."""


def _places(readouts: Mapping[str, str], n_kcs: int) -> list[tuple[str, int, int]]:
    """Return the name of each rate, the place of its group, and how many cells that has."""
    groups = layout(n_kcs).groups
    sizes = {group: cells.stop - cells.start for group, cells in groups.items()}
    return [(name, list(groups).index(group), sizes[group]) for name, group in readouts.items()]


@lru_cache(maxsize=MOST_KCS)
def _readouts(n_kcs: int) -> list[tuple[str, int, int]]:
    return _places(READOUTS, n_kcs)


_OUTPUT = _places({"MBONp": "MBONp", "MBONn": "MBONn"}, 1)
_RATES_TEXT = "{" + ", ".join(f'"{name}": %r' for name in (*READOUTS, "preference_index")) + "}"
"""What JSON says for the reply to a step: its numbers are finite, so that Python's own words for them are JSON's."""


class StepResult(NamedTuple):
    """What has become of a larva.

    Attributes:
        larva: Its circuit, a record of bytes.
        reply: The kwargs of the answer, as JSON says them.
        diverged: Whether a membrane potential has left all bounds.
    """

    larva: bytes
    reply: str
    diverged: bool


def awake(parameters: Parameters, wiring: str, larva: bytes | None, seed: int, replay: Sequence[Step]) -> Timeline:
    """Bring a circuit to where it was: newborn or as it was kept, and then through the steps done since; return it."""
    circuit = pack(newborn(parameters, [seed], wiring=wiring))[0] if larva is None else larva
    for step in replay:
        segment, _ = yield from _step(parameters, circuit, step)
        circuit = segment.larva
    return circuit


def step(
    parameters: Parameters, wiring: str, larva: bytes | None, seed: int, replay: Sequence[Step], asked: Step
) -> Timeline:
    """Live through one step more, and answer what is asked about it; return `StepResult`."""
    circuit = larva
    if circuit is None or replay:
        circuit = yield from awake(parameters, wiring, larva, seed, replay)
    segment, n_steps = yield from _step(parameters, circuit, asked)
    reply = _rates(segment.spikes, n_steps * parameters.dt_ms, _readouts(layout_of_packed(segment.larva).n_kcs))
    if not segment.diverged and not asked.probe:
        return StepResult(segment.larva, _RATES_TEXT % tuple(reply.values()), False)
    if segment.diverged:
        reply["diverged"] = True
    if asked.probe:
        reply["probes"] = yield from _probe(parameters, segment.larva, asked)
    return StepResult(segment.larva, spelling(reply), segment.diverged)


def probe(
    parameters: Parameters, wiring: str, larva: bytes | None, seed: int, replay: Sequence[Step], asked: Operation
) -> Timeline:
    """Answer about odors, each alone, with plasticity off, and stay untouched; return the circuit and the rates."""
    circuit = yield from awake(parameters, wiring, larva, seed, replay)
    rates = yield from _probe(parameters, circuit, asked)
    return circuit, rates


def snapshot_of(
    parameters: Parameters, wiring: str, larva: bytes | None, seed: int, replay: Sequence[Step]
) -> Snapshot:
    """Return a larva as it is after the steps done, computed here and now.

    Example:
        >>> from kenyon.mushroom_body import BALANCED
        >>> snapshot_of(BALANCED, "random", None, 7, [Step(0, {"anisole": 1.0}, 10.0)]).state.step
        array([100])
    """
    batch: Batch[None] = Batch(KernelComputer(parameters))
    batch.add(None, awake(parameters, wiring, larva, seed, replay))
    while not (over := batch.round()):
        pass
    if over[0].error is not None:
        raise over[0].error
    return as_snapshot(parameters, seed, over[0].result)


def as_snapshot(parameters: Parameters, seed: int, larva: bytes) -> Snapshot:
    """Return a larva's record as a snapshot that engines and files take."""
    return Snapshot(parameters, (seed,), drive(parameters)[None], unpack([larva]))


def _step(parameters: Parameters, circuit: bytes, asked: Step) -> Timeline:
    if asked.step == 0 and asked.warmup_ms:
        warmup = Segment(circuit, stimulus(parameters), parameters.steps("warmup", asked.warmup_ms))
        yield [warmup]
        circuit = warmup.larva
    given = stimulus(parameters, asked.odors, reward=asked.reward, punishment=asked.punishment)
    n_steps = parameters.steps("T", asked.duration_ms)
    segment = Segment(circuit, given, n_steps)
    yield [segment]
    return segment, n_steps


def _probe(parameters: Parameters, circuit: bytes, asked: Step | Operation) -> Timeline:
    n_steps = parameters.steps("probe_ms", asked.probe_ms)
    segments = [
        Segment(circuit, stimulus(parameters, {odor: asked.probe_concentration}), n_steps, plastic=False)
        for odor in asked.probe
    ]
    yield segments
    answered = zip(asked.probe, segments, strict=True)
    return {name_of(odor): _rates(segment.spikes, n_steps * parameters.dt_ms, _OUTPUT) for odor, segment in answered}


def _rates(spikes: Sequence[int], duration_ms: float, readouts: Sequence[tuple[str, int, int]]) -> dict[str, Any]:
    """Return mean rates, Hz, and the preference index of the two output neurons.

    The operations are those of `Activity` in the same order, on numbers of Python's own, quicker for one larva.
    """
    seconds = duration_ms * 1e-3
    rates = {name: spikes[group] / cells / seconds for name, group, cells in readouts}
    p, n = rates["MBONp"], rates["MBONn"]
    rates["preference_index"] = (p - n) / (p + n) if p + n > 0.0 else 0.0
    return rates
