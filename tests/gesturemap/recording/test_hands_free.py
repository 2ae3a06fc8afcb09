"""Sessions that a performer steers: count-in, pauses, takes on demand, taking back; all on a clock that is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import RecordingError
from gesturemap.frame import Frame, Layout
from gesturemap.recording import Recorder, Recording
from gesturemap.recording.hands_free import Triggers
from gesturemap.recording.playing import make_clicks
from gesturemap.recording.session import Progress, record
from gesturemap.recording.triggers import ADDRESSES, Action, Event, TriggerSettings
from gesturemap.take_file import read_header
from gesturemap.trackers import open_tracker
from gesturemap.trackers.synthetic import SyntheticTracker

COMMAND = {action: address for address, action in ADDRESSES.items()}


class Score:
    """A performer who asks for actions at set times."""

    def __init__(self, clock: ManualClock, *asks: tuple[float, Action]) -> None:
        self._clock, self._asks = clock, list(asks)

    def poll(self) -> list[Event]:
        due = [ask for ask in self._asks if ask[0] <= self._clock.now_s()]
        self._asks = self._asks[len(due) :]
        return [Event(f"osc:{COMMAND[action]}", at_s) for at_s, action in due]

    def close(self) -> None:
        pass


def perform(tmp_path: Path, *asks: tuple[float, Action], **options: object) -> Recording:
    clock = ManualClock()
    tracker = open_tracker("synthetic:live=true", clock=clock)
    triggers = Triggers(TriggerSettings(), tracker.layout, [Score(clock, *asks)])
    return record(tracker, tmp_path / "a.rec", triggers=triggers, clock=clock, **options)  # type: ignore[arg-type]


def test_takes_begin_and_end_when_asked(tmp_path: Path) -> None:
    recording = perform(
        tmp_path,
        *[(1.0, Action.RECORD), (2.0, Action.RECORD), (3.0, Action.STOP), (3.5, Action.STOP)],
        *[(5.0, Action.TOGGLE), (5.5, Action.TOGGLE), (6.0, Action.TRAIN), (7.0, Action.PANIC), (8.0, Action.RECORD)],
    )
    ends = [(take.time_s[0], take.time_s[-1]) for take in recording.takes]
    np.testing.assert_allclose(ends, [(1.0, 3.0), (5.0, 5.5)], atol=0.03)


def test_panic_in_a_take_keeps_it_and_ends(tmp_path: Path) -> None:
    recording = perform(tmp_path, (0.5, Action.RECORD), (2.0, Action.PANIC))
    (take,) = recording.takes
    assert take.complete
    assert take.duration_s == pytest.approx(1.5, abs=0.05)


def test_a_count_in_comes_before_the_take_and_can_be_stopped(tmp_path: Path) -> None:
    shown: list[Progress] = []
    recording = perform(
        tmp_path,
        *[(1.0, Action.RECORD), (2.0, Action.STOP), (3.0, Action.RECORD), (8.0, Action.PANIC)],
        count_in_s=3.0,
        on_progress=shown.append,
    )
    (take,) = recording.takes  # the first was stopped while it was counted in
    assert take.time_s[0] == pytest.approx(6.0, abs=0.03)
    counted = [progress.time_s for progress in shown if -np.inf < progress.time_s < 0]
    assert min(counted) == pytest.approx(-3.0, abs=0.03)
    assert {progress.n_rows for progress in shown if progress.time_s < 0} == {0}
    assert shown[0].time_s == -np.inf


def test_undo_takes_back_what_was_last_and_destroys_nothing(tmp_path: Path) -> None:
    recording = perform(
        tmp_path,
        *[(1.0, Action.RECORD), (2.0, Action.STOP), (3.0, Action.RECORD), (4.0, Action.UNDO)],
        *[(5.0, Action.RECORD), (6.0, Action.STOP), (7.0, Action.UNDO), (7.5, Action.UNDO), (8.0, Action.UNDO)],
        *[(9.0, Action.RECORD), (9.5, Action.STOP), (10.0, Action.PANIC)],
    )
    assert [take.index for take in recording.takes] == [1]
    assert recording.takes[0].time_s[0] == pytest.approx(9.0, abs=0.03)
    undone = sorted(path.name for path in (tmp_path / "a.rec" / "undone").iterdir())
    assert undone == ["take-001-1.arrows", "take-002-1.arrows", "take-002-2.arrows"]


def test_redo_brings_back_what_undo_took(tmp_path: Path) -> None:
    recording = perform(
        tmp_path,
        *[(0.5, Action.REDO), (1.0, Action.RECORD), (2.0, Action.STOP), (3.0, Action.RECORD), (4.0, Action.STOP)],
        *[(5.0, Action.UNDO), (6.0, Action.UNDO), (7.0, Action.REDO), (10.0, Action.PANIC)],
    )
    (take,) = recording.takes
    assert take.time_s[0] == pytest.approx(1.0, abs=0.03)


def test_takes_by_the_clock_pause_and_count_in(model_dir: Path, tmp_path: Path) -> None:
    clock = ManualClock()
    tracker = open_tracker("synthetic:live=true", clock=clock)
    shown: list[Progress] = []
    options = {"seconds": 2.0, "takes": 3, "count_in_s": 3.0, "pause_s": 1.0, "clock": clock, "silent": True}
    recording = record(tracker, tmp_path / "a.rec", model_dir=model_dir, on_progress=shown.append, **options)  # type: ignore[arg-type]
    np.testing.assert_allclose([take.time_s[0] for take in recording.takes], [3.0, 9.0, 15.0], atol=0.03)
    np.testing.assert_allclose([take.duration_s for take in recording.takes], 2.0, atol=0.03)
    between = [p.time_s for p in shown if p.take == 2 and p.time_s < 0]
    assert between[0] == pytest.approx(-4.0, abs=0.03)  # the pause and the count-in, as one countdown
    assert np.all(np.diff(between) > 0)


def test_a_held_pose_starts_a_take_of_a_file(tmp_path: Path) -> None:
    """A file's frames are triggers as a device's are: the foot switch of a capture."""

    class Pressed(SyntheticTracker):
        def read(self, timeout_s: float = 0.0) -> Frame | None:
            frame = super().read(timeout_s)
            if frame is None:
                return None
            values = frame.values.copy()
            values[self.layout.index("footswitch")] = frame.time_s % 4.0 > 3.0
            return Frame(frame.time_s, values)

    tracker = Pressed(seconds=13.0)
    settings = TriggerSettings(triggers={Action.TOGGLE: ("switch:footswitch",)})
    recording = record(tracker, tmp_path / "a.rec", triggers=Triggers(settings, tracker.layout))
    ends = [(take.time_s[0], take.time_s[-1]) for take in recording.takes]
    np.testing.assert_allclose(ends, [(3.0, 7.0), (11.0, 13.0)], atol=0.03)


def test_a_file_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is a file, with nobody to wait for"):
        record(open_tracker("synthetic:seconds=1"), tmp_path / "a.rec", count_in_s=3.0)
    assert not (tmp_path / "a.rec").exists()


def test_clicks_fall_on_the_seconds_before_the_take() -> None:
    clicks = make_clicks(3.0, 8000)
    loud = np.flatnonzero(np.abs(clicks) > 0.05) / 8000
    assert len(clicks) == 24000
    np.testing.assert_allclose([loud[loud < 0.9].min(), loud[(loud > 0.9) & (loud < 1.9)].min()], [0, 1], atol=1e-3)
    assert loud.max() < 2.04
    assert len(make_clicks(0.0, 8000)) == 0


def test_the_clicks_are_heard_before_what_plays(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[np.ndarray] = []

    class Output:
        def __init__(
            self, audio: np.ndarray, sample_rate: int, clock: ManualClock, loop_from: int | None = None
        ) -> None:
            self.sample_rate, self.n_underflows, self._clock = sample_rate, 0, clock

        def load(self, audio: np.ndarray, loop_from: int | None = None) -> None:
            played.append(audio)

        def start(self) -> float:
            return self._clock.now_s() + 0.03

        def stop(self) -> None:
            pass

        close = stop

    monkeypatch.setattr("gesturemap.recording.playing.SoundOutput", Output)
    clock = ManualClock()
    tracker = open_tracker("synthetic:live=true", clock=clock)
    (take,) = record(tracker, tmp_path / "a.rec", model_dir=model_dir, seconds=2.0, count_in_s=2.0, clock=clock).takes
    assert take.time_s[0] == pytest.approx(2.03, abs=1 / 80)
    assert played[0].shape[1] == pytest.approx(22050 * 4.0, abs=512)
    np.testing.assert_allclose(played[0][0, :44100], make_clicks(2.0, 22050))


LAYOUT: Layout = open_tracker("synthetic").layout


def test_undo_and_redo_of_a_recorder(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.rec", LAYOUT, "synthetic", "x", "file") as recorder:
        assert recorder.undo_take() is None
        assert recorder.redo_take() is None
        for number in range(2):
            recorder.start_take()
            recorder.write(Frame(float(number), np.full(len(LAYOUT), float(number))))
            with pytest.raises(RecordingError, match="stop it before"):
                recorder.undo_take()
            recorder.stop_take()
        assert recorder.undo_take() == 2
        assert [take.index for take in Recording.load(recorder.path).takes] == [1]
        assert recorder.redo_take() == 2
        whole = Recording.load(recorder.path)
        assert [take.time_s[0] for take in whole.takes] == [0.0, 1.0]
        assert [recorder.undo_take(), recorder.undo_take(), recorder.undo_take()] == [2, 1, None]
        recorder.start_take()
        recorder.write(Frame(9.0, np.zeros(len(LAYOUT))))
        assert recorder.stop_take() == 1
        assert [recorder.redo_take(), recorder.redo_take()] == [2, 3]  # after what was recorded since
        assert [take.time_s[0] for take in Recording.load(recorder.path).takes] == [9.0, 0.0, 1.0]
    with Recorder(tmp_path / "a.rec", LAYOUT, "synthetic", "x", "file", append=True) as recorder:
        assert recorder.undo_take() == 3  # by another process, later


def test_a_kill_between_list_and_move_leaves_the_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Recorder(tmp_path / "a.rec", LAYOUT, "synthetic", "x", "file") as recorder:
        recorder.start_take()
        recorder.write(Frame(0.0, np.zeros(len(LAYOUT))))
        recorder.stop_take()
        with monkeypatch.context() as patch:
            patch.setattr("gesturemap.recording.recorder.os.rename", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                recorder.undo_take()
    assert read_header(recorder.path)["takes"] == []
    (take,) = Recording.load(recorder.path).takes
    assert take.complete
    assert json.loads((recorder.path / "recording.json").read_text())["undone"][0]["aside"] == "take-001-1.arrows"


def test_a_session_whose_every_take_was_taken_back_is_no_error(tmp_path: Path) -> None:
    recording = perform(tmp_path, (0.5, Action.RECORD), (1.0, Action.UNDO), (2.0, Action.PANIC))
    assert recording.takes == []
    assert (tmp_path / "a.rec" / "undone" / "take-001-1.arrows").is_file()


def test_nobody_asks_for_anything(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="ended before a take began"):
        perform(tmp_path, (1.0, Action.PANIC))
    assert not (tmp_path / "a.rec").exists()
