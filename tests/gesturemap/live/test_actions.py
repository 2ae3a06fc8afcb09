"""Triggers on stage: the foot switch of the tracker silences, plays again and ends."""

from __future__ import annotations

import numpy as np

from gesturemap.frame import Channel, Frame, Layout
from gesturemap.live.actions import Actions
from gesturemap.live.controls import Controls, press
from gesturemap.recording.hands_free import Triggers
from gesturemap.recording.triggers import Action, Event, TriggerSettings

LAYOUT = Layout((Channel("x", "mm", 0.0, 1.0), Channel("footswitch", "bool", 0.0, 1.0)))


class Said:
    """A source that says one event a poll."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)

    def poll(self) -> list[Event]:
        return [Event(f"osc:{self._addresses.pop(0)}", float(len(self._addresses)))] if self._addresses else []

    def close(self) -> None:
        pass


def test_a_pedal_silences_and_plays_again() -> None:
    controls = Controls()
    settings = TriggerSettings(triggers={Action.TOGGLE: ("switch:footswitch",)})
    control = Actions(controls, Triggers(settings, LAYOUT))
    silent = []
    for index, down in enumerate([0, 1, 1, 0, 0, 1, 0]):
        control.hear(Frame(0.1 * index, np.array([0.5, float(down)])))
        control.hear(None)
        silent.append(controls.panic)
    assert silent == [False, True, True, True, True, False, False]
    assert not controls.stop


def test_messages_silence_play_and_end() -> None:
    controls = Controls()
    said = Said("/gesturemap/panic", "/wekinator/control/startRunning", "/gesturemap/train", "/gesturemap/stop")
    control = Actions(controls, Triggers(TriggerSettings(), LAYOUT, [said]))
    seen = []
    for _ in range(4):
        control.hear(None)
        seen.append((controls.panic, controls.stop))
    assert seen == [(True, False), (False, False), (False, False), (False, True)]
    assert control.in_vain == 1  # nothing is taught here


def test_keys_ask_for_the_same_actions() -> None:
    controls = Controls()
    for key in "n tguU?":
        press(controls, key)
    wanted = ["next_snapshot", "toggle", "train", "run", "undo", "redo"]
    assert list(controls.asked) == wanted
