"""Varied waveforms: each variation does what it says, and none follows the level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import signal

from audiovae.corpus.waveform_augmentation import (
    STEP,
    Filter,
    Variation,
    WaveformAugmentationSettings,
    apply_variation,
    change_speed,
    draw_variation,
)

RATE = 44100
SHARES = ("gain", "flip", "phase", "speed", "equaliser", "mute", "dither")
# Every variation that is not told to change loudness over time, at its strongest.
ALL = WaveformAugmentationSettings(**{name: 1.0 for name in SHARES if name != "mute"}, mute=0)
IMPULSE = np.eye(1, 1 << 17, dtype=np.float32) * np.float32(0.5)


def noise(channels: int = 1, samples: int = 22050) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal((channels, samples))).astype(np.float32)


def test_the_default_variation_changes_nothing() -> None:
    np.testing.assert_array_equal(apply_variation(noise(), RATE, Variation()), noise())


@pytest.mark.parametrize("gain_db", [-12.0, 6.0])
def test_gain_and_polarity_are_exact(gain_db: float) -> None:
    found = apply_variation(noise(), RATE, Variation(gain_db=gain_db, flip=True))
    np.testing.assert_allclose(found, -noise() * 10 ** (gain_db / 20), rtol=1e-6)


def test_gain_stops_at_full_scale() -> None:
    assert np.abs(apply_variation(noise(), RATE, Variation(gain_db=60))).max() == pytest.approx(1 - STEP)


@pytest.mark.parametrize("frequency_hz", [20.0, 200.0, 2000.0])
def test_phase_leaves_magnitudes_alone(frequency_hz: float) -> None:
    variation = Variation(filters=(Filter(kind="allpass", frequency_hz=frequency_hz, q=1.0),))
    response = np.fft.rfft(2 * apply_variation(IMPULSE, RATE, variation)[0])
    np.testing.assert_allclose(np.abs(response), 1.0, atol=1e-4)
    assert np.abs(np.angle(response)).max() > 3


def test_the_equaliser_is_the_designed_one() -> None:
    filters = (
        Filter(kind="low_shelf", frequency_hz=200, q=0.7, gain_db=3),
        Filter(kind="peak", frequency_hz=1000, q=1, gain_db=-4),
    )
    response = np.abs(np.fft.rfft(2 * apply_variation(IMPULSE, RATE, Variation(filters=filters))[0]))
    sections = np.stack([f.design(RATE) for f in filters])
    designed = np.abs(signal.freqz_sos(sections, worN=np.fft.rfftfreq(1 << 17, 1 / RATE), fs=RATE)[1])
    np.testing.assert_allclose(response, designed, atol=1e-4)


@pytest.mark.parametrize("semitones", [-2.0, -0.37, 2.0])
def test_speed_moves_a_sine_by_its_ratio(semitones: float, make_sine: Any, measure_sine: Any) -> None:
    ratio = 2 ** (semitones / 12)
    found = change_speed(make_sine(RATE, 2.0, 1000.0), ratio)
    assert found.shape == (1, round(2 * RATE / ratio))
    amplitude, residual = measure_sine(found[0], RATE, 1000.0 * ratio)
    assert amplitude == pytest.approx(0.5, abs=1e-3)
    assert residual < 1e-3


def test_mute_is_silent_where_it_says_only() -> None:
    found = apply_variation(noise(), RATE, Variation(mute=(0.25, 0.5)))[0]
    start, end, slope = 22050 // 4, 22050 // 2, round(0.005 * RATE) + 1
    assert not found[start + 1 : end].any()
    np.testing.assert_array_equal(found[: start - slope], noise()[0, : start - slope])
    np.testing.assert_array_equal(found[end + slope :], noise()[0, end + slope :])
    assert not apply_variation(noise(), RATE, Variation(mute=(0.0, 1.0))).any()


def test_dither_is_triangular_noise_of_sixteen_bits() -> None:
    found = apply_variation(np.zeros((1, 200_000), np.float32), RATE, Variation(dither_seed=1))
    assert np.abs(found).max() <= STEP
    assert found.std() / STEP == pytest.approx(np.sqrt(1 / 6), rel=0.01)
    assert abs(found.mean()) < 0.01 * STEP


def test_loud_and_soft_keep_their_distance() -> None:
    """A 40 dB step stays 40 dB under everything at once; RAVE's compander moves soft sounds by 34 dB."""
    half = RATE
    level = np.repeat([0.5, 0.005], half)
    tone = np.sin(2 * np.pi * 500 * np.arange(2 * half) / RATE)
    audio = np.stack([level * tone, -level * tone]).astype(np.float32)
    rng = np.random.default_rng(0)
    for _ in range(40):
        found = apply_variation(audio, RATE, draw_variation(rng, ALL, RATE))[0]
        quarter = len(found) // 8
        loud, soft = (np.sqrt((part[quarter:-quarter] ** 2).mean()) for part in np.array_split(found, 2))
        assert 20 * np.log10(loud / soft) == pytest.approx(40, abs=0.1)


def test_the_same_seed_gives_the_same() -> None:
    one, same, other = (
        apply_variation(noise(), RATE, draw_variation(np.random.default_rng(seed), ALL, RATE)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_channels_get_the_same_filters() -> None:
    settings = ALL.model_copy(update={"dither": 0})
    stereo = np.concatenate([noise(), -noise()])
    for seed in range(10):
        found = apply_variation(stereo, RATE, draw_variation(np.random.default_rng(seed), settings, RATE))
        np.testing.assert_allclose(found[1], -found[0], atol=1e-7)


def test_silence_stays_silence_but_for_dither() -> None:
    silence = np.zeros((2, 5000), np.float32)
    for seed in range(20):
        variation = draw_variation(np.random.default_rng(seed), ALL, RATE)
        assert 0 < np.abs(apply_variation(silence, RATE, variation)).max() <= STEP
        assert not apply_variation(silence, RATE, variation.model_copy(update={"dither_seed": None})).any()


def test_shares_are_kept_and_draws_survive_json() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_variation(rng, WaveformAugmentationSettings(), RATE) for _ in range(2000)]
    assert np.mean([v.speed != 1 for v in drawn]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([any(f.kind == "allpass" for f in v.filters) for v in drawn]) == pytest.approx(0.8, abs=0.05)
    assert np.mean([v.mute is not None for v in drawn]) == pytest.approx(0.02, abs=0.015)
    assert max(abs(12 * np.log2(v.speed)) for v in drawn) == pytest.approx(2, abs=0.05)
    assert all(20 <= f.frequency_hz <= 2000 for v in drawn for f in v.filters if f.kind == "allpass")
    assert [Variation.model_validate_json(v.model_dump_json()) for v in drawn] == drawn


def test_filters_fit_a_low_sample_rate() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert np.isfinite(apply_variation(noise(), 4000, draw_variation(rng, ALL, 4000))).all()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError, match="gain_low_db 9.0 is above gain_high_db 6.0"):
        WaveformAugmentationSettings(gain_low_db=9)
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        WaveformAugmentationSettings(mute=2)
