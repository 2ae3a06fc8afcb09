"""How near a gesture is to what was learned: confidence by distance, the same for every regressor.

Distances are in standardised features and counted in the examples' own spacing, so that a confidence means the
same for a gesture set of three poses and for one of a thousand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator

from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.regressors.rows import check_features, contiguous_blocks, spread_rows

MAX_EXAMPLES = 1000  # kept; a row is compared with all of them in about 10 us


class Familiarity(BaseEstimator):
    """confidence = exp(-(d / spacing)^2 / 2), d the distance to the nearest example.

    1 on an example, 0.61 one spacing away, 0.01 three away, 0 far from all. The spacing is the median distance
    from an example to the nearest one of another fifth of the recording: neighbours in time are copies.
    """

    def fit(self, X: Array) -> Familiarity:
        """Keep X (n_rows, n_features), evenly thinned."""
        self.mean_, std = X.mean(axis=0), X.std(axis=0)
        # Up to rounding constant: no distance.
        self.scale_ = np.where(std > 1e-12 * np.maximum(np.abs(self.mean_), 1e-12), std, np.inf)
        self.examples_ = (X[spread_rows(len(X), MAX_EXAMPLES)] - self.mean_) / self.scale_
        self.spacing_ = _spacing(self.examples_)
        return self

    def confidence(self, X: Array) -> Array:
        """(n_rows,) in 0..1 for X (n_rows, n_features)."""
        nearest = cdist((X - self.mean_) / self.scale_, self.examples_).min(axis=1)
        return np.asarray(np.exp(-0.5 * (nearest / self.spacing_) ** 2))


class FamiliarityMixin:
    """The seam ``confidence(X)`` of a regressor that only knows how near its examples are."""

    n_features_in_: int
    familiarity_: Familiarity

    def confidence(self, X: Any) -> Array:
        """How far the prediction can be trusted, (n_rows,) in 0..1: see `Familiarity` for what 0 and 1 mean.

        Raises
        ------
        MappingError
            If `X` is not (n_rows, n_features) and finite, or no examples are kept with the regressor.
        """
        rows = check_features(X, self.n_features_in_)
        if not hasattr(self, "familiarity_"):
            raise MappingError("no examples are kept with this regressor to measure confidence by: fit it again")
        return self.familiarity_.confidence(rows)

    def _keep_examples(self, rows: Array) -> None:
        self.familiarity_ = Familiarity().fit(rows)


def _spacing(examples: Array) -> float:
    """Median distance of an example to the nearest of another block of time; 1 where all are the same."""
    distances = cdist(examples, examples)
    for block in contiguous_blocks(len(examples)):
        distances[np.ix_(block, block)] = np.inf
    nearest = distances.min(axis=1)
    spacing = float(np.median(nearest[np.isfinite(nearest)])) if np.isfinite(nearest).any() else 0.0
    return spacing if spacing > 0 else 1.0
