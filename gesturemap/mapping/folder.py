"""A mapping on disk: a folder of four files, written beside its place and moved there whole.

``mapping.toml`` (what it is), ``regressor.skops`` (never pickle), ``examples.parquet`` (what it was fitted on),
``README.md`` (its card). Nothing in a mapping folder is ever executed.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.errors import SettingsError
from audiovae.settings import build
from gesturemap.errors import FeatureError, LayoutError, MappingError
from gesturemap.features import FeatureExtractor, FeatureSettings
from gesturemap.frame import Array, Layout
from gesturemap.mapping.card import render_card
from gesturemap.mapping.mapping import Examples, Mapping, MappingLabel, OutputSettings
from gesturemap.regressors import find_regressor
from gesturemap.regressors.storage import load_regressor, save_regressor

FORMAT = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def folder_of(library: str | Path, tracker: str, model_name: str, name: str) -> Path:
    """``LIBRARY/<tracker>/<model>/<name>``, never outside `library`.

    Anything but letters, digits, ``.``, ``_`` and ``-`` in the names of tracker and model becomes ``-``.

    Raises
    ------
    MappingError
        If `name` has other characters, or nothing is left of one of the others.
    """
    if not NAME.fullmatch(name):
        raise MappingError(
            f"mapping name {name!r}: use 1 to 100 letters, digits, '.', '_' and '-', the first a letter or digit"
        )
    return Path(library) / _segment(tracker) / _segment(model_name) / name


def save_mapping(mapping: Mapping, folder: str | Path, overwrite: bool = False) -> Path:
    """Write a mapping folder; returns it. A reader sees the whole mapping or none.

    Parameters
    ----------
    overwrite : replace a mapping that is there already.

    Raises
    ------
    MappingError
        If the folder exists and is no mapping, or is one and `overwrite` is False.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / "mapping.toml").is_file():
        raise MappingError(f"{folder} exists and is no mapping: choose another place")
    if folder.exists() and not overwrite:
        raise MappingError(f"{folder} exists: choose another name, or overwrite it")
    # Names with a leading dot are never taken for mappings.
    beside, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    for leftover in (beside, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    beside.mkdir(parents=True)
    save_regressor(mapping.regressor, beside / "regressor.skops")
    _write_examples(beside / "examples.parquet", mapping.examples)
    (beside / "README.md").write_text(render_card(mapping), encoding="utf-8")
    (beside / "mapping.toml").write_text(_to_toml(mapping), encoding="utf-8")
    if folder.exists():
        os.rename(folder, old)
    os.rename(beside, folder)
    if old.exists():
        shutil.rmtree(old)
    return folder


def load_mapping(folder: str | Path) -> Mapping:
    """The mapping of a folder.

    Raises
    ------
    MappingError
        If it is no mapping folder, of another format, or damaged; nothing unlisted is loaded.
    """
    folder = Path(folder)
    document = read_document(folder)
    try:
        label = MappingLabel(**document["label"])
        find_regressor(label.regressor)
        features = build(FeatureSettings, document["features"], f"{folder}: features")
        layout = Layout.from_json(document["channels"])
        feature_names = FeatureExtractor(features, layout).names
        low, high, rest = (np.array(document["range"][key], dtype=np.float64) for key in ("low", "high", "rest"))
        mapping = Mapping(
            label=label,
            name=str(document["name"]),
            model_id=str(document["model_id"]),
            model_name=str(document["model_name"]),
            layout=layout,
            features=features,
            regressor=load_regressor(folder / "regressor.skops"),
            regressor_settings=dict(document["regressor"]),
            low=low,
            high=high,
            rest=rest,
            output=build(OutputSettings, document["output"], f"{folder}: output"),
            seed=int(document["seed"]),
            card=dict(document["card"]),
            examples=_read_examples(folder / "examples.parquet", feature_names, len(rest)),
        )
        _try_out(mapping, len(feature_names))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise MappingError(f"{folder}: damaged mapping ({error!r}): fit it again") from None
    except (SettingsError, FeatureError, LayoutError) as error:
        raise MappingError(f"{folder}: damaged mapping ({error}): fit it again") from None
    return mapping


def read_document(folder: str | Path) -> dict[str, Any]:
    """``mapping.toml`` of a mapping folder, its format checked and nothing else.

    Raises
    ------
    MappingError
        If there is none, it is not TOML, or of another format.
    """
    path = Path(folder) / "mapping.toml"
    if not path.is_file():
        raise MappingError(f"{folder} is no mapping folder: no mapping.toml in it; `gesturemap fit` makes one")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: damaged ({error}): fit the mapping again") from None
    if document.get("format") != FORMAT:
        raise MappingError(f"{path}: format {document.get('format')!r} found, {FORMAT} expected: fit it again")
    return document


def _to_toml(mapping: Mapping) -> str:
    import tomli_w

    document = {
        "format": FORMAT,
        "name": mapping.name,
        "model_id": mapping.model_id,
        "model_name": mapping.model_name,
        "seed": mapping.seed,
        "label": asdict(mapping.label),
        "versions": {name: version(name) for name in ("gesturemap", "numpy", "scikit-learn", "skops")},
        "features": mapping.features.model_dump(mode="json"),
        "regressor": mapping.regressor_settings,
        "range": {key: getattr(mapping, key).tolist() for key in ("low", "high", "rest")},
        "output": mapping.output.model_dump(mode="json"),
        "card": mapping.card,
        "channels": mapping.layout.to_json(),
    }
    return tomli_w.dumps(document)


def _try_out(mapping: Mapping, n_features: int) -> None:
    """Refuse parts that do not fit together: one row must give one finite row of latents."""
    shape = (mapping.latent_size,)
    if {mapping.low.shape, mapping.high.shape, mapping.rest.shape} != {shape} or not np.all(
        mapping.low <= mapping.high
    ):
        raise ValueError(f"range: low, high and rest must be {shape[0]} numbers each, low below high")
    if mapping.regressor.n_features_in_ != n_features:
        raise ValueError(f"regressor takes {mapping.regressor.n_features_in_} features, there are {n_features}")
    latents = mapping.regressor.predict(np.zeros((1, n_features)))
    if latents.shape != (1, *shape) or not np.isfinite(latents).all():
        raise ValueError(f"regressor gives {latents.shape} for one row, one row of {shape[0]} finite latents expected")


def _write_examples(path: Path, examples: Examples) -> None:
    """Feature columns, then ``latent_i``, as Parquet, with ``take`` and ``time_s`` first."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"take": examples.take, "time_s": examples.time_s}
    columns |= {f"feature.{name}": examples.features[:, i] for i, name in enumerate(examples.feature_names)}
    if examples.latents is not None:
        columns |= {f"latent_{i}": column for i, column in enumerate(examples.latents.T)}
    pq.write_table(pa.table(columns), path)


def _read_examples(path: Path, names: tuple[str, ...], latent_size: int) -> Examples:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise MappingError(f"{path}: damaged ({error}): fit the mapping again") from None

    def stack(columns: list[str]) -> Array:
        return np.stack([table[column].to_numpy() for column in columns], axis=1).astype(np.float64)

    latent_names = [f"latent_{i}" for i in range(latent_size)]
    with_latents = latent_names[0] in table.column_names
    return Examples(
        feature_names=names,
        features=stack([f"feature.{name}" for name in names]),
        latents=stack(latent_names) if with_latents else None,
        time_s=table["time_s"].to_numpy().astype(np.float64),
        take=table["take"].to_numpy().astype(np.intp),
    )


def _segment(text: str) -> str:
    segment = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")
    if not segment:
        raise MappingError(f"{text!r} has no letter or digit to name a folder with")
    return segment
