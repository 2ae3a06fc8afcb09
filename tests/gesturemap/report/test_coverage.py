"""Coverage against constructed truth, against the written-out definition, and under changes that must not matter."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.errors import ReportError
from gesturemap.report.coverage import CoverageSettings, Motion, build_reference, measure, subsample_by_file, whiten

UNTRIMMED = CoverageSettings(trim=0.0)


def motion_of(space, latents, rank, take=None):
    """A motion at the space's rate."""
    take = np.zeros(len(latents), dtype=int) if take is None else take
    return Motion(whiten(space, latents, rank), take, space.latent_rate)


@pytest.fixture(scope="module")
def clusters():
    """Ten far-apart sounds of 60 frames in 4 dimensions, each played in every one of six files."""
    rng = np.random.default_rng(0)
    centres = 40 * rng.standard_normal((10, 4))
    which = np.tile(np.repeat(np.arange(10), 10), 6)
    return centres, centres[which] + rng.standard_normal((600, 4)), np.repeat(np.arange(6), 100), which


@pytest.mark.parametrize("visited", [0, 1, 3, 7, 10])
def test_a_gesture_that_visits_a_known_share_of_the_clusters_is_reported_with_it(clusters, space_of, visited):
    _, latents, files, which = clusters
    space = space_of(latents, files)
    reference = build_reference(space, CoverageSettings(trim=0.0, fidelity=1.0))
    elsewhere = np.full((1, 4), 500.0)
    played = np.concatenate([latents[which < visited], elsewhere])
    reach = measure(reference, motion_of(space, played, 4))
    assert reach.coverage == pytest.approx(visited / 10, abs=1e-12)
    assert reach.precision == pytest.approx(60 * visited / (60 * visited + 1), abs=1e-12)
    assert np.allclose(reach.file_coverage, visited / 10)


@pytest.mark.parametrize("dimensions", [2, 5, 8, 16])
def test_equal_to_the_written_out_definition(sounds, space_of, definition, dimensions):
    latents, files = sounds(12, 25, dimensions, seed=dimensions)
    space = space_of(latents, files)
    played = sounds(4, 30, dimensions, seed=99)[0]
    reference = build_reference(space, UNTRIMMED)
    reach = measure(reference, motion_of(space, played, reference.rank))
    expected = definition(
        whiten(space, space.cloud.latents, reference.rank), files, whiten(space, played, reference.rank), 5
    )
    assert np.allclose(reference.radius, expected["radius"], rtol=1e-12)
    assert np.array_equal(reach.reached, expected["reached"])
    assert reach.coverage == pytest.approx(expected["coverage"], abs=1e-12)
    assert reach.precision == pytest.approx(expected["precision"], abs=1e-12)
    assert reach.density == pytest.approx(expected["density"], abs=1e-12)


def test_trimming_leaves_out_the_largest_radii(sounds, space_of):
    space = space_of(*sounds(20, 50, 4, seed=3))
    whole, trimmed = build_reference(space, UNTRIMMED), build_reference(space, CoverageSettings(trim=0.02))
    assert len(trimmed.points) == 980
    assert trimmed.n_used == 1000
    assert trimmed.radius.max() <= np.sort(whole.radius)[979]


def test_shrinking_raises_precision_and_lowers_coverage(sounds, space_of):
    space = space_of(*sounds(60, 40, 8, seed=4))
    reference = build_reference(space, CoverageSettings())
    gesture = sounds(60, 40, 8, seed=5)[0]
    middle = gesture.mean(axis=0)
    reaches = [
        measure(reference, motion_of(space, middle + size * (gesture - middle), reference.rank))
        for size in (1.0, 0.5, 0.25)
    ]
    precision = [reach.precision for reach in reaches]
    coverage = [reach.coverage for reach in reaches]
    assert precision[0] + 0.05 < precision[1] < precision[2]
    assert coverage[0] - 0.1 > coverage[1] > coverage[2] + 0.1


def test_a_hand_held_still_may_be_precise_but_covers_little(sounds, space_of):
    space = space_of(*sounds(60, 40, 8, seed=4))
    reference = build_reference(space, CoverageSettings())
    still = space.cloud.latents[int(np.argmin(reference.radius)) : int(np.argmin(reference.radius)) + 1]
    one = measure(reference, motion_of(space, still, reference.rank))
    many = measure(reference, motion_of(space, np.repeat(still, 50, axis=0), reference.rank))
    assert one.precision == many.precision == 1.0
    assert one.coverage == many.coverage < 0.05
    assert one.density == pytest.approx(many.density)


def test_held_out_audio_is_far_above_uniform_noise_at_eight_dimensions_only_with_cross_file_radii(sounds, space_of):
    """The evidence for the file exclusion: 200 files of 64 autocorrelated frames, 8 dimensions, k = 5."""
    latents, files = sounds(200, 64, 8, seed=6)
    space = space_of(latents, files)
    heard = sounds(200, 64, 8, seed=7)[0]
    noise = np.random.default_rng(8).uniform(space.quantile(0.01), space.quantile(0.99), heard.shape)
    settings = CoverageSettings(fidelity=1.0, trim=0.0)
    cross = build_reference(space, settings)
    naive = build_reference(space_of(latents, np.arange(len(latents))), settings)
    coverage, precision = {}, {}
    for radii, reference in (("cross", cross), ("naive", naive)):
        for name, played in (("heard", heard), ("noise", noise)):
            reach = measure(reference, motion_of(space, played, 8))
            coverage[radii, name], precision[radii, name] = reach.coverage, reach.precision
    assert coverage["naive", "heard"] < 0.1
    assert 0.6 < coverage["cross", "heard"] < 0.8
    assert precision["cross", "heard"] > 0.75
    assert coverage["cross", "heard"] > coverage["cross", "noise"] + 0.2
    assert precision["cross", "heard"] > precision["cross", "noise"] + 0.4


def test_rotating_scaling_and_moving_the_latents_changes_nothing(sounds, space_of):
    latents, files = sounds(30, 40, 6, seed=9)
    played = sounds(5, 40, 6, seed=10)[0]
    rotation = np.linalg.qr(np.random.default_rng(11).standard_normal((6, 6)))[0]

    def figures(change, fidelity):
        space = space_of(change(latents), files)
        reference = build_reference(space, CoverageSettings(fidelity=fidelity))
        reach = measure(reference, motion_of(space, change(played), reference.rank))
        return reach.coverage, reach.precision, reach.density

    plain = figures(lambda z: z, 0.95)
    assert figures(lambda z: 7.0 * z @ rotation + 3.0, 0.95) == pytest.approx(plain, abs=1e-3)
    # With every component kept, any affine change of coordinates is undone by the whitening.
    scale = np.array([1.0, 30.0, 0.2, 5.0, 1.0, 2.0])
    whole = figures(lambda z: z, 1.0)
    assert figures(lambda z: (z * scale) @ rotation - 1.0, 1.0) == pytest.approx(whole, abs=1e-3)


def test_quiet_frames_and_held_out_files_are_no_reference(sounds, space_of):
    latents, files = sounds(10, 30, 4, seed=12)
    loudness = np.where(np.arange(300) % 3 == 0, -80.0, -20.0)
    space = space_of(latents, files, n_validation=4, loudness_db=loudness)
    reference = build_reference(space, UNTRIMMED)
    assert len(reference.points) == reference.n_audible == 120
    assert reference.file_names == tuple(f"sound_{i:03d}.wav" for i in range(6))


def test_subsampling_keeps_every_files_share():
    files = np.repeat([0, 1, 2, 3], [1000, 500, 250, 10])
    for seed in range(5):
        kept = subsample_by_file(files, 440, np.random.default_rng(seed))
        assert len(np.unique(kept)) == 440
        assert np.abs(np.bincount(files[kept]) - np.array([250, 125, 62.5, 2.5])).max() <= 1
    assert len(subsample_by_file(files, 5000, np.random.default_rng(0))) == len(files)


def test_the_same_seed_gives_the_same_subsample(sounds, space_of):
    space = space_of(*sounds(20, 50, 4, seed=13))
    settings = CoverageSettings(max_reference=300)
    first, again, other = (build_reference(space, settings, seed) for seed in (1, 1, 2))
    assert first.n_used == 300
    assert np.array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)


def test_steps_stay_inside_takes():
    motion = Motion(np.zeros((25, 2)), np.repeat([0, 1, 3], [12, 3, 10]), 10.0)
    assert np.array_equal(np.bincount(motion.pieces(0.5)), [5, 5, 2, 3, 5, 5])
    assert motion.pieces(1000.0).max() == 2
    assert motion.duration_s == 2.5


def test_one_source_file_is_refused_and_says_what_to_do(sounds, space_of):
    space = space_of(*sounds(1, 200, 4, seed=14))
    with pytest.raises(ReportError, match=r"200 training frames above -60 dB from 1 source files.*corpus of several"):
        build_reference(space, CoverageSettings())


def test_a_silent_model_is_refused(sounds, space_of):
    latents, files = sounds(10, 30, 4, seed=15)
    space = space_of(latents, files, loudness_db=np.full(300, -90.0))
    with pytest.raises(ReportError, match="0 training frames.*lower gate_db"):
        build_reference(space, CoverageSettings())


def test_a_motion_of_another_rank_is_refused(sounds, space_of):
    space = space_of(*sounds(10, 30, 4, seed=16))
    reference = build_reference(space, CoverageSettings(fidelity=1.0))
    with pytest.raises(ReportError, match=r"\(5, 3\) found.*4"):
        measure(reference, Motion(np.zeros((5, 3)), np.zeros(5, dtype=int), 20.0))
