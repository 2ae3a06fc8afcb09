"""The training loop: what is interrupted goes on as if it never was, and what goes wrong says so."""

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
from audiovae.errors import CheckpointError, CorpusError, SettingsError, TrainingError
from audiovae.training.logs import read_log
from audiovae.training.run import Run, start_training
from audiovae.training.spectral_task import SpectralTask, _sample
from audiovae.training.trainer import TrainingState

STEPS = 12
PACE = ("trainer.validate_every=4", "trainer.save_every=4")
SIGINT_BEFORE = signal.getsignal(signal.SIGINT)  # a shell's background jobs ignore it


@pytest.fixture(scope="module")
def corpus(tiny_model: Path) -> Path:
    return tiny_model.parent / "corpus"


def start(corpus: Path, run: Path, *overrides: str, **options: Any) -> TrainingState:
    options = {"max_steps": STEPS, "device": "cpu"} | options
    return start_training("debug_spectral", corpus, run, overrides=[*PACE, *overrides], **options)


@pytest.fixture(scope="module")
def whole(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    run = tmp_path_factory.mktemp("whole") / "run"
    start(corpus, run)
    return run


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[dict[str, Tensor]], None]) -> None:
    """Let `act` see, and spoil, the losses of one step of training."""
    original = SpectralTask.step

    def wrapped(self: SpectralTask, fabric: Any, number: int, rng: np.random.Generator) -> dict[str, Tensor]:
        losses = original(self, fabric, number, rng)
        if number == step:
            act(losses)
        return losses

    monkeypatch.setattr(SpectralTask, "step", wrapped)


def read_checkpoint(run: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(run / "checkpoints" / f"{name}.safetensors", framework="pt") as file:
        metadata = {key: json.loads(value) for key, value in file.metadata().items()}
        return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118


def assert_same_run(one: Path, other: Path) -> None:
    assert read_log(one) == read_log(other)
    for name in ("last", "best"):
        (tensors, state), (tensors_2, state_2) = (read_checkpoint(run, name) for run in (one, other))
        assert state == state_2
        assert tensors.keys() == tensors_2.keys()
        assert all(torch.equal(value, tensors_2[key]) for key, value in tensors.items())


@pytest.mark.parametrize("step", [1, 3, 6])  # before any validation, at one, between two
def test_a_run_stopped_by_ctrl_c_goes_on_bit_for_bit(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    at_step(monkeypatch, step, lambda _: signal.raise_signal(signal.SIGINT))
    assert start(corpus, tmp_path / "run").step == step + 1
    assert (tmp_path / "run" / "checkpoints" / "best.safetensors").is_file()  # there is something to export
    monkeypatch.undo()
    state = start(corpus, tmp_path / "run", resume=True, max_steps=None)  # the run's own number of steps
    assert state.step == STEPS
    assert_same_run(tmp_path / "run", whole)


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(_: object) -> None:
        raise KeyboardInterrupt

    at_step(monkeypatch, 10, kill)
    with pytest.raises(KeyboardInterrupt):
        start(corpus, tmp_path / "run")
    monkeypatch.undo()
    log = tmp_path / "run" / "log.jsonl"
    log.write_text(log.read_text()[:-20])  # the kill also cut the last line
    assert read_log(tmp_path / "run")[-1]["step"] == 9
    start(corpus, tmp_path / "run", resume=True)
    assert_same_run(tmp_path / "run", whole)


def test_ctrl_c_is_the_callers_again_after_training(whole: Path) -> None:
    assert signal.getsignal(signal.SIGINT) is SIGINT_BEFORE


def test_the_log_holds_every_step_and_every_dimension(whole: Path) -> None:
    rows = read_log(whole)
    assert [row["step"] for row in rows if row["kind"] == "train"] == list(range(1, STEPS + 1))
    assert set(rows[0]) == {"step", "kind", "reconstruction", "kl", "total", "gradient_norm"}
    validations = [row for row in rows if row["kind"] == "validation"]
    assert [row["step"] for row in validations] == [4, 8, 12]
    assert all(len(validations[0][f"latent_{name}"]) == 4 for name in ("mean", "std", "kl"))


def test_tensorboard_has_numbers_histograms_and_sound(whole: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert "train/total" in tags["scalars"]
    assert "validation/latent_std" in tags["histograms"]
    assert set(tags["audio"]) == {f"example_{i}/{kind}" for i in (0, 1) for kind in ("original", "decoded")}


def test_the_best_checkpoint_is_the_average_that_scored_best(corpus: Path, whole: Path) -> None:
    rows = [row for row in read_log(whole) if row["kind"] == "validation"]
    best = min(rows, key=lambda row: row["score"])
    _, metadata = read_checkpoint(whole, "best")
    assert metadata["state"] == {"step": best["step"], "best_score": best["score"], "best_step": best["step"]}
    opened = Run.open(whole)
    task = SpectralTask(opened.settings, Corpus.open(corpus))
    with torch.no_grad():
        assert task.validate(opened.load_model())["score"] == best["score"]


def test_training_brings_the_score_down(whole: Path, corpus: Path) -> None:
    task = SpectralTask(Run.open(whole).settings, Corpus.open(corpus))
    with torch.no_grad():
        untrained = task.validate(task.model.eval())["score"]
    assert read_checkpoint(whole, "best")[1]["state"]["best_score"] < untrained


def test_the_average_is_the_model_where_averaging_is_off(corpus: Path, tmp_path: Path) -> None:
    start(corpus, tmp_path / "run", "trainer.average_decay=0", max_steps=3)
    tensors, _ = read_checkpoint(tmp_path / "run", "last")
    for key, value in tensors.items():
        if key.startswith("network/average/"):
            assert torch.equal(value, tensors[key.replace("average", "model")])


def test_another_seed_is_another_run(corpus: Path, whole: Path, tmp_path: Path) -> None:
    start(corpus, tmp_path / "run", seed=1, max_steps=1)
    assert read_log(tmp_path / "run")[0]["total"] != read_log(whole)[0]["total"]


def test_a_run_that_exists_is_refused(corpus: Path, whole: Path) -> None:
    before = read_log(whole)
    with pytest.raises(CheckpointError, match="holds a run: add --resume to go on with it, or choose another --run"):
        start(corpus, whole)
    assert read_log(whole) == before


def test_more_steps_go_on_from_there(corpus: Path, tmp_path: Path) -> None:
    start(corpus, tmp_path / "run", max_steps=2)
    assert start(corpus, tmp_path / "run", resume=True, max_steps=5).step == 5
    assert [row["step"] for row in read_log(tmp_path / "run") if row["kind"] == "train"] == [1, 2, 3, 4, 5]
    assert Run.open(tmp_path / "run").settings.trainer.max_steps == 5


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.latent_size=3"], "cannot resume: model.latent_size is 4 in the run and 3 now"),
        (["training.beta=1", "trainer.seed=5"], "training.beta is 0.0001 in .* 1.0 now; trainer.seed is 0 in"),
    ],
)
def test_a_run_is_not_resumed_with_other_settings(corpus: Path, whole: Path, overrides, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        start(corpus, whole, *overrides, resume=True)


def test_a_run_is_not_resumed_on_other_sounds(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    prepare([tiny_model.parent / "sounds"], tmp_path / "other", validation_share=0.5, progress=False)
    with pytest.raises(CheckpointError, match=r"other is not the corpus of .*run, which was .*corpus: other files"):
        start(tmp_path / "other", whole, resume=True)


def test_there_must_be_a_run_to_resume(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no run: no run.json in it"):
        start(corpus, tmp_path / "run", resume=True)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "family": "vocal"}'])
def test_a_damaged_run_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"run.json.* (is damaged|format 2 found, 1 expected)"):
        Run.open(tmp_path)


@pytest.mark.parametrize("name", ["total", "gradient_norm"])
def test_a_loss_that_is_not_a_number_stops_the_run_and_spares_its_checkpoints(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    at_step(monkeypatch, 5, lambda losses: losses.update({name: torch.tensor(float("nan"))}))
    with pytest.raises(TrainingError, match=rf"at step 5: {name} nan; .* lower training.learning_rate"):
        start(corpus, tmp_path / "run")
    assert read_checkpoint(tmp_path / "run", "last")[1]["state"]["step"] == 4
    monkeypatch.undo()
    assert start(corpus, tmp_path / "run", resume=True).step == STEPS


def test_an_unknown_or_absent_device_is_one_clear_error(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--device abacus: .* Try --device cpu"):
        start(corpus, tmp_path / "run", device="abacus")
    assert not (tmp_path / "run").exists()


def make_corpus(folder: Path, lengths: list[int], **options: Any) -> Path:
    (folder / "sounds").mkdir()
    rng = np.random.default_rng(0)
    for index, length in enumerate(lengths):
        write_audio(folder / "sounds" / f"{index}.wav", 0.1 * rng.standard_normal(length), 44100)
    return prepare([folder / "sounds"], folder / "corpus", progress=False, **options).path


@pytest.mark.parametrize(
    ("lengths", "options", "message"),
    [
        ([30000, 30000], {"sample_rate": 22050}, "22050 Hz, 1 channels found; this preset takes 44100 Hz mono"),
        ([30000, 30000], {"channels": 2}, "44100 Hz, 2 channels found"),
        ([30000], {}, "no validation files: a corpus needs two or more files"),
        ([500, 501], {}, "training files are shorter than two latent frames: add sounds"),
    ],
)
def test_a_corpus_that_cannot_train_is_refused(tmp_path: Path, lengths, options, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        start(make_corpus(tmp_path, lengths, **options), tmp_path / "run")


def test_sounds_shorter_than_an_excerpt_train(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, [3000, 2500, 900, 1])
    assert start(corpus, tmp_path / "run", max_steps=2).step == 2


def test_what_is_measured_of_many_files_is_bounded_and_the_same_each_time() -> None:
    mels = [np.full((2, 40), index) for index in range(10)]
    assert _sample(mels, 400) is mels
    some = _sample(mels, 100)
    assert [mel.shape[1] for mel in some] == [40, 40, 20]
    assert [mel[0, 0] for mel in some] == [mel[0, 0] for mel in _sample(mels, 100)]


def test_a_log_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"st\n{"step": 3}\n')
    with pytest.raises(CheckpointError, match="log.jsonl: line 2 is no JSON row"):
        read_log(tmp_path)
    assert read_log(tmp_path / "absent") == []


PROGRAM = """
import sys
import torch
from audiovae.training.run import start_training
from audiovae.training.spectral_task import SpectralTask

step = SpectralTask.step

def keep_task(self, fabric, number, rng):
    global task, rank
    task, rank = self, fabric.global_rank
    return step(self, fabric, number, rng)

SpectralTask.step = keep_task
corpus, run, resume = sys.argv[1:]
go_on = resume == "yes"
start_training("debug_spectral", corpus, run, max_steps=8 if go_on else 4, device="cpu", resume=go_on)
torch.save({name: value.clone() for name, value in task.model.state_dict().items()}, f"{run}.rank{rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_train_one_model_and_go_on(corpus: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    for resume, steps in (("no", 4), ("yes", 8)):
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        done = subprocess.run(
            [*launch, str(program), str(corpus), str(tmp_path / "run"), resume],
            capture_output=True,
            text=True,
            timeout=300,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        first, second = (torch.load(tmp_path / f"run.rank{rank}.pt", weights_only=True) for rank in (0, 1))
        saved, metadata = read_checkpoint(tmp_path / "run", "last")
        assert metadata["state"]["step"] == steps
        for name, value in first.items():
            assert torch.equal(value, second[name])
            assert torch.equal(value, saved[f"network/model/{name}"])
        rows = [row["step"] for row in read_log(tmp_path / "run") if row["kind"] == "train"]
        assert rows == list(range(1, steps + 1))  # one process writes, once


@pytest.mark.slow
def test_the_command_line_under_torchrun_speaks_once(corpus: Path, tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = Path(sys.executable).with_name("audiovae")
    command = [script, "train", "debug_spectral", "--corpus", corpus, "--run", tmp_path / "run", "--max-steps", "3"]
    done = subprocess.run(
        [*launch, "--no-python", "--", *map(str, command), "--device", "cpu"],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 3, best held-out score") == 1
