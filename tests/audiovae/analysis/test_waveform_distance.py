"""SI-SDR: what a gain, a known noise and a lag must score."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.analysis.waveform_distance import align, find_lag, si_sdr_db

RNG = np.random.default_rng(0)
SOUND = RNG.standard_normal((2, 20000))


@pytest.mark.parametrize("gain", [1.0, 0.3, -7.0])
def test_a_copy_at_any_gain_has_no_distortion(gain: float) -> None:
    assert si_sdr_db(SOUND, gain * SOUND) == np.inf


@pytest.mark.parametrize("ratio_db", [20.0, 0.0, -10.0])
def test_noise_at_a_known_level_is_that_ratio(ratio_db: float) -> None:
    noise = RNG.standard_normal(SOUND.shape)
    noise -= SOUND * (noise * SOUND).sum() / (SOUND**2).sum()  # orthogonal: or the noise would be part signal
    noise *= np.linalg.norm(SOUND) / np.linalg.norm(noise) * 10 ** (-ratio_db / 20)
    assert si_sdr_db(SOUND, SOUND + noise) == pytest.approx(ratio_db, abs=1e-9)
    assert si_sdr_db(SOUND, -0.1 * (SOUND + noise)) == pytest.approx(ratio_db, abs=1e-9)


def test_nothing_alike_and_nothing_at_all() -> None:
    assert si_sdr_db(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == -np.inf
    assert np.isnan(si_sdr_db(SOUND, 0 * SOUND))
    assert np.isnan(si_sdr_db(0 * SOUND, SOUND))


@pytest.mark.parametrize("lag", [0, 1, 57, -200])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_lag_is_found_and_undone(lag: int, sign: float) -> None:
    late = sign * np.roll(SOUND, lag, axis=1)
    assert find_lag(SOUND, late, 220) == lag
    reference, estimate = align(SOUND, late, lag)
    assert reference.shape == (2, 20000 - abs(lag))
    assert si_sdr_db(reference, estimate) == np.inf


def test_a_lag_beyond_the_limit_is_not_looked_for() -> None:
    assert abs(find_lag(SOUND, np.roll(SOUND, 500, axis=1), 220)) <= 220


def test_of_equal_lags_the_nearest_is_taken() -> None:
    assert find_lag(np.ones((1, 1)), np.ones((1, 1)), 0) == 0
    assert find_lag(SOUND, 0 * SOUND, 100) == 0
