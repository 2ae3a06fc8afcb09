"""Gaussian mixture regression: a mixture over features and latents together, read off as latents given features.

Source: Sung, "Gaussian mixture regression and classification", PhD thesis, Rice University 2004 (the conditional
of a joint mixture); also the regressor of the XMM and MuBu tools for gesture and sound.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from gesturemap.frame import Array
from gesturemap.regressors.rows import spread_rows

CANDIDATES = (1, 2, 3, 5, 8, 12, 20)


class MixtureRegression(RegressorMixin, BaseEstimator):
    """E[y | x] of the joint mixture: linear maps, blended by how likely each component made x.

    Expects standardised features and latents.

    Parameters
    ----------
    n_components, regularisation, max_rows : see `GaussianMixtureSettings`.
    seed : of the first means.
    """

    def __init__(
        self, n_components: int | None = None, regularisation: float = 1e-3, max_rows: int = 3000, seed: int = 0
    ) -> None:
        self.n_components = n_components
        self.regularisation = regularisation
        self.max_rows = max_rows
        self.seed = seed

    def fit(self, X: Array, y: Array) -> MixtureRegression:
        """Learn from X (n_rows, n_features) and y (n_rows,) or (n_rows, n_outputs)."""
        self.n_features_in_ = n = X.shape[1]
        kept = spread_rows(len(X), self.max_rows)
        mixture = self._choose(np.column_stack([X, y])[kept])
        self.log_weights_ = np.log(mixture.weights_)
        self.means_, self.target_means_ = mixture.means_[:, :n], mixture.means_[:, n:]
        covariances = mixture.covariances_
        self.factors_ = np.stack([cholesky(c[:n, :n], lower=True) for c in covariances])
        self.slopes_ = np.stack(
            [cho_solve((f, True), c[:n, n:]) for f, c in zip(self.factors_, covariances, strict=True)]
        )
        self.typical_density_ = float(np.median(logsumexp(self._log_parts(X[kept]), axis=1)))
        return self

    def predict(self, X: Array) -> Array:
        """(n_rows, n_outputs)."""
        parts = self._log_parts(X)
        shares = np.exp(parts - logsumexp(parts, axis=1, keepdims=True))
        answers = self.target_means_[:, None] + (X - self.means_[:, None]) @ self.slopes_
        return np.asarray(np.einsum("rc,cro->ro", shares, answers))

    def confidence(self, X: Array) -> Array:
        """Density of the features relative to that of the median example, 1 at most: (n_rows,) in 0..1.

        1: as dense as where most examples lie; 0: where the mixture expects none.
        """
        density = logsumexp(self._log_parts(X), axis=1)
        return np.asarray(np.exp(np.minimum(density - self.typical_density_, 0.0)))

    def _log_parts(self, X: Array) -> Array:
        """Log density of the features under each component, times its weight, without 2 pi: (n_rows, n)."""
        parts = np.empty((len(X), len(self.means_)))
        for i, (mean, factor) in enumerate(zip(self.means_, self.factors_, strict=True)):
            whitened = solve_triangular(factor, (X - mean).T, lower=True)
            parts[:, i] = -0.5 * (whitened**2).sum(axis=0) - np.log(np.diag(factor)).sum()
        return np.asarray(parts + self.log_weights_)

    def _choose(self, joint: Array) -> GaussianMixture:
        """The mixture asked for, or that of `CANDIDATES` with the lowest Bayesian information criterion."""
        counts = CANDIDATES if self.n_components is None else (self.n_components,)
        possible = [n for n in counts if n <= len(joint)] or [len(joint)]
        mixtures = [self._mixture(n, joint) for n in possible]
        return min(mixtures, key=lambda mixture: mixture.bic(joint)) if len(mixtures) > 1 else mixtures[0]

    def _mixture(self, n: int, joint: Array) -> GaussianMixture:
        with warnings.catch_warnings():
            # k-means finds fewer clusters than asked for in copies, and EM may stop short: both still regress.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = GaussianMixture(n, reg_covar=self.regularisation, random_state=self.seed % 2**32)
            return mixture.fit(joint)
