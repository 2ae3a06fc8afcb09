"""The whole way once, on material made on the spot. The one file of gesturemap that trains and exports."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from audiovae.latent_space import LatentSpace
from gesturemap.errors import GestureMapError
from gesturemap.frame import Array
from gesturemap.library import fit_into_library
from gesturemap.mapping import Mapping
from gesturemap.recording import Recording
from gesturemap.recording.session import record
from gesturemap.recording.trajectory import Trajectory, load_trajectory
from gesturemap.render import render
from gesturemap.report.report import report_on
from gesturemap.trackers.synthetic import SyntheticTracker
from gesturemap.trackers.synthetic_motion import SmoothMotion

LOOPS = 40
TRAINING_STEPS = 800
TAKES = 6
TAKE_S = 20.0
REACTION_S = 0.18
"""How far a performer who moves to a sound is behind it; people take 150 to 250 ms."""
MARK = "demo.json"


def run_demo(out: Path, seed: int = 0) -> None:
    """Loops, corpus, training, export, paired takes, fit, sound and report into the folder `out`.

    Raises
    ------
    GestureMapError
        If `out` holds anything but an earlier demo.
    """
    started_s = time.monotonic()
    say = Console(stderr=True).print
    _clear(out)
    model_dir = _make_model(out, seed, say)

    say("[bold]4/6[/] a synthetic performer moves to a walk through the model, six takes and a performance")
    space = LatentSpace.load(model_dir)
    takes, performance = out / "takes.rec", out / "performance.rec"
    for take in range(TAKES):
        _perform(model_dir, space, takes, seed, seed + 1 + take)
    _perform(model_dir, space, performance, seed, seed + 1 + TAKES)

    say("[bold]5/6[/] fit a mapping on the takes, play the performance through it")
    mapping, folder = fit_into_library(
        [takes], model_dir, "first", library=out / "mappings", intent="A demo.", seed=seed
    )
    sound = out / "performance.wav"
    render(mapping, Recording.load(performance), model_dir, sound, out / "performance.parquet")

    say("[bold]6/6[/] measure how much of the model the performance reaches")
    result = report_on(folder, [performance], model_dir, out / "report", audio=sound, seed=seed)
    (out / MARK).write_text(json.dumps({"seed": seed, "seconds": round(time.monotonic() - started_s, 1)}))
    _conclude(out, folder, mapping, result["answer"], time.monotonic() - started_s)


def _make_model(out: Path, seed: int, say: Callable[..., Any]) -> Path:
    from audiovae.corpus.loops import generate_loops
    from audiovae.corpus.prepare import prepare
    from audiovae.export.exporter import export_model
    from audiovae.training.run import start_training

    say(f"[bold]1/6[/] {LOOPS} procedural loops: drums, bass, pads, plucks, percussion")
    generate_loops(out / "loops", LOOPS, seed)
    prepare([out / "loops"], out / "corpus", seed=seed)
    say(f"[bold]2/6[/] train the spectral model for {TRAINING_STEPS} steps; a real one takes more, and your sounds")
    start_training(
        "spectral",
        out / "corpus",
        out / "run",
        overrides=["model.capacity=128", "augmentation.max_layers=2", "trainer.validate_every=100"],
        max_steps=TRAINING_STEPS,
        seed=seed,
        device="cpu",
    )
    say("[bold]3/6[/] export it and check that the files say what the model says")
    return export_model(out / "run", out / "model", name="demo").path


def _perform(model_dir: Path, space: LatentSpace, out: Path, seed: int, walk_seed: int) -> None:
    """One take of the performer, who follows the walk of `walk_seed`; `seed` is who the performer is."""
    walk = load_trajectory(f"walk:{TAKE_S:g}", model_dir, walk_seed)
    tracker = SyntheticTracker(seconds=TAKE_S, axes=Performer(walk, space, seed).axes_at)
    record(tracker, out, model_dir=model_dir, play=f"walk:{TAKE_S:g}", seed=walk_seed, append=out.exists())


class Performer:
    """Somebody who moves both hands of a Gametrak to what is heard: late, imprecisely, with a habit for each sound.

    Parameters
    ----------
    heard : latents over time.
    space : the model; its principal axes, in deviations, are what the performer hears.
    seed : who it is: which way the hands go for which sound, and how they stray.
    """

    def __init__(self, heard: Trajectory, space: LatentSpace, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self._heard, self._space = heard, space
        rank = space.fidelity_rank()
        # Six hand axes follow random but fixed blends of what is heard, the leading components most.
        self._habit = rng.normal(size=(6, rank)) / np.sqrt(1 + np.arange(rank))
        self._habit /= np.linalg.norm(self._habit, axis=1, keepdims=True)
        self._stray = SmoothMotion(seed + 1000, 6)

    def axes_at(self, time_s: float) -> Array:
        """(6,) axes in [-1, 1]."""
        heard = self._space.whiten(self._heard.at(np.array([max(0.0, time_s - REACTION_S)])))[0]
        return np.asarray(0.95 * np.tanh(0.5 * self._habit @ heard) + 0.05 * self._stray.at(time_s))


def _clear(out: Path) -> None:
    """An empty folder: an earlier demo is replaced, anything else is left alone."""
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise GestureMapError(f"{out} is not empty and no earlier demo: choose another --out")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARK).write_text("{}")


def _conclude(out: Path, folder: Path, mapping: Mapping, answer: str, took_s: float) -> None:
    say = Console().print
    say(f"\nDone in {took_s / 60:.1f} minutes. {mapping.summary}", highlight=False)
    say(f"{answer}\n", highlight=False)
    for what, path in (
        ("listen", out / "performance.wav"),
        ("what it played to the performer", out / "takes.rec" / "play.wav"),
        ("look", out / "report" / "report.html"),
        ("the model and its card", out / "model" / "README.md"),
        ("the mapping and its card", folder / "README.md"),
        ("training, in TensorBoard", out / "run"),
    ):
        say(f"  {what:<34}{path}", highlight=False, soft_wrap=True)
    say("\nNext: the same with your own sounds and hands, see README.md and docs/guide.md.", highlight=False)
