"""A Wekinator beside the recorder: its outputs are the latents of the frames they answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.clock import ManualClock, MonotonicClock
from gesturemap.errors import RecordingError
from gesturemap.features import FeatureSettings, extract_features
from gesturemap.frame import Array, Frame
from gesturemap.osc.codec import decode, encode_floats
from gesturemap.osc.udp import UdpReceiver, UdpSender
from gesturemap.osc.wekinator_client import WekinatorClient
from gesturemap.recording.companion import Companion, open_companion
from gesturemap.recording.session import record
from gesturemap.trackers import open_tracker

POSITION = FeatureSettings(name="place", channels=("*_hand_[xyz]",))


class Answers:
    """A client whose Wekinator answers with sums, late or not at all when told."""

    def __init__(self) -> None:
        self.sent: list[Array] = []
        self.waiting: list[Array] = [np.array([9.0, 9.0])]  # of somebody else, before
        self.mute = False

    def send(self, features: Array) -> None:
        self.sent.append(features)
        if not self.mute:
            self.waiting.append(np.array([features.sum(), -features[0]]))

    def arrived(self) -> Array | None:
        newest, self.waiting = (self.waiting[-1] if self.waiting else None), []
        return newest

    def close(self) -> None:
        pass


def test_each_row_holds_the_answer_to_itself(tmp_path: Path) -> None:
    tracker, client = open_tracker("synthetic:seconds=2"), Answers()
    companion = Companion(client, POSITION, tracker.layout, 2, ManualClock())
    recording = record(tracker, tmp_path / "a.rec", companion=companion)
    (take,) = recording.takes
    sent = extract_features(POSITION, recording.layout, take.time_s, take.values)
    np.testing.assert_array_equal(take.latents, np.stack([sent.sum(axis=1), -sent[:, 0]], axis=1))
    assert (recording.model_id, recording.model_name, recording.latent_size) == (None, "wekinator", 2)
    assert take.lag_s == 0.0
    assert recording.notes == ("latents are the outputs of a Wekinator",)


def test_silence_and_a_lost_hand_are_no_latents(tmp_path: Path) -> None:
    tracker, client, clock = open_tracker("synthetic"), Answers(), ManualClock()
    companion = Companion(client, POSITION, tracker.layout, 2, clock)
    values = np.ones(len(tracker.layout))
    client.mute = True
    assert np.isnan(companion.latents(Frame(0.0, values))).all()
    assert clock.now_s() == pytest.approx(0.01, abs=0.001)  # no longer than that does a frame wait
    client.mute = False
    assert companion.latents(Frame(0.1, values)).tolist() == [6.0, -1.0]
    assert np.isnan(companion.latents(Frame(0.2, np.full_like(values, np.nan)))).all()
    assert (companion.n_silent, len(client.sent)) == (1, 2)


@pytest.fixture
def wekinator() -> Iterator[tuple[UdpReceiver, list[int]]]:
    """A socket that answers every input as Wekinator does, to the port in the list."""
    receiver, answer_to = UdpReceiver(0), [0]
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            packet = receiver.receive(0.05)
            if packet is None:
                continue
            (message,) = decode(packet[0])
            sender = UdpSender("127.0.0.1", answer_to[0])
            sender.send(encode_floats("/wek/outputs", [2.0 * sum(message.arguments), 1.0]))
            sender.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield receiver, answer_to
    stop.set()
    thread.join()
    receiver.close()


def test_over_the_network(wekinator: tuple[UdpReceiver, list[int]], tmp_path: Path) -> None:
    server, answer_to = wekinator
    clock, tracker = MonotonicClock(), open_tracker("synthetic:seconds=1")
    client = WekinatorClient("127.0.0.1", server.port, 2, clock, out_port=0)
    answer_to[0] = client.out_port
    companion = Companion(client, POSITION, tracker.layout, 2, clock)
    (take,) = record(tracker, tmp_path / "a.rec", companion=companion).takes
    companion.close()
    assert take.latents is not None
    answered = np.isfinite(take.latents).all(axis=1)
    assert answered.sum() + companion.n_silent == len(take.latents)
    assert answered.sum() > 40  # a busy machine may be late now and then, never wrong
    sent = extract_features(POSITION, tracker.layout, take.time_s, take.values).astype(np.float32).sum(axis=1)
    np.testing.assert_allclose(take.latents[answered, 0], 2 * sent[answered], rtol=1e-4)


def test_what_does_not_fit_is_refused(model_dir: Path, space: LatentSpace, tmp_path: Path) -> None:
    tracker = open_tracker("synthetic:seconds=1")
    clock = ManualClock()
    with pytest.raises(RecordingError, match="Add --outputs N"):
        open_companion("127.0.0.1:6448", POSITION, tracker.layout, clock)
    with pytest.raises(RecordingError, match="5 outputs, but model 'ring' has 3 latents"):
        open_companion("127.0.0.1:6448", POSITION, tracker.layout, clock, 5, model_dir)
    companion = Companion(Answers(), POSITION, tracker.layout, 2, clock)
    with pytest.raises(RecordingError, match="latents come from one of them"):
        record(tracker, tmp_path / "a.rec", companion=companion, model_dir=model_dir, play="walk")
