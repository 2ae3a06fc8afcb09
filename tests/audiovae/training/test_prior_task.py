"""Training a prior: it beats what it must, goes on as if never stopped, and keeps to the model it was made for."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from audiovae.corpus.audio_file import write_audio
from audiovae.corpus.prepare import prepare
from audiovae.errors import AudioVAEError, CheckpointError, CorpusError, SettingsError
from audiovae.latent_space import LatentSpace
from audiovae.models.prior import LatentPrior
from audiovae.player import Player
from audiovae.training.logs import read_log
from audiovae.training.prior_task import PriorSettings, PriorTask
from audiovae.training.run import Run, start_training

STEPS = 8
PACE = ("trainer.validate_every=4", "trainer.save_every=4")


def start(model: Path, run: Path, *overrides: str, **options: Any) -> Any:
    corpus = options.pop("corpus", model.parent / "corpus")
    options = {"max_steps": STEPS, "device": "cpu"} | options
    return start_training("debug_prior", corpus, run, overrides=[f"model={model}", *PACE, *overrides], **options)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def test_it_beats_a_gaussian_and_a_linear_autoregression_on_held_out_files(tiny_prior: Path) -> None:
    figures = [row for row in read_log(tiny_prior) if row["kind"] == "validation"][-1]
    assert figures["held_out_nats"] == -figures["score"]
    assert figures["held_out_nats"] > figures["autoregression_nats"]
    assert figures["held_out_nats"] > figures["diagonal_nats"]


def test_a_run_remembers_its_model(tiny_model: Path, tiny_prior: Path) -> None:
    run, space = Run.open(tiny_prior), LatentSpace.load(tiny_model)
    assert isinstance(run.settings, PriorSettings)
    assert (run.settings.space.model_id, run.settings.space.model_name) == (space.model_id, "tiny")
    prior = run.load_model()
    assert isinstance(prior, LatentPrior)
    assert prior.latent_size == space.latent_size
    np.testing.assert_allclose(prior.mean, space.mean, atol=1e-4)  # of the training frames, as in the sidecar


def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tiny_model, tmp_path / "whole")
    original = PriorTask.step

    def interrupted(self: PriorTask, fabric: Any, number: int, rng: np.random.Generator) -> Any:
        if number == 4:
            signal.raise_signal(signal.SIGINT)
        return original(self, fabric, number, rng)

    monkeypatch.setattr(PriorTask, "step", interrupted)
    assert start(tiny_model, tmp_path / "run").step == 5
    monkeypatch.undo()
    monkeypatch.setattr(Player, "encode", None)  # the corpus was encoded already
    start(tiny_model, tmp_path / "run", resume=True, max_steps=None)
    assert read_log(tmp_path / "run") == read_log(tmp_path / "whole")
    for name in ("last", "best"):
        found, expected = (
            read_tensors(tmp_path / run / "checkpoints" / f"{name}.safetensors") for run in ("run", "whole")
        )
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_it_does_not_go_on_with_another_model(tiny_model: Path, other_model: Path, tmp_path: Path) -> None:
    start(tiny_model, tmp_path / "run")
    with pytest.raises(CheckpointError, match=r"space\.model_id is"):
        start(other_model, tmp_path / "run", resume=True, corpus=tiny_model.parent / "corpus")


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("model=", SettingsError, "add --set model=MODEL_DIR"),
        ("model=nowhere", AudioVAEError, "nowhere is no model folder"),
        ("network.orders=3", SettingsError, "did you mean 'order'"),
    ],
)
def test_what_cannot_be_trained_says_why(
    tiny_model: Path, tmp_path: Path, override: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        start(tiny_model, tmp_path / "run", override)
    assert not (tmp_path / "run").exists()


def test_a_corpus_too_short_or_of_another_rate_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    for index in range(2):
        noise = np.random.default_rng(index).standard_normal(4000).astype(np.float32)
        write_audio(tmp_path / "sounds" / f"{index}.wav", 0.1 * noise, 44100)
    prepare([tmp_path / "sounds"], tmp_path / "short", validation_share=0.5, progress=False)
    with pytest.raises(CorpusError, match="make 2 latent frames, 16 or more expected"):
        start(tiny_model, tmp_path / "run", corpus=tmp_path / "short")
    prepare([tmp_path / "sounds"], tmp_path / "low", sample_rate=22050, validation_share=0.5, progress=False)
    with pytest.raises(CorpusError, match="22050 Hz"):
        start(tiny_model, tmp_path / "run", corpus=tmp_path / "low")
