"""Runs a paradigm over a population: training in phases, a test after each trial, everything into one dataset."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning.dataset import Test, dataset, together
from kenyon.conditioning.paradigms import Paradigm, TrialPhase
from kenyon.mushroom_body import BALANCED, Activity, Parameters, Population, drive
from kenyon.mushroom_body.odors import Odors, find
from kenyon.mushroom_body.parameters import check_parameters
from kenyon.progress import progress
from kenyon.seeds import larva_seeds

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_SLICE_MS = 5000.0
"""Longest stretch between two signs of progress, to the nearest step."""


def run(
    paradigm: Paradigm,
    *,
    larvae: int = 30,
    seed: int = 0,
    parameters: Parameters = BALANCED,
    test_odors: Sequence[str | int] = (),
    test_s: float = 3.0,
    engine: str = "kernel",
    show_progress: bool = True,
) -> "xarray.Dataset":
    """Train naive larvae and test them before the first and after each trial.

    A test asks every larva, on a copy and with plasticity off, what it answers to each odor alone at concentration 1.

    Args:
        paradigm: What to do with them.
        larvae: How many.
        seed: Larva i has the seed `larva_seed(seed, i)`: the same larvae in every paradigm.
        parameters: The constants of the circuit.
        test_odors: Odors to test besides the trained one.
        test_s: How long each test lasts.
        engine: "kernel", "brian2" or "cuda"; the numbers are the same.
        show_progress: Show a progress bar on standard error.

    Returns:
        A dataset with dimensions larva, test, test_odor, kc, phase and group: test_mbonp_hz, test_mbonn_hz and
        preference_index, the plastic weights at each test, the firing rates in each phase, which larvae ended it with a
        potential beyond all bounds, and larva_run_id, the run that each larva is of. Its coordinates say all that made
        it, in every result the same ones: run_id, paradigm and paradigm_id, cs, concentration, us, strength, test_s,
        test_concentration, larvae, seed, each parameter by its name, parameters (their set), engine and versions. So
        results can be selected and joined by xarray, and each larva still says what it went through. Intervals are
        computed when asked; see `results.summary` and `statistics.interval`.

    Raises:
        InputError: an argument is unusable; nothing has been simulated then.
        MissingDependencyError: the engine is brian2, and Brian2 is not installed.

    Randomness:
        Every larva's own streams.

    Example:
        >>> from kenyon.conditioning.paradigms import paradigm
        >>> short = paradigm("paired", trials=1, stimulus_s=2, pause_s=0)
        >>> result = run(short, larvae=2, test_s=0.5, show_progress=False)
        >>> dict(result.preference_index.sizes)
        {'larva': 2, 'test': 2, 'test_odor': 1}
    """
    checks.instance("paradigm", paradigm, Paradigm, 'make one with paradigm("paired")')
    check_parameters(parameters)
    seeds = larva_seeds(seed, larvae)
    odors = tuple(dict.fromkeys([paradigm.cs, *(find(odor).name for odor in checks.several("test_odors", test_odors))]))
    test_s = checks.positive("test duration", test_s, unit="s")
    test_ms = test_s * 1e3
    parameters.steps("test duration", test_ms)
    for phase in paradigm.phases:
        parameters.steps("duration of a phase", phase.duration_s * 1e3)
        _drive(paradigm, parameters, phase)  # refuses what is too strong
    population = Population(parameters, seeds, engine=engine)

    tests: list[Test] = []
    activities: list[Activity] = []
    work_ms = paradigm.duration_s * 1e3 + (len(paradigm.trials) + 1) * len(odors) * test_ms
    with progress(f"{paradigm.name}, {larvae} larvae", work_ms, show=show_progress) as done:

        def test() -> None:
            answers = tuple(population.probe(odor, test_ms) for odor in odors)
            state = population.state
            tests.append(Test(answers, state.w_kc_mbonp_nS.copy(), state.w_kc_mbonn_nS.copy()))
            done(len(odors) * test_ms)

        test()
        for trial in paradigm.trials:
            for phase in trial.phases:
                population.set_drive(_drive(paradigm, parameters, phase))
                slices = []
                for slice_ms in _slices(parameters, phase):
                    slices.append(population.advance(slice_ms))
                    done(slice_ms)
                activities.append(together(slices))
            test()
    return dataset(paradigm, parameters, seed, seeds, population.engine.name, odors, test_s, tests, activities)


def _drive(paradigm: Paradigm, parameters: Parameters, phase: TrialPhase) -> NDArray[np.float64]:
    odor: Odors = {paradigm.cs: paradigm.concentration} if phase.cs else None
    strength = paradigm.strength if phase.us else 0.0
    if paradigm.us == "reward":
        return drive(parameters, odor, reward=strength)
    return drive(parameters, odor, punishment=strength)


def _slices(parameters: Parameters, phase: TrialPhase) -> Iterator[float]:
    left = parameters.steps("duration of a phase", phase.duration_s * 1e3)
    longest = parameters.steps("slice of a phase", parameters.nearest_ms(_SLICE_MS))
    while left > 0:
        yield min(left, longest) * parameters.dt_ms
        left -= longest
