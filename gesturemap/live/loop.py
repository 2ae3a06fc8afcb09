"""The control loop: one tick a frame. It never blocks on disk or network, never prints, and never stops by itself
because something outside went wrong: what is lost is counted, held and faded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import FeatureError, TrackerError
from gesturemap.features import FeatureExtractor
from gesturemap.frame import Array, Frame
from gesturemap.live.controls import Controls
from gesturemap.live.counters import Counters
from gesturemap.live.guard import Guard
from gesturemap.live.sinks import LatentSink
from gesturemap.live.sources import LatentSource
from gesturemap.trackers.base import Tracker

_BACKLOG = 256  # frames looked through in one tick for the newest
_STALE_S = (
    0.01  # a frame this old is left out where a newer one waits; nobody hears less, and features like every frame
)


class Snapshot(NamedTuple):
    """Where a performance is, for whoever wants to look: replaced as a whole, never changed."""

    time_s: float
    latents: Array
    present: bool
    panic: bool


class ControlLoop:
    """Tracker -> features -> latents -> guard -> sinks.

    Live, what goes out is timed on `clock`, so that a hand that is late is only late; the features see the frames' own
    times. With a file as tracker all times are the file's and nothing is waited for.

    Parameters
    ----------
    tracker : open.
    extractor : of the tracker's layout.
    source : features to latents.
    guard : between them and the sinks.
    sinks : started, closed by whoever made them.
    clock : the one a live tracker's frames are timed on.
    idle_after_s : a live tracker without a frame for so long, and for 3 of its frames, has lost the hand.
    controls : what the performer asks for.
    poll : looks for requests from the network; called every tick, must not block.
    hear : looks for requests in a frame, or while none comes; called every tick, must not block.
    describe : answers `Controls.describe`.

    Attributes
    ----------
    snapshot : the newest, or None before the first frame.
    problem : why the tracker ended, if it did with an error.
    """

    def __init__(
        self,
        tracker: Tracker,
        extractor: FeatureExtractor,
        source: LatentSource,
        guard: Guard,
        sinks: Sequence[LatentSink],
        clock: Clock,
        *,
        idle_after_s: float = 0.1,
        controls: Controls | None = None,
        poll: Callable[[], None] = lambda: None,
        hear: Callable[[Frame | None], None] = lambda frame: None,
        describe: Callable[[], None] = lambda: None,
    ) -> None:
        self.controls = controls or Controls()
        self.counters = Counters()
        self.snapshot: Snapshot | None = None
        self.problem = ""
        self._tracker, self._extractor, self._source = tracker, extractor, source
        self._guard, self._sinks, self._clock = guard, tuple(sinks), clock
        self._poll, self._hear, self._describe = poll, hear, describe
        self._live = tracker.live
        self._period_s = 1.0 / tracker.frame_rate
        self._stale_s = max(_STALE_S, self._period_s)
        self._idle_after_s = max(idle_after_s, 3 * self._period_s)
        self._asked_s = self._seen_s = clock.now_s()
        self._start_s: float | None = None

    def run(self, seconds: float | None = None) -> str:
        """Perform until the tracker has ended and its last latents have faded, for `seconds`, or until asked to stop.

        Returns
        -------
        Why it ended.
        """
        limit_s = math.inf if seconds is None else seconds
        while not self.controls.stop:
            if self._tracker_over() and (not self._live or self._guard.resting):
                return self.problem or "the tracker ended"
            if not self.tick(limit_s):
                return f"{seconds:g} s were over"
        return "stopped"

    def tick(self, limit_s: float = math.inf) -> bool:
        """One frame, or one look around while none comes; False once `limit_s` have passed since the first tick."""
        self._obey()
        frame = self._read()
        self._hear(frame)
        if frame is None and not self._live:
            return True
        # A file has its own time, and nothing but its frames to tell it.
        at_s = self._clock.now_s() if self._live or frame is None else frame.time_s
        self._start_s = at_s if self._start_s is None else self._start_s
        if at_s - self._start_s >= limit_s:
            return False
        if frame is None:
            self._idle(at_s)
        else:
            self._perform(frame)
        return True

    def _perform(self, frame: Frame) -> None:
        stages, now_s = self.counters.stages, self._clock.now_s
        read_s = now_s()
        try:
            features = self._extractor.process(np.array([frame.time_s]), frame.values[None])[0]
        except FeatureError:
            self.counters.refused += 1
            return
        featured_s = now_s()
        stages["features"].add(featured_s - read_s)
        self._seen_s = read_s
        latents = self._source.latents(frame.time_s, features)
        mapped_s = now_s()
        if latents is None:
            self._asked_s = read_s
            return
        stages["mapping"].add(mapped_s - featured_s)
        self._put_out(mapped_s if self._live else frame.time_s, latents)
        out_s = now_s()
        stages["out"].add(out_s - mapped_s)
        self._count(frame, read_s, out_s)

    def _count(self, frame: Frame, read_s: float, out_s: float) -> None:
        counters = self.counters
        counters.frames += 1
        if self._live:
            counters.stages["tracker"].add(read_s - frame.time_s)
            counters.late += out_s - frame.time_s > self._period_s
        counters.stages["total"].add(out_s - (frame.time_s if self._live else read_s))

    def _idle(self, at_s: float) -> None:
        """No frame came: an answer may have, or the hand is lost."""
        answer = self._source.arrived()
        if answer is not None:
            self.counters.frames += 1
            self.counters.stages["mapping"].add(at_s - self._asked_s)
            self._put_out(at_s, answer)
        elif at_s - self._seen_s > self._idle_after_s:
            self.counters.idle += 1
            self._put_out(at_s, None)

    def _put_out(self, at_s: float, latents: Array | None) -> None:
        out = self._guard.process(at_s, latents)
        for sink in self._sinks:
            sink.write(at_s, out)
        present = latents is not None and bool(np.isfinite(latents).all())
        self.snapshot = Snapshot(at_s, out, present, self._guard.panic)

    def _obey(self) -> None:
        self._poll()
        if self.controls.panic != self._guard.panic:
            self._guard.panic = self.controls.panic
            for sink in self._sinks:
                sink.mute(self._guard.panic)
        if self.controls.describe:
            self.controls.describe = False
            self._describe()

    def _tracker_over(self) -> bool:
        return bool(self.problem) or self._tracker.finished

    def _read(self) -> Frame | None:
        """The newest frame there is, or None after a short wait."""
        wait_s = self._source.poll_s if self._live else 0.0
        if self._tracker_over():
            self._clock.sleep_s(wait_s)
            return None
        try:
            frame = self._tracker.read(wait_s)
            for _ in range(_BACKLOG):
                if not self._live or frame is None or self._clock.now_s() - frame.time_s < self._stale_s:
                    break
                newer = self._tracker.read(0.0)
                if newer is None:
                    break
                self.counters.dropped += 1
                frame = newer
        except TrackerError as error:  # unplugged: the performance goes on without it, and fades
            self.problem = str(error)
            return None
        return frame
