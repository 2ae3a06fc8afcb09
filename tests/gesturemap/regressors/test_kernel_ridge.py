"""The closed forms of kernel ridge against refits, and its way of choosing."""

from __future__ import annotations

import numpy as np

from gesturemap.regressors.kernel_ridge import BlockwiseKernelRidge, _block_errors, rbf_kernel
from gesturemap.regressors.rows import contiguous_blocks


def test_kernel_is_the_gaussian_of_the_distance() -> None:
    a = np.array([[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(rbf_kernel(a, a, 5.0), [[1.0, np.exp(-0.5)], [np.exp(-0.5), 1.0]])


def test_block_errors_equal_refits() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(43, 3)), rng.normal(size=(43, 2))
    for alpha, error in _block_errors(x, y, 1.3, (1e-3, 1e-1)):
        squared = 0.0
        for block in contiguous_blocks(len(x)):
            rest = np.setdiff1d(np.arange(len(x)), block)
            refit = BlockwiseKernelRidge(1.3, alpha).fit(x[rest], y[rest])
            squared += float(((refit.predict(x[block]) - y[block]) ** 2).sum())
        np.testing.assert_allclose(error, squared / y.size, rtol=1e-8)


def test_little_penalty_goes_through_the_examples_and_far_away_falls_to_zero() -> None:
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    y = 1.0 + x[:, 0] ** 2
    regressor = BlockwiseKernelRidge(0.3, 1e-9).fit(x, y)
    np.testing.assert_allclose(regressor.predict(x), y, atol=1e-6)
    np.testing.assert_allclose(regressor.predict(np.array([[50.0]])), 0.0, atol=1e-12)


def test_slow_noise_is_not_remembered() -> None:
    """In time order, latents unrelated to the gesture ask for the strongest penalty; shuffled they would not."""
    rng = np.random.default_rng(1)
    gesture = np.cumsum(rng.normal(size=(400, 3)), axis=0)
    latents = np.cumsum(rng.normal(size=(400, 2)), axis=0)
    x = (gesture - gesture.mean(0)) / gesture.std(0)
    y = (latents - latents.mean(0)) / latents.std(0)
    in_time = BlockwiseKernelRidge().fit(x, y)
    order = rng.permutation(400)
    shuffled = BlockwiseKernelRidge().fit(x[order], y[order])
    assert in_time.alpha_ >= 1.0
    assert shuffled.alpha_ <= 0.1


def test_keeps_no_more_rows_than_asked() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(300, 2)), rng.normal(size=(300, 1))
    regressor = BlockwiseKernelRidge(max_rows=50, selection_rows=40).fit(x, y)
    assert regressor.examples_.shape == (50, 2)
    np.testing.assert_array_equal(regressor.examples_[[0, -1]], x[[0, -1]])
