"""Servers for both sides: the wheel's own class, one of ours, and mushroom bodies that answer through either."""

import os
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from larvaworld.lib.ipc import BrianInterfaceMessage
from larvaworld.lib.ipc import Server as WheelServer

from kenyon.errors import RemoteProtocolError
from kenyon.mushroom_body import DEFAULT, Population, drive
from kenyon.seeds import larva_seed
from kenyon.wire import Address, FrameReader, Message, decode, encode, frame

ODORS = ("pentyl acetate", "4,5-dimethylthiazole", "3-octanol")
"""What `odor_id` counts through."""

Rates = Callable[[Any, Any, int, Mapping[str, Any]], Mapping[str, Any]]
"""Gives the kwargs of a reply, from the ids, the step and the kwargs of a request."""


def echo(_sim_id: object, _model_id: object, _step: int, kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer what was asked."""
    return kwargs


def steady(_sim_id: object, _model_id: object, _step: int, _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer two rates that differ by 20 Hz."""
    return {"MBONp": 60.0, "MBONn": 40.0}


class _Listening:
    """Serves from a thread, and counts."""

    server_address: Any

    def _begin(self) -> None:
        self.accepted = 0
        self.errors: list[BaseException | None] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))  # type: ignore[attr-defined]
        self._thread.start()

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(*self.server_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count a connection."""
        self.accepted += 1
        super().process_request(request, client_address)  # type: ignore[misc]

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Keep what ended a connection."""
        self.errors.append(sys.exc_info()[1])

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.shutdown()  # type: ignore[attr-defined]
        self._thread.join(10)
        self.server_close()  # type: ignore[attr-defined]


class StockServer(_Listening, WheelServer):  # type: ignore[misc]  # the wheel has no types
    """The wheel's own server.

    Args:
        rates: Gives the kwargs of each reply.
    """

    daemon_threads = True

    def __init__(self, rates: Rates = echo) -> None:
        self.asked = 0

        def answer(messages: Sequence[BrianInterfaceMessage]) -> list[BrianInterfaceMessage]:
            self.asked += len(messages)
            return [m.with_params(**rates(m.sim_id, m.model_id, m.step, m.params)) for m in messages]

        super().__init__(("127.0.0.1", 0), answer)
        self._begin()


class OurServer(_Listening, socketserver.ThreadingTCPServer):
    """A server of the kind that the wire wants: exact reads, one write a frame, no waiting.

    Args:
        rates: Gives the kwargs of each reply.

    Attributes:
        received: Every byte that came.
    """

    daemon_threads = True

    def __init__(self, rates: Rates = echo) -> None:
        self.rates = rates
        self.received = bytearray()
        super().__init__(("127.0.0.1", 0), _Connection)
        self._begin()


class _Connection(socketserver.BaseRequestHandler):
    server: OurServer
    request: socket.socket

    def handle(self) -> None:
        """Answer frame by frame until the peer closes."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = FrameReader()
        while True:
            while (body := reader.next_frame()) is None:
                if hasattr(socket, "TCP_QUICKACK"):
                    self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                try:
                    data = self.request.recv(65536)
                except ConnectionResetError:
                    return
                if not data:
                    return
                self.server.received += data
                reader.feed(data)
            self.request.sendall(frame(encode([self._reply(message) for message in decode(body)])))

    def _reply(self, message: Message) -> Message:
        if message.step is None:
            raise RemoteProtocolError("a request must name its step")
        rates = self.server.rates(message.sim_id, message.model_id, message.step, message.kwargs)
        return Message(*message.args, dict(rates))


class Circuits:
    """Mushroom bodies, one for each pair of ids, that answer the rates of their output neurons.

    Args:
        seed: Seed of them all.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._population = Population(DEFAULT)
        self._places: dict[str, int] = {}
        self._turn = threading.Lock()

    def __call__(self, sim_id: Any, model_id: Any, step: int, kwargs: Mapping[str, Any]) -> dict[str, float]:
        """Let one circuit live through a step; it is born at step 0."""
        with self._turn:
            name = repr((sim_id, model_id))
            if step == 0:
                (self._places[name],) = self._population.add([larva_seed(self._seed, sim_id, model_id)])
            larva = [self._places[name]]
            if step == 0 and kwargs["warmup"] > 0:
                self._population.advance(kwargs["warmup"], drive(DEFAULT), larvae=larva)
            odors = kwargs.get("odors")
            if odors is None:
                odors = {ODORS[kwargs["odor_id"]]: kwargs["odor_concentration"]}
            activity = self._population.advance(
                kwargs["T"], drive(DEFAULT, odors, reward=kwargs["reward"]), larvae=larva
            )
            return {word: float(activity.rate_hz(word)[0]) for word in ("MBONp", "MBONn")}


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def at_least_s(times: Sequence[float]) -> float:
    """Return what nine of ten exchanges take at least: a busy machine makes some of them long, a wait for the peer all.

    The last half of them counts, for at the beginning of a connection Linux acknowledges at once.
    """
    late = sorted(times[len(times) // 2 :])
    return late[len(late) // 10]


WAITS_ARE_SEEN = os.name == "posix" and hasattr(socket, "TCP_QUICKACK")
"""Whether this system delays acknowledgements by Linux's 40 ms, as the measured waits are made of."""
