"""A small network stopped early on held-out blocks of time.

Own around scikit-learn's ``MLPRegressor``: its ``early_stopping`` holds out shuffled rows, which in a
recording are copies of their neighbours and never ask it to stop.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.neural_network import MLPRegressor

from gesturemap.frame import Array
from gesturemap.regressors.rows import contiguous_blocks


class EarlyStoppedMLP(RegressorMixin, BaseEstimator):
    """tanh layers and a linear output, trained by Adam; the weights of the best epoch are kept.

    Expects standardised features and latents.

    Parameters
    ----------
    hidden_sizes, alpha, learning_rate, max_epochs, patience, held_out : see `MlpSettings`.
    seed : of the first weights and the order of the rows.
    """

    def __init__(
        self,
        hidden_sizes: tuple[int, ...] = (64, 64),
        alpha: float = 1e-4,
        learning_rate: float = 3e-3,
        max_epochs: int = 400,
        patience: int = 40,
        held_out: float = 0.15,
        seed: int = 0,
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.patience = patience
        self.held_out = held_out
        self.seed = seed

    def fit(self, X: Array, y: Array) -> EarlyStoppedMLP:
        """Learn from X (n_rows, n_features) and y (n_rows,) or (n_rows, n_outputs)."""
        self.n_features_in_ = X.shape[1]
        held = _held_out_rows(len(X), self.held_out)
        n_learned = int((~held).sum())
        network = MLPRegressor(
            hidden_layer_sizes=self.hidden_sizes,
            activation="tanh",
            alpha=self.alpha,
            learning_rate_init=self.learning_rate,
            batch_size=min(n_learned, max(16, min(n_learned // 16, 128))),
            # An int would repeat one order every epoch; 32 bits are all it takes.
            random_state=np.random.RandomState(self.seed % 2**32),
        )
        best, self.n_epochs_ = np.inf, 0
        for epoch in range(self.max_epochs):
            network.partial_fit(X[~held], y[~held])
            error = float(np.mean((network.predict(X[held]) - y[held]) ** 2))
            if error < best:
                best, self.n_epochs_ = error, epoch + 1
                self.weights_ = [w.copy() for w in network.coefs_]
                self.biases_ = [b.copy() for b in network.intercepts_]
            elif epoch + 1 - self.n_epochs_ >= self.patience:
                break
        return self

    def predict(self, X: Array) -> Array:
        """(n_rows, n_outputs)."""
        hidden = X
        for weights, biases in zip(self.weights_[:-1], self.biases_[:-1], strict=True):
            hidden = np.tanh(hidden @ weights + biases)
        return np.asarray(hidden @ self.weights_[-1] + self.biases_[-1])


def _held_out_rows(n_rows: int, share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mask of the last `share` of each of five stretches of time, at least one row in all."""
    held = np.zeros(n_rows, dtype=bool)
    for block in contiguous_blocks(n_rows):
        held[block[len(block) - round(share * len(block)) :]] = True
    held[-1] = True
    return held
