"""Seeded smooth motion that needs no device: six Gametrak axes, or two articulated hands."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import wait_until
from gesturemap.trackers.gametrak_calibration import MAX_COUNT, Calibration, gametrak_layout, gametrak_values
from gesturemap.trackers.hand_layout import hand_layout
from gesturemap.trackers.stored import NumberedTracker
from gesturemap.trackers.synthetic_motion import HandsMotion, SmoothMotion


class SyntheticTracker(NumberedTracker):
    """Smooth motion as a tracker, for demos, tests and playing without a device.

    Parameters
    ----------
    seed : same seed, same numbers.
    seconds : length; None for 10 s, or for no end when `live`.
    frame_rate : Hz; None for the rate of the device that is imitated, 80 (Gametrak) or 30 (hands).
    kind : ``gametrak`` (layout of the Gametrak tracker, all channels) or ``hands`` (layout of the hand
        tracker; each hand goes out of sight for half a second every five to eight seconds).
    live : False for own time, as fast as it is read; True for frames that fall due on `clock`.
    clock : for `live`; None for the machine's.
    axes : moves a ``gametrak`` instead of the seeded noise: seconds to (6,) values in [-1, 1].
    """

    name = "synthetic"

    def __init__(
        self,
        seed: int = 0,
        seconds: float | None = None,
        frame_rate: float | None = None,
        kind: str = "gametrak",
        live: bool = False,
        clock: Clock | None = None,
        axes: Callable[[float], Array] | None = None,
    ) -> None:
        if kind not in ("gametrak", "hands"):
            raise TrackerError(f"synthetic tracker: kind={kind!r}, expected gametrak or hands")
        self.layout = gametrak_layout() if kind == "gametrak" else hand_layout()
        self.frame_rate = frame_rate if frame_rate is not None else (80.0 if kind == "gametrak" else 30.0)
        if seconds is None:
            seconds = math.inf if live else 10.0
        finite = math.isfinite(self.frame_rate) and (live or math.isfinite(seconds))
        if not (finite and self.frame_rate > 0 and seconds > 0 and seed >= 0):
            raise TrackerError(
                f"synthetic tracker: {seed=}, {seconds=}, {frame_rate=}: expected a seed of at least 0, and both "
                "others above 0; only live=true may go on without end"
            )
        self.live = live
        self.source = f"seed={seed},kind={kind}"
        self._length = max(1.0, float(np.rint(seconds * self.frame_rate)))
        axes = axes if axes is not None else SmoothMotion(seed, 6).at
        self._motion = _gametrak_motion(axes) if kind == "gametrak" else HandsMotion(seed).at
        self._clock = clock if clock is not None else MonotonicClock()
        self._start_s = 0.0

    def start(self) -> float:
        """Frame 0 is now when live, at 0 s otherwise."""
        self._start_s = self._clock.now_s() if self.live else 0.0
        return self._length

    def frame_at(self, index: int, timeout_s: float) -> Frame | None:
        """Frame `index`; when live, waits for it on the clock."""
        at_s = index / self.frame_rate
        if self.live and not wait_until(self._clock, self._start_s + at_s, timeout_s):
            return None
        return Frame(self._start_s + at_s, self._motion(at_s))


def _gametrak_motion(axes: Callable[[float], Array]) -> Callable[[float], Array]:
    calibration = Calibration()
    middle = MAX_COUNT / 2

    def at(time_s: float) -> Array:
        # Whole counts, as the device gives; the foot switch stays up.
        raw = np.rint(middle + middle * axes(time_s))
        return gametrak_values(raw, np.zeros(()), calibration)

    return at
