"""A bridge without sockets: packets go in by hand, learning runs when told to; and one in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.bridge import saving
from gesturemap.bridge.dispatch import receive, rehearse
from gesturemap.bridge.learning import choose_regressor
from gesturemap.bridge.session import Session
from gesturemap.bridge.settings import BridgeSettings
from gesturemap.clock import ManualClock
from gesturemap.osc.codec import Message, decode, encode, encode_floats

N_INPUTS = 2
PATIENCE_S = 30.0


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
        with np.errstate(all="ignore"):
            for packet in packets:
                receive(self.session, packet)
                if self.session.running:
                    rehearse(self.session)
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


class Client:
    """Sends to a bridge started as a user would, and hears its answers."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.heard.bind(("127.0.0.1", 0))
        self.heard.settimeout(PATIENCE_S)
        port = self.heard.getsockname()[1]
        command = [sys.executable, "-c", "from gesturemap.cli import main; main()", "bridge", "--in-port", "0"]
        options = ("--out-port", str(port), "--session", str(folder), "--regressor", "kernel_ridge", "--json", *options)
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        assert said.startswith("listening on "), said
        self.target = ("127.0.0.1", int(said.split(",")[0].rsplit(":", 1)[1]))

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.heard.sendto(packet, self.target)

    def wait_for(self, address: str) -> tuple[object, ...]:
        while True:
            for message in decode(self.heard.recv(65535)):
                if message.address == address:
                    return message.arguments

    def state(self) -> dict[object, object]:
        self.send(encode("/gesturemap/state"))
        words = self.wait_for("/gesturemap/state")
        return dict(zip(words[::2], words[1::2], strict=True))

    def record(self, rows: np.ndarray) -> None:
        self.send(encode("/wekinator/control/startRecording"))
        for a, b in rows.tolist():
            self.send(encode_floats("/wekinator/control/outputs", [a + b]), encode_floats("/wek/inputs", [a, b]))

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.heard.close()


@pytest.fixture
def start(folder: Path) -> Iterator[object]:
    clients: list[Client] = []

    def begin(*options: str) -> Client:
        clients.append(Client(folder, *options))
        return clients[-1]

    yield begin
    for client in clients:
        client.close()
