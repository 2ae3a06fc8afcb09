"""Pitch of every latent frame: how periodic a sound is, and the fundamental frequency where it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from audiovae.errors import ShapeError

FloatArray = npt.NDArray[np.floating[Any]]

LOWEST_HZ, HIGHEST_HZ = 60.0, 2000.0
VOICED = 0.6  # periodicity from which on a fundamental is stated
OCTAVE_COST = 0.02  # of correlation an octave down: of equal peaks the shortest period is the fundamental
_PERIODS = 3.0  # of the lowest frequency within a window
_FRAMES = 256  # worked on at a time, which bounds the memory


def measure_pitch(audio: FloatArray, sample_rate: int, hop_length: int) -> tuple[FloatArray, FloatArray]:
    """Fundamental frequency and periodicity of every frame, by autocorrelation.

    Frame i is looked at through a Hann window of 50 ms on the middle of samples [i * hop_length, (i + 1) *
    hop_length). The autocorrelation of the windowed sound is divided by that of the window, which makes it 1 at the
    period of a periodic sound. Channels are averaged.

    Parameters
    ----------
    audio : (channels, samples) in [-1, 1].
    sample_rate : Hz.
    hop_length : samples per frame.

    Returns
    -------
    f0_hz : (n_frames,) from 60 to 2000 Hz, NaN where the periodicity is below `VOICED`.
    periodicity : (n_frames,) 0 to 1; 0 in silence.

    Source: the estimator of Boersma 1993, without his path through the frames.
    """
    if audio.ndim != 2 or audio.shape[0] == 0:
        raise ShapeError(f"audio of shape {audio.shape} found, (channels, samples) expected")
    mono = np.asarray(audio, np.float64).mean(axis=0)
    n_frames = -(-len(mono) // hop_length)
    length = int(_PERIODS * sample_rate / LOWEST_HZ)
    padded = np.pad(mono, (length, length + hop_length))
    starts = np.arange(n_frames) * hop_length + hop_length // 2 - length // 2 + length
    pieces = [
        _pitch_of_windows(padded[starts[at : at + _FRAMES, None] + np.arange(length)], sample_rate)
        for at in range(0, n_frames, _FRAMES)
    ]
    f0_hz, periodicity = np.concatenate(pieces, axis=1) if pieces else np.zeros((2, 0))
    return np.where(periodicity >= VOICED, f0_hz, np.nan), periodicity


def _pitch_of_windows(windows: FloatArray, sample_rate: int) -> FloatArray:
    """(2, n) frequency and periodicity of windows (n, length)."""
    length = windows.shape[1]
    window = np.hanning(length)
    centred = (windows - windows.mean(axis=1, keepdims=True)) * window
    shortest, longest = int(sample_rate / HIGHEST_HZ), int(sample_rate / LOWEST_HZ)
    n_fft = fft.next_fast_len(length + longest + 2, real=True)
    lags = np.arange(shortest - 1, longest + 2)
    of_window = _autocorrelate(window[None], n_fft)[0]
    of_sound = _autocorrelate(centred, n_fft)
    power = of_sound[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(power > 1e-12, of_sound[:, lags] / power * (of_window[0] / of_window[lags]), 0.0)
    middle = correlation[:, 1:-1]
    is_peak = (middle > correlation[:, :-2]) & (middle >= correlation[:, 2:])
    score = np.where(is_peak, middle - OCTAVE_COST * np.log2(lags[1:-1] / shortest), -np.inf)
    best = score.argmax(axis=1)
    row = np.arange(len(windows))
    before, at, after = (correlation[row, best + shift] for shift in range(3))
    bend = before - 2 * at + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(at), where=np.abs(bend) > 1e-12)
    found = is_peak[row, best]
    f0_hz = sample_rate / (lags[1:-1][best] + np.clip(shift, -0.5, 0.5))
    return np.stack([f0_hz, np.where(found, np.clip(at, 0.0, 1.0), 0.0)])


def _autocorrelate(windows: FloatArray, n_fft: int) -> FloatArray:
    return np.asarray(fft.irfft(np.abs(fft.rfft(windows, n_fft)) ** 2, n_fft))
