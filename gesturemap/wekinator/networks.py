"""The models that a project describes in ``modelSetDescription.json``, as a regressor that gives the same numbers.

Wekinator writes the description for RapidLib each time a project is saved: weights, and the scaling of inputs and
output. Of networks with several hidden layers it writes the first node's weights for every node of the later ones, so
those cannot be run from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gesturemap.errors import RecordingError
from gesturemap.frame import Array
from gesturemap.regressors.grouped import GroupedRegressor
from gesturemap.regressors.wekinator_network import WekinatorNetworks
from gesturemap.wekinator.json_file import number, numbers, read_last_json

MODELS_NAME = "current/modelSetDescription.json"
NETWORK = "Neural Network"
MAX_NODES = 10_000


def read_networks(path: Path, input_names: tuple[str, ...], n_outputs: int, examples: Array) -> GroupedRegressor:
    """A regressor of all outputs of a project.

    Parameters
    ----------
    path : of ``modelSetDescription.json``.
    input_names, n_outputs : of the project.
    examples : (n_examples, n_inputs) inputs of the project, which confidence is measured by; may be empty.

    Raises
    ------
    RecordingError
        If the file is damaged, describes other inputs or another count of outputs, or a model that is no network
        with one hidden layer.
    """
    document = read_last_json(path)
    models = document.get("modelSet") if isinstance(document, dict) else None
    if not isinstance(models, list) or len(models) != n_outputs:
        found = len(models) if isinstance(models, list) else 0
        raise RecordingError(f"{path}: {found} models found, one for each of {n_outputs} outputs expected: train first")
    groups: dict[tuple[Any, ...], list[tuple[int, _Network]]] = {}
    for output, model in enumerate(models):
        network = _Network(model, input_names, f"{path}: model {output + 1}")
        groups.setdefault(network.shared, []).append((output, network))
    regressors, outputs, columns = [], [], []
    for group in groups.values():
        first = group[0][1]
        regressors.append(_join([network for _, network in group], examples[:, first.columns]))
        outputs.append(np.array([output for output, _ in group]))
        columns.append(np.array(first.columns))
    return GroupedRegressor(regressors, outputs, columns, len(input_names))


class _Network:
    """One network as the file has it, checked."""

    def __init__(self, model: Any, input_names: tuple[str, ...], what: str) -> None:
        if not isinstance(model, dict) or model.get("modelType") != NETWORK:
            kind = str(model.get("modelType") if isinstance(model, dict) else model)[:40]
            raise RecordingError(f"{what}: {kind!r} found, {NETWORK!r} expected: only networks can be imported")
        nodes = model.get("nodes")
        n_layers, n_hidden = (number(model.get(key), what) for key in ("numHiddenLayers", "numHiddenNodes"))
        if n_layers != 1:
            raise RecordingError(f"{what}: {n_layers:g} hidden layers; Wekinator writes the weights of one only")
        if not isinstance(nodes, list) or not 1 <= n_hidden <= MAX_NODES or len(nodes) != n_hidden + 1:
            raise RecordingError(f"{what}: nodes do not fit numHiddenNodes {n_hidden:g}")
        output, *hidden = (_read_node(node, what) for node in nodes)
        attributes = [name for name in hidden[0] if name.startswith("Attrib ")]
        self.columns = _find_columns(attributes, input_names, what)
        self.hidden = np.array([_row(node, attributes, what) for node in hidden])
        self.output = _row(output, [name for name in output if name.startswith("Node ")], what)
        if len(self.output) != n_hidden + 1:
            raise RecordingError(f"{what}: {len(self.output) - 1} weights into the output, {n_hidden:g} expected")
        self.base, self.range = (numbers(model.get(key), len(attributes), what) for key in ("inBases", "inRanges"))
        self.target_base, self.target_range = (number(model.get(key), what) for key in ("outBase", "outRange"))
        self.shared = (self.columns, len(hidden), *self.base.tolist(), *self.range.tolist())


def _join(networks: list[_Network], examples: Array) -> WekinatorNetworks:
    """Networks of the same inputs, scaling and size side by side."""
    return WekinatorNetworks.of_weights(
        [np.stack([network.hidden for network in networks]), np.stack([network.output[None] for network in networks])],
        (networks[0].base, networks[0].range),
        (np.array([n.target_base for n in networks]), np.array([n.target_range for n in networks])),
        examples[np.isfinite(examples).all(axis=1)],
    )


def _read_node(node: Any, what: str) -> dict[str, float]:
    """Weights of a node by where they are from, in the file's order."""
    if not isinstance(node, dict):
        raise RecordingError(f"{what}: a node is {type(node).__name__}, weights by name expected")
    return {name: number(weight, f"{what}, {name[:40]!r}") for name, weight in node.items() if name != "name"}


def _row(node: dict[str, float], names: list[str], what: str) -> Array:
    """Threshold, then the weights called `names`."""
    wanted = ["Threshold", *names]
    if set(node) != set(wanted):
        raise RecordingError(f"{what}: a node has weights {sorted(node)[:4]}, {wanted[:4]} expected")
    return np.array([node[name] for name in wanted])


def _find_columns(attributes: list[str], input_names: tuple[str, ...], what: str) -> tuple[int, ...]:
    """Inputs of the project that a network's attributes are; spaces in names come as one."""
    plain = [" ".join(name.split()) for name in input_names]
    wanted = [name.removeprefix("Attrib ").strip() for name in attributes]
    missing = [name for name in wanted if name not in plain]
    if missing or not wanted:
        raise RecordingError(f"{what}: input {missing[:1]} is none of the project's {len(plain)}")
    return tuple(plain.index(name) for name in wanted)
