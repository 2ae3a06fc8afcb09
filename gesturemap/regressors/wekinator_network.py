"""Wekinator's default learner, number for number: one small network for each output, trained one example at a time.

Wekinator trains Weka's ``MultilayerPerceptron`` with its defaults. This is our own code after its described
behaviour: 500 passes of stochastic gradient descent in one fixed, once shuffled order, all random numbers from
``java.util.Random(0)``. The networks share nothing, so they are trained side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, RegressorMixin

from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.regressors.familiarity import FamiliarityMixin
from gesturemap.regressors.java_random import JavaRandom
from gesturemap.regressors.rows import check_features, check_pairs

SEED = 0
FIRST_WEIGHT = 0.05  # weights start within +- this
SMALLEST_RATE = 1e-6  # a learning rate halved below it has no more to give


class WekinatorNetworks(FamiliarityMixin, RegressorMixin, BaseEstimator):
    """For each output sigmoid nodes and one linear node, on inputs and targets scaled to -1..1 by their range.

    Far outside the examples the sigmoids saturate, but nothing keeps the output within the examples' range.

    Parameters
    ----------
    hidden_nodes : of each network; None: as many as there are features.
    epochs, learning_rate, momentum : of the descent. An output that diverges starts anew at half the rate.

    Attributes
    ----------
    layers_ : weights from the features to the output, each (n_outputs, n_nodes, 1 + n_below), bias first. The last
        has one node. Networks read from a project may have more layers than the two that `fit` makes.
    """

    def __init__(
        self, hidden_nodes: int | None = None, epochs: int = 500, learning_rate: float = 0.3, momentum: float = 0.2
    ) -> None:
        self.hidden_nodes = hidden_nodes
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.momentum = momentum

    def fit(self, X: Any, y: Any) -> WekinatorNetworks:
        """Learn from features (n_rows, n_features) and latents (n_rows, n_outputs) or (n_rows,); one row is enough.

        Raises
        ------
        MappingError
            If shapes do not fit, a number is not finite, there is no row, or an output diverges at every rate.
        """
        rows, targets = check_pairs(X, y, min_rows=1)
        self.n_features_in_ = rows.shape[1]
        self.one_dimensional_ = np.ndim(y) == 1
        self.feature_base_, self.feature_range_ = _middle_and_half_range(rows)
        self.target_base_, self.target_range_ = _middle_and_half_range(targets)
        random = JavaRandom(SEED)
        order = random.shuffled(len(rows))
        first = _first_weights(random, rows.shape[1], self.hidden_nodes or rows.shape[1])
        inputs = _scaled(rows, self.feature_base_, self.feature_range_)[order]
        wanted = _scaled(targets, self.target_base_, self.target_range_)[order]
        self.layers_ = self._train(inputs, wanted, first)
        self._keep_examples(rows)
        return self

    @classmethod
    def of_weights(
        cls, layers: list[Array], features: tuple[Array, Array], targets: tuple[Array, Array], examples: Array
    ) -> WekinatorNetworks:
        """Networks that were trained elsewhere.

        Parameters
        ----------
        layers : as `layers_`.
        features, targets : middle and half range of each feature and each output.
        examples : (n_rows, n_features) they were trained on, for confidence; may be empty.
        """
        networks = cls()
        networks.layers_, networks.one_dimensional_ = layers, False
        networks.n_features_in_ = layers[0].shape[2] - 1
        networks.feature_base_, networks.feature_range_ = features
        networks.target_base_, networks.target_range_ = targets
        if len(examples):
            networks._keep_examples(examples)
        return networks

    def predict(self, X: Any) -> Array:
        """Latents (n_rows, n_outputs), or (n_rows,) if fitted on 1-D latents; finite `X` expected.

        Raises
        ------
        MappingError
            If `X` is not (n_rows, n_features) and finite. Wekinator takes a missing input for `feature_base_`.
        """
        rows = check_features(X, self.n_features_in_)
        below = _scaled(rows, self.feature_base_, self.feature_range_)[None]
        for depth, weights in enumerate(self.layers_):
            nodes = below @ weights[:, :, 1:].transpose(0, 2, 1) + weights[:, None, :, 0]
            below = expit(nodes) if depth < len(self.layers_) - 1 else nodes
        latents = below[:, :, 0].T * self.target_range_ + self.target_base_
        return np.asarray(latents[:, 0] if self.one_dimensional_ else latents)

    def _train(self, inputs: Array, wanted: Array, first: tuple[Array, Array]) -> list[Array]:
        """Layers of all outputs; those that diverge are trained again at half the rate, as often as it takes."""
        n_outputs = wanted.shape[1]
        hidden, output = (np.repeat(weights[None], n_outputs, axis=0) for weights in first)
        left, rate = np.arange(n_outputs), self.learning_rate
        while len(left):
            if rate < SMALLEST_RATE:
                raise MappingError(f"{len(left)} outputs cannot be learned: numbers grow without bound at every rate")
            layers = _descend(inputs, wanted[:, left], first, self.epochs, rate, self.momentum)
            hidden[left], output[left] = layers
            whole = np.isfinite(layers[0]).all(axis=(1, 2)) & np.isfinite(layers[1]).all(axis=(1, 2))
            left, rate = left[~whole], rate / 2
        return [hidden, output]


def _descend(
    inputs: Array, wanted: Array, first: tuple[Array, Array], epochs: int, rate: float, momentum: float
) -> tuple[Array, Array]:
    """Stochastic gradient descent of all outputs side by side.

    Parameters
    ----------
    inputs, wanted : (n_rows, n_features) and (n_rows, n_outputs), scaled.
    first : weights (n_hidden, 1 + n_features) and (1, 1 + n_hidden) that every network starts from.

    Returns
    -------
    Weights (n_outputs, n_hidden, 1 + n_features) and (n_outputs, 1, 1 + n_hidden); not finite where one diverged.

    An epoch is n_rows steps of small arrays, so the time is that of calling numpy: arrays are views of one
    buffer, outputs last, results go into place, and no step makes an array.
    """
    n_outputs, (n_hidden, n_below) = wanted.shape[1], first[0].shape
    width = n_hidden * n_outputs
    weights = np.concatenate([np.repeat(layer.T.ravel(), n_outputs) for layer in first])
    gradient, speed = np.empty_like(weights), np.zeros_like(weights)
    w_hidden, w_output = _as_layers(weights, n_below, n_hidden, n_outputs)
    g_hidden, g_output = _as_layers(gradient, n_below, n_hidden, n_outputs)
    nodes = np.ones((1 + n_hidden, n_outputs))  # the first row is the bias
    flat_nodes, wave = nodes.ravel()[n_outputs:], np.empty(width)
    flat_outward, outward_weights = wave.reshape(n_hidden, n_outputs), w_output[1:]
    products, answer, error = np.empty_like(nodes), np.empty(n_outputs), np.empty(n_outputs)
    dot, multiply, subtract, add, total, sigmoid = np.dot, np.multiply, np.subtract, np.add, np.add.reduce, expit
    columns = np.column_stack([np.ones(len(inputs)), inputs])
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(epochs):
            for row, upright, target in zip(columns, columns[:, :, None], wanted, strict=True):
                dot(row, w_hidden, wave)
                sigmoid(wave, flat_nodes)
                multiply(nodes, w_output, products)
                total(products, axis=0, out=answer)
                subtract(target, answer, error)
                multiply(error, rate, error)
                subtract(1.0, flat_nodes, wave)
                multiply(wave, flat_nodes, wave)
                multiply(flat_outward, outward_weights, flat_outward)
                multiply(flat_outward, error, flat_outward)
                multiply(upright, wave, g_hidden)
                multiply(nodes, error, g_output)
                multiply(speed, momentum, speed)
                add(speed, gradient, speed)
                add(weights, speed, weights)
            if not np.isfinite(weights[-n_outputs:]).any():
                break
    hidden = w_hidden.reshape(n_below, n_hidden, n_outputs).transpose(2, 1, 0)
    return hidden.copy(), w_output.T[:, None, :].copy()


def _as_layers(buffer: Array, n_below: int, n_hidden: int, n_outputs: int) -> tuple[Array, Array]:
    """Views (n_below, n_hidden * n_outputs) and (1 + n_hidden, n_outputs) of one flat buffer."""
    split = n_below * n_hidden * n_outputs
    return buffer[:split].reshape(n_below, -1), buffer[split:].reshape(1 + n_hidden, n_outputs)


def _first_weights(random: JavaRandom, n_features: int, n_hidden: int) -> tuple[Array, Array]:
    """Weights (n_hidden, 1 + n_features) and (1, 1 + n_hidden) before the first step, the same for every output.

    Drawn in Weka's order: output bias, hidden biases, from each feature to each node, from each node on.
    """
    output_bias = _draw(random, 1)
    hidden_bias = _draw(random, n_hidden)
    hidden = _draw(random, n_features * n_hidden).reshape(n_features, n_hidden)
    output = _draw(random, n_hidden)
    return np.column_stack([hidden_bias, hidden.T]), np.concatenate([output_bias, output])[None]


def _draw(random: JavaRandom, n: int) -> Array:
    return np.array([2 * FIRST_WEIGHT * random.next_double() - FIRST_WEIGHT for _ in range(n)])


def _middle_and_half_range(values: Array) -> tuple[Array, Array]:
    low, high = values.min(axis=0), values.max(axis=0)
    return (high + low) / 2, (high - low) / 2


def _scaled(values: Array, base: Array, half_range: Array) -> Array:
    """Columns onto -1..1; a constant one onto 0."""
    return np.asarray((values - base) / np.where(half_range != 0, half_range, 1.0))
