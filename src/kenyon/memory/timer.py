"""The clock that every module of a larva carries: how long it has run, in ticks and in seconds."""

import param

from kenyon import checks
from kenyon.memory.options import Number
from kenyon.memory.overriding import as_written


@as_written
class Timer(param.Parameterized):
    """Counts ticks of simulated time.

    Attributes:
        ticks: Ticks since the effector was started.
        total_ticks: Ticks over its lifetime.
        active: Whether it is running.
        complete_iteration: Whether an iteration has just been completed; for oscillating modules.

    Example:
        >>> timer = Timer(dt=0.5)
        >>> timer.count_time()
        >>> timer.t, timer.total_t
        (0.5, 0.5)
    """

    dt = Number(0.1, low=1e-4, high=3600.0, unit="s", label="simulation timestep", doc="Duration of a tick.")

    def __init__(self, **kwargs: object) -> None:
        if kwargs.get("name") is not None:
            checks.instance("name", kwargs["name"], str, "pass a text, or leave it out")
        super().__init__(**kwargs)
        self.ticks = 0
        self.total_ticks = 0
        self.active = True
        self.complete_iteration = False

    def count_time(self) -> None:
        """Count one tick."""
        self.__dict__.update(ticks=self.ticks + 1, total_ticks=self.total_ticks + 1)

    @property
    def t(self) -> float:
        """Time since the effector was started, s."""
        return float(self.ticks * self.dt)

    @property
    def total_t(self) -> float:
        """Time that the effector has run over its lifetime, s."""
        return float(self.total_ticks * self.dt)

    def reset(self) -> None:
        """Set both counts to 0."""
        self.__dict__.update(ticks=0, total_ticks=0)

    def start_effector(self) -> None:
        """Let it run."""
        self.active = True

    def stop_effector(self) -> None:
        """Stop it, and set the time since its start to 0."""
        self.__dict__.update(active=False, ticks=0)
