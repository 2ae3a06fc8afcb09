"""Mel scale and filter bank against the constants of Slaney's definition."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.dsp.mel import hz_to_mel, mel_filter_bank, mel_inverse, mel_to_hz
from audiovae.errors import SettingsError


@pytest.mark.parametrize(
    ("frequency_hz", "mel"),
    # 200 / 3 Hz a mel up to 1 kHz = 15 mel; from there a factor of 6.4 every 27 mel.
    [(0, 0), (60, 0.9), (200, 3), (440, 6.6), (1000, 15), (6400, 42), (40960, 69), (6400**0.5 * 1000**0.5, 28.5)],
)
def test_frequencies_lie_where_slaney_puts_them(frequency_hz: float, mel: float) -> None:
    assert hz_to_mel(np.array(frequency_hz)) == pytest.approx(mel, abs=1e-12)
    assert mel_to_hz(np.array(mel)) == pytest.approx(frequency_hz, rel=1e-12)


def test_the_scale_goes_there_and_back() -> None:
    frequency_hz = np.linspace(0, 22050, 1001)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(frequency_hz)), frequency_hz, rtol=1e-12)
    assert (np.diff(hz_to_mel(frequency_hz)) > 0).all()


def test_every_filter_is_a_triangle_of_unit_area() -> None:
    n_fft = 1 << 17  # fine enough for a sum to be an integral
    bank = mel_filter_bank(44100, n_fft, 40)
    np.testing.assert_allclose(bank.sum(axis=1) * 44100 / n_fft, 1.0, rtol=1e-3)
    edges_hz = mel_to_hz(np.linspace(0, hz_to_mel(np.array(22050.0)), 42))
    np.testing.assert_allclose(bank.max(axis=1), 2 / (edges_hz[2:] - edges_hz[:-2]), rtol=1e-2)
    np.testing.assert_allclose(bank.argmax(axis=1) * 44100 / n_fft, edges_hz[1:-1], atol=44100 / n_fft)


def test_one_value_by_hand() -> None:
    # 3 bands to 4 kHz: mel 0 to 35.164, edges at quarters of it; the first filter rises over 586 Hz.
    bank = mel_filter_bank(8000, 256, 3)
    top = 15 + np.log(4.0) / (np.log(6.4) / 27)
    centre_hz, high_hz = top / 4 * 200 / 3, 1000 * np.exp((top / 2 - 15) * np.log(6.4) / 27)
    assert top == pytest.approx(35.1638, abs=1e-4)
    assert bank[0, 10] == pytest.approx(10 * 8000 / 256 / centre_hz * 2 / high_hz, rel=1e-12)


def test_the_usual_bank_has_full_rank_and_an_inverse() -> None:
    bank = mel_filter_bank(44100, 2048, 128)
    assert bank.shape == (128, 1025)
    assert bank.min() >= 0
    np.testing.assert_allclose(bank @ mel_inverse(bank), np.eye(128), atol=1e-9)


@pytest.mark.parametrize(
    ("sample_rate", "n_mels", "n_fft"), [(44100, 256, 2048), (44100, 128, 512), (16000, 100, 512), (48000, 178, 2048)]
)
def test_a_bank_that_cannot_be_inverted_is_refused(sample_rate: int, n_mels: int, n_fft: int) -> None:
    with pytest.raises(SettingsError, match=rf"{n_mels} mel bands over .* have rank \d+ .* or a larger n_fft") as found:
        mel_filter_bank(sample_rate, n_fft, n_mels)
    fewer = int(str(found.value).partition("use at most ")[2].split()[0])
    assert n_mels > fewer > n_mels / 4
    assert len(mel_filter_bank(sample_rate, n_fft, fewer)) == fewer  # what the message proposes works
    assert len(mel_filter_bank(sample_rate, n_fft * 4, n_mels)) == n_mels


def test_a_refusal_counts_the_empty_bands() -> None:
    with pytest.raises(SettingsError, match=r"rank 386 \(41 bands are empty\)"):
        mel_filter_bank(44100, 2048, 512)
