"""Reading recordings back: lag, trimming, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.frame import Channel, Layout
from gesturemap.recording import Recorder, Recording, Take

LAYOUT = Layout((Channel("x", "mm", -1.0, 1.0),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of one take, 2 s at 100 Hz: the latent is a line in time, the hand its copy 0.13 s later."""
    time_s = 5.0 + np.arange(200) / 100
    with Recorder(tmp_path / "a.rec", LAYOUT, "synthetic", "", "file", "f00d", "toy", 1) as recorder:
        recorder.start_take()
        recorder.write_rows(time_s, 3.0 * (time_s[:, None] - 0.13), 3.0 * time_s[:, None])
    return tmp_path / "a.rec"


def set_header(folder: Path, **changes: object) -> None:
    path = folder / "recording.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("lag_s", [0.13, -0.13, 0.0])
def test_a_pair_is_the_hand_and_the_latents_it_answers(folder: Path, lag_s: float) -> None:
    header = json.loads((folder / "recording.json").read_text())
    entry = header["takes"][0] | {"lag": {"lag_s": lag_s}}
    set_header(folder, takes=[entry])
    ((take, latents),) = Recording.load(folder).pairs()
    assert len(take.time_s) == len(latents) == len(take.values) == 200 - round(abs(lag_s) * 100)
    np.testing.assert_allclose(latents[:, 0], 3.0 * (take.time_s - lag_s), atol=1e-9)
    if lag_s > 0:
        np.testing.assert_allclose(latents, take.values, atol=1e-9)


def test_a_recording_of_gestures_alone_has_no_pairs(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.rec", LAYOUT, "synthetic", "", "file") as recorder:
        recorder.start_take()
        recorder.write_rows(np.arange(3.0), np.zeros((3, 1)))
    recording = Recording.load(tmp_path / "a.rec")
    assert list(recording.pairs()) == []
    assert (recording.takes[0].latents, recording.takes[0].lag_s) == (None, None)
    with pytest.raises(RecordingError, match="--model MODEL_DIR --play TRAJECTORY"):
        recording.takes[0].pair()


def test_trim_counts_from_the_first_row_and_leaves_the_files(folder: Path) -> None:
    recording = Recording.load(folder)
    assert recording.takes[0].duration_s == pytest.approx(1.99)
    (take,) = recording.trim(1, 0.5, 0.75).takes
    np.testing.assert_allclose(take.time_s, 5.5 + np.arange(25) / 100)
    assert take.latents is not None
    assert len(take.values) == len(take.latents) == 25
    assert len(Recording.load(folder).takes[0].time_s) == 200
    with pytest.raises(RecordingError, match=r"no row between 3 and 4 s; it lasts 1\.990 s"):
        recording.trim(1, 3.0, 4.0)
    with pytest.raises(RecordingError, match="no take 2; there are: 1"):
        recording.trim(2)


def test_select_takes_rows_from_every_column() -> None:
    take = Take(1, np.arange(4.0), np.arange(4.0)[:, None], None, None, complete=True)
    np.testing.assert_array_equal(take.select(take.time_s > 1).values[:, 0], [2.0, 3.0])


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RecordingError, match="is not a recording"):
            Recording.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 7}, "recording format 7 found, 1 expected"),
        ({"layout": None}, "wrong or missing: layout"),
        ({"layout": [{"name": "x"}]}, "wrong or missing: layout"),
        ({"latent_size": "1"}, "wrong or missing: latent_size"),
        ({"takes": {}}, "wrong or missing: takes"),
        ({"takes": [{"index": 1, "file": "../take-001.arrows"}]}, r"takes \(entry"),
        ({"takes": [{"index": 1, "file": "take-001.arrows", "lag": 3}]}, r"takes \(entry"),
        ({"takes": [{"index": 1, "file": "take-001.arrows", "n_rows": "many"}]}, r"takes \(entry"),
        ({"takes": [{"index": 1, "file": "take-001.arrows", "n_rows": 201}]}, "200 of its 201 rows can be read"),
        ({"takes": [{"index": 4, "file": "take-004.arrows"}]}, "take-004.arrows is listed .* put it back"),
        ({"latent_size": 2}, "columns .* expected"),
        ({"layout": [{"name": "z", "unit": "mm", "low": 0, "high": 1}]}, "columns .* expected"),
    ],
)
def test_a_damaged_header_says_what_is_wrong(folder: Path, changes: dict[str, object], message: str) -> None:
    set_header(folder, **changes)
    with pytest.raises(RecordingError, match=message):
        Recording.load(folder)


def test_a_header_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "recording.json").write_text('{"format": 1,')
    with pytest.raises(RecordingError, match="cannot be read"):
        Recording.load(folder)


def test_a_finished_take_that_lost_rows_is_not_silently_a_shorter_one(folder: Path) -> None:
    """A copy that broke off. Taken out of the list it is what a killed recorder leaves, and readable as that."""
    file = folder / "take-001.arrows"
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(RecordingError, match=r"take-001\.arrows: damaged, 0 of its 200 rows .* copy the file again"):
        Recording.load(folder)
    set_header(folder, takes=[])
    assert Recording.load(folder).takes == []
