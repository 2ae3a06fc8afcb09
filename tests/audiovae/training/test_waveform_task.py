"""Training the waveform model: two stages, each of which goes on bit for bit after an interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from audiovae.corpus.audio_file import write_audio
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.prepare import prepare
from audiovae.errors import CheckpointError, CorpusError, SettingsError
from audiovae.training.logs import read_log
from audiovae.training.run import Run, resolve_settings, start_training
from audiovae.training.trainer import TrainingState
from audiovae.training.waveform_task import WaveformSettings, WaveformTask

WARMUP, STEPS = 4, 9
SMALL = (
    "training.excerpt_samples=2048",
    "training.batch_size=2",
    "training.beta_warmup=2",
    f"training.warmup_steps={WARMUP}",
    "training.validation_s=0.2",
    "trainer.validate_every=3",
    "trainer.save_every=3",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("waveform")
    (folder / "sounds").mkdir()
    time_s = np.arange(6000) / 44100
    for index in range(4):
        sound = 0.4 * np.sin(2 * np.pi * 220 * 2 ** (index / 3) * time_s) * np.exp(-5 * time_s)
        write_audio(folder / "sounds" / f"{index}.wav", sound.astype(np.float32), 44100)
    return prepare([folder / "sounds"], folder / "corpus", validation_share=0.5, progress=False).path


def start(corpus: Path, run: Path, *overrides: str, **options: Any) -> TrainingState:
    options = {"max_steps": STEPS, "device": "cpu"} | options
    return start_training("debug_rave", corpus, run, overrides=[*SMALL, *overrides], **options)


@pytest.fixture(scope="module")
def whole(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    run = tmp_path_factory.mktemp("whole") / "run"
    start(corpus, run)
    return run


def read_checkpoint(run: Path, name: str = "last") -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(run / "checkpoints" / f"{name}.safetensors", framework="pt") as file:
        metadata = {key: json.loads(value) for key, value in file.metadata().items()}
        return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    original = WaveformTask.step

    def wrapped(self: WaveformTask, fabric: Any, number: int, rng: np.random.Generator) -> dict[str, Tensor]:
        losses = original(self, fabric, number, rng)
        if number == step:
            act()
        return losses

    monkeypatch.setattr(WaveformTask, "step", wrapped)


@pytest.mark.parametrize("step", [1, 3, 5])  # in stage 1, at its end, in stage 2
def test_a_run_stopped_in_either_stage_goes_on_bit_for_bit(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    at_step(monkeypatch, step, lambda: signal.raise_signal(signal.SIGINT))
    assert start(corpus, tmp_path / "run").step == step + 1
    monkeypatch.undo()
    assert start(corpus, tmp_path / "run", resume=True, max_steps=None).step == STEPS
    assert read_log(tmp_path / "run") == read_log(whole)
    for name in ("last", "best"):
        (tensors, state), (tensors_2, state_2) = (read_checkpoint(run, name) for run in (tmp_path / "run", whole))
        assert state == state_2
        assert tensors.keys() == tensors_2.keys()
        assert all(torch.equal(value, tensors_2[key]) for key, value in tensors.items())


def test_both_optimisers_are_in_the_checkpoint(whole: Path) -> None:
    tensors, metadata = read_checkpoint(whole)
    assert set(metadata["groups"]) == {"model", "discriminators"}
    assert all(any(key.startswith(f"optimiser/{name}/") for key in tensors) for name in ("model", "discriminators"))


def test_the_log_says_which_stage_it_is(whole: Path) -> None:
    rows = [row for row in read_log(whole) if row["kind"] == "train"]
    first = {"step", "kind", "multiband", "fullband", "kl", "total", "gradient_norm"}
    second = first | {"adversarial", "feature_matching"}
    judged = second | {"discriminator", "discriminator_norm"}
    assert [set(row) for row in rows] == [first] * WARMUP + [judged, second, judged, second, judged]


def test_the_encoder_moves_in_stage_one_and_rests_in_stage_two(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at: list[dict[str, Tensor]] = []

    def keep(self: WaveformTask, fabric: Any, step: int, rng: np.random.Generator) -> dict[str, Tensor]:
        at.append({key: value.clone() for key, value in self.model.state_dict().items() if "weight" in key})
        return original(self, fabric, step, rng)

    original = WaveformTask.step
    monkeypatch.setattr(WaveformTask, "step", keep)
    start(corpus, tmp_path / "run")
    for step in range(STEPS - 1):
        moved = {key.partition(".")[0] for key in at[0] if not torch.equal(at[step][key], at[step + 1][key])}
        assert moved == ({"encoder", "decoder"} if step < WARMUP else {"decoder"})


def test_the_best_checkpoint_is_of_the_last_stage(corpus: Path, tmp_path: Path, monkeypatch) -> None:
    scores = iter([1.0, 5.0, 7.0])
    monkeypatch.setattr(WaveformTask, "validate", lambda self, model: {"score": next(scores)})
    state = start(corpus, tmp_path / "run")  # validated after 3 steps, of stage 1, then after 6 and 9
    assert (state.best_step, state.best_score) == (6, 5.0)


def test_validation_measures_every_latent_dimension_and_the_run_opens(corpus: Path, whole: Path) -> None:
    run = Run.open(whole)
    assert isinstance(run.settings, WaveformSettings)
    task = WaveformTask(run.settings, Corpus.open(corpus))
    with torch.no_grad():
        figures = task.validate(run.load_model())
    assert figures["score"] == read_checkpoint(whole, "best")[1]["state"]["best_score"]
    assert all(len(figures[f"latent_{name}"]) == 8 for name in ("mean", "std", "kl"))
    assert 1 <= figures["dimensions_at_0.95"] <= 8


def test_an_untrained_posterior_is_of_unit_deviation_under_less_noise(corpus: Path, whole: Path) -> None:
    task = WaveformTask(Run.open(whole).settings, Corpus.open(corpus))
    audio = torch.from_numpy(task._excerpts.draw(np.random.default_rng(0), 2))  # what the first batch of seed 0 was
    with torch.no_grad():
        mean, log_variance = task.model.posterior(audio)
    torch.testing.assert_close(mean.mean(dim=(0, 2)), torch.zeros(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(mean.std(dim=(0, 2), correction=0), torch.ones(8), atol=1e-3, rtol=0)
    torch.testing.assert_close(log_variance.mean(dim=(0, 2)), torch.full((8,), -3.0), atol=1e-4, rtol=0)


def test_what_validation_reads_is_bounded(corpus: Path, whole: Path) -> None:
    task = WaveformTask(Run.open(whole).settings, Corpus.open(corpus))
    lengths = [sound.shape[2] for sound in task._held_out(task.model, 0.2, 0.1)]  # 8820 samples, 4410 of a file
    hop = task.model.hop_length
    assert lengths == [-(-4410 // hop) * hop] * 2
    assert [sound.shape[2] for sound in task._held_out(task.model, 0.01, 10)] == [2 * hop]  # 441 samples


def test_a_stereo_model_trains_on_a_stereo_corpus_and_no_other(corpus: Path, tmp_path: Path) -> None:
    stereo = prepare([corpus.parent / "sounds"], tmp_path / "stereo", channels=2, progress=False).path
    assert start(stereo, tmp_path / "run", "model.channels=2").step == STEPS
    with pytest.raises(CorpusError, match="44100 Hz, 1 channels found; this preset takes 44100 Hz stereo"):
        start(corpus, tmp_path / "other", "model.channels=2")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["trainer.max_steps=60"], r"trainer.max_steps 60 ends the run before stage 2.* training.warmup_steps 60: "),
        (["training.excerpt_samples=1000"], "excerpt_samples 1000 must be a multiple of the hop length 256"),
        (["discriminators.scales=0", "discriminators.periods=[]"], "stage 2 needs discriminators"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        resolve_settings("debug_rave", overrides)


def test_one_stage_alone_is_allowed_if_asked_for() -> None:
    settings = resolve_settings("debug_rave", ["trainer.max_steps=20", "training.stage_two=false"])
    assert settings.trainer.max_steps == 20


def test_a_run_of_another_family_or_other_sizes_is_not_resumed(corpus: Path, whole: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot resume: family is waveform in the run and spectral now; use"):
        start_training("debug_spectral", corpus, whole, resume=True, device="cpu")
    with pytest.raises(CheckpointError, match="sample_rate is 44100 in the run and 48000 now; discriminators.capacity"):
        start(corpus, whole, "sample_rate=48000", "discriminators.capacity=3", resume=True)


PROGRAM = """
import sys
import torch
from audiovae.training.run import start_training
from audiovae.training.waveform_task import WaveformTask

step = WaveformTask.step

def keep_task(self, fabric, number, rng):
    global task, rank
    task, rank = self, fabric.global_rank
    return step(self, fabric, number, rng)

WaveformTask.step = keep_task
corpus, run, *overrides = sys.argv[1:]
start_training("debug_rave", corpus, run, overrides=overrides, max_steps=9, device="cpu")
state = {f"{name}.{key}": value for name, net in task.networks.items() for key, value in net.state_dict().items()}
torch.save(state, f"{run}.rank{rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_train_one_model_through_both_stages(corpus: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, str(program), str(corpus), str(tmp_path / "run"), *SMALL],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"run.rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert all(torch.equal(value, second[key]) for key, value in first.items())
