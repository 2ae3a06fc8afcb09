"""Time of one training step of the waveform family: stage 1, and in stage 2 the model's and the discriminators' part.

    python benchmarks/training_step.py [--presets rave_v1 rave_v2_small] [--steps 3] [--threads 2] [--rave-python PATH]

A batch of 8 x 65536 samples of noise, mono. Our discriminators learn at every second step beside the model: their part
is the difference between a step with them and one without. RAVE's learn instead of the model at every second step; it
is trained by its own Lightning in its own environment, batches from memory. On a busy machine CPU seconds are what
counts, and two threads cost more of them than one. Writes benchmarks/out/training_step.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, before torch is loaded

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.table import Table

from audiovae.corpus.audio_file import write_audio
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.prepare import prepare
from audiovae.training.run import resolve_settings
from audiovae.training.waveform_task import WaveformSettings, WaveformTask

BATCH, SAMPLES = 8, 65536
PARTS = ("stage 1", "stage 2 model", "discriminators")
# Of issue 3, two threads, wall seconds on a quiet machine: RAVE's as measured, and what to reach.
FIGURES = {
    "rave_v1": {"reference": (0.96, 2.25, 1.76), "target": (0.70, 1.6, 1.25)},
    "rave_v2_small": {"reference": (0.88, 2.66, 2.23), "target": (0.63, 1.9, 1.6)},
}
# Runs where RAVE is installed and audiovae is not; prints [[wall, CPU] of every step], stage 1 then stage 2.
WORKER = """
import json, sys, tempfile, time, warnings
warnings.simplefilter("ignore")
config, steps, threads, batch, samples = sys.argv[1], *map(int, sys.argv[2:6])
import gin, torch, pytorch_lightning as pl, rave
torch.set_num_threads(threads)
gin.bind_parameter("RAVE.n_channels", 1)
gin.parse_config_file(config + ".gin")
model, times = rave.RAVE(), []
class Clock(pl.Callback):
    def on_train_batch_start(self, trainer, module, batch, index):
        module.warmed_up = index >= steps
        self.began = time.perf_counter(), time.process_time()
    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        times.append([time.perf_counter() - self.began[0], time.process_time() - self.began[1]])
noise = [0.1 * torch.randn(batch, 1, samples) for _ in range(2 * steps + 1)]
loader = torch.utils.data.DataLoader(noise, batch_size=None)
trainer = pl.Trainer(accelerator="cpu", max_epochs=1, enable_checkpointing=False, callbacks=[Clock()],
                     default_root_dir=tempfile.mkdtemp(),
                     enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0)
trainer.fit(model, loader)
print(json.dumps(times))
"""


def main() -> None:
    """Time, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=list(FIGURES), choices=list(FIGURES))
    parser.add_argument("--steps", type=int, default=3, help="Of each kind that are timed.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rave-python", type=Path, help="Python of an environment with acids-rave.")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows, loads = [], [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as scratch:
        corpus = make_corpus(Path(scratch))
        for preset in arguments.presets:
            rows += tabulate(preset, "ours", time_ours(preset, corpus, arguments.steps))
            if arguments.rave_python:
                times = time_rave(preset, arguments.rave_python, arguments.steps, arguments.threads)
                rows += tabulate(preset, "rave", times)
    loads.append(os.getloadavg()[0])
    table = Table("preset", "part", "whose", "CPU s", "wall s", "sheet: RAVE, quiet", "to reach, quiet")
    for row in rows:
        figures = (f"{row[key]:.2f}" for key in ("cpu_s", "wall_s", "reference_wall_s", "target_wall_s"))
        table.add_row(row["preset"], row["part"], row["whose"], *figures)
    console = Console(width=110)
    console.print(table)
    console.print(f"medians of {arguments.steps}, {arguments.threads} threads, load {loads[0]:.1f}-{loads[1]:.1f}")
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    document = {"threads": arguments.threads, "steps": arguments.steps, "load_average": loads, "rows": rows}
    (out / "training_step.json").write_text(json.dumps(document, indent=1))


def make_corpus(folder: Path) -> Corpus:
    """Four files of noise."""
    rng = np.random.default_rng(0)
    (folder / "sounds").mkdir()
    for index in range(4):
        noise = 0.1 * rng.standard_normal((1, 4 * SAMPLES)).clip(-5, 5)
        write_audio(folder / "sounds" / f"{index}.wav", noise, 44100)
    prepare([folder / "sounds"], folder / "corpus", progress=False)
    return Corpus.open(folder / "corpus")


def time_ours(preset: str, corpus: Corpus, steps: int) -> list[list[float]]:
    """(3 parts, [wall, CPU]) seconds."""
    overrides = [f"training.batch_size={BATCH}", f"training.excerpt_samples={SAMPLES}"]
    overrides += ["training.discriminator_every=2", f"training.warmup_steps={2 * steps}"]
    settings = resolve_settings(preset, overrides)
    assert isinstance(settings, WaveformSettings)
    task, fabric = WaveformTask(settings, corpus), Fabric(accelerator="cpu", devices=1)
    task.setup(fabric)
    rng = np.random.default_rng(0)
    times = []
    for step in range(4 * steps + 2):
        wall, cpu = time.perf_counter(), time.process_time()
        task.step(fabric, step, rng)
        times.append([time.perf_counter() - wall, time.process_time() - cpu])
    second = times[2 * steps + 2 :]  # the first of a stage makes the optimisers' memory
    first, joint, alone = (np.median(part, axis=0) for part in (times[1 : 2 * steps], second[::2], second[1::2]))
    return [first.tolist(), alone.tolist(), (joint - alone).tolist()]


def time_rave(preset: str, python: Path, steps: int, threads: int) -> list[list[float]]:
    """The same of RAVE."""
    command: list[Any] = [python, "-c", WORKER, preset.removeprefix("rave_"), 1 + 2 * steps, threads, BATCH, SAMPLES]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=True)
    times = json.loads(done.stdout.strip().splitlines()[-1])
    first, second = times[1 : 1 + 2 * steps], times[1 + 2 * steps :]
    # Its discriminators learn where the index of the batch is even.
    even = [index % 2 == 0 for index in range(1 + 2 * steps, len(times))]
    model = [found for found, judged in zip(second, even, strict=True) if not judged][1:]
    judged = [found for found, judged in zip(second, even, strict=True) if judged][1:]
    return [np.median(part, axis=0).tolist() for part in (first, model, judged)]


def tabulate(preset: str, whose: str, times: list[list[float]]) -> list[dict[str, Any]]:
    """Rows of a preset, beside the figures of the issue."""
    figures = FIGURES[preset]
    return [
        {
            "preset": preset,
            "part": part,
            "whose": whose,
            "wall_s": wall,
            "cpu_s": cpu,
            "reference_wall_s": figures["reference"][index],
            "target_wall_s": figures["target"][index],
        }
        for index, (part, (wall, cpu)) in enumerate(zip(PARTS, times, strict=True))
    ]


if __name__ == "__main__":
    main()
