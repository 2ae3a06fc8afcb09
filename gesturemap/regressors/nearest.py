"""Distance-weighted mean of the nearest examples.

Own, because scikit-learn's ``KNeighborsRegressor`` starts a thread pool for every single row: under load that
was measured at tens of milliseconds, a whole live tick.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, RegressorMixin

from gesturemap.frame import Array


class NearestExamples(RegressorMixin, BaseEstimator):
    """f(x) = sum_i y_i / d_i over sum_i 1 / d_i, i the nearest examples; an example itself is answered exactly.

    The prediction never leaves the range of the examples. Expects standardised features.

    Parameters
    ----------
    n_neighbors : examples in the mean; all of them if there are fewer.
    """

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: Array, y: Array) -> NearestExamples:
        """Keep X (n_rows, n_features) and y (n_rows,) or (n_rows, n_outputs)."""
        self.n_features_in_ = X.shape[1]
        self.examples_, self.targets_ = np.array(X), np.array(y)
        return self

    def predict(self, X: Array) -> Array:
        """(n_rows,) or (n_rows, n_outputs), as `y` was."""
        distances = cdist(X, self.examples_)
        n = min(self.n_neighbors, distances.shape[1])
        nearest = np.argpartition(distances, n - 1, axis=1)[:, :n]
        near = np.take_along_axis(distances, nearest, axis=1)
        hit = near == 0
        weights = np.where(hit.any(axis=1, keepdims=True), hit, 1.0 / np.where(hit, 1.0, near))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("rn,rn...->r...", weights, self.targets_[nearest]))
