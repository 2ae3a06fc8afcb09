"""A recording played again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import TrackerError
from gesturemap.trackers import open_tracker, read_all
from gesturemap.trackers.replay import ReplayTracker
from gesturemap.trackers.synthetic import SyntheticTracker


def test_replay_is_what_was_recorded(recording: Path) -> None:
    """Same layout, times and values; the name is the recorded tracker's, so its mappings fit."""
    original = SyntheticTracker(seed=1, seconds=2.0)
    replay = open_tracker(f"replay:{recording}")
    assert (replay.name, replay.live, replay.layout) == ("gametrak", False, original.layout)
    assert replay.frame_rate == pytest.approx(80.0)
    for expected, found in zip(read_all(original), read_all(replay), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_takes_are_chosen_by_number(recording: Path) -> None:
    """The second is the three-second one, also when named by its file; a third is not there."""
    for tracker in (ReplayTracker(recording, take=2), open_tracker(f"replay:{recording}/take-002.arrows")):
        assert len(read_all(tracker)[0]) == 240
    with pytest.raises(TrackerError, match="no take 3; there are: 1, 2"):
        ReplayTracker(recording, take=3)


def test_take_of_a_killed_recorder(recording: Path) -> None:
    """What was flushed is played, and it shows that the end is missing."""
    path = recording / "take-001.arrows"
    path.write_bytes(path.read_bytes()[:-200])
    tracker = ReplayTracker(recording)
    time_s, values = read_all(tracker)
    assert not tracker.complete
    assert len(time_s) == 128
    np.testing.assert_array_equal(values, read_all(SyntheticTracker(seed=1, seconds=2.0))[1][:128])


def test_what_is_no_recording(tmp_path: Path, recording: Path) -> None:
    """Absent, empty folder, no takes, damaged header, missing column, take without rows."""
    for path in (tmp_path / "none.rec", tmp_path):
        with pytest.raises(TrackerError, match="not a recording"):
            ReplayTracker(path)
    with pytest.raises(TrackerError, match="expected the recording's folder, or a file take-NNN.arrows in it"):
        ReplayTracker(recording / "song.arrows")
    with pytest.raises(TrackerError, match=r"replay:NAME\.rec"):
        open_tracker("replay")
    take = recording / "take-001.arrows"
    take.write_bytes(take.read_bytes()[:8])
    with pytest.raises(TrackerError, match="0 frames"):
        ReplayTracker(recording)
    header = json.loads((recording / "recording.json").read_text())
    header["layout"].append({"name": "extra", "unit": "mm", "low": 0, "high": 1})
    (recording / "recording.json").write_text(json.dumps(header))
    with pytest.raises(TrackerError, match="without the columns extra"):
        ReplayTracker(recording, take=2)
    del header["layout"]
    (recording / "recording.json").write_text(json.dumps(header))
    with pytest.raises(TrackerError, match="layout"):
        ReplayTracker(recording)
    for damaged in recording.glob("*.arrows"):
        damaged.unlink()
    (recording / "recording.json").write_text(json.dumps({"tracker": "hands", "layout": [{"name": "x"}]}))
    with pytest.raises(TrackerError, match="not a channel list"):
        ReplayTracker(recording)
