"""Latents over OSC: ``/latent`` with all values, one message a frame, and what they mean beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gesturemap.frame import Array
from gesturemap.osc.codec import encode, encode_floats
from gesturemap.osc.udp import UdpSender


@dataclass(frozen=True)
class LatentDescription:
    """What a receiver should know of the latents it gets.

    Parameters
    ----------
    names : (latent_size,).
    low, high : (latent_size,) range; nothing outside it is ever sent.
    rate_hz : messages a second, nominal.
    model_id, model_name : whose latents they are.
    mode : ``replace``: these are latents. ``add``, ``multiply``: what is added to, or times, those of a sound.
    """

    names: tuple[str, ...]
    low: Array
    high: Array
    rate_hz: float
    model_id: str
    model_name: str
    mode: str = "replace"

    def packets(self) -> list[bytes]:
        """The meta messages. Addresses are flat: none is the beginning of another's path (Pd's ``oscparse``)."""
        ranges = [bound for pair in zip(self.low.tolist(), self.high.tolist(), strict=True) for bound in pair]
        return [
            encode("/gesturemap/latent/labels", self.names),
            encode_floats("/gesturemap/latent/ranges", ranges),
            encode_floats("/gesturemap/latent/rate", [self.rate_hz]),
            encode("/gesturemap/latent/mode", [self.mode]),
            encode("/gesturemap/model", [self.model_id, self.model_name]),
        ]


class OscOutput:
    """The `LatentSink` for Max, Pure Data and everything else that speaks OSC.

    ``/gesturemap/playing`` is 1 from the start and 0 at the end and while panic is on, so that a patch can fade.

    Parameters
    ----------
    targets : host and port of every receiver.
    max_rate_hz : frames above this rate are left out; 0 for no limit.

    Attributes
    ----------
    sent, skipped : latent frames sent to all receivers, and left out by the rate limit.
    """

    def __init__(
        self, targets: Sequence[tuple[str, int]], description: LatentDescription, max_rate_hz: float = 0.0
    ) -> None:
        self.description = description
        self.sent = self.skipped = 0
        self._targets = tuple(targets)
        self._senders = [UdpSender(host, port) for host, port in targets]
        # A hundredth less, so that a tracker at just that rate and a little jitter loses none.
        self._period_s = 0.99 / max_rate_hz if max_rate_hz else 0.0
        self._last_s = -math.inf

    def start(self) -> None:
        """Say what will come."""
        self.describe()
        self._send(encode_floats("/gesturemap/playing", [1.0]))

    def describe(self) -> None:
        """Send labels, ranges, rate and model."""
        for packet in self.description.packets():
            self._send(packet)

    def write(self, time_s: float, latents: Array) -> None:
        """Send one frame, unless the rate limit leaves it out."""
        if time_s - self._last_s < self._period_s:
            self.skipped += 1
            return
        self._last_s = time_s
        self._send(encode_floats("/latent", latents.tolist()))
        self.sent += 1

    def mute(self, on: bool) -> None:
        """Tell the receivers to be silent."""
        self._send(encode_floats("/gesturemap/playing", [0.0 if on else 1.0]))

    def close(self) -> None:
        """Say that it is over, close the sockets."""
        self.mute(True)
        for sender in self._senders:
            sender.close()

    def summary(self) -> dict[str, Any]:
        """Receivers, frames sent and left out, packets that the system did not take."""
        return {
            "output": "osc",
            "to": [f"{host}:{port}" for host, port in self._targets],
            "sent": self.sent,
            "skipped": self.skipped,
            "dropped_by_system": sum(sender.dropped for sender in self._senders),
        }

    def _send(self, packet: bytes) -> None:
        for sender in self._senders:
            sender.send(packet)
