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


SESSION = """
import sys
from gesturemap.recording.session import record
from gesturemap.trackers import open_tracker

def say(progress):
    print(progress.take, progress.time_s, progress.n_flushed, flush=True)

tracker = open_tracker("synthetic:live=true")
record(tracker, sys.argv[1], seconds=0.6, takes=3, count_in_s=0.6, silent=True, on_progress=say)
"""


@pytest.mark.parametrize(
    ("take", "counting_in"), [(1, True), (1, False), (2, True), (2, False)], ids=["in 1", "take 1", "in 2", "take 2"]
)
def test_a_session_killed_while_counting_in_or_recording_keeps_what_was_flushed(
    tmp_path: Path, take: int, counting_in: bool
) -> None:
    """A real clock, in a process of its own; the kill comes at the first sign of the moment meant, whenever that is."""
    out = tmp_path / "a.rec"
    with subprocess.Popen([sys.executable, "-c", SESSION, str(out)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            running, time_s, n_flushed = line.split()
            if int(running) == take and (float(time_s) < 0 if counting_in else int(n_flushed) > 0):
                break
        child.kill()
    recording = Recording.load(out)
    whole = [found for found in recording.takes if found.complete]
    assert [found.index for found in whole] == list(range(1, take))
    for found in whole:
        assert found.duration_s > 0.4
    if counting_in:
        assert len(recording.takes) == len(whole)
    else:
        assert len(recording.takes[-1].time_s) >= int(n_flushed) > 0
    with Recorder(out, recording.layout, "synthetic", "again", "monotonic", append=True) as recorder:
        assert recorder.start_take() == len(recording.takes) + 1
