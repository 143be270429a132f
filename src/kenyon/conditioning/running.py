"""The one call that carries an experiment out."""

from collections.abc import Sequence
from typing import Any

from kenyon.conditioning.designs import Design
from kenyon.conditioning.events import Listener
from kenyon.conditioning.experiment import Experiment
from kenyon.conditioning.outcome import Results
from kenyon.mushroom_body import DEFAULT, Odor, Parameters, Snapshot
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.wiring import RANDOM


def run(
    design: Design | str,
    *,
    odors: Sequence[Odor] = (),
    larvae: int | Snapshot = 30,
    seed: int = 0,
    parameters: Parameters = DEFAULT,
    wiring: str = RANDOM,
    pn_to_kc: Any = None,
    engine: str | Engine = "kernel",
    threads: int | None = None,
    weights: bool = False,
    codes: bool = False,
    per_second: bool = False,
    recordings: Any = (),
    listeners: Sequence[Listener] = (),
    show_progress: bool = True,
) -> Results:
    """Let larvae live through a design and return what was measured.

    Args:
        design: What is done to them: a design, such as `paradigm("paired")`; its text, such as "3x(A+ 60s, 60s) | ?A";
            or the id of one of the library, such as "blocking".
        odors: Odors of one's own that its text may name.
        larvae: How many in each group, the same in all; or the larvae themselves, as `Population.snapshot` gives them.
        seed: Larva i has the seed `larva_seed(seed, i)`: the same larvae in every design.
        parameters: The constants of the circuit; larvae that are given live on under their own.
        wiring: How the larvae are wired, as for `Population`.
        pn_to_kc: A wiring of one's own instead, as for `Population`.
        engine: "kernel", "brian2", "cuda" or an `Engine`; the numbers are the same.
        threads: How many larvae are advanced at once, as for `Population`; it changes no number.
        weights: Keep the weights of every larva at every test.
        codes: Keep how often each Kenyon cell fired in every test.
        per_second: Keep the rates of every second.
        recordings: Record spikes, potentials, weights or eligibility: a `Record` for all phases and tests, or several,
            by "phases", "tests", the label of phases or of a stage, or a test odor.
        listeners: Functions that are told of every event, as it comes; see `kenyon.conditioning.events`.
        show_progress: Show a progress bar on standard error.

    Returns:
        A dataset for each group. Its dimensions are larva, test (a moment at which larvae were tested), test_odor (what
        they were tested with), phase and group (of neurons); see `kenyon.conditioning.variables` for all that it holds.
        What was not tested at a moment is nan. Its coordinates say all that made it, so results can be selected and
        joined by xarray, and each larva still says what it went through. Intervals are computed when asked; see
        `results.summary` and `statistics.interval`.

    Raises:
        InputError: an argument is unusable; nothing has been simulated then.
        MissingDependencyError: the engine is brian2, and Brian2 is not installed.

    Randomness:
        Every larva's own streams.

    Example:
        >>> from kenyon.conditioning import paradigm
        >>> short = paradigm("paired", trials=1, stimulus_s=2, pause_s=0, test_s=0.5)
        >>> result = run(short, larvae=2, show_progress=False).one
        >>> dict(result.preference_index.sizes)
        {'larva': 2, 'test': 2, 'test_odor': 1}
    """
    experiment = Experiment(
        design, odors=odors, larvae=larvae, seed=seed, parameters=parameters, wiring=wiring, pn_to_kc=pn_to_kc,
        engine=engine, threads=threads, weights=weights, codes=codes, per_second=per_second, recordings=recordings,
    )  # fmt: skip
    return experiment.run(listeners, show_progress=show_progress)
