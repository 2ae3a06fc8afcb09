"""The client against a peer that answers like Wekinator: one /wek/outputs for each /wek/inputs, float32 alone."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.osc.codec import decode, encode, encode_floats
from gesturemap.osc.udp import UdpReceiver, UdpSender
from gesturemap.osc.wekinator_client import WekinatorClient


class Peer:
    """Outputs are the sum of the inputs, and twice the first; `answering` off is a Wekinator that is not running."""

    def __init__(self) -> None:
        self.receiver = UdpReceiver(0)
        self.heard: list[tuple[object, ...]] = []
        self.answering, self.over = True, False
        self.changed = threading.Condition()
        self.sender: UdpSender | None = None
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def answer_to(self, port: int) -> None:
        self.sender = UdpSender("127.0.0.1", port)
        self.thread.start()

    def all_heard(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: len(self.heard) == count, 5.0)

    def close(self) -> None:
        self.over = True
        if self.sender is not None:
            self.thread.join(5.0)
            self.sender.close()
        self.receiver.close()

    def serve(self) -> None:
        while not self.over:
            received = self.receiver.receive(0.05)
            if received is None or self.sender is None:
                continue
            (message,) = decode(received[0])
            assert message.address == "/wek/inputs"
            with self.changed:
                self.heard.append(message.arguments)
                self.changed.notify()
            if self.answering:
                numbers = [float(value) for value in message.arguments]
                self.sender.send(encode("/wekinator/status/done-training"))
                self.sender.send(encode_floats("/wek/outputs", [sum(numbers), 2 * numbers[0]]))


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


@pytest.fixture
def client(peer: Peer) -> Iterator[WekinatorClient]:
    made = WekinatorClient("127.0.0.1", peer.receiver.port, 2, ManualClock(), out_port=0)
    peer.answer_to(made.out_port)
    yield made
    made.close()


def wait(client: WekinatorClient) -> np.ndarray:
    while select.select([client._receiver], [], [], 5.0)[0]:
        answer = client.arrived()
        if answer is not None:
            return answer
    pytest.fail("no answer came")


def test_answers_are_the_latents(client: WekinatorClient, peer: Peer) -> None:
    assert client.latents(0.0, np.array([0.5, 0.25])) is None
    np.testing.assert_array_equal(wait(client), [0.75, 1.0])
    assert peer.heard == [(0.5, 0.25)]
    assert (client.sent, client.answers, client.ignored) == (1, 1, 0)


def test_a_lost_hand_is_never_sent(client: WekinatorClient, peer: Peer) -> None:
    absent = client.latents(0.0, np.array([np.nan, 0.25]))
    assert absent is not None
    assert np.isnan(absent).all()
    client.latents(0.1, np.array([1.0, 1.0]))
    wait(client)
    assert peer.heard == [(1.0, 1.0)]


def test_a_silent_wekinator_is_a_lost_hand_until_it_answers_again(client: WekinatorClient, peer: Peer) -> None:
    peer.answering = False
    row = np.array([0.5, 0.25])
    assert client.latents(0.0, row) is None
    client._clock.sleep_s(0.4)
    assert client.latents(0.4, row) is None
    client._clock.sleep_s(0.2)
    silent = client.latents(0.6, row)
    assert silent is not None
    assert np.isnan(silent).all()
    assert peer.all_heard(3)
    peer.answering = True
    client.send(row)
    np.testing.assert_array_equal(wait(client), [0.75, 1.0])
    assert client.latents(0.7, row) is None


def test_answers_of_another_size_or_kind_are_ignored(client: WekinatorClient) -> None:
    stranger = UdpSender("127.0.0.1", client.out_port)
    stranger.send(encode_floats("/wek/outputs", [1.0]))
    stranger.send(encode("/wek/outputs", ["a", "b"]))
    stranger.send(b"nothing")
    stranger.send(encode_floats("/wek/outputs", [3.0, 4.0]))
    stranger.send(encode_floats("/wek/outputs", [5.0, 6.0]))
    newest = client.arrived()
    assert newest is not None
    np.testing.assert_array_equal(newest, [5.0, 6.0])
    assert (client.answers, client.ignored) == (2, 3)
    stranger.close()
