"""A larva from its step 0 on: what of it is in memory, and read from the journal.

Law of this file: data and what follows from it; no disk, no circuit, no decision.
"""

from dataclasses import dataclass

from kenyon.server.requests import Step
from kenyon.wire.messages import Id

Ids = tuple[Id, Id]
"""What names a larva: simulation and model."""

RENEW_AFTER_MS, RENEW_AFTER_STEPS = 5000.0, 50
"""A snapshot is renewed when going on from the last one would take so long a life, or so many steps."""


@dataclass(slots=True)
class Life:
    """A larva from its step 0 on, or from where it was loaded.

    Attributes:
        number: Its number in the journal; None until that has it.
        seed: The larva's own seed.
        base_seed: The seed it was made from together with its ids; None if it was loaded.
        larva: Its circuit as a record of bytes; None if newborn.
        next_step: The step it waits for.
        replay: Steps that the circuit has yet to live through again.
        last: The last step, and the kwargs of the reply to it as JSON says them.
        unsaved_ms: Time lived through since the snapshot that is kept.
        unsaved_steps: Steps since then.
        at: When its last step was kept, s since 1970, as the journal has it; 0.0 where it was not read there.
    """

    number: int | None
    seed: int
    base_seed: int | None
    larva: bytes | None = None
    next_step: int = 0
    replay: tuple[Step, ...] = ()
    last: tuple[Step, str] | None = None
    unsaved_ms: float = 0.0
    unsaved_steps: int = 0
    at: float = 0.0

    def reply_to(self, asked: Step) -> str | None:
        """Return the reply to the step just done, if that is what is asked once more."""
        if self.last is not None and self.last[0] == asked:
            return self.last[1]
        return None

    def is_due(self, asked: Step) -> bool:
        """Return whether its snapshot is to be renewed with this step."""
        return self.unsaved_ms + lived_ms(asked) >= RENEW_AFTER_MS or self.unsaved_steps + 1 >= RENEW_AFTER_STEPS

    def take(self, asked: Step, reply: str, larva: bytes, *, renewed: bool) -> None:
        """Take over a step that was done and kept."""
        self.larva, self.replay, self.last = larva, (), (asked, reply)
        self.next_step = asked.step + 1
        self.unsaved_ms = 0.0 if renewed else self.unsaved_ms + lived_ms(asked)
        self.unsaved_steps = 0 if renewed else self.unsaved_steps + 1


def lived_ms(step: Step) -> float:
    """Return how much time a circuit lives through for a step, ms."""
    return step.duration_ms + (step.warmup_ms if step.step == 0 else 0.0)
