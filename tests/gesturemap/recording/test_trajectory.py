"""Trajectories: where the walk goes, and that each source gives what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiovae.errors import LatentsError, SettingsError
from audiovae.latent_space import LatentSpace
from audiovae.latent_table import write_latents
from audiovae.player import save_audio
from gesturemap.errors import RecordingError
from gesturemap.recording.trajectory import Trajectory, load_trajectory, walk_cloud


def test_at_interpolates_and_holds_the_ends() -> None:
    trajectory = Trajectory(np.array([[0.0], [1.0], [4.0]]), 2.0, "line")
    assert trajectory.duration_s == 1.5
    np.testing.assert_allclose(trajectory.at(np.array([-1.0, 0.25, 0.75, 9.0]))[:, 0], [0.0, 0.5, 2.5, 4.0])


def test_the_walk_is_smooth_seeded_and_as_long_as_asked(space: LatentSpace) -> None:
    walk = walk_cloud(space, 60.0, seed=1)
    assert walk.latents.shape == (round(60.0 * space.latent_rate), 3)
    assert walk.duration_s == pytest.approx(60.0, abs=1 / space.latent_rate)
    np.testing.assert_array_equal(walk.latents, walk_cloud(space, 60.0, seed=1).latents)
    assert not np.array_equal(walk.latents, walk_cloud(space, 60.0, seed=2).latents)
    # No segment is shorter than 0.8 s or longer than the ring is wide: peak speed 15/8 * 6.8 / 0.8.
    speed = np.linalg.norm(np.diff(walk.latents, axis=0), axis=1) * space.latent_rate
    assert speed.max() < 16.0


def test_the_walk_keeps_to_audible_training_sound_and_meets_all_of_it(space: LatentSpace) -> None:
    latents = walk_cloud(space, 120.0, seed=0).latents
    assert abs(latents).max() < 5.0, "the silent blob and the validation frames are at z = 10 and -10"
    angle = np.arctan2(latents[:, 1], latents[:, 0])
    assert (np.histogram(angle, bins=12, range=(-np.pi, np.pi))[0] > 0).all()


def test_the_walk_stays_nearer_to_the_cloud_than_straight_lines_at_random(space: LatentSpace) -> None:
    rng = np.random.default_rng(0)
    ring = space.cloud.latents[space.cloud.select("train", -60.0)]
    ends = ring[rng.integers(len(ring), size=(60, 2))]
    share = np.linspace(0.0, 1.0, 40)[:, None, None]
    straight = (ends[:, 0] + share * (ends[:, 1] - ends[:, 0])).reshape(-1, 3)
    walk = walk_cloud(space, 60.0, seed=0).latents

    def off_the_ring(latents: np.ndarray) -> float:
        return float(abs(np.hypot(latents[:, 0], latents[:, 1]) - 3.0).mean())

    assert off_the_ring(walk) < 0.7 * off_the_ring(straight)


def test_a_sound_file_is_encoded_by_the_model(model_dir: Path, space: LatentSpace, tmp_path: Path) -> None:
    steps = np.repeat([0.25, -0.5, 0.125], space.hop_length)[None]
    save_audio(tmp_path / "steps.wav", steps.astype(np.float32), space.sample_rate)
    trajectory = load_trajectory(str(tmp_path / "steps.wav"), model_dir)
    np.testing.assert_allclose(trajectory.latents[:, 0], [0.25, -0.5, 0.125], atol=1e-4)
    assert trajectory.latent_rate == space.latent_rate


def test_a_latent_table_is_read_if_it_is_of_this_model(model_dir: Path, space: LatentSpace, tmp_path: Path) -> None:
    latents = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    write_latents(tmp_path / "mine.parquet", latents, space)
    np.testing.assert_array_equal(load_trajectory(str(tmp_path / "mine.parquet"), model_dir).latents, latents)
    other = LatentSpace(**(space.__dict__ | {"model_id": "cd" * 32, "model_name": "other"}))
    write_latents(tmp_path / "theirs.parquet", latents, other)
    with pytest.raises(LatentsError, match="latents of model other"):
        load_trajectory(str(tmp_path / "theirs.parquet"), model_dir)


def test_a_walk_by_name(model_dir: Path) -> None:
    assert load_trajectory("walk", model_dir).duration_s == pytest.approx(60.0, abs=0.02)
    assert load_trajectory("walk:2.5", model_dir).duration_s == pytest.approx(2.5, abs=0.02)


@pytest.mark.parametrize("spec", ["walk:x", "walk:0", "walk:-3", "walk:nan", "walk:inf"])
def test_a_walk_of_no_length_is_refused(model_dir: Path, spec: str) -> None:
    with pytest.raises(RecordingError, match="walk:SECONDS"):
        load_trajectory(spec, model_dir)


def test_what_is_too_long_to_decode_in_one_piece_is_refused(
    model_dir: Path, space: LatentSpace, tmp_path: Path
) -> None:
    with pytest.raises(RecordingError, match="walk:1e9 lasts 1000000000 s, at most 1800 s .*--loop"):
        load_trajectory("walk:1e9", model_dir)
    write_latents(tmp_path / "day.parquet", np.zeros((80_000, 3), np.float32), space)
    with pytest.raises(RecordingError, match="lasts 1858 s"):
        load_trajectory(str(tmp_path / "day.parquet"), model_dir)


def test_a_file_that_is_not_there_is_refused(model_dir: Path) -> None:
    with pytest.raises(RecordingError, match=r"no such file; expected a sound file, a latent table"):
        load_trajectory("nowhere.wav", model_dir)


def test_a_silent_model_cannot_be_walked(space: LatentSpace) -> None:
    cloud = space.cloud.__class__(
        space.cloud.latents,
        space.cloud.file_index,
        np.full_like(space.cloud.loudness_db, -80.0),
        space.cloud.file_names,
        space.cloud.file_splits,
    )
    silent = LatentSpace(**(space.__dict__ | {"cloud": cloud}))
    with pytest.raises(RecordingError, match="0 audible training frames"):
        walk_cloud(silent, 1.0, 0)


def test_the_prior_of_a_model_can_be_played(
    space: LatentSpace, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in prior that adds its noise up: seeded, at the latent rate, of the model in the folder."""

    class Sampler:
        n_noise = 3

        def start(self) -> tuple[np.ndarray, list[np.ndarray]]:
            return np.zeros((1, 3), np.float32), []

        def advance(self, previous: np.ndarray, heat: np.ndarray, noise: np.ndarray, state: list) -> tuple:
            return previous + heat * noise, state

    opened: list[object] = []
    monkeypatch.setattr("audiovae.generation.prior.open_prior", lambda *given: opened.append(given[0]) or Sampler())
    trajectory = load_trajectory("prior:2", model_dir, seed=7)
    noise = np.random.default_rng(7).standard_normal((86, 3), np.float32)
    np.testing.assert_allclose(trajectory.latents, noise.cumsum(axis=0), rtol=1e-4)
    assert trajectory.duration_s == pytest.approx(2.0, abs=0.02)
    assert (opened, trajectory.source) == ([model_dir], "prior:2, seed 7")
    other = load_trajectory("prior:2", model_dir, seed=8)
    assert np.abs(other.latents - trajectory.latents).max() > 1.0


def test_a_model_without_a_prior_says_so(model_dir: Path) -> None:
    with pytest.raises(SettingsError, match=r"has no prior\.onnx"):
        load_trajectory("prior", model_dir)
    with pytest.raises(RecordingError, match="expected prior:SECONDS"):
        load_trajectory("prior:long", model_dir)
