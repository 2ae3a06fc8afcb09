"""Outputs that were not recorded together, or that follow features of their own.

Wekinator lets a performer record some outputs and leave others out, and choose inputs for each output. Outputs
with the same examples and the same features are one group, and a group is one regressor: as few as possible,
since regressors of many outputs are fitted once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from audiovae.settings import Settings, build
from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.regressors.rows import IntArray, check_features
from gesturemap.regressors.table import find_regressor, make_regressor


def fit_where_recorded(
    name: str,
    settings: Settings | None,
    features: Any,
    latents: Any,
    columns: Sequence[Sequence[int]] | None = None,
    seed: int = 0,
) -> Any:
    """A fitted regressor for latents that may hold NaN.

    The plain regressor of `make_regressor` if all outputs have all rows and features, else a `GroupedRegressor`.

    Parameters
    ----------
    name, settings, seed : as in `make_regressor`.
    features : (n_rows, n_features), finite.
    latents : (n_rows, n_outputs); NaN where an output was not recorded.
    columns : for each output the features it follows, counted from 0; None: all.

    Raises
    ------
    MappingError
        If shapes do not fit, a feature is not finite, or no output has an example.
    """
    values = None if settings is None else settings.model_dump(exclude_none=True)
    grouped = GroupedRegressor(name, values, columns, seed).fit(features, latents)
    groups = grouped.regressors_
    whole = len(groups) == 1 and len(grouped.outputs_[0]) == grouped.n_outputs_
    if whole and len(grouped.columns_[0]) == grouped.n_features_in_:
        return groups[0]
    return grouped


class GroupedRegressor(RegressorMixin, BaseEstimator):
    """One regressor for each group of outputs with the same examples and features.

    A group of fewer examples than its regressor asks for learns each of them several times: three held poses are
    enough to play between.

    Parameters
    ----------
    name : a key of `REGRESSORS`.
    settings : its settings as plain values; None: defaults.
    columns : for each output the features it follows; None: all.
    seed : of everything random.

    Attributes
    ----------
    regressors_, outputs_, columns_ : the groups: regressor, which outputs it gives, which features it takes.
    """

    def __init__(
        self,
        name: str = "kernel_ridge",
        settings: dict[str, Any] | None = None,
        columns: Sequence[Sequence[int]] | None = None,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.settings = settings
        self.columns = columns
        self.seed = seed

    def fit(self, X: Any, y: Any) -> GroupedRegressor:
        """Learn from features (n_rows, n_features) and latents (n_rows, n_outputs) that may hold NaN.

        Raises
        ------
        MappingError
            If shapes do not fit, a feature is not finite, or no output has an example.
        """
        rows, targets = check_features(X), np.asarray(y, dtype=np.float64)
        if targets.ndim != 2 or len(targets) != len(rows):
            raise MappingError(f"latents of shape {targets.shape} found for {len(rows)} feature rows")
        self.n_features_in_, self.n_outputs_ = rows.shape[1], targets.shape[1]
        self.regressors_, self.outputs_, self.columns_ = [], [], []
        for outputs, columns in self._groups(targets):
            there = np.isfinite(targets[:, outputs[0]])
            self.regressors_.append(self._fit_one(rows[there][:, columns], targets[np.ix_(there, outputs)]))
            self.outputs_.append(outputs)
            self.columns_.append(columns)
        if not self.regressors_:
            raise MappingError("no output has an example: record some")
        return self

    @classmethod
    def join(
        cls, name: str, regressors: list[Any], outputs: list[IntArray], columns: list[IntArray], n_features: int
    ) -> GroupedRegressor:
        """A fitted one of fitted parts that give every output, such as the networks of a Wekinator project."""
        grouped = cls(name)
        grouped.regressors_, grouped.outputs_, grouped.columns_ = regressors, outputs, columns
        grouped.n_features_in_, grouped.n_outputs_ = n_features, sum(map(len, outputs))
        return grouped

    def predict(self, X: Any) -> Array:
        """Latents (n_rows, n_outputs); NaN for an output without examples.

        Raises
        ------
        MappingError
            If `X` is not (n_rows, n_features) and finite.
        """
        rows = check_features(X, self.n_features_in_)
        latents = np.full((len(rows), self.n_outputs_), np.nan)
        for regressor, outputs, columns in zip(self.regressors_, self.outputs_, self.columns_, strict=True):
            latents[:, outputs] = regressor.predict(rows[:, columns])
        return latents

    def confidence(self, X: Any) -> Array:
        """That of the least sure group, (n_rows,) in 0..1."""
        rows = check_features(X, self.n_features_in_)
        groups = zip(self.regressors_, self.columns_, strict=True)
        return np.asarray(np.min([regressor.confidence(rows[:, columns]) for regressor, columns in groups], axis=0))

    def _groups(self, targets: Array) -> list[tuple[IntArray, IntArray]]:
        """(outputs, feature columns) of each group, in the order of their first output."""
        chosen = self.columns or [range(self.n_features_in_)] * self.n_outputs_
        if len(chosen) != self.n_outputs_:
            raise MappingError(f"columns of {len(chosen)} outputs found, {self.n_outputs_} outputs expected")
        groups: dict[tuple[bytes, tuple[int, ...]], list[int]] = {}
        for output, columns in enumerate(chosen):
            there = np.isfinite(targets[:, output])
            if not columns or min(columns) < 0 or max(columns) >= self.n_features_in_:
                raise MappingError(f"output {output}: features {list(columns)}, some of {self.n_features_in_} expected")
            if there.any():
                groups.setdefault((there.tobytes(), tuple(columns)), []).append(output)
        return [(np.array(outputs), np.array(key[1])) for key, outputs in groups.items()]

    def _fit_one(self, rows: Array, targets: Array) -> Any:
        info = find_regressor(self.name)
        settings = build(info.settings, dict(self.settings or {}), f"regressor {self.name!r}")
        again = np.arange(max(len(rows), info.min_rows)) % len(rows)
        regressor = make_regressor(self.name, settings, rows.shape[1], targets.shape[1], self.seed)
        return regressor.fit(rows[again], targets[again])
