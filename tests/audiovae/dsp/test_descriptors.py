"""Descriptors against closed forms: what a sine, white noise, a click and silence must read."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from audiovae.dsp.descriptors import DESCRIPTORS, LEVEL_FLOOR_DB, a_weighting_db, describe, frame_levels_db
from audiovae.errors import SettingsError, ShapeError

SAMPLE_RATE = 44100
HOP_LENGTH = 512


def sine(frequency_hz: float, seconds: float = 1.0, gain: float = 1.0) -> np.ndarray:
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return gain * np.sin(2 * np.pi * frequency_hz * time_s)[None]


def noise(seconds: float = 2.0, gain: float = 0.1) -> np.ndarray:
    return gain * np.random.default_rng(0).standard_normal((1, int(seconds * SAMPLE_RATE)))


def inside(audio: np.ndarray, name: str, hop_length: int = HOP_LENGTH) -> np.ndarray:
    """One descriptor at the frames whose whole window lies within the sound."""
    edge = 2 + 1024 // hop_length
    return describe(audio, SAMPLE_RATE, hop_length, [name])[name][edge:-edge]


@pytest.mark.parametrize(
    ("frequency_hz", "gain_db"),
    [(31.62, -39.4), (100, -19.1), (501.2, -3.2), (1000, 0.0), (2512, 1.3), (10000, -2.5), (19950, -9.3)],
)
def test_a_weighting_follows_the_printed_table(frequency_hz: float, gain_db: float) -> None:
    assert a_weighting_db(np.array(frequency_hz)) == pytest.approx(gain_db, abs=0.06)


def test_a_weighting_at_zero_is_the_floor() -> None:
    assert a_weighting_db(np.array(0.0)) == LEVEL_FLOOR_DB


def test_level_of_a_full_scale_sine() -> None:
    # 441 samples are ten periods: the mean power of each hop is exactly a half
    levels_db = frame_levels_db(sine(1000.0), 441, 100)
    np.testing.assert_allclose(levels_db, 10 * np.log10(0.5), atol=1e-9)


def test_levels_cut_and_fill_to_the_count_of_frames() -> None:
    audio = np.ones((2, 250))
    half_full_db = 10 * np.log10(0.5)
    np.testing.assert_allclose(frame_levels_db(audio, 100, 4), [0.0, 0.0, half_full_db, LEVEL_FLOOR_DB])
    np.testing.assert_allclose(frame_levels_db(audio, 100, 1), [0.0])


def test_levels_average_channels_as_power() -> None:
    one = sine(1000.0)
    np.testing.assert_allclose(
        frame_levels_db(np.concatenate([one, -one]), 441, 10), frame_levels_db(one, 441, 10)
    )


@pytest.mark.parametrize(("frequency_hz", "gain_db"), [(1000.0, 0.0), (100.0, -19.1)])
def test_loudness_of_a_sine_is_its_level_after_the_weighting(frequency_hz: float, gain_db: float) -> None:
    loudness = inside(sine(frequency_hz), "loudness", hop_length=441)
    np.testing.assert_allclose(loudness, 10 * np.log10(0.5) + gain_db, atol=0.06)


@pytest.mark.parametrize("hop_length", [64, 512, 2048, 3000])
@pytest.mark.parametrize("frequency_hz", [440.0, 5000.0, 15000.0])
def test_centroid_of_a_sine_is_its_frequency(frequency_hz: float, hop_length: int) -> None:
    np.testing.assert_allclose(inside(sine(frequency_hz), "centroid", hop_length), frequency_hz, rtol=0.01)


def test_sine_is_narrow_and_noise_is_flat() -> None:
    assert inside(sine(5000.0), "bandwidth").max() < 100.0
    assert inside(sine(5000.0), "flatness").max() < 1e-6
    np.testing.assert_allclose(inside(sine(5000.0), "rolloff"), 5000.0, atol=SAMPLE_RATE / 2048)
    # the power of a bin of white noise is exponential: exp(E log P) / E P = exp(-Euler's constant)
    assert inside(noise(), "flatness").mean() == pytest.approx(np.exp(-np.euler_gamma), abs=0.01)
    nyquist_hz = SAMPLE_RATE / 2
    assert inside(noise(), "centroid").mean() == pytest.approx(nyquist_hz / 2, rel=0.01)
    assert inside(noise(), "bandwidth").mean() == pytest.approx(nyquist_hz / np.sqrt(12), rel=0.01)
    assert inside(noise(), "rolloff").mean() == pytest.approx(0.85 * nyquist_hz, rel=0.01)


def test_zero_crossing_rate_is_twice_the_frequency() -> None:
    assert inside(sine(1000.0), "zero_crossing_rate").mean() == pytest.approx(2000.0, rel=0.01)


def test_flux_peaks_at_the_onset_and_is_zero_in_a_steady_tone() -> None:
    audio = np.concatenate([np.zeros((1, 20 * HOP_LENGTH)), noise()], axis=1)
    flux = describe(audio, SAMPLE_RATE, HOP_LENGTH, ["flux"])["flux"]
    assert 18 <= np.argmax(flux) <= 20
    assert flux[:17].max() == 0.0
    # the period of 441 samples divides the hop: every frame sees the same samples
    assert inside(sine(1000.0), "flux", hop_length=441).max() < 1e-6


def test_click_is_in_the_frame_it_lies_under() -> None:
    audio = np.zeros((1, 10 * HOP_LENGTH))
    audio[0, 4 * HOP_LENGTH] = 1.0
    measured = describe(audio, SAMPLE_RATE, HOP_LENGTH)
    assert np.argmax(measured["rms_db"]) == np.argmax(measured["loudness"]) == 4
    # its window is centred in the hop, so as many frames before as after see the click
    sounding = np.flatnonzero(measured["flatness"])
    assert list(sounding) == [2, 3, 4, 5]


def test_silence_reads_floors_and_zeros_without_a_warning() -> None:
    for name, values in describe(np.zeros((2, 5000), np.float32), SAMPLE_RATE, HOP_LENGTH).items():
        expected = LEVEL_FLOOR_DB if name in ("loudness", "rms_db") else 0.0
        np.testing.assert_array_equal(values, np.full(10, expected), err_msg=name)


@pytest.mark.parametrize("samples", [0, 1, 511, 513, 5000])
def test_every_descriptor_has_one_finite_value_a_frame(samples: int) -> None:
    measured = describe(noise()[:, :samples].astype(np.float32), SAMPLE_RATE, HOP_LENGTH)
    assert list(measured) == list(DESCRIPTORS)
    for values in measured.values():
        assert values.shape == (-(-samples // HOP_LENGTH),)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()


def test_gain_moves_only_levels_and_flux() -> None:
    loud, soft = (describe(noise(gain=gain), SAMPLE_RATE, HOP_LENGTH) for gain in (0.2, 0.1))
    for name in set(DESCRIPTORS) - {"flux"}:
        moved_db = 20 * np.log10(2.0) if name in ("loudness", "rms_db") else 0.0
        np.testing.assert_allclose(loud[name] - soft[name], moved_db, atol=1e-6, err_msg=name)


def test_unknown_name_and_wrong_shape_are_refused() -> None:
    with pytest.raises(SettingsError, match="'centroid'"):
        describe(noise(), SAMPLE_RATE, HOP_LENGTH, ["centriod"])
    with pytest.raises(ShapeError, match="mono is"):
        describe(noise()[0], SAMPLE_RATE, HOP_LENGTH)
    with pytest.raises(ShapeError, match="mono is"):
        frame_levels_db(noise()[0], HOP_LENGTH, 3)


def test_import_is_free_of_torch() -> None:
    code = "import sys, audiovae.dsp.descriptors; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
