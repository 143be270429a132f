"""The page as a text: what is within it, whom it lets a browser run, and which messages it refuses."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from kenyon.errors import InputError
from kenyon.live.page import page

BEGUN: dict[str, Any] = {
    "kind": "begun",
    "larvae": ["</script><script>alert(1)</script>"],
    "stimuli": ["<!-- script -->"],
}


class Parts(HTMLParser):
    """The texts of scripts and style sheets, as an HTML parser finds them, and the policy."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.policy = ""
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what begins."""
        given = dict(attrs)
        self._within = (given.get("id") or tag) if tag in {"script", "style"} else ""
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given.get("content") or ""

    def handle_endtag(self, _: str) -> None:
        """Forget it."""
        self._within = ""

    def handle_data(self, data: str) -> None:
        """Keep the text of a script or style sheet."""
        if self._within:
            self.texts[self._within] = self.texts.get(self._within, "") + data


def test_a_browser_may_run_the_one_script_and_nothing_else() -> None:
    """The policy names the script and the style sheet by their hashes, and nothing is loaded from anywhere."""
    text = page()
    parts = Parts(text)
    for rule, name in (("script-src", "script"), ("style-src", "style")):
        digest = base64.b64encode(hashlib.sha256(parts.texts[name].encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}';" in parts.policy
    assert parts.policy.startswith("default-src 'none'")
    assert set(re.findall(r"https?://[^\s\"']+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)


def test_messages_come_back_as_they_were() -> None:
    """What a saved page holds is the messages, whatever they look like; the same messages are the same page."""
    messages: list[dict[str, Any]] = [BEGUN, {"kind": "frame", "t_s": 0.5, "gain": {"CS": [None, 1.5]}}]
    parts = Parts(page(messages))
    assert set(parts.texts) == {"messages", "script", "style"}
    assert json.loads(gzip.decompress(base64.b64decode(parts.texts["messages"]))) == messages
    assert page(iter(messages)) == page(messages)


@pytest.mark.parametrize(
    "messages", [3, ["begun"], [{}], [{"kind": 1}], [BEGUN, {"kind": "frame", "t_s": float("nan")}]]
)
def test_what_is_no_message_is_refused(messages: object) -> None:
    """Messages without a kind, or with what JSON cannot say, are refused in a sentence."""
    with pytest.raises(InputError, match="page must"):
        page(messages)  # type: ignore[arg-type]
