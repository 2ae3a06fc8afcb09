"""Calibration of a Gametrak: from a few poses that are held, or from a capture in which every axis was moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.base import Tracker, read_all
from gesturemap.trackers.gametrak import GametrakTracker
from gesturemap.trackers.gametrak_calibration import AXES, Calibration
from gesturemap.trackers.gametrak_capture import GametrakCapture

SETTLE_S = 0.5  # from the performer's word to the first report that counts
MIN_SPAN = 1000.0  # counts between the ends of a joystick; a whole one has 3700 or more
MIN_REACH = 200.0  # counts between the tether let in and pulled out, 15 cm
STEADY = 60.0  # counts within which a held pose stays; its noise is 2 to 3


class Pose(NamedTuple):
    """A pose to hold: its name and what the performer is told."""

    name: str
    instruction: str


POSES = (
    Pose("rest", "Let both tethers go all the way in, hands off."),
    Pose("left", "Pull both tethers out a little and lean both joysticks all the way to the LEFT."),
    Pose("right", "Lean both all the way to the RIGHT."),
    Pose("near", "Lean both all the way towards YOU."),
    Pose("far", "Lean both all the way AWAY from you."),
)


def reach_pose(reach_mm: float) -> Pose:
    """The pose that settles millimetres."""
    return Pose("reach", f"Pull both tethers straight up, both ends {reach_mm:g} mm above where they rest.")


def calibrate(spec: str, clock: Clock, ask: Callable[[Pose, str], None], reach_mm: float | None = None) -> Calibration:
    """The calibration of the device ``gametrak``, or by ``gametrak:CAPTURE.jsonl``; see the functions below."""
    name, _, capture = spec.partition(":")
    if name != "gametrak":
        raise TrackerError(f"{spec}: only a Gametrak is calibrated: expected gametrak or gametrak:CAPTURE.jsonl")
    if capture:
        return calibrate_by_capture(capture)
    with GametrakTracker("raw", clock=clock) as tracker:
        return calibrate_by_poses(tracker, clock, ask, reach_mm)


def calibrate_by_poses(
    tracker: Tracker,
    clock: Clock,
    ask: Callable[[Pose, str], None],
    reach_mm: float | None = None,
    hold_s: float = 1.0,
) -> Calibration:
    """A calibration from poses that the performer holds, one after the other.

    Parameters
    ----------
    tracker : an open Gametrak with ``channels="raw"``.
    clock : the tracker's.
    ask : asks the performer to take a pose and returns when it is held; gets the pose, and why it is asked for again
        (empty the first time).
    reach_mm : length for the last pose, which measures the millimetres per count; None to do without.
    hold_s : seconds of reports per pose.

    Raises
    ------
    TrackerError
        If no report comes, or the poses do not span the axes.
    """
    held: dict[str, Array] = {}
    for pose in (*POSES, reach_pose(reach_mm)) if reach_mm is not None else POSES:
        problem = ""
        while pose.name not in held:
            ask(pose, problem)
            raw = _listen(tracker, clock, hold_s)
            moved = [name for name, spread in zip(AXES, np.ptp(raw, axis=0), strict=True) if spread > STEADY]
            problem = f"{', '.join(moved)} moved meanwhile: hold still"
            if not moved:
                held[pose.name] = np.median(raw, axis=0)
    return calibration_from_poses(held, reach_mm)


def calibration_from_poses(held: Mapping[str, Array], reach_mm: float | None = None) -> Calibration:
    """The calibration that belongs to the counts (6,) of held poses, by name of the pose.

    An axis that is built in the other way round comes out turned, as `Calibration` allows.

    Raises
    ------
    TrackerError
        If an axis spans too few counts between its poses: it names the axis and the poses.
    """
    low, high = np.array(held["left"]), np.array(held["right"])
    low[[1, 4]], high[[1, 4]] = held["near"][[1, 4]], held["far"][[1, 4]]
    tethers, rest = [2, 5], np.array(held["rest"])
    high[tethers] = rest[tethers]
    low[tethers] = held["reach"][tethers] if reach_mm is not None else np.minimum(0.0, rest[tethers] - 1.0)
    for axis, name in enumerate(AXES):
        ends = {"x": "left and right", "y": "near and far", "r": "rest and reach"}[name[-1]]
        needed = MIN_REACH if axis in tethers else MIN_SPAN
        if abs(high[axis] - low[axis]) < needed:
            raise TrackerError(
                f"{name} spans {abs(high[axis] - low[axis]):.0f} counts between {ends}, {needed:.0f} or more expected: "
                "calibrate again, and go all the way"
            )
    calibration = Calibration(low=tuple(map(float, low)), high=tuple(map(float, high)))
    if reach_mm is None:
        return calibration
    pulled = float(np.mean(high[tethers] - low[tethers]))
    return replace(calibration, tether_mm_per_count=reach_mm / pulled)


def calibrate_by_capture(path: str | Path) -> Calibration:
    """A calibration from the ranges of a capture; nobody is asked.

    Raises
    ------
    TrackerError
        If the capture cannot be read, or an angle in it spans too few counts.
    """
    _, raw = read_all(GametrakCapture(path, channels="raw"))
    calibration = Calibration.from_ranges(raw)
    for name, span in zip(AXES, np.ptp(raw, axis=0), strict=True):
        if not name.endswith("r") and span < MIN_SPAN:
            raise TrackerError(
                f"{path}: {name} spans {span:.0f} counts, {MIN_SPAN:.0f} or more expected: record a capture in which "
                "both joysticks go all the way round and both tethers are let in"
            )
    return calibration


def _listen(tracker: Tracker, clock: Clock, hold_s: float) -> Array:
    """(n_frames, 6) counts of the next seconds, the first moments of the pose left out."""
    start_s = clock.now_s() + SETTLE_S
    rows = []
    while clock.now_s() < start_s + hold_s:
        frame = tracker.read(0.1)
        if frame is not None and frame.time_s >= start_s and np.isfinite(frame.values).all():
            rows.append(frame.values)
    if not rows:
        raise TrackerError("the Gametrak sent nothing while the pose was held: is it still plugged in?")
    return np.array(rows)
