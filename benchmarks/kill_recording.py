"""Recordings killed (SIGKILL) at random moments: is every flushed row readable?

    python benchmarks/kill_recording.py [--kills 20] [--seed 0]

Two kinds of recording are killed. ``live``: what `gesturemap record` does with a tracker in real time, two hands at
120 Hz; how old are the newest readable rows? ``flood``: a recorder that does nothing but flush batches of up to 4 MB,
so that most kills come in the middle of a write. The child says on its standard output how many rows it has flushed;
after the kill at least so many must be there, each with the numbers it should have. Prints a table, writes
benchmarks/out/kill_recording.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturemap.clock import MonotonicClock
from gesturemap.frame import Array, Channel, Layout
from gesturemap.recording import Recorder, Recording, Take
from gesturemap.recording.session import Progress, record
from gesturemap.trackers.synthetic import SyntheticTracker

HERE = Path(__file__).resolve().parent
LIVE = {"kind": "hands", "frame_rate": 120.0, "seed": 1, "seconds": 60.0}
FLOOD_LAYOUT = Layout(tuple(Channel(f"c{i}", "mm", 0.0, 1.0) for i in range(130)))


@dataclass(frozen=True)
class Kill:
    """One kill: after how long, what the child had said, what was there, and whether a write was torn."""

    after_s: float
    flushed: int
    readable: int
    torn_bytes: int
    right: bool
    newest_age_s: float | None


def live_child(folder: Path) -> None:
    """Record until killed; each line is the rows flushed and the machine's time at the recording's time 0."""
    clock = MonotonicClock()
    start_s = time.monotonic() - clock.now_s()
    said = 0

    def say(progress: Progress) -> None:
        nonlocal said
        if progress.n_flushed > said:
            said = progress.n_flushed
            print(said, start_s, flush=True)

    record(SyntheticTracker(live=True, clock=clock, **LIVE), folder, clock=clock, on_progress=say)  # type: ignore[arg-type]


def flood_rows(first: int, n: int) -> tuple[Array, Array]:
    """Rows that can be told from their number."""
    time_s = np.arange(first, first + n, dtype=np.float64)
    return time_s, np.sin(time_s[:, None] + np.arange(len(FLOOD_LAYOUT)))


def flood_child(folder: Path) -> None:
    """Flush batches of 1 to 4096 rows until killed; each line is the rows flushed."""
    rng = np.random.default_rng(0)
    with Recorder(folder, FLOOD_LAYOUT, "synthetic", "flood", "file", flush_s=np.inf) as recorder:
        recorder.start_take()
        while True:
            recorder.write_rows(*flood_rows(recorder.n_rows, int(rng.integers(1, 4096))))
            recorder.flush()
            print(recorder.n_flushed, 0.0, flush=True)


def live_rows(take: Take) -> tuple[Array, Array]:
    """What the live child should have recorded; its first frames may have come before the take began."""
    n_frames = len(take.time_s)
    motion = SyntheticTracker(**LIVE)  # type: ignore[arg-type]
    with motion:
        frames = np.array([frame.values for frame in (motion.read() for _ in range(n_frames + 50)) if frame])
    first = int(np.argmin(np.nan_to_num(np.abs(frames[:50] - take.values[0])).sum(axis=1)))
    return take.time_s[0] + np.arange(n_frames) / motion.frame_rate, frames[first : first + n_frames]


def kill(kind: str, folder: Path, after_s: float) -> Kill:
    """Start a child, kill it `after_s` after its first flush, look at what it left."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", kind, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(after_s)
    child.kill()
    killed_s = time.monotonic()
    lines = [line for line in (first + child.stdout.read()).splitlines(keepends=True) if line.endswith("\n")]
    child.wait()
    flushed, start_s = lines[-1].split()
    recording = Recording.load(folder)
    (take,) = recording.takes
    assert not take.complete
    time_s, values = flood_rows(0, len(take.time_s)) if kind == "flood" else live_rows(take)
    right = np.allclose(take.time_s, time_s, atol=1e-9) and np.array_equal(take.values, values, equal_nan=True)
    return Kill(
        after_s,
        int(flushed),
        len(take.time_s),
        _torn_bytes(folder / "take-001.arrows"),
        bool(right),
        killed_s - float(start_s) - float(take.time_s[-1]) if kind == "live" else None,
    )


def _torn_bytes(path: Path) -> int:
    """Bytes of a batch that the kill cut off."""
    import pyarrow as pa

    data = path.read_bytes()
    source = pa.BufferReader(data)
    stream = pa.ipc.open_stream(source)
    whole = source.tell()
    try:
        for _ in stream:
            whole = source.tell()
    except (pa.ArrowInvalid, OSError):
        return len(data) - whole
    return 0


def measure(kind: str, n_kills: int, longest_s: float, seed: int) -> list[Kill]:
    """Kills after random times of up to `longest_s`."""
    rng = np.random.default_rng(seed)
    kills = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n_kills):
            kills.append(kill(kind, Path(folder) / f"{kind}-{i}.rec", float(rng.uniform(0.0, longest_s))))
    return kills


def main() -> None:
    """Kill, print, write; exit code 1 if a flushed row was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("KIND", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        kind, folder = arguments.child
        {"live": live_child, "flood": flood_child}[kind](Path(folder))
        return
    table = Table(
        "recording",
        "kills",
        "all flushed rows readable",
        "rows right",
        "kills in a write",
        "newest readable row, ms old",
    )
    results = {}
    for kind, longest_s in (("live", 2.0), ("flood", 0.5)):
        kills = measure(kind, arguments.kills, longest_s, arguments.seed)
        results[kind] = [asdict(one) for one in kills]
        ages_ms = [1000 * one.newest_age_s for one in kills if one.newest_age_s is not None]
        table.add_row(
            kind,
            str(len(kills)),
            f"{sum(one.readable >= one.flushed for one in kills)} of {len(kills)}",
            f"{sum(one.right for one in kills)} of {len(kills)}",
            str(sum(one.torn_bytes > 0 for one in kills)),
            f"median {np.median(ages_ms):.0f}, most {max(ages_ms):.0f}" if ages_ms else "-",
        )
    Console().print(table)
    out = HERE / "out" / "kill_recording.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1))
    if not all(one["readable"] >= one["flushed"] and one["right"] for kills in results.values() for one in kills):
        sys.exit(1)


if __name__ == "__main__":
    main()
