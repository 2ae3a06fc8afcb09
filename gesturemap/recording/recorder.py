"""A recording as it is made: a folder with its header, and take after take, each by a `TakeWriter`.

The header is written anew, beside its place and renamed, at every change to the list of takes. A take that a kill kept
out of the list is found by its file.
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
from gesturemap.recording.folder_lock import FolderLock
from gesturemap.recording.lag import LagEstimate
from gesturemap.recording.recording import FORMAT, Take, check_header, read_rows
from gesturemap.recording.take_writer import TakeWriter, take_schema
from gesturemap.take_file import HEADER_NAME, find_take_files, read_header, take_file_name

RESERVED_NAME = re.compile(r"time_s|take|latent_\d+")
UNDONE = "undone"  # the folder of takes that were taken back


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
        If `path` exists (without `append`), is another kind of recording, cannot be written, or another program
        writes there.
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
        self._flush_s, self._now_s = flush_s, now_s
        self._writer: TakeWriter | None = None  # of the take that runs, or ran last
        _refuse_reserved(layout)
        self._schema = take_schema(layout, latent_size)  # here, since loading pyarrow would hold up a take
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
        if append and self.path.is_dir():
            self._lock = FolderLock(self.path)
            self._header = self._continue(header)
        else:
            self._header = self._create(header)
            self._lock = FolderLock(self.path)

    def __enter__(self) -> Recorder:
        """The recorder itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the running take."""
        self.close()

    @property
    def take(self) -> int | None:
        """Index of the take that runs, or None."""
        return self._writer.index if self._writer is not None and self._writer.running else None

    @property
    def n_rows(self) -> int:
        """Rows of the take that runs or ran last."""
        return 0 if self._writer is None else self._writer.n_rows

    @property
    def n_flushed(self) -> int:
        """How many of them are readable whatever happens."""
        return 0 if self._writer is None else self._writer.n_flushed

    def start_take(self) -> int:
        """Begin a take; returns its index. Its file appears with the first flush."""
        if self.take is not None:
            raise RecordingError(f"take {self.take} is running: stop it before the next one")
        self._writer = TakeWriter(self.path, self._next_index(), self._schema, self._flush_s, self._now_s)
        return self._writer.index

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
        self._running().add(self._check_rows(time_s, values, latents))

    def flush_if_due(self) -> None:
        """Flush if a row has waited long enough; call it now and then while no frames come."""
        if self._writer is not None:
            self._writer.flush_if_due()

    def flush(self) -> None:
        """Make every row so far readable, whatever happens to this process; see `TakeWriter.flush`."""
        if self._writer is not None:
            self._writer.flush()

    def stop_take(self) -> int | None:
        """End the running take; returns its index, or None if it got no row and so leaves no file."""
        writer = self._running()
        if not writer.finish():
            return None
        index = writer.index
        entry = {"index": index, "file": take_file_name(index), "n_rows": writer.n_rows, "lag": None}
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
        """Stop the running take, if there is one, and let others write; harmless when called again."""
        if self.take is not None:
            self.stop_take()
        self._lock.release()

    def _running(self) -> TakeWriter:
        if self._writer is None or not self._writer.running:
            raise RecordingError("no take is running: call start_take first")
        return self._writer

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
        return np.concatenate([time_s[:, None], values, latents], axis=1, dtype=np.float64)

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


def _refuse_reserved(layout: Layout) -> None:
    reserved = [name for name in layout.names if RESERVED_NAME.fullmatch(name)]
    if reserved:
        raise RecordingError(f"channels called {', '.join(reserved)}: these names belong to the recording; rename them")
