"""The step rules: which step of which larva is the next, what is a retry, and who may begin anew.

Law of this file: it decides, and does nothing: no circuit, no disk, no socket.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kenyon.errors import RefusedError
from kenyon.server.life import Ids, Life
from kenyon.server.requests import Step
from kenyon.words import shown


class Client(Protocol):
    """Whoever steps a larva: a connection."""

    @property
    def closed(self) -> bool:
        """Whether nobody is there any more."""

    @property
    def in_debt(self) -> bool:
        """Whether others come first."""


class Move(Enum):
    """What a step does to the lives of its larva."""

    GO_ON = "the present life goes on"
    BEGIN = "a life begins; the present one, if there is one, is put aside"
    GO_BACK = "the life that was put aside goes on, and the present one is forgotten"


@dataclass(slots=True)
class Session:
    """One larva as the server knows it.

    Attributes:
        ids: What names it.
        present: Its life; None where it has none yet.
        replaced: The life that a new step 0 has put aside, until the new one goes on.
        damage: Why neither can be read, in a sentence; None where they can.
        client: Who did its last step.
        stepped_at: When that was, s.
        contested: The step that a life waited for which has been replaced for good.
        contested_at: When that was put aside, s.
    """

    ids: Ids
    present: Life | None = None
    replaced: Life | None = None
    damage: str | None = None
    client: Client | None = None
    stepped_at: float = float("-inf")
    contested: int | None = None
    contested_at: float = float("-inf")

    @property
    def is_kept(self) -> bool:
        """Whether the journal has something of it."""
        return self.present is not None or self.damage is not None

    def decide(self, asked: Step, client: Client, now: float, live_s: float) -> Move | str:
        """Return what a step shall do, or the reply that it has had already.

        Raises:
            RefusedError: it is out of order, has another seed, or another client is at this larva; or that is damaged.

        Example:
            >>> class Here:
            ...     closed = False
            >>> session = Session(("run", 0))
            >>> session.decide(Step(0, {}, 100.0), Here(), 0.0, 60.0).name
            'BEGIN'
            >>> session.decide(Step(7, {}, 100.0), Here(), 0.0, 60.0)
            Traceback (most recent call last):
            ...
            kenyon.errors.RefusedError: step must be 0 for a larva that is not known here, got 7; ...
        """
        life = self.present
        if life is not None and (known := life.reply_to(asked)) is not None:
            return known
        if life is not None and asked.step == life.next_step:
            self._check_seed(life, asked)
            return Move.GO_ON
        if asked.step == 0:
            self.check_alone(client, now, live_s)
            return Move.BEGIN
        if self.replaced is not None:
            if (known := self.replaced.reply_to(asked)) is not None:
                return known
            if asked.step == self.replaced.next_step and not self._is_with_another(client, now, live_s):
                self._check_seed(self.replaced, asked)
                return Move.GO_BACK
        raise self._out_of_order(asked, client, now, live_s)

    def check_alone(self, client: Client, now: float, live_s: float) -> None:
        """Refuse to take a larva away from another client that is stepping it.

        Raises:
            RefusedError: there is one.
        """
        if self.present is not None and self._is_with_another(client, now, live_s):
            raise self._two_clients(f"is at step {self.present.next_step} of another client that is connected", live_s)

    def check_known(self) -> Life:
        """Return the present life.

        Raises:
            RefusedError: there is none, or it is damaged.
        """
        if self.damage is not None:
            raise RefusedError(self.damage, "storage")
        if self.present is None:
            sim_id, model_id = self.ids
            raise RefusedError(
                f"larva {shown(model_id)} of simulation {shown(sim_id)} must be known here, but is not; begin "
                "it at step 0 or load it",
                "unknown_larva",
            )
        return self.present

    def _is_with_another(self, client: Client, now: float, live_s: float) -> bool:
        """Return whether another client is connected that has stepped this larva not long ago."""
        return (
            self.client is not None
            and self.client is not client
            and not self.client.closed
            and now - self.stepped_at < live_s
        )

    def _check_seed(self, life: Life, asked: Step) -> None:
        if asked.seed is not None and life.base_seed is not None and asked.seed != life.base_seed:
            raise RefusedError(
                f"seed must be that of step 0, {life.base_seed}, got {asked.seed}; begin anew at step 0 for another",
                "seed",
            )

    def _out_of_order(self, asked: Step, client: Client, now: float, live_s: float) -> RefusedError:
        if self.damage is not None:
            return RefusedError(self.damage, "storage")
        if self.present is None:
            return RefusedError(
                f"step must be 0 for a larva that is not known here, got {asked.step}; begin at step 0 or load a "
                "snapshot",
                "step",
                0,
            )
        expected = self.present.next_step
        contested = self.contested is not None and asked.step == self.contested and now - self.contested_at < live_s
        if contested:
            return self._two_clients(
                f"was begun anew at step 0 by another and waits for step {expected}, not {asked.step}",
                live_s,
                expected,
            )
        if self._is_with_another(client, now, live_s):
            return self._two_clients(f"waits for step {expected}, not {asked.step}", live_s, expected)
        other = " with other content than the step just done" if asked.step == expected - 1 else ""
        got = f"got {asked.step}{other}"
        return RefusedError(
            f"step must be {expected} for this larva, {got}; begin anew at step 0, and if another simulation has the "
            "same ids, give ExpRun an id of its own",
            "step",
            expected,
        )

    def _two_clients(self, state: str, live_s: float, expected: int | None = None) -> RefusedError:
        sim_id, model_id = self.ids
        return RefusedError(
            f"larva {shown(model_id)} of simulation {shown(sim_id)} must be stepped by one client, but it {state}; "
            f"give ExpRun an id of its own (id='...'), or close the other connection, or wait "
            f"{live_s:g} s after its last step",
            "two_clients",
            expected,
        )
