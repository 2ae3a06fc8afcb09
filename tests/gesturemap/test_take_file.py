"""Reading a recording folder, whole and cut short."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gesturemap.errors import RecordingError
from gesturemap.take_file import find_take_files, read_header, read_take

ROWS = 7
BATCHES = 4


@pytest.fixture
def take(tmp_path: Path) -> tuple[Path, list[int]]:
    """A take of four batches of seven rows, and the file's length after each flush."""
    path = tmp_path / "take-001.arrows"
    schema = pa.schema([("time_s", pa.float64()), ("left_x", pa.float64())])
    lengths = []
    with path.open("wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for index in range(BATCHES):
            rows = np.arange(ROWS) + index * ROWS
            writer.write_batch(pa.record_batch([rows / 10, rows * 1.0], schema=schema))
            file.flush()
            lengths.append(path.stat().st_size)
    return path, lengths


def test_complete_take_gives_every_row(take: tuple[Path, list[int]]) -> None:
    """All rows in order, and `complete`."""
    table, complete = read_take(take[0])
    assert complete
    np.testing.assert_array_equal(table["left_x"].to_numpy(), np.arange(ROWS * BATCHES))


def test_every_cut_keeps_what_was_flushed(take: tuple[Path, list[int]], tmp_path: Path) -> None:
    """Cut anywhere, exactly the batches before the cut are there, and the take is not complete."""
    path, lengths = take
    data = path.read_bytes()
    cut_path = tmp_path / "cut.arrows"
    for cut in sorted({*range(0, len(data), 11), *lengths, *(length - 1 for length in lengths)}):
        cut_path.write_bytes(data[:cut])
        table, complete = read_take(cut_path)
        assert not complete
        assert table.num_rows == ROWS * sum(length <= cut for length in lengths)


def test_times_that_do_not_increase_are_damage(take: tuple[Path, list[int]]) -> None:
    """No recorder writes them; without the check they would surface in a fit, without the file's name."""
    path = take[0]
    schema = pa.schema([("time_s", pa.float64())])
    for times, row in (([0.0, 0.1, 0.1], 3), ([0.0, np.nan], 2), ([2.0, 1.0], 2), ([np.inf], 1)):
        with path.open("wb") as file, pa.ipc.new_stream(file, schema) as writer:
            writer.write_batch(pa.record_batch([np.array(times)], schema=schema))
        with pytest.raises(RecordingError, match=rf"take-001\.arrows: damaged, .* row {row} of {len(times)}: copy"):
            read_take(path)


def test_refuses_what_is_no_take(tmp_path: Path) -> None:
    """An absent file and a file of something else are named."""
    with pytest.raises(RecordingError, match=r"absent\.arrows"):
        read_take(tmp_path / "absent.arrows")
    (tmp_path / "text.arrows").write_text("time_s,left_x\n")
    with pytest.raises(RecordingError, match="not an Arrow IPC stream"):
        read_take(tmp_path / "text.arrows")


def test_header(tmp_path: Path) -> None:
    """The header comes back; a folder without one, or with a broken one, is refused."""
    with pytest.raises(RecordingError, match="not a recording"):
        read_header(tmp_path)
    (tmp_path / "recording.json").write_text("{")
    with pytest.raises(RecordingError, match="cannot be read"):
        read_header(tmp_path)
    (tmp_path / "recording.json").write_text("[]")
    with pytest.raises(RecordingError, match="expected a JSON object"):
        read_header(tmp_path)
    (tmp_path / "recording.json").write_text(json.dumps({"tracker": "hands"}))
    assert read_header(tmp_path) == {"tracker": "hands"}


def test_takes_are_listed_in_order(tmp_path: Path) -> None:
    """By number, without the file that is being written."""
    for name in ("take-1000.arrows", "take-002.arrows", "take-001.arrows", "take-003.arrows.part", "take-x.arrows"):
        (tmp_path / name).touch()
    assert [(index, path.name) for index, path in find_take_files(tmp_path).items()] == [
        (1, "take-001.arrows"),
        (2, "take-002.arrows"),
        (1000, "take-1000.arrows"),
    ]
