"""Numbers that other programs send by OSC: a phone, Max, a Wekinator input helper, another tracker's bridge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import OscError, TrackerError
from gesturemap.frame import Frame
from gesturemap.osc.codec import Message, decode
from gesturemap.osc.udp import UdpReceiver, parse_address
from gesturemap.trackers.base import Tracker, not_open, strictly_after
from gesturemap.trackers.osc_channels import osc_layout, parse_inputs
from gesturemap.trackers.outage import Outage

DEFAULT_RATE = 100.0
DEFAULT_TIMEOUT_S = 1.0
EXAMPLE = "osc:7400/wek/inputs(6)"


class OscTracker(Tracker):
    """Messages that arrive at a UDP port. Every packet that brings a value makes a frame; the others keep theirs.

    A channel whose messages stop is NaN after a while, and when all have stopped, frames of NaN come at
    `frame_rate` until one is heard again.

    Parameters
    ----------
    source : ``PORT/ADDRESS(ARGUMENTS)`` or ``HOST:PORT/...``, see `osc_channels` for the grammar. Without a host this
        machine alone is heard; ``0.0.0.0`` hears every network.
    timeout_s : after which a value is too old. ``inf`` for faders and pedals, which send only when they are moved.
    low, high : range of the numbers; one outside is taken as it is.
    frame_rate : Hz at which packets are expected. They are taken whenever they come.
    clock : gives the frames their time; None for the machine's.
    open_receiver : the seam for tests.

    Attributes
    ----------
    malformed : packets since `open` that were no OSC.
    unexpected : messages to another address, with another number of arguments, or arguments that are no numbers.
    dropped : both.
    """

    name = "osc"
    live = True

    def __init__(
        self,
        source: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        low: float = 0.0,
        high: float = 1.0,
        frame_rate: float = DEFAULT_RATE,
        clock: Clock | None = None,
        open_receiver: Callable[[int, str], UdpReceiver] = UdpReceiver,
    ) -> None:
        address, slash, inputs = source.partition("/")
        if not slash:
            raise TrackerError(f"osc:{source} names no message: expected PORT/ADDRESS(ARGUMENTS), as {EXAMPLE}")
        if not (timeout_s > 0 and 0 < frame_rate < np.inf):
            raise TrackerError(f"osc: {timeout_s=}, {frame_rate=}: expected both above 0")
        try:
            self._host, self._port = parse_address(address)
        except OscError as error:
            raise TrackerError(f"osc:{source}: {error}") from None
        self.source, self.frame_rate = source, frame_rate
        inputs_by_address = {item.address: item for item in parse_inputs(slash + inputs)}
        self._inputs = inputs_by_address
        self.layout = osc_layout(tuple(inputs_by_address.values()), low, high)
        self.malformed = self.unexpected = 0
        self._timeout_s = timeout_s
        self._clock = clock if clock is not None else MonotonicClock()
        self._open_receiver = open_receiver
        self._receiver: UdpReceiver | None = None
        self._closed = False

    @property
    def port(self) -> int:
        """The port it listens at."""
        return self._port if self._receiver is None else self._receiver.port

    def open(self) -> None:
        """Listen."""
        self.close()
        try:
            self._receiver = self._open_receiver(self._port, self._host)
        except OscError as error:
            raise TrackerError(f"osc:{self.source}: {error}") from None
        self._closed = False
        self._values = np.full(len(self.layout), np.nan)
        self._heard_s: dict[str, float] = {}
        self._last_s = -np.inf
        self._outage = Outage(self._clock, self.layout, self.frame_rate)
        self.malformed = self.unexpected = self.dropped = self.lost = 0

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The values after the next packet that brings any; without one for too long, a frame of NaN."""
        if self._receiver is None:
            raise not_open(self)
        deadline_s = self._clock.now_s() + timeout_s
        while True:
            now_s = self._clock.now_s()
            wait_s = max(0.0, deadline_s - now_s)
            found = self._receiver.receive(min(wait_s, max(0.0, self._silent_from_s() - now_s)))
            now_s = self._clock.now_s()
            if found is None:
                return self._silence(now_s)
            if self._take(found[0], now_s):
                return self._frame(now_s)
            if now_s >= deadline_s:
                return None

    @property
    def finished(self) -> bool:
        """True when closed: somebody may always send again."""
        return self._closed

    def close(self) -> None:
        """Give the port back."""
        if self._receiver is not None:
            self._receiver.close()
        self._receiver, self._closed = None, True

    def _silent_from_s(self) -> float:
        """When the newest value is too old, or the next frame of absence is due."""
        if self._outage.active:
            return self._outage.due_s
        return max(self._heard_s.values()) + self._timeout_s if self._heard_s else np.inf

    def _silence(self, now_s: float) -> Frame | None:
        if now_s < self._silent_from_s():
            return None
        if not self._outage.active:
            self._outage.begin()
            self.lost = self._outage.count
        absent = self._outage.read(0.0)
        return absent and Frame(self._stamp(absent.time_s), absent.values)

    def _take(self, packet: bytes, now_s: float) -> bool:
        """Keep the values of a packet; whether it brought any."""
        try:
            messages = decode(packet)
        except OscError:
            self.malformed += 1
            self.dropped += 1
            return False
        brought = [self._take_message(message, now_s) for message in messages]
        self.unexpected += brought.count(False)
        self.dropped += brought.count(False)
        return any(brought)

    def _take_message(self, message: Message, now_s: float) -> bool:
        wanted = self._inputs.get(message.address)
        values = None if wanted is None else wanted.read(message.arguments)
        if wanted is None or values is None:
            return False
        self._values[wanted.columns] = values
        self._heard_s[wanted.address] = now_s
        return True

    def _frame(self, now_s: float) -> Frame:
        self._outage.end()
        for address, heard_s in self._heard_s.items():
            if now_s - heard_s > self._timeout_s:
                self._values[self._inputs[address].columns] = np.nan
        return Frame(self._stamp(now_s), self._values.copy())

    def _stamp(self, now_s: float) -> float:
        self._last_s = strictly_after(self._last_s, now_s)
        return self._last_s
