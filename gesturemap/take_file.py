"""The two kinds of file in a recording folder, `recording.json` and `take-NNN.arrows`: names, and reading.

The one reader for replay and for recordings. A take is an Arrow IPC stream, which a killed recorder leaves
without its end: everything flushed before is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gesturemap.errors import RecordingError

if TYPE_CHECKING:
    import pyarrow as pa

HEADER_NAME = "recording.json"

# Every message of a stream begins with this mark; a mark with length 0 ends the stream.
# https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
_MARK = b"\xff\xff\xff\xff"
END_OF_STREAM = _MARK + b"\x00\x00\x00\x00"


def read_header(folder: str | Path) -> dict[str, Any]:
    """Contents of a recording's `recording.json`.

    Raises
    ------
    RecordingError
        If `folder` is not a recording, or the header is damaged.
    """
    path = Path(folder) / HEADER_NAME
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise RecordingError(
            f"{folder} is not a recording: expected a folder NAME.rec with {HEADER_NAME} in it, "
            "as `gesturemap record --out NAME.rec` writes"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordingError(f"{path} cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise RecordingError(f"{path}: expected a JSON object, found {type(header).__name__}")
    return header


def take_file_name(index: int) -> str:
    """``take-001.arrows`` for take 1."""
    return f"take-{index:03d}.arrows"


def find_take_files(folder: str | Path) -> dict[int, Path]:
    """Every take file in the folder by its number, in order, listed in the header or not."""
    files = {}
    for file in Path(folder).glob("take-*.arrows"):
        number = file.stem.removeprefix("take-")
        if number.isdecimal():
            files[int(number)] = file
    return dict(sorted(files.items()))


def remove_if_empty(folder: str | Path) -> bool:
    """Remove a recording without a take, not even one that was taken back; whether it was one."""
    folder = Path(folder)
    if [path.name for path in folder.iterdir()] != [HEADER_NAME]:
        return False
    (folder / HEADER_NAME).unlink()
    folder.rmdir()
    return True


def read_take(path: str | Path) -> tuple[pa.Table, bool]:
    """Every row of a take that was flushed.

    Returns
    -------
    table : column ``time_s`` (seconds) and one column a channel, then ``latent_0`` and so on. No columns at
        all when the recorder was killed before its first flush.
    complete : False when the recorder was killed before it could end the stream.

    Raises
    ------
    RecordingError
        If the file is absent, is not an Arrow stream, or holds times that do not increase.
    """
    import pyarrow as pa

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RecordingError(f"take {path} cannot be read: {error}") from None
    if not _MARK.startswith(data[:4]):
        raise RecordingError(f"{path} is not an Arrow IPC stream: expected the file a recorder wrote")
    batches = []
    complete = data.endswith(END_OF_STREAM)
    try:
        stream = pa.ipc.open_stream(data)
    except (pa.ArrowInvalid, OSError):
        return pa.table({}), False
    try:
        for batch in stream:
            batches.append(batch)
    except (pa.ArrowInvalid, OSError):
        complete = False  # the batch that was being written when the recorder died
    table = pa.Table.from_batches(batches, stream.schema)
    _check_times(table, path)
    return table, complete


def _check_times(table: pa.Table, path: str | Path) -> None:
    """Refuse what no recorder writes: a file that was damaged later."""
    if "time_s" not in table.column_names:
        return
    time_s = table["time_s"].to_numpy()
    wrong = ~(np.isfinite(time_s) & (np.diff(time_s, prepend=-np.inf) > 0))
    if wrong.any():
        raise RecordingError(
            f"{path}: damaged, the time does not increase at row {int(wrong.argmax()) + 1} of {len(time_s)}: "
            "copy the file again, or move it out of the recording"
        )
