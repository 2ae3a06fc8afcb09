"""Second-order filters: all-pass, peak and shelves, as second-order sections.

Every function gives the six coefficients (b0, b1, b2, 1, a1, a2) that `scipy.signal.sosfilt` takes as a row.
Frequencies in Hz, below half the sample rate; gains in dB. The digital filters are the bilinear transforms of

    all-pass    H(s) = (s^2 - s/Q + 1) / (s^2 + s/Q + 1)
    peak        H(s) = (s^2 + s A/Q + 1) / (s^2 + s/(A Q) + 1)
    low shelf   H(s) = A (s^2 + s sqrt(A)/Q + A) / (A s^2 + s sqrt(A)/Q + 1)
    high shelf  H(s) = A (A s^2 + s sqrt(A)/Q + 1) / (s^2 + s sqrt(A)/Q + A)

with s in units of the centre frequency and A = 10^(gain/40): the prototypes of Bristow-Johnson's "Cookbook formulae
for audio EQ biquad filter coefficients".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Section = npt.NDArray[np.float64]


def allpass(frequency_hz: float, q: float, sample_rate: int) -> Section:
    """All-pass (6,): the phase turns by 180 degrees up to the frequency and by 360 beyond, faster at a higher `q`."""
    return _transform((1.0, -1 / q, 1.0), (1.0, 1 / q, 1.0), frequency_hz, sample_rate)


def peak(frequency_hz: float, q: float, gain_db: float, sample_rate: int) -> Section:
    """Peak (6,): `gain_db` at the frequency, half of it at the edges of a band of width frequency / `q`."""
    a = 10 ** (gain_db / 40)
    return _transform((1.0, a / q, 1.0), (1.0, 1 / (a * q), 1.0), frequency_hz, sample_rate)


def low_shelf(frequency_hz: float, q: float, gain_db: float, sample_rate: int) -> Section:
    """Low shelf (6,): `gain_db` at 0 Hz, half of it at the frequency, none above. Monotone up to a `q` of 0.71."""
    a = 10 ** (gain_db / 40)
    slope = np.sqrt(a) / q
    return _transform((a, a * slope, a * a), (a, slope, 1.0), frequency_hz, sample_rate)


def high_shelf(frequency_hz: float, q: float, gain_db: float, sample_rate: int) -> Section:
    """High shelf (6,): `gain_db` far above the frequency, half of it there, none at 0 Hz. `q` as in `low_shelf`."""
    a = 10 ** (gain_db / 40)
    slope = np.sqrt(a) / q
    return _transform((a * a, a * slope, a), (1.0, slope, a), frequency_hz, sample_rate)


def _transform(
    numerator: tuple[float, float, float],
    denominator: tuple[float, float, float],
    frequency_hz: float,
    sample_rate: int,
) -> Section:
    """Bilinear transform of polynomials (s^2, s, 1), exact at `frequency_hz`: s = (1 - 1/z) / (k (1 + 1/z))."""
    k = np.tan(np.pi * frequency_hz / sample_rate)
    rows = [
        (second + first * k + k * k * constant, 2 * (k * k * constant - second), second - first * k + k * k * constant)
        for second, first, constant in (numerator, denominator)
    ]
    section = np.array([*rows[0], *rows[1]])
    return np.asarray(section / section[3])
