"""Pitch: tones of known frequency, noise and silence."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.analysis.pitch import measure_pitch

RATE = 44_100
TIME_S = np.arange(RATE) / RATE


@pytest.mark.parametrize("frequency_hz", [65.0, 110.0, 440.0, 1234.5, 1900.0])
def test_a_sine_has_its_frequency(frequency_hz: float) -> None:
    f0_hz, periodicity = measure_pitch(0.3 * np.sin(2 * np.pi * frequency_hz * TIME_S)[None], RATE, 1024)
    assert len(f0_hz) == len(periodicity) == 44
    np.testing.assert_allclose(f0_hz[3:-3], frequency_hz, rtol=0.01)
    assert periodicity[3:-3].min() > 0.95


def test_a_sawtooth_is_not_taken_for_an_octave() -> None:
    f0_hz, _ = measure_pitch((0.3 * ((TIME_S * 150.0) % 1.0 - 0.5))[None], RATE, 2048)
    np.testing.assert_allclose(f0_hz[3:-3], 150.0, rtol=0.01)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).standard_normal((1, RATE))
    f0_hz, periodicity = measure_pitch(noise, RATE, 2048)
    assert np.isnan(f0_hz).mean() > 0.9
    assert periodicity.mean() < 0.45
    f0_hz, periodicity = measure_pitch(np.zeros((2, RATE)), RATE, 2048)
    assert np.isnan(f0_hz).all()
    assert (periodicity == 0).all()


def test_gain_changes_nothing() -> None:
    tone = np.sin(2 * np.pi * 300.0 * TIME_S)[None] + 0.1 * np.random.default_rng(1).standard_normal((1, RATE))
    loud, quiet = measure_pitch(tone, RATE, 2048), measure_pitch(0.01 * tone, RATE, 2048)
    np.testing.assert_allclose(loud[0], quiet[0], rtol=1e-6)
