"""A small real server to test the remote memory: it answers from the circuit itself, and can be told to fail."""

import base64
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any

from kenyon.mushroom_body import DEFAULT, Population, Snapshot, drive
from kenyon.seeds import larva_seed
from kenyon.wire import Address, FrameReader, Message, decode, encode, frame

ODORS = ("pentyl acetate", "4,5-dimethylthiazole", "3-octanol")


class Peer:
    """A server with one mushroom body for each (sim_id, model_id).

    Attributes:
        address: Where it listens.
        requests: Every message that came, in order.
        connections: How many were opened.
        lose_replies: So many of the next replies are computed and never sent; the connection is closed instead.
        busy: So many of the next requests are answered with "busy".
    """

    def __init__(self, *, unix_path: str | None = None, port: int = 0) -> None:
        family = socket.AF_INET if unix_path is None else socket.AF_UNIX
        self._socket = socket.socket(family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port) if unix_path is None else unix_path)
        self._socket.listen()
        port = self._socket.getsockname()[1] if unix_path is None else 5795
        self.address = Address("127.0.0.1", port, unix_path)
        self.requests: list[Message] = []
        self.connections = self.lose_replies = self.busy = 0
        self._larvae: dict[tuple[Any, ...], tuple[Population, int]] = {}
        self._open: list[socket.socket] = []
        self._turn = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Peer":  # noqa: PYI034  # Self is not in typing before Python 3.11
        """Listen already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every socket."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = FrameReader()
        try:
            while data := connection.recv(65536):
                reader.feed(data)
                while (body := reader.next_frame()) is not None:
                    with self._turn:  # A client that was interrupted may ask again on another connection.
                        replies = [self._reply(message) for message in decode(body)]
                    if self.lose_replies:
                        self.lose_replies -= 1
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    connection.sendall(frame(encode(replies)))
        except OSError:
            return

    def _reply(self, message: Message) -> Message:
        self.requests.append(message)
        if self.busy:
            self.busy -= 1
            answer: dict[str, Any] = {"error": "the server must have room, got none; retry", "error_code": "busy"}
        else:
            answer = getattr(self, "_" + message.kwargs.get("op", "step"))(message)
        return Message(message.sim_id, message.model_id, message.step, answer)

    def _step(self, message: Message) -> dict[str, Any]:
        assert message.step is not None
        given, name = message.kwargs, (type(message.sim_id), message.sim_id, type(message.model_id), message.model_id)
        assert isinstance(message.sim_id, (str, int))
        assert isinstance(message.model_id, (str, int))
        if message.step == 0:
            seed = larva_seed(given.get("seed", 0), message.sim_id, message.model_id)
            self._larvae[name] = Population(DEFAULT, [seed], threads=1), 0
            if given["warmup"]:
                self._larvae[name][0].advance(given["warmup"])
        larva, step = self._larvae.get(name, (None, 0))
        if larva is None or message.step != step:
            return {
                "error": f"the step must be {step}, got {message.step}",
                "error_code": "step",
                "expected_step": step,
            }
        odors = given["odors"] if "odors" in given else {ODORS[given["odor_id"]]: given["odor_concentration"]}
        rates = drive(DEFAULT, odors, reward=given["reward"], punishment=given.get("punishment", 0.0))
        answer = self._rates(larva.advance(given["T"], rates))
        if "probe" in given:
            answer["probes"] = {
                odor: self._rates(larva.probe({odor: given["probe_concentration"]}, given["probe_ms"]))
                for odor in given["probe"]
            }
        self._larvae[name] = larva, step + 1
        return answer

    @staticmethod
    def _rates(activity: Any) -> dict[str, Any]:
        return {cell: float(activity.rate_hz(cell)[0]) for cell in ("MBONp", "MBONn")}

    def _export(self, message: Message) -> dict[str, Any]:
        name = (type(message.sim_id), message.sim_id, type(message.model_id), message.model_id)
        with tempfile.TemporaryDirectory() as folder:
            path = self._larvae[name][0].snapshot().save(Path(folder) / "larva.npz")
            return {"snapshot": base64.b64encode(path.read_bytes()).decode()}

    def _load(self, message: Message) -> dict[str, Any]:
        name = (type(message.sim_id), message.sim_id, type(message.model_id), message.model_id)
        assert message.step is not None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "larva.npz"
            path.write_bytes(base64.b64decode(message.kwargs["snapshot"]))
            self._larvae[name] = Population.from_snapshot(Snapshot.load(path), threads=1), message.step
        return {}
