"""Whether a motion plays well: smoothness beside real sound, dimensions that never move or sit at their limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from audiovae.latent_space import LatentSpace
from audiovae.settings import Settings
from gesturemap.report.neighbours import Index, Points


class QualitySettings(Settings):
    """Limits of what the report calls dead, saturated and smooth."""

    dead_share: float = Field(0.1, gt=0, description="dead: spread below this share of the model's")
    saturated_share: float = Field(0.05, gt=0, description="saturated: at the output limit for more than this")
    limit_share: float = Field(0.001, ge=0, description="at the limit: within this share of the range of it")
    window_s: float = Field(2.0, gt=0, description="length of the windows jerk is measured in")
    ratio_low: float = Field(0.5, gt=0, description="smoothness beside held-out sound, lower limit")
    ratio_high: float = Field(2.0, gt=0, description="smoothness beside held-out sound, upper limit")


@dataclass(frozen=True)
class Smoothness:
    """How a path moves, in whitened latents.

    Parameters
    ----------
    step_rms : root mean square of the distance between following frames; None without two of them.
    log_jerk : median log dimensionless jerk over windows, negative, nearer to 0 is smoother; None without windows.
    spectral_arc_length : median of the same windows, negative, nearer to 0 is smoother.
    n_windows : windows that moved.
    """

    step_rms: float | None
    log_jerk: float | None
    spectral_arc_length: float | None
    n_windows: int


@dataclass(frozen=True)
class DimensionUse:
    """How a gesture uses one latent dimension; ranges are values of the latent."""

    name: str
    model_std: float
    std_share: float
    model_range: tuple[float, float, float]
    gesture_range: tuple[float, float, float]
    at_limit_share: float | None
    dead: bool
    saturated: bool


def measure_smoothness(points: Points, segment: Index, rate: float, window_s: float) -> Smoothness:
    """Step size and jerk of a path.

    Parameters
    ----------
    points : (n_frames, rank) whitened latents.
    segment : (n_frames,) number of the unbroken stretch of every frame.
    rate : Hz.
    window_s : seconds; jerk depends on the duration, so it is compared over windows of one length.
    """
    joined = segment[1:] == segment[:-1]
    steps = np.diff(points, axis=0)[joined]
    step_rms = float(np.sqrt((steps**2).sum(axis=1).mean())) if len(steps) else None
    length = max(4, round(window_s * rate))
    jerk, arc = [], []
    for window in _windows(points, segment, length):
        value = log_dimensionless_jerk(window, rate)
        if value is not None:
            jerk.append(value)
            arc.append(spectral_arc_length(window, rate))
    if not jerk:
        return Smoothness(step_rms, None, None, 0)
    return Smoothness(step_rms, float(np.median(jerk)), float(np.median(arc)), len(jerk))


def log_dimensionless_jerk(points: Points, rate: float) -> float | None:
    """``-ln(T^3 / v_peak^2 * integral of |u'''|^2 dt)`` of a path (n_frames, rank); None if it never moves.

    Source: table 3, equation 13 of doi 10.1186/s12984-023-01142-7.
    """
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1) * rate
    jerk = np.diff(points, n=3, axis=0) * rate**3
    duration_s = (len(points) - 1) / rate
    total = (jerk**2).sum() / rate
    if speed.max(initial=0.0) <= 0 or total <= 0:
        return None
    return float(-np.log(duration_s**3 / speed.max() ** 2 * total))


def spectral_arc_length(points: Points, rate: float) -> float:
    """SPARC: minus the length of the normalised amplitude spectrum of the speed of a path (n_frames, rank) that moves.

    Up to 10 Hz, cut where the amplitude stays below 5 %; padded to 16 times its length.
    Source: Balasubramanian et al. 2015, doi 10.1186/s12984-015-0090-9.
    """
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1) * rate
    n_fft = 16 << int(np.ceil(np.log2(len(speed))))
    amplitude = np.abs(np.fft.rfft(speed, n_fft))
    frequency = np.fft.rfftfreq(n_fft, 1 / rate)
    amplitude = amplitude[frequency <= 10.0] / amplitude.max()
    amplitude = amplitude[: int(np.flatnonzero(amplitude >= 0.05)[-1]) + 1]
    if len(amplitude) < 2:
        return 0.0
    return -float(np.hypot(1 / (len(amplitude) - 1), np.diff(amplitude)).sum())


def use_of_dimensions(
    latents: Points, space: LatentSpace, low: Points | None, high: Points | None, settings: QualitySettings
) -> list[DimensionUse]:
    """Range, spread and limits of every latent dimension, beside the model's own.

    Parameters
    ----------
    latents : (n_frames, latent_size) of the gesture.
    low, high : (latent_size,) output range of the mapping; None where it has none.
    """
    share = latents.std(axis=0) / np.maximum(space.std, 1e-12)
    ranges = np.quantile(latents, (0.05, 0.5, 0.95), axis=0).T
    model = np.stack([space.quantile(level) for level in (0.05, 0.5, 0.95)], axis=1)
    uses = []
    for i, name in enumerate(space.latent_names):
        dead = bool(share[i] < settings.dead_share)
        at_limit = None
        if low is not None and high is not None:
            margin = settings.limit_share * (high[i] - low[i])
            at_limit = float(((latents[:, i] <= low[i] + margin) | (latents[:, i] >= high[i] - margin)).mean())
        saturated = not dead and at_limit is not None and at_limit > settings.saturated_share
        uses.append(
            DimensionUse(
                name=name,
                model_std=float(space.std[i]),
                std_share=float(share[i]),
                model_range=(float(model[i, 0]), float(model[i, 1]), float(model[i, 2])),
                gesture_range=(float(ranges[i, 0]), float(ranges[i, 1]), float(ranges[i, 2])),
                at_limit_share=at_limit,
                dead=dead,
                saturated=saturated,
            )
        )
    return uses


def _windows(points: Points, segment: Index, length: int) -> Iterator[Points]:
    """Half-overlapping windows of `length` frames inside unbroken stretches."""
    edges = np.flatnonzero(np.diff(segment, prepend=-1, append=-1))
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        for first in range(int(start), int(end) - length + 1, max(1, length // 2)):
            yield points[first : first + length]
