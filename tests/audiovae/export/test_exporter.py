"""Export: the folder says what the model says, whole or not at all, and names the sound it makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from audiovae.codecs.spectral import SpectralCodec
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.prepare import prepare
from audiovae.errors import CheckpointError, CorpusError, ExportError, SettingsError
from audiovae.export import exporter, parity
from audiovae.export.exporter import export_model
from audiovae.export.parity import check_parity
from audiovae.export.principal_axes import fit_projection
from audiovae.export.sidecar import identify_sound
from audiovae.export.spectral import SpectralDecoder, SpectralEncoder, SpectralExport, measure_parity
from audiovae.latent_space import LatentSpace
from audiovae.models.spectral import SpectralVAE
from audiovae.nn.projection import LatentProjection
from audiovae.training.run import Run

FILES = {"encoder.onnx", "decoder.onnx", "latent_space.json", "latent_space.npz", "README.md"}


@pytest.fixture(scope="module")
def run(tiny_model: Path) -> Path:
    return tiny_model.parent / "run"


@pytest.fixture
def model(run: Path) -> SpectralVAE:
    return Run.open(run).load_model()


@pytest.fixture
def corpus(tiny_model: Path) -> Corpus:
    return Corpus.open(tiny_model.parent / "corpus")


@pytest.fixture
def projection(run: Path, model: SpectralVAE, corpus: Corpus) -> LatentProjection:
    return fit_projection(encode_training_files(run, model, corpus), None, None)


def encode_training_files(run: Path, model: SpectralVAE, corpus: Corpus) -> list[torch.Tensor]:
    export = SpectralExport(model, Run.open(run).settings)
    return [export.encode(corpus.read(file)) for file in corpus.split("train")]


def test_the_folder_is_complete_and_nothing_lies_beside_it(tiny_model: Path) -> None:
    assert {path.name for path in tiny_model.iterdir()} == FILES
    assert list(tiny_model.parent.glob("tiny.*")) == []


def test_both_files_say_what_the_model_says(tiny_model: Path, model: SpectralVAE, projection: LatentProjection) -> None:
    encoder, decoder = SpectralEncoder(model, projection).eval(), SpectralDecoder(model, projection).eval()
    assert measure_parity(tiny_model / "encoder.onnx", encoder, model.n_mels, model.stride, seed=1) < 1e-4
    assert measure_parity(tiny_model / "decoder.onnx", decoder, model.latent_size, 1, seed=1) < 1e-4
    with torch.no_grad():
        model.decoder[0].bias += 0.1
    assert measure_parity(tiny_model / "decoder.onnx", decoder, model.latent_size, 1) > 1e-4


def test_a_file_that_gives_nan_is_no_parity(tiny_model: Path, model: SpectralVAE, projection: LatentProjection) -> None:
    with torch.no_grad():
        model.linear_decoder.weight[0] = float("nan")
    decoder = SpectralDecoder(model, projection).eval()
    with pytest.raises(ExportError, match="decoder.onnx differs from the model by nan, 0.0001 allowed"):
        check_parity("decoder.onnx", measure_parity(tiny_model / "decoder.onnx", decoder, model.latent_size, 1))


def test_a_failed_parity_check_leaves_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="encoder.onnx differs .* nothing was written"):
        export_model(run, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_exporting_again_gives_the_same_model(run: Path, tiny_model: Path, tmp_path: Path) -> None:
    done = export_model(run, tmp_path / "again", name="tiny")
    assert done.space.model_id == LatentSpace.load(tiny_model).model_id
    for name in ("latent_space.json", "README.md"):
        assert (done.path / name).read_text() == (tiny_model / name).read_text()
    first, again = (np.load(folder / "latent_space.npz") for folder in (tiny_model, done.path))
    with first, again:
        assert all((first[key] == again[key]).all() for key in first)
    assert all(value < 1e-4 for value in done.parity.values())


def test_fewer_latents_replace_a_model_only_when_asked(run: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    shutil.copytree(tiny_model, out)
    with pytest.raises(ExportError, match="exists: choose another --out, or add --overwrite"):
        export_model(run, out, latents=2)
    whole = LatentSpace.load(out)
    space = export_model(run, out, latents=2, overwrite=True).space
    assert space.latent_size == LatentSpace.load(out).latent_size == 2
    assert space.model_id != whole.model_id
    assert {path.name for path in out.iterdir()} == FILES
    # They are the two leading ones of the whole model.
    np.testing.assert_allclose(space.cloud.latents, whole.cloud.latents[:, :2], atol=1e-4)
    codec = SpectralCodec(out)
    assert codec.decode(space.cloud.latents[:3]).shape == (1, 3 * space.hop_length)


def test_a_folder_that_is_no_model_is_never_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ExportError, match="exists"):
        export_model(run, tmp_path, overwrite=True)
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latents": 2, "fidelity": 0.9}, "--latents and --fidelity both given"),
        ({"latents": 0}, "--latents 0 found, 1 to 4 expected"),
        ({"latents": 5}, "--latents 5 found, 1 to 4 expected"),
        ({"fidelity": 0.0}, "--fidelity 0.0 found"),
        ({"fidelity": 1.5}, "--fidelity 1.5 found, a share above 0 and up to 1 expected"),
    ],
)
def test_cuts_that_make_no_sense_are_refused(run: Path, tmp_path: Path, options, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        export_model(run, tmp_path / "model", **options)


def test_fidelity_keeps_the_fewest_components_that_explain_enough(
    run: Path, model: SpectralVAE, corpus: Corpus, tiny_model: Path
) -> None:
    means = encode_training_files(run, model, corpus)
    curve = LatentSpace.load(tiny_model).explained_variance
    for fidelity in (0.3, float(curve[1]) - 1e-4, float(curve[1]) + 1e-4, 1.0):
        kept = len(fit_projection(means, None, fidelity).basis)
        assert curve[kept - 1] >= fidelity - 1e-6
        assert kept == 1 or curve[kept - 2] < fidelity


@torch.no_grad()
def test_the_projection_is_a_rotation_onto_axes_of_falling_variance(
    tiny_model: Path, projection: LatentProjection
) -> None:
    torch.testing.assert_close(projection.basis @ projection.basis.T, torch.eye(4), atol=1e-5, rtol=0)
    latents = torch.randn(2, 4, 7)
    torch.testing.assert_close(projection.unproject(projection.project(latents)), latents)
    cloud = LatentSpace.load(tiny_model).cloud
    train = cloud.latents[cloud.select("train")]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-4)
    covariance = np.cov(train, rowvar=False)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-3)
    assert (np.diff(np.diag(covariance)) < 0).all()


@torch.no_grad()
def test_the_model_id_is_of_what_decides_the_sound_of_latents(
    run: Path, tiny_model: Path, model: SpectralVAE, projection: LatentProjection
) -> None:
    def model_id() -> str:
        return identify_sound(SpectralExport(model, Run.open(run).settings).decoder_tensors(projection))

    first = model_id()
    assert first == LatentSpace.load(tiny_model).model_id
    for parameter in (*model.encoder.parameters(), *model.linear_encoder.parameters()):
        parameter += 1.0
    assert model_id() == first
    ids = {first}
    for tensor in (
        next(model.decoder.parameters()),
        model.linear_decoder.weight,
        model.band_std,
        model.band_mean,
        projection.basis,
        projection.mean,
    ):
        tensor.view(-1)[0] += 1e-3
        ids.add(model_id())
    assert len(ids) == 7


def test_the_sidecar_is_measured_with_the_exported_encoder(tiny_model: Path, corpus: Corpus) -> None:
    space, codec = LatentSpace.load(tiny_model), SpectralCodec(tiny_model)
    assert space.cloud.file_names == tuple(file.name for file in corpus.files)
    assert space.cloud.file_splits.count("validation") == 2
    for index, file in enumerate(corpus.files):
        latents = codec.encode(corpus.read(file))
        np.testing.assert_array_equal(space.cloud.latents[space.cloud.file_index == index], latents)


def test_the_card_states_identity_corpus_and_both_errors(tiny_model: Path) -> None:
    card = (tiny_model / "README.md").read_text()
    space = LatentSpace.load(tiny_model)
    for text in (space.model_id, "4 latents at 21.53 Hz", "| trained | 20 steps", "6 files, 0.1 minutes, of which 2"):
        assert text in card
    assert "| held-out files | 0." in card
    assert "| training files | 0." in card


def test_what_is_no_run_or_another_corpus_is_refused(run: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no run"):
        export_model(tmp_path, tmp_path / "model")
    with pytest.raises(CorpusError, match="no corpus here"):
        export_model(run, tmp_path / "model", corpus=tmp_path / "gone")
    other = prepare([tiny_model.parent / "sounds"], tmp_path / "other", validation_share=0.5, progress=False).path
    with pytest.raises(CorpusError, match="other is not the corpus .*run was trained on: give that one with --corpus"):
        export_model(run, tmp_path / "model", corpus=other)
    assert not (tmp_path / "model").exists()


def test_a_corpus_that_was_moved_is_found_again(
    run: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shutil.copytree(corpus.path, tmp_path / "moved")
    seen: list[Path] = []
    monkeypatch.setattr(exporter, "identify_corpus", lambda material: seen.append(material.path) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_model(run, tmp_path / "model", corpus=moved)
    assert seen == [moved]
