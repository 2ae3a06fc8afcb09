"""The transform against closed forms: it reconstructs, it is linear, a sine lies where it must."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.dsp.stft import hann, istft, overlap_add, stft


@pytest.mark.parametrize(("n_fft", "hop_length"), [(2048, 512), (2048, 1024), (1024, 256), (512, 100), (64, 16)])
@pytest.mark.parametrize("samples", [1, 63, 511, 4097, 20480])
def test_every_sample_comes_back(n_fft: int, hop_length: int, samples: int) -> None:
    audio = np.random.default_rng(0).standard_normal(samples)
    spectra = stft(audio, n_fft, hop_length)
    assert spectra.shape == (n_fft // 2 + 1, 1 + samples // hop_length)
    np.testing.assert_allclose(istft(spectra, n_fft, hop_length, samples), audio, atol=1e-10)


def test_leading_dimensions_are_transformed_one_by_one() -> None:
    audio = np.random.default_rng(0).standard_normal((2, 3, 1000))
    spectra = stft(audio, 256, 64)
    assert spectra.shape == (2, 3, 129, 16)
    np.testing.assert_array_equal(spectra[1, 2], stft(audio[1, 2], 256, 64))
    np.testing.assert_allclose(istft(spectra, 256, 64, 1000), audio, atol=1e-12)


@pytest.mark.parametrize("bin_index", [3, 100, 511])
def test_a_sine_on_a_bin_reads_half_the_window_sum(bin_index: int) -> None:
    n_fft, gain = 1024, 0.7
    audio = gain * np.cos(2 * np.pi * bin_index * np.arange(8192) / n_fft)
    magnitudes = np.abs(stft(audio, n_fft, 256))[:, 4:-4]
    assert (magnitudes.argmax(axis=0) == bin_index).all()
    np.testing.assert_allclose(magnitudes[bin_index], gain * n_fft / 4, rtol=1e-9)
    # A Hann window spreads it to the two neighbours, at half, and nowhere else.
    np.testing.assert_allclose(magnitudes[bin_index - 1], gain * n_fft / 8, rtol=1e-9)
    if bin_index > 2:
        np.testing.assert_allclose(magnitudes[: bin_index - 1], 0, atol=1e-9)


def test_frame_k_is_centred_on_sample_k_hop() -> None:
    audio = np.zeros(2048)
    audio[5 * 128] = 1.0
    magnitudes = np.abs(stft(audio, 512, 128))
    # A click under a window reads the window at its place, in every bin.
    expected = np.zeros(17)
    expected[4:7] = hann(512)[[384, 256, 128]]
    np.testing.assert_allclose(magnitudes, np.tile(expected, (257, 1)), atol=1e-12)


def test_it_is_linear() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 3000))
    left = stft(2.0 * one - 0.5 * other, 512, 128)
    np.testing.assert_allclose(left, 2.0 * stft(one, 512, 128) - 0.5 * stft(other, 512, 128), atol=1e-10)


def test_precision_is_that_of_the_audio() -> None:
    audio = np.random.default_rng(0).standard_normal(3000)
    single = stft(audio.astype(np.float32), 512, 128)
    assert single.dtype == np.complex64
    assert istft(single, 512, 128, 3000).dtype == np.float32
    assert stft(audio, 512, 128).dtype == np.complex128
    np.testing.assert_allclose(single, stft(audio, 512, 128), atol=1e-4)


def test_whole_numbers_are_transformed_as_what_they_are() -> None:
    audio = np.random.default_rng(0).integers(-1000, 1000, 3000).astype(np.int16)
    np.testing.assert_allclose(stft(audio, 512, 128), stft(audio.astype(np.float64), 512, 128))


def test_the_window_is_periodic_and_cannot_be_spoilt() -> None:
    np.testing.assert_allclose(hann(8), 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 8), atol=1e-15)
    with pytest.raises(ValueError, match="read-only"):
        hann(8)[0] = 1.0


@pytest.mark.parametrize(("length", "hop_length"), [(8, 4), (8, 3), (5, 5), (4, 7)])
def test_overlap_add_sums_what_overlaps(length: int, hop_length: int) -> None:
    segments = np.random.default_rng(0).standard_normal((2, 6, length))
    expected = np.zeros((2, 5 * hop_length + length))
    for frame in range(6):
        expected[:, frame * hop_length : frame * hop_length + length] += segments[:, frame]
    np.testing.assert_allclose(overlap_add(segments, hop_length), expected)
