"""Real and made-up sources for tracker tests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pyarrow as pa
import pytest

from gesturemap.clock import ManualClock
from gesturemap.frame import Layout
from gesturemap.osc.udp import UdpReceiver, UdpSender
from gesturemap.trackers import read_all
from gesturemap.trackers.synthetic import SyntheticTracker


class PacedReceiver(UdpReceiver):
    """A real socket on a free port that sends itself the next of `packets` when asked, `period_s` later each."""

    def __init__(self, clock: ManualClock, packets: Sequence[bytes], period_s: float = 0.01) -> None:
        super().__init__(0)
        self._clock, self._packets, self._period_s = clock, iter(packets), period_s
        self._sender = UdpSender("127.0.0.1", self.port)

    def receive(self, timeout_s: float | None = 0.0) -> tuple[bytes, tuple[str, int]] | None:
        """The next packet, through the socket; without one the time is up."""
        packet = next(self._packets, None)
        if packet is None:
            self._clock.sleep_s(timeout_s or 0.0)
            return super().receive(0.0)
        self._clock.sleep_s(self._period_s)
        self._sender.send(packet)
        return super().receive(10.0)

    def close(self) -> None:
        """Close both ends."""
        self._sender.close()
        super().close()


class FakeHid:
    """A Gametrak on a `ManualClock`: gives `reports` 12.5 ms apart, `gives(written)` when it has been written to.

    An `OSError` among the reports is raised instead, as hidapi does when the cable is pulled.
    """

    def __init__(self, clock: ManualClock, reports: Sequence[bytes | OSError] = ()) -> None:
        self.clock = clock
        self.reports = list(reports)
        self.written: list[bytes] = []
        self.answers: dict[bytes, list[bytes] | OSError] = {}
        self.closed = 0

    def read(self, max_length: int, timeout_ms: int = 0) -> Sequence[int]:
        """The next report, or nothing and the time is up."""
        if not self.reports:
            self.clock.sleep_s(timeout_ms / 1000)
            return []
        self.clock.sleep_s(1 / 80)
        report = self.reports.pop(0)
        if isinstance(report, OSError):
            raise report
        return list(report[:max_length])

    def write(self, data: bytes) -> int:
        """Note what was written, and queue the answer to it or raise it."""
        self.written.append(data)
        answer = self.answers.get(data, [])
        if isinstance(answer, OSError):
            raise answer
        self.reports += answer
        return len(data)

    def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves when told."""
    return ManualClock(100.0)


@pytest.fixture
def fake_hid(clock: ManualClock) -> Callable[..., FakeHid]:
    """Makes Gametraks on `clock`."""
    return lambda reports=(): FakeHid(clock, reports)


@pytest.fixture
def paced_receiver(clock: ManualClock) -> Callable[..., PacedReceiver]:
    """Makes receivers on `clock`."""
    return lambda packets=(): PacedReceiver(clock, packets)


@pytest.fixture(scope="session")
def hand_model(shared: Path) -> Path:
    """The model file."""
    return shared / "data" / "models" / "hand_landmarker.task"


@pytest.fixture(scope="session")
def asl_video(shared: Path) -> Path:
    """325 pictures of a right hand, 25 Hz, 620 x 1080."""
    return shared / "data" / "gestures" / "tfjs_asl_hand" / "asl_hand.25fps.mp4"


@pytest.fixture(scope="session")
def asl_clip(asl_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first 20 pictures at half size: enough for everything but accuracy."""
    import cv2

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    capture = cv2.VideoCapture(str(asl_video))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (310, 540))
    for _ in range(20):
        writer.write(cv2.resize(capture.read()[1], (310, 540), interpolation=cv2.INTER_AREA))
    writer.release()
    capture.release()
    return path


@pytest.fixture(scope="session")
def gametrak_capture(shared: Path) -> Path:
    """800 real reports in 10 s, the first of them an echo."""
    return shared / "data" / "gestures" / "gametrak_recording" / "gametrak_sample_10_second_recording.jsonl"


@pytest.fixture(scope="session")
def midi_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tracks, 120 beats a minute: a knob that turns up in 1 s, and at 0.5 s a key for half a second."""
    path = tmp_path_factory.mktemp("midi") / "knob.mid"
    file = mido.MidiFile(ticks_per_beat=480)
    knob = [mido.Message("control_change", control=1, value=step, time=0 if step == 0 else 8) for step in range(121)]
    key = [mido.Message("note_on", note=60, velocity=127, time=480), mido.Message("note_off", note=60, time=480)]
    file.tracks += [mido.MidiTrack(knob), mido.MidiTrack(key)]
    file.save(path)
    return path


@pytest.fixture(scope="session")
def xdf_file(shared: Path) -> Path:
    """Nine samples of three channels at 10 Hz, and a stream of markers."""
    return shared / "data" / "gestures" / "xdf_examples" / "minimal.xdf"


@pytest.fixture(scope="session")
def lsl_outlet() -> Any:
    """A stream ``gesturemap_test_PID`` of this machine alone: 3 channels at 100 Hz, two of them with a label."""
    pylsl = pytest.importorskip("pylsl", exc_type=(ImportError, RuntimeError))  # type: ignore[arg-type]
    pylsl.set_config_content("[multicast]\nResolveScope = machine\n[lab]\nSessionID = gesturemap\n[log]\nlevel = -3\n")
    info = pylsl.StreamInfo(f"gesturemap_test_{os.getpid()}", "MoCap", 3, 100.0, "float32", "test")
    info.set_channel_labels(["Hand X", "Hand Y", ""])
    info.set_channel_units(["mm", "mm", ""])
    outlet = pylsl.StreamOutlet(info)
    if not pylsl.resolve_byprop("name", info.name(), 1, 5.0):
        pytest.skip("no LSL stream is found on this machine, not even its own: loopback multicast is closed")
    return outlet


def write_recording(folder: Path, layout: Layout, takes: Sequence[tuple[np.ndarray, np.ndarray]]) -> Path:
    """A recording folder as the design has it, with the header keys a replay needs."""
    folder.mkdir()
    header = {"tracker": "gametrak", "layout": layout.to_json()}
    (folder / "recording.json").write_text(json.dumps(header))
    schema = pa.schema([(name, pa.float64()) for name in ("time_s", *layout.names)])
    for number, (time_s, values) in enumerate(takes, start=1):
        with pa.OSFile(str(folder / f"take-{number:03d}.arrows"), "wb") as file, pa.ipc.new_stream(file, schema) as out:
            for rows in np.array_split(np.arange(len(time_s)), 5):
                columns = [time_s[rows], *values[rows].T.copy()]
                out.write_batch(pa.record_batch([pa.array(column) for column in columns], schema=schema))
    return folder


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two takes of synthetic Gametrak motion, 2 s and 3 s."""
    trackers = [SyntheticTracker(seed=seed, seconds=seconds) for seed, seconds in ((1, 2.0), (2, 3.0))]
    return write_recording(tmp_path / "made.rec", trackers[0].layout, [read_all(tracker) for tracker in trackers])
