"""Triggers at work: what a performer asks for without hands, and learning what they ask with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import RecordingError
from gesturemap.frame import Frame, Layout
from gesturemap.recording.held_pose import FrameEvents, learn_pose
from gesturemap.recording.trigger_sources import TriggerSource, open_sources
from gesturemap.recording.triggers import (
    Action,
    Event,
    Pose,
    Presses,
    TriggerSettings,
    TriggerTable,
    bind,
    load_triggers,
    save_triggers,
)
from gesturemap.trackers.base import Tracker

POLL_S = 0.02
POSE_S = 1.0  # how much of a held pose is measured


class Triggers:
    """Every source of a trigger file, and the actions they ask for; use it as a context manager.

    Parameters
    ----------
    settings : controls and poses.
    layout : of the tracker's frames, which switches and poses are read from.
    sources : already open; closed with this.
    """

    def __init__(self, settings: TriggerSettings, layout: Layout, sources: Sequence[TriggerSource] = ()) -> None:
        self._table = TriggerTable(settings)
        self._frame_events = FrameEvents(layout, settings)
        self._sources = tuple(sources)

    def asked(self, frame: Frame | None = None) -> list[Action]:
        """What was asked for since the last call, `frame` being what the tracker gave meanwhile."""
        events = [event for source in self._sources for event in source.poll()]
        if frame is not None:
            events += self._frame_events.events(frame)
        return self._table.actions(events)

    def close(self) -> None:
        """Close every source."""
        for source in self._sources:
            source.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def open_triggers(path: str | Path, layout: Layout, clock: Clock, keys: bool = True) -> Triggers:
    """The triggers of a file, its sources open; the keys of the terminal only where `keys` and the file say so."""
    settings = load_triggers(path)
    settings = settings.model_copy(update={"keys": settings.keys and keys})
    return Triggers(settings, layout, open_sources(settings, clock))


def learn(
    action: Action,
    path: str | Path,
    tracker: Tracker | None,
    clock: Clock,
    *,
    pose: str | None = None,
    osc_port: int | None = None,
    midi_port: str | None = None,
    timeout_s: float = 30.0,
    sources: Sequence[TriggerSource] | None = None,
) -> str:
    """Wait for the thing that shall do `action`, and write it into a trigger file.

    Parameters
    ----------
    path : made if it is not there.
    tracker : whose switches are watched, or whose pose is learned; None watches the other sources alone.
    pose : name of a pose to learn instead: what the tracker sees now, held for a second.
    osc_port, midi_port : kept in the file, beside what it says already.
    timeout_s : how long to wait.
    sources : instead of those of the file.

    Returns
    -------
    The control, as ``midi:cc 64``.

    Raises
    ------
    RecordingError
        If nothing was pressed in time, or a pose is asked for without a tracker.
    """
    settings = load_triggers(path) if Path(path).is_file() else TriggerSettings()
    given = {"osc_port": osc_port, "midi_port": midi_port}
    settings = settings.model_copy(update={key: value for key, value in given.items() if value is not None})
    held: Pose | None = None
    if pose is not None:
        if tracker is None:
            raise RecordingError(f"the pose {pose!r} needs something that sees it: add --tracker NAME")
        control, held = f"pose:{pose}", _watch_pose(tracker, clock, timeout_s)
    else:
        sources = open_sources(settings, clock) if sources is None else sources
        try:
            control = _wait_for_press(sources, tracker, clock, timeout_s)
        finally:
            for source in sources:
                source.close()
    save_triggers(bind(settings, action, control, held), path)
    return control


def _wait_for_press(sources: Sequence[TriggerSource], tracker: Tracker | None, clock: Clock, timeout_s: float) -> str:
    presses, end_s = Presses(), clock.now_s() + timeout_s
    if tracker is not None:
        tracker.open()
    try:
        watch = None if tracker is None else FrameEvents(tracker.layout, TriggerSettings())
        while clock.now_s() < end_s:
            events: list[Event] = [event for source in sources for event in source.poll()]
            frame = None if tracker is None else tracker.read(POLL_S)
            if watch is not None and frame is not None:
                events += watch.events(frame)
            pressed = [event.control for event in events if presses.add(event)]
            if pressed:
                return pressed[0]
            if tracker is None:
                clock.sleep_s(POLL_S)
            elif tracker.finished:
                break
    finally:
        if tracker is not None:
            tracker.close()
    raise RecordingError(
        f"nothing was pressed within {timeout_s:g} s: is it connected, and does it send here? OSC needs --osc-port,"
        " MIDI --midi, a foot switch of a tracker --tracker"
    )


def _watch_pose(tracker: Tracker, clock: Clock, timeout_s: float) -> Pose:
    """The pose in the first second in which the tracker gives frames."""
    frames: list[Frame] = []
    end_s = clock.now_s() + timeout_s
    with tracker:
        while not tracker.finished and clock.now_s() < end_s:
            frame = tracker.read(POLL_S)
            if frame is not None:
                frames.append(frame)
            if frames and frames[-1].time_s - frames[0].time_s >= POSE_S:
                break
    values = np.array([frame.values for frame in frames]).reshape(len(frames), len(tracker.layout))
    return learn_pose(tracker.layout, values)
