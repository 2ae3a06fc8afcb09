"""Outputs with masks and features of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors import REGRESSORS, make_regressor
from gesturemap.regressors.grouped import GroupedRegressor, fit_where_recorded
from gesturemap.regressors.storage import load_regressor, save_regressor


@pytest.fixture
def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(40, 3))
    return x, np.stack([x[:, 0], x[:, 1] ** 2, x[:, 2] * x[:, 0], x.sum(axis=1)], axis=1)


def test_each_group_is_fitted_on_its_own_rows_and_features(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pairs
    y[:20, 1:3] = np.nan
    columns = [[0, 1, 2], [1, 2], [1, 2], [0]]
    grouped = fit_where_recorded("kernel_ridge", None, x, y, columns)
    assert [group.tolist() for group in grouped.outputs_] == [[0], [1, 2], [3]]
    alone = make_regressor("kernel_ridge", None, 2, 2).fit(x[20:, 1:], y[20:, 1:3])
    np.testing.assert_array_equal(grouped.predict(x)[:, 1:3], alone.predict(x[:, 1:]))
    assert ((grouped.confidence(x) >= 0) & (grouped.confidence(x) <= 1)).all()


def test_nothing_masked_is_the_plain_regressor(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pairs
    plain, made = fit_where_recorded("ridge", None, x, y), make_regressor("ridge", None, 3, 4).fit(x, y)
    assert type(plain) is type(made)
    np.testing.assert_array_equal(plain.predict(x), made.predict(x))


def test_an_output_without_examples_stays_open(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pairs
    y[:, 2] = np.nan
    latents = fit_where_recorded("ridge", None, x, y).predict(x)
    np.testing.assert_array_equal(np.isnan(latents).any(axis=0), [False, False, True, False])
    with pytest.raises(MappingError, match="no output has an example"):
        fit_where_recorded("ridge", None, x, np.full((40, 4), np.nan))


@pytest.mark.parametrize("name", [name for name in REGRESSORS if name != "mlp"])
@pytest.mark.parametrize("n_poses", [1, 2, 3])
def test_a_few_poses_are_enough(name: str, n_poses: int) -> None:
    x = np.array([[0.1, 0.2], [0.8, 0.3], [0.4, 0.9]])[:n_poses]
    y = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])[:n_poses]
    regressor = fit_where_recorded(name, None, x, y)
    assert np.isfinite(regressor.predict(x)).all()
    assert np.isfinite(regressor.confidence(x)).all()


def test_file_gives_the_same_bits_back(pairs: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    x, y = pairs
    y[:20, 1:3] = np.nan
    grouped = fit_where_recorded("kernel_ridge", None, x, y)
    save_regressor(grouped, tmp_path / "regressor.skops")
    np.testing.assert_array_equal(load_regressor(tmp_path / "regressor.skops").predict(x), grouped.predict(x))


def test_columns_that_are_not_there_are_refused(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pairs
    with pytest.raises(MappingError, match="output 1: features"):
        GroupedRegressor("ridge", columns=[[0], [3], [0], [0]]).fit(x, y)
    with pytest.raises(MappingError, match="columns of 2 outputs found, 4"):
        GroupedRegressor("ridge", columns=[[0], [1]]).fit(x, y)
