"""RBF kernel ridge, its length scale and penalty chosen by leaving out contiguous blocks of time.

Own, because scikit-learn's ``KernelRidge`` in a grid search refits for every block.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator, RegressorMixin

from gesturemap.frame import Array
from gesturemap.regressors.rows import contiguous_blocks, spread_rows

LENGTH_FACTORS = (0.15, 0.25, 0.4, 0.65, 1.0, 1.7, 3.0)  # times the median distance of two examples
ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class BlockwiseKernelRidge(RegressorMixin, BaseEstimator):
    """f(x) = sum_i w_i exp(-|x - x_i|^2 / (2 length_scale^2)), w = (K + alpha I)^-1 y.

    Far from every example the prediction falls to zero: to the mean latent, once `StandardisedRegressor` is
    around it. Expects standardised features and latents.

    Parameters
    ----------
    length_scale, alpha : see `KernelRidgeSettings`; None: the pair of the grid with the smallest squared
        error on left-out blocks.
    max_rows, selection_rows : examples kept, and examples the choice is made on.
    """

    def __init__(
        self,
        length_scale: float | None = None,
        alpha: float | None = None,
        max_rows: int = 3000,
        selection_rows: int = 800,
    ) -> None:
        self.length_scale = length_scale
        self.alpha = alpha
        self.max_rows = max_rows
        self.selection_rows = selection_rows

    def fit(self, X: Array, y: Array) -> BlockwiseKernelRidge:
        """Learn from X (n_rows, n_features) and y (n_rows,) or (n_rows, n_outputs)."""
        self.n_features_in_ = X.shape[1]
        few = spread_rows(len(X), self.selection_rows)
        self.length_scale_, self.alpha_ = self._choose(X[few], y[few])
        kept = spread_rows(len(X), self.max_rows)
        self.examples_ = X[kept]
        kernel = rbf_kernel(self.examples_, self.examples_, self.length_scale_)
        kernel[np.diag_indices_from(kernel)] += self.alpha_
        self.weights_ = cho_solve(cho_factor(kernel, lower=True, overwrite_a=True), y[kept])
        return self

    def predict(self, X: Array) -> Array:
        """(n_rows,) or (n_rows, n_outputs), as `y` was."""
        return np.asarray(rbf_kernel(X, self.examples_, self.length_scale_) @ self.weights_)

    def _choose(self, X: Array, y: Array) -> tuple[float, float]:
        if self.length_scale is not None and self.alpha is not None:
            return float(self.length_scale), float(self.alpha)
        distances = pdist(X)
        typical = float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0
        lengths = [f * typical for f in LENGTH_FACTORS] if self.length_scale is None else [self.length_scale]
        alphas = ALPHAS if self.alpha is None else (self.alpha,)
        scores = [(e, length, a) for length in lengths for a, e in _block_errors(X, y, length, alphas)]
        _, length_scale, alpha = min(scores)
        return float(length_scale), float(alpha)


def rbf_kernel(a: Array, b: Array, length_scale: float) -> Array:
    """exp(-|a_i - b_j|^2 / (2 length_scale^2)), (len(a), len(b)).

    In one array, since kernels are large: 20 000 examples against 3000 are half a gigabyte.
    """
    a, b = a / length_scale, b / length_scale
    kernel: Array = a @ b.T
    kernel -= 0.5 * (a * a).sum(axis=1)[:, None]
    kernel -= 0.5 * (b * b).sum(axis=1)
    # Rounding can leave a tiny negative distance.
    np.minimum(kernel, 0.0, out=kernel)
    return np.exp(kernel, out=kernel)


def _block_errors(X: Array, y: Array, length_scale: float, alphas: Any) -> list[tuple[float, float]]:
    """(alpha, mean squared error on left-out blocks) without a refit for each block.

    With G = (K + alpha I)^-1 and w = G y, the residual of a block B left out of the fit is G_BB^-1 w_B (block
    inverse of K + alpha I; the tests compare it with refits).
    """
    values, vectors = np.linalg.eigh(rbf_kernel(X, X, length_scale))
    turned = vectors.T @ y
    result = []
    for alpha in alphas:
        inverse = 1.0 / (np.maximum(values, 0.0) + alpha)
        weights = vectors @ (turned.T * inverse).T
        total = 0.0
        for block in contiguous_blocks(len(X)):
            corner = (vectors[block] * inverse) @ vectors[block].T
            total += float((np.linalg.solve(corner, weights[block]) ** 2).sum())
        result.append((float(alpha), total / y.size))
    return result
