"""Memories side by side: Larvaworld's, ours, and the limit, as ratios within one run.

python benchmarks/memories.py [--rounds N]

Larvaworld's columns need its wheel: `make bench-larvaworld` brings it. Each figure is the median over rounds, in which
the columns take turns; machines are noisy, so look at the ratios.
"""

import argparse
import multiprocessing
import socket
import statistics
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

import numpy as np

from kenyon.memory import MushroomBodyMemory, RLOlfMemory, RLPopulation, step_together
from kenyon.mushroom_body import BALANCED, Population, drive
from kenyon.wire import Address, FrameReader, Message, close_connections, decode, encode, exchange, frame

LARVAWORLD = find_spec("larvaworld") is not None
LARVAE = 10_000
SITUATIONS: dict[str, dict[str, Any]] = {
    "acting, learning": {"update_dt": 0.0, "train_dur": 1e9},
    "acting, exploiting": {"train_dur": 0.0},
    "between updates": {"update_dt": 1e6, "train_dur": 1e9},
}
Timed = dict[str, Callable[[], object]]


def microseconds(call: Callable[[], object], repeats: int) -> float:
    """Return the time of one call, over some repeats."""
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats * 1e6


def compare(columns: Timed, repeats: dict[str, int], rounds: int) -> dict[str, float]:
    """Return the median time of each column, µs; the columns take turns."""
    for call in columns.values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in columns}
    for _ in range(rounds):
        for name, call in columns.items():
            taken[name].append(microseconds(call, repeats.get(name, repeats["*"])))
    return {name: statistics.median(times) for name, times in taken.items()}


def show(title: str, medians: dict[str, float], *, unit: str = "µs", scale: float = 1.0) -> None:
    """Print one row, with how many times faster ours is than Larvaworld's."""
    cells = "   ".join(f"{name} {value * scale:,.3g} {unit}" for name, value in medians.items())
    ratio = ""
    if "larvaworld" in medians:
        ratio = f"   larvaworld / ours {medians['larvaworld'] / medians['ours']:,.1f}"
    print(f"{title:32}{cells}{ratio}")


def q_learning(rounds: int) -> None:
    """A step of one larva with one odor; the limit is the same larva in a batch."""
    for name, options in SITUATIONS.items():
        ours = RLOlfMemory(gain={"Odor": 0.0}, **options)
        columns: Timed = {"ours": lambda ours=ours: ours.step(reward=False, dx={"Odor": 0.1})}  # type: ignore[misc]  # a default binds it now
        if LARVAWORLD:
            from larvaworld.lib.model.modules.memory import RLOlfMemory as Theirs

            theirs = Theirs(gain={"Odor": 0.0}, **options)
            columns["larvaworld"] = lambda theirs=theirs: theirs.step(reward=False, dx={"Odor": 0.1})  # type: ignore[misc]  # as above
        show(f"Q-learning, {name}", compare(columns, {"*": 2000}, rounds))
        batch = RLPopulation(LARVAE, ["Odor"], **options)
        dx = np.random.default_rng(1).normal(size=(LARVAE, 1))
        medians = compare({"ours": lambda batch=batch, dx=dx: batch.step(dx, 0.0)}, {"*": 10}, rounds)  # type: ignore[misc]  # as above
        show(f"  {LARVAE:,} larvae, each", medians, unit="ns", scale=1e3 / LARVAE)


def circuit(rounds: int) -> None:
    """A tick of 100 ms with the mushroom body in process; the limit is the kernel alone."""
    memory = MushroomBodyMemory(gain={"Odor": 0.0})
    larva = Population(BALANCED, [1], threads=1)
    rates = drive(BALANCED, {"pentyl acetate": 0.7})
    columns: Timed = {
        "ours": lambda: memory.step({"Odor": 0.7}),
        "kernel alone": lambda: larva.advance(100, rates),
    }
    show("mushroom body, 100 ms", compare(columns, {"*": 50}, rounds))
    many = [MushroomBodyMemory(gain={"Odor": 0.0}, sim_id="many", model_id=i) for i in range(64)]
    dx = [{"Odor": 0.7}] * 64
    medians = compare({"ours": lambda: step_together(many, dx, [False] * 64)}, {"*": 2}, rounds)
    show("  64 together, each", medians, scale=1 / 64)


def _answer(listener: socket.socket) -> None:
    """Serve one connection after the other: a mushroom body's reply to every message, and nothing computed."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = FrameReader()
        while data := connection.recv(65536):
            reader.feed(data)
            while (body := reader.next_frame()) is not None:
                replies = [Message(m.sim_id, m.model_id, m.step, {"MBONp": 1.0, "MBONn": 0.0}) for m in decode(body)]
                connection.sendall(frame(encode(replies)))
        connection.close()


def _echo(listener: socket.socket) -> None:
    """Give back whatever comes: what a round trip costs at least."""
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(65536):
        connection.sendall(data)


def _their_server(port: Any) -> None:
    from socketserver import ThreadingTCPServer

    from larvaworld.lib.ipc import BrianInterfaceMessage, Server  # noqa: F401  # the second must know the first

    kind = type("TcpServer", (Server, ThreadingTCPServer), {})
    server = kind(("127.0.0.1", 0), lambda messages: [m.with_params(MBONp=1.0, MBONn=0.0) for m in messages])
    port.put(server.server_address[1])
    server.serve_forever()


def round_trip(rounds: int) -> None:
    """One message there and back on loopback, the server in another process; the limit is the bare socket."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        ports = []
        for serve in (_answer, _echo):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            ports.append(listener.getsockname()[1])
            process = context.Process(target=serve, args=(listener,), daemon=True)
            process.start()
            stack.callback(process.terminate)
        message = Message("run", "Larva_0", 0, {"odor_id": 0, "odor_concentration": 0.1, "T": 100, "warmup": 0})
        request = frame(encode([message]))
        bare = stack.enter_context(socket.create_connection(("127.0.0.1", ports[1])))
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def bare_round_trip() -> None:
            bare.sendall(request)
            left = struct.unpack("!i", request[:4])[0]
            while left:
                left -= len(bare.recv(left))

        columns: Timed = {
            "ours": lambda: exchange(Address("127.0.0.1", ports[0]), [message]),
            "bare socket": bare_round_trip,
        }
        if LARVAWORLD:
            from larvaworld.lib.ipc import BrianInterfaceMessage, Client

            queue = context.Queue()
            process = context.Process(target=_their_server, args=(queue,), daemon=True)
            process.start()
            stack.callback(process.terminate)
            client = stack.enter_context(Client(("127.0.0.1", queue.get())))
            theirs = BrianInterfaceMessage("run", "Larva_0", 0, **message.kwargs)
            columns["larvaworld"] = lambda: client.send([theirs])
        show("round trip, kept connection", compare(columns, {"*": 200, "larvaworld": 1}, rounds))
        close_connections()


def main() -> None:
    """Print every row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15, help="how often the columns take turns")
    rounds = parser.parse_args().rounds
    if not LARVAWORLD:
        print("Larvaworld is not installed here: ours alone; `make bench-larvaworld` compares")
    q_learning(rounds)
    circuit(rounds)
    round_trip(rounds)


if __name__ == "__main__":
    main()
