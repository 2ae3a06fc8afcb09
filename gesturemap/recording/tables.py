"""Recordings from tables and to tables: CSV, Parquet, JSON, JSONL in; Parquet and CSV out.

The exported table is also what the importer takes without being told anything: ``take``, ``time_s``, one column a
channel, ``latent_0`` and so on. Parquet keeps the layout and the model's identity as well, CSV only the numbers.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gesturemap.errors import RecordingError
from gesturemap.frame import Array, Channel, Layout
from gesturemap.recording.lag import estimate_lag
from gesturemap.recording.recorder import RESERVED_NAME, Recorder
from gesturemap.recording.recording import FORMAT, Recording, Take, check_header
from gesturemap.recording.table_file import PARQUET_SUFFIXES, read_table
from gesturemap.recording.timestamps import check_order, name_rows, read_seconds

if TYPE_CHECKING:
    import pandas as pd

METADATA_KEY = b"gesturemap"
SLOW_STEP_S = 1.0


def import_table(
    path: str | Path,
    out: str | Path,
    *,
    rate_hz: float | None = None,
    time_column: str | None = None,
    time_unit: str = "s",
    take_column: str | None = None,
    units: Mapping[str, str] | None = None,
    leave_out: Sequence[str] = (),
    header: bool | None = None,
    tracker: str = "table",
) -> Recording:
    """A recording made of a table of any columns and any rate, irregular ones too.

    Columns that hold text or nothing are left out, and the recording's notes name them. Empty cells are NaN. A row
    that repeats the one before it, time and all, is left out and counted; any other row whose time does not
    increase within its take is refused.

    Parameters
    ----------
    path : see `table_file.read_table`.
    out : folder to make, by custom ``<name>.rec``.
    rate_hz : frames per second of a table without times.
    time_column : name of the column of times, or its number (from 0; from the end if negative); ``time_s`` if there
        is one and no `rate_hz` is given.
    time_unit : of the time column, see `timestamps.read_seconds`.
    take_column : name or number of a column whose values tell the takes apart; ``take`` if there is one.
    units : unit of each channel, by name; ``unknown`` for the others.
    leave_out : names or numbers of columns that are no channels, such as a class.
    header : whether the first line of text holds names; None to look.
    tracker : what the recording says made it; a table that `export_table` wrote to Parquet knows it.

    Raises
    ------
    RecordingError
        If the table cannot be read, has no column of numbers, no times or impossible ones, or `out` exists.
    """
    path, out = Path(path), Path(out)
    if out.exists():
        raise RecordingError(f"{out} exists: choose another name")
    table = read_table(path, header)
    take_name = _find_column(table, take_column, "take", path)
    time_name = _find_column(table, time_column, None if rate_hz else "time_s", path)
    skipped = [_find_column(table, name, None, path) for name in leave_out]
    takes, notes = _number_takes(table, take_name, path)
    time_s, time_notes = _read_times(table, time_name, time_unit, rate_hz, takes, path)
    table = table.drop(columns={name for name in (take_name, time_name, *skipped) if name})
    kept = check_order(time_s, takes, table, path)
    if not kept.all():
        notes.append(f"rows left out because they repeat the one before: {np.count_nonzero(~kept)}")
    about = _read_metadata(path)
    if about is None:
        table, column_notes = _choose_channels(table)
        layout = _make_layout(table, units or {}, path)
        about = {"tracker": tracker, "source": str(path), "clock": "file", "latent_size": 0}
        notes = [*notes, *time_notes, *column_notes]
    else:
        layout = Layout.from_json(about["layout"])
        notes = about["notes"]
    columns = [*layout.names, *(f"latent_{i}" for i in range(about["latent_size"]))]
    rows = table[columns].to_numpy(np.float64)
    _write(out, about, layout, notes, takes[kept], time_s[kept], rows[kept])
    return Recording.load(out)


def export_table(recording: Recording, path: str | Path) -> None:
    """Write the rows of all takes into one table, in place of any file that is there.

    Parameters
    ----------
    path : ``.parquet`` or ``.csv``. The numbers of both are exact.

    Raises
    ------
    RecordingError
        If the suffix is another one, the recording has no rows, or the file cannot be written.
    """
    import pandas as pd

    path = Path(path)
    if path.suffix not in (*PARQUET_SUFFIXES, ".csv"):
        raise RecordingError(f"{path}: a table is exported as .parquet or .csv")
    if not recording.takes:
        raise RecordingError(f"{recording.path} has no rows to export")
    takes = [_take_frame(recording, take) for take in recording.takes]
    table = pd.concat(takes, ignore_index=True)
    beside = path.with_name(path.name + ".part")
    try:
        if path.suffix == ".csv":
            table.to_csv(beside, index=False)
        else:
            _write_parquet(table, recording, beside)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RecordingError(f"{path}: cannot be written: {error.strerror or error}") from error


def _find_column(table: pd.DataFrame, asked: str | None, default: str | None, path: Path) -> str | None:
    """Name of the column `asked` for by name or number, else `default` if there is such a column."""
    names = list(table.columns)
    if asked is None:
        return default if default in names else None
    if asked in names:
        return asked
    if asked.lstrip("-").isdigit() and -len(names) <= int(asked) < len(names):
        return str(names[int(asked)])
    raise RecordingError(f"{path}: no column {asked!r}; there are: {', '.join(names)}")


def _number_takes(table: pd.DataFrame, name: str | None, path: Path) -> tuple[npt.NDArray[np.int_], list[str]]:
    """(n_rows,) take of every row, from 1 in the order in which they appear; a note if their names are others."""
    import pandas as pd

    if name is None:
        return np.ones(len(table), dtype=int), []
    codes, labels = pd.factorize(table[name])
    if (codes < 0).any():
        raise RecordingError(f"{path}: no take in column {name!r}, {name_rows(codes < 0)}")
    numbered = [f"{i} = {label}" for i, label in enumerate(labels, start=1)]
    plain = all(text == f"{i} = {i}" for i, text in enumerate(numbered, start=1))
    return codes + 1, [] if plain else [f"takes by {name}: {', '.join(numbered)}"]


def _read_times(
    table: pd.DataFrame,
    name: str | None,
    unit: str,
    rate_hz: float | None,
    takes: npt.NDArray[np.int_],
    path: Path,
) -> tuple[Array, list[str]]:
    """(n_rows,) seconds from a column, or counted off at a rate in every take."""
    if (name is None) == (rate_hz is None):
        raise RecordingError(
            f"{path}: give either the column of times (--time-column) or the frames per second (--rate); "
            f"its columns: {', '.join(table.columns[:20])}" + ", ..." * (len(table.columns) > 20)
        )
    if name is not None:
        time_s, notes = read_seconds(table[name], unit, path)
        step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
        if step_s > SLOW_STEP_S:
            notes.append(f"its rows are {step_s:.3g} s apart, slow for a gesture: is column {name!r} in {unit}?")
        return time_s, notes
    assert rate_hz is not None
    if not 0.0 < rate_hz < np.inf:
        raise RecordingError(f"rate {rate_hz} Hz found; a positive number expected")
    time_s = np.empty(len(takes))
    for take in np.unique(takes):
        time_s[takes == take] = np.arange(np.count_nonzero(takes == take)) / rate_hz
    return time_s, []


def _choose_channels(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The columns that can be channels, and a note that names the others and why."""
    import pandas as pd

    left_out = {}
    for name in table.columns:
        column = table[name]
        if column.isna().all():
            left_out[name] = "empty"
        elif not pd.api.types.is_numeric_dtype(column):
            left_out[name] = f"text such as {column.dropna().iloc[0]!r}"
        elif RESERVED_NAME.fullmatch(name):
            left_out[name] = "a name of the recording's own"
    notes = [f"columns left out: {', '.join(f'{name} ({why})' for name, why in left_out.items())}"] if left_out else []
    return table.drop(columns=list(left_out)), notes


def _make_layout(table: pd.DataFrame, units: Mapping[str, str], path: Path) -> Layout:
    """Channels with the range that their numbers have."""
    if table.columns.empty:
        raise RecordingError(f"{path}: no column of numbers left to be a channel")
    unknown = [name for name in units if name not in table.columns]
    if unknown:
        raise RecordingError(
            f"{path}: a unit for {', '.join(unknown)}, but the channels are {', '.join(table.columns)}"
        )
    channels = []
    for name in table.columns:
        infinite = np.isinf(table[name].to_numpy(np.float64))
        if infinite.any():
            raise RecordingError(f"{path}: infinite values in column {name!r}: leave them empty, or --leave-out it")
        low, high = float(table[name].min()), float(table[name].max())
        channels.append(
            Channel(name, units.get(name, "unknown"), low, high if high > low else low + max(1.0, abs(low)))
        )
    return Layout(tuple(channels))


def _write(
    out: Path,
    about: Mapping[str, Any],
    layout: Layout,
    notes: Sequence[str],
    takes: npt.NDArray[np.int_],
    time_s: Array,
    rows: Array,
) -> None:
    """Write the recording beside `out`, then rename it: there is all of it or none."""
    beside = out.with_name(out.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    n_channels = len(layout)
    try:
        with Recorder(
            beside,
            layout,
            about["tracker"],
            about["source"],
            about["clock"],
            model_id=about.get("model_id"),
            model_name=about.get("model_name"),
            latent_size=about["latent_size"],
            notes=notes,
        ) as recorder:
            for take in np.unique(takes):
                mine = takes == take
                latents = rows[mine, n_channels:] if about["latent_size"] else None
                recorder.start_take()
                recorder.write_rows(time_s[mine], rows[mine, :n_channels], latents)
                index = recorder.stop_take()
                if latents is not None and index is not None:
                    recorder.set_lag(index, estimate_lag(time_s[mine], rows[mine, :n_channels], latents))
        os.replace(beside, out)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _take_frame(recording: Recording, take: Take) -> pd.DataFrame:
    """The rows of one take as the exported columns."""
    import pandas as pd

    columns: dict[str, Any] = {"take": np.full(len(take.time_s), take.index), "time_s": take.time_s}
    columns |= {name: take.values[:, i] for i, name in enumerate(recording.layout.names)}
    if take.latents is not None:
        columns |= {f"latent_{i}": column for i, column in enumerate(take.latents.T)}
    return pd.DataFrame(columns)


def _write_parquet(table: pd.DataFrame, recording: Recording, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    header = {
        "format": FORMAT,
        "tracker": recording.tracker,
        "source": recording.source,
        "clock": recording.clock,
        "created": "",
        "model_id": recording.model_id,
        "model_name": recording.model_name,
        "latent_size": recording.latent_size,
        "notes": list(recording.notes),
        "layout": recording.layout.to_json(),
        "takes": [],
    }
    metadata = {METADATA_KEY: json.dumps(header)}
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(metadata), path)


def _read_metadata(path: Path) -> dict[str, Any] | None:
    """What `export_table` wrote beside the numbers; None for any other table."""
    if path.suffix.lower() not in PARQUET_SUFFIXES:
        return None
    import pyarrow.parquet as pq

    text = (pq.read_schema(path).metadata or {}).get(METADATA_KEY)
    return None if text is None else check_header(json.loads(text), path)
