"""One row at a time through a fitted regressor, as a live tick needs it: nothing checked, little allocated.

``predict`` of an estimator checks its input and works for any number of rows, which costs more than the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from gesturemap.frame import Array
from gesturemap.regressors.gaussian_process import SubsetGaussianProcess
from gesturemap.regressors.grouped import GroupedRegressor
from gesturemap.regressors.kernel_ridge import BlockwiseKernelRidge
from gesturemap.regressors.standardised import StandardisedRegressor
from gesturemap.regressors.wekinator_network import WekinatorNetworks

RowPredictor = Callable[[Array], Array]


def compile_regressor(regressor: Any) -> RowPredictor:
    """A function from features (n_features,), finite, to outputs (n_outputs,).

    Equal to ``regressor.predict`` to 1e-6 of the spread of the outputs. The returned array is new at every call.
    Kernel ridge and Gaussian process (1000 examples: 5 us), Wekinator's networks, and groups of these are compiled;
    any other is called as it is.
    """
    if isinstance(regressor, StandardisedRegressor):
        inner = regressor.regressor_
        if isinstance(inner, BlockwiseKernelRidge):
            return _KernelRow(regressor, inner.examples_ / inner.length_scale_, inner.length_scale_, inner.weights_)
        if isinstance(inner, SubsetGaussianProcess):
            weights = inner.variance_ * inner.weights_
            return _KernelRow(regressor, inner.examples_, inner.length_scales_, weights)
    if isinstance(regressor, WekinatorNetworks) and len(regressor.layers_) == 2:
        return _NetworkRow(regressor)
    if isinstance(regressor, GroupedRegressor):
        return _GroupRow(regressor)

    def predict(row: Array) -> Array:
        latents: Array = np.atleast_1d(regressor.predict(row[None])[0])
        return latents

    return predict


class _KernelRow:
    """A weighted sum of RBF kernels with everything folded together that does not depend on the row.

    exp(z.e - |e|^2 / 2 - |z|^2 / 2) with the examples e and the row z in units of the length scales: the second
    term is one more column of the examples. Examples and weights lie so that both products run along memory.
    """

    def __init__(
        self, outer: StandardisedRegressor, examples: Array, length_scales: float | Array, weights: Array
    ) -> None:
        self._mean = outer.feature_mean_
        self._scale = 1.0 / (outer.feature_scale_ * length_scales)
        self._examples = np.ascontiguousarray(np.column_stack([examples, -0.5 * (examples**2).sum(axis=1)]).T)
        weights = weights if weights.ndim == 2 else weights[:, None]
        self._weights = np.ascontiguousarray((weights * outer.target_scale_).T)
        self._offset = outer.target_mean_
        self._extended = np.ones(examples.shape[1] + 1)
        self._z = self._extended[:-1]
        self._kernel = np.empty(len(examples))

    def __call__(self, row: Array) -> Array:
        z, kernel = self._z, self._kernel
        np.subtract(row, self._mean, z)
        np.multiply(z, self._scale, z)
        np.dot(self._extended, self._examples, kernel)
        np.subtract(kernel, 0.5 * np.dot(z, z), kernel)
        np.exp(kernel, kernel)
        latents: Array = np.dot(self._weights, kernel)
        latents += self._offset
        return latents


class _NetworkRow:
    """All networks of one hidden layer at once, the scaling of features and outputs folded into their weights."""

    def __init__(self, networks: WekinatorNetworks) -> None:
        hidden, output = networks.layers_
        scale = 1.0 / np.where(networks.feature_range_ != 0, networks.feature_range_, 1.0)
        self._shape = hidden.shape[:2]
        self._weights = (hidden[:, :, 1:] * scale).reshape(-1, len(scale))
        self._bias = hidden[:, :, 0].ravel() - self._weights @ networks.feature_base_
        self._outward = output[:, 0, 1:] * networks.target_range_[:, None]
        self._offset = output[:, 0, 0] * networks.target_range_ + networks.target_base_

    def __call__(self, row: Array) -> Array:
        nodes = np.dot(self._weights, row)
        nodes += self._bias
        expit(nodes, nodes)
        latents: Array = np.einsum("oh,oh->o", nodes.reshape(self._shape), self._outward)
        latents += self._offset
        return latents


class _GroupRow:
    """Each part from its features to its outputs."""

    def __init__(self, group: GroupedRegressor) -> None:
        parts = [compile_regressor(part) for part in group.regressors]
        self._parts = list(zip(parts, group.outputs, group.columns, strict=True))
        self._n_outputs = sum(map(len, group.outputs))

    def __call__(self, row: Array) -> Array:
        latents = np.empty(self._n_outputs)
        for predict, outputs, columns in self._parts:
            latents[outputs] = predict(row[columns])
        return latents
