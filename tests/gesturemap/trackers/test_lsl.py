"""Streams of the lab streaming layer: a real one on this machine, and files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.clock import ManualClock, MonotonicClock
from gesturemap.errors import MissingExtraError, RecordingError, TrackerError
from gesturemap.recording.session import record
from gesturemap.recording.tables import import_table
from gesturemap.trackers import open_tracker, read_all
from gesturemap.trackers.lsl import LslTracker, open_inlet
from gesturemap.trackers.lsl_layout import lsl_layout, span


def test_a_file(xdf_file: Path) -> None:
    """Its published nine samples at 10 Hz, through the command line's spec."""
    tracker = open_tracker(f"lsl:{xdf_file}")
    time_s, values = read_all(tracker)
    np.testing.assert_allclose(time_s, np.arange(9) / 10)
    assert values[:3].tolist() == [[192, 255, 238], [12, 22, 32], [13, 23, 33]]
    assert (tracker.name, tracker.live, len(tracker.layout)) == ("lsl", False, 3)
    assert tracker.frame_rate == pytest.approx(10.0)


def test_a_file_becomes_a_recording(xdf_file: Path, tmp_path: Path) -> None:
    """Recorded as a tracker or imported as a table: the same numbers."""
    recorded = record(open_tracker(f"lsl:{xdf_file}?stream=SendDataC"), tmp_path / "mocap.rec")
    imported = import_table(xdf_file, tmp_path / "table.rec")
    for made in (recorded, imported):
        assert made.takes[0].values[1].tolist() == [12, 22, 32]
        np.testing.assert_allclose(made.takes[0].time_s, np.arange(9) / 10)
    (tmp_path / "text.xdf").write_bytes(b"no xdf")
    with pytest.raises(RecordingError, match="text.xdf: not an XDF file"):
        import_table(tmp_path / "text.xdf", tmp_path / "none.rec")


@pytest.mark.parametrize(
    ("stream", "message"),
    [("SendDataString", "holds text"), ("Kinect", r"0 streams .* called 'Kinect'.*SendDataC \(EEG\)")],
)
def test_streams_that_are_no_motion(stream: str, message: str, xdf_file: Path) -> None:
    """Markers, and what is not in the file."""
    with pytest.raises(TrackerError, match=message):
        open_tracker(f"lsl:{xdf_file}?stream={stream}")


def test_a_file_is_read_without_a_word_of_the_parser(
    xdf_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody can act on what pyxdf logs of a file that ends within a chunk."""
    (tmp_path / "cut.xdf").write_bytes(xdf_file.read_bytes()[:-5])
    open_tracker(f"lsl:{tmp_path / 'cut.xdf'}")
    assert not [line for line in caplog.records if "xdf" in line.name]


def test_files_that_are_none(xdf_file: Path, tmp_path: Path) -> None:
    """Absent, text, cut off before its first stream."""
    with pytest.raises(TrackerError, match="no XDF file"):
        open_tracker("lsl:none.xdf")
    for name, data in (("text.xdf", b"no xdf" * 9), ("empty.xdf", b""), ("cut.xdf", xdf_file.read_bytes()[:200])):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TrackerError, match=name):
            open_tracker(f"lsl:{tmp_path / name}")


def test_labels_become_names() -> None:
    """Of any language and any number of times."""
    layout = lsl_layout(["Hand X", "Hand X", "", "  "], ["mm", "", "", ""], np.zeros(4), np.array([5.0, 1, 1, 0]))
    assert layout.names == ("hand_x", "hand_x_2", "channel_3", "channel_4")
    assert [channel.unit for channel in layout.channels] == ["mm", "unknown", "unknown", "unknown"]
    assert layout.channels[3].high == 1.0
    low, high = span(np.array([[np.nan, 1.0], [np.nan, 3.0]]))
    assert (low.tolist(), high.tolist()) == ([0.0, 1.0], [1.0, 3.0])


def test_a_live_stream(lsl_outlet: Any) -> None:
    """Found by name and by type; samples come with the time at which they were taken, on our clock."""
    import pylsl

    name, clock = lsl_outlet.get_info().name(), MonotonicClock()
    assert open_tracker("lsl:type=MoCap").layout.names == ("hand_x", "hand_y", "channel_3")
    with LslTracker(name, clock=clock) as tracker:
        assert tracker.frame_rate == 100.0
        assert lsl_outlet.wait_for_consumers(10.0)
        taken_s = clock.now_s() - 0.2
        lsl_outlet.push_sample([0.25, 0.5, 0.75], pylsl.local_clock() - 0.2)
        frame = tracker.read(10.0)
    assert frame is not None
    assert frame.values.tolist() == [0.25, 0.5, 0.75]
    assert frame.time_s == pytest.approx(taken_s, abs=0.02)


def test_a_stream_that_stops(lsl_outlet: Any, clock: ManualClock) -> None:
    """Absent after the timeout, once, until it sends again."""
    with LslTracker(lsl_outlet.get_info().name(), clock=clock, opener=open_inlet) as tracker:
        assert tracker.read(0.0) is None
        assert lsl_outlet.wait_for_consumers(10.0)
        lsl_outlet.push_sample([1.0, 1.0, 1.0])
        assert tracker.read(10.0) is not None
        clock.sleep_s(1.1)
        away = tracker.read(0.0)
        assert away is not None
        assert np.isnan(away.values).all()
        lsl_outlet.push_sample([0.5, 0.5, 0.5])
        frames = (tracker.read(0.1) for _ in range(100))
        back = next(frame for frame in frames if frame and np.isfinite(frame.values).all())
        assert back.values.tolist() == [0.5, 0.5, 0.5]
        assert tracker.lost == 1


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra, for streams and for files."""
    monkeypatch.setitem(sys.modules, "pylsl", None)
    monkeypatch.setitem(sys.modules, "pyxdf", None)
    with pytest.raises(MissingExtraError, match=r"gesturemap\[lsl\].*lsl:FILE.xdf"):
        open_tracker("lsl:Kinect")
    with pytest.raises(MissingExtraError, match=r"gesturemap\[lsl\]"):
        open_tracker("lsl:mocap.xdf")
