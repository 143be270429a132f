"""What every command that runs something adds for `--watch`: a page about it, and where that is."""

import os
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kenyon.cli.output import hint

if TYPE_CHECKING:  # slow to import
    from kenyon.live import Page

Command = TypeVar("Command", bound=Callable[..., Any])


def watched(command: Command) -> Command:
    """Add the options of a page: `watch`, `watch_port` and `browser`."""
    for option in reversed(
        [
            click.option("--watch", is_flag=True, help="Show what happens on a page for browsers of this machine, and "
                         "print its address (docs/how_to/live.md)."),
            click.option("--watch-port", type=int, default=0, metavar="PORT", help="Port of that page.  "
                         "[default: a free one]", show_default=False),
            click.option("--browser/--no-browser", default=True, help="Open a browser on it, where there is a screen."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


@contextmanager
def page(*runs: Any, watch: bool, watch_port: int, browser: bool, stays: bool = True) -> "Iterator[list[Page]]":
    """Give listeners for a run: a page, whose address is printed, or nobody.

    Args:
        *runs: As for `kenyon.live.watch`.
        watch: Whether there shall be a page.
        watch_port: Its port.
        browser: Whether to open a browser on it.
        stays: Whether the page stays until Ctrl-C, where somebody sits in front of a terminal.
    """
    if not watch:
        yield []
        return
    from kenyon import live

    with live.watch(*runs, port=watch_port) as made:
        hint(f"Watch it: {made.address}")
        if browser and _has_screen():
            webbrowser.open(made.address)
        yield [made]
        if stays and sys.stderr.isatty():
            made.end()
            with suppress(KeyboardInterrupt):
                hint("The page is there until Ctrl-C.")
                made.wait()


def _has_screen() -> bool:
    """Return whether somebody sits in front of this machine who would see a browser open."""
    if not sys.stderr.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
