"""Filters: closed form, gaps, blocks, refusals."""

import math

import numpy as np
import pytest

from gesturemap.errors import FeatureError
from gesturemap.features import ExponentialFilter, OneEuroFilter, SmoothingSettings, make_smoother

METHODS = ["none", "one_euro", "exponential"]


def irregular_times(n_frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.002, 0.03, n_frames).cumsum()


def test_exponential_step_response_on_irregular_times() -> None:
    time_s = irregular_times(200)
    step = np.ones((200, 1))
    step[0] = 0.0
    smooth = ExponentialFilter(1, time_constant_s=0.2).process(time_s, step)
    np.testing.assert_allclose(smooth[:, 0], 1.0 - np.exp(-(time_s - time_s[0]) / 0.2), atol=1e-12)


def test_one_euro_without_beta_is_a_first_order_low_pass() -> None:
    time_s = np.arange(100) / 100.0
    step = np.ones((100, 2))
    step[0] = 0.0
    smooth = OneEuroFilter(2, min_cutoff_hz=2.0, beta=0.0, derivative_cutoff_hz=1.0).process(time_s, step)
    share = 1.0 / (1.0 + 100.0 / (2.0 * math.pi * 2.0))
    np.testing.assert_allclose(smooth[:, 0], 1.0 - (1.0 - share) ** np.arange(100), atol=1e-12)


def test_one_euro_lags_less_the_faster_the_motion() -> None:
    time_s = np.arange(300) / 100.0
    ramps = time_s[:, None] * np.array([10.0, 1000.0])  # mm/s
    lag_s = (ramps - OneEuroFilter(2, 1.0, 0.01, 1.0).process(time_s, ramps))[-1] / np.array([10.0, 1000.0])
    assert lag_s[0] > 5.0 * lag_s[1]


@pytest.mark.parametrize("method", METHODS)
def test_constant_stays_and_gaps_start_anew(method: str) -> None:
    time_s = irregular_times(60)
    values = np.full((60, 2), 7.0)
    values[20:30, 0] = np.nan
    values[30:, 0] = -3.0
    smooth = make_smoother(SmoothingSettings(method=method), 2).process(time_s, values)
    np.testing.assert_array_equal(smooth, values)  # nothing of the 7 leaks across the gap


@pytest.mark.parametrize("method", METHODS)
def test_blocks_of_any_size_give_the_same_bits(method: str) -> None:
    rng = np.random.default_rng(1)
    time_s, values = irregular_times(300), rng.normal(size=(300, 9))
    values[rng.random(values.shape) < 0.05] = np.nan
    settings = SmoothingSettings(method=method, beta=0.5)
    whole = make_smoother(settings, 9).process(time_s, values)
    smoother = make_smoother(settings, 9)
    cuts = np.split(np.arange(300), [1, 2, 5, 5, 100, 299])
    np.testing.assert_array_equal(np.vstack([smoother.process(time_s[c], values[c]) for c in cuts]), whole)
    smoother.reset()
    np.testing.assert_array_equal(smoother.process(time_s, values), whole)
    np.testing.assert_array_equal(np.isnan(whole), np.isnan(values))


@pytest.mark.parametrize("method", METHODS)
def test_refuses_times_that_do_not_increase_and_keeps_its_state(method: str) -> None:
    smoother = make_smoother(SmoothingSettings(method=method), 1)
    smoother.process(np.array([0.0, 1.0]), np.array([[0.0], [1.0]]))
    with pytest.raises(FeatureError, match=r"frame 0 at 1\.0 s follows 1\.0 s"):
        smoother.process(np.array([1.0]), np.array([[9.0]]))
    with pytest.raises(FeatureError, match="frame 1 at nan s"):
        smoother.process(np.array([2.0, np.nan]), np.array([[9.0], [9.0]]))
    with pytest.raises(FeatureError, match=r"shape \(1, 2\): expected \(1, 1\)"):
        smoother.process(np.array([2.0]), np.array([[9.0, 9.0]]))
    after = smoother.process(np.array([2.0]), np.array([[1.5]]))
    fresh = make_smoother(SmoothingSettings(method=method), 1)
    expected = fresh.process(np.array([0.0, 1.0, 2.0]), np.array([[0.0], [1.0], [1.5]]))
    np.testing.assert_array_equal(after, expected[2:])
