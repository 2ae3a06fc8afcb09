"""Time of one block through exported waveform models, ours and RAVE's, one thread each, taking turns.

    python benchmarks/waveform_speed.py [--sizes v1 v2 ...] [--blocks 512 2048 4096] [--calls 50] [--rounds 4]
        [--models DIR] [--rave-python PATH --rave-models DIR]

Ours are the files that `audiovae export` writes, with random weights and 16 latents: encoder.onnx and decoder.onnx in
onnxruntime (and a stereo pair as a batch of 2), model.ts in torch. RAVE's are <size>_streaming.ts (of `rave export
--streaming`), called in a process of its own, by the python of its own environment. CPU time is what counts on a busy
machine; wall time and its 99th percentile say more on a quiet one. Writes benchmarks/out/waveform_speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from audiovae.codecs.session import open_session
from audiovae.codecs.stream_session import StreamSession
from audiovae.export.nn_tilde import read_torchscript
from audiovae.export.waveform import WaveformExport
from audiovae.models.waveform import WaveformVAE
from audiovae.nn.projection import LatentProjection
from audiovae.training.run import resolve_settings
from audiovae.training.waveform_task import WaveformSettings

SIZES = ("v1", "v2_small", "v2", "low_latency")
LATENTS, SAMPLE_RATE = 16, 44100
WARM_UP = 12  # calls: TorchScript compiles in its first few
# Of issue 3: milliseconds of one block, or the share of its duration. (size, block, method, contestant)
TARGETS_MS = {
    ("v2", 2048, "decode", "torchscript"): 11.0,
    ("v2", 2048, "decode", "onnx"): 3.2,
    ("v2", 2048, "decode", "onnx pair"): 4.2,
    ("v2_small", 512, "decode", "onnx"): 0.8,
    ("v2", 2048, "encode", "onnx"): 3.4,
    ("v1", 2048, "forward", "onnx"): 0.09 * 2048 / 44.1,
    ("v2_small", 2048, "forward", "onnx"): 0.07 * 2048 / 44.1,
    ("v2", 2048, "forward", "onnx"): 0.15 * 2048 / 44.1,
}
# Runs where RAVE is installed and audiovae is not. One request a line, one answer a line: [[wall, CPU] of each call].
WORKER = """
import json, sys, time, torch
torch.set_num_threads(1)
modules = {}
for line in sys.stdin:
    path, method, block, calls = json.loads(line)
    module = modules.setdefault(path, torch.jit.load(path).eval())
    ratio = int(getattr(module, method + "_params")[1])
    x = torch.randn(1, int(getattr(module, method + "_params")[0]), block // ratio) * 0.1
    times = []
    with torch.inference_mode():
        for _ in range(calls):
            wall, cpu = time.perf_counter(), time.process_time()
            getattr(module, method)(x)
            times.append([time.perf_counter() - wall, time.process_time() - cpu])
    print(json.dumps(times), flush=True)
"""

Calls = Callable[[int], list[list[float]]]
"""Some calls of one method with one block: [wall seconds, CPU seconds] of each."""


def main() -> None:
    """Export, time, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--blocks", type=int, nargs="+", default=[512, 2048, 4096])
    parser.add_argument("--calls", type=int, default=50, help="Of a contestant each time its turn comes.")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--models", type=Path, help="Keep our exported models here, and take what is there.")
    parser.add_argument("--rave-python", type=Path, help="Python of an environment with RAVE's torch.")
    parser.add_argument("--rave-models", type=Path, help="Folder of <size>_streaming.ts.")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    console, loads = Console(width=110), [os.getloadavg()[0]]
    worker = None
    if arguments.rave_python and arguments.rave_models:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [str(arguments.rave_python), "-W", "ignore", "-c", WORKER]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        worker = subprocess.Popen(command, env=environment, **pipes)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for size in arguments.sizes:
            folder = export_size(size, arguments.models or Path(scratch))
            hop_length = int(open_session(folder / "encoder.onnx").get_modelmeta().custom_metadata_map["hop_length"])
            for block in [block for block in arguments.blocks if block % hop_length == 0]:
                contestants = list_contestants(folder, block, hop_length)
                path = arguments.rave_models / f"{size}_streaming.ts" if worker else None
                if worker and path and path.exists():
                    for method in ("encode", "decode", "forward"):
                        contestants[method, "rave"] = ask_worker(worker, path, method, block)
                rows += measure(size, block, contestants, arguments.calls, arguments.rounds)
            loads.append(os.getloadavg()[0])
            console.print(make_table([row for row in rows if row["size"] == size]))
            write(rows, loads, arguments)  # after every size: what was measured is kept
    if worker and worker.stdin:
        worker.stdin.close()
        worker.wait()
    load = f"{min(loads):.1f}-{max(loads):.1f}"
    console.print(f"one thread each, {arguments.rounds} turns of {arguments.calls} calls, load {load}")


def write(rows: list[dict[str, Any]], loads: list[float], arguments: argparse.Namespace) -> None:
    """All figures so far."""
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    document = {"load_average": loads, "calls": arguments.calls, "rounds": arguments.rounds, "rows": rows}
    (out / "waveform_speed.json").write_text(json.dumps(document, indent=1))


def export_size(size: str, models: Path) -> Path:
    """A folder with the exported files of a preset, its weights random."""
    folder = models / size
    if (folder / "model.ts").exists():
        return folder
    settings = resolve_settings(f"rave_{size}", [])
    assert isinstance(settings, WaveformSettings)
    torch.manual_seed(0)
    model = WaveformVAE(settings.model).eval()
    basis = torch.linalg.qr(torch.randn(model.latent_size, model.latent_size))[0][:LATENTS]
    folder.mkdir(parents=True, exist_ok=True)
    WaveformExport(model, settings).write_files(folder, LatentProjection(torch.zeros(model.latent_size), basis))
    return folder


def list_contestants(folder: Path, block: int, hop_length: int) -> dict[tuple[str, str], Calls]:
    """Our contestants by method and name."""
    rng = np.random.default_rng(0)
    audio = 0.1 * rng.standard_normal((2, 1, block)).astype(np.float32)
    latents = rng.standard_normal((2, LATENTS, block // hop_length)).astype(np.float32)
    encoder, decoder = (open_session(folder / f"{half}.onnx") for half in ("encoder", "decoder"))
    contestants: dict[tuple[str, str], Calls] = {}
    for batch, name in ((1, "onnx"), (2, "onnx pair")):
        encode, decode = StreamSession(encoder, batch), StreamSession(decoder, batch)
        both = (StreamSession(encoder, batch), StreamSession(decoder, batch))
        contestants["encode", name] = repeat(encode.process, audio[:batch])
        contestants["decode", name] = repeat(decode.process, latents[:batch])
        contestants["forward", name] = repeat(lambda x, both=both: both[1].process(both[0].process(x)), audio[:batch])
    module = read_torchscript(folder / "model.ts")
    for method, given in (("encode", audio), ("decode", latents), ("forward", audio)):
        contestants[method, "torchscript"] = repeat(getattr(module, method), torch.from_numpy(given[:1]))
    return contestants


def repeat(call: Callable[[Any], Any], given: Any) -> Calls:
    """Calls in this process."""

    def run(calls: int) -> list[list[float]]:
        times = []
        with torch.inference_mode():
            for _ in range(calls):
                wall, cpu = time.perf_counter(), time.process_time()
                call(given)
                times.append([time.perf_counter() - wall, time.process_time() - cpu])
        return times

    return run


def ask_worker(worker: subprocess.Popen[str], path: Path, method: str, block: int) -> Calls:
    """Calls in RAVE's process."""

    def run(calls: int) -> list[list[float]]:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps([str(path), method, block, calls]) + "\n")
        worker.stdin.flush()
        times: list[list[float]] = json.loads(worker.stdout.readline())
        return times

    return run


def measure(
    size: str, block: int, contestants: dict[tuple[str, str], Calls], calls: int, rounds: int
) -> list[dict[str, Any]]:
    """Figures of each contestant; within a method they take turns, so that all meet the same load."""
    rows = []
    for method in ("encode", "decode", "forward"):
        here = {name: run for (of, name), run in contestants.items() if of == method}
        times: dict[str, list[list[float]]] = {name: [] for name in here}
        for run in here.values():
            run(WARM_UP)
        for _ in range(rounds):
            for name, run in here.items():
                times[name] += run(calls)
        for name, found in times.items():
            wall, cpu = 1000 * np.array(found).T
            rows.append(
                {
                    "size": size,
                    "block": block,
                    "method": method,
                    "contestant": name,
                    "cpu_ms": float(np.median(cpu)),
                    "wall_ms": float(np.median(wall)),
                    "wall_p99_ms": float(np.quantile(wall, 0.99)),
                    "real_time_share": float(np.median(cpu)) / (1000 * block / SAMPLE_RATE),
                    "target_ms": TARGETS_MS.get((size, block, method, name)),
                }
            )
    return rows


def make_table(rows: list[dict[str, Any]]) -> Table:
    """All figures; a target met is green, one missed is red."""
    table = Table("size", "block", "method", "what", "CPU ms", "wall ms", "p99", "CPU / duration", "target ms")
    for row in rows:
        target = row["target_ms"]
        colour = "" if target is None else "green" if row["cpu_ms"] <= target else "red"
        table.add_row(
            row["size"],
            str(row["block"]),
            row["method"],
            row["contestant"],
            *(f"{row[key]:.2f}" for key in ("cpu_ms", "wall_ms", "wall_p99_ms")),
            f"{row['real_time_share']:.3f}",
            "" if target is None else f"{target:.1f}",
            style=colour,
        )
    return table


if __name__ == "__main__":
    main()
