"""A page that shows larvae learn while they do, and a finished run as one file."""

from kenyon.live.watching import Page, watch

__all__ = ["Page", "watch"]
