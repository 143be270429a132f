"""A browser for the tests of pages."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kenyon.live.page import page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return a headless Chromium of this machine; without one these tests fail."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, "the tests of pages need a Chromium: install one (apt-get install chromium), or say where in CHROMIUM"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


Opened = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    """Return what opens an address, or a page with messages within it, in a browser of its own.

    After the test no page may have had an error, or asked for anything that it was not given.
    """
    contexts, errors = [], []

    def open_page(what: Any, *, begun: bool = True, errors_allowed: bool = False, **options: Any) -> Any:
        options.setdefault("viewport", {"width": options.pop("width", 1280), "height": options.pop("height", 900)})
        context = browser.new_context(**options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(20_000)
        if not errors_allowed:
            tab.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        if not isinstance(what, str):
            (tmp_path / f"{len(contexts)}.html").write_text(page(what), encoding="utf-8")
            what = (tmp_path / f"{len(contexts)}.html").as_uri()
        tab.goto(what)
        if begun:
            tab.wait_for_selector("body[data-frames]")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
