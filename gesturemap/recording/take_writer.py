"""One take on its way to its file, so that whatever was flushed survives `kill -9`.

A take is one Arrow IPC stream. Every flush hands one finished batch to the operating system in one write, so a
killed process loses only the rows it had not flushed (`flush_s`), at worst with a torn batch at the end of the
file, which readers drop. Against a power cut a take is forced onto the disk (fsync) when it is stopped; doing so
at every flush would let a slow disk hold up the performer, for rows that are a quarter of a second old.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gesturemap.errors import RecordingError
from gesturemap.frame import Array, Layout
from gesturemap.take_file import END_OF_STREAM, take_file_name

MAX_BUFFERED_ROWS = 4096
DUE_SHARE = 0.8  # flush when the oldest row is this share of `flush_s` old: callers look every few 10 ms


class TakeWriter:
    """Gathers rows and writes them, batch by batch. The file appears with the first flush.

    Parameters
    ----------
    folder : of the recording.
    index : of the take.
    schema : from `take_schema`.
    flush_s : seconds after which a row is readable whatever happens.
    now_s : the clock that `flush_s` is counted on.

    Attributes
    ----------
    running : until it is finished, or broken off by an error.
    n_rows, n_flushed : rows so far, and how many of them are safe.
    """

    def __init__(self, folder: Path, index: int, schema: Any, flush_s: float, now_s: Callable[[], float]) -> None:
        self.index, self.running = index, True
        self.n_rows = self.n_flushed = 0
        self._folder, self._schema = folder, schema
        self._flush_s, self._now_s = flush_s, now_s
        self._fd: int | None = None
        self._pending: list[Array] = []
        self._pending_rows = 0
        self._oldest_s = 0.0
        self._last_time_s = -np.inf

    def add(self, rows: Array) -> None:
        """Take rows (n_frames, n_columns), time first, and flush if the oldest that waits is due.

        Raises
        ------
        RecordingError
            If time does not increase, or the disk is full.
        """
        if not (np.diff(rows[:, 0], prepend=self._last_time_s) > 0).all():
            raise RecordingError(
                f"take {self.index}: a row at or before {self._last_time_s:.6f} s, or one without a time; "
                "times must increase from row to row"
            )
        if not len(rows):
            return
        if not self._pending:
            self._oldest_s = self._now_s()
        self._pending.append(rows)
        self._pending_rows += len(rows)
        self.n_rows += len(rows)
        self._last_time_s = float(rows[-1, 0])
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

    def finish(self) -> bool:
        """End the take on the disk; False if it got no row and so leaves no file."""
        self.flush()
        self.running = False
        if self._fd is None:
            return False
        self._append(END_OF_STREAM)
        self._close_file()
        return True

    def _append(self, data: bytes) -> None:
        """Hand `data` to the operating system whole, or leave the file as it was; the end goes on to the disk."""
        safe_bytes = 0
        try:
            if self._fd is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                self._fd = os.open(self._folder / take_file_name(self.index), flags, 0o644)
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
            lost, self._pending_rows, self.running = self._pending_rows, 0, False
            raise RecordingError(
                f"{self._folder}: take {self.index} ended early ({error.strerror}); the {self.n_flushed} rows flushed "
                f"are safe, {lost} are lost: free some space, then record on with --append"
            ) from error

    def _close_file(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def take_schema(layout: Layout, latent_size: int) -> Any:
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
