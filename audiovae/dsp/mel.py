"""Mel filter banks and their pseudo-inverse.

Source: Slaney 1998, Auditory Toolbox (linear below 1 kHz, logarithmic above, area-normalised triangles).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.errors import SettingsError

FloatArray = npt.NDArray[np.floating[Any]]

_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(frequency_hz: FloatArray) -> FloatArray:
    """Slaney mel of a frequency in Hz."""
    log_part = _BREAK_MEL + np.log(np.maximum(frequency_hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(frequency_hz < _BREAK_HZ, frequency_hz / _HZ_PER_MEL, log_part)


def mel_to_hz(mel: FloatArray) -> FloatArray:
    """Frequency in Hz of a Slaney mel, the inverse of `hz_to_mel`."""
    log_part = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_MEL, log_part)


def mel_filter_bank(sample_rate: int, n_fft: int, n_mels: int) -> FloatArray:
    """Triangular filters between 0 Hz and Nyquist, each of unit area in Hz.

    Returns
    -------
    (n_mels, n_fft // 2 + 1) float64.

    Raises
    ------
    SettingsError
        If the bank is not of full rank: then it cannot be inverted, and some bands are empty or copies.
    """
    edges_hz = mel_to_hz(np.linspace(0.0, float(hz_to_mel(np.array(sample_rate / 2.0))), n_mels + 2))
    bins_hz = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    triangles = np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre))
    bank = np.maximum(triangles, 0.0) * 2.0 / (high - low)
    rank = int(np.linalg.matrix_rank(bank, rtol=1e-4))
    if rank < n_mels:
        empty = int((bank.sum(axis=1) == 0).sum())
        # As many as leave the narrowest filters, those of the linear part, a whole bin to rise over.
        most = max(int(float(hz_to_mel(np.array(sample_rate / 2.0))) * _HZ_PER_MEL * n_fft / sample_rate) - 1, 1)
        raise SettingsError(
            f"{n_mels} mel bands over {n_fft // 2 + 1} bins at {sample_rate} Hz have rank {rank} "
            f"({empty} bands are empty): use at most {most} bands, or a larger n_fft"
        )
    return np.asarray(bank)


def mel_inverse(bank: FloatArray) -> FloatArray:
    """Pseudo-inverse of a full-rank bank, (n_fft // 2 + 1, n_mels); clamp what it gives at zero."""
    return np.asarray(np.linalg.pinv(bank, rcond=1e-4))
