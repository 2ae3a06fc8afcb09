"""Teaching a mapping while it plays: a sound is held, the body answers it, the mapping learns.

The way of Wekinator, with the sound first: mark a place of the model, then find the gesture for it (Vigliensoni and
Fiebrink 2023).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.errors import MappingError
from gesturemap.frame import Array, Frame
from gesturemap.live.sources import MappingSource
from gesturemap.mapping import Mapping
from gesturemap.mapping.refit import OnlineRefit
from gesturemap.recording.background import BackgroundRecorder
from gesturemap.recording.recorder import Recorder
from gesturemap.recording.suggestions import suggest_latents
from gesturemap.recording.triggers import Action
from gesturemap.trackers.base import Tracker

FADE_S = 0.5


@dataclass(frozen=True)
class Teaching:
    """What is taught, and where it is kept.

    Parameters
    ----------
    recording : folder that every take goes into as it is taught.
    sounds : how many sounds of the model to step through: those that the mapping's examples reach least.
    save : folder for the mapping as it is at the end; None keeps the recording alone.
    fade_s : how long a new mapping fades in.
    """

    recording: Path
    sounds: int = 8
    save: Path | None = None
    fade_s: float = FADE_S


class Teacher:
    """The `LatentSource` of a mapping that is taught.

    ``next_snapshot`` holds the next sound, whatever the hand does. ``record`` keeps every frame as an example of the
    held sound, or, if none is held, of the one that sounds now and is held from then on; ``stop`` ends that. ``train``
    fits on everything, ``run`` lets the mapping play again, ``undo`` and ``redo`` take a take back and bring it again.

    Parameters
    ----------
    mapping : plays from the start.
    refit : of that mapping.
    sounds : (n, latent_size) to step through.
    recorder : of the tracker's layout and the model; closed with this.
    fade_s : how long a new mapping fades in.

    Attributes
    ----------
    problem : why what was asked for last could not be done; empty if it could.
    n_rows : examples that were taught, taken back or not.
    """

    poll_s = MappingSource.poll_s

    def __init__(
        self,
        mapping: Mapping,
        refit: OnlineRefit,
        sounds: Array,
        recorder: BackgroundRecorder,
        fade_s: float = FADE_S,
    ) -> None:
        self.refit, self.problem, self.n_rows = refit, "", 0
        self._source, self._sounds, self._recorder = MappingSource(mapping), sounds, recorder
        self._fade_s = fade_s
        self._number = 0  # of the sound that is held, from 1
        self._held: Array | None = None
        self._rows: list[Array] | None = None  # features of the take that runs
        self._frame: Frame | None = None
        self._sounding: Array | None = None

    def see(self, frame: Frame | None) -> None:
        """The frame whose features come next."""
        self._frame = frame

    def latents(self, time_s: float, features: Array) -> Array:
        """(latent_size,) held, or of the mapping; see `LatentSource`."""
        if not self._source.fading and (fitted := self.refit.poll()) is not None:
            self._source.fade_to(fitted, time_s, self._fade_s)
        playing = self._source.latents(time_s, features)
        if self._held is None:
            self._sounding = playing
            return playing
        if self._rows is not None and self._frame is not None:
            self._recorder.write(self._frame, self._held)
            self._rows.append(features.copy())
        return self._held

    def do(self, action: Action) -> bool:
        """Whether `action` is one of teaching; then it is done, or `problem` says why it cannot be."""
        recording = self._rows is not None
        if action is Action.TOGGLE:
            action = Action.STOP if recording else Action.RECORD
        elif action is Action.STOP and not recording:
            return False  # of the performance
        if action is Action.PANIC:
            return False
        self.problem = ""
        if recording and action is not Action.RECORD:
            self._stop_take()
        try:
            self._do(action)
        except MappingError as error:
            self.problem = str(error)
        return True

    def arrived(self) -> None:
        """Nothing: it has answered already."""

    def close(self) -> None:
        """End a take that runs, write everything, learn what was taught since the last fit."""
        if self._rows is not None:
            self._stop_take()
        self._recorder.close()
        if self.refit.stale:
            with suppress(MappingError):  # too little was taught to fit on
                self.refit.request()
        self.refit.close()
        self.problem = self._recorder.problem or self.refit.problem or self.problem

    def summary(self) -> dict[str, Any]:
        """Takes, examples and fits, and where they are, as plain values."""
        return {
            "recording": str(self._recorder.path),
            "takes": self.refit.n_taught,
            "examples": self.n_rows,
            "fits": self.refit.n_fits,
            "problem": self.problem,
        }

    @property
    def state(self) -> str:
        """What is going on, in a line."""
        held = "" if self._held is None else f"sound {self._number} of {len(self._sounds)} held"
        if self._held is not None and self._number == 0:
            held = "this sound held"
        doing = f"recording {len(self._rows)}" if self._rows is not None else ""
        fits = "learning" if self.refit.busy else f"learned {self.refit.n_fits}x" if self.refit.n_fits else ""
        problem = self._recorder.problem or self.refit.problem or self.problem
        taught = f"{self.refit.n_taught} take{'s' * (self.refit.n_taught != 1)} taught"
        parts = [held, doing, taught, fits, problem]
        return ", ".join(part for part in parts if part)

    def _do(self, action: Action) -> None:
        if action is Action.NEXT_SNAPSHOT:
            self._hold_next()
        elif action is Action.RECORD:
            self._start_take()
        elif action is Action.TRAIN:
            self.refit.request()
        elif action is Action.RUN:
            self._held, self._number = None, 0
        elif action is Action.UNDO and self.refit.undo():
            self._recorder.undo_take()
        elif action is Action.REDO and self.refit.redo():
            self._recorder.redo_take()

    def _hold_next(self) -> None:
        if not len(self._sounds):
            raise MappingError("no sounds to step through: play one with the mapping and record, which holds it")
        self._held = self._sounds[self._number % len(self._sounds)]
        self._number = self._number % len(self._sounds) + 1

    def _start_take(self) -> None:
        if self._rows is not None:
            return
        if self._held is None:
            if self._sounding is None or not np.isfinite(self._sounding).all():
                raise MappingError("nothing sounds to record a gesture to: show a hand, or step to a sound")
            self._held = self._sounding.copy()
        self._rows = []
        self._recorder.start_take()

    def _stop_take(self) -> None:
        rows, held, self._rows = self._rows, self._held, None
        assert rows is not None
        assert held is not None
        self._recorder.stop_take()
        taught = self.refit.add(np.stack(rows), np.tile(held, (len(rows), 1))) if rows else 0
        self.n_rows += taught
        if not taught:
            self.problem = "no hand was seen in that take: it teaches nothing"
            if rows:
                self._recorder.undo_take()


def open_teacher(mapping: Mapping, tracker: Tracker, space: LatentSpace, teaching: Teaching) -> Teacher:
    """A teacher, its recording begun.

    Raises
    ------
    MappingError
        If the mapping moves a base sound, which cannot be taught, or `teaching.save` exists.
    RecordingError
        If the recording exists and is another tracker's or model's, or the model has too few sounds.
    """
    if mapping.output.mode != "replace":
        raise MappingError(f"mapping {mapping.name!r} moves a base sound and has no latents of its own to teach")
    if teaching.save is not None and teaching.save.exists():
        raise MappingError(f"{teaching.save} exists: choose another name for the mapping that is taught")
    known = mapping.examples.latents
    met = np.empty((0, space.latent_size)) if known is None else known
    sounds = suggest_latents(space, met, teaching.sounds, mapping.seed).latents if teaching.sounds else met[:0]
    recorder = Recorder(
        teaching.recording,
        tracker.layout,
        tracker.name,
        tracker.source,
        "monotonic" if tracker.live else "file",
        model_id=space.model_id,
        model_name=space.model_name,
        latent_size=space.latent_size,
        append=True,
        notes=[f"taught to mapping {mapping.name!r}: every take holds one sound"],
    )
    clipped = np.clip(sounds, mapping.low, mapping.high)
    return Teacher(mapping, OnlineRefit(mapping), clipped, BackgroundRecorder(recorder), teaching.fade_s)


def keep(teacher: Teacher, teaching: Teaching, space: LatentSpace) -> Path | None:
    """Save the mapping of a closed teacher, fitted on all that was taught; None if nothing is to be saved."""
    if teaching.save is None or not teacher.refit.n_fits:
        return None
    return replace(teacher.refit.measured(space), name=teaching.save.name).save(teaching.save)


