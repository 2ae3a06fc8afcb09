"""Audio from magnitudes: fast Griffin-Lim.

Source: Perraudin, Balazs and Soendergaard 2013, "A fast Griffin-Lim algorithm" (WASPAA), alpha = 0.99.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.dsp.stft import istft, stft

FloatArray = npt.NDArray[np.floating[Any]]


def griffin_lim(
    magnitudes: FloatArray,
    n_fft: int,
    hop_length: int,
    samples: int,
    *,
    iterations: int = 32,
    momentum: float = 0.99,
    seed: int = 0,
) -> FloatArray:
    """Audio whose short-time magnitudes are near `magnitudes`.

    Parameters
    ----------
    magnitudes : (..., n_fft // 2 + 1, frames), not negative.
    samples : length of the result; frames must be 1 + samples // hop_length.
    iterations : projections; more come nearer, at a cost in proportion.
    momentum : 0 is plain Griffin-Lim.
    seed : of the random phase it starts from, so that the same latents always sound the same.

    Returns
    -------
    (..., samples) of the precision of `magnitudes`.
    """
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0.0, 2.0 * np.pi, magnitudes.shape).astype(magnitudes.dtype)
    spectra = magnitudes * np.exp(1j * phase)
    previous = np.zeros_like(spectra)
    for _ in range(iterations):
        consistent = stft(istft(spectra, n_fft, hop_length, samples), n_fft, hop_length)
        spectra = consistent + momentum * (consistent - previous)
        previous = consistent
        spectra *= magnitudes / np.maximum(np.abs(spectra), 1e-16)
    return istft(spectra, n_fft, hop_length, samples)
