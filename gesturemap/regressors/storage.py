"""A fitted regressor on disk: a skops file, read only if all in it is on the lists below. Never pickle.

skops by itself loads any estimator of scikit-learn it deems harmless; this file is stricter, because mappings
travel between strangers: a type that no regressor of ours holds is refused before skops looks at it.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gesturemap.errors import MappingError

OWN_TYPES = (
    "gesturemap.regressors.classifiers.NearestClasses",
    "gesturemap.regressors.classifiers.StandardisedClassifier",
    "gesturemap.regressors.familiarity.Familiarity",
    "gesturemap.regressors.gaussian_mixture.MixtureRegression",
    "gesturemap.regressors.gaussian_process.SubsetGaussianProcess",
    "gesturemap.regressors.grouped.GroupedRegressor",
    "gesturemap.regressors.kernel_ridge.BlockwiseKernelRidge",
    "gesturemap.regressors.linear_map.LinearMap",
    "gesturemap.regressors.mlp.EarlyStoppedMLP",
    "gesturemap.regressors.nearest.NearestExamples",
    "gesturemap.regressors.standardised.StandardisedRegressor",
    "gesturemap.regressors.wekinator_network.WekinatorNetworks",
)
FOREIGN_TYPES = (
    "builtins.dict",
    "builtins.list",
    "builtins.str",
    "builtins.tuple",
    "numpy.float64",
    "numpy.ndarray",
    "sklearn.linear_model._ridge.Ridge",
    "sklearn.linear_model._ridge.RidgeCV",
    "sklearn.model_selection._split.KFold",
    "sklearn.naive_bayes.GaussianNB",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._polynomial.PolynomialFeatures",
    "sklearn.svm._classes.SVC",
)
# How skops rebuilds an object; the ones that call a function of the file's choice are not here.
LOADERS = ("DictNode", "JsonNode", "ListNode", "NdArrayNode", "ObjectNode", "TupleNode", "TypeNode")
OUTER = (
    *("GroupedRegressor", "LinearMap", "NearestClasses", "StandardisedClassifier"),
    *("StandardisedRegressor", "WekinatorNetworks"),
)
TORCH_ARRAYS = "sklearn.externals.array_api_compat.torch"
MAX_BYTES = 512 * 2**20  # unpacked; a regressor of ours holds a few MB
# What zipfile, json, numpy and skops raise over damaged bytes; RuntimeError is zipfile's for odd flags.
DAMAGED = (
    *(OSError, EOFError, ImportError, MemoryError, RuntimeError),
    *(AttributeError, LookupError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)


def save_regressor(regressor: Any, path: str | Path) -> None:
    """Write a fitted regressor of `make_regressor`, beside `path` and then renamed."""
    skops_io = import_skops_io()
    path = Path(path)
    beside = path.with_name(path.name + ".part")
    skops_io.dump(regressor, beside)
    os.replace(beside, path)


def load_regressor(path: str | Path) -> Any:
    """The regressor that `save_regressor` wrote.

    Raises
    ------
    MappingError
        If the file is damaged, or holds anything that no regressor of ours holds; nothing is built then.
    """
    skops_io = import_skops_io()
    from skops.io.exceptions import UntrustedTypesFoundException

    path = Path(path)
    if not path.is_file():
        raise MappingError(f"{path}: no such file: the mapping is incomplete, fit it again")
    try:
        refused = _refused(path)
        if refused:
            raise MappingError(
                f"{path}: not loaded: it holds {', '.join(sorted(refused))}, which no regressor of ours does"
            )
        regressor = skops_io.load(path, trusted=list(OWN_TYPES) + ["sklearn.model_selection._split.KFold"])
    except UntrustedTypesFoundException as error:
        raise MappingError(f"{path}: not loaded: {error}") from None
    except DAMAGED as error:
        raise MappingError(f"{path}: damaged regressor file ({error}): fit the mapping again") from None
    if type(regressor).__name__ not in OUTER:
        raise MappingError(f"{path}: holds a {type(regressor).__name__}, a regressor was expected")
    return regressor


def import_skops_io() -> Any:
    """`skops.io` without torch: 1.4 s and 180 MB less to play a mapping where torch is installed.

    skops lists all estimators of scikit-learn, whose search imports every package of it, the one for torch's
    arrays too. None in `sys.modules` makes that import fail, which the search takes for a library that is absent.
    """
    hidden: dict[str, Any] = {} if TORCH_ARRAYS in sys.modules else {TORCH_ARRAYS: None}
    sys.modules.update(hidden)
    try:
        import skops.io
    finally:
        for name in hidden:
            del sys.modules[name]
    return skops.io


def _refused(path: Path) -> set[str]:
    """Types and loaders named in the file that are not on the lists."""
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
        if size > MAX_BYTES:
            raise zipfile.BadZipFile(f"{size} bytes unpacked, {MAX_BYTES} at most")
        if archive.testzip() is not None:
            raise zipfile.BadZipFile(f"checksum of {archive.testzip()} does not fit")
        schema = json.loads(archive.read("schema.json"))
    found = set(_nodes(schema))
    types = {name for name, _ in found} - set(OWN_TYPES) - set(FOREIGN_TYPES)
    loaders = {loader for _, loader in found} - set(LOADERS)
    return types | {f"loader {loader}" for loader in loaders}


def _nodes(schema: Any) -> Iterator[tuple[str, str]]:
    """(type, loader) of every object in a skops schema."""
    if isinstance(schema, dict):
        if "__class__" in schema or "__loader__" in schema:
            yield f"{schema.get('__module__')}.{schema.get('__class__')}", str(schema.get("__loader__"))
        for value in schema.values():
            yield from _nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _nodes(value)
