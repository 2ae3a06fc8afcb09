"""One-to-one mapping: each latent follows one feature, with a bias and a range. Works without examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.regressors.familiarity import FamiliarityMixin
from gesturemap.regressors.rows import IntArray, check_features, check_pairs

EDGE = 0.01  # the range of a feature or a latent is its EDGE to 1 - EDGE quantile


class LinearMap(FamiliarityMixin, RegressorMixin, BaseEstimator):
    """latent_i = bias_i + half_range_i * sign_i * u_i, u_i = the feature of column_i scaled to -1..1.

    Parameters
    ----------
    columns : feature column of each latent. None: with latents the most correlated one, else i mod n_features.
    signs : 1 or -1 for each latent. None: with latents the sign of that correlation, else 1.
    bias, half_range : in latent units. None: learned from the latents as `gain` says.
    gain : ``fit`` (least squares) or ``full`` (range of the feature onto range of the latent).
    """

    def __init__(
        self,
        columns: Sequence[int] | None = None,
        signs: Sequence[float] | None = None,
        bias: Sequence[float] | None = None,
        half_range: Sequence[float] | None = None,
        gain: str = "fit",
    ) -> None:
        self.columns = columns
        self.signs = signs
        self.bias = bias
        self.half_range = half_range
        self.gain = gain

    def fit(self, X: Any, y: Any = None) -> LinearMap:
        """Learn feature ranges from X (n_rows, n_features), the rest from y (n_rows, n_outputs) if given.

        Raises
        ------
        MappingError
            If shapes do not fit, a number is not finite, or `y` is None while bias or half_range is too.
        """
        self.one_dimensional_ = y is not None and np.ndim(y) == 1
        rows, targets = (check_features(X), None) if y is None else check_pairs(X, y)
        if targets is None and (self.bias is None or self.half_range is None):
            raise MappingError("no latents to learn from: give bias and half_range for each latent")
        if targets is None and len(rows) < 2:
            raise MappingError(f"{len(rows)} feature rows found, 2 or more needed to know their range")
        self.n_features_in_ = rows.shape[1]
        n_outputs = targets.shape[1] if targets is not None else len(self.bias or ())
        self.center_, self.half_travel_ = _span(rows)
        self.columns_ = self._pick_columns(rows, targets, n_outputs)
        u = self._normalise(rows)
        self.signs_ = self._pick_signs(u, targets, n_outputs)
        bias, half_range = (None, None) if targets is None else self._learn_range(u * self.signs_, targets)
        self.bias_ = _per_latent("bias", self.bias, bias, n_outputs)
        self.half_range_ = _per_latent("half_range", self.half_range, half_range, n_outputs)
        self._keep_examples(rows)
        return self

    def predict(self, X: Any) -> Array:
        """Latents (n_rows, n_outputs), or (n_rows,) if fitted on 1-D latents."""
        u = self._normalise(check_features(X, self.n_features_in_))
        latents = self.bias_ + self.half_range_ * self.signs_ * u
        return np.asarray(latents[:, 0] if self.one_dimensional_ else latents)

    def _normalise(self, rows: Array) -> Array:
        columns = self.columns_
        return (rows[:, columns] - self.center_[columns]) / self.half_travel_[columns]

    def _pick_columns(self, rows: Array, targets: Array | None, n_outputs: int) -> IntArray:
        if self.columns is not None:
            columns = np.asarray(self.columns, dtype=np.intp)
            if columns.shape != (n_outputs,) or columns.min() < 0 or columns.max() >= rows.shape[1]:
                raise MappingError(
                    f"columns {columns.tolist()} found, one of 0..{rows.shape[1] - 1} for each of"
                    f" {n_outputs} latents expected"
                )
            return columns
        if targets is None:
            return np.asarray(np.arange(n_outputs) % rows.shape[1])
        return np.asarray(np.abs(_correlation(rows, targets)).argmax(axis=0))

    def _pick_signs(self, u: Array, targets: Array | None, n_outputs: int) -> Array:
        if self.signs is not None:
            return _per_latent("signs", self.signs, None, n_outputs)
        if targets is None:
            return np.ones(n_outputs)
        slope = ((u - u.mean(axis=0)) * (targets - targets.mean(axis=0))).mean(axis=0)
        return np.where(slope < 0, -1.0, 1.0)

    def _learn_range(self, u: Array, targets: Array) -> tuple[Array, Array]:
        """Bias and half range of each latent, `u` being its signed feature."""
        if self.gain == "full":
            return _span(targets)
        centred = u - u.mean(axis=0)
        spread = (centred**2).mean(axis=0)
        covariance = (centred * (targets - targets.mean(axis=0))).mean(axis=0)
        half_range = np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 0)
        return targets.mean(axis=0) - half_range * u.mean(axis=0), half_range


def _span(values: Array) -> tuple[Array, Array]:
    """Centre and half width of each column's EDGE to 1 - EDGE quantile range; 1 for a constant one."""
    low, high = np.quantile(values, (EDGE, 1 - EDGE), axis=0)
    half = (high - low) / 2
    return (low + high) / 2, np.where(half > 0, half, 1.0)


def _correlation(rows: Array, targets: Array) -> Array:
    """Pearson correlation, (n_features, n_outputs); 0 where a column is constant."""
    a, b = rows - rows.mean(axis=0), targets - targets.mean(axis=0)
    norm = np.linalg.norm(a, axis=0)[:, None] * np.linalg.norm(b, axis=0)
    return np.asarray(np.divide(a.T @ b, norm, out=np.zeros_like(norm), where=norm > 1e-12))


def _per_latent(name: str, given: Sequence[float] | None, learned: Array | None, n_outputs: int) -> Array:
    """`given`, or `learned` where nothing is given, checked to be (n_outputs,)."""
    values = np.asarray(learned if given is None else given, dtype=np.float64)
    if values.shape != (n_outputs,):
        raise MappingError(f"{name}: {values.size} numbers found, one for each of {n_outputs} latents expected")
    return values
