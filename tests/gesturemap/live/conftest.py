"""Trackers and outputs for performances that need no device and no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Frame, Layout
from gesturemap.recording import Take
from gesturemap.trackers.base import Tracker


class ListTracker(Tracker):
    """The rows of a take, as a file; or live on a clock, unplugged after `unplug_after` frames."""

    name, source, frame_rate = "synthetic", "a list", 60.0

    def __init__(
        self, take: Take, layout: Layout, clock: ManualClock | None = None, unplug_after: int | None = None
    ) -> None:
        self.layout, self.live = layout, clock is not None
        self._take, self._clock, self._unplug_after = take, clock, unplug_after
        self._next = 0

    def open(self) -> None:
        self._next = 0
        self._offset_s = 0.0 if self._clock is None else self._clock.now_s() - float(self._take.time_s[0])

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        if self.finished:
            return None
        if self._next == self._unplug_after:
            raise TrackerError("the cable is out")
        due_s = float(self._take.time_s[self._next]) + self._offset_s
        if self._clock is not None:
            ahead_s = due_s - self._clock.now_s()
            self._clock.sleep_s(min(ahead_s, timeout_s))
            if ahead_s > timeout_s:
                return None
        self._next += 1
        return Frame(due_s, self._take.values[self._next - 1])

    @property
    def finished(self) -> bool:
        return self._next >= len(self._take.time_s)

    def close(self) -> None:
        pass


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.time_s: list[float] = []
        self.rows: list[Array] = []
        self.calls: list[Any] = []

    def start(self) -> None:
        self.calls.append("start")

    def write(self, time_s: float, latents: Array) -> None:
        self.time_s.append(time_s)
        self.rows.append(latents)

    def mute(self, on: bool) -> None:
        self.calls.append(("mute", on))

    def close(self) -> None:
        self.calls.append("close")

    def summary(self) -> dict[str, Any]:
        return {"output": "kept"}

    @property
    def latents(self) -> Array:
        return np.stack(self.rows)


class StandIn:
    """A player whose sound is its first latent; streams too."""

    def __init__(self, space: Any) -> None:
        self.space = space
        self.blocks: list[Array] = []

    def decode(self, latents: Array) -> Array:
        self.space.check(latents)
        return np.repeat(latents[:, 0] / 20.0, self.space.hop_length)[None].astype(np.float32)

    def open_decoder(self) -> StandIn:
        return self

    def process(self, latents: Array) -> Array:
        self.blocks.append(latents)
        return self.decode(latents)

    def reset(self) -> None:
        self.blocks.clear()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def list_tracker() -> type[ListTracker]:
    return ListTracker


@pytest.fixture
def stand_in(play_space: Any) -> StandIn:
    return StandIn(play_space)


def messages_of(packets: Sequence[bytes]) -> list[Any]:
    """Decoded, in order."""
    from gesturemap.osc.codec import decode

    return [message for packet in packets for message in decode(packet)]
