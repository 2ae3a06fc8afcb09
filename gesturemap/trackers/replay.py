"""A recording, of any tracker, as a tracker again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gesturemap.errors import LayoutError, RecordingError, TrackerError
from gesturemap.frame import Array, Layout
from gesturemap.take_file import find_take_files, read_header, read_take
from gesturemap.trackers.stored import StoredTracker, mean_rate


class ReplayTracker(StoredTracker):
    """One take of a recording folder, with the times it was recorded with.

    Parameters
    ----------
    source : the folder ``NAME.rec``, or one take's file in it; the header is read here, so that the layout is
        known before `open`.
    take : the number in the take's file name; None for the file that `source` names, or the first one.

    Attributes
    ----------
    name : the tracker that was recorded, so that a replay plays the same mappings.
    complete : False when the recorder was killed and the end of the take may be missing; known once open.

    Raises
    ------
    TrackerError
        If `source` is not a recording or has no such take.
    """

    def __init__(self, source: str | Path, take: int | None = None) -> None:
        self.source = str(source)
        self.complete = True
        folder = Path(source)
        if folder.suffix == ".arrows":
            take = _take_number(folder) if take is None else take
            folder = folder.parent
        try:
            header = read_header(folder)
            self.layout = Layout.from_json(header["layout"])
            self.name = str(header["tracker"])
        except KeyError as error:
            raise TrackerError(f"{source}: recording.json has no {error}: the recording is damaged") from None
        except (RecordingError, LayoutError) as error:
            raise TrackerError(str(error)) from None
        self._take = _find_take(folder, take)
        self.frame_rate = mean_rate(self.load()[0])

    def load(self) -> tuple[Array, Array]:
        """Times and channel columns of the take."""
        try:
            table, self.complete = read_take(self._take)
        except RecordingError as error:
            raise TrackerError(str(error)) from None
        missing = [name for name in ("time_s", *self.layout.names) if name not in table.column_names]
        if missing or table.num_rows == 0:
            raise TrackerError(
                f"{self._take}: {table.num_rows} frames"
                + (f", without the columns {', '.join(missing[:5])}" if missing else "")
                + ": nothing to replay, record the take again"
            )
        columns = [table[name].to_numpy() for name in self.layout.names]
        return table["time_s"].to_numpy(), np.stack(columns, axis=1).astype(np.float64)


def _take_number(file: Path) -> int:
    number = file.stem.removeprefix("take-")
    if not number.isdecimal():
        raise TrackerError(f"{file}: no take; expected the recording's folder, or a file take-NNN.arrows in it")
    return int(number)


def _find_take(folder: Path, number: int | None) -> Path:
    takes = find_take_files(folder)
    if not takes:
        raise TrackerError(f"{folder} has no takes: nothing to replay")
    if number is None:
        return next(iter(takes.values()))
    if number not in takes:
        raise TrackerError(f"{folder} has no take {number}; there are: {', '.join(map(str, takes))}")
    return takes[number]
