"""SIGKILL in the middle of a recording; benchmarks/kill_recording.py does it twenty times at random moments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gesturemap.recording import Recorder, Recording
from gesturemap.trackers import open_tracker, read_all

CHILD = """
import sys
import numpy as np
from gesturemap.frame import Channel, Layout
from gesturemap.recording import Recorder
layout = Layout(tuple(Channel(f"c{i}", "mm", 0.0, 1.0) for i in range(130)))
with Recorder(sys.argv[1], layout, "synthetic", "flood", "file") as recorder:
    recorder.start_take()
    while True:
        time_s = np.arange(recorder.n_rows, recorder.n_rows + 2000, dtype=float)
        recorder.write_rows(time_s, np.sin(time_s[:, None] + np.arange(130)))
        recorder.flush()
        print(recorder.n_flushed, "pandas" in sys.modules, flush=True)
"""


@pytest.mark.parametrize("n_flushes", [1, 3, 6])
def test_every_flushed_row_survives_a_kill(tmp_path: Path, n_flushes: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "a.rec")], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(n_flushes)]
        child.kill()
        said += [line for line in child.stdout.readlines() if line.endswith("\n")]
    n_flushed, pandas_loaded = said[-1].split()
    assert pandas_loaded == "False", "loading pandas at the first flush holds up a take by half a second"
    recording = Recording.load(tmp_path / "a.rec")
    (take,) = recording.takes
    assert not take.complete
    assert len(take.time_s) >= int(n_flushed) >= 2000 * n_flushes
    np.testing.assert_array_equal(take.time_s, np.arange(len(take.time_s)))
    np.testing.assert_array_equal(take.values, np.sin(take.time_s[:, None] + np.arange(130)))
    replayed_s, values = read_all(open_tracker(f"replay:{tmp_path / 'a.rec'}"))
    np.testing.assert_array_equal(replayed_s, take.time_s)
    np.testing.assert_array_equal(values, take.values)
    with Recorder(recording.path, recording.layout, "synthetic", "flood", "file", append=True) as recorder:
        assert recorder.start_take() == 2
