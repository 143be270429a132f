"""A still and a film of the live page, of a run in which larvae learn: docs/images/live.png and live.webp.

`make live-film` runs it beside Larvaworld; it needs a Chromium on this machine. Twelve larvae live through
PItrain_mini, four short trials and a test; the page that watched them is played in a browser without a window, and its
pictures are put together. What the page was told is kept (`--keep`), so that it can be drawn again.
"""

import argparse
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from kenyon.live.messages import spelled
from kenyon.live.page import page

IMAGES = Path(__file__).parent.parent / "docs" / "images"
PICTURES = 60
PICTURE_MS = 150
LAST_MS = 3000
WIDTH, HEIGHT, STILL_HEIGHT = 1280, 960, 1440
FILM_WIDTH = 900
STILL_AT = 0.85
"""When the still is taken, as a share of the run."""

_SEEK = """t_s => {
  const scrub = document.getElementById("scrub");
  scrub.value = String(t_s);
  scrub.dispatchEvent(new Event("input"));
}"""


class Tape:
    """Keeps what a run tells; somebody looks at the first larva all the time."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.chosen = frozenset({0})

    def say(self, message: Mapping[str, Any]) -> None:
        """Keep one message."""
        self.messages.append(json.loads(spelled(message)))


def record(larvae: int) -> list[dict[str, Any]]:
    """Let larvae learn, and return what a page would have been told."""
    from kenyon.larvaworld_plugin import run
    from kenyon.live.arena import ArenaSource

    tape = Tape()
    run("PItrain_mini", larvae=larvae, seed=1, listeners=[ArenaSource(tape, every_s=0.5)])
    return tape.messages


def pictures(messages: list[dict[str, Any]], moments: list[float], height: int) -> Iterator[Image.Image]:
    """Give pictures of the page at some moments of the run."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "page.html"
        file.write_text(page(messages), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="light")
        tab.goto(file.as_uri())
        tab.wait_for_selector("body[data-frames]")
        tab.click("#play")
        for moment in moments:
            tab.evaluate(_SEEK, moment)
            tab.wait_for_selector(f'body[data-now="{moment:.3f}"]')
            yield Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        browser.close()


def main() -> None:
    """Record, or read what was recorded, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, default=Path("kenyon-results/live-film.jsonl"), help="what the run told")
    parser.add_argument("--larvae", type=int, default=12)
    asked = parser.parse_args()
    if not asked.keep.exists():
        asked.keep.parent.mkdir(parents=True, exist_ok=True)
        told = record(asked.larvae)
        asked.keep.write_text("\n".join(json.dumps(message) for message in told), encoding="utf-8")
    messages = [json.loads(line) for line in asked.keep.read_text(encoding="utf-8").splitlines()]
    lasts_s = max(message["t_s"] for message in messages if message["kind"] == "frame")
    moments = [round(lasts_s * number / (PICTURES - 1), 1) for number in range(PICTURES)]
    (still,) = pictures(messages, [round(lasts_s * STILL_AT, 1)], STILL_HEIGHT)
    few = still.quantize(palette=still.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
    few.save(IMAGES / "live.png", optimize=True)
    size = (FILM_WIDTH, HEIGHT * FILM_WIDTH // WIDTH)
    small = [picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures(messages, moments, HEIGHT)]
    lasting = [PICTURE_MS] * (PICTURES - 1) + [LAST_MS]
    small[0].save(
        IMAGES / "live.webp", save_all=True, append_images=small[1:], duration=lasting, loop=0, quality=55, method=6
    )
    for name in ("live.png", "live.webp"):
        print(name, (IMAGES / name).stat().st_size)


if __name__ == "__main__":
    main()
