"""Several fitted regressors as one: each gives some of the outputs from some of the features."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from gesturemap.frame import Array
from gesturemap.regressors.rows import IntArray, check_features


class GroupedRegressor(BaseEstimator):
    """Fitted regressors side by side, such as the networks of a Wekinator project, which choose their inputs.

    Parameters
    ----------
    regressors : fitted.
    outputs : for each regressor the columns of the latents it gives; together all of them, each once.
    columns : for each regressor the columns of the features it takes.
    n_features : columns of the features.
    """

    def __init__(
        self, regressors: list[Any], outputs: list[IntArray], columns: list[IntArray], n_features: int
    ) -> None:
        self.regressors = regressors
        self.outputs = outputs
        self.columns = columns
        self.n_features = n_features
        self.n_features_in_ = n_features

    def predict(self, X: Any) -> Array:
        """Latents (n_rows, n_outputs).

        Raises
        ------
        MappingError
            If `X` is not (n_rows, n_features) and finite.
        """
        rows = check_features(X, self.n_features)
        latents = np.empty((len(rows), sum(map(len, self.outputs))))
        for regressor, outputs, columns in zip(self.regressors, self.outputs, self.columns, strict=True):
            latents[:, outputs] = regressor.predict(rows[:, columns])
        return latents

    def confidence(self, X: Any) -> Array:
        """That of the least sure of the regressors, (n_rows,) in 0..1."""
        rows = check_features(X, self.n_features)
        groups = zip(self.regressors, self.columns, strict=True)
        return np.asarray(np.min([regressor.confidence(rows[:, columns]) for regressor, columns in groups], axis=0))
