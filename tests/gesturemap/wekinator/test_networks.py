"""Networks of a project run here, against what Weka 3.6.14 answered with the same weights."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.regressors import make_regressor
from gesturemap.regressors.storage import load_regressor, save_regressor
from gesturemap.wekinator.networks import read_networks

Model = dict[str, Any]
Describe = Callable[..., None]
NAMES = ("unused", "x0", "x 1", "x2")
INPUTS = np.array([[0.076308, 0.779919, 0.25], [0.950130, 0.230303, 0.25], [0.477401, 0.365890, 0.25]])
WEKA = [0.3731082858570091, 0.1769109845136338, 0.24277031202466362]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "modelSetDescription.json"


def test_equal_to_weka_and_to_our_own_training(
    path: Path, describe: Describe, weka_model: Model, tmp_path: Path
) -> None:
    describe(path, deepcopy(weka_model), deepcopy(weka_model))
    rows = np.column_stack([np.full(3, 9.0), INPUTS])
    networks = read_networks(path, NAMES, 2, rows)
    np.testing.assert_allclose(networks.predict(rows), np.stack([WEKA, WEKA], axis=1), rtol=0, atol=1e-13)
    assert len(networks.regressors) == 1
    np.testing.assert_allclose(networks.confidence(rows), 1.0)
    save_regressor(networks, tmp_path / "regressor.skops")
    np.testing.assert_array_equal(load_regressor(tmp_path / "regressor.skops").predict(rows), networks.predict(rows))


def test_the_last_of_several_descriptions_counts(path: Path, describe: Describe, weka_model: Model) -> None:
    old, new = deepcopy(weka_model), deepcopy(weka_model)
    old["outBase"] = 100.0
    describe(path, old)
    first = path.read_text()
    describe(path, new)
    path.write_text(first + path.read_text())
    rows = np.column_stack([np.zeros(3), INPUTS])
    np.testing.assert_allclose(read_networks(path, NAMES, 1, rows).predict(rows)[:, 0], WEKA)


def test_outputs_scaled_apart_stay_apart(path: Path, describe: Describe, weka_model: Model) -> None:
    other = deepcopy(weka_model)
    other["inBases"] = [0.0, 0.0, 0.0]
    describe(path, deepcopy(weka_model), other)
    networks = read_networks(path, NAMES, 2, np.empty((0, 4)))
    assert len(networks.regressors) == 2
    latents = networks.predict(np.column_stack([np.zeros(3), INPUTS]))
    np.testing.assert_allclose(latents[:, 0], WEKA)
    assert np.abs(latents[:, 1] - WEKA).max() > 0.01


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("numHiddenLayers", 2, "2 hidden layers; Wekinator writes the weights of one only"),
        ("numHiddenNodes", 4, "nodes do not fit"),
        ("numHiddenNodes", 10**400, "a number expected"),
        ("inBases", [0, 0], "2 values found, a list of 3 numbers"),
        ("inBases", [0, 0, "1e999"], "a number expected"),
        ("outBase", None, "'None' found, a number"),
        ("modelType", "kNN classification", "only networks can be imported"),
        ("nodes", [{}, {}, {}, {}], "is none of the project"),
    ],
)
def test_models_that_do_not_fit_are_refused(
    path: Path, describe: Describe, weka_model: Model, key: str, value: Any, message: str
) -> None:
    describe(path, deepcopy(weka_model) | {key: value})
    with pytest.raises(RecordingError, match=message):
        read_networks(path, NAMES, 1, np.empty((0, 4)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged JSON"),
        ("{", "damaged JSON"),
        ("[" * 100_000, "damaged JSON"),
        ('{"modelSet": [{"outBase": NaN}]}', "NaN is no number"),
        ('{"modelSet": []}', "0 models found, one for each of 1 outputs"),
        ("[]", "0 models found"),
    ],
)
def test_files_that_are_no_description_are_refused(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(RecordingError, match=message):
        read_networks(path, NAMES, 1, np.empty((0, 4)))


def test_our_own_network_described_is_the_same(path: Path, describe: Describe, weka_model: Model) -> None:
    """The description of a network of ours, as Wekinator would write it, gives the network back."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    ours = make_regressor("wekinator", None, 3, 1).fit(x, y)
    model, (hidden, output) = deepcopy(weka_model), ours.layers_
    names = ("Threshold", "Attrib x0", "Attrib x 1", "Attrib x2")
    model["nodes"] = [
        dict(zip(("Threshold", "Node 1", "Node 2", "Node 3"), output[0, 0].tolist(), strict=True)),
        *[dict(zip(names, row.tolist(), strict=True)) for row in hidden[0]],
    ]
    model |= {"inBases": ours.feature_base_.tolist(), "inRanges": ours.feature_range_.tolist()}
    model |= {"outBase": float(ours.target_base_[0]), "outRange": float(ours.target_range_[0])}
    describe(path, model)
    again = read_networks(path, NAMES[1:], 1, x)
    np.testing.assert_array_equal(again.predict(x)[:, 0], ours.predict(x))
