"""What several tests of this folder need."""

import threading
from collections.abc import Callable, Iterable
from typing import Any


def in_threads(work: Callable[[Any], None], each: Iterable[Any]) -> None:
    """Do some work on each of several things, in a thread of its own."""
    threads = [threading.Thread(target=work, args=(one,)) for one in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
