"""A recording read back: takes of gesture rows, and the latents that were playing under them.

Owns what a recording means once it is on disk. `gesturemap.take_file` reads the bytes, `recorder` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.latent_table import resample_latents
from gesturemap.errors import LayoutError, RecordingError
from gesturemap.frame import Array, Layout
from gesturemap.take_file import find_take_files, read_header, read_take, take_file_name

FORMAT = 1
HEADER_KINDS: dict[str, type | tuple[type, ...]] = {
    "layout": list,
    "tracker": str,
    "source": str,
    "clock": str,
    "created": str,
    "model_id": (str, type(None)),
    "model_name": (str, type(None)),
    "latent_size": int,
    "notes": list,
    "takes": list,
}


@dataclass(frozen=True)
class Take:
    """One stretch of recording.

    Parameters
    ----------
    index : counts from 1 inside its recording.
    time_s : (n_frames,) strictly increasing seconds of the recording's clock.
    values : (n_frames, n_channels) in the units of the layout; NaN where a hand was not seen.
    latents : (n_frames, latent_size) playing at each row's time, or None if none were recorded.
    lag_s : how far the hand trails the sound, 0 where that could not be told; None without latents.
    complete : False if the recording was cut off (a kill, a full disk) before the take was stopped.
    """

    index: int
    time_s: Array
    values: Array
    latents: Array | None
    lag_s: float | None
    complete: bool

    @property
    def duration_s(self) -> float:
        """Seconds from the first row to the last."""
        return float(self.time_s[-1] - self.time_s[0])

    def select(self, rows: Any) -> Take:
        """The take with only `rows`, a mask or slice of the frames."""
        latents = None if self.latents is None else self.latents[rows]
        return replace(self, time_s=self.time_s[rows], values=self.values[rows], latents=latents)

    def trim(self, start_s: float = 0.0, end_s: float = np.inf) -> Take:
        """The rows between two times, both counted from the take's first row; `end_s` is left out.

        Raises
        ------
        RecordingError
            If no row is left.
        """
        since_start_s = self.time_s - self.time_s[0]
        rows = (since_start_s >= start_s) & (since_start_s < end_s)
        if not rows.any():
            raise RecordingError(
                f"take {self.index}: no row between {start_s:g} and {end_s:g} s; it lasts {self.duration_s:.3f} s"
            )
        return self.select(rows)

    def pair(self) -> tuple[Take, Array]:
        """The take's rows that have a partner, and for each the latents the hand was then answering.

        A hand that trails the sound by `lag_s` answers at time t the latents of t - lag_s. Rows whose partner
        lies before the first or after the last row are left out: nothing is made up.

        Returns
        -------
        (take, latents (n_frames, latent_size)), as many rows in both.
        """
        if self.latents is None:
            raise RecordingError(
                f"take {self.index} holds no latents: record it with --model MODEL_DIR --play TRAJECTORY"
            )
        lag_s = self.lag_s or 0.0
        if lag_s == 0.0:
            return self, self.latents
        answered_s = self.time_s - lag_s
        rows = (answered_s >= self.time_s[0]) & (answered_s <= self.time_s[-1])
        latents = resample_latents(self.latents, self.time_s, answered_s[rows])
        return self.select(rows), latents.astype(np.float64)


@dataclass(frozen=True)
class Recording:
    """A folder ``<name>.rec``: one layout, one tracker, any number of takes.

    Parameters
    ----------
    path : the folder.
    layout : channels of every take's values.
    tracker, source : who gave the frames (``hands``, ``gametrak``, ``table``) and from what.
    clock : ``monotonic`` (real time of the machine) or ``file`` (the source file's own time).
    model_id, model_name, latent_size : the model whose latents were recorded; None, None, 0 if none were.
    notes : remarks of whoever wrote it: what was played, which columns an import left out.
    takes : the takes that hold at least one row, in order.
    """

    path: Path
    layout: Layout
    tracker: str
    source: str
    clock: str
    model_id: str | None
    model_name: str | None
    latent_size: int
    notes: tuple[str, ...]
    takes: list[Take]

    @classmethod
    def load(cls, path: str | Path) -> Recording:
        """A recording from its folder, finished or killed.

        A take that was running when its recorder died is not in the list of ``recording.json``; its file is
        found all the same, and what was flushed of it is a take with `complete` False.

        Raises
        ------
        RecordingError
            If the folder is no recording, or its header is damaged or of another format, or a take it lists
            is missing or has other columns.
        """
        path = Path(path)
        header = check_header(read_header(path), path)
        layout = Layout.from_json(header["layout"])
        takes = [read_rows(path, entry, layout, header["latent_size"]) for entry in _list_takes(path, header)]
        return cls(
            path=path,
            layout=layout,
            tracker=header["tracker"],
            source=header["source"],
            clock=header["clock"],
            model_id=header["model_id"],
            model_name=header["model_name"],
            latent_size=header["latent_size"],
            notes=tuple(header["notes"]),
            takes=[take for take in takes if len(take.time_s)],
        )

    def trim(self, index: int, start_s: float = 0.0, end_s: float = np.inf) -> Recording:
        """The recording with take `index` cut as `Take.trim` does; the files stay as they are."""
        if index not in [take.index for take in self.takes]:
            raise RecordingError(
                f"{self.path}: no take {index}; there are: {', '.join(str(take.index) for take in self.takes)}"
            )
        takes = [take.trim(start_s, end_s) if take.index == index else take for take in self.takes]
        return replace(self, takes=takes)

    def pairs(self) -> Iterator[tuple[Take, Array]]:
        """Each take that has latents, paired as `Take.pair` does; nothing if no latents were recorded."""
        return (take.pair() for take in self.takes if take.latents is not None)


def check_header(header: dict[str, Any], path: Path) -> dict[str, Any]:
    """`header` of the recording at `path`, with every key this version needs.

    Raises
    ------
    RecordingError
        If the format is another one, or a key is missing or is not what it should be.
    """
    found = header.get("format")
    if found != FORMAT:
        raise RecordingError(f"{path}: recording format {found!r} found, {FORMAT} expected: record it again")
    wrong = [key for key, kind in HEADER_KINDS.items() if not isinstance(header.get(key, ...), kind)]
    if not wrong:
        wrong = [f"takes (entry {entry})" for entry in header["takes"] if not _is_entry(entry)]
        try:
            Layout.from_json(header["layout"])
        except LayoutError as error:
            wrong.append(f"layout ({error})")
    if wrong:
        raise RecordingError(f"{path}: damaged recording.json, wrong or missing: {', '.join(wrong)}")
    return header


def read_rows(path: Path, entry: dict[str, Any], layout: Layout, latent_size: int) -> Take:
    """The take of one entry of the header's list.

    Raises
    ------
    RecordingError
        If the file is missing, damaged, or has other columns or fewer rows than the header says.
    """
    file = path / entry["file"]
    if not file.is_file():
        raise RecordingError(
            f"{path}: {entry['file']} is listed in recording.json but is not there: put it back, "
            "or take its entry out of the list"
        )
    table, complete = read_take(file)
    if table.num_rows < entry.get("n_rows", 0):
        raise RecordingError(
            f"{file}: damaged, {table.num_rows} of its {entry['n_rows']} rows can be read: copy the file again, "
            "or take its entry out of the list in recording.json to use those"
        )
    if table.num_columns == 0:  # killed inside its first flush
        return Take(int(entry["index"]), np.empty(0), np.empty((0, len(layout))), None, None, complete=False)
    latent_names = [f"latent_{i}" for i in range(latent_size)]
    expected = ["time_s", *layout.names, *latent_names]
    if table.column_names != expected:
        raise RecordingError(f"{file}: columns {table.column_names} found, {expected} expected")
    rows = np.stack([table[name].to_numpy() for name in expected], axis=1).astype(np.float64)
    n_channels = len(layout)
    lag = entry.get("lag")
    return Take(
        index=int(entry["index"]),
        time_s=rows[:, 0],
        values=rows[:, 1 : 1 + n_channels],
        latents=rows[:, 1 + n_channels :] if latent_size else None,
        lag_s=(float(lag["lag_s"]) if lag else 0.0) if latent_size else None,
        complete=complete,
    )


def _is_entry(entry: Any) -> bool:
    """Whether `entry` names a take and the file that a recorder would write it to, not one elsewhere."""
    if not isinstance(entry, dict) or not isinstance(entry.get("index"), int):
        return False
    if not isinstance(entry.get("n_rows", 0), int):
        return False
    lag = entry.get("lag")
    lag_known = lag is None or (isinstance(lag, dict) and isinstance(lag.get("lag_s"), (int, float)))
    return entry.get("file") == take_file_name(entry["index"]) and lag_known


def _list_takes(path: Path, header: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of the header, and one for every take file that a killed recorder could not list."""
    entries = {int(entry["index"]): entry for entry in header["takes"]}
    for index, file in find_take_files(path).items():
        entries.setdefault(index, {"index": index, "file": file.name})
    return [entries[index] for index in sorted(entries)]
