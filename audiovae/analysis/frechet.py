"""Frechet distance of sets of points that come in files, from the sums of every file: fast to resample by file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.errors import ShapeError

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FileSums:
    """Sums over the points of every file, around one origin, which all the sets that are compared must share.

    Parameters
    ----------
    n_points : (n_files,).
    first : (n_files, d) sum of the points.
    second : (n_files, d, d) sum of their outer products.
    """

    n_points: FloatArray
    first: FloatArray
    second: FloatArray

    @classmethod
    def of(cls, files: Sequence[FloatArray], origin: FloatArray) -> FileSums:
        """Sums of files (n_points, d), each with one point or more."""
        if not files or any(points.ndim != 2 or points.shape[1] != len(origin) or not len(points) for points in files):
            shapes = ", ".join(str(points.shape) for points in files) or "none"
            raise ShapeError(f"points of files of shape {shapes} found, (1 or more, {len(origin)}) each expected")
        centred = [np.asarray(points, dtype=np.float64) - origin for points in files]
        return cls(
            np.array([len(points) for points in centred], dtype=np.float64),
            np.stack([points.sum(axis=0) for points in centred]),
            np.stack([points.T @ points for points in centred]),
        )

    def gaussian(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean (d,) and shrunken covariance (d, d) of the files, each counted `weight` (n_files,) times."""
        n_points = float(weight @ self.n_points)
        mean = weight @ self.first / n_points
        covariance = np.tensordot(weight, self.second, axes=1) / n_points - np.outer(mean, mean)
        return mean, shrink(covariance, n_points)

    def joined(self, other: FileSums) -> FileSums:
        """The files of both, these first."""
        pairs = ((self.n_points, other.n_points), (self.first, other.first), (self.second, other.second))
        return FileSums(*(np.concatenate(pair) for pair in pairs))


def shrink(covariance: FloatArray, n_points: float) -> FloatArray:
    """A covariance of few points moved towards a multiple of the identity, the less the more points there are.

    (d, d) to (d, d), of the same trace. Points are taken as independent, which those of one file are not: with few
    files the shrinkage is too small rather than too large.

    Source: Chen et al. 2010, IEEE Trans. Signal Process. 58(10), equation 23 (oracle approximating shrinkage).
    """
    d = len(covariance)
    trace, trace_of_square = float(np.trace(covariance)), float((covariance**2).sum())
    spread = trace_of_square - trace**2 / d
    amount = 1.0
    if spread > 1e-12 * trace_of_square:
        amount = min(1.0, ((1 - 2 / d) * trace_of_square + trace**2) / ((n_points + 1 - 2 / d) * spread))
    return np.asarray((1 - amount) * covariance + amount * trace / d * np.eye(d))


def frechet_distance(first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray]) -> float:
    """Squared 2-Wasserstein distance of two Gaussians, each a mean (d,) and a covariance (d, d). In float64, no eps.

    ||m1 - m2||^2 + tr(C1 + C2 - 2 (C1^(1/2) C2 C1^(1/2))^(1/2)); eigenvalues below 0, which rounding alone makes, are
    taken as 0, and so is the whole.

    Source: Dowson and Landau 1982, J. Multivariate Anal. 12(3).
    """
    (mean_1, covariance_1), (mean_2, covariance_2) = first, second
    values, vectors = np.linalg.eigh(np.asarray(covariance_1, dtype=np.float64))
    root = vectors * np.sqrt(np.maximum(values, 0.0))  # root @ root.T is the covariance: as good as the square root
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root.T @ covariance_2 @ root), 0.0)).sum()
    difference = mean_1 - mean_2
    value = difference @ difference + np.trace(covariance_1) + np.trace(covariance_2) - 2.0 * cross
    return max(float(value), 0.0)
