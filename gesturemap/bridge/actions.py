"""What a pedal, a key or a button can ask for: the actions of a trigger file, done to a session.

``/gesturemap/record``, ``stop``, ... do the same. The first line of each docstring is what the documentation says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from audiovae.errors import SettingsError
from gesturemap.bridge.session import REFUSED, Session
from gesturemap.clock import Clock
from gesturemap.errors import OscError
from gesturemap.osc.codec import encode
from gesturemap.recording.trigger_sources import TriggerSource, open_sources
from gesturemap.recording.triggers import Action, TriggerTable, load_triggers

NO_FRAMES = ("switch", "pose")  # kinds of controls that only a tracker sees
REST = "rest"


def record(session: Session) -> None:
    """Record: every input is an example with the current outputs, as startRecording. Not for gestures."""
    session.start_recording()


def stop(session: Session) -> None:
    """End the recording; if there is none, answer no more."""
    if session.recording:
        session.stop_recording()
    else:
        session.stop_running()


def toggle(session: Session) -> None:
    """Record, and at the next press stop: for a single pedal."""
    (stop if session.recording else record)(session)


def undo(session: Session) -> None:
    """Take the last round of examples back."""
    session.stop_recording()
    if not session.examples.undo():
        raise OscError("nothing to undo")
    session.end_round()


def redo(session: Session) -> None:
    """Bring the round back that was undone last."""
    if not session.examples.redo():
        raise OscError("nothing to redo")
    session.examples_changed()


def next_snapshot(session: Session) -> None:
    """Set and send the snapshot after the one heard last, in the order they were stored; after the last the first."""
    names = list(session.snapshots)
    if not names:
        raise OscError("no snapshots yet: store outputs with /gesturemap/snapshot/store NAME first")
    last = names.index(session.snapshot) if session.snapshot in names else -1
    session.recall(names[(last + 1) % len(names)])


def panic(session: Session) -> None:
    """Record and answer no more, and send outputs at rest: the snapshot `rest`, else a model's mean, else defaults."""
    session.stop_recording()
    session.stop_running()
    session.run_when_trained = False
    session.values = list(session.snapshots.get(REST) or session.rest)
    session.send_outputs()


ACTIONS: dict[Action, Callable[[Session], None]] = {
    Action.RECORD: record,
    Action.STOP: stop,
    Action.TOGGLE: toggle,
    Action.TRAIN: Session.train,
    Action.RUN: Session.start_running,
    Action.UNDO: undo,
    Action.REDO: redo,
    Action.NEXT_SNAPSHOT: next_snapshot,
    Action.PANIC: panic,
}


class Pedals:
    """Every source of a trigger file that needs no tracker, and what it asks of a session.

    Parameters
    ----------
    table : what each control does.
    sources : open; closed with this.
    """

    def __init__(self, table: TriggerTable, sources: list[TriggerSource]) -> None:
        self._table, self._sources = table, sources

    def act(self, session: Session) -> None:
        """Do what was asked for since the last call, and tell the state after each; never waits."""
        events = [event for source in self._sources for event in source.poll()]
        for action in self._table.actions(events):
            try:
                ACTIONS[action](session)
            except REFUSED as error:
                session.refuse(error)
            session.send(encode("/gesturemap/done", [str(action), session.state.value, int(session.recording)]))

    def close(self) -> None:
        """Close every source."""
        for source in self._sources:
            source.close()


def open_pedals(path: Path, clock: Clock) -> Pedals:
    """The sources of a trigger file.

    Raises
    ------
    SettingsError
        If the file binds poses or switches, which come with a tracker's frames: a bridge has none.
    OscError, TrackerError
        If a port is taken, or there is no such MIDI input.
    """
    settings = load_triggers(path)
    for action, controls in settings.triggers.items():
        unseen = [control for control in controls if control.startswith(NO_FRAMES)]
        if unseen:
            raise SettingsError(
                f"{path}: {unseen[0]!r} is to {action}, but comes with a tracker's frames, and a bridge has no tracker:"
                f" `gesturemap learn {action} --triggers FILE` binds a key, OSC or MIDI (--osc-port, --midi) instead"
            )
    return Pedals(TriggerTable(settings), open_sources(settings, clock))
