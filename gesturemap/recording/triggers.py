"""Actions without hands: which key, pedal, MIDI or OSC message, switch or held pose does what.

A source (`trigger_sources`, `held_pose`) turns what happens into an `Event`, a `TriggerTable` turns events into
actions. Neither knows the other, so that events come from a test as well as from a device.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from audiovae.errors import SettingsError
from audiovae.latent_space import replace_text
from audiovae.settings import Settings, build

KINDS = ("osc", "midi", "key", "switch", "pose")
PRESSED = 0.5  # of a control that goes from 0 to 1: a fader, a pedal
BOUNCE_S = 0.05  # the contact of a switch closes several times at one press


class Action(StrEnum):
    """What can be asked for. `TOGGLE` is for a single pedal: record, and at the next press stop."""

    RECORD = "record"
    STOP = "stop"
    TOGGLE = "toggle"
    TRAIN = "train"
    RUN = "run"
    UNDO = "undo"
    REDO = "redo"
    NEXT_SNAPSHOT = "next_snapshot"
    PANIC = "panic"


def find_action(name: str) -> Action:
    """The action called `name`; `SettingsError` names all there are."""
    try:
        return Action(name)
    except ValueError:
        raise SettingsError(f"no action {name!r}; there are: {', '.join(Action)}") from None


# Understood without being listed in a file; Wekinator's, so that foot switches made for it work.
ADDRESSES = {f"/gesturemap/{action}": action for action in Action} | {
    "/wekinator/control/startRecording": Action.RECORD,
    "/wekinator/control/stopRecording": Action.STOP,
    "/wekinator/control/train": Action.TRAIN,
    "/wekinator/control/startRunning": Action.RUN,
    "/wekinator/control/stopRunning": Action.STOP,
}


class Event(NamedTuple):
    """Something happened to a control.

    Attributes
    ----------
    control : ``KIND:NAME``: ``osc:/1/push1``, ``midi:note 60``, ``midi:cc 64``, ``key:space``, ``switch:button_1``,
        ``pose:fist``.
    time_s : when, in seconds of the session's clock.
    value : 0 to 1, where the control now is; None for what only ever is pressed, as a message without a number.
    """

    control: str
    time_s: float
    value: float | None = None


class Pose(Settings):
    """A pose that, held still, is a trigger.

    Parameters
    ----------
    channels : of the tracker that make it.
    centre : value of each, in its unit.
    radius : how far each may be off, as a share of the channel's range.
    hold_s : how long it is held before it counts.
    """

    channels: tuple[str, ...] = Field(min_length=1)
    centre: tuple[float, ...]
    radius: float = Field(default=0.05, gt=0.0, le=1.0)
    hold_s: float = Field(default=1.0, ge=0.0)

    @model_validator(mode="after")
    def _as_many(self) -> Pose:
        if len(self.centre) != len(self.channels):
            raise ValueError(f"centre: {len(self.centre)} values found, {len(self.channels)} channels")
        return self


class TriggerSettings(Settings):
    """What a trigger file holds.

    Parameters
    ----------
    osc_port : listen there for OSC, the addresses of `ADDRESSES` included; None: do not.
    osc_host : the address of this machine to listen at; 0.0.0.0 hears every network.
    midi_port : name of a MIDI input, or a part of it; None: none.
    keys : whether the keys of the terminal count.
    triggers : the controls of each action.
    poses : by name, for controls ``pose:NAME``.
    """

    osc_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    osc_host: str = "127.0.0.1"
    midi_port: str | None = None
    keys: bool = True
    triggers: dict[Action, tuple[str, ...]] = {}
    poses: dict[str, Pose] = {}

    @model_validator(mode="after")
    def _known_controls(self) -> TriggerSettings:
        seen: dict[str, Action] = {}
        for action, controls in self.triggers.items():
            for control in controls:
                kind, _, name = control.partition(":")
                if kind not in KINDS or not name:
                    raise ValueError(f"{action}: {control!r} found, KIND:NAME expected, KIND one of {', '.join(KINDS)}")
                if kind == "pose" and name not in self.poses:
                    raise ValueError(f"{action}: no pose {name!r}: `gesturemap learn {action} --pose {name}` makes one")
                if seen.setdefault(control, action) != action:
                    raise ValueError(f"{control!r} is to {seen[control]} and to {action}")
        return self


def load_triggers(path: str | Path) -> TriggerSettings:
    """The settings of a trigger file.

    Raises
    ------
    SettingsError
        If there is none, it is not TOML, or a key or control is not known.
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: no such trigger file: `gesturemap learn ACTION --triggers {path}` makes it"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: not a trigger file ({error})") from None
    return build(TriggerSettings, document, str(path))


def save_triggers(settings: TriggerSettings, path: str | Path) -> None:
    """Write a trigger file."""
    import tomli_w

    replace_text(Path(path), tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True)))


def bind(settings: TriggerSettings, action: Action, control: str, pose: Pose | None = None) -> TriggerSettings:
    """`settings` with `control` doing `action`, and nothing else any more.

    Parameters
    ----------
    pose : what the control ``pose:NAME`` is.
    """
    triggers = {known: tuple(c for c in controls if c != control) for known, controls in settings.triggers.items()}
    triggers[action] = (*triggers.get(action, ()), control)
    poses = settings.poses if pose is None else settings.poses | {control.partition(":")[2]: pose}
    changed = {"triggers": {known: controls for known, controls in triggers.items() if controls}, "poses": poses}
    return build(TriggerSettings, settings.model_dump() | changed, "triggers")


class TriggerTable:
    """From events to actions: a press is the way from released to pressed, once.

    Parameters
    ----------
    settings : the controls of each action.
    """

    def __init__(self, settings: TriggerSettings) -> None:
        self._actions = {f"osc:{address}": action for address, action in ADDRESSES.items()}
        self._actions |= {control: action for action, controls in settings.triggers.items() for control in controls}
        self._presses = Presses()

    def actions(self, events: Sequence[Event]) -> list[Action]:
        """What the presses among `events` ask for, in their order."""
        return [self._actions[e.control] for e in events if self._presses.add(e) and e.control in self._actions]


class Presses:
    """Which events are presses: of any control, known or not, so that one can be learned."""

    def __init__(self) -> None:
        self._down: dict[str, bool] = {}
        self._pressed_s: dict[str, float] = {}

    def add(self, event: Event) -> bool:
        """Whether `event` presses its control."""
        was_down = self._down.get(event.control, False)
        down = event.value is None or event.value > PRESSED
        self._down[event.control] = down and event.value is not None
        if not down or was_down:
            return False
        since_s = event.time_s - self._pressed_s.get(event.control, -BOUNCE_S)
        self._pressed_s[event.control] = event.time_s
        return since_s >= BOUNCE_S
