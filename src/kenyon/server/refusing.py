"""Refusing: a refusal as a reply, counted, and said in the log once for each larva and code.

A stock client shows its user a TypeError only; the sentence stands in the log. What a client can ask for without end
cannot fill it: so many lines a second, then how many more there were.
"""

import logging
from typing import Any

from kenyon.errors import RefusedError
from kenyon.server.metrics import Metrics
from kenyon.wire.messages import spelling

_logger = logging.getLogger(__name__)

_MOST_KNOWN = 10_000
"""Refusals remembered so as to be said once; forgotten together beyond."""

_MOST_LINES = 50
"""Lines that are written from one call of `summarize` to the next, which is a second."""


class Refusals:
    """What is refused.

    Args:
        metrics: Where to count.

    Example:
        >>> Refusals(Metrics()).refuse(("run", 0), RefusedError("no", "busy", None, 1.0))
        '{"error": "no", "error_code": "busy", "retry_after_s": 1.0}'
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._known: set[tuple[Any, ...]] = set()
        self._lines = self._unsaid = 0

    def refuse(self, ids: tuple[Any, Any], refusal: RefusedError) -> str:
        """Return a refusal as the kwargs of a reply, in JSON."""
        code = refusal.code or "internal"
        self._metrics.errors[code] += 1
        if (*ids, code) not in self._known:
            self._say((*ids, code), refusal)
        reply: dict[str, Any] = {"error": str(refusal), "error_code": code}
        if refusal.expected_step is not None:
            reply["expected_step"] = refusal.expected_step
        if refusal.retry_after_s is not None:
            reply["retry_after_s"] = refusal.retry_after_s
        return spelling(reply)

    def summarize(self) -> None:
        """Say how many refusals have not been said since this was last called."""
        if self._unsaid:
            _logger.warning("%d more refusals in a second, not said one by one; /metrics counts them", self._unsaid)
        self._lines = self._unsaid = 0

    def _say(self, key: tuple[Any, ...], refusal: RefusedError) -> None:
        if self._lines >= _MOST_LINES:
            self._unsaid += 1
            return
        self._lines += 1
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known.add(key)
        sim_id, model_id, code = key
        _logger.warning("larva %r of %r: %s (%s; said once)", model_id, sim_id, refusal, code, extra={"code": code})
