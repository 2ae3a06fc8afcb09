"""A performer at work: what `gesturemap record` does.

Reads a tracker into a recording, take by take, and meanwhile plays a trajectory of a model, whose latents are
recorded beside every row. With a file as tracker, time is the file's: nothing is played, and the same file, model
and seed give the same rows bit for bit.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from audiovae.latent_space import FloatArray
from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import RecordingError
from gesturemap.frame import Array, Frame
from gesturemap.recording.lag import estimate_lag
from gesturemap.recording.recorder import Recorder
from gesturemap.recording.recording import Recording, Take
from gesturemap.recording.sound_output import SoundOutput
from gesturemap.recording.trajectory import Trajectory, load_trajectory
from gesturemap.take_file import HEADER_NAME, find_take_files
from gesturemap.trackers.base import Tracker

if TYPE_CHECKING:
    from audiovae.player import Player

POLL_S = 0.02  # how long to wait for a frame before looking at the clock, the disk and Ctrl-C


class Progress(NamedTuple):
    """Where a recording is: the take, its seconds so far, its rows, and how many of them no kill can take."""

    take: int
    time_s: float
    n_rows: int
    n_flushed: int


@dataclass(frozen=True)
class Playing:
    """A trajectory, the model that sounds it, and whether it begins again at its end."""

    trajectory: Trajectory
    player: Player
    loop: bool

    @property
    def limit_s(self) -> float:
        """Seconds after which nothing plays any more."""
        return np.inf if self.loop else self.trajectory.duration_s

    def latents_at(self, time_s: float) -> Array:
        """(latent_size,) playing `time_s` after the start of a take."""
        latents: Array = self.trajectory.at(np.array([time_s % self.trajectory.duration_s]))[0]
        return latents

    def decode(self, duration_s: float = np.inf) -> FloatArray:
        """(channels, samples) sound of the trajectory's first `duration_s`."""
        n_frames = min(np.ceil(duration_s * self.trajectory.latent_rate), len(self.trajectory.latents))
        return self.player.decode(self.trajectory.latents[: max(1, int(n_frames))])


def record(
    tracker: Tracker,
    out: str | Path,
    *,
    seconds: float | None = None,
    model_dir: str | Path | None = None,
    play: str | None = None,
    seed: int = 0,
    silent: bool = False,
    loop: bool = False,
    takes: int = 1,
    append: bool = False,
    clock: Clock | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Recording:
    """The recording of a tracker, made now.

    Parameters
    ----------
    tracker : not opened yet.
    out : folder to make, by custom ``<name>.rec``.
    seconds : length of a take; None until the tracker or the trajectory ends, or Ctrl-C.
    model_dir : exported model whose latents go beside the gesture.
    play : what to play, see `load_trajectory`; a walk of `seconds` if only `model_dir` is given.
    seed : of the walk.
    silent : play nothing to a live tracker either. ``play.wav`` in `out` holds the sound in any case.
    loop : begin the trajectory again at its end; otherwise its end is the end of the take.
    takes : how many to record, each with the trajectory from its beginning.
    append : add to a recording that is there.
    clock : the one a live tracker's frames are timed on.
    on_progress : called after every row.

    Returns
    -------
    Recording, with the lag between sound and hand estimated for every take. Ctrl-C ends it early but whole.

    Raises
    ------
    RecordingError
        If `out` exists, no frame came, the disk is full, or there is no sound output (record with `silent`).
    """
    if seconds is not None and not seconds > 0:
        raise RecordingError(f"{seconds} seconds found; a take needs more than 0")
    clock = clock or MonotonicClock()
    playing = _prepare(model_dir, play, seed, seconds, loop) if model_dir or play else None
    limit_s = min(np.inf if seconds is None else seconds, playing.limit_s if playing else np.inf)
    with ExitStack() as stack:
        audible = playing if tracker.live and not silent else None
        sound = stack.enter_context(_speaker(audible, clock)) if audible else None
        stack.enter_context(tracker)
        recorder = stack.enter_context(_make_recorder(tracker, out, playing, append))
        interrupted = stack.enter_context(_ctrl_c())
        new: list[Take] = []
        while len(new) < takes and not tracker.finished and not interrupted():
            with _sounding(sound) as heard_s:
                start_s = clock.now_s() if tracker.live and heard_s is None else heard_s
                frames = _frames(tracker, clock, start_s, limit_s, interrupted)
                index = _record_take(frames, recorder, playing, on_progress)
            if index is None:
                break
            new.append(_store_lag(recorder, index))
        if new and not interrupted():
            _note_end(recorder, tracker, len(new), takes, playing if limit_s != seconds else None)
        if sound and sound.n_underflows:
            recorder.add_note(f"the sound stopped short {sound.n_underflows} times: do not trust the lag")
    if not new:
        _refuse_empty(recorder.path, tracker)
    if playing:
        _save_sound(recorder.path, new, playing)
    return Recording.load(out)


def _prepare(model_dir: str | Path | None, play: str | None, seed: int, seconds: float | None, loop: bool) -> Playing:
    """What plays; a walk is as long as the take unless told otherwise."""
    if model_dir is None:
        raise RecordingError(f"--play {play} needs a model to play it with: add --model MODEL_DIR")
    from audiovae.player import Player

    if play in (None, "walk") and seconds is not None:
        play = f"walk:{seconds!r}"
    return Playing(load_trajectory(play or "walk", model_dir, seed), Player(model_dir), loop)


def _make_recorder(tracker: Tracker, out: str | Path, playing: Playing | None, append: bool) -> Recorder:
    clock = "monotonic" if tracker.live else "file"
    if playing is None:
        return Recorder(out, tracker.layout, tracker.name, tracker.source, clock, append=append)
    space = playing.player.space
    return Recorder(
        out,
        tracker.layout,
        tracker.name,
        tracker.source,
        clock,
        model_id=space.model_id,
        model_name=space.model_name,
        latent_size=space.latent_size,
        append=append,
        notes=[f"played {playing.trajectory.source}"],
    )


@contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: once lets a row in the making be finished, twice is a KeyboardInterrupt."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return

    def note(number: int, stack_frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _speaker(playing: Playing, clock: Clock) -> closing[SoundOutput]:
    """The sound output that plays the trajectory; closed at the end of the block."""
    return closing(SoundOutput(playing.decode(), playing.player.space.sample_rate, clock, playing.loop))


@contextmanager
def _sounding(sound: SoundOutput | None) -> Iterator[float | None]:
    """Plays inside the block; the time at which it was first heard, None if nothing plays."""
    if sound is None:
        yield None
        return
    try:
        yield sound.start()
    finally:
        sound.stop()


def _frames(
    tracker: Tracker, clock: Clock, start_s: float | None, limit_s: float, interrupted: Callable[[], bool]
) -> Iterator[tuple[Frame | None, float]]:
    """Each frame before `limit_s`, and its seconds since `start_s` (None: since the first frame).

    While no frame comes, None and the seconds so far.
    """
    while not tracker.finished and not interrupted():
        frame = tracker.read(POLL_S)
        if frame is None and start_s is None:
            continue
        now_s = clock.now_s() if frame is None else frame.time_s
        start_s = now_s if start_s is None else start_s
        if now_s - start_s >= limit_s:
            return
        if frame is None or now_s >= start_s:
            yield frame, now_s - start_s


def _record_take(
    frames: Iterator[tuple[Frame | None, float]],
    recorder: Recorder,
    playing: Playing | None,
    on_progress: Callable[[Progress], None],
) -> int | None:
    """Index of the take, or None if no frame came."""
    take = recorder.start_take()
    for frame, time_s in frames:
        if frame is None:
            recorder.flush_if_due()
            continue
        recorder.write(frame, playing.latents_at(time_s) if playing else None)
        on_progress(Progress(take, time_s, recorder.n_rows, recorder.n_flushed))
    return recorder.stop_take()


def _store_lag(recorder: Recorder, index: int) -> Take:
    """The take just recorded, with its lag measured and stored."""
    take = recorder.read_take(index)
    if take.latents is None:
        return take
    lag = estimate_lag(take.time_s, take.values, take.latents)
    recorder.set_lag(index, lag)
    return replace(take, lag_s=lag.lag_s)


def _note_end(recorder: Recorder, tracker: Tracker, n_new: int, takes: int, ended_by: Playing | None) -> None:
    """Say where the source was shorter than what was asked for, or longer than what was played (`ended_by`)."""
    if n_new < takes:
        recorder.add_note(f"{n_new} of {takes} takes: {tracker.source} ended")
    elif ended_by and not tracker.live and not tracker.finished:
        recorder.add_note(
            f"the trajectory ended after {ended_by.limit_s:.1f} s, {tracker.source} goes on: for all of it --loop, "
            "or a longer --play walk:SECONDS"
        )


def _save_sound(folder: Path, takes: list[Take], playing: Playing) -> None:
    """``play.wav``, what the hand followed; ``play-NNN.wav`` from take NNN on if takes were added to others."""
    from audiovae.player import save_audio

    first = takes[0].index
    name = "play.wav" if first == 1 else f"play-{first:03d}.wav"
    audio = playing.decode(max(take.duration_s for take in takes))
    save_audio(folder / name, audio, playing.player.space.sample_rate)


def _refuse_empty(folder: Path, tracker: Tracker) -> NoReturn:
    """Take back a recording without a row, and say so."""
    if not find_take_files(folder):
        (folder / HEADER_NAME).unlink()
        folder.rmdir()
    raise RecordingError(
        f"no frame came from tracker {tracker.name!r} ({tracker.source}): is it there and switched on? "
        "`gesturemap doctor` looks"
    )
