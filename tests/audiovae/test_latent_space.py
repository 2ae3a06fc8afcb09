"""The sidecar: geometry against closed forms, files that survive a round trip, and refusals."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from audiovae.errors import LatentsError, ModelFolderError
from audiovae.latent_space import QUANTILE_LEVELS, Cloud, LatentSpace


def make_cloud(latent_size: int = 3, seed: int = 0, n_frames: int = 400) -> Cloud:
    """Correlated latents of four files, the last one held out and far away."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(latent_size, latent_size)) * np.geomspace(3, 0.3, latent_size)[:, None]
    latents = rng.normal(size=(n_frames, latent_size)) @ mixing + np.arange(latent_size)
    file_index = np.repeat(np.arange(4), n_frames // 4).astype(np.int32)
    latents[file_index == 3] += 100.0
    return Cloud(
        latents.astype(np.float32),
        file_index,
        rng.uniform(-90, 0, n_frames).astype(np.float32),
        ("a.wav", "b.wav", "c.wav", "d.wav"),
        ("train", "train", "train", "validation"),
    )


def make_space(latent_size: int = 3, name: str = "drums", model_id: str = "a1" * 32, seed: int = 0) -> LatentSpace:
    return LatentSpace.from_cloud(
        make_cloud(latent_size, seed),
        model_id=model_id,
        model_name=name,
        family="spectral",
        sample_rate=44100,
        hop_length=2048,
        latency_samples=3072,
        channels=1,
    )


def test_statistics_are_of_the_training_frames_alone() -> None:
    space = make_space()
    train = space.cloud.latents[:300].astype(np.float64)
    np.testing.assert_allclose(space.mean, train.mean(axis=0))
    np.testing.assert_allclose(space.std, train.std(axis=0))
    np.testing.assert_allclose(space.quantiles, np.quantile(train, QUANTILE_LEVELS, axis=0))
    np.testing.assert_allclose(space.quantile(0.99), np.quantile(train, 0.99, axis=0))
    assert space.latent_rate == 44100 / 2048


def test_whitened_training_frames_have_the_identity_as_covariance() -> None:
    space = make_space()
    white = space.whiten(space.cloud.latents[:300], rank=3)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.eye(3), atol=1e-9)


def test_whitening_is_cut_at_the_fidelity_rank_and_leads_with_the_largest_variance() -> None:
    space = make_space()
    assert space.whiten(space.cloud.latents).shape == (400, space.fidelity_rank())
    assert (np.diff(space.pca_variance) <= 0).all()
    np.testing.assert_allclose(space.pca_basis @ space.pca_basis.T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    ("curve", "fidelity", "rank"),
    [
        ([0.5, 0.96, 1.0], 0.95, 2),  # RAVE's code answers 1: it returns the index, not the count
        ([0.95, 1.0, 1.0], 0.95, 1),
        ([0.5, 0.96, 1.0], 1.0, 3),
        ([0.5, 0.96, 0.999], 1.0, 3),
        ([1.0, 1.0, 1.0], 0.95, 1),
        ([0.2, 0.4, 1.0], 0.1, 1),
    ],
)
def test_fidelity_rank_is_the_smallest_count_that_explains_enough(curve, fidelity, rank) -> None:
    space = dataclasses.replace(make_space(), explained_variance=np.array(curve))
    assert space.fidelity_rank(fidelity) == rank


def test_a_space_that_never_moves_still_has_a_geometry() -> None:
    cloud = dataclasses.replace(make_cloud(), latents=np.ones((400, 3), np.float32))
    space = LatentSpace.from_cloud(
        cloud,
        model_id="0" * 64,
        model_name="still",
        family="spectral",
        sample_rate=44100,
        hop_length=2048,
        latency_samples=0,
        channels=1,
    )
    assert space.fidelity_rank() == 1
    assert np.isfinite(space.whiten(cloud.latents, rank=3)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_cloud_that_is_not_finite_is_refused(value: float) -> None:
    cloud = make_cloud()
    cloud.latents[5, 1] = value
    with pytest.raises(LatentsError, match="finite training frames"):
        LatentSpace.from_cloud(
            cloud,
            model_id="0" * 64,
            model_name="broken",
            family="spectral",
            sample_rate=44100,
            hop_length=2048,
            latency_samples=0,
            channels=1,
        )


def test_frames_are_selected_by_split_and_level() -> None:
    cloud = make_cloud()
    assert cloud.select("train").sum() == 300
    assert cloud.select("validation").nonzero()[0].min() == 300
    np.testing.assert_array_equal(cloud.select("train", -30.0)[:300], cloud.loudness_db[:300] > -30)


def test_a_round_trip_gives_the_same_space(tmp_path: Path) -> None:
    space = make_space()
    space.save(tmp_path)
    loaded = LatentSpace.load(tmp_path)
    for field in dataclasses.fields(LatentSpace):
        if field.name != "cloud":
            np.testing.assert_array_equal(getattr(loaded, field.name), getattr(space, field.name))
    for field in dataclasses.fields(Cloud):
        np.testing.assert_array_equal(getattr(loaded.cloud, field.name), getattr(space.cloud, field.name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latent_space.json", "latent_space.npz"]


def edit(folder: Path, **changes: object) -> None:
    path = folder / "latent_space.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def cut(folder: Path, name: str, size: int) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:size])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "latent_space.json").unlink(), "is no model folder: no latent_space.json"),
        (lambda folder: (folder / "latent_space.npz").unlink(), "damaged latent_space files"),
        (lambda folder: cut(folder, "latent_space.json", 300), "damaged latent_space files"),
        (lambda folder: cut(folder, "latent_space.npz", 300), "damaged latent_space files"),
        (lambda folder: cut(folder, "latent_space.npz", 0), "damaged latent_space files"),
        (lambda folder: (folder / "latent_space.npz").write_text("x"), "no archive of arrays"),
        (lambda folder: (folder / "latent_space.json").write_text("[]"), "damaged latent_space files"),
        (lambda folder: edit(folder, format=2), "format 2 found, 1 expected: export the model again"),
        (lambda folder: edit(folder, latent_size=4), r"mean of shape \(3,\) found, \(4,\) expected"),
        (lambda folder: edit(folder, pca_basis=[[1.0]]), "pca_basis of shape"),
        (lambda folder: edit(folder, file_names=["a.wav"], file_splits=["train"]), "file_index does not fit 1 file"),
    ],
)
def test_damaged_absent_and_other_sidecars_are_refused(tmp_path: Path, damage, message: str) -> None:
    make_space().save(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelFolderError, match=message):
        LatentSpace.load(tmp_path)
