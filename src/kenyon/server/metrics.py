"""What a server counts, and how a monitoring system reads it: plain counters here, Prometheus text on demand."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

LATENCY_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
BATCH_LARVAE = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass
class Histogram:
    """How often values up to some bounds came.

    Example:
        >>> histogram = Histogram((1, 10))
        >>> for value in (1, 2, 100):
        ...     histogram.add(value)
        >>> histogram.cumulative()
        [('1', 1), ('10', 2), ('+Inf', 3)]
    """

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, int]]:
        """Return how many values were at most each bound, as Prometheus wants it."""
        summed, pairs = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            summed += count
            pairs.append((bound, summed))
        return pairs


@dataclass
class Metrics:
    """Everything counted since the server began; written by its event loop alone."""

    steps: int = 0
    retries: int = 0
    dropped: int = 0
    frames: int = 0
    diverged: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    latency_s: Histogram = field(default_factory=lambda: Histogram(LATENCY_S))
    batch_larvae: Histogram = field(default_factory=lambda: Histogram(BATCH_LARVAE))


Gauges = Callable[[], dict[str, float]]
"""Gives what is so at this moment: larvae awake and kept, connections, messages waiting."""

_COUNTERS = {
    "steps": "Steps computed.",
    "retries": "Steps asked for again and answered from memory.",
    "dropped": "Requests whose client had gone before work on them began.",
    "frames": "Frames answered.",
    "diverged": "Steps answered by a larva whose equations have diverged.",
}
_GAUGES = {
    "larvae_awake": "Larvae in memory.",
    "larvae": "Larvae kept.",
    "connections": "Open connections.",
    "queue": "Messages waiting or in work.",
}


def prometheus_text(metrics: Metrics, gauges: Gauges) -> tuple[bytes, str]:
    """Return everything in Prometheus's text format, and its content type.

    Raises:
        ImportError: prometheus-client is not installed.

    Example:
        >>> text, kind = prometheus_text(Metrics(steps=3), lambda: {"larvae": 2})
        >>> b"kenyon_steps_total 3.0" in text and kind.startswith("text/plain")
        True
    """
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    class Collector:
        def collect(self) -> Iterator[Any]:
            for name, meaning in _COUNTERS.items():
                yield CounterMetricFamily(f"kenyon_{name}", meaning, value=getattr(metrics, name))
            for name, value in gauges().items():
                yield GaugeMetricFamily(f"kenyon_{name}", _GAUGES[name], value=value)
            errors = CounterMetricFamily("kenyon_errors", "Refused requests.", labels=["code"])
            for code, count in list(metrics.errors.items()):
                errors.add_metric([code], count)
            yield errors
            for name, meaning, histogram in (
                ("kenyon_latency_seconds", "From a whole frame to its reply.", metrics.latency_s),
                ("kenyon_batch_larvae", "Larvae computed together.", metrics.batch_larvae),
            ):
                yield HistogramMetricFamily(name, meaning, buckets=histogram.cumulative(), sum_value=histogram.total)

    registry = CollectorRegistry()
    registry.register(Collector())
    return generate_latest(registry), CONTENT_TYPE_LATEST
