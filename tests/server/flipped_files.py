"""Servers on state directories in whose file one bit is flipped, one after the other; run in a process of its own.

    python flipped_files.py FOLDER WORK SEED COUNT

FOLDER is a state directory, WORK an empty folder. Each server is asked for the next step of every larva, is stopped and
started, and asked again. A line of JSON says what came of it: the byte and bit, and, for each larva, what was answered.
"""

import asyncio
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from kenyon.errors import KenyonError
from kenyon.server.service import Service
from kenyon.server.settings import Settings
from kenyon.wire import Address, Message, close_connections, exchange
from tests.server.kept import FILE, LARVAE, ids_of

ROUNDS = 2
"""How often each server is started: damage must not grow by being written to."""


def ask_all(address: Address, next_steps: dict[int, int]) -> list[dict[str, Any]]:
    """Return what each larva answers to its next step."""
    ask = {"odor_id": 1, "odor_concentration": 1.0, "T": 2}
    messages = [Message(*ids_of(larva), next_steps[larva], ask) for larva in range(LARVAE)]
    try:
        return [reply.kwargs for reply in exchange(address, messages, timeout_s=60)]
    finally:
        close_connections()


async def serve(folder: Path, next_steps: dict[int, int]) -> list[dict[str, Any]] | str:
    """Return what larvae answer to a server's clients, or the sentence with which it refuses to start."""
    service = Service(Settings(port=0, state_dir=folder))
    try:
        await service.start()
    except KenyonError as reason:
        return str(reason)
    try:
        assert service.port is not None
        return await asyncio.to_thread(ask_all, Address("localhost", service.port), next_steps)
    finally:
        await service.stop()


def flip(file: Path, chance: random.Random) -> tuple[int, int]:
    """Flip one bit anywhere in a file; return which."""
    data = bytearray(file.read_bytes())
    place, bit = chance.randrange(len(data)), chance.randrange(8)
    data[place] ^= 1 << bit
    file.write_bytes(data)
    return place, bit


def attempt(folder: Path, steps: dict[int, int]) -> list[Any]:
    """Return what came of every start."""
    said: list[Any] = []
    for _ in range(ROUNDS):
        replies = asyncio.run(serve(folder, steps))
        said.append(replies)
        if isinstance(replies, str):
            break
        steps = {larva: number + ("error" not in replies[larva]) for larva, number in steps.items()}
    return said


def main(folder: Path, work: Path, seed: int, count: int) -> None:
    """Begin with a file that is whole, for comparison."""
    steps = {int(larva): number for larva, number in json.loads(sys.stdin.read()).items()}
    chance = random.Random(seed)
    for number in range(count + 1):
        copy = work / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        place = flip(copy / FILE, chance) if number else (0, 0)
        print(json.dumps([place, attempt(copy, steps)]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
