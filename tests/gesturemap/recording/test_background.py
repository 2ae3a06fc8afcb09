"""A recorder behind the control loop: everything arrives in order, and a full disk ends the recording, not the loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.frame import Channel, Frame, Layout
from gesturemap.recording import Recording
from gesturemap.recording.background import BackgroundRecorder
from gesturemap.recording.recorder import Recorder

LAYOUT = Layout((Channel("x", "mm", 0.0, 1.0),))


def open_recorder(path: Path) -> Recorder:
    return Recorder(path, LAYOUT, "synthetic", "a test", "file", "a" * 64, "m", latent_size=2)


def write_take(recorder: BackgroundRecorder, start_s: float, n_rows: int) -> None:
    recorder.start_take()
    for index in range(n_rows):
        recorder.write(Frame(start_s + index / 100.0, np.array([float(index)])), np.array([start_s, index]))
    recorder.stop_take()


def test_every_take_arrives_whole_and_in_order(tmp_path: Path) -> None:
    recorder = BackgroundRecorder(open_recorder(tmp_path / "a.rec"))
    write_take(recorder, 0.0, 500)
    write_take(recorder, 10.0, 50)
    recorder.undo_take()
    write_take(recorder, 20.0, 30)
    recorder.undo_take()
    recorder.redo_take()
    recorder.start_take()
    recorder.write(Frame(30.0, np.array([7.0])), np.zeros(2))
    recorder.close()  # in the middle of a take
    assert recorder.problem == ""
    takes = Recording.load(tmp_path / "a.rec").takes
    assert [(float(take.time_s[0]), len(take.time_s)) for take in takes] == [(0.0, 500), (20.0, 30), (30.0, 1)]
    np.testing.assert_array_equal(takes[0].latents, np.stack([np.zeros(500), np.arange(500.0)], axis=1))


def test_a_full_disk_is_said_and_nothing_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = open_recorder(tmp_path / "a.rec")

    def full(*_: object) -> None:
        raise RecordingError("no space left")

    monkeypatch.setattr(inner, "write", full)
    recorder = BackgroundRecorder(inner)
    write_take(recorder, 0.0, 3)
    recorder.close()
    assert recorder.problem == "no space left"
