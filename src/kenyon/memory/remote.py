"""A memory whose mushroom body lives on a server, asked over the wire once in each step."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError, KenyonError, NoAnswerError, RefusedError, RemoteProtocolError
from kenyon.memory.base import Plain
from kenyon.memory.mushroom_body import Answer, Finish, MBmemory, Outcome, Request
from kenyon.memory.options import Choice, Integer, Number, Secret, Seed, Text, checked_identity
from kenyon.memory.overriding import as_written
from kenyon.mushroom_body.odors import MeasuredOdor, Odor
from kenyon.whole import Change, update
from kenyon.wire import Address, Message, exchange
from kenyon.words import shown

_logger = logging.getLogger(__name__)

_BUSY_PAUSE_S = 0.05
_LONGEST_WORDS = 300
_HIGHEST_RATE_HZ = 1e4  # One spike in each step of 0.1 ms.


@as_written
class RemoteBrianModelMemory(MBmemory):
    """A memory that learns with a mushroom body on a server, as Larvaworld's class of this name asks for it.

    One connection is kept per process and server. A step that gets no answer is asked again until the deadline; the
    server knows a retry by its step and gives the same answer. It also works with any server that is built from
    Larvaworld's own `Server` and answers `MBONp` and `MBONn`.

    Args:
        G: Gain per difference between MBONp and MBONn, per Hz.
        server_host: Name of the server's machine.
        server_port: Its TCP port.
        **kwargs: `brain`, `gain`, and the options below.

    Attributes:
        failures: Steps that got no answer.

    Raises:
        InputError: an option is out of range.

    Randomness:
        None here; the server's larva has its own streams.

    Example:
        >>> memory = RemoteBrianModelMemory(server_port=1, sim_id="run", model_id=0, timeout_s=0.05, on_failure="zero")
        >>> memory.step(dx={"Odor": 0.5}, reward=True), memory.failures
        ({'Odor': 0.0}, 1)
    """

    server_host = Text("localhost", doc="Name or address of the server's machine.")
    server_port = Integer(5795, low=1, high=65535, doc="TCP port of the server.")
    unix_path = Text(None, allow_None=True, doc="Unix socket of the server, instead of host and port.")
    tls_ca = Text(
        None, allow_None=True, doc="File of the certificates (PEM) that vouch for the server; absent: no TLS."
    )
    token = Secret(None, allow_None=True, precedence=-1, doc="Secret word that the server asks for.")
    timeout_s = Number(10.0, low=0.001, high=1e6, unit="s", doc="Deadline of a step, retries included.")
    on_failure = Choice(
        ["raise", "hold", "zero"],
        doc="Without an answer: raise an error, hold the gains, or set what was learned to 0, as Larvaworld does.",
    )
    seed = Seed(None, low=0, allow_None=True, doc="Seed of the larva on the server; the server's own if absent.")

    def __init__(
        self, G: float = 0.001, server_host: str = "localhost", server_port: int = 5795, **kwargs: Any
    ) -> None:
        super().__init__(G=G, server_host=server_host, server_port=server_port, **kwargs)
        self.failures = 0
        self._difference_hz = 0.0
        self._in_doubt = False
        self._address: tuple[Any, Address] | None = None
        _ = self.address  # So that one that cannot be is refused here.

    def __repr__(self) -> str:
        """Say what this is; the token stays secret."""
        words: str = super().__repr__()
        return words if self.token is None else words.replace(repr(self.token), "'...'")

    def runRemoteModel(
        self,
        model_instance_id: str | int,
        odor_id: int,
        t_sim: float = 100,
        t_warmup: float = 0,
        concentration: float = 1,
        **kwargs: Any,
    ) -> float:
        """Let the server's circuit of a larva live through a step; return MBONp - MBONn, Hz.

        Args:
            model_instance_id: Id of the larva.
            odor_id: Place of the odor in the server's list.
            t_sim: Duration, ms.
            t_warmup: Time without odor before step 0, ms.
            concentration: Of the odor; 1.0 is the dilution 1e-04.
            **kwargs: What else to send, such as `reward`; `odors`, concentrations by name, instead of the one odor.

        Raises:
            NoAnswerError: no server answered, and `on_failure` is "raise".
            RefusedError: the server refused, likewise.
        """
        model_instance_id = checked_identity("model_instance_id", model_instance_id)
        t_sim = checks.number("t_sim", t_sim, low=0.0, high=1e9, unit="ms")
        t_warmup = checks.number("t_warmup", t_warmup, low=0.0, high=1e9, unit="ms")
        for name in ("T", "warmup", "step_id", "token"):
            if name in kwargs:
                raise InputError(f"{name} must be left out of what is sent besides, for the memory says it itself")
        odor = {} if "odors" in kwargs else {"odor_id": odor_id, "odor_concentration": concentration}
        try:
            message = self._message(self._sim_id(), model_instance_id, odor, t_sim, t_warmup, kwargs)
            (reply,) = self._exchange([message], self._deadline())
            self._difference_hz = self._read(reply).difference_hz
        except _FAILURES as failure:
            self.failures += 1
            shown = self._after(failure)
            if shown is not None:
                raise shown from None
            if self.on_failure == "zero":
                return 0.0
        return self._difference_hz

    def export(self) -> str:
        """Return the larva's circuit on the server as text, for `load`.

        Raises:
            NoAnswerError: no server answered.
            RefusedError: the server refused.
        """
        (reply,) = self._exchange([self._operation(op="export")], self._deadline())
        self._raise_refusal(reply)
        text = reply.kwargs.get("snapshot")
        if not isinstance(text, str):
            raise RemoteProtocolError(f"an export must be answered with a snapshot, got {', '.join(reply.kwargs)}")
        return text

    def load(self, snapshot: str, step_id: int) -> None:
        """Let the larva on the server be what `export` gave, its next step being `step_id`.

        Raises:
            NoAnswerError: no server answered.
            RefusedError: the server refused.
        """
        checks.instance("snapshot", snapshot, str, "pass what `export` gave")
        step_id = checks.integer("step_id", step_id, low=0)
        self._load(snapshot, step_id)
        self.step_id = step_id

    def _load(self, snapshot: str, step_id: int) -> None:
        message = replace(self._operation(op="load", snapshot=snapshot), step=step_id)
        (reply,) = self._exchange([message], self._deadline())
        self._raise_refusal(reply)

    def _plain(self) -> Plain:
        header, arrays = super()._plain()
        own = {"snapshot": self.export(), "failures": self.failures, "difference_hz": self._difference_hz}
        return {**header, **own, "in_doubt": self._in_doubt}, arrays

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Change]:
        own = {
            "failures": checks.integer("failures", header["failures"], low=0),
            "_difference_hz": checks.number("difference_hz", header["difference_hz"]),
            "_in_doubt": bool(header["in_doubt"]),
        }
        changes = [*super()._from_plain(header, arrays), update(self.__dict__, own)]
        self._load(header["snapshot"], checks.integer("step_id", header["step_id"], low=0))
        return changes

    def _probe(self, odors: Mapping[str, Odor], probe_ms: float) -> dict[str, tuple[float, float]]:
        asked = list(dict.fromkeys(odor.name for odor in odors.values()))
        fields = {"probe": asked, "probe_ms": _as_integer(probe_ms), "probe_concentration": self.probe_concentration}
        fields.update(_own_ids(odors.values()))
        (reply,) = self._exchange([self._operation(op="probe", **fields)], self._deadline())
        self._raise_refusal(reply)
        try:
            return {stimulus: _rates_hz(reply.kwargs["probes"][odor.name]) for stimulus, odor in odors.items()}
        except (KeyError, TypeError, OverflowError):
            raise self._no_rates(reply, [f"probes of {odor}" for odor in asked]) from None

    @classmethod
    def _live_through(
        cls, memories: Sequence["RemoteBrianModelMemory"], requests: Sequence[Request], finish: Finish
    ) -> None:
        if any("runRemoteModel" in memory._overridden for memory in memories):
            finish([memory._ask(request) for memory, request in zip(memories, requests, strict=True)], [])
            return
        servers = {memory.address for memory in memories}
        if len(servers) > 1:
            raise InputError(f"memories must be on one server to be stepped together, got {len(servers)} servers")
        messages = [memory._step_message(request) for memory, request in zip(memories, requests, strict=True)]
        doubted = [memory._in_doubt for memory in memories]
        deadline = min(memory._deadline() for memory in memories)
        for memory in memories:
            memory._in_doubt = True  # From here on the server may have done the step, whatever happens to us.
        try:
            replies: Sequence[Message | KenyonError] = memories[0]._exchange(messages, deadline)
        except _FAILURES as failure:
            replies = [failure] * len(messages)
        given = zip(requests, messages, replies, doubted, strict=True)
        finish([memory._take(*own, deadline) for memory, own in zip(memories, given, strict=True)], [])

    def _take(
        self, request: Request, message: Message, reply: Message | KenyonError, doubted: bool, deadline: float
    ) -> Outcome:
        """Return what a reply says, or what shall be done without one."""
        try:
            if isinstance(reply, KenyonError):
                raise reply
            odors = {stimulus: self.measured_odor(stimulus) for stimulus in request.probes}
            step_id = self.step_id + 1
            try:
                answer = self._read(reply, odors)
            except RefusedError as refusal:
                # The step whose reply was lost had been done: the server waits for the one after it.
                if not doubted or refusal.expected_step != step_id:
                    raise
                # Known from here on, for the server may do the next one as well before its reply is lost.
                self.step_id = step_id
                again = replace(message, step=step_id, kwargs={**message.kwargs, "step_id": step_id})
                step_id += 1
                answer = self._read(self._exchange([again], deadline)[0], odors)
        except _FAILURES as failure:
            return self._without(request, failure)
        _silenced.discard(self.address)
        done = {"step_id": step_id, "_difference_hz": answer.difference_hz, "_in_doubt": False}
        return Outcome(answer, done)

    def _without(self, request: Request, failure: KenyonError) -> Outcome:
        """Return what shall be done without an answer."""
        shown, after = self._after(failure), {"failures": self.failures + 1}
        if shown is not None or self.on_failure == "hold":
            return Outcome(None, after, shown)
        return Outcome(Answer(0.0, dict.fromkeys(request.concentrations, 0.0)), after)

    def _ask(self, request: Request) -> Outcome:
        """Return what `runRemoteModel` answers, where it is not ours: one number, for whatever is smelled."""
        fields = dict(self._step_message(request).kwargs)
        for name in ("T", "warmup", "step_id", *self._secret()):
            del fields[name]
        odor_id, concentration = fields.pop("odor_id", 0), fields.pop("odor_concentration", 0.0)
        try:
            difference_hz = checks.number(
                "what runRemoteModel returns",
                self.runRemoteModel(
                    model_instance_id=self._model_id(),
                    odor_id=odor_id,
                    t_sim=self.t_sim,
                    t_warmup=request.warmup_ms,
                    concentration=concentration,
                    **fields,
                ),
            )
        except _FAILURES as failure:
            return Outcome(None, {}, failure)
        answer = Answer(difference_hz, dict.fromkeys(request.probes, difference_hz))
        return Outcome(answer, {"step_id": self.step_id + 1})

    @property
    def address(self) -> Address:
        """Where the server listens."""
        where = self.server_host, self.server_port, self.unix_path, self.tls_ca
        if self._address is None or self._address[0] != where:
            self._address = where, Address(*where)
        return self._address[1]

    def _step_message(self, request: Request) -> Message:
        odors: dict[str, Any] = {"odors": self.measured_mixture(request.concentrations)}
        # A server of Larvaworld's own kind knows odors by their number alone, and its one odor has 0.
        if not self.odors and set(request.concentrations) <= {"Odor"}:
            odors = {"odor_id": 0, "odor_concentration": float(request.concentrations.get("Odor", 0.0))}
        more: dict[str, Any] = {"reward": _as_integer(request.reward)}
        more.update(_own_ids(map(self.odor_of, dict.fromkeys((*request.concentrations, *request.probes)))))
        if request.punishment > 0.0:
            more["punishment"] = _as_integer(request.punishment)
        if request.probes:
            more["probe"] = list(dict.fromkeys(map(self.measured_odor, request.probes)))
            more["probe_ms"], more["probe_concentration"] = self.probe_ms, self.probe_concentration
        if self.seed is not None:
            more["seed"] = int(self.seed)
        return self._message(self._sim_id(), self._model_id(), odors, self.t_sim, request.warmup_ms, more)

    def _message(
        self,
        sim_id: str | int,
        model_id: str | int,
        odors: dict[str, Any],
        t_sim: float,
        t_warmup: float,
        more: Mapping[str, Any],
    ) -> Message:
        times = {"T": _as_integer(t_sim), "warmup": _as_integer(t_warmup), "step_id": self.step_id}
        return Message(sim_id, model_id, self.step_id, {**odors, **times, **more, **self._secret()})

    def _operation(self, **kwargs: Any) -> Message:
        return Message(self._sim_id(), self._model_id(), self.step_id, {**kwargs, **self._secret()})

    def _secret(self) -> dict[str, str]:
        return {} if self.token is None else {"token": self.token}

    def _sim_id(self) -> str | int:
        return self._required("sim_id", self._simulation())

    def _model_id(self) -> str | int:
        return self._required("model_id", self.larva_id)

    def _required(self, name: str, value: str | int | None) -> str | int:
        if value is None:
            raise InputError(f"{name} must be given where there is no brain, got none; pass {name}= a text or a number")
        return value

    def _deadline(self) -> float:
        return time.monotonic() + float(self.timeout_s)

    def _exchange(self, messages: Sequence[Message], deadline: float) -> list[Message]:
        """Return the replies; those that say the server is busy are asked for again until the deadline."""
        replies = exchange(self.address, messages, timeout_s=_left(deadline))
        while busy := [i for i, reply in enumerate(replies) if reply.kwargs.get("error_code") == "busy"]:
            if deadline - time.monotonic() <= 2 * _BUSY_PAUSE_S:
                break
            time.sleep(_BUSY_PAUSE_S)
            again = exchange(self.address, [messages[i] for i in busy], timeout_s=_left(deadline))
            for i, reply in zip(busy, again, strict=True):
                replies[i] = reply
        return replies

    def _read(self, reply: Message, odors: Mapping[str, str] | None = None) -> Answer:
        """Return the rates in a reply, and those of the odors that were asked about; or refuse it."""
        self._raise_refusal(reply)
        asked = {} if odors is None else odors
        try:
            if reply.sim_id is None:
                raise TypeError  # noqa: TRY301  # rates of nobody
            probes = reply.kwargs["probes"] if asked else {}
            read = {stimulus: _difference_hz(probes[odor]) for stimulus, odor in asked.items()}
            return Answer(_difference_hz(reply.kwargs), read)
        except (KeyError, TypeError, OverflowError):
            wanted = ["MBONp and MBONn", *(f"probes of {odor}" for odor in asked.values())]
            raise self._no_rates(reply, wanted) from None

    def _no_rates(self, reply: Message, wanted: Sequence[str]) -> RemoteProtocolError:
        return RemoteProtocolError(
            f"the server at {self.address} must answer rates in Hz: {' and '.join(wanted)}, got "
            f"{self._shown(repr(reply.kwargs))}; ask a server with a mushroom body"
        )

    def _raise_refusal(self, reply: Message) -> None:
        if "error" in reply.kwargs:
            code, expected = reply.kwargs.get("error_code"), reply.kwargs.get("expected_step")
            raise RefusedError(
                f"the server refused step {reply.step} of larva {shown(reply.model_id)}: "
                f"{self._shown(str(reply.kwargs['error']))}",
                code if isinstance(code, str) else None,
                expected if isinstance(expected, int) else None,
            )

    def _shown(self, words: str) -> str:
        """Return what a server said as one line of a sensible length, without the token."""
        if self.token is not None:
            words = words.replace(self.token, "...")
        line = "".join(letter if letter.isprintable() else " " for letter in words[:_LONGEST_WORDS])
        return line if len(words) <= _LONGEST_WORDS else f"{line}..."

    def _after(self, failure: KenyonError) -> KenyonError | None:
        """Return a failure if it shall be raised, or say it once."""
        if isinstance(failure, NoAnswerError):
            failure = NoAnswerError(f"{failure}; `kenyon serve {self.address.serve_option}` starts one")
        if self.on_failure == "raise":
            return failure
        if self.address not in _silenced:
            _silenced.add(self.address)
            done = "held" if self.on_failure == "hold" else "set to the innate gain"
            _logger.warning("%s (gains are %s until it answers; this is said once)", failure, done)
        return None


_FAILURES = (NoAnswerError, RefusedError, RemoteProtocolError)

_silenced: set[Address] = set()
"""Servers of which it has been said that they do not answer."""


def _own_ids(odors: Iterable[Odor]) -> dict[str, dict[str, str]]:
    """Return what says to a server which odors of one's own are meant; nothing where there are none."""
    ids = {odor.name: odor.id for odor in odors if not isinstance(odor, MeasuredOdor)}
    return {"own_odors": ids} if ids else {}


def _rates_hz(rates: Any) -> tuple[float, float]:
    """Return MBONp and MBONn; what cannot be a firing rate is a TypeError."""
    p, n = rates["MBONp"], rates["MBONn"]
    for rate in (p, n):
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0.0 <= rate <= _HIGHEST_RATE_HZ:
            raise TypeError
    return float(p), float(n)


def _difference_hz(rates: Any) -> float:
    p, n = _rates_hz(rates)
    return p - n


def _left(deadline: float) -> float:
    """Return the seconds left, in whole ms, for they are said when they are over."""
    return max(round(deadline - time.monotonic(), 3), 0.001)


def _as_integer(number: float) -> float:
    """Return a whole number as an integer, for that is how Larvaworld's client writes it."""
    return int(number) if float(number).is_integer() else float(number)
