"""A running Wekinator as the one that answers: features go to it, its outputs come back.

Behaviour of the peer (observed on Wekinator 2.1): it takes float32 alone, in ``/wek/inputs`` at port 6448, and answers
each with one ``/wek/outputs`` to port 12000, in order; NaN it would take for the middle of a range.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import OscError
from gesturemap.frame import Array
from gesturemap.osc.codec import decode, encode_floats
from gesturemap.osc.udp import UdpReceiver, UdpSender

IN_PORT = 6448
OUT_PORT = 12000

_PACKETS = 256  # looked at in one call, however many wait


class WekinatorClient:
    """Streams features to a Wekinator and keeps its newest outputs.

    It is a `LatentSource` of a performance; for recording, `send` and `arrived` are enough.

    Parameters
    ----------
    host, port : where Wekinator listens.
    n_outputs : numbers a ``/wek/outputs`` must have; others are counted and ignored.
    clock : tells how old an answer is.
    out_port : where Wekinator sends to; 0 takes a free port, which `out_port` then tells.
    silent_after_s : without an answer for so long after something was sent, there is none.

    Attributes
    ----------
    sent, answers, ignored : counts of messages.

    Raises
    ------
    OscError
        If the port is taken or there is no such host.
    """

    poll_s = 0.002

    def __init__(
        self,
        host: str,
        port: int,
        n_outputs: int,
        clock: Clock,
        out_port: int = OUT_PORT,
        silent_after_s: float = 0.5,
    ) -> None:
        self.sent = self.answers = self.ignored = 0
        self._n_outputs, self._clock, self._silent_after_s = n_outputs, clock, silent_after_s
        self._receiver = UdpReceiver(out_port)
        self.out_port = self._receiver.port
        try:
            self._sender = UdpSender(host, port)
        except OscError:
            self._receiver.close()
            raise
        self._waiting_since_s: float | None = None

    def send(self, features: Sequence[float] | Array) -> None:
        """Send one row of features (n_features,), finite; never waits."""
        self._sender.send(encode_floats("/wek/inputs", np.asarray(features, dtype=np.float64).tolist()))
        self.sent += 1

    def arrived(self) -> Array | None:
        """(n_outputs,) of the newest answer since the last call, or None; never waits."""
        newest: Array | None = None
        for _ in range(_PACKETS):
            received = self._receiver.receive()
            if received is None:
                break
            answer = self._read(received[0])
            newest = newest if answer is None else answer
        if newest is not None:
            self._waiting_since_s = None
        return newest

    def latents(self, time_s: float, features: Array) -> Array | None:
        """Ask; None while the answer may still come, NaN where there is no gesture or Wekinator is silent."""
        absent = np.full(self._n_outputs, np.nan)
        if not np.isfinite(features).all():
            self._waiting_since_s = None
            return absent
        newest = self.arrived()
        now_s = self._clock.now_s()
        self.send(features)
        if newest is not None:
            return newest
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
        return absent if now_s - self._waiting_since_s > self._silent_after_s else None

    def _read(self, packet: bytes) -> Array | None:
        answer: Array | None = None
        try:
            messages = decode(packet)
        except OscError:
            self.ignored += 1
            return None
        for address, arguments in messages:
            if address == "/wek/outputs" and len(arguments) == self._n_outputs and _numbers(arguments):
                answer = np.array(arguments, dtype=np.float64)
                self.answers += 1
            elif not address.startswith("/wekinator/"):  # done-training and the like are no answers, and no fault
                self.ignored += 1
        return answer

    def close(self) -> None:
        """Close both sockets."""
        self._receiver.close()
        self._sender.close()


def _numbers(arguments: Sequence[object]) -> bool:
    return all(isinstance(argument, (int, float)) for argument in arguments)
