"""The site that `make docs` has built, as it is read: on a screen and on a phone, in the light and in the dark."""

from pathlib import Path
from typing import Any

import pytest

HTML = Path(__file__).parent.parent.parent / "docs" / "_build" / "html"
BUILT = sorted(str(page.relative_to(HTML)) for page in HTML.rglob("*.html")) if HTML.exists() else []

TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"

pytestmark = pytest.mark.page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_is_wider_than_the_screen(browser: Any, width: int, scheme: str) -> None:
    """Wide tables and long lines of code scroll by themselves."""
    assert BUILT, "the site is not built; run `make docs` first"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    wide = []
    for name in BUILT:
        tab.goto((HTML / name).as_uri())
        wide += [name] * bool(tab.evaluate(TOO_WIDE))
    context.close()
    assert wide == []


def test_a_word_is_found(browser: Any) -> None:
    """Searching asks nothing of another machine."""
    assert BUILT, "the site is not built; run `make docs` first"
    tab = browser.new_page()
    tab.goto((HTML / "search.html").as_uri() + "?q=extinction")
    tab.wait_for_selector("ul.search li a")
    assert "paradigms.html" in tab.content()
