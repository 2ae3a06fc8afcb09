"""Smoothness: paths whose jerk and variation are known."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.analysis.smoothness import (
    compare_smoothness,
    log_dimensionless_jerk,
    measure_smoothness,
    total_variation,
)
from audiovae.generation.walk import minimum_jerk


def test_jerk_of_the_smoothest_way() -> None:
    """Of 10 u^3 - 15 u^4 + 6 u^5 the squared jerk sums to 720 and the speed peaks at 15/8."""
    path = 3.0 * minimum_jerk(np.linspace(0, 1, 2001))[:, None]
    assert log_dimensionless_jerk(path, 500.0) == pytest.approx(-np.log(720 / (15 / 8) ** 2), abs=0.02)


def test_a_straight_way_and_a_point_have_none() -> None:
    assert log_dimensionless_jerk(np.linspace(0, 1, 50)[:, None] * np.ones(4), 20.0) is None
    assert log_dimensionless_jerk(np.ones((50, 3)), 20.0) is None


def test_total_variation_skips_gaps() -> None:
    assert total_variation(np.array([0.0, 1.0, np.nan, 5.0, 4.0]), 10.0) == pytest.approx(10.0)
    assert total_variation(np.array([1.0, np.nan]), 10.0) is None


def test_twice_as_fast_is_twice_as_much() -> None:
    time_s = np.arange(400) / 40
    paths = [np.sin(speed * time_s)[:, None] for speed in (1.0, 2.0)]
    slow, fast = (measure_smoothness([path], [{"loudness": path[:, 0]}], 40.0) for path in paths)
    ratio = compare_smoothness(fast, slow)
    assert ratio["latent_speed"] == pytest.approx(2.0, rel=0.1)
    assert ratio["variation"]["loudness"] == pytest.approx(2.0, rel=0.1)
