"""Parts of compiled functions: they compute as they read, whoever calls them, and are kept with what calls them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray

from kenyon.compiled import compiled, compiled_part


@compiled_part
def _square(x: float) -> float:
    return x * x


@compiled
def _shifted(x: float, by: float) -> float:
    return _square(x) + by


@compiled_part
def _both(x: float, by: float) -> float:
    return _shifted(x, by) - _square(by)


@compiled
def _all(x: NDArray[np.float64], by: float) -> None:
    for i in range(len(x)):
        x[i] = _both(x[i], by) / by


def test_parts_within_parts_compute_as_they_read() -> None:
    """Also one that Python calls as well, and one that two others call."""
    x: NDArray[np.float64] = np.array([-3.0, -1.5, 0.0, 2.0])
    after = x.copy()
    _all(after, 2.0)
    assert after.tolist() == ((x * x + 2.0 - 4.0) / 2.0).tolist()
    assert _shifted(3.0, 1.0) == 10.0


def test_a_division_by_0_is_that_of_ieee_arithmetic() -> None:
    """As numpy has it, where Python itself would raise."""
    x = np.array([1.0, 0.0])
    _all(x, 0.0)
    assert x[0] == np.inf
    assert np.isnan(x[1])


def test_a_part_is_machine_code_in_what_calls_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And kept with it: in another process there is nothing to compile."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))

    def twice(x: float) -> float:
        return x + x

    def four_times(x: float) -> float:
        return float(part(part(x)))

    part: Any = compiled_part(twice)
    for cached in (0, 1):
        whole: Any = compiled(four_times)
        assert whole(1.5) == 6.0
        assert sum(whole.stats.cache_hits.values()) == cached
    (code,) = part.overloads.values()
    assert not code.library._compiled
