"""FluCoMa's data sets: ``fluid.dataset~`` and ``fluid.labelset~`` as JSON, to recordings and back.

A data set is points by name, ``{"cols": 2, "data": {"a": [0.1, 0.2]}}``; a label set has one text for each.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.latent_space import LatentSpace, replace_text
from gesturemap.errors import RecordingError
from gesturemap.frame import Array, Channel, Layout
from gesturemap.recording import Recorder, Recording
from gesturemap.wekinator.json_file import numbers, read_last_json

MAX_COLUMNS = 10_000


def import_flucoma(
    path: str | Path,
    out: str | Path,
    *,
    targets: str | Path | None = None,
    labels: str | Path | None = None,
    space: LatentSpace | None = None,
    rate_hz: float = 60.0,
) -> Recording:
    """A recording of one take made of a data set: points as rows in the file's order, columns as channels.

    Parameters
    ----------
    path : the data set.
    out : folder to make, by custom ``<name>.rec``.
    targets, labels : a data set or a label set that names the same points; becomes the latents. Labels become
        1, 2, ... in alphabetical order, and a note says which is which.
    space : model whose latents the targets are, if they are any.
    rate_hz : points a second: a data set has no times.

    Raises
    ------
    RecordingError
        If a file is damaged or names other points, both targets and labels are given, the model has another count of
        latents, or `out` exists.
    """
    if targets is not None and labels is not None:
        raise RecordingError("targets and labels found: give one of them")
    if not 0 < rate_hz < 1e6:
        raise RecordingError(f"rate {rate_hz:g} found, points a second expected")
    path = Path(path)
    names, points = read_dataset(path)
    latents, notes = np.empty((len(points), 0)), [f"points of {path.name}, {len(points)} in all"]
    if targets is not None:
        other, values = read_dataset(Path(targets))
        latents = values[_match(names, other, Path(targets))]
    if labels is not None:
        other, texts = read_labelset(Path(labels))
        texts = [texts[index] for index in _match(names, other, Path(labels))]
        classes = sorted(set(texts))
        latents = np.array([[1.0 + classes.index(text)] for text in texts])
        notes += [f"latent_0 is a class: {', '.join(f'{i} {name}' for i, name in enumerate(classes, start=1))}"]
    if space is not None and space.latent_size != latents.shape[1]:
        raise RecordingError(f"{latents.shape[1]} targets found, model {space.model_name!r} has {space.latent_size}")
    model_id, model_name = (None, None) if space is None else (space.model_id, space.model_name)
    layout = Layout(tuple(_channel(index, column) for index, column in enumerate(points.T)))
    header = (layout, "table", str(path), "file", model_id, model_name, latents.shape[1])
    with Recorder(out, *header, notes=notes) as recorder:
        recorder.start_take()
        recorder.write_rows(np.arange(len(points)) / rate_hz, points, latents)
    return Recording.load(out)


def export_flucoma(recording: Recording, path: str | Path, targets: str | Path | None = None) -> None:
    """Write the rows of a recording as a data set, named by take and row: ``1-0``, ``1-1``.

    Rows with a channel or latent that is not there are left out: a data set has numbers only.

    Parameters
    ----------
    targets : second data set to write, of the latents under the same names.

    Raises
    ------
    RecordingError
        If there is no whole row, or `targets` is asked for where there are no latents.
    """
    if targets is not None and not recording.latent_size:
        raise RecordingError(f"{recording.path} holds no latents to write to {targets}")
    points: dict[str, list[float]] = {}
    latents: dict[str, list[float]] = {}
    for take in recording.takes:
        sounding = take.latents if targets is not None else None
        for row, values in enumerate(take.values):
            beside = sounding[row] if sounding is not None else np.empty(0)
            if np.isfinite(values).all() and np.isfinite(beside).all():
                points[f"{take.index}-{row}"] = values.tolist()
                latents[f"{take.index}-{row}"] = beside.tolist()
    if not points:
        raise RecordingError(f"{recording.path}: no row with every channel to export")
    replace_text(Path(path), json.dumps({"cols": len(recording.layout), "data": points}))
    if targets is not None:
        replace_text(Path(targets), json.dumps({"cols": recording.latent_size, "data": latents}))


def read_dataset(path: Path) -> tuple[list[str], Array]:
    """Names (n_points,) and points (n_points, n_columns); `RecordingError` if the file is no data set."""
    columns, data = _read(path)
    rows = [numbers(row, columns, f"{path}: point {name[:40]!r}") for name, row in data.items()]
    return list(data), np.stack(rows)


def read_labelset(path: Path) -> tuple[list[str], list[str]]:
    """Names and labels (n_points,); `RecordingError` if the file is no label set."""
    columns, data = _read(path)
    wrong = [name for name, row in data.items() if not (isinstance(row, list) and len(row) == 1)]
    if columns != 1 or wrong:
        raise RecordingError(f"{path}: one label for each point expected, {wrong[:1] or columns} found")
    return list(data), [str(row[0]) for row in data.values()]


def _read(path: Path) -> tuple[int, dict[str, Any]]:
    document = read_last_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        raise RecordingError(f'{path}: no {{"cols": .., "data": ..}} of fluid.dataset~')
    columns = document.get("cols")
    if not isinstance(columns, int) or not 1 <= columns <= MAX_COLUMNS or not document["data"]:
        raise RecordingError(
            f"{path}: cols {str(columns)[:40]}, {len(document['data'])} points found, 1 to {MAX_COLUMNS} and at least"
            " one expected"
        )
    return columns, document["data"]


def _match(names: list[str], other: list[str], path: Path) -> list[int]:
    """Where each of `names` is in `other`."""
    place = {name: index for index, name in enumerate(other)}
    missing = [name for name in names if name not in place]
    if missing:
        raise RecordingError(f"{path}: no point {missing[0][:40]!r}: it must name the points of the data set")
    return [place[name] for name in names]


def _channel(index: int, column: Array) -> Channel:
    low, high = float(column.min()), float(column.max())
    return Channel(f"column_{index}", "unknown", low, high if high > low else low + 1.0)
