"""How long a performance takes from a tracker's frame to OSC at a receiver.

    python benchmarks/perform_latency.py [--seconds 20] [--rate 200 1000] [--taught]

A synthetic Gametrak, made beforehand, is played in real time through a mapping of the default regressor; a second
process receives `/latent` on a real socket. Both read the machine's monotonic clock: the message that frame n becomes
is found by its number in the order sent, and a run in which a message is lost says so. `--taught` teaches meanwhile:
half of the time a take is recorded, and every two seconds a fit begins in the background. Prints a table and writes
benchmarks/out/perform_latency.json; the load average is beside every row, because on a busy machine other programs
are what is measured.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from audiovae.latent_space import Cloud, LatentSpace
from gesturemap.clock import MonotonicClock
from gesturemap.features import load_features
from gesturemap.frame import Array, Frame
from gesturemap.live.controls import Controls
from gesturemap.live.perform import Outputs, perform
from gesturemap.live.settings import LiveSettings
from gesturemap.live.teaching import Teaching
from gesturemap.mapping import Mapping
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.osc.codec import decode
from gesturemap.osc.udp import UdpReceiver
from gesturemap.recording import Recording, Take
from gesturemap.recording.triggers import Action
from gesturemap.trackers.base import read_all
from gesturemap.trackers.stored import StoredTracker
from gesturemap.trackers.synthetic import SyntheticTracker

HERE = Path(__file__).resolve().parent
N_EXAMPLES = 1000
LATENT_SIZE = 8


class MadeBefore(StoredTracker):
    """Synthetic motion whose cost is not part of what is measured; remembers when its frames were due."""

    name, source = "gametrak", "made before"

    def __init__(self, seconds: float, frame_rate: float) -> None:
        made = SyntheticTracker(seed=1, seconds=seconds, frame_rate=frame_rate)
        self.layout, self.frame_rate = made.layout, frame_rate
        self._made = read_all(made)

    def load(self) -> tuple[Array, Array]:
        return self._made


class Noting(MonotonicClock):
    """Seconds of the machine's own monotonic clock, which two processes share."""

    def __init__(self) -> None:
        self._start_s = 0.0


def make_mapping(features: str) -> tuple[Mapping, LatentSpace]:
    """Kernel ridge on a thousand examples of smooth motion, and the model it plays."""
    tracker = SyntheticTracker(seconds=N_EXAMPLES / 80.0)
    time_s, values = read_all(tracker)
    rng = np.random.default_rng(0)
    columns = [index for index, name in enumerate(tracker.layout.names) if name.endswith(("_x", "_y", "_z"))]
    latents = np.tanh(values[:, columns] / 800.0 @ rng.normal(size=(len(columns), LATENT_SIZE)))
    cloud = Cloud(latents, np.zeros(len(latents), np.int32), np.zeros(len(latents), np.float32), ("a",), ("train",))
    space = LatentSpace.from_cloud(
        cloud,
        model_id="0" * 64,
        model_name="none",
        family="waveform",
        sample_rate=44100,
        hop_length=512,
        latency_samples=0,
        channels=1,
    )
    recording = Recording(
        path=Path("made.rec"),
        layout=tracker.layout,
        tracker="gametrak",
        source="seed",
        clock="file",
        model_id=space.model_id,
        model_name=space.model_name,
        latent_size=LATENT_SIZE,
        notes=(),
        takes=[Take(1, time_s, values, latents, 0.0, True)],
    )
    return fit_mapping([recording], space, load_features(features), name="bench"), space


def receive(pipe: Connection) -> None:
    """Child process: when each `/latent` arrived, until nothing comes for two seconds after the first."""
    receiver = UdpReceiver(0)
    pipe.send(receiver.port)
    arrived: list[float] = []
    while (packet := receiver.receive(2.0 if arrived else 60.0)) is not None:
        now_s = time.monotonic()
        arrived += [now_s for message in decode(packet[0]) if message.address == "/latent"]
    pipe.send(arrived)


class Timed(MadeBefore):
    """Notes when every frame was handed to the loop."""

    def __init__(self, seconds: float, frame_rate: float) -> None:
        super().__init__(seconds, frame_rate)
        self.live = True
        self._clock = Noting()
        self.due_s: list[float] = []
        self.read_s: list[float] = []
        self.on_second: Callable[[int], None] = lambda second: None
        self._begin_s = 0.0

    def open(self) -> None:
        super().open()
        self._begin_s = self._clock.now_s() + 0.05

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        if self.finished:
            return None
        due_s = self._begin_s + float(self._time_s[self._next or 0])
        ahead_s = due_s - self._clock.now_s()
        if ahead_s > 0:
            self._clock.sleep_s(min(ahead_s, timeout_s))
        if ahead_s > timeout_s:
            return None
        frame = super().read()
        assert frame is not None
        if len(self.due_s) % round(self.frame_rate) == 0:
            self.on_second(len(self.due_s) // round(self.frame_rate))
        self.due_s.append(due_s)
        self.read_s.append(self._clock.now_s())
        return Frame(due_s, frame.values)


def measure(
    mapping: Mapping, rate_hz: float, seconds: float, priority: int, model_dir: Path | None
) -> list[dict[str, Any]]:
    """Two rows of the table: from the time a frame was due, and from the time it was in hand.

    `model_dir` : teach the mapping meanwhile, which plays this model.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=receive, args=(there,))
    child.start()
    port = here.recv()
    tracker, controls, teaching = Timed(seconds, rate_hz), Controls(), None
    if model_dir is not None:
        teaching = Teaching(model_dir / f"{mapping.features.name}-{rate_hz:g}.rec", sounds=0)
        asked = ((Action.TOGGLE, Action.TRAIN), (Action.TOGGLE, Action.RUN))
        tracker.on_second = lambda second: controls.asked.extend(asked[second % 2])
    load = os.getloadavg()[0]
    outputs = Outputs(osc=(("127.0.0.1", port),))
    settings = LiveSettings(priority=priority)
    # It ends before the tracker has been silent for long enough to be lost.
    counted = perform(
        mapping,
        tracker,
        outputs,
        model_dir=model_dir,
        settings=settings,
        control=None,
        clock=Noting(),
        seconds=seconds + 0.1,
        controls=controls,
        teaching=teaching,
    )
    arrived = np.array(here.recv())
    child.join()
    note = {"load": round(load, 1), "frames": counted["frames"], "dropped": counted["dropped"]}
    if teaching is not None:
        note["fits"] = counted["taught"]["fits"]
    note["lost"] = counted["outputs"][0]["sent"] - len(arrived)
    rows = []
    if note["lost"] == note["dropped"] == counted["idle"] == 0:
        for start, times in (("frame due", tracker.due_s), ("frame read", tracker.read_s)):
            rows.append(_row(rate_hz, f"{start} -> received", arrived[: len(times)] - np.array(times)) | note)
    for stage, ms in counted["latency_ms"].items():
        rows.append({"rate Hz": rate_hz, "stage": f"counter: {stage}", **{f"{k} ms": v for k, v in ms.items()}} | note)
    return rows


def _row(rate_hz: float, stage: str, latency_s: Array) -> dict[str, Any]:
    latency_ms = 1000 * latency_s
    median, p99 = np.quantile(latency_ms, [0.5, 0.99])
    return {
        "rate Hz": rate_hz,
        "stage": stage,
        "median ms": round(float(median), 4),
        "p99 ms": round(float(p99), 4),
        "max ms": round(float(latency_ms.max()), 4),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, nargs="+", default=[200.0, 1000.0])
    parser.add_argument("--features", nargs="+", default=["position", "gametrak_motion"])
    parser.add_argument("--priority", type=int, default=0, help="real-time priority of the loop, 0 for none")
    parser.add_argument("--taught", action="store_true", help="record and fit meanwhile")
    given = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for features in given.features:
            mapping, space = make_mapping(features)
            space.save(folder)
            for rate_hz in given.rate:
                model_dir = Path(folder) if given.taught else None
                rows = measure(mapping, rate_hz, given.seconds, given.priority, model_dir)
                results += [{"features": features} | row for row in rows]
    table = Table(title=f"kernel ridge on {N_EXAMPLES} examples, {LATENT_SIZE} latents")
    for column in results[0]:
        table.add_column(column)
    for row in results:
        table.add_row(*map(str, row.values()))
    Console(width=140).print(table)
    out = HERE / "out" / "perform_latency.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
