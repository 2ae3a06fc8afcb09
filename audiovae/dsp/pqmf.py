"""Filters of a near-perfect cosine-modulated filter bank (PQMF): design only, no torch.

`audiovae.nn.pqmf` applies them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.signal import kaiser_beta

FloatArray = npt.NDArray[np.floating[Any]]

_PASS_SHARE = 0.6
"""Share of the band, from its middle, in which the prototype is reshaped: higher would spoil its stop band."""


def design_prototype(n_bands: int, attenuation_db: float) -> FloatArray:
    """Low-pass prototype whose modulated copies add up to a pure delay.

    A windowed sinc with a Kaiser window; the cutoff is searched so that the autocorrelation is nearest to zero at
    multiples of 2 n_bands, then Gauss-Newton steps on cosines under the same window make it zero there, which
    removes the amplitude distortion and leaves the alias of bands that are no neighbours.

    Parameters
    ----------
    n_bands : power of two, 4 to 32 tested.
    attenuation_db : of the window's side lobes, 40 to 120; more costs delay (see `half_length`).

    Returns
    -------
    (2 n_bands half_length + 1,) symmetric.

    Raises
    ------
    ValueError
        If `n_bands` is no power of two from 2 up, or `attenuation_db` is outside 30 to 150.

    Source: window and search of the cutoff after Lin and Vaidyanathan 1998, "A Kaiser window approach for the design
    of prototype filters of cosine modulated filterbanks" (from memory, not opened); the Gauss-Newton steps are ours.
    """
    if n_bands < 2 or n_bands & (n_bands - 1):
        raise ValueError(f"n_bands {n_bands} found, a power of two from 2 up expected")
    if not 30 <= attenuation_db <= 150:
        raise ValueError(f"attenuation_db {attenuation_db} found, 30 to 150 expected")
    order = 2 * n_bands * half_length(attenuation_db)
    time = np.arange(order + 1) - order / 2
    window = np.kaiser(order + 1, kaiser_beta(attenuation_db))

    def distortion(cutoff: float) -> float:
        lags = _autocorrelation(np.sinc(cutoff * time) * window, n_bands)
        return float(np.abs(lags[1:]).max() / lags[0])

    found = minimize_scalar(distortion, bounds=(0.45 / n_bands, 0.8 / n_bands), method="bounded")
    prototype = np.sinc(found.x * time) * window
    prototype /= np.sqrt(2 * n_bands * _autocorrelation(prototype, n_bands)[0])
    return _make_power_complementary(prototype, window, time, n_bands)


def half_length(attenuation_db: float) -> int:
    """Delay of one half of the filter bank in samples of a band: Kaiser's rule for a transition of one band."""
    return max(2, math.ceil((attenuation_db - 7.95) / (2 * 2.285 * math.pi)))


def modulate(prototype: FloatArray, n_bands: int) -> FloatArray:
    """Analysis filters, (n_bands, len(prototype)), of unit gain in their band.

    The synthesis filters are their reversal times `n_bands`.

    Source: Vaidyanathan 1993, "Multirate systems and filter banks", section 8 (from memory, not opened).
    """
    band = np.arange(n_bands)[:, None]
    time = np.arange(len(prototype)) - (len(prototype) - 1) / 2
    phase = np.where(band % 2 == 0, np.pi / 4, -np.pi / 4)
    return np.asarray(2 * prototype * np.cos((2 * band + 1) * np.pi / (2 * n_bands) * time + phase))


def _autocorrelation(prototype: FloatArray, n_bands: int) -> FloatArray:
    """Autocorrelation at lags 0, 2 n_bands, 4 n_bands and so on."""
    return np.asarray(np.convolve(prototype, prototype)[len(prototype) - 1 :: 2 * n_bands])


def _make_power_complementary(
    prototype: FloatArray, window: FloatArray, time: FloatArray, n_bands: int, steps: int = 30
) -> FloatArray:
    order, lag = len(prototype) - 1, 2 * n_bands
    count = int(_PASS_SHARE * order / lag * 2)
    basis = window * np.cos(np.pi * np.arange(count + 1)[:, None] / order * time)
    wanted = np.zeros(order // lag + 1)
    wanted[0] = 1 / lag
    for _ in range(steps):
        padded = np.pad(prototype, order)
        lags = lag * np.arange(len(wanted))
        slope = np.stack([padded[order + i :][: order + 1] + padded[order - i :][: order + 1] for i in lags])
        error = _autocorrelation(prototype, n_bands) - wanted
        prototype = prototype - np.linalg.lstsq(slope @ basis.T, error, rcond=1e-6)[0] @ basis
    return prototype
