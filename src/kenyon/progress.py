"""Shows that work goes on: a bar on a terminal, plain lines elsewhere, nothing for what is over at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from kenyon.words import clean

QUIET_S = 1.0
"""Plain lines begin only after this long."""

LINE_EVERY_S = 10.0
"""Least time between two plain lines."""


@contextmanager
def progress(label: str | Callable[[], str], total: float, *, show: bool = True) -> Iterator[Callable[[float], None]]:
    """Show on standard error how much of some work is done.

    Args:
        label: What is being done; a function says it anew each time.
        total: How much there is to do, in any unit.
        show: Whether to show anything.

    Yields:
        A function to call with how much more has been done.

    Example:
        >>> with progress("counting", 3, show=False) as done:
        ...     done(1)
    """
    console = Console(stderr=True)
    words = label if callable(label) else lambda: label
    if not show:
        yield lambda _: None
    elif console.is_terminal and not console.is_dumb_terminal:
        name = TextColumn("{task.description}", markup=False)
        left = () if callable(label) else (TimeRemainingColumn(),)  # A function says it itself, if it knows.
        columns = name, BarColumn(), TaskProgressColumn(), *left
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(clean(words()), total=total)
            yield lambda more: bar.update(task, advance=more, description=clean(words()))
    else:
        yield _lines(words, total, console)


def _lines(words: Callable[[], str], total: float, console: Console) -> Callable[[float], None]:
    finished = 0.0
    next_line = time.monotonic() + QUIET_S

    shown = False

    def done(more: float) -> None:
        nonlocal finished, next_line, shown
        finished += more
        over = shown and finished >= total * (1 - 1e-9)
        if over or time.monotonic() >= next_line:
            shown = True
            next_line = time.monotonic() + LINE_EVERY_S
            with suppress(OSError):  # Nobody hears it; the work goes on.
                line = f"{clean(words())}: {finished / total:.0%}"
                console.print(line, highlight=False, markup=False, soft_wrap=True)

    return done
