"""What is particular to the Gaussian process, the network, the nearest examples and the polynomial."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors import make_regressor, regressor_settings
from gesturemap.regressors.mlp import _held_out_rows
from gesturemap.regressors.nearest import NearestExamples
from gesturemap.regressors.rows import contiguous_blocks, spread_rows


def test_gaussian_process_agrees_with_scikit_learn() -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    y = np.stack([np.sin(x[:, 0]), np.cos(x[:, 1])], axis=1) + 0.05 * rng.normal(size=(60, 2))
    ours = make_regressor("gaussian_process", None, 2, 2).fit(x, y)
    inner = ours.regressor_
    kernel = ConstantKernel(inner.variance_) * RBF(inner.length_scales_) + WhiteKernel(inner.noise_)
    z, target = (x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0)
    theirs = GaussianProcessRegressor(kernel, optimizer=None).fit(z, target)
    mean, std = theirs.predict(z, return_std=True)
    np.testing.assert_allclose(ours.predict(x), y.mean(0) + y.std(0) * mean, atol=1e-5)
    explained = 1.0 - (std[:, 0] ** 2 - inner.noise_) / inner.variance_  # `std` is that of a new noisy latent
    np.testing.assert_allclose(ours.confidence(x), explained, atol=1e-6)


def test_nearest_examples_by_hand() -> None:
    regressor = NearestExamples(2).fit(np.array([[0.0], [3.0], [100.0]]), np.array([[10.0], [40.0], [0.0]]))
    # One away from the first, two from the second: weights 1 and 1/2.
    np.testing.assert_allclose(regressor.predict(np.array([[1.0], [3.0]])), [[20.0], [40.0]])


def test_a_pose_recorded_twice_is_answered_by_the_mean_of_both() -> None:
    x, y = np.array([[0.0], [0.0], [1.0]]), np.array([[1.0], [3.0], [9.0]])
    np.testing.assert_allclose(NearestExamples(3).fit(x, y).predict(np.array([[0.0]])), [[2.0]])


def test_the_network_holds_out_runs_of_time() -> None:
    held = _held_out_rows(1000, 0.15)
    assert held.sum() == 150
    assert (np.diff(held.astype(int)) == 1).sum() == 5  # five runs, not 150 single rows
    assert _held_out_rows(5, 0.15).sum() == 1


def test_another_seed_is_another_network() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 2)), rng.normal(size=(50, 1))
    settings = regressor_settings("mlp", ["max_epochs=3"])
    first, second = (make_regressor("mlp", settings, 2, 1, seed).fit(x, y).predict(x) for seed in (0, 1))
    assert not np.allclose(first, second)


def test_a_polynomial_of_too_many_terms_is_refused() -> None:
    with pytest.raises(MappingError, match="in 126 features has 8127 terms, 1000 at most"):
        make_regressor("polynomial", None, 126, 8)


def test_a_fixed_penalty_is_taken() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 1))
    free, stiff = (
        make_regressor("ridge", regressor_settings("ridge", [f"alpha={alpha}"]), 1, 1).fit(x, x)
        for alpha in (1e-6, 50.0)
    )
    np.testing.assert_allclose(free.predict(x), x, atol=1e-6)
    # Standardised columns: the slope is n / (n + alpha).
    np.testing.assert_allclose(stiff.predict(x) - x.mean(), 0.5 * (x - x.mean()), atol=1e-9)


def test_rows_stay_in_order() -> None:
    assert spread_rows(10, 20).tolist() == list(range(10))
    assert spread_rows(101, 3).tolist() == [0, 50, 100]
    assert [block.tolist() for block in contiguous_blocks(7, 3)] == [[0, 1, 2], [3, 4], [5, 6]]
