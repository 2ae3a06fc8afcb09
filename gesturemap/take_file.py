"""Reading the two kinds of file in a recording folder: `recording.json` and `take-NNN.arrows`.

The one reader for replay and for recordings. A take is an Arrow IPC stream, which a killed recorder leaves
without its end: everything flushed before is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gesturemap.errors import RecordingError

if TYPE_CHECKING:
    import pyarrow as pa

HEADER_NAME = "recording.json"
TAKE_PATTERN = "take-*.arrows"

# Every message of a stream begins with this mark; a mark with length 0 ends the stream.
# https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
_MARK = b"\xff\xff\xff\xff"
_END = _MARK + b"\x00\x00\x00\x00"


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


def list_takes(folder: str | Path) -> list[Path]:
    """The take files of a recording, in order."""
    return sorted(Path(folder).glob(TAKE_PATTERN))


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
        If the file is absent or is not an Arrow stream.
    """
    import pyarrow as pa

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RecordingError(f"take {path} cannot be read: {error}") from None
    if not _MARK.startswith(data[:4]):
        raise RecordingError(f"{path} is not an Arrow IPC stream: expected the file a recorder wrote")
    batches = []
    try:
        stream = pa.ipc.open_stream(data)
    except (pa.ArrowInvalid, OSError):
        return pa.table({}), False
    try:
        for batch in stream:
            batches.append(batch)
    except (pa.ArrowInvalid, OSError):
        # The batch that was being written when the recorder died.
        return pa.Table.from_batches(batches, stream.schema), False
    return pa.Table.from_batches(batches, stream.schema), data.endswith(_END)
