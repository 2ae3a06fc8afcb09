"""What a prior over latents must beat: Gaussians that know nothing of time, and a linear autoregression.

A table is (n_frames, size), the latents of one file; before its first frame there are `mean` frames.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def log_likelihood(self, table: FloatArray) -> FloatArray:
        """(n_frames,) nats of each frame given those before."""
        frames = (np.asarray(table, np.float64) - self.mean) / self.std
        predicted = np.zeros_like(frames)
        for lag, matrix in enumerate(self.coefficients, start=1):
            predicted[lag:] += frames[:-lag] @ matrix.T
        whitened = np.linalg.solve(self.factor, (frames - predicted).T)
        volume = np.log(np.diag(self.factor) * self.std).sum() + 0.5 * len(self.std) * np.log(2 * np.pi)
        return np.asarray(-0.5 * (whitened**2).sum(axis=0) - volume)


def fit_autoregression(tables: Sequence[FloatArray], order: int) -> Autoregression:
    """Ridge regression of every frame on the `order` before it; of order 0, a Gaussian of full covariance."""
    frames = np.concatenate(tables).astype(np.float64)
    mean, std = measure_scale(frames)
    standard = [(np.asarray(table, np.float64) - mean) / std for table in tables]
    past = np.concatenate([_stack_past(table, order) for table in standard])
    target = np.concatenate(standard)
    weights = np.linalg.solve(past.T @ past + RIDGE * np.eye(past.shape[1]), past.T @ target)
    residual = target - past @ weights
    covariance = residual.T @ residual / len(residual) + 1e-6 * np.eye(len(mean))  # a constant dimension has none
    coefficients = weights.T.reshape(len(mean), order, len(mean)).transpose(1, 0, 2)
    return Autoregression(mean, std, coefficients, np.linalg.cholesky(covariance))


def fit_diagonal(tables: Sequence[FloatArray]) -> Autoregression:
    """A Gaussian of independent dimensions, each frame for itself."""
    mean, std = measure_scale(np.concatenate(tables).astype(np.float64))
    return Autoregression(mean, std, np.zeros((0, len(mean), len(mean))), np.eye(len(mean)))


def choose_autoregression(train: Sequence[FloatArray], held_out: Sequence[FloatArray]) -> Autoregression:
    """The order of 1 to 8 that is best on held-out tables: the strongest that a linear model gets."""
    fitted = [fit_autoregression(train, order) for order in ORDERS]
    return max(fitted, key=lambda model: measure_nats(model, held_out))


def measure_nats(model: Autoregression, tables: Sequence[FloatArray]) -> float:
    """Mean log-likelihood in nats per frame and dimension."""
    return float(np.concatenate([model.log_likelihood(table) for table in tables]).mean() / len(model.mean))


def measure_scale(frames: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation (size,) of frames (n_frames, size); a constant dimension counts as 1e-4 wide."""
    return frames.mean(axis=0), np.maximum(frames.std(axis=0), 1e-4)


def _stack_past(table: FloatArray, order: int) -> FloatArray:
    """(n_frames, order * size): the frames before each, the newest first, zeros before the first."""
    size = table.shape[1]
    past = np.zeros((len(table), order, size))
    for lag in range(1, order + 1):
        past[lag:, lag - 1] = table[:-lag]
    return past.reshape(len(table), order * size)
