"""A compiled regressor is the regressor, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.regressors.compiled import compile_regressor
from gesturemap.regressors.grouped import GroupedRegressor
from gesturemap.regressors.table import make_regressor


@pytest.mark.parametrize("name", ["kernel_ridge", "gaussian_process", "ridge", "knn", "linear_map", "wekinator"])
@pytest.mark.parametrize("n_outputs", [1, 5])
def test_equal_to_predict_near_and_far_from_the_examples(name: str, n_outputs: int) -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(300, 6)) * [1, 10, 100, 1e-3, 1, 0] + 5.0  # the last one constant
    latents = np.sin(features[:, :n_outputs] / [1, 10, 100, 1e-3, 1][:n_outputs]) * 7 + 40
    regressor = make_regressor(name, None, 6, n_outputs).fit(features, latents)
    row = compile_regressor(regressor)
    asked = np.concatenate([features[:50], rng.normal(size=(50, 6)) * 30])
    got = np.stack([row(features) for features in asked])
    np.testing.assert_allclose(got, regressor.predict(asked), atol=1e-6 * 7, rtol=0)


def test_a_group_gives_each_output_from_its_features() -> None:
    rng = np.random.default_rng(5)
    features = rng.uniform(size=(60, 3))
    columns, outputs = [np.array([0, 1, 2]), np.array([2, 0])], [np.array([1]), np.array([2, 0])]
    parts = [
        make_regressor(name, None, len(of), len(to)).fit(features[:, of], np.sin(features[:, :3])[:, to])
        for name, of, to in zip(("kernel_ridge", "wekinator"), columns, outputs, strict=True)
    ]
    group = GroupedRegressor(parts, outputs, columns, 3)
    got = np.stack([compile_regressor(group)(row) for row in features])
    np.testing.assert_allclose(got, group.predict(features), atol=1e-9)


def test_answers_do_not_share_memory() -> None:
    rng = np.random.default_rng(4)
    regressor = make_regressor("kernel_ridge", None, 3, 2).fit(rng.normal(size=(40, 3)), rng.normal(size=(40, 2)))
    row = compile_regressor(regressor)
    first = row(np.zeros(3))
    kept = first.copy()
    row(np.ones(3))
    np.testing.assert_array_equal(first, kept)
