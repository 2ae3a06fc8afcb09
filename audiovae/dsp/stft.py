"""Short-time Fourier transform and its least-squares inverse. numpy and scipy only.

Arrays carry any leading dimensions: audio (..., samples), spectra (..., n_fft // 2 + 1, frames).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

FloatArray = npt.NDArray[np.floating[Any]]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]


def stft(audio: FloatArray, n_fft: int, hop_length: int) -> ComplexArray:
    """Centred short-time spectra with a periodic Hann window.

    Parameters
    ----------
    audio : (..., samples), floating point. Frame k is centred on sample k * hop_length; beyond the ends there
        is silence.
    n_fft : window and transform length, samples, even.
    hop_length : samples between frames.

    Returns
    -------
    (..., n_fft // 2 + 1, 1 + samples // hop_length) complex, of the precision of `audio`.
    """
    audio = audio if np.issubdtype(audio.dtype, np.floating) else audio.astype(np.float64)
    half = n_fft // 2
    padded = np.pad(audio, [(0, 0)] * (audio.ndim - 1) + [(half, half)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[..., ::hop_length, :]
    spectra = fft.rfft(windows * hann(n_fft, audio.dtype.char), axis=-1)
    return np.asarray(np.swapaxes(spectra, -1, -2))


def istft(spectra: ComplexArray, n_fft: int, hop_length: int, samples: int) -> FloatArray:
    """Audio whose `stft` is nearest to `spectra` in the least-squares sense.

    Parameters
    ----------
    spectra : (..., n_fft // 2 + 1, frames) complex.
    hop_length : at most n_fft // 2, or some samples lie under no window.
    samples : length of the result.

    Returns
    -------
    (..., samples) real.

    Source: Griffin and Lim 1984, equation 6 (windowed overlap-add over the sum of squared windows).
    """
    frames = spectra.shape[-1]
    window = hann(n_fft, "f" if spectra.dtype == np.complex64 else "d")
    segments = fft.irfft(np.swapaxes(spectra, -1, -2), n=n_fft, axis=-1) * window
    total = overlap_add(segments, hop_length)
    weight = overlap_add(np.broadcast_to(window**2, (frames, n_fft)), hop_length)
    half = n_fft // 2
    total = total[..., half : half + samples] / np.maximum(weight[half : half + samples], 1e-8)
    short = samples - total.shape[-1]
    return np.pad(total, [(0, 0)] * (total.ndim - 1) + [(0, short)]) if short > 0 else total


def overlap_add(segments: FloatArray, hop_length: int) -> FloatArray:
    """Sum of segments placed `hop_length` apart: (..., frames, length) to (..., (frames - 1) * hop + length)."""
    frames, length = segments.shape[-2:]
    pieces = -(-length // hop_length)
    padding = [(0, 0)] * (segments.ndim - 1) + [(0, pieces * hop_length - length)]
    parts = np.pad(segments, padding).reshape(*segments.shape[:-1], pieces, hop_length)
    result = np.zeros((*segments.shape[:-2], frames + pieces - 1, hop_length), segments.dtype)
    for piece in range(pieces):
        result[..., piece : piece + frames, :] += parts[..., piece, :]
    return result.reshape(*segments.shape[:-2], -1)[..., : (frames - 1) * hop_length + length]


@lru_cache(maxsize=16)
def hann(n_fft: int, dtype_char: str = "d") -> FloatArray:
    """Periodic Hann window of `n_fft` samples."""
    window = signal.get_window("hann", n_fft).astype(dtype_char)
    window.setflags(write=False)
    return np.asarray(window)
