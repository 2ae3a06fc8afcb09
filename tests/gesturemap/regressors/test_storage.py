"""A regressor file from a stranger: only what a regressor of ours holds is ever built."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from gesturemap.errors import MappingError
from gesturemap.regressors import REGRESSORS, make_regressor, storage
from gesturemap.regressors.classifiers import CLASSIFIERS, make_classifier
from gesturemap.regressors.grouped import GroupedRegressor
from gesturemap.regressors.storage import load_regressor, save_regressor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    regressor = make_regressor("ridge", None, 2, 1).fit(rng.normal(size=(20, 2)), rng.normal(size=(20, 1)))
    save_regressor(regressor, tmp_path / "regressor.skops")
    return tmp_path / "regressor.skops"


def edit_schema(path: Path, change: Any) -> None:
    """Rewrite the schema inside a skops file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts["schema.json"])
    change(schema)
    parts["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_an_estimator_that_skops_would_load_is_refused(tmp_path: Path) -> None:
    from sklearn.linear_model import Lasso

    skops.io.dump(Lasso(), tmp_path / "regressor.skops")
    assert skops.io.get_untrusted_types(file=tmp_path / "regressor.skops") == []
    with pytest.raises(MappingError, match="it holds sklearn.linear_model._coordinate_descent.Lasso"):
        load_regressor(tmp_path / "regressor.skops")


def test_an_inner_estimator_alone_is_no_regressor(tmp_path: Path) -> None:
    from sklearn.linear_model import Ridge

    skops.io.dump(Ridge(), tmp_path / "regressor.skops")
    with pytest.raises(MappingError, match="holds a Ridge, a regressor was expected"):
        load_regressor(tmp_path / "regressor.skops")


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("__class__", "system", "gesturemap.regressors.standardised.system"),
        ("__module__", "os", "os.StandardisedRegressor"),
        ("__loader__", "FunctionNode", "loader FunctionNode"),
        ("__loader__", "OperatorFuncNode", "loader OperatorFuncNode"),
    ],
)
def test_a_schema_that_names_something_else_is_refused(path: Path, field: str, value: str, named: str) -> None:
    edit_schema(path, lambda schema: schema.update({field: value}))
    with pytest.raises(MappingError, match=named):
        load_regressor(path)


def test_a_type_hidden_deep_inside_is_refused(path: Path) -> None:
    hidden = {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"}
    edit_schema(path, lambda schema: schema["content"]["content"].update({"extra": hidden}))
    with pytest.raises(MappingError, match="os.system"):
        load_regressor(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(MappingError, match="damaged regressor file"):
        load_regressor(path)


def test_flipped_bytes_are_refused_or_change_nothing(path: Path) -> None:
    content, rows = path.read_bytes(), np.linspace(-1.0, 1.0, 10).reshape(5, 2)
    expected = load_regressor(path).predict(rows)
    rng = np.random.default_rng(0)
    refused = 0
    for place, value in zip(rng.integers(len(content), size=300), rng.integers(1, 256, size=300), strict=True):
        damaged = bytearray(content)
        damaged[place] ^= value
        path.write_bytes(bytes(damaged))
        try:
            found = load_regressor(path).predict(rows)
        except MappingError:
            refused += 1
        else:
            np.testing.assert_array_equal(found, expected)
    assert refused > 200


def test_a_bomb_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert storage.MAX_BYTES <= 2**30
    monkeypatch.setattr(storage, "MAX_BYTES", 2**20)
    load_regressor(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", bytes(2**21))
    with pytest.raises(MappingError, match="bytes unpacked"):
        load_regressor(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no such file"):
        load_regressor(tmp_path / "regressor.skops")


def test_our_lists_hold_nothing_that_no_regressor_needs(tmp_path: Path) -> None:
    from gesturemap.regressors.storage import FOREIGN_TYPES, LOADERS, OWN_TYPES, _nodes

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    labels = np.arange(20) % 3
    fixed = {"ridge": {"alpha": 1.0}, "linear_map": {"columns": ("feature_0", "feature_1")}}
    part = make_regressor("ridge", None, 2, 2).fit(x, y)
    made: list[Any] = [GroupedRegressor([part], [np.arange(2)], [np.arange(2)], 2)]
    made += [make_classifier(name, 3).fit(x, labels) for name in CLASSIFIERS]
    for name, info in REGRESSORS.items():
        for settings in (info.settings(), info.settings.model_validate(fixed.get(name, {}))):
            made.append(make_regressor(name, settings, 2, 2).fit(x, y))
    found: set[tuple[str, str]] = set()
    for regressor in made:
        save_regressor(regressor, tmp_path / "regressor.skops")
        with zipfile.ZipFile(tmp_path / "regressor.skops") as archive:
            found |= set(_nodes(json.loads(archive.read("schema.json"))))
    assert {name for name, _ in found} == set(OWN_TYPES) | set(FOREIGN_TYPES)
    assert {loader for _, loader in found} == set(LOADERS)


def test_reading_one_loads_no_torch(path: Path) -> None:
    """It takes a second and 180 MB, and nothing here needs it; afterwards it can still be loaded by who does."""
    code = (
        "import sys; from gesturemap.regressors.storage import load_regressor; load_regressor(sys.argv[1]); "
        "assert 'torch' not in sys.modules; assert 'sklearn.externals.array_api_compat.torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
