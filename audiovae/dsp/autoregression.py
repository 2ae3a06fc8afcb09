"""What a prior over latents must beat: Gaussians that know nothing of time, and a linear autoregression.

Latents are (n_frames, size); before the first frame there are `mean` frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]

RIDGE = 1.0  # frames' worth of belief, in units of each dimension's variance, that the past says nothing
ORDERS = range(1, 9)


@dataclass(frozen=True)
class Autoregression:
    """z_t = mean + sum_k coefficients[k] (z_(t-1-k) - mean) + e_t, e_t Gaussian of full covariance.

    Parameters
    ----------
    mean, std : (size,) of the frames it was fitted on.
    coefficients : (order, size, size), for standardised frames, the newest first; row i makes dimension i.
    factor : (size, size) lower Cholesky factor of the residual's covariance, for standardised frames.
    """

    mean: FloatArray
    std: FloatArray
    coefficients: FloatArray
    factor: FloatArray

    def log_likelihood(self, latents: FloatArray) -> FloatArray:
        """(n_frames,) nats of each frame given those before."""
        frames = (np.asarray(latents, np.float64) - self.mean) / self.std
        predicted = np.zeros_like(frames)
        for lag, matrix in enumerate(self.coefficients, start=1):
            predicted[lag:] += frames[:-lag] @ matrix.T
        whitened = np.linalg.solve(self.factor, (frames - predicted).T)
        volume = np.log(np.diag(self.factor) * self.std).sum() + 0.5 * len(self.std) * np.log(2 * np.pi)
        return np.asarray(-0.5 * (whitened**2).sum(axis=0) - volume)


def fit_autoregression(latents: FloatArray, order: int) -> Autoregression:
    """Ridge regression of every frame of (n_frames, size) on the `order` before it; of order 0, a full Gaussian."""
    frames = np.asarray(latents, np.float64)
    mean, std = measure_scale(frames)
    target = (frames - mean) / std
    past = _stack_past(target, order)
    weights = np.linalg.solve(past.T @ past + RIDGE * np.eye(past.shape[1]), past.T @ target)
    residual = target - past @ weights
    covariance = residual.T @ residual / len(residual) + 1e-6 * np.eye(len(mean))  # a constant dimension has none
    coefficients = weights.T.reshape(len(mean), order, len(mean)).transpose(1, 0, 2)
    return Autoregression(mean, std, coefficients, np.linalg.cholesky(covariance))


def fit_diagonal(latents: FloatArray) -> Autoregression:
    """A Gaussian of independent dimensions, each frame for itself."""
    mean, std = measure_scale(np.asarray(latents, np.float64))
    return Autoregression(mean, std, np.zeros((0, len(mean), len(mean))), np.eye(len(mean)))


def choose_autoregression(train: FloatArray, held_out: FloatArray) -> Autoregression:
    """Of orders 1 to 8 the one that is best on held-out frames: the strongest that a linear model gets."""
    fitted = [fit_autoregression(train, order) for order in ORDERS]
    return max(fitted, key=lambda model: measure_nats(model, held_out))


def measure_nats(model: Autoregression, latents: FloatArray) -> float:
    """Mean log-likelihood of (n_frames, size) in nats per frame and dimension."""
    return float(model.log_likelihood(latents).mean() / len(model.mean))


def measure_scale(frames: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation (size,) of frames (n_frames, size); a constant dimension counts as 1e-4 wide."""
    return frames.mean(axis=0), np.maximum(frames.std(axis=0), 1e-4)


def _stack_past(frames: FloatArray, order: int) -> FloatArray:
    """(n_frames, order * size): the frames before each, the newest first, zeros before the first."""
    past = np.zeros((len(frames), order, frames.shape[1]))
    for lag in range(1, order + 1):
        past[lag:, lag - 1] = frames[:-lag]
    return past.reshape(len(frames), order * frames.shape[1])
