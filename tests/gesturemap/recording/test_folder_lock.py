"""Only one program writes into a folder; a killed one leaves no lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.frame import Channel, Layout
from gesturemap.recording import Recorder
from gesturemap.recording.folder_lock import FolderLock

LAYOUT = Layout((Channel("x", "mm", 0.0, 1.0),))


def test_the_second_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(RecordingError, match="is in use: a bridge, a recording or a performance"):
        FolderLock(tmp_path)
    first.release()
    first.release()
    second = FolderLock(tmp_path)
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from gesturemap.recording.folder_lock import FolderLock;"
        "lock = FolderLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(RecordingError, match="in use"):
            FolderLock(tmp_path)
        process.kill()
        process.wait()
        FolderLock(tmp_path).release()


def test_two_recorders_of_one_recording(tmp_path: Path) -> None:
    def append() -> Recorder:
        return Recorder(tmp_path / "a.rec", LAYOUT, "synthetic", "a test", "file", append=True)

    with append() as first:
        first.start_take()
        first.write_rows(np.array([0.0]), np.array([[1.0]]))
        with pytest.raises(RecordingError, match="in use"):
            append()
    with append() as second:
        assert second.start_take() == 2
