"""What the recorder promises: every flushed row is readable, and nothing is half written."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.frame import Channel, Frame, Layout
from gesturemap.recording import Recorder, Recording
from gesturemap.recording.lag import LagEstimate
from gesturemap.take_file import read_take

LAYOUT = Layout((Channel("x", "mm", -1.0, 1.0), Channel("y", "mm", -1.0, 1.0)))


def make(path: Path, **options: object) -> Recorder:
    return Recorder(path, LAYOUT, "synthetic", "seed=0", "file", **options)  # type: ignore[arg-type]


def rows(n: int, start_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    time_s = start_s + np.arange(n) / 60
    return time_s, np.stack([np.sin(time_s), np.cos(time_s)], axis=1)


def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    time_s, values = rows(500)
    values[100:120] = np.nan
    latents = np.random.default_rng(0).normal(size=(500, 3))
    with make(tmp_path / "a.rec", model_id="f00d", model_name="toy", latent_size=3, notes=["hello"]) as recorder:
        recorder.start_take()
        for i in range(500):
            recorder.write(Frame(time_s[i], values[i]), latents[i])
        recorder.stop_take()
    recording = Recording.load(tmp_path / "a.rec")
    assert (recording.layout, recording.tracker, recording.source) == (LAYOUT, "synthetic", "seed=0")
    assert (recording.clock, recording.model_id, recording.latent_size) == ("file", "f00d", 3)
    assert recording.notes == ("hello",)
    (take,) = recording.takes
    assert take.index == 1
    assert take.complete
    assert take.lag_s == 0.0
    np.testing.assert_array_equal(take.time_s, time_s)
    np.testing.assert_array_equal(take.values, values)
    np.testing.assert_array_equal(take.latents, latents)


def test_units_are_in_the_take_file_itself(tmp_path: Path) -> None:
    with make(tmp_path / "a.rec", model_id="f00d", model_name="toy", latent_size=1) as recorder:
        recorder.start_take()
        recorder.write(Frame(0.0, np.zeros(2)), np.zeros(1))
    table, complete = read_take(tmp_path / "a.rec" / "take-001.arrows")
    assert complete
    units = {field.name: field.metadata[b"unit"].decode() for field in table.schema}
    assert units == {"time_s": "s", "x": "mm", "y": "mm", "latent_0": "latent"}


def test_rows_are_flushed_within_the_quarter_of_a_second(tmp_path: Path) -> None:
    now = 0.0
    recorder = make(tmp_path / "a.rec", now_s=lambda: now)
    recorder.start_take()
    oldest_waiting_s = 0.0
    for i in range(300):
        now = i / 100
        if i % 7 == 0:  # frames come at 14 Hz, the loop looks at 100 Hz
            recorder.write(Frame(now, np.zeros(2)))
        recorder.flush_if_due()
        on_disk = 0
        if recorder.n_flushed:
            on_disk = read_take(tmp_path / "a.rec" / "take-001.arrows")[0].num_rows
        assert on_disk == recorder.n_flushed
        if on_disk < recorder.n_rows:
            oldest_waiting_s = max(oldest_waiting_s, now - on_disk * 0.07)
    assert 0.1 < oldest_waiting_s < 0.25


def test_many_rows_at_once_do_not_pile_up_in_memory(tmp_path: Path) -> None:
    with make(tmp_path / "a.rec", now_s=lambda: 0.0) as recorder:
        recorder.start_take()
        recorder.write_rows(*rows(5000))
        assert recorder.n_flushed == 5000


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 100, 300])
def test_a_torn_end_costs_the_last_batch_only(tmp_path: Path, cut: int) -> None:
    time_s, values = rows(90)
    recorder = make(tmp_path / "a.rec")
    recorder.start_take()
    for part in range(3):
        recorder.write_rows(time_s[30 * part : 30 * part + 30], values[30 * part : 30 * part + 30])
        recorder.flush()
    recorder.stop_take()
    header = tmp_path / "a.rec" / "recording.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | {"takes": []}))  # a kill comes before it is listed
    file = tmp_path / "a.rec" / "take-001.arrows"
    file.write_bytes(file.read_bytes()[:-cut])
    (take,) = Recording.load(tmp_path / "a.rec").takes
    assert not take.complete
    kept = 90 if cut <= 8 else 60
    np.testing.assert_array_equal(take.time_s, time_s[:kept])
    np.testing.assert_array_equal(take.values, values[:kept])


def test_a_killed_take_is_found_though_no_list_names_it(tmp_path: Path) -> None:
    recorder = make(tmp_path / "a.rec")
    for start_s in (0.0, 10.0):
        recorder.start_take()
        recorder.write_rows(*rows(10, start_s))
        recorder.flush()
        if start_s == 0.0:
            recorder.stop_take()
    assert len(json.loads((tmp_path / "a.rec" / "recording.json").read_text())["takes"]) == 1
    takes = Recording.load(tmp_path / "a.rec").takes
    assert [(take.index, take.complete, len(take.time_s)) for take in takes] == [(1, True, 10), (2, False, 10)]


@pytest.mark.parametrize("n_bytes", [0, 3, 8, 40])
def test_a_take_killed_in_its_first_flush_is_no_take(tmp_path: Path, n_bytes: int) -> None:
    with make(tmp_path / "a.rec") as recorder:
        recorder.start_take()
        recorder.write_rows(*rows(10))
    begin = (tmp_path / "a.rec" / "take-001.arrows").read_bytes()[:n_bytes]
    (tmp_path / "a.rec" / "take-002.arrows").write_bytes(begin)
    assert [take.index for take in Recording.load(tmp_path / "a.rec").takes] == [1]


def test_a_take_without_rows_leaves_nothing(tmp_path: Path) -> None:
    with make(tmp_path / "a.rec") as recorder:
        recorder.start_take()
        assert recorder.stop_take() is None
    assert [file.name for file in (tmp_path / "a.rec").iterdir()] == ["recording.json"]
    assert Recording.load(tmp_path / "a.rec").takes == []


def test_append_adds_takes_after_the_ones_there(tmp_path: Path) -> None:
    for start_s in (0.0, 10.0):
        with make(tmp_path / "a.rec", append=True) as recorder:
            recorder.start_take()
            recorder.write_rows(*rows(10, start_s))
    takes = Recording.load(tmp_path / "a.rec").takes
    assert [(take.index, take.time_s[0]) for take in takes] == [(1, 0.0), (2, 10.0)]


def test_append_goes_on_after_a_killed_take(tmp_path: Path) -> None:
    dead = make(tmp_path / "a.rec")
    dead.start_take()
    dead.write_rows(*rows(10))
    dead.flush()
    dead._lock.release()  # as its end does
    with make(tmp_path / "a.rec", append=True) as recorder:
        recorder.start_take()
        recorder.write_rows(*rows(10))
    assert [take.complete for take in Recording.load(tmp_path / "a.rec").takes] == [False, True]


def test_an_existing_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    with make(tmp_path / "a.rec"):
        pass
    before = (tmp_path / "a.rec" / "recording.json").read_bytes()
    with pytest.raises(RecordingError, match="exists: choose another name, or --append"):
        make(tmp_path / "a.rec")
    assert (tmp_path / "a.rec" / "recording.json").read_bytes() == before


def test_append_refuses_another_layout_tracker_or_model(tmp_path: Path) -> None:
    with make(tmp_path / "a.rec"):
        pass
    other = Layout((Channel("x", "m", -1.0, 1.0), Channel("y", "mm", -1.0, 1.0)))
    with pytest.raises(RecordingError, match="its channels are others"):
        Recorder(tmp_path / "a.rec", other, "synthetic", "seed=0", "file", append=True)
    with pytest.raises(RecordingError, match="holds takes of synthetic on .* this would be hands on the file clock"):
        Recorder(tmp_path / "a.rec", LAYOUT, "hands", "0", "file", append=True)
    with pytest.raises(RecordingError, match="with no latents; .* with latents of model 'toy' .f00d."):
        make(tmp_path / "a.rec", append=True, model_id="f00d", model_name="toy", latent_size=2)


def test_rows_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with make(tmp_path / "a.rec") as recorder:
        with pytest.raises(RecordingError, match="no take is running"):
            recorder.write(Frame(0.0, np.zeros(2)))
        recorder.start_take()
        with pytest.raises(RecordingError, match="shapes"):
            recorder.write(Frame(0.0, np.zeros(3)))
        with pytest.raises(RecordingError, match="shapes"):
            recorder.write(Frame(0.0, np.zeros(2)), np.zeros(1))
        recorder.write(Frame(1.0, np.zeros(2)))
        for time_s in (1.0, 0.5, np.nan):
            with pytest.raises(RecordingError, match="times must increase"):
                recorder.write(Frame(time_s, np.zeros(2)))
        with pytest.raises(RecordingError, match="take 1 is running"):
            recorder.start_take()


@pytest.mark.parametrize("name", ["time_s", "take", "latent_0"])
def test_reserved_channel_names_are_refused(tmp_path: Path, name: str) -> None:
    layout = Layout((Channel(name, "mm", -1.0, 1.0),))
    with pytest.raises(RecordingError, match="belong to the recording"):
        Recorder(tmp_path / "a.rec", layout, "synthetic", "seed=0", "file")
    assert not (tmp_path / "a.rec").exists()


def test_a_lag_is_stored_with_its_take(tmp_path: Path) -> None:
    with make(tmp_path / "a.rec", model_id="f00d", model_name="toy", latent_size=1) as recorder:
        recorder.start_take()
        time_s, values = rows(60)
        recorder.write_rows(time_s, values, values[:, :1])
        index = recorder.stop_take()
        assert index == 1
        recorder.set_lag(index, LagEstimate(0.125, 0.01, 0.9, 0.1, confident=True))
        with pytest.raises(RecordingError, match="no take 2"):
            recorder.set_lag(2, LagEstimate(0.0, 0.0, 0.0, 0.0, confident=False))
    (take,) = Recording.load(tmp_path / "a.rec").takes
    assert take.lag_s == 0.125
    stored = json.loads((tmp_path / "a.rec" / "recording.json").read_text())["takes"][0]["lag"]
    assert (stored["score"], stored["confident"]) == (0.9, True)


FULL_DISK = """
import signal, sys
import numpy as np
from gesturemap.errors import RecordingError
from gesturemap.frame import Channel, Layout
from gesturemap.recording import Recorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead
layout = Layout(tuple(Channel(f"c{i}", "mm", 0.0, 1.0) for i in range(50)))
with Recorder(sys.argv[1], layout, "synthetic", "seed=0", "file") as recorder:
    recorder.start_take()
    try:
        for i in range(100):
            recorder.write_rows(np.arange(10) + 10.0 * i, np.full((10, 50), float(i)))
            recorder.flush()
    except RecordingError as error:
        print(recorder.n_flushed, error)
"""


def test_a_full_disk_ends_the_take_and_keeps_what_was_flushed(tmp_path: Path) -> None:
    limit = 100_000  # bytes a file: the kernel refuses the rest, in the middle of a batch

    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.rec")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=True,
    )
    n_flushed, _, message = done.stdout.partition(" ")
    assert f"the {n_flushed} rows flushed are safe, 10 are lost" in message
    (take,) = Recording.load(tmp_path / "a.rec").takes
    assert len(take.time_s) == int(n_flushed) > 100
    np.testing.assert_array_equal(take.values[:, 0], take.time_s // 10)
    assert not take.complete
    file = tmp_path / "a.rec" / "take-001.arrows"
    assert file.stat().st_size < limit, "the torn batch should have been cut off again"
