import pickle
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from kenyon.errors import InputError, KenyonError, MissingDependencyError
from kenyon.mushroom_body import BALANCED, Population, drive
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.engines import ENGINES, Kernel, engine
from kenyon.mushroom_body.inputs import draw_events
from kenyon.mushroom_body.state import VARIABLES, State, newborn, pack

RATES_HZ = drive(BALANCED, "pentyl acetate", reward=1.0)


@pytest.fixture(params=ENGINES)
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """Return each engine that is installed."""
    if request.param == "brian2" and find_spec("brian2") is None:
        pytest.skip("Brian2 is not installed")
    if request.param == "cuda":
        try:
            return engine("cuda")
        except MissingDependencyError:
            pytest.skip("there is no GPU")
    return engine(request.param)


def test_an_engine_is_a_value(any_engine: Engine) -> None:
    """Equal to another of its kind, also after pickling, and taken by name or as it is."""
    assert any_engine == engine(any_engine.name) == pickle.loads(pickle.dumps(any_engine))
    larvae = Population(seeds=[1], engine=any_engine)
    assert larvae.engine is any_engine
    assert larvae.select([0]).engine == larvae.join(larvae).engine == any_engine
    with pytest.raises(InputError, match="unknown engine 'brian'; did you mean 'brian2'"):
        Population(engine="brian")


def test_an_engine_of_ones_own_moves_a_population() -> None:
    """One method makes an engine; a population has it do everything."""
    steps: list[int] = []

    class Counting(Kernel):
        def compute(self, parameters: Any, state: State, n_steps: Any, *rest: Any, **more: Any) -> None:
            steps.append(int(n_steps[0]))
            super().compute(parameters, state, n_steps, *rest, **more)

    counting, plain = Population(seeds=[1], engine=Counting()), Population(seeds=[1])
    for larvae in (counting, plain):
        larvae.advance(10)
        larvae.probe("anisole", 20)
        larvae.advance_events([[[5, 3]]], 1)
    assert steps == [100, 200, 10]
    assert counting.snapshot() == plain.snapshot()


READ_ONLY: dict[str, Callable[[Population], State]] = {
    "of a population": lambda larvae: larvae.state,
    "of a snapshot": lambda larvae: larvae.snapshot().state,
    "of a view": lambda larvae: states.read_only(states.copy(larvae.state)),
}


@pytest.mark.parametrize("which", READ_ONLY)
def test_a_read_only_state_is_not_written_through(any_engine: Engine, which: str) -> None:
    """Compiled code would not ask whether it may; so it is asked before, by every engine and on both ways into one."""
    larvae = Population(seeds=[1, 2])
    before = larvae.snapshot()
    state = READ_ONLY[which](larvae)
    moves: list[Callable[[], object]] = [
        lambda: any_engine.advance(BALANCED, state, [10, 10], RATES_HZ),
        lambda: any_engine.run(BALANCED, state, np.array([10, 10]), rates_hz=np.tile(RATES_HZ, (2, 1))),
    ]
    for move in moves:
        with pytest.raises(InputError, match="state must be an array that can be changed"):
            move()
    assert larvae.snapshot() == before
    assert pack(state) == pack(before.state)


@pytest.mark.parametrize("name", ["rng", "ticks_left"])
def test_input_streams_that_are_read_only_are_not_moved(name: str) -> None:
    """Drawing input writes into what it is given."""
    larva = newborn(BALANCED, [1])
    streams = {"rng": larva.rng[0], "ticks_left": larva.ticks_left[0]}
    streams[name].flags.writeable = False
    with pytest.raises(InputError, match=f"{name} must be an array that can be changed"):
        draw_events(BALANCED, **streams, rates_hz=RATES_HZ, n_steps=10)


@pytest.mark.parametrize("name", sorted(set(VARIABLES) - {"v_mV", "rng"}))
def test_a_state_that_no_larva_could_have_is_refused(name: str) -> None:
    """Whichever variable it is: compiled code would go astray or never end."""
    larva = newborn(BALANCED, [1])
    getattr(larva, name)[:] = -1 if VARIABLES[name].scalar is not np.uint8 else 2
    if VARIABLES[name].scalar is np.float64:
        getattr(larva, name)[:] = np.nan
    before = larva.records.tobytes()
    with pytest.raises(InputError, match=f"{name} must lie from"):
        Kernel().advance(BALANCED, larva, [10], RATES_HZ)
    assert larva.records.tobytes() == before


@pytest.mark.parametrize(
    ("parameters", "state", "n_steps", "rates_hz"),
    [
        (None, newborn(BALANCED, [1]), [1], RATES_HZ),
        (BALANCED, None, [1], RATES_HZ),
        (BALANCED, newborn(BALANCED, []), [], np.empty((0, 23))),
        (BALANCED, newborn(BALANCED, [1]), [1, 2], RATES_HZ),
        (BALANCED, newborn(BALANCED, [1]), [np.timedelta64(1)], RATES_HZ),
        (BALANCED, newborn(BALANCED, [1]), [1.5], RATES_HZ),
        (BALANCED, newborn(BALANCED, [1]), [1], RATES_HZ[:-1]),
    ],
)
def test_an_engine_refuses_nonsense(parameters: Any, state: Any, n_steps: Any, rates_hz: Any) -> None:
    """Before anything moves."""
    with pytest.raises(KenyonError):
        Kernel().advance(parameters, state, n_steps, rates_hz)
