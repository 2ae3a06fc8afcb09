"""Smoothness in closed form, and the dimensions a gesture does not use."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.report.quality import (
    QualitySettings,
    log_dimensionless_jerk,
    measure_smoothness,
    use_of_dimensions,
)


def minimum_jerk(n, amplitude=1.0, duration_s=1.0):
    """Position of a minimum-jerk reach and its sampling rate."""
    s = np.linspace(0, 1, n)
    return amplitude * (10 * s**3 - 15 * s**4 + 6 * s**5)[:, None], (n - 1) / duration_s


def test_jerk_of_a_minimum_jerk_reach_is_its_closed_form():
    # Integral of squared jerk 720 A^2 / T^5, peak speed 1.875 A / T.
    points, rate = minimum_jerk(5001)
    assert log_dimensionless_jerk(points, rate) == pytest.approx(-np.log(720 / 1.875**2), abs=2e-3)


def test_jerk_does_not_depend_on_size_speed_or_direction():
    points, rate = minimum_jerk(401)
    plain = log_dimensionless_jerk(points, rate)
    assert log_dimensionless_jerk(*minimum_jerk(401, amplitude=30.0, duration_s=7.0)) == pytest.approx(plain)
    turned = points * np.array([[0.6, -0.8]]) + 3.0
    assert log_dimensionless_jerk(turned, rate) == pytest.approx(plain)


def test_rougher_paths_have_more_jerk():
    points, rate = minimum_jerk(401)
    noise = 1e-3 * np.random.default_rng(0).standard_normal(points.shape)
    assert log_dimensionless_jerk(points + noise, rate) < log_dimensionless_jerk(points, rate) - 3


def test_a_path_that_rests_or_moves_evenly_has_no_jerk_to_speak_of():
    assert log_dimensionless_jerk(np.ones((50, 3)), 20.0) is None
    assert log_dimensionless_jerk(np.arange(50.0)[:, None], 20.0) is None
    still = measure_smoothness(np.ones((100, 3)), np.zeros(100, dtype=int), 20.0, 2.0)
    assert still.step_rms == 0
    assert still.log_jerk is None


def test_steps_across_a_gap_do_not_count():
    points = np.concatenate([np.arange(50.0), 1000 + np.arange(50.0)])[:, None] * np.array([[0.3, 0.4]])
    smoothness = measure_smoothness(points, np.repeat([0, 1], 50), 20.0, 2.0)
    assert smoothness.step_rms == pytest.approx(0.5)


def test_windows_stay_inside_stretches():
    rng = np.random.default_rng(1)
    points = np.cumsum(rng.standard_normal((130, 2)), axis=0)
    assert measure_smoothness(points, np.repeat([0, 1, 2], [45, 39, 46]), 20.0, 2.0).n_windows == 2
    assert measure_smoothness(points, np.arange(130), 20.0, 2.0).step_rms is None


def test_dead_and_saturated_dimensions_are_found(bells):
    rng = np.random.default_rng(2)
    low, high = bells.quantile(0.01), bells.quantile(0.99)
    latents = rng.uniform(low, high, (1000, 8))
    latents[:, 3] = bells.mean[3] + 0.01 * bells.std[3] * rng.standard_normal(1000)
    latents[:100, 5] = high[5]
    latents[:, 6] = low[6]
    uses = use_of_dimensions(latents, bells, low, high, QualitySettings())
    assert [use.name for use in uses if use.dead] == ["latent_3", "latent_6"]
    assert [use.name for use in uses if use.saturated] == ["latent_5"]
    assert uses[5].at_limit_share == pytest.approx(0.1, abs=0.02)
    assert uses[6].at_limit_share == 1.0
    assert uses[0].gesture_range == pytest.approx(tuple(np.quantile(latents[:, 0], (0.05, 0.5, 0.95))))
    assert uses[0].model_range[0] == pytest.approx(bells.quantile(0.05)[0])
    assert use_of_dimensions(latents, bells, None, None, QualitySettings())[0].at_limit_share is None
