"""Waveform runs become model folders: what is in them, what the card says, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from audiovae import cli
from audiovae.codecs.session import open_session
from audiovae.corpus.prepare import prepare
from audiovae.errors import CorpusError, ExportError
from audiovae.export.exporter import export_model
from audiovae.export.sidecar import identify_sound
from audiovae.export.waveform import WaveformExport
from audiovae.latent_space import LatentSpace
from audiovae.nn.projection import LatentProjection
from audiovae.training.run import Run

FILES = {"encoder.onnx", "decoder.onnx", "model.ts", "latent_space.json", "latent_space.npz", "README.md"}


@pytest.fixture(scope="module")
def run(tiny_waveform_model: Path) -> Path:
    return tiny_waveform_model.parent / "run"


@pytest.fixture
def no_files(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The export measures all but writes no network, which takes seconds; gives how many latents were kept."""
    kept: list[int] = []

    def write_files(self: WaveformExport, folder: Path, projection: Any, prior: Any) -> dict[str, float]:
        (folder / "encoder.onnx").write_bytes(b"half")
        kept.append(len(projection.basis))
        raise KeyboardInterrupt

    monkeypatch.setattr(WaveformExport, "write_files", write_files)
    return kept


def test_the_folder_is_complete_and_plays(tiny_waveform_model: Path) -> None:
    assert {path.name for path in tiny_waveform_model.iterdir()} == FILES
    space = LatentSpace.load(tiny_waveform_model)
    assert (space.family, space.hop_length, space.latent_size, space.channels) == ("waveform", 128, 8, 1)
    assert space.latency_samples == Run.open(tiny_waveform_model.parent / "run").load_model().latency_samples
    assert (np.diff(space.cloud.latents[space.cloud.select("train")].var(axis=0)) <= 1e-6).all()


def test_an_engine_finds_all_it_needs_in_the_files(tiny_waveform_model: Path) -> None:
    for half, inputs, output in (("encoder", "audio", "latents"), ("decoder", "latents", "audio")):
        session = open_session(tiny_waveform_model / f"{half}.onnx")
        first, *states = session.get_inputs()
        assert (first.name, session.get_outputs()[0].name) == (inputs, output)
        assert [state.name for state in states] == [f"state_{index}" for index in range(len(states))]
        assert all(isinstance(size, int) for state in states for size in state.shape[1:])
        assert len(session.get_outputs()) == len(states) + 1
        metadata = session.get_modelmeta().custom_metadata_map
        facts = ("sample_rate", "hop_length", "channels", "encode_delay", "decode_delay", "latent_size")
        assert metadata["family"] == "waveform"
        assert all(int(metadata[name]) >= 0 for name in facts)


def test_the_card_says_what_it_is_and_how_late(tiny_waveform_model: Path) -> None:
    card, space = (tiny_waveform_model / "README.md").read_text(), LatentSpace.load(tiny_waveform_model)
    delay = space.latency_samples - 128
    for text in (
        space.model_id,
        "| multi-scale spectral distance | |",
        f"| 0 (no thread) | {delay + 64} samples",
        f"| 2048 | {delay + 2 * 2048 - 64} samples",
        f"| {delay + 2 * (2 * 4096 - 64)} samples",
        "bufsize N",
        "OMP_NUM_THREADS=1",
    ):
        assert text in card
    assert "log-mel" not in card


def test_the_command_line_tells_of_it(tiny_waveform_model: Path) -> None:
    done = CliRunner().invoke(cli.app, ["info", str(tiny_waveform_model), "--json"])
    found = json.loads(done.stdout)
    assert (found["family"], found["nn~"]) == ("waveform", True)
    text = CliRunner().invoke(cli.app, ["info", str(tiny_waveform_model)]).stdout
    assert "no model.ts" not in text


@torch.no_grad()
def test_the_model_id_is_of_what_decides_the_sound_of_latents(run: Path) -> None:
    opened = Run.open(run)
    model = opened.load_model()
    export = WaveformExport(model, opened.settings)
    projection = LatentProjection(torch.zeros(8), torch.eye(8))
    first = identify_sound(export.decoder_tensors(projection))
    for parameter in model.encoder.parameters():
        parameter += 1.0
    assert identify_sound(export.decoder_tensors(projection)) == first
    next(model.decoder.parameters())[0, 0, 0] += 1e-3
    assert identify_sound(export.decoder_tensors(projection)) != first


@pytest.mark.parametrize("options", [{"latents": 3}, {"fidelity": 0.9}, {}])
def test_an_interrupted_export_leaves_nothing(
    run: Path, tmp_path: Path, no_files: list[int], options: dict[str, Any], tiny_waveform_model: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        export_model(run, tmp_path / "model", **options)
    assert list(tmp_path.iterdir()) == []
    curve = LatentSpace.load(tiny_waveform_model).explained_variance
    enough = int((curve < options.get("fidelity", 1.0) - 1e-6).sum()) + 1
    assert no_files == [options.get("latents", enough)]


def test_an_interrupted_export_leaves_the_old_model(run: Path, tiny_waveform_model: Path, no_files: list[int]) -> None:
    before = {path.name: path.read_bytes() for path in tiny_waveform_model.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        export_model(run, tiny_waveform_model, overwrite=True)
    assert {path.name: path.read_bytes() for path in tiny_waveform_model.iterdir()} == before


def test_what_exists_and_another_corpus_are_refused(run: Path, tiny_waveform_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="exists: choose another --out"):
        export_model(run, tiny_waveform_model)
    sounds = tiny_waveform_model.parent / "sounds"
    other = prepare([sounds], tmp_path / "other", validation_share=0.5, progress=False).path
    with pytest.raises(CorpusError, match="is not the corpus .*run was trained on"):
        export_model(run, tmp_path / "model", corpus=other)
    stereo = prepare([sounds], tmp_path / "stereo", channels=2, validation_share=0.34, progress=False).path
    with pytest.raises(CorpusError, match="--channels 1"):
        export_model(run, tmp_path / "model", corpus=stereo)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(("ratios", "hop_length"), [([4], 32), ([8, 8, 16], 8192)])
def test_hops_that_break_the_host_are_refused(make_export: Any, ratios: list[int], hop_length: int) -> None:
    dilations = [[1] for _ in ratios]
    with pytest.raises(ExportError, match=f"hop length {hop_length} found, 64 to 4096 samples expected"):
        make_export(ratios=ratios, encoder_dilations=dilations, decoder_dilations=dilations)
