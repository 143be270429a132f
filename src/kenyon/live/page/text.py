"""The page that shows larvae learn, as one text: live in a browser, or with a whole run within it.

Law of this room: it knows messages and a browser, nothing of larvae. Its style sheet and its scripts are put into the
text, and nothing else is ever fetched: a policy in the page lets a browser run these two texts alone, for names that it
shows may come from anybody.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from kenyon import checks
from kenyon.errors import InputError
from kenyon.words import shown

SCRIPTS = (
    *("story", "player", "pen", "arena", "field", "curves", "timeline", "larva", "diagram"),
    *("saying", "controls", "hearing", "page"),
)
"""The parts of the one script, in the order in which they are joined."""


def page(messages: Iterable[Mapping[str, Any]] | None = None) -> str:
    """Return the page.

    Args:
        messages: All that a run has told, each with its `kind`, which is put into the page compressed; so it plays
            from a file, without a server or network. Without it the page listens to `events` beside its address.

    Returns:
        HTML. With messages it is the same for the same messages.

    Raises:
        InputError: messages are no sequence, or one of them is no mapping with a `kind`, or holds what JSON cannot say.

    Example:
        >>> begun = {"kind": "begun", "version": 1, "larvae": ["Anna"], "groups": [""], "stimuli": ["pentyl acetate"]}
        >>> page([begun]).startswith("<!doctype html>")
        True
    """
    parts = {
        "policy": _policy(_style(), _script()),
        "style": f"<style>{_style()}</style>",
        "messages": "" if messages is None else _embedded(messages),
        "script": f"<script>{_script()}</script>",
    }
    text = _read("index.html")
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    return text


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _style() -> str:
    return _read("page.css")


def _script() -> str:
    """Return all parts of the script as one, whose names no other script sees."""
    parts = "\n".join(_read(f"{part}.js") for part in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


def _policy(style: str, script: str) -> str:
    """Return what lets a browser use this style and this script, and ask the address that the page came from."""
    styles, scripts = (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (style, script)
    )
    rules = f"default-src 'none'; style-src {styles}; script-src {scripts}; connect-src 'self'; img-src data:"
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


def _embedded(messages: Iterable[Mapping[str, Any]]) -> str:
    """Return messages as part of a page: compressed, in letters that mean nothing to HTML."""
    given = checks.several("the messages of a page", messages)
    try:
        told = [dict(message) for message in given]
        text = json.dumps(told, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the messages of a page must be mappings that JSON can say, got {shown(messages)}; "
            "give what a run has told, with None for what is not known"
        ) from error
    if not all(isinstance(message.get("kind"), str) for message in told):
        raise InputError(f"each message of a page must have its kind, got {shown(messages)}; give what a run has told")
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return f'<script type="text/plain" id="messages">{packed}</script>'
