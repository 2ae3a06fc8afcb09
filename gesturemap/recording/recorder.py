"""The crash-safe recorder: whatever was flushed survives `kill -9`.

A take is one Arrow IPC stream. Every flush hands one finished batch to the operating system in one write, so a
killed process loses only the rows it had not flushed (`flush_s`), at worst with a torn batch at the end of the
file, which readers drop. Against a power cut a take is forced onto the disk (fsync) when it is stopped; doing so
at every flush would let a slow disk hold up the performer, for rows that are a quarter of a second old.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.latent_space import replace_text
from gesturemap.errors import RecordingError
from gesturemap.frame import Array, Frame, Layout
from gesturemap.recording.lag import LagEstimate
from gesturemap.recording.recording import FORMAT, Take, check_header, read_rows
from gesturemap.take_file import END_OF_STREAM, HEADER_NAME, find_take_files, read_header, take_file_name

RESERVED_NAME = re.compile(r"time_s|take|latent_\d+")
UNDONE = "undone"  # the folder of takes that were taken back
MAX_BUFFERED_ROWS = 4096
DUE_SHARE = 0.8  # flush when the oldest row is this share of `flush_s` old: callers look every few 10 ms


class Recorder:
    """Writes takes into a recording folder; use it as a context manager.

    Parameters
    ----------
    path : folder to make, by custom ``<name>.rec``.
    layout : channels of the frames.
    tracker, source, clock : as in `Recording`; `clock` is ``monotonic`` or ``file``.
    model_id, model_name, latent_size : the model whose latents are recorded; leave out for gestures alone.
    flush_s : seconds after which a row is readable whatever happens.
    append : add takes to `path` if it is a recording of the same layout, tracker and model.
    notes : remarks for whoever reads the recording.
    now_s : the clock that `flush_s` is counted on.

    Raises
    ------
    RecordingError
        If `path` exists (without `append`), is another kind of recording, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        layout: Layout,
        tracker: str,
        source: str,
        clock: str,
        model_id: str | None = None,
        model_name: str | None = None,
        latent_size: int = 0,
        flush_s: float = 0.25,
        *,
        append: bool = False,
        notes: Sequence[str] = (),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        self.layout = layout
        self.latent_size = latent_size
        self.take: int | None = None
        self.n_rows = self.n_flushed = 0
        self._flush_s, self._now_s = flush_s, now_s
        self._fd: int | None = None
        self._pending: list[Array] = []
        self._pending_rows = 0
        self._oldest_s = 0.0
        self._last_time_s = -np.inf
        _refuse_reserved(layout)
        self._schema = _make_schema(layout, latent_size)  # here, since loading pyarrow would hold up a take
        header = {
            "format": FORMAT,
            "tracker": tracker,
            "source": source,
            "clock": clock,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "model_id": model_id,
            "model_name": model_name,
            "latent_size": latent_size,
            "notes": list(notes),
            "layout": layout.to_json(),
            "takes": [],
        }
        self._header = self._continue(header) if append and self.path.exists() else self._create(header)

    def __enter__(self) -> Recorder:
        """The recorder itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the running take."""
        self.close()

    def start_take(self) -> int:
        """Begin a take; returns its index. Its file appears with the first flush."""
        if self.take is not None:
            raise RecordingError(f"take {self.take} is running: stop it before the next one")
        self.take = self._next_index()
        self.n_rows = self.n_flushed = 0
        self._last_time_s = -np.inf
        return self.take

    def write(self, frame: Frame, latents: Array | None = None) -> None:
        """Add one row.

        Parameters
        ----------
        latents : (latent_size,) playing at the frame's time; None if the recorder has no latents.
        """
        rows = None if latents is None else latents[None]
        self.write_rows(np.array([frame.time_s]), frame.values[None], rows)

    def write_rows(self, time_s: Array, values: Array, latents: Array | None = None) -> None:
        """Add many rows, and flush if the oldest that waits is due.

        Parameters
        ----------
        time_s : (n_frames,) strictly increasing seconds, later than every row before.
        values : (n_frames, n_channels).
        latents : (n_frames, latent_size), or None if the recorder has no latents.

        Raises
        ------
        RecordingError
            If no take runs, a shape is wrong, time does not increase, or the disk is full.
        """
        if self.take is None:
            raise RecordingError("no take is running: call start_take first")
        rows = self._check_rows(time_s, values, latents)
        if not len(rows):
            return
        if not self._pending:
            self._oldest_s = self._now_s()
        self._pending.append(rows)
        self._pending_rows += len(rows)
        self.n_rows += len(rows)
        self._last_time_s = float(time_s[-1])
        if self._pending_rows >= MAX_BUFFERED_ROWS:
            self.flush()
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Flush if a row has waited long enough; call it now and then while no frames come."""
        if self._pending and self._now_s() - self._oldest_s >= DUE_SHARE * self._flush_s:
            self.flush()

    def flush(self) -> None:
        """Make every row so far readable, whatever happens to this process.

        Raises
        ------
        RecordingError
            If the disk is full; the rows flushed before stay readable and the take is over.
        """
        if not self._pending:
            return
        rows = np.concatenate(self._pending)
        data = _make_batch(rows, self._schema).serialize().to_pybytes()
        if self._fd is None:
            data = self._schema.serialize().to_pybytes() + data
        self._pending = []  # before the write: should Ctrl-C break it off, the rows are not written again
        self._append(data)
        self.n_flushed += len(rows)
        self._pending_rows = 0

    def stop_take(self) -> int | None:
        """End the running take; returns its index, or None if it got no row and so leaves no file."""
        if self.take is None:
            raise RecordingError("no take is running: call start_take first")
        self.flush()
        index, self.take = self.take, None
        if self._fd is None:
            return None
        self._append(END_OF_STREAM, index)
        self._close_file()
        entry = {"index": index, "file": take_file_name(index), "n_rows": self.n_rows, "lag": None}
        self._header["takes"].append(entry)
        self._write_header()
        return index

    def undo_take(self) -> int | None:
        """Take back the last take that was stopped; returns its index, or None if there is none.

        Nothing is destroyed: its file goes into the folder ``undone``, from where `redo_take` brings it back.
        """
        if self.take is not None:
            raise RecordingError(f"take {self.take} is running: stop it before it is taken back")
        if not self._header["takes"]:
            return None
        entry = self._header["takes"].pop()
        aside = self.path / UNDONE
        names = (f"{Path(entry['file']).stem}-{number}.arrows" for number in itertools.count(1))
        name = next(name for name in names if not (aside / name).exists())
        self._header.setdefault("undone", []).append(entry | {"aside": name})
        # The list first: killed in between, the take is found by its file and is there again, not lost.
        self._write_header()
        try:
            aside.mkdir(exist_ok=True)
            os.rename(self.path / entry["file"], aside / name)
        except OSError as error:
            raise RecordingError(f"{self.path}: {entry['file']} cannot be moved aside: {error.strerror}") from error
        index: int = entry["index"]
        return index

    def redo_take(self) -> int | None:
        """Bring back the take that was taken back last, as the newest; returns its index, or None if there is none."""
        if self.take is not None:
            raise RecordingError(f"take {self.take} is running: stop it before another is brought back")
        undone = self._header.get("undone", [])
        if not undone:
            return None
        entry = dict(undone.pop())
        index = self._next_index()
        entry |= {"index": index, "file": take_file_name(index)}
        try:
            os.rename(self.path / UNDONE / entry.pop("aside"), self.path / entry["file"])
        except OSError as error:
            raise RecordingError(f"{self.path}: the take cannot be brought back: {error.strerror}") from error
        self._header["takes"].append(entry)
        self._write_header()
        return index

    def set_lag(self, index: int, lag: LagEstimate) -> None:
        """Store how far the hand trails the sound in take `index`."""
        for entry in self._header["takes"]:
            if entry["index"] == index:
                entry["lag"] = asdict(lag)
                self._write_header()
                return
        raise RecordingError(f"{self.path}: no take {index} to store a lag with")

    def read_take(self, index: int) -> Take:
        """Take `index` as it is on disk."""
        entry = {"index": index, "file": take_file_name(index)}
        return read_rows(self.path, entry, self.layout, self.latent_size)

    def add_note(self, note: str) -> None:
        """Add a remark for whoever reads the recording."""
        self._header["notes"].append(note)
        self._write_header()

    def close(self) -> None:
        """Stop the running take, if there is one; harmless when called again."""
        if self.take is not None:
            self.stop_take()

    def _next_index(self) -> int:
        used = [entry["index"] for entry in self._header["takes"]] + list(find_take_files(self.path))
        return int(max(used, default=0)) + 1

    def _check_rows(self, time_s: Array, values: Array, latents: Array | None) -> Array:
        """Time, values and latents side by side, (n_frames, 1 + n_channels + latent_size)."""
        n_frames = len(time_s)
        latents = np.empty((n_frames, 0)) if latents is None else latents
        found, expected = (values.shape, latents.shape), ((n_frames, len(self.layout)), (n_frames, self.latent_size))
        if found != expected:
            raise RecordingError(f"values and latents of shapes {found} found, {expected} expected")
        if not (np.diff(time_s, prepend=self._last_time_s) > 0).all():
            raise RecordingError(
                f"take {self.take}: a row at or before {self._last_time_s:.6f} s, or one without a time; "
                "times must increase from row to row"
            )
        return np.concatenate([time_s[:, None], values, latents], axis=1, dtype=np.float64)

    def _append(self, data: bytes, index: int | None = None) -> None:
        """Hand `data` to the operating system whole, or leave the file as it was; the end goes on to the disk."""
        index = self.take if index is None else index
        assert index is not None
        safe_bytes = 0
        try:
            if self._fd is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                self._fd = os.open(self.path / take_file_name(index), flags, 0o644)
            safe_bytes = os.lseek(self._fd, 0, os.SEEK_CUR)
            left = memoryview(data)
            while left:
                left = left[os.write(self._fd, left) :]
            if data is END_OF_STREAM:
                os.fsync(self._fd)
        except OSError as error:
            if self._fd is not None:
                os.ftruncate(self._fd, safe_bytes)
            self._close_file()
            lost, self._pending_rows, self.take = self._pending_rows, 0, None
            raise RecordingError(
                f"{self.path}: take {index} ended early ({error.strerror}); the {self.n_flushed} rows flushed are "
                f"safe, {lost} are lost: free some space, then record on with --append"
            ) from error

    def _close_file(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _create(self, header: dict[str, Any]) -> dict[str, Any]:
        try:
            self.path.mkdir(parents=True)
        except FileExistsError:
            raise RecordingError(f"{self.path} exists: choose another name, or --append to add takes to it") from None
        except OSError as error:
            raise RecordingError(f"{self.path}: cannot make a recording here: {error.strerror}") from error
        self._header = header
        self._write_header()
        return header

    def _continue(self, header: dict[str, Any]) -> dict[str, Any]:
        """The header on disk, if takes of `header` may be added to it."""
        found = check_header(read_header(self.path), self.path)
        names = [(c["name"], c["unit"]) for c in header["layout"]]
        if [(c["name"], c["unit"]) for c in found["layout"]] != names:
            raise RecordingError(f"{self.path}: its channels are others; record into another folder")
        if any(found[key] != header[key] for key in ("tracker", "clock", "model_id", "latent_size")):
            raise RecordingError(
                f"{self.path} holds takes of {_describe(found)}; this would be {_describe(header)}: record into "
                "another folder"
            )
        found["notes"] += [note for note in header["notes"] if note not in found["notes"]]
        return found

    def _write_header(self) -> None:
        path = self.path / HEADER_NAME
        try:
            replace_text(path, json.dumps(self._header, indent=1))
        except OSError as error:
            path.with_name(path.name + ".part").unlink(missing_ok=True)
            raise RecordingError(f"{path}: cannot be written: {error.strerror}; the takes are safe") from error


def _describe(header: dict[str, Any]) -> str:
    """What takes of one recording have in common, for people."""
    model_id = header["model_id"]
    latents = f"latents of model {header['model_name']!r} ({model_id[:12]})" if model_id else "no latents"
    return f"{header['tracker']} on the {header['clock']} clock with {latents}"


def _make_schema(layout: Layout, latent_size: int) -> Any:
    """Arrow schema of a take: a float64 column each, its unit in the field's metadata."""
    import pyarrow as pa

    units = {"time_s": "s"} | {channel.name: channel.unit for channel in layout.channels}
    units |= {f"latent_{i}": "latent" for i in range(latent_size)}
    return pa.schema([pa.field(name, pa.float64(), metadata={"unit": unit}) for name, unit in units.items()])


def _make_batch(rows: Array, schema: Any) -> Any:
    """Arrow batch of `rows` (n_frames, n_columns); NaN stays NaN.

    From buffers, because pyarrow loads pandas to convert its first NumPy array: half a second without a flush.
    """
    import pyarrow as pa

    columns = [pa.py_buffer(np.ascontiguousarray(column)) for column in rows.T]
    arrays = [pa.Array.from_buffers(pa.float64(), len(rows), [None, column]) for column in columns]
    return pa.record_batch(arrays, schema=schema)


def _refuse_reserved(layout: Layout) -> None:
    reserved = [name for name in layout.names if RESERVED_NAME.fullmatch(name)]
    if reserved:
        raise RecordingError(f"channels called {', '.join(reserved)}: these names belong to the recording; rename them")
