"""The page that shows larvae learn: its style sheet, its scripts, and what makes one text of them."""

from kenyon.live.page.text import SCRIPTS, page

__all__ = ["SCRIPTS", "page"]
