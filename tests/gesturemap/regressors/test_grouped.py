"""Fitted regressors side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors import make_regressor
from gesturemap.regressors.grouped import GroupedRegressor
from gesturemap.regressors.storage import load_regressor, save_regressor


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(40, 3))


@pytest.fixture
def grouped(features: np.ndarray) -> GroupedRegressor:
    first = make_regressor("ridge", None, 3, 2).fit(features, features[:, :2])
    second = make_regressor("kernel_ridge", None, 2, 1).fit(features[:, 1:], features[:, :1])
    return GroupedRegressor([first, second], [np.array([2, 0]), np.array([1])], [np.arange(3), np.array([1, 2])], 3)


def test_each_gives_its_outputs_from_its_features(grouped: GroupedRegressor, features: np.ndarray) -> None:
    latents = grouped.predict(features)
    np.testing.assert_array_equal(latents[:, [2, 0]], grouped.regressors[0].predict(features))
    np.testing.assert_array_equal(latents[:, 1], grouped.regressors[1].predict(features[:, 1:])[:, 0])


def test_as_sure_as_the_least_sure(grouped: GroupedRegressor, features: np.ndarray) -> None:
    asked = features + 0.1
    parts = [grouped.regressors[0].confidence(asked), grouped.regressors[1].confidence(asked[:, 1:])]
    np.testing.assert_array_equal(grouped.confidence(asked), np.minimum(*parts))


def test_file_gives_the_same_bits_back(grouped: GroupedRegressor, features: np.ndarray, tmp_path: Path) -> None:
    save_regressor(grouped, tmp_path / "regressor.skops")
    np.testing.assert_array_equal(
        load_regressor(tmp_path / "regressor.skops").predict(features), grouped.predict(features)
    )


def test_features_that_do_not_fit_are_refused(grouped: GroupedRegressor, features: np.ndarray) -> None:
    with pytest.raises(MappingError, match=r"\(40, 2\) found, \(n_rows, 3\) expected"):
        grouped.predict(features[:, :2])
