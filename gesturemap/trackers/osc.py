"""Numbers that other programs send by OSC: a phone, Max, a Wekinator input helper, another tracker's bridge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import OscError, TrackerError
from gesturemap.frame import Array
from gesturemap.osc.codec import Message, decode
from gesturemap.osc.udp import UdpReceiver, parse_address
from gesturemap.trackers.arriving import DEFAULT_TIMEOUT_S, ArrivingTracker
from gesturemap.trackers.osc_channels import osc_layout, parse_inputs

DEFAULT_RATE = 100.0
EXAMPLE = "osc:7400/wek/inputs(6)"


class OscTracker(ArrivingTracker):
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
        super().__init__(timeout_s, frame_rate, clock)
        address, slash, inputs = source.partition("/")
        if not slash:
            raise TrackerError(f"osc:{source} names no message: expected PORT/ADDRESS(ARGUMENTS), as {EXAMPLE}")
        try:
            self._host, self._port = parse_address(address)
        except OscError as error:
            raise TrackerError(f"osc:{source}: {error}") from None
        self.source = source
        self._inputs = {item.address: item for item in parse_inputs(slash + inputs)}
        self.layout = osc_layout(tuple(self._inputs.values()), low, high)
        self.malformed = self.unexpected = 0
        self._open_receiver = open_receiver
        self._receiver: UdpReceiver | None = None

    @property
    def port(self) -> int:
        """The port it listens at."""
        return self._port if self._receiver is None else self._receiver.port

    def connect(self) -> None:
        """Take the port."""
        try:
            self._receiver = self._open_receiver(self._port, self._host)
        except OscError as error:
            raise TrackerError(f"osc:{self.source}: {error}") from None
        self._values = np.full(len(self.layout), np.nan)
        self._newest_s: dict[str, float] = {}
        self.malformed = self.unexpected = 0

    def receive(self, timeout_s: float) -> tuple[float, Array] | None:
        """The values after the next packet that brings any."""
        assert self._receiver is not None
        deadline_s = self._clock.now_s() + timeout_s
        left_s = timeout_s
        while (found := self._receiver.receive(left_s)) is not None:
            now_s = self._clock.now_s()
            if self._take(found[0], now_s):
                return now_s, self._current(now_s)
            left_s = deadline_s - now_s
            if left_s <= 0:  # a flood of rubbish does not hold up the reader
                break
        return None

    def disconnect(self) -> None:
        """Give the port back."""
        if self._receiver is not None:
            self._receiver.close()
        self._receiver = None

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
        self._newest_s[wanted.address] = now_s
        return True

    def _current(self, now_s: float) -> Array:
        for address, newest_s in self._newest_s.items():
            if now_s - newest_s > self._timeout_s:
                self._values[self._inputs[address].columns] = np.nan
        return self._values.copy()
