"""Oscillators, filters and rings of the loop generator."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.corpus.synthesis import (
    decay,
    echo,
    fade,
    midi_to_hz,
    place,
    pulse,
    reverb,
    saturate,
    saw,
    sine,
    sweep_lowpass,
)

RATE = 44100


def harmonics(audio: np.ndarray, hz: int) -> np.ndarray:
    """Amplitudes at multiples of a whole number of Hz, of one second."""
    spectrum = np.abs(np.fft.rfft(audio)) / len(audio) * 2
    return spectrum[hz : RATE // 2 : hz]


def test_midi_to_hz() -> None:
    assert [midi_to_hz(note) for note in (69, 57, 81)] == [440.0, 220.0, 880.0]
    assert midi_to_hz(60) == pytest.approx(261.6256, abs=1e-4)


def test_a_sine_is_a_sine() -> None:
    expected = np.sin(2 * np.pi * (100 * np.arange(RATE) / RATE + 0.25))
    np.testing.assert_allclose(sine(np.full(RATE, 100.0), RATE, 0.25), expected, atol=1e-9)


def test_a_saw_has_the_harmonics_of_a_saw_and_little_else() -> None:
    audio = saw(np.full(RATE, 1000.0), RATE)
    found = harmonics(audio, 1000)
    expected = 2 / np.pi / np.arange(1, 6)
    np.testing.assert_allclose(found[:5], expected, rtol=0.06)
    naive = 2 * ((1000 * np.arange(RATE) / RATE) % 1.0) - 1
    assert aliasing(audio) < 0.1 * aliasing(naive)


def aliasing(audio: np.ndarray) -> float:
    """Energy below 10 kHz that is at no multiple of 1 kHz, re all."""
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    hz = np.arange(len(power))
    near = np.minimum(hz % 1000, 1000 - hz % 1000) <= 3
    return float(power[(hz < 10000) & ~near].sum() / power.sum())


def test_a_square_has_odd_harmonics_only() -> None:
    found = harmonics(pulse(np.full(RATE, 441.0), RATE), 441)
    assert found[0] == pytest.approx(4 / np.pi, rel=0.02)
    assert found[1] < 1e-3 * found[0]


def test_decay_reaches_minus_60_db() -> None:
    envelope = decay(RATE, RATE, 0.5)
    assert envelope[0] == 1.0
    assert 20 * np.log10(envelope[RATE // 2]) == pytest.approx(-60.0)


def test_fade_starts_and_ends_at_nothing() -> None:
    envelope = fade(np.ones(1000), 1000, 0.1, 0.2)
    assert (envelope[0], envelope[-1]) == (0.0, pytest.approx(0.0))
    np.testing.assert_array_equal(envelope[100:800], 1.0)
    assert fade(np.ones(5), 1000, 1.0, 1.0).max() < 1.0


def test_place_goes_round_the_ring() -> None:
    loop = np.zeros(5)
    place(loop, np.arange(1.0, 8.0), 3)
    np.testing.assert_array_equal(loop, [3, 4, 5, 1 + 6, 2 + 7])


def test_echo_repeats_and_goes_round() -> None:
    loop = np.zeros(10)
    loop[0] = 1.0
    wet = echo(loop, 4, feedback=0.5, mix=0.5)
    # Echoes at 4, 8, 12 (= 2), 16 (= 6), ... of .5, .25, .125, ...
    np.testing.assert_allclose(wet[[4, 8, 2, 6]], [0.5, 0.25, 0.125, 0.0625], rtol=0.04)


def test_reverb_is_the_same_wherever_the_ring_is_cut() -> None:
    loop = np.random.default_rng(0).standard_normal(4000)
    wet = reverb(loop, 8000, 1.5, 0.3, np.random.default_rng(1))
    turned = reverb(np.roll(loop, 1234), 8000, 1.5, 0.3, np.random.default_rng(1))
    np.testing.assert_allclose(np.roll(wet, 1234), turned, atol=1e-12)


def test_a_still_lowpass_has_the_gain_of_its_design() -> None:
    """Two biquads of quality .6 and 2 at their common corner: gain .6 * 2; two octaves above, 48 dB down."""
    for hz, expected_db in ((100, 0.0), (1000, 20 * np.log10(1.2)), (4000, -48.0)):
        tone = sine(np.full(RATE, float(hz)), RATE)
        output = sweep_lowpass(tone, np.full(RATE, 1000.0), 2.0, RATE)
        gain_db = 20 * np.log10(np.abs(np.fft.rfft(output))[hz] / np.abs(np.fft.rfft(tone))[hz])
        assert gain_db == pytest.approx(expected_db, abs=1.5)


def test_the_swept_lowpass_has_no_seam() -> None:
    n, half = 64 * 700, 64 * 350  # whole blocks of the filter, so that both runs set it at the same samples
    ring = saw(np.full(n, 100.0), RATE)
    cutoff = 800 + 600 * np.sin(2 * np.pi * np.arange(n) / n)
    output = sweep_lowpass(ring, cutoff, 3.0, RATE)
    turned = sweep_lowpass(np.roll(ring, half), np.roll(cutoff, half), 3.0, RATE)
    np.testing.assert_allclose(np.roll(output, half), turned, atol=1e-9)


def test_saturation_is_unity_for_soft_sounds_and_bounded() -> None:
    assert saturate(np.array([1e-4]), 2.0)[0] == pytest.approx(1e-4, rel=1e-6)
    assert np.abs(saturate(np.array([-50.0, 50.0]), 2.0)).max() <= 0.5
