"""The bridge in a process of its own, over real sockets: answers, and a kill in the middle of a recording."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gesturemap.bridge.folder import read_folder
from gesturemap.osc.codec import decode, encode, encode_floats
from gesturemap.recording import Recording

PATIENCE_S = 30.0


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


def test_learns_and_answers_in_order_over_sockets(start) -> None:
    client = start()
    rows = np.random.default_rng(0).uniform(size=(40, 2))
    client.record(rows)
    client.send(encode("/wekinator/control/stopRecording"), encode("/wekinator/control/train"))
    client.wait_for("/wekinator/status/done-training")
    client.send(encode("/wekinator/control/startRunning"))
    sums = []
    for a, b in rows.tolist():
        client.send(b"\xff" * 7, encode("/*", [1.0]), encode_floats("/wek/inputs", [a, b]))
    for _ in rows:
        sums.append(client.wait_for("/wek/outputs")[0])
    np.testing.assert_allclose(np.array(sums, float), rows.sum(axis=1), atol=0.05)
    client.process.send_signal(signal.SIGTERM)
    said, _ = client.process.communicate(timeout=PATIENCE_S)
    counts = json.loads(said)
    assert counts["answered"] == counts["malformed"] == counts["ignored"] == 40


def test_a_take_survives_a_kill(start, folder: Path) -> None:
    client = start()
    rows = np.random.default_rng(1).uniform(size=(100, 2)).astype(np.float32).astype(float)
    client.record(rows)
    assert client.state()["examples"] == 100
    flushed = 0
    while flushed < 100:  # nothing is sent meanwhile: the bridge flushes on its own
        assert client.process.poll() is None
        flushed = sum(len(take.time_s) for take in Recording.load(folder / "examples.rec").takes)
    client.process.kill()
    client.process.wait(PATIENCE_S)
    _, examples = read_folder(folder)
    inputs, outputs = examples.tables(2, 1)
    np.testing.assert_array_equal(inputs, rows)
    np.testing.assert_allclose(outputs[:, 0], rows.sum(axis=1), rtol=1e-6)
    again = start()
    assert again.state()["examples"] == 100
    again.record(rows[:5])
    assert again.state()["examples"] == 105
