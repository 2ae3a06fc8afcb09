"""Events that come with the frames of the tracker: a foot switch on it, a pose that is held."""

from __future__ import annotations

import numpy as np

from gesturemap.errors import LayoutError, TrackerError
from gesturemap.frame import Array, Frame, Layout
from gesturemap.recording.triggers import Event, Pose, TriggerSettings

LEAVE = 1.5  # a pose is left at this many radii, not at one: a hand at the edge shall not trigger again and again
LEAST_RADIUS = 0.02  # of a learned pose: nobody holds stiller


class FrameEvents:
    """Events of a stream of frames.

    Parameters
    ----------
    layout : of the frames; its channels of unit ``bool`` are switches, apart from ``..._present``.
    settings : the poses.

    Raises
    ------
    LayoutError
        If a pose needs a channel that is not there, or a switch that is listed is none of this tracker's.
    """

    def __init__(self, layout: Layout, settings: TriggerSettings) -> None:
        self._switches = switch_columns(layout)
        for control in (control for controls in settings.triggers.values() for control in controls):
            kind, _, name = control.partition(":")
            if kind == "switch" and name not in self._switches:
                there = ", ".join(self._switches) or "none"
                raise LayoutError(f"no switch {name!r} on this tracker; there are: {there}")
        self._poses = {name: _Holding(pose, layout) for name, pose in settings.poses.items()}

    def events(self, frame: Frame) -> list[Event]:
        """Where every switch and pose is at `frame`; nothing of a channel that is absent."""
        seen = [
            Event(f"switch:{name}", frame.time_s, float(frame.values[column]))
            for name, column in self._switches.items()
            if np.isfinite(frame.values[column])
        ]
        return seen + [
            Event(f"pose:{name}", frame.time_s, float(holding.held(frame))) for name, holding in self._poses.items()
        ]


class _Holding:
    """How long one pose has been held."""

    def __init__(self, pose: Pose, layout: Layout) -> None:
        columns = layout.columns(pose.channels)
        self._pose, self._columns, self._ranges = pose, columns, _ranges(layout, columns)
        self._since_s: float | None = None

    def held(self, frame: Frame) -> bool:
        """Whether the pose has been held for as long as it must."""
        off = np.abs(frame.values[self._columns] - np.array(self._pose.centre)) / self._ranges
        allowed = self._pose.radius * (1.0 if self._since_s is None else LEAVE)
        if not (off <= allowed).all():  # NaN, a hand that is not seen, is no pose
            self._since_s = None
            return False
        self._since_s = frame.time_s if self._since_s is None else self._since_s
        return frame.time_s - self._since_s >= self._pose.hold_s


def switch_columns(layout: Layout) -> dict[str, int]:
    """Name and column of every channel that is a switch."""
    return {
        channel.name: column
        for column, channel in enumerate(layout.channels)
        if channel.unit == "bool" and not channel.name.endswith("present")
    }


def learn_pose(layout: Layout, values: Array, hold_s: float = 1.0) -> Pose:
    """The pose that a performer holds.

    Parameters
    ----------
    values : (n_frames, n_channels) while it is held. Channels that are not numbers throughout, and switches, are
        left out; the radius is three times the largest deviation of what is left, relative to its channel's range.

    Raises
    ------
    TrackerError
        If nothing was seen throughout.
    """
    flags = {column for column, channel in enumerate(layout.channels) if channel.unit == "bool"}
    columns = [
        column
        for column in range(len(layout))
        if len(values) and column not in flags and np.isfinite(values[:, column]).all()
    ]
    if not columns:
        raise TrackerError("no pose was seen: hold it in sight of the tracker, and try again")
    held = values[:, columns]
    shake = float((held.std(axis=0) / _ranges(layout, columns)).max())
    return Pose(
        channels=tuple(layout.names[column] for column in columns),
        centre=tuple(held.mean(axis=0).tolist()),
        radius=min(1.0, max(LEAST_RADIUS, 3.0 * shake)),
        hold_s=hold_s,
    )


def _ranges(layout: Layout, columns: list[int]) -> Array:
    return np.array([layout.channels[column].high - layout.channels[column].low for column in columns])
