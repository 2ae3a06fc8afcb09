"""`gesturemap record`: gesture and latents in step, whole whatever ends it."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import write_latents
from gesturemap.clock import ManualClock
from gesturemap.errors import MissingExtraError, RecordingError, TrackerError
from gesturemap.frame import Frame
from gesturemap.recording import Recording
from gesturemap.recording.session import Progress, record
from gesturemap.recording.trajectory import load_trajectory
from gesturemap.trackers import open_tracker, read_all
from gesturemap.trackers.synthetic import SyntheticTracker


def test_a_file_is_recorded_row_for_row(tmp_path: Path) -> None:
    recording = record(open_tracker("synthetic:seconds=2"), tmp_path / "a.rec")
    time_s, values = read_all(open_tracker("synthetic:seconds=2"))
    (take,) = recording.takes
    np.testing.assert_array_equal(take.time_s, time_s)
    np.testing.assert_array_equal(take.values, values)
    assert (recording.tracker, recording.clock, take.latents, take.complete) == ("synthetic", "file", None, True)


def test_the_latents_are_the_trajectory_at_each_row(model_dir: Path, tmp_path: Path) -> None:
    recording = record(
        open_tracker("synthetic:seconds=3"), tmp_path / "a.rec", model_dir=model_dir, play="walk:9", seed=5
    )
    (take,) = recording.takes
    trajectory = load_trajectory("walk:9", model_dir, seed=5)
    np.testing.assert_array_equal(take.latents, trajectory.at(take.time_s - take.time_s[0]))
    assert (recording.model_name, recording.latent_size) == ("ring", 3)
    assert recording.notes == ("played walk:9, seed 5",)


def test_a_take_of_a_file_is_repeatable_bit_for_bit(model_dir: Path, tmp_path: Path) -> None:
    first, again = (
        record(open_tracker("synthetic:seconds=12"), tmp_path / name, model_dir=model_dir, seconds=11.0, seed=2)
        for name in ("a.rec", "b.rec")
    )
    for name in ("time_s", "values", "latents", "lag_s"):
        np.testing.assert_array_equal(getattr(first.takes[0], name), getattr(again.takes[0], name))
    assert (tmp_path / "a.rec/play.wav").read_bytes() == (tmp_path / "b.rec/play.wav").read_bytes()


def test_seconds_and_the_end_of_the_trajectory_end_the_take(model_dir: Path, tmp_path: Path) -> None:
    def n_rows(name: str, **options: object) -> int:
        tracker = open_tracker("synthetic:seconds=4")
        return len(record(tracker, tmp_path / name, **options).takes[0].time_s)  # type: ignore[arg-type]

    assert n_rows("a.rec", seconds=1.0) == 80
    trajectory_s = load_trajectory("walk:1.5", model_dir).duration_s
    assert n_rows("b.rec", model_dir=model_dir, play="walk:1.5") == np.ceil(80 * trajectory_s)
    assert n_rows("c.rec", model_dir=model_dir, play="walk:1.5", loop=True) == 320


def test_what_ended_before_it_was_asked_to_is_noted(model_dir: Path, tmp_path: Path) -> None:
    """Fewer takes than asked for, and the rest of a file that was not recorded: neither goes unsaid."""
    few = record(open_tracker("synthetic:seconds=4"), tmp_path / "a.rec", seconds=3.0, takes=5)
    assert [len(take.time_s) for take in few.takes] == [240, 79]
    assert few.notes == ("2 of 5 takes: seed=0,kind=gametrak ended",)
    options = {"model_dir": model_dir, "play": "walk:1.5"}
    cut = record(open_tracker("synthetic:seconds=4"), tmp_path / "b.rec", **options)  # type: ignore[arg-type]
    assert "the trajectory ended after 1.5 s, seed=0,kind=gametrak goes on: for all of it --loop" in cut.notes[1]
    whole = record(open_tracker("synthetic:seconds=1"), tmp_path / "c.rec", **options)  # type: ignore[arg-type]
    short = record(open_tracker("synthetic:seconds=4"), tmp_path / "d.rec", seconds=1.0, **options)  # type: ignore[arg-type]
    assert len(whole.notes) == len(short.notes) == 1
    ended = record(open_tracker("synthetic:seconds=1"), tmp_path / "e.rec", seconds=20.0)
    assert ended.notes == ("seed=0,kind=gametrak ended after 1.0 of 20.0 s",)
    exact = record(open_tracker("synthetic:seconds=1"), tmp_path / "f.rec", seconds=1.0)
    assert exact.notes == ()


def test_a_loop_plays_the_trajectory_again(model_dir: Path, tmp_path: Path) -> None:
    tracker = open_tracker("synthetic:seconds=4")
    (take,) = record(tracker, tmp_path / "a.rec", model_dir=model_dir, play="walk:1", loop=True).takes
    trajectory = load_trajectory("walk:1", model_dir)
    np.testing.assert_array_equal(take.latents, trajectory.at(take.time_s % trajectory.duration_s))


def test_play_wav_is_the_sound_of_the_recorded_stretch(model_dir: Path, space: LatentSpace, tmp_path: Path) -> None:
    import soundfile

    record(open_tracker("synthetic:seconds=1"), tmp_path / "a.rec", model_dir=model_dir, play="walk:5")
    audio, sample_rate = soundfile.read(tmp_path / "a.rec" / "play.wav")
    trajectory = load_trajectory("walk:5", model_dir)
    assert sample_rate == space.sample_rate
    assert len(audio) / sample_rate == pytest.approx(1.0, abs=1 / space.latent_rate + 1 / 80)
    np.testing.assert_allclose(
        audio[:: space.hop_length], trajectory.latents[: len(audio) // space.hop_length, 0] / 100, atol=1e-4
    )


class Follower(SyntheticTracker):
    """A hand that does what the trajectory did 0.137 s ago."""

    def __init__(self, model_dir: Path, seconds: float) -> None:
        super().__init__(seconds=seconds)
        self._trajectory = load_trajectory(f"walk:{seconds!r}", model_dir)
        self._mix = np.random.default_rng(0).normal(size=(3, len(self.layout)))

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        frame = super().read(timeout_s)
        if frame is None:
            return None
        return Frame(frame.time_s, (self._trajectory.at(np.array([frame.time_s - 0.137])) @ self._mix)[0])


def test_the_lag_of_a_following_hand_is_stored_and_applied(model_dir: Path, tmp_path: Path) -> None:
    recording = record(Follower(model_dir, 30.0), tmp_path / "a.rec", model_dir=model_dir, seconds=30.0)
    (take,) = recording.takes
    assert take.lag_s == pytest.approx(0.137, abs=0.005)
    stored = json.loads((tmp_path / "a.rec" / "recording.json").read_text())["takes"][0]["lag"]
    assert stored["confident"] is True
    ((paired, latents),) = recording.pairs()
    weights, *_ = np.linalg.lstsq(latents, paired.values, rcond=None)
    assert np.abs(latents @ weights - paired.values).max() < 0.1 * paired.values.std()


def test_a_hand_that_does_not_follow_gets_no_lag(model_dir: Path, tmp_path: Path) -> None:
    (take,) = record(open_tracker("synthetic:seconds=30"), tmp_path / "a.rec", model_dir=model_dir).takes
    assert take.lag_s == 0.0


def test_a_live_tracker_is_recorded_in_real_time_of_its_clock(model_dir: Path, tmp_path: Path) -> None:
    clock = ManualClock(100.0)
    tracker = open_tracker("synthetic:live=true", clock=clock)
    recording = record(tracker, tmp_path / "a.rec", model_dir=model_dir, seconds=2.0, silent=True, takes=2, clock=clock)
    assert recording.clock == "monotonic"
    assert [take.index for take in recording.takes] == [1, 2]
    for take, seed in zip(recording.takes, (0, 1), strict=True):  # every take walks another way
        trajectory = load_trajectory("walk:2.0", model_dir, seed)
        assert take.latents is not None
        np.testing.assert_allclose(take.latents, trajectory.at(take.time_s - 100.0 - 2.0 * seed), atol=1e-9)
    assert recording.notes == ("played walk:2, seed 0", "take 2 played walk:2, seed 1")
    assert (tmp_path / "a.rec" / "play-002.wav").read_bytes() != (tmp_path / "a.rec" / "play.wav").read_bytes()


class Silence(SyntheticTracker):
    """A live tracker that is connected and says nothing after its first `n` frames."""

    def __init__(self, n: int, clock: ManualClock) -> None:
        super().__init__(live=True, clock=clock)
        self._left = n

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        self._left -= 1
        if self._left < 0:
            self._clock.sleep_s(timeout_s)
            return None
        return super().read(timeout_s)


def test_a_silent_tracker_does_not_hold_the_take_or_its_rows(tmp_path: Path) -> None:
    clock = ManualClock()
    recording = record(Silence(30, clock), tmp_path / "a.rec", seconds=5.0, clock=clock)
    assert len(recording.takes[0].time_s) > 5
    assert clock.now_s() == pytest.approx(5.0, abs=0.05)


def test_no_frame_leaves_no_recording(tmp_path: Path) -> None:
    clock = ManualClock()
    with pytest.raises(RecordingError, match="no frame came from tracker 'synthetic'"):
        record(Silence(0, clock), tmp_path / "a.rec", seconds=1.0, clock=clock)
    assert not (tmp_path / "a.rec").exists()


def test_ctrl_c_ends_the_take_whole(model_dir: Path, tmp_path: Path) -> None:
    def press(progress: Progress) -> None:
        if progress.n_rows == 100:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    tracker = open_tracker("synthetic:seconds=60")
    recording = record(tracker, tmp_path / "a.rec", model_dir=model_dir, takes=3, on_progress=press)
    assert signal.getsignal(signal.SIGINT) is before
    (take,) = recording.takes
    assert (len(take.time_s), take.complete) == (100, True)
    assert (tmp_path / "a.rec" / "play.wav").is_file()


def test_a_lost_device_keeps_what_came_before(tmp_path: Path) -> None:
    class Lost(SyntheticTracker):
        def read(self, timeout_s: float = 0.0) -> Frame | None:
            frame = super().read(timeout_s)
            if frame is not None and frame.time_s > 1.0:
                raise TrackerError("the device is gone")
            return frame

    with pytest.raises(TrackerError, match="is gone"):
        record(Lost(), tmp_path / "a.rec")
    (take,) = Recording.load(tmp_path / "a.rec").takes
    assert (len(take.time_s), take.complete) == (81, True)


def test_takes_are_added_with_their_own_sound(model_dir: Path, tmp_path: Path) -> None:
    for _ in range(2):
        tracker = open_tracker("synthetic:seconds=1")
        recording = record(tracker, tmp_path / "a.rec", model_dir=model_dir, play="walk:1", append=True)
    assert [take.index for take in recording.takes] == [1, 2]
    assert (tmp_path / "a.rec" / "play.wav").is_file()
    assert (tmp_path / "a.rec" / "play-002.wav").is_file()


def test_a_latent_table_can_be_played(model_dir: Path, space: LatentSpace, tmp_path: Path) -> None:
    write_latents(tmp_path / "line.parquet", np.linspace([0, 0, 0], [1, 2, 3], 44), space)
    tracker = open_tracker("synthetic:seconds=60")
    (take,) = record(tracker, tmp_path / "a.rec", model_dir=model_dir, play=str(tmp_path / "line.parquet")).takes
    assert take.duration_s == pytest.approx(44 / space.latent_rate, abs=1 / 80)


def test_play_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="add --model MODEL_DIR"):
        record(open_tracker("synthetic:seconds=1"), tmp_path / "a.rec", play="walk")


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_take_of_no_length_is_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(RecordingError, match="a take needs more than 0"):
        record(open_tracker("synthetic"), tmp_path / "a.rec", seconds=seconds)


@pytest.fixture
def speaker(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for sounddevice with one output, heard 30 ms after it is asked for samples."""
    heard = SimpleNamespace(blocks=[], open=0, error=None)

    class PortAudioError(Exception):
        pass

    class OutputStream:
        def __init__(self, samplerate: int, channels: int, dtype: str, callback: object) -> None:
            if heard.error:
                raise PortAudioError(heard.error)
            heard.sample_rate, self.channels, self.callback = samplerate, channels, callback
            heard.open += 1

        def start(self) -> None:
            block = np.full((256, self.channels), np.nan, np.float32)
            status = SimpleNamespace(output_underflow=False)
            self.callback(block, 256, SimpleNamespace(outputBufferDacTime=7.03, currentTime=7.0), status)
            heard.blocks.append(block)

        def stop(self) -> None:
            pass

        def close(self) -> None:
            heard.open -= 1

    module = ModuleType("sounddevice")
    module.__dict__.update(OutputStream=OutputStream, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return heard


def test_the_take_starts_when_the_sound_is_heard(model_dir: Path, tmp_path: Path, speaker: SimpleNamespace) -> None:
    clock = ManualClock(100.0)
    tracker = open_tracker("synthetic:live=true", clock=clock)
    (take,) = record(tracker, tmp_path / "a.rec", model_dir=model_dir, seconds=2.0, clock=clock).takes
    trajectory = load_trajectory("walk:2.0", model_dir)
    assert take.time_s[0] == pytest.approx(100.0375)  # the first frame of 80 Hz after 100.03
    np.testing.assert_allclose(take.latents, trajectory.at(take.time_s - 100.03), atol=1e-9)
    np.testing.assert_allclose(speaker.blocks[0], trajectory.latents[0, 0] / 100, rtol=1e-5)
    assert (speaker.sample_rate, speaker.open) == (22050, 0)


def test_no_sound_output_says_silent(model_dir: Path, tmp_path: Path, speaker: SimpleNamespace) -> None:
    speaker.error = "Error querying device -1"
    tracker = open_tracker("synthetic:live=true", clock=ManualClock())
    with pytest.raises(RecordingError, match="no sound output found .* --silent"):
        record(tracker, tmp_path / "a.rec", model_dir=model_dir, seconds=1.0)
    assert not (tmp_path / "a.rec").exists()


def test_no_sounddevice_names_the_extra(model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    tracker = open_tracker("synthetic:live=true", clock=ManualClock())
    with pytest.raises(MissingExtraError, match=r"gesturemap\[audio\].  or record with --silent"):
        record(tracker, tmp_path / "a.rec", model_dir=model_dir, seconds=1.0)
