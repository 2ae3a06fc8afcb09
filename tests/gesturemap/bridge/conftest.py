"""A bridge without sockets: packets go in by hand, learning runs when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.bridge import saving
from gesturemap.bridge.dispatch import receive
from gesturemap.bridge.learning import choose_regressor
from gesturemap.bridge.session import Session
from gesturemap.bridge.settings import BridgeSettings
from gesturemap.clock import ManualClock
from gesturemap.osc.codec import Message, decode, encode, encode_floats

N_INPUTS = 2


class HandExecutor(Executor):
    """Runs what was submitted when `work` is called."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: function(*args, **kwargs)))
        return future

    def work(self) -> None:
        while self.waiting:
            future, run = self.waiting.pop(0)
            try:
                future.set_result(run())
            except Exception as error:
                future.set_exception(error)


class Bridge:
    """A session and what it has sent."""

    def __init__(self, **settings: Any) -> None:
        self.executor, self.clock = HandExecutor(), ManualClock()
        self.sent: list[Message] = []
        self.packets: list[bytes] = []
        self.batches: list[Message] = []
        settings.setdefault("choice", choose_regressor("kernel_ridge"))
        self.session = Session(
            BridgeSettings(**settings),
            self._sent,
            self.executor,
            self.clock,
            send_bundle_reply=lambda packet: self.batches.extend(decode(packet)),
        )

    def _sent(self, packet: bytes) -> None:
        self.packets.append(packet)
        self.sent.extend(decode(packet))

    def give(self, *packets: bytes) -> list[Message]:
        """Receive packets in one go; what was sent in answer."""
        self.sent.clear()
        receive(self.session, packets)
        saving.settle(self.session)
        return list(self.sent)

    def say(self, address: str, *arguments: Any) -> list[Message]:
        return self.give(encode(address, arguments))

    def control(self, name: str, *arguments: Any) -> list[Message]:
        return self.say(f"/wekinator/control/{name}", *arguments)

    def inputs(self, *values: float) -> list[Message]:
        return self.give(encode_floats("/wek/inputs", values))

    def work(self) -> list[Message]:
        """Let the learning run; what was sent when it was done."""
        self.sent.clear()
        while self.executor.waiting:
            self.executor.work()
            self.session.poll()
        return list(self.sent)

    def record(self, n_rows: int = 30, n_outputs: int = 2, seed: int = 0) -> None:
        """A round of examples: outputs are sums and differences of the inputs."""
        rng = np.random.default_rng(seed)
        self.control("startRecording")
        for a, b in rng.uniform(size=(n_rows, N_INPUTS)).tolist():
            self.control("outputs", *[a + b, a - b, a, b][:n_outputs])
            self.inputs(a, b)
        self.control("stopRecording")

    def train(self, n_outputs: int = 2) -> None:
        """Record, train and run."""
        self.record(n_outputs=n_outputs)
        self.control("train")
        self.work()
        self.control("startRunning")

    def state(self) -> dict[str, Any]:
        (message,) = self.say("/gesturemap/state")
        return dict(zip(message.arguments[::2], message.arguments[1::2], strict=True))


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


@pytest.fixture
def make_bridge() -> Callable[..., Bridge]:
    return Bridge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a.session"
