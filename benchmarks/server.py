"""The model server: round trips, steps per second, and what a client notices of hostile ones, as ratios within one run.

    python benchmarks/server.py [--rounds 5] [--no-brian] [--hostile]

Peers in the same run: Brian2 behind the same server, and a server of Larvaworld's own kind, for which
`make bench-server` brings the wheel: its `Server` class, answering each step with one neuron in Brian2 that is built,
restored, run and stored anew. Larvaworld's example server, which no release contains, works like that. The limit is
the kernel in process.

Whatever is compared takes turns, round after round; the median over rounds is printed. Clients are in this process,
with frames written beforehand, for it is the server that is measured; of two cores they still take their share.
"""

import argparse
import itertools
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from kenyon.mushroom_body import BALANCED, Population, drive
from kenyon.seeds import larva_seeds
from kenyon.server import ready
from kenyon.wire import Address, Message, close_connections, encode, exchange, frame

LARVAWORLD = find_spec("larvaworld") is not None
STEP_MS = 100
SHORT_MS = 10
LARVAE = (1, 8, 64)
_count = itertools.count()


def step(sim_id: str, larva: int, number: int, step_ms: int = STEP_MS) -> Message:
    """Return a step with a concentration that is never the same."""
    odor = {"odor_id": 0, "odor_concentration": 0.1 + (number * 7 + larva) % 97 / 50}
    return Message(sim_id, larva, number, {**odor, "T": step_ms, "warmup": 0, "step_id": number, "reward": number % 2})


@dataclass(frozen=True)
class Served(Address):
    """Where a server of ours listens, which process it is, and where it keeps its larvae."""

    pid: int = 0
    folder: str = ""


@contextmanager
def kenyon_server(*options: str) -> Iterator[Served]:
    """Run `kenyon serve` on a state directory on disk."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from kenyon.cli import main; main()", "serve", "--port", "0"]
        command += ["--state-dir", f"{folder}/state", "--ready-file", f"{folder}/ready", *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            found = ready.wait_for(f"{folder}/ready", is_alive=lambda: process.poll() is None)
            if found is None:
                raise RuntimeError("a server ended before it listened")
            yield Served("127.0.0.1", found.address.port, pid=process.pid, folder=f"{folder}/state")
        finally:
            close_connections()
            process.terminate()
            process.wait(60)


def _line(process: "subprocess.Popen[str]") -> str:
    """Return the next line that a process prints."""
    line = "" if process.stdout is None else process.stdout.readline()
    if not line:
        raise RuntimeError("a server ended before it listened")
    return line


LARVAWORLDS_SERVER = """
import sys, tempfile
from socketserver import ThreadingTCPServer
import brian2
from brian2 import ms, mV, nS, pA, pF, Hz
from larvaworld.lib.ipc import BrianInterfaceMessage, Server
brian2.prefs.codegen.target = "numpy"
folder = tempfile.mkdtemp()
born = set()

def answer(message):
    brian2.start_scope()
    neuron = brian2.NeuronGroup(
        1,
        '''dv/dt = (g_L * (E_L - v) - g_a * (v - E_a) + current) / C : volt (unless refractory)
        dg_a/dt = -g_a / tau_a : siemens
        current : amp''',
        threshold="v > -35 * mV", reset="v = E_L; g_a += 0.1 * nS", refractory=2 * ms, method="euler",
        namespace=dict(g_L=5 * nS, E_L=-60 * mV, E_a=-90 * mV, C=100 * pF, tau_a=1000 * ms), name="neuron",
    )
    spikes = brian2.SpikeMonitor(neuron, name="spikes")
    network = brian2.Network(neuron, spikes)
    path = f"{folder}/{message.sim_id}_{message.model_id}"
    if path in born:
        network.restore(filename=path)
    else:
        neuron.v = -60 * mV
    before = spikes.num_spikes
    neuron.current = (150 + 100 * message.param("odor_concentration")) * pA
    network.run(message.param("T") * ms)
    network.store(filename=path)
    born.add(path)
    rate = (spikes.num_spikes - before) / (message.param("T") / 1000)
    return message.with_params(OSN_rate=rate, MBONp=rate, MBONn=0.0)

server = type("TcpServer", (Server, ThreadingTCPServer), {})(("127.0.0.1", 0), lambda ms_: [answer(m) for m in ms_])
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextmanager
def larvaworlds_server() -> Iterator[Address]:
    """Run a server of Larvaworld's kind."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", LARVAWORLDS_SERVER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "SDL_AUDIODRIVER": "dummy", "SDL_VIDEODRIVER": "dummy"},
    )
    try:
        while not (line := _line(process).strip()).isdecimal():
            pass
        yield Address("127.0.0.1", int(line))
    finally:
        process.kill()
        process.wait()


def ask(sock: socket.socket, request: bytes) -> bytes:
    """Send a frame and return the one that comes back, the client's own work kept as small as can be."""
    sock.sendall(request)
    reply = sock.recv(1 << 20)
    while len(reply) < 4 or len(reply) < struct.unpack_from("!i", reply)[0]:
        reply += sock.recv(1 << 20)
    if b'"error"' in reply:
        raise RuntimeError(reply.decode())
    return reply


def connected(address: Address) -> socket.socket:
    """Return a connection that does not wait to send."""
    sock = socket.create_connection((address.host, address.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def round_trips_ms(address: Address, clients: int, steps: int, step_ms: int = STEP_MS) -> list[float]:
    """Return how long each step took, all clients at once, each with a larva and a connection of its own."""
    times: list[float] = []
    ready = threading.Barrier(clients)

    def live() -> None:
        sim_id = f"trip {next(_count)}"
        own = []
        with connected(address) as sock:
            requests = [frame(encode([step(sim_id, 0, number, step_ms)])) for number in range(steps + 3)]
            for request in requests[:3]:
                ask(sock, request)
            ready.wait()
            for request in requests[3:]:
                began = time.perf_counter()
                ask(sock, request)
                own.append((time.perf_counter() - began) * 1e3)
        times.extend(own)

    threads = [threading.Thread(target=live) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def show_round_trips(servers: dict[str, Address], rounds: int) -> None:
    """Print median and 99th percentile for every server."""
    print(f"\nround trip of a {STEP_MS} ms step, ms: median (99th percentile), {rounds} rounds")
    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for name, address in servers.items():
            for clients in (1, 8):
                steps = 300 // clients if name == "kernel" else 20
                taken.setdefault((name, clients), []).extend(round_trips_ms(address, clients, steps))
    kernel = {clients: statistics.median(taken["kernel", clients]) for clients in (1, 8)}
    for name in servers:
        cells = []
        for clients in (1, 8):
            times = np.array(taken[name, clients])
            ratio = np.median(times) / kernel[clients]
            cells.append(f"{np.median(times):8.2f} ({np.percentile(times, 99):8.2f})  {ratio:6.1f} x")
        print(f"{name:22} 1 client {cells[0]}    8 at once {cells[1]}")


def memory_round_trip(address: Address) -> None:
    """Print what a memory waits for its step, its own messages included."""
    times = []
    for number in range(300):
        began = time.perf_counter()
        exchange(address, [step("memory", 0, number)])
        times.append((time.perf_counter() - began) * 1e3)
    print(f"through our own client, with its checks: {statistics.median(times):.2f} ms")


def served_per_second(address: Address, larvae: int, connections: int, frames: int) -> float:
    """Return steps per second of frames of so many larvae, through so many connections at once."""
    ready = threading.Barrier(connections + 1)

    def live() -> None:
        sim_id = f"many {next(_count)}"
        with connected(address) as sock:
            requests = [
                frame(encode([step(sim_id, larva, number) for larva in range(larvae)])) for number in range(frames + 1)
            ]
            ask(sock, requests[0])
            ready.wait()
            for request in requests[1:]:
                ask(sock, request)

    threads = [threading.Thread(target=live) for _ in range(connections)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return connections * frames * larvae / (time.perf_counter() - began)


def computed_per_second(larvae: int, frames: int) -> float:
    """Return steps per second of the kernel in this process, as many larvae at once."""
    population = Population(BALANCED, larva_seeds(next(_count), larvae))
    rates = [
        np.array(
            [
                drive(BALANCED, {"pentyl acetate": 0.1 + (number * 7 + i) % 97 / 50}, reward=number % 2)
                for i in range(larvae)
            ]
        )
        for number in range(frames + 1)
    ]
    population.advance(STEP_MS, rates[0])
    began = time.perf_counter()
    for own in rates[1:]:
        population.advance(STEP_MS, own)
    return larvae * frames / (time.perf_counter() - began)


def show_steps_per_second(address: Address, rounds: int) -> None:
    """Print the server beside the kernel in process."""
    print("\nsteps of 100 ms per second, and as a share of the kernel in process with as many larvae a call")
    for larvae in LARVAE:
        frames = max(40, 1000 // larvae)
        columns: dict[str, Callable[[], float]] = {
            "kernel in process": lambda n=larvae, f=frames: computed_per_second(n, f),  # type: ignore[misc]  # a default binds it now
            "1 connection": lambda n=larvae, f=frames: served_per_second(address, n, 1, f),  # type: ignore[misc]  # as above
            "4 connections": lambda n=larvae, f=frames: served_per_second(address, n, 4, f // 4),  # type: ignore[misc]  # as above
            "16 connections": lambda n=larvae, f=frames: served_per_second(address, n, 16, max(5, f // 16)),  # type: ignore[misc]  # as above
        }
        taken: dict[str, list[float]] = {name: [] for name in columns}
        for _ in range(rounds):
            for name, measure in columns.items():
                taken[name].append(measure())
        cells = []
        for name, values in taken.items():
            shares = [own / kernel for own, kernel in zip(values, taken["kernel in process"], strict=True)]
            cells.append(f"{name} {statistics.median(values):6,.0f} ({statistics.median(shares):.0%})")
        print(f"{larvae:3} larvae a frame   " + "   ".join(cells))


def _slowly(address: Address, go_on: threading.Event) -> None:
    """Send a byte now and then."""
    body = frame(encode([step("slow", 0, 0)]))
    with connected(address) as sock:
        for byte in itertools.cycle(body[:50]):
            if not go_on.is_set():
                return
            sock.sendall(bytes([byte]))
            time.sleep(1.0)


def _never_reading(address: Address, go_on: threading.Event) -> None:
    request = frame(encode([Message("deaf", i, 0, {"op": "ping"}) for i in range(100)]))
    with connected(address) as sock:
        sock.settimeout(0.5)
        while go_on.is_set():
            with suppress(OSError):
                sock.sendall(request)


def _hanging_up(address: Address, go_on: threading.Event) -> None:
    while go_on.is_set():
        connected(address).close()
        time.sleep(0.001)


def _at_once(address: Address, go_on: threading.Event) -> None:
    """Hold two hundred connections, and ask on one after the other."""
    ping = frame(encode([Message("x", 0, 0, {"op": "ping"})]))
    connections = [connected(address) for _ in range(200)]
    for sock in itertools.cycle(connections):
        if not go_on.is_set():
            break
        ask(sock, ping)
        time.sleep(0.002)
    for sock in connections:
        sock.close()


def _fuzzing(address: Address, go_on: threading.Event) -> None:
    chance = np.random.default_rng(0)
    good = encode([step("fuzz", 0, 0)])
    with connected(address) as sock:
        while go_on.is_set():
            body = bytearray(good)
            body[chance.integers(len(body))] = chance.integers(256)
            sock.sendall(struct.pack("!i", len(body) + 4) + bytes(body))
            sock.recv(1 << 16)
            time.sleep(0.001)


def _repeating(*messages: Message) -> Callable[[Address, threading.Event], None]:
    """Return ten connections of one process that each ask the same frame again as soon as it is answered."""

    def attack(address: Address, go_on: threading.Event) -> None:
        request = frame(encode(messages))

        def repeat() -> None:
            with connected(address) as sock:
                while go_on.is_set():
                    sock.sendall(request)
                    reply = sock.recv(1 << 20)
                    while len(reply) < struct.unpack_from("!i", reply)[0]:
                        reply += sock.recv(1 << 20)

        threads = [threading.Thread(target=repeat) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return attack


HOSTILE = {
    "10 x 1,000 pings": _repeating(*(Message("x", i, 0, {"op": "ping"}) for i in range(1000))),
    "10 x 1,000 bad odors": _repeating(
        *(Message("x", i, 0, {"odors": {f"no {i}": 1.0}, "T": 10}) for i in range(1000))
    ),
    "10 x a probe of 300,000": _repeating(Message("x", 0, 0, {"op": "probe", "probe": [0] * 300_000})),
    "10 x 1,000 steps ahead": _repeating(*(Message("x", i, 7, {"T": 10}) for i in range(1000))),
    "10 x one ping": _repeating(Message("x", 0, 0, {"op": "ping"})),
    "a byte a second": _slowly,
    "never reads": _never_reading,
    "connect and hang up": _hanging_up,
    "200 at once": _at_once,
    "fuzzed frames": _fuzzing,
}


def show_beside_hostile(address: Address, rounds: int) -> None:
    """Print a well-behaved client's latency beside each hostile one, over that without."""
    print(
        f"\na well-behaved client's step of {SHORT_MS} ms beside a hostile one, over its median alone: median, 99th "
        f"percentile; {rounds} rounds in turns"
    )
    for name in HOSTILE:
        alone: list[float] = []
        beside: list[float] = []
        for _ in range(rounds):
            alone += round_trips_ms(address, 1, 300, SHORT_MS)
            with subprocess.Popen([sys.executable, __file__, "--attack", name, str(address.port)]) as process:
                time.sleep(1.0)
                beside += round_trips_ms(address, 1, 300, SHORT_MS)
                process.kill()
        # Of all rounds together: of 300 round trips, the 99th percentile is three that happened to take long.
        median, tail = (np.percentile(beside, share) / np.median(alone) for share in (50, 99))
        print(
            f"{name:24} {median:5.2f} x {tail:6.2f} x   (alone {np.median(alone):.2f} ms, its 99th percentile "
            f"{np.percentile(alone, 99) / np.median(alone):.2f} x)",
            flush=True,
        )


def first_reply() -> None:
    """Print how long a server takes from its start to its first answer."""
    began = time.perf_counter()
    with kenyon_server() as address:
        exchange(address, [step("first", 0, 0)])
        print(f"\nfrom `kenyon serve` to the first reply, warm: {time.perf_counter() - began:.2f} s")


def main() -> None:
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-brian", action="store_true", help="leave Brian2 out")
    parser.add_argument("--hostile", action="store_true", help="measure beside hostile clients only")
    parser.add_argument("--attack", nargs=2, metavar=("NAME", "PORT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.attack is not None:
        go_on = threading.Event()
        go_on.set()
        HOSTILE[arguments.attack[0]](Address("127.0.0.1", int(arguments.attack[1])), go_on)
        return
    if arguments.hostile:
        with kenyon_server() as address:
            round_trips_ms(address, 8, 2)
            show_beside_hostile(address, arguments.rounds)
        return
    with ExitStack() as stack:
        servers: dict[str, Any] = {"kernel": stack.enter_context(kenyon_server())}
        if not arguments.no_brian:
            servers["brian2"] = stack.enter_context(kenyon_server("--engine", "brian2"))
            if LARVAWORLD:
                servers["larvaworld's, 1 neuron"] = stack.enter_context(larvaworlds_server())
            else:
                print("Larvaworld is not installed here; `make bench-server` compares")
        for address in servers.values():
            round_trips_ms(address, 8, 2)  # compiles
        show_round_trips(servers, arguments.rounds)
        memory_round_trip(servers["kernel"])
        show_steps_per_second(servers["kernel"], arguments.rounds)
        show_beside_hostile(servers["kernel"], arguments.rounds)
    first_reply()


if __name__ == "__main__":
    main()
