"""Distance of two waveforms sample by sample: only for models that keep phase, never for made-up phases."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import signal

FloatArray = npt.NDArray[np.floating[Any]]

MAX_LAG_S = 0.005  # a filter bank's or a network's own delay; further apart is another sound


def si_sdr_db(reference: FloatArray, estimate: FloatArray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB: of the estimate, what is the reference over what is not.

    Parameters
    ----------
    reference, estimate : of one shape, aligned in time.

    Returns
    -------
    Infinite for a copy at any gain other than 0 and of either sign, minus infinite where nothing is alike; NaN where
    one of the two is all 0.

    10 log10(||a s||^2 / ||a s - e||^2) with a = <e, s> / ||s||^2.
    Source: Le Roux et al. 2019, arXiv:1811.02508, equation 4; the means are not taken off.
    """
    reference, estimate = (np.asarray(audio, dtype=np.float64).ravel() for audio in (reference, estimate))
    target = reference * float(estimate @ reference) / max(float(reference @ reference), np.finfo(np.float64).tiny)
    distortion = target - estimate
    signal_power, distortion_power = float(target @ target), float(distortion @ distortion)
    if signal_power + distortion_power == 0 or not reference.any():
        return float("nan")
    # what float64 leaves of a copy is rounding, not distortion
    if distortion_power <= 1e-28 * signal_power:
        return float("inf")
    return float("-inf") if signal_power == 0 else 10.0 * float(np.log10(signal_power / distortion_power))


def find_lag(reference: FloatArray, estimate: FloatArray, max_lag: int) -> int:
    """Samples by which the estimate is late, of those within +-`max_lag` the one of the largest |correlation|.

    (channels, samples) each; the channels share one lag.
    """
    correlation: FloatArray = np.sum(
        [
            signal.correlate(late, early, mode="full", method="fft")
            for late, early in zip(estimate.astype(np.float64), reference.astype(np.float64), strict=True)
        ],
        axis=0,
    )
    zero = reference.shape[1] - 1
    first = max(zero - max_lag, 0)
    near = np.abs(correlation[first : zero + max_lag + 1])
    # Of equals the nearest to no lag: a copy that repeats itself is not late.
    best = np.flatnonzero(near >= near.max() * (1 - 1e-9)) + first - zero
    return int(best[np.abs(best).argmin()])


def align(reference: FloatArray, estimate: FloatArray, lag: int) -> tuple[FloatArray, FloatArray]:
    """Both cut to the samples they share once the estimate is moved ahead by `lag`."""
    samples = reference.shape[1] - abs(lag)
    late, early = max(lag, 0), max(-lag, 0)
    return reference[:, early : early + samples], estimate[:, late : late + samples]
