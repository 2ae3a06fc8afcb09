"""The bridge in a process of its own, over real sockets: answers, and a kill in the middle of a recording."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np

from gesturemap.bridge.folder import read_folder
from gesturemap.osc.codec import encode, encode_floats
from gesturemap.recording import Recording

PATIENCE_S = 30.0


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
