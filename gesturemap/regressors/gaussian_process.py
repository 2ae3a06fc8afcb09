"""A Gaussian process on a bounded subset of the examples: the regressor that knows how sure it is.

scikit-learn optimises the kernel; only its numbers are kept, so that a file holds no kernel objects and one
row costs a fraction of ``GaussianProcessRegressor.predict``.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from gesturemap.frame import Array
from gesturemap.regressors.kernel_ridge import rbf_kernel
from gesturemap.regressors.rows import spread_rows

CONFIDENCE_ROWS = 500  # one row is then answered in about 0.3 ms


class SubsetGaussianProcess(RegressorMixin, BaseEstimator):
    """k(a, b) = variance exp(-|(a - b) / length_scales|^2 / 2), plus `noise_` on equal rows.

    The three are those of greatest marginal likelihood, shared by all latents. Expects standardised features
    and latents.

    Parameters
    ----------
    per_feature, max_rows, likelihood_rows : see `GaussianProcessSettings`.
    """

    def __init__(self, per_feature: bool = True, max_rows: int = 1500, likelihood_rows: int = 300) -> None:
        self.per_feature = per_feature
        self.max_rows = max_rows
        self.likelihood_rows = likelihood_rows

    def fit(self, X: Array, y: Array) -> SubsetGaussianProcess:
        """Learn from X (n_rows, n_features) and y (n_rows,) or (n_rows, n_outputs)."""
        self.n_features_in_ = X.shape[1]
        few = spread_rows(len(X), self.likelihood_rows)
        self.variance_, self.length_scales_, self.noise_ = self._optimise(X[few], y[few])
        kept = spread_rows(len(X), self.max_rows)
        self.examples_ = X[kept] / self.length_scales_
        kernel = self._kernel(X[kept])
        # 1e-8 keeps the Cholesky factor finite when the likelihood found no noise at all.
        kernel[np.diag_indices_from(kernel)] += self.noise_ + 1e-8
        factor = cholesky(kernel, lower=True)  # not kept: of 5000 rows it is a file of 200 MB
        few = spread_rows(len(kept), CONFIDENCE_ROWS)
        self.few_examples_ = self.examples_[few]
        self.few_factor_ = cholesky(kernel[np.ix_(few, few)], lower=True)
        half = solve_triangular(factor, y[kept], lower=True)
        self.weights_ = solve_triangular(factor, half, lower=True, trans=1)
        return self

    def predict(self, X: Array) -> Array:
        """(n_rows,) or (n_rows, n_outputs), as `y` was."""
        return np.asarray(self._kernel(X) @ self.weights_)

    def confidence(self, X: Array) -> Array:
        """Share of the variance of a latent that the examples explain, (n_rows,) in 0..1.

        1: known exactly; 0: nothing near tells anything, the prediction is the mean latent. Asked of at most
        `CONFIDENCE_ROWS` of the examples, since its time grows with their square.
        """
        kernel = self.variance_ * rbf_kernel(X / self.length_scales_, self.few_examples_, 1.0)
        half = solve_triangular(self.few_factor_, kernel.T, lower=True)
        return np.asarray(np.clip((half**2).sum(axis=0) / self.variance_, 0.0, 1.0))

    def _kernel(self, X: Array) -> Array:
        return np.asarray(self.variance_ * rbf_kernel(X / self.length_scales_, self.examples_, 1.0))

    def _optimise(self, X: Array, y: Array) -> tuple[float, Array, float]:
        scales = np.full(X.shape[1] if self.per_feature else 1, np.sqrt(X.shape[1]))
        kernel = ConstantKernel(1.0, (1e-2, 1e2)) * RBF(scales, (1e-1, 1e3)) + WhiteKernel(1e-2, (1e-6, 1e1))
        with warnings.catch_warnings():
            # A length scale at its bound is a feature without effect: that is what it is there to find.
            warnings.simplefilter("ignore", ConvergenceWarning)
            best = GaussianProcessRegressor(kernel).fit(X, y).kernel_
        variance, noise = best.k1.k1.constant_value, best.k2.noise_level
        return float(variance), np.atleast_1d(best.k1.k2.length_scale), float(noise)
