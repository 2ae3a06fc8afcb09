"""How smoothly a path moves and sounds, beside recorded sound that takes the same way through the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]

EVEN = 1e-6  # dimensionless jerk below which there is none
WINDOW_S = 2.0  # jerk depends on the duration, so it is compared over windows of one length


def total_variation(values: FloatArray, rate: float) -> float | None:
    """Mean absolute change a second of (n_frames,), over neighbouring frames that both have a value; None without."""
    steps = np.abs(np.diff(values))
    steps = steps[np.isfinite(steps)]
    return float(steps.mean() * rate) if len(steps) else None


def log_dimensionless_jerk(points: FloatArray, rate: float) -> float | None:
    """``-ln(T^3 / v_peak^2 * integral of |u'''|^2 dt)`` of a path (n_frames, rank); nearer to 0 is smoother.

    None if it never moves, or goes straight at an even speed, where there is no jerk but that of rounding.
    Source: table 3, equation 13 of doi 10.1186/s12984-023-01142-7.
    """
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1) * rate
    jerk = np.diff(points, n=3, axis=0) * rate**3
    total = (jerk**2).sum() / rate
    if speed.max(initial=0.0) <= 1e-9:
        return None
    dimensionless = ((len(points) - 1) / rate) ** 3 / speed.max() ** 2 * total
    return float(-np.log(dimensionless)) if dimensionless > EVEN else None


def measure_smoothness(
    paths: Sequence[FloatArray], curves: Sequence[dict[str, FloatArray]], rate: float
) -> dict[str, Any]:
    """Movement of several paths together, ready for JSON.

    Parameters
    ----------
    paths : (n_frames, rank) each, whitened latents.
    curves : of each path, name -> (n_frames,) descriptors of its sound on perceptual scales.
    rate : latent frames a second.

    Returns
    -------
    dict of
        duration_s : of all paths.
        latent_speed : deviations a second, mean.
        latent_jerk : `log_dimensionless_jerk`, median over windows of `WINDOW_S`; None without windows that move.
        variation : descriptor -> `total_variation`, mean over the paths weighted by their length.
    """
    length = max(4, round(WINDOW_S * rate))
    jerks = [
        log_dimensionless_jerk(path[at : at + length], rate)
        for path in paths
        for at in range(0, len(path) - length + 1, max(1, length // 2))
    ]
    moving = [jerk for jerk in jerks if jerk is not None]
    steps = np.concatenate([np.linalg.norm(np.diff(path, axis=0), axis=1) for path in paths])
    return {
        "duration_s": float(sum(map(len, paths)) / rate),
        "latent_speed": float(steps.mean() * rate) if len(steps) else None,
        "latent_jerk": float(np.median(moving)) if moving else None,
        "variation": {name: _mean_variation([curve[name] for curve in curves], rate) for name in curves[0]},
    }


def compare_smoothness(moved: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    """Every measure of `moved` over that of `reference`, jerk as a difference of logarithms; None where undefined."""
    jerks = moved["latent_jerk"], reference["latent_jerk"]
    return {
        "latent_speed": _ratio(moved["latent_speed"], reference["latent_speed"]),
        "latent_jerk_difference": None if None in jerks else jerks[0] - jerks[1],
        "variation": {name: _ratio(value, reference["variation"][name]) for name, value in moved["variation"].items()},
    }


def _mean_variation(series: Sequence[FloatArray], rate: float) -> float | None:
    found = [(total_variation(values, rate), len(values)) for values in series]
    known = [(value, n) for value, n in found if value is not None]
    return float(np.average([v for v, _ in known], weights=[n for _, n in known])) if known else None


def _ratio(value: float | None, other: float | None) -> float | None:
    return None if value is None or not other else value / other
