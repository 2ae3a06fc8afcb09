"""Suggestions: where the answer is known, what was met is left alone, and poses are held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiovae.latent_space import Cloud, LatentSpace
from gesturemap.errors import RecordingError, WrongModelError
from gesturemap.frame import Array
from gesturemap.recording.session import record
from gesturemap.recording.suggestions import hold_poses, suggest_latents
from gesturemap.recording.trajectory import load_trajectory
from gesturemap.trackers import open_tracker


def make_space(latents: Array, file_index: Array | None = None, loudness_db: Array | None = None) -> LatentSpace:
    n = len(latents)
    index = np.zeros(n, np.int32) if file_index is None else file_index.astype(np.int32)
    names = tuple(f"{i}.wav" for i in range(int(index.max()) + 1))
    loud = np.full(n, -20.0) if loudness_db is None else loudness_db
    cloud = Cloud(latents.astype(np.float32), index, loud.astype(np.float32), names, ("train",) * len(names))
    facts = {"model_id": "1f" * 32, "model_name": "line", "family": "spectral", "sample_rate": 22050}
    return LatentSpace.from_cloud(cloud, **facts, hop_length=512, latency_samples=0, channels=1)  # type: ignore[arg-type]


def test_on_a_line_they_go_to_the_far_end_then_halve_what_is_left() -> None:
    """0, 1, ..., 100, of which 0 is met. The radius is 3 inside and more near the ends (98: 3; 99: 4; 100: 5)."""
    space = make_space(np.arange(101.0)[:, None])
    found = suggest_latents(space, np.array([[0.0], [np.nan]]), count=4)  # a row with a NaN was no sound
    np.testing.assert_allclose(found.latents[:, 0], [98, 49, 24, 73], atol=1.01)
    np.testing.assert_allclose(found.distance[:2], [98 / 3, 49 / 3], rtol=0.03)
    assert found.covered == pytest.approx(4 / 101)
    # 0 to 3 is met, and 7 (5 at the very end) around each of the others.
    assert found.covered_after == pytest.approx((4 + 6 + 7 * 3) / 101, abs=0.02)


def test_the_denser_of_two_equally_far_places_comes_first() -> None:
    dense, thin = np.linspace(9.9, 10.1, 60), np.linspace(-12.0, -8.0, 60)
    space = make_space(np.concatenate([dense, thin, np.linspace(-0.5, 0.5, 60)])[:, None])
    found = suggest_latents(space, np.linspace(-0.5, 0.5, 60)[:, None], count=1)
    assert found.latents[0, 0] == pytest.approx(10.0, abs=0.11)


def test_neighbours_of_the_same_file_make_no_place_dense() -> None:
    """One file repeats itself; between files its frames are as lonely as the others, and no better suggestion."""
    rng = np.random.default_rng(0)
    spread, repeated = rng.uniform(5, 15, 100), np.full(300, -10.0) + 1e-6 * rng.normal(size=300)
    space = make_space(np.concatenate([spread, repeated])[:, None], np.concatenate([np.arange(100) % 10, [10] * 300]))
    found = suggest_latents(space, np.array([[0.0]]), count=1)
    assert found.latents[0, 0] > 0


def test_a_model_that_was_met_needs_none_and_silence_is_never_suggested(space: LatentSpace) -> None:
    everything = np.asarray(space.cloud.latents, np.float64)
    found = suggest_latents(space, everything, count=5)
    assert len(found.latents) == 0
    assert found.covered == found.covered_after == 1.0
    first = suggest_latents(space, np.empty((0, 3)), count=6)
    assert np.isinf(first.distance[0])
    assert np.abs(first.latents[:, 2]).max() < 2.0  # the silent blob is at 10, validation at -10
    angles = np.sort(np.arctan2(first.latents[:, 1], first.latents[:, 0]))
    assert np.diff(angles, append=angles[0] + 2 * np.pi).max() < 2.2  # all round the ring
    again = suggest_latents(space, np.empty((0, 3)), count=6)
    np.testing.assert_array_equal(first.latents, again.latents)
    with pytest.raises(RecordingError, match="4 audible training frames"):
        suggest_latents(make_space(np.arange(4.0)[:, None]), np.empty((0, 1)))


def test_equal_frames_do_no_harm() -> None:
    found = suggest_latents(make_space(np.repeat([0.0, 5.0], 30)[:, None]), np.zeros((1, 1)), count=9)
    assert found.latents.ravel().tolist() == [5.0]


def test_poses_are_held_and_left_at_rest() -> None:
    held = hold_poses(np.array([[0.0, 1.0], [10.0, 1.0], [10.0, 3.0]]), latent_rate=20.0, hold_s=1.0, move_s=0.5)
    assert len(held) == 3 * 20 + 2 * 10
    np.testing.assert_array_equal(held[:20], [[0.0, 1.0]] * 20)
    np.testing.assert_array_equal(held[30:50], [[10.0, 1.0]] * 20)
    assert np.all(np.diff(held[19:31, 0]) > 0)
    assert held[24:26, 0].mean() == pytest.approx(5.0)
    assert len(hold_poses(np.ones((1, 2)), 20.0)) == 40


def test_a_session_plays_what_the_one_before_did_not_meet(model_dir: Path, space: LatentSpace, tmp_path: Path) -> None:
    options = {"model_dir": model_dir, "play": "suggestions", "append": True}
    first = record(open_tracker("synthetic:seconds=30"), tmp_path / "a.rec", **options)  # type: ignore[arg-type]
    both = record(open_tracker("synthetic:seconds=30"), tmp_path / "a.rec", **options)  # type: ignore[arg-type]
    assert both.notes[0] == "played 8 suggestions after nothing, seed 0"
    assert both.notes[2] == f"played 8 suggestions after {tmp_path / 'a.rec'}, seed 0"
    one, two = (take.latents for take in both.takes)
    assert one is not None
    assert two is not None
    poses = two[np.all(np.diff(two, axis=0, prepend=np.nan) == 0, axis=1)]
    apart = np.linalg.norm(poses[:, None] - one[None, ::20], axis=2).min(axis=1)
    assert apart.min() > 0.3
    assert len(first.takes) == 1
    trajectory = load_trajectory(f"suggestions:{tmp_path / 'a.rec'}", model_dir)
    assert trajectory.duration_s == pytest.approx(8 * 2.0 + 7 * 1.0, abs=0.3)
    replace(space, model_id="00" * 32).save(model_dir)
    with pytest.raises(WrongModelError, match="holds latents of model 'ring'"):
        load_trajectory(f"suggestions:{tmp_path / 'a.rec'}", model_dir)
