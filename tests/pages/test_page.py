"""The page in a real browser: what it draws, what clicks and keys do, whom it believes."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.pages.conftest import Opened
from tests.pages.recordings import begun, conditioning, going_on, learning, on_a_server, with_table

pytestmark = pytest.mark.page

_COLOURS_DRAWN = """id => {
  const canvas = document.getElementById(id);
  const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < bytes.length; i += 4) {
    if (bytes[i + 3]) seen.add((bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2]);
  }
  return seen.size;
}"""


def colours_drawn(tab: Any, canvas: str) -> int:
    """Return how many colors a canvas shows."""
    return int(tab.evaluate(_COLOURS_DRAWN, canvas))


def now(tab: Any) -> float:
    """Return the moment that is shown, s."""
    return float(tab.evaluate("document.body.dataset.now"))


def wait_until(tab: Any, shows: Callable[[float], bool]) -> None:
    """Wait until the moment that is shown is one of those meant."""
    for _ in range(400):
        if shows(now(tab)):
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"the page stands at {now(tab)} s")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_every_panel_is_drawn_at_any_width(opened: Opened, width: int, scheme: str) -> None:
    """Dish, curves, raster, weights, timeline and what was learned are drawn, and nothing is wider than the screen."""
    tab = opened(learning(), width=width, color_scheme=scheme, reduced_motion="reduce")
    for canvas in ("place", "curves", "raster", "weights", "timeline", "learned"):
        assert colours_drawn(tab, canvas) > 3, canvas
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("#rates li").count() == 11
    assert tab.locator("#diagram-kc circle").count() == 72


def test_a_click_chooses_the_larva_under_it(opened: Opened) -> None:
    """Where a larva is clicked in the dish, its name stands in the list, and a reload keeps it."""
    tab = opened(learning(), reduced_motion="reduce")
    assert tab.evaluate("document.body.dataset.larva") == "0"
    box = tab.locator("#place").bounding_box()
    last = [message for message in learning() if message["kind"] == "frame"][-1]
    scale = (min(box["width"], box["height"]) - 16) / 0.1
    tab.locator("#place").click(
        position={"x": box["width"] / 2 + last["x"][2] * scale, "y": box["height"] / 2 - last["y"][2] * scale}
    )
    assert tab.locator("#larva").input_value() == "2"
    tab.reload()
    tab.wait_for_selector("body[data-frames]")
    assert tab.locator("#larva").input_value() == "2"


def test_keys_move_the_clock_and_the_choice(opened: Opened) -> None:
    """Home, End and arrows move the clock, N and P the choice, space plays and pauses."""
    tab = opened(learning(), reduced_motion="reduce")
    assert now(tab) == 5.0
    tab.keyboard.press("Home")
    wait_until(tab, lambda t_s: t_s == 0.0)
    tab.keyboard.press("ArrowRight")
    wait_until(tab, lambda t_s: t_s > 0.0)
    tab.keyboard.press("n")
    assert tab.locator("#larva").input_value() == "1"
    tab.keyboard.press("p")
    assert tab.locator("#larva").input_value() == "0"
    tab.keyboard.press(" ")
    tab.wait_for_selector("#play[aria-label=pause]")
    tab.keyboard.press(" ")
    tab.wait_for_selector("#play[aria-label=play]")
    tab.keyboard.press("End")
    wait_until(tab, lambda t_s: t_s == 5.0)


def test_it_plays_from_the_beginning_unless_motion_is_unwanted(opened: Opened) -> None:
    """A recorded run plays by itself; with reduced motion it stands at its end."""
    tab = opened(learning())
    wait_until(tab, lambda t_s: t_s > 0.3)
    assert now(tab) < 5.0
    still = opened(learning(), reduced_motion="reduce")
    assert now(still) == 5.0


def test_everything_can_be_reached_by_name(opened: Opened) -> None:
    """Every drawing and every control has a name that is read aloud."""
    tab = opened(learning(), reduced_motion="reduce")
    for element in tab.locator("canvas, svg, input, select, button").all():
        if element.is_visible():
            name = element.evaluate("e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent")
            assert name.strip(), element.evaluate("e => e.outerHTML")


def test_q_learners_show_their_table(opened: Opened) -> None:
    """A larva without cells shows its table, the best entry of a state marked, and the page explains tables."""
    tab = opened(with_table(), reduced_motion="reduce")
    assert tab.locator("#larva-cells").is_hidden()
    assert tab.locator("#table tr").count() == 3
    assert tab.locator("#table td.best").all_inner_texts() == ["0.700", "0.200"]
    assert tab.locator("#explained-table").is_visible()


def test_without_a_dish_larvae_stand_where_they_would_go(opened: Opened) -> None:
    """Larvae of a conditioning experiment have a row each, groups together; a click on a row chooses its larva."""
    tab = opened(conditioning(), reduced_motion="reduce")
    assert tab.locator("#place-title").inner_text() == "Where they would go"
    for canvas in ("place", "curves", "raster", "weights", "timeline", "learned"):
        assert colours_drawn(tab, canvas) > 3, canvas
    box = tab.locator("#place").bounding_box()
    tab.locator("#place").click(position={"x": box["width"] / 2, "y": box["height"] / 2 + 98})
    assert tab.locator("#larva").input_value() == "3"
    assert "paired" in tab.locator("#curves-key").inner_text()


def test_larvae_that_join_a_server_are_shown(opened: Opened) -> None:
    """Larvae that come later are in the list and in the field, and the page says why there are no spikes."""
    tab = opened(on_a_server(), reduced_motion="reduce")
    assert tab.locator("#larva option").all_inner_texts() == [f"<b>{number}</b>" for number in range(5)]
    assert tab.locator("#place-title").inner_text() == "Larvae on the server"
    assert tab.locator("#place-count").inner_text() == "2 of 5 follow CS, 2 avoid it"
    tab.select_option("#larva", "4")
    assert "follows CS (gain 20)" in tab.locator("#larva-words").inner_text()


def test_names_from_anybody_stay_text(opened: Opened) -> None:
    """Names that look like HTML, or like the inner names of JavaScript, are shown and do nothing."""
    evil = "<img src=x onerror=alert(1)></script><script>document.title='taken'</script>"
    names = [evil, "__proto__", "constructor", "\u202e" + "x" * 3000]
    told = [
        begun(larvae=names, title=evil, stimuli=["constructor", evil], run={"seed": evil}),
        *[message for message in learning() if message["kind"] != "begun"],
    ]
    tab = opened(told, reduced_motion="reduce")
    assert evil in tab.locator("#larva").inner_text()
    assert tab.title() == f"{evil} · Kenyon"
    assert tab.locator("img").count() == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_thousand_frames_leave_no_error(opened: Opened) -> None:
    """A run of a thousand frames is played through, from its beginning to its end."""
    tab = opened(going_on(learning(), 1000))
    assert tab.evaluate("document.body.dataset.frames") == "1002"
    tab.select_option("#speed", "500")
    wait_until(tab, lambda t_s: t_s > 1000.0)


def test_the_page_names_no_other_address(opened: Opened) -> None:
    """Nothing is fetched but what is within the page."""
    tab = opened(learning(), reduced_motion="reduce")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", tab.content())
    assert json.loads(tab.evaluate("JSON.stringify(performance.getEntriesByType('resource').map(e => e.name))")) == []
