"""The lag: recovered where there is one, not claimed where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.recording.lag import estimate_lag
from gesturemap.recording.trajectory import Trajectory, walk_cloud
from gesturemap.trackers.synthetic_motion import SmoothMotion


@pytest.fixture(scope="module")
def trajectory(space: LatentSpace) -> Trajectory:
    return walk_cloud(space, 62.0, seed=3)


def follow(trajectory: Trajectory, time_s: np.ndarray, lag_s: float) -> np.ndarray:
    """Six axes that are smooth functions of the latents `lag_s` ago."""
    mix = np.random.default_rng(1).normal(size=(3, 6))
    return np.tanh(trajectory.at(time_s - lag_s) @ mix / 4)


def irregular(duration_s: float, rate: float, seed: int = 0) -> np.ndarray:
    """Times of a tracker whose frames come up to 40 % of a period early or late."""
    periods = np.arange(round(duration_s * rate)) + np.random.default_rng(seed).uniform(
        -0.4, 0.4, round(duration_s * rate)
    )
    return 1.0 + periods / rate


@pytest.mark.parametrize("lag_s", [0.137, 0.0, 0.52, -0.06])
@pytest.mark.parametrize("rate", [25.0, 80.0])
def test_a_known_lag_is_recovered(trajectory: Trajectory, lag_s: float, rate: float) -> None:
    time_s = irregular(60.0, rate)
    lag = estimate_lag(time_s, follow(trajectory, time_s, lag_s), trajectory.at(time_s))
    assert lag.confident
    assert lag.lag_s == pytest.approx(lag_s, abs=0.008)


def test_noise_and_a_hand_out_of_sight_do_not_matter(trajectory: Trajectory) -> None:
    time_s = irregular(60.0, 30.0)
    rng = np.random.default_rng(0)
    values = follow(trajectory, time_s, 0.137)
    values += 0.3 * values.std(axis=0) * rng.normal(size=values.shape)
    values = np.concatenate([values, np.full((len(values), 2), np.nan), np.ones((len(values), 1))], axis=1)
    for start in rng.integers(0, len(values) - 60, size=6):
        values[start : start + rng.integers(3, 60), :6] = np.nan
    lag = estimate_lag(time_s, values, trajectory.at(time_s))
    assert lag.confident
    assert lag.lag_s == pytest.approx(0.137, abs=0.015)


def test_the_scale_of_channels_and_latents_does_not_matter(trajectory: Trajectory) -> None:
    time_s = irregular(30.0, 60.0)
    values, latents = follow(trajectory, time_s, 0.1), trajectory.at(time_s)
    lag = estimate_lag(time_s, values, latents)
    scaled = estimate_lag(time_s + 1000.0, values * 10.0 ** np.arange(-3, 3) + 5.0, latents * [1e3, 1.0, 1e-3])
    assert scaled.lag_s == pytest.approx(lag.lag_s, abs=1e-4)
    assert scaled.score == pytest.approx(lag.score, abs=1e-4)


@pytest.mark.parametrize(("duration_s", "n_hands"), [(12.0, 16), (30.0, 6), (60.0, 4)])
def test_a_hand_that_follows_something_else_has_no_lag(trajectory: Trajectory, duration_s: float, n_hands: int) -> None:
    # Not another walk: all walks of this space go round one ring, which is a likeness and no accident.
    time_s = irregular(duration_s, 60.0)
    found = []
    for seed in range(10, 10 + n_hands):
        motion = SmoothMotion(seed, 6)
        values = np.stack([motion.at(now_s) for now_s in time_s])
        found.append(estimate_lag(time_s, values, trajectory.at(time_s)))
    assert sum(lag.confident for lag in found) == 0
    assert {lag.lag_s for lag in found} == {0.0}


def test_too_little_to_tell_is_not_confident(trajectory: Trajectory) -> None:
    time_s = irregular(60.0, 60.0)
    values, latents = follow(trajectory, time_s, 0.137), trajectory.at(time_s)
    unseen = np.full_like(values, np.nan)
    for case in (
        (time_s[:1], values[:1], latents[:1]),
        (time_s[:300], values[:300], latents[:300]),
        (time_s, unseen, latents),
        (time_s, np.ones_like(values), latents),
        (time_s, values, np.ones_like(latents)),
        (time_s, np.where(np.arange(len(time_s))[:, None] < 60, values, np.nan), latents),
        (time_s, np.where(np.arange(len(time_s))[:, None] % 40 == 0, values, np.nan), latents),
    ):
        assert estimate_lag(*case) == estimate_lag(time_s[:0], values[:0], latents[:0])
        assert not estimate_lag(*case).confident
