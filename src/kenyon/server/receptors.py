"""The rate that Larvaworld's receptor class reads, put where that class can tell one odor concentration from another.

`OSNOlfactor` turns `OSN_rate` into 1 / (1 + exp(8 (rate - 15))): 0.9 at 14.73 Hz and 0.1 at 15.27 Hz. Receptors here
fire at 1 Hz without odor and 63 Hz in a strong one, in steps of 0.48 Hz within 100 ms, so that its output is 0 or 1.
Here their rate is smoothed, and a range of it laid over that half hertz.

Law of this file: pure functions. What is remembered from step to step stands in the reply, which is kept; so a larva
smells the same before and after a restart, in any batch.
"""

import json
import math
from typing import NamedTuple

from kenyon.wire.messages import spelling

CENTER_HZ = 15.0
"""Where the output of Larvaworld's class is a half."""

SPAN_HZ = 2.0 * math.log(9.0) / 8.0
"""From 0.9 to 0.1: its slope is 8 per Hz, and 1 / (1 + exp(log 9)) is 0.1."""


class Receptors(NamedTuple):
    """How rates are translated.

    Attributes:
        low_hz: The mean rate of receptor neurons at which the output of Larvaworld's class is to be 0.9.
        high_hz: At which it is to be 0.1; below `low_hz`, the output rises with the rate.
        smoothing_ms: Time constant of the mean over past steps; 0 smooths nothing.
    """

    low_hz: float
    high_hz: float
    smoothing_ms: float

    def translated(self, reply: str, duration_ms: float, before: str | None) -> str:
        """Return the reply to a step with its `OSN_rate` translated, the rate itself as `ORN_rate` beside it.

        The mean goes on from the one in the reply before: mean += (rate - mean) * T / (T + smoothing).

        Args:
            reply: Kwargs of the reply, as JSON says them.
            duration_ms: How long the step was, ms.
            before: Those of the reply to the step before; None if there was none.

        Example:
            >>> receptors = Receptors(low_hz=0.0, high_hz=60.0, smoothing_ms=100.0)
            >>> first = receptors.translated('{"OSN_rate": 30.0}', 100.0, None)
            >>> first
            '{"OSN_rate": 15.0, "ORN_rate": 30.0, "ORN_rate_mean": 30.0}'
            >>> json.loads(receptors.translated('{"OSN_rate": 60.0}', 100.0, first))["ORN_rate_mean"]
            45.0
        """
        said = json.loads(reply)
        rate = mean = said["OSN_rate"]
        if before is not None:
            mean = json.loads(before).get("ORN_rate_mean", rate)
            mean += (rate - mean) * (duration_ms / (duration_ms + self.smoothing_ms))
        place = (mean - self.low_hz) / (self.high_hz - self.low_hz) - 0.5
        return spelling({**said, "OSN_rate": CENTER_HZ + SPAN_HZ * place, "ORN_rate": rate, "ORN_rate_mean": mean})
