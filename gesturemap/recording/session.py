"""A performer at work: what `gesturemap record` does.

Reads a tracker into a recording, take by take, and meanwhile plays a trajectory of a model, whose latents are
recorded beside every row. With a file as tracker, time is the file's: nothing is played, and the same file, model
and seed give the same rows bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import RecordingError
from gesturemap.frame import Frame
from gesturemap.recording.companion import Companion
from gesturemap.recording.hands_free import Triggers
from gesturemap.recording.lag import estimate_lag
from gesturemap.recording.performer import STARTS, Performer, ctrl_c
from gesturemap.recording.playing import Playing, Programme, Speaker, plan, save_sound
from gesturemap.recording.recorder import UNDONE, Recorder
from gesturemap.recording.recording import Recording, Take
from gesturemap.recording.triggers import Action
from gesturemap.take_file import remove_if_empty
from gesturemap.trackers.base import Tracker


class Progress(NamedTuple):
    """Where a recording is: the take, its seconds so far, its rows, and how many of them no kill can take.

    Seconds below 0 count in; ``-inf`` waits for a trigger.
    """

    take: int
    time_s: float
    n_rows: int
    n_flushed: int


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
    takes: int | None = None,
    append: bool = False,
    count_in_s: float = 0.0,
    pause_s: float = 0.0,
    click: bool = False,
    triggers: Triggers | None = None,
    companion: Companion | None = None,
    clock: Clock | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Recording:
    """The recording of a tracker, made now.

    Parameters
    ----------
    tracker : not opened yet.
    out : folder to make, by custom ``<name>.rec``.
    seconds : length of a take; None until the tracker or the trajectory ends, a trigger stops it, or Ctrl-C.
    model_dir : exported model whose latents go beside the gesture.
    play : what to play, see `load_trajectory`; a walk of `seconds` if only `model_dir` is given.
    seed : of the first take's walk; every further take walks another way, with the next seed.
    silent : play nothing to a live tracker either. ``play.wav`` in `out` holds the sound in any case.
    loop : begin the trajectory again at its end; otherwise its end is the end of the take.
    takes : how many to record; None for one, or with `triggers` as many as are asked for.
    append : add to a recording that is there.
    count_in_s : seconds before each take that are counted, and clicked where something plays or `click` is on.
    pause_s : seconds between takes, before the next one is counted in.
    click : click the count-in although nothing plays.
    triggers : a take begins when `Action.RECORD` is asked for, ends at `Action.STOP`; `Action.UNDO` takes the last
        one back, `Action.REDO` brings it again; `Action.PANIC` ends the session. None: takes follow each other by
        themselves.
    companion : gives the latents, instead of a trajectory.
    clock : the one a live tracker's frames are timed on.
    on_progress : called after every row, and while time is counted in.

    Returns
    -------
    Recording, with the lag between sound and hand estimated for every take. Ctrl-C ends it early but whole.

    Raises
    ------
    RecordingError
        If `out` exists, no frame came, the disk is full, or there is no sound output (record with `silent`).
    """
    _check_options(tracker, seconds, count_in_s, pause_s, play, companion)
    clock = clock or MonotonicClock()
    if play == "suggestions" and append and Path(out).is_dir():
        play = f"suggestions:{out}"
    programme = plan(model_dir, play, seed, seconds, loop) if (model_dir or play) and not companion else None
    with ExitStack() as stack:
        speaker = None
        if tracker.live and not silent and (programme or (click and count_in_s)):
            speaker = stack.enter_context(
                closing(Speaker(clock, programme.first.player.space if programme else None, count_in_s))
            )
        stack.enter_context(tracker)
        recorder = stack.enter_context(_make_recorder(tracker, out, programme, companion, append))
        interrupted = stack.enter_context(ctrl_c())
        performer = Performer(tracker, clock, triggers, interrupted)
        session = _Session(
            tracker=tracker,
            recorder=recorder,
            performer=performer,
            clock=clock,
            programme=programme,
            companion=companion,
            speaker=speaker,
            seconds=seconds,
            count_in_s=count_in_s,
            pause_s=pause_s,
            on_progress=on_progress,
        )
        if triggers is None:
            session.run_by_itself(takes or 1)
        else:
            session.run_on_demand(np.inf if takes is None else takes)
        if session.kept and not interrupted():
            session.note_end(takes)
        session.note_faults()
    if not session.kept:
        _refuse_empty(recorder.path, tracker, performer.seen)
    if programme:
        save_sound(recorder.path, [(take.index, take.duration_s, played) for take, played in session.kept if played])
    return Recording.load(out)


@dataclass
class _Session:
    """The takes of one call of `record`, whose parameters these are, opened.

    Attributes
    ----------
    kept : every take that was not taken back, and what it was played.
    undone : those that were, the last one last.
    """

    tracker: Tracker
    recorder: Recorder
    performer: Performer
    clock: Clock
    programme: Programme | None
    companion: Companion | None
    speaker: Speaker | None
    seconds: float | None
    count_in_s: float
    pause_s: float
    on_progress: Callable[[Progress], None]
    kept: list[tuple[Take, Playing | None]] = field(default_factory=list)
    undone: list[tuple[Take, Playing | None]] = field(default_factory=list)
    playing: Playing | None = None

    def run_by_itself(self, takes: int) -> None:
        """Take after take, a pause between."""
        while len(self.kept) < takes and not self.performer.gone:
            if self.record_take(self.pause_s if self.kept else 0.0) is None:
                return

    def run_on_demand(self, takes: float) -> None:
        """A take whenever one is asked for."""
        while len(self.kept) < takes and not self.performer.gone:
            self.on_progress(Progress(len(self.kept) + 1, -np.inf, 0, 0))
            asked = self.performer.wait_for(STARTS | {Action.UNDO, Action.REDO, Action.PANIC})
            if asked is Action.UNDO:
                self._undo()
            elif asked is Action.REDO:
                self._redo()
            elif asked in STARTS:
                index = self.record_take(0.0)
                if index is not None and self.performer.last_asked is Action.UNDO:
                    self._undo()

    def record_take(self, pause_s: float) -> int | None:
        """Pause, count in, record; index of the take, or None if no frame came."""
        if self.programme:
            self.playing = self.programme.of_take(len(self.kept))
        begin_s = self.clock.now_s() + pause_s
        for _, ahead_s in self.performer.frames(begin_s, 0.0) if pause_s else ():
            self.on_progress(Progress(len(self.kept) + 1, ahead_s - self.count_in_s, 0, 0))
        with self._sounding() as start_s:
            if start_s is None and self.tracker.live:
                start_s = self.clock.now_s() + self.count_in_s
            index = self._write(self.performer.frames(start_s, self._limit_s))
        if index is not None:
            if self.playing and self.kept and self.playing is not self.kept[0][1]:
                self.recorder.add_note(f"take {index} played {self.playing.trajectory.source}")
            self.kept.append((self._measure_lag(index), self.playing))
        return index

    @property
    def _limit_s(self) -> float:
        return min(self.seconds or np.inf, self.playing.limit_s if self.playing else np.inf)

    def _sounding(self) -> AbstractContextManager[float | None]:
        return nullcontext() if self.speaker is None else self.speaker.sounding(self.playing)

    def _write(self, frames: Iterator[tuple[Frame | None, float]]) -> int | None:
        recorder = self.recorder
        take = recorder.start_take()
        if self.companion:
            self.companion.reset()
        for frame, time_s in frames:
            if frame is None:
                recorder.flush_if_due()
            elif self.companion:
                recorder.write(frame, self.companion.latents(frame))
            else:
                recorder.write(frame, self.playing.latents_at(time_s) if self.playing else None)
            if frame is not None or time_s < 0:
                self.on_progress(Progress(take, time_s, recorder.n_rows, recorder.n_flushed))
        return recorder.stop_take()

    def _measure_lag(self, index: int) -> Take:
        """The take just recorded, with its lag stored; none to a companion, which answers to each frame."""
        take = self.recorder.read_take(index)
        if take.latents is None or self.companion:
            return take
        lag = estimate_lag(take.time_s, take.values, take.latents)
        self.recorder.set_lag(index, lag)
        return replace(take, lag_s=lag.lag_s)

    def _undo(self) -> None:
        index = self.recorder.undo_take()
        if self.kept and self.kept[-1][0].index == index:
            self.undone.append(self.kept.pop())

    def _redo(self) -> None:
        index = self.recorder.redo_take()
        if index is not None and self.undone:
            take, playing = self.undone.pop()
            self.kept.append((replace(take, index=index), playing))

    def note_end(self, takes: int | None) -> None:
        """Say where the source was shorter than what was asked for, or longer than what was played."""
        recorder, source = self.recorder, self.tracker.source
        if takes and len(self.kept) < takes and self.tracker.finished:
            recorder.add_note(f"{len(self.kept)} of {takes} takes: {source} ended")
        elif self.seconds and self.tracker.finished and self._limit_s == self.seconds:
            recorded_s = self.kept[-1][0].duration_s
            if recorded_s < self.seconds - 2 / self.tracker.frame_rate:  # the last row of a whole take is a frame short
                recorder.add_note(f"{source} ended after {recorded_s:.1f} of {self.seconds:.1f} s")
        elif self.playing and self._limit_s != self.seconds and not (self.tracker.live or self.tracker.finished):
            recorder.add_note(
                f"the trajectory ended after {self.playing.limit_s:.1f} s, {source} goes on: for all of it --loop, "
                "or a longer --play walk:SECONDS"
            )

    def note_faults(self) -> None:
        """Say what went wrong, and what not to trust for it."""
        if self.speaker and self.speaker.n_underflows:
            count = self.speaker.n_underflows
            self.recorder.add_note(f"the sound stopped short {count} times: do not trust the lag")
        if self.companion and self.companion.n_silent:
            self.recorder.add_note(f"{self.companion.n_silent} rows got no answer and hold no latents")


def _check_options(
    tracker: Tracker,
    seconds: float | None,
    count_in_s: float,
    pause_s: float,
    play: str | None,
    companion: Companion | None,
) -> None:
    if seconds is not None and not seconds > 0:
        raise RecordingError(f"{seconds} seconds found; a take needs more than 0")
    if not (0 <= count_in_s < np.inf and 0 <= pause_s < np.inf):
        raise RecordingError(f"a count-in of {count_in_s} s and a pause of {pause_s} s found, 0 or more expected")
    if not tracker.live and (count_in_s or pause_s):
        raise RecordingError(
            f"{tracker.source} is a file, with nobody to wait for: leave --count-in and --pause out, or record live"
        )
    if play and companion:
        raise RecordingError(f"--play {play} and --wekinator found: latents come from one of them")


def _make_recorder(
    tracker: Tracker, out: str | Path, programme: Programme | None, companion: Companion | None, append: bool
) -> Recorder:
    clock = "monotonic" if tracker.live else "file"
    model_id, model_name, latent_size, notes = None, None, 0, []
    if programme:
        space = programme.first.player.space
        model_id, model_name, latent_size = space.model_id, space.model_name, space.latent_size
        notes = [f"played {programme.first.trajectory.source}"]
    elif companion:
        model_id, model_name, latent_size = companion.model_id, companion.model_name, companion.n_outputs
        notes = ["latents are the outputs of a Wekinator"]
    return Recorder(
        out,
        tracker.layout,
        tracker.name,
        tracker.source,
        clock,
        model_id=model_id,
        model_name=model_name,
        latent_size=latent_size,
        append=append,
        notes=notes,
    )


def _refuse_empty(folder: Path, tracker: Tracker, seen: bool) -> None:
    """Take back a recording without a row, and say so; one whose takes were all taken back stays.

    `seen` : whether the tracker gave frames, in no take.
    """
    if (folder / UNDONE).is_dir():
        return
    remove_if_empty(folder)
    if seen:
        raise RecordingError("the session ended before a take began: ask for one, or leave --triggers out")
    raise RecordingError(
        f"no frame came from tracker {tracker.name!r} ({tracker.source}): is it there and switched on? "
        "`gesturemap doctor` looks"
    )
