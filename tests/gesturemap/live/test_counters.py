"""Quantiles of a histogram against those of the numbers themselves."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.live.counters import Counters, Latencies


def test_quantiles_to_two_per_cent_over_six_decades() -> None:
    durations = 10 ** np.random.default_rng(0).uniform(-6, 0, 20000)
    latencies = Latencies()
    for duration_s in durations:
        latencies.add(float(duration_s))
    for level in (0.5, 0.99):
        assert latencies.quantile_s(level) == pytest.approx(np.quantile(durations, level), rel=0.025)
    assert latencies.summary()["max"] == pytest.approx(1000 * durations.max(), abs=1e-4)


def test_nothing_and_the_extremes() -> None:
    latencies = Latencies()
    assert latencies.summary() == {"median": 0.0, "p99": 0.0, "max": 0.0}
    for duration_s in (0.0, -1.0, 1e9):
        latencies.add(duration_s)
    assert (latencies.count, latencies.max_s) == (3, 1e9)


def test_summary_leaves_out_stages_that_never_ran() -> None:
    counters = Counters()
    counters.stages["out"].add(0.001)
    assert list(counters.summary()["latency_ms"]) == ["out"]
