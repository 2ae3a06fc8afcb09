"""How far stage 1 of the waveform family gets in a given CPU time, from several seeds, judged on files never heard.

    python benchmarks/waveform_training.py --train DIR --test DIR [--preset rave_v1] [--cpu-seconds 235] [--seeds 0 1 2]
        [--set key=value]... [--without STEM]...

The number of steps is set from the time of the first few, so that the learning rate falls over the whole of it.
msd: mean over files of the multi-scale distance between a file and its decoded latent means (RAVE's validation
distance: squared spectral convergence and mean |ln| at a floor of 1e-7, windows of 2048 to 128 samples); the two terms
are given apart too. Writes benchmarks/out/waveform_training.json.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.table import Table

from audiovae.corpus.audio_file import find_audio
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.prepare import prepare
from audiovae.models.waveform import WaveformVAE
from audiovae.player import load_audio
from audiovae.training.losses import N_FFTS, magnitudes
from audiovae.training.run import Run, resolve_settings, start_training
from audiovae.training.waveform_task import WaveformSettings, WaveformTask

TIMED_STEPS = 4


def main() -> None:
    """Train, judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--preset", default="rave_v1")
    parser.add_argument("--cpu-seconds", type=float, default=235.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--without", action="append", default=[], help="Stem of a test file to leave out.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    work = arguments.work or Path(tempfile.mkdtemp())
    if not (work / "corpus").exists():
        prepare([arguments.train], work / "corpus", validation_share=0.03)
    sounds = [path for path in find_audio([arguments.test]) if path.stem not in arguments.without]
    rows = [measure_seed(seed, work, sounds, arguments) for seed in arguments.seeds]
    table = Table("seed", "steps", "CPU s", "msd", "median", "convergence", "log", "KL")
    for row in rows:
        table.add_row(*(f"{value:.4g}" for value in row.values()))
    Console().print(table)
    scores = [row["msd"] for row in rows]
    Console().print(f"msd {np.mean(scores):.2f}, deviation {np.std(scores):.2f}; load {os.getloadavg()[0]:.1f}")
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    document = {"preset": arguments.preset, "set": arguments.overrides, "files": len(sounds), "rows": rows}
    (out / "waveform_training.json").write_text(json.dumps(document, indent=1))


def measure_seed(seed: int, work: Path, sounds: list[Path], arguments: argparse.Namespace) -> dict[str, float]:
    """One run and its figures."""
    overrides = [*arguments.overrides, "training.stage_two=false", "training.validation_s=10"]
    steps = int(arguments.cpu_seconds / time_step(work / "corpus", arguments.preset, overrides))
    overrides += [f"trainer.{key}_every={steps}" for key in ("validate", "save", "examples")]
    run = Path(tempfile.mkdtemp(dir=work)) / "run"
    began = time.process_time()
    start_training(
        arguments.preset, work / "corpus", run, overrides=overrides, max_steps=steps, seed=seed, device="cpu"
    )
    cpu_s = time.process_time() - began
    opened = Run.open(run)
    model = opened.load_model()
    assert isinstance(model, WaveformVAE)
    terms = np.array([measure_file(model, path, opened.settings.sample_rate) for path in sounds])
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    kl = next(row["kl"] for row in reversed(log) if row["kind"] == "train")
    totals = terms.sum(axis=1)
    names = ("msd", "median", "convergence", "log")
    figures = (totals.mean(), np.median(totals), *terms.mean(axis=0))
    spent = {"seed": seed, "steps": steps, "cpu_s": cpu_s}
    return spent | dict(zip(names, map(float, figures), strict=True)) | {"kl": kl}


def time_step(corpus: Path, preset: str, overrides: list[str]) -> float:
    """CPU seconds of one step, the first left out."""
    settings = resolve_settings(preset, [*overrides, "trainer.max_steps=1000"])
    assert isinstance(settings, WaveformSettings)
    task, fabric = WaveformTask(settings, Corpus.open(corpus)), Fabric(accelerator="cpu", devices=1)
    task.setup(fabric)
    rng = np.random.default_rng(0)
    task.step(fabric, 0, rng)
    began = time.process_time()
    for step in range(1, 1 + TIMED_STEPS):
        task.step(fabric, step, rng)
    return (time.process_time() - began) / TIMED_STEPS


@torch.no_grad()
def measure_file(model: WaveformVAE, path: Path, sample_rate: int) -> tuple[float, float]:
    """The two terms of the distance, over the whole file in one pass."""
    audio = torch.from_numpy(load_audio(path, sample_rate, 1))[None]
    audio = audio[:, :, : audio.shape[2] // 2048 * 2048]
    decoded = model.decode(model.encode(audio))
    convergence, log = 0.0, 0.0
    for n_fft in N_FFTS:
        x, y = magnitudes(audio, n_fft), magnitudes(decoded, n_fft)
        convergence += float((x - y).square().sum() / x.square().sum())
        log += float(((x + 1e-7).log() - (y + 1e-7).log()).abs().mean())
    return convergence, log


if __name__ == "__main__":
    main()
