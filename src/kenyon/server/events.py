"""What happens on a server, as data, for whoever listens: the server does what it does, whoever hears of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from kenyon.server.life import Ids
from kenyon.server.requests import Step


@dataclass(frozen=True, eq=False)
class StepDone:
    """A larva has done a step, which has been kept and answered.

    Attributes:
        ids: Of its simulation, and of the larva in it.
        asked: The step.
        seed: The larva's own seed.
        before: Its circuit before, a record of bytes; None where that was not in memory, as of a newborn larva.
        after: Its circuit after it.
        reply: The kwargs of the reply, as JSON says them.
    """

    ids: Ids
    asked: Step
    seed: int
    before: bytes | None
    after: bytes
    reply: str


Listener: TypeAlias = Callable[[StepDone], object]
"""Is told of every step, in the event loop, and so must be quick; what it raises is logged, and the server goes on."""
