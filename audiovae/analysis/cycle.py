"""Whether a latent is really played: latents to sound and back, and what of them returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.corpus_frames import Model

FloatArray = npt.NDArray[np.floating[Any]]

MAX_SHIFT_S = 0.35


def measure_cycle(model: Model, paths: Sequence[tuple[FloatArray, FloatArray]], std: FloatArray) -> dict[str, Any]:
    """Correlation and error of every dimension after decoding and encoding again, ready for JSON.

    The shift of whole latent frames that a model's windows and delays leave is found as the one with the
    largest squared correlation over all dimensions, and taken out.

    Parameters
    ----------
    paths : of each, latents (n_frames, latent_size) and their sound (channels, n_frames * hop_length).
    std : (latent_size,) of the corpus; errors are in units of it.

    Returns
    -------
    dict of
        shift_frames : by which what returns is late.
        correlation, error : one value a dimension; None where the latent does not move, or where `std` is 0.
        mean_correlation, mean_error : over the dimensions that have one.
    """
    returned = [(np.asarray(z, np.float64), np.asarray(model.encode(audio), np.float64)) for z, audio in paths]
    limit = max(1, round(MAX_SHIFT_S * model.space.latent_rate))
    shift = find_shift(returned, limit)
    sent, back = _shifted(returned, shift)
    moves = (sent.std(axis=0) > 1e-9) & (std > 1e-9)
    correlation = _correlations(sent, back)
    error = np.sqrt(((back - sent) ** 2).mean(axis=0)) / np.maximum(std, 1e-9)
    return {
        "shift_frames": shift,
        "duration_s": float(len(sent) / model.space.latent_rate),
        "correlation": [float(r) if ok else None for r, ok in zip(correlation, moves, strict=True)],
        "error": [float(e) if ok else None for e, ok in zip(error, moves, strict=True)],
        "mean_correlation": float(correlation[moves].mean()) if moves.any() else None,
        "mean_error": float(error[moves].mean()) if moves.any() else None,
    }


def find_shift(returned: Sequence[tuple[FloatArray, FloatArray]], limit: int) -> int:
    """Frames by which the second of each pair is later than the first, from -limit to limit."""
    longest = max(len(z) for z, _ in returned)
    shifts = [shift for shift in range(-limit, limit + 1) if longest - abs(shift) >= 8] or [0]
    # Squared, because a dimension that does not come back correlates a little with every shift; with its sign, or what
    # comes back turned round would do; of equal ones the smallest, so that a sound that does not move is not shifted.
    return max(sorted(shifts, key=abs), key=lambda shift: _agreement(*_shifted(returned, shift)))


def _agreement(sent: FloatArray, back: FloatArray) -> float:
    r = _correlations(sent, back)
    return float((r * np.abs(r)).sum())


def _shifted(returned: Sequence[tuple[FloatArray, FloatArray]], shift: int) -> tuple[FloatArray, FloatArray]:
    """Both sides of all pairs one below the other, with the shift taken out."""
    sent, back = [], []
    for z, y in returned:
        n = min(len(z), len(y)) - abs(shift)
        if n > 0:
            sent.append(z[max(0, -shift) :][:n])
            back.append(y[max(0, shift) :][:n])
    return np.concatenate(sent), np.concatenate(back)


def _correlations(sent: FloatArray, back: FloatArray) -> FloatArray:
    """(latent_size,) Pearson's correlation of the columns, 0 where one of them is constant."""
    a, b = sent - sent.mean(axis=0), back - back.mean(axis=0)
    norm = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.asarray(np.divide((a * b).sum(axis=0), norm, out=np.zeros(len(norm)), where=norm > 1e-12))
