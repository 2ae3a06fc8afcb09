"""Intervals: as wide as files and takes really differ, and the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gesturemap.report.coverage import CoverageSettings, Motion, build_reference, measure, whiten
from gesturemap.report.intervals import _leave_out, interval_statistics, resampling_units
from gesturemap.report.neighbours import kth_distance

SETTINGS = CoverageSettings()


def reach_of(space, latents, take, settings=SETTINGS):
    """A motion measured against its space."""
    reference = build_reference(space, settings)
    motion = Motion(whiten(space, latents, reference.rank), take, space.latent_rate)
    return measure(reference, motion, settings.step_s)


@pytest.fixture(scope="module")
def clustered(sounds, space_of):
    """Forty files against twenty takes: frames of a file, and of a take, lie together."""
    return reach_of(space_of(*sounds(40, 64, 4, seed=0)), *sounds(20, 64, 4, seed=1))


def test_the_values_are_those_of_the_reach(clustered):
    statistics = interval_statistics(clustered, SETTINGS)
    for name in ("coverage", "precision", "density"):
        interval = getattr(statistics, name)
        assert interval.value == getattr(clustered, name)
        assert 0 <= interval.low < interval.value < interval.high
    assert statistics.coverage.high <= 1
    assert statistics.precision.high <= 1
    assert statistics.resampled == "takes"


def without(reach, take, file):
    """The motion without a take and the reference without a file, radii kept."""
    takes, reference = reach.motion.take, reach.reference
    frames, kept = takes != take, reference.file_index != file
    motion = Motion(reach.motion.points[frames], np.unique(takes[frames], return_inverse=True)[1], 20.0)
    less = replace(
        reference,
        points=reference.points[kept],
        radius=reference.radius[kept],
        file_index=reference.file_index[kept],
    )
    return measure(less, motion, SETTINGS.step_s)


def test_what_is_left_out_is_as_if_it_had_never_been(clustered):
    """Takes, and takes with files, taken away for real: the statistics fall by what was worked out."""
    found = _leave_out(clustered, clustered.motion.take)
    sizes = clustered.reference.file_sizes
    for take, file in ((0, 33), (7, 0), (3, 12)):
        less = [without(clustered, u, f) for u, f in ((take, None), (None, file), (take, file))]
        # Fewer sounds make fewer balls: the density is put back to the scale of all of them.
        scale = sizes.sum() / (sizes.sum() - sizes[file])
        for name in ("coverage", "precision", "density"):
            value = getattr(clustered, name)
            by_take, by_file, by_both = (getattr(one, name) for one in less)
            if name == "density":
                by_file, by_both = by_file * scale, by_both * scale
            assert found[name][0][take] == pytest.approx(value - by_take, abs=1e-12)
            assert found[name][2][take, file] == pytest.approx(value - by_take - by_file + by_both, abs=1e-12)


def test_without_a_file_the_radii_of_the_others_are_found_anew(sounds, space_of):
    settings = CoverageSettings(trim=0.0)
    latents, file = sounds(12, 40, 4, seed=5)
    space = space_of(latents, file)
    reach = reach_of(space, *sounds(6, 60, 4, seed=6), settings)
    found = _leave_out(reach, reach.motion.take)
    for left_out in (0, 5, 11):
        kept = file != left_out
        reference = reach.reference
        radius = kth_distance(reference.points[kept], file[kept], settings.n_neighbours)
        less = replace(reference, points=reference.points[kept], radius=radius, file_index=file[kept])
        again = measure(less, reach.motion, settings.step_s)
        for name in ("coverage", "precision", "density"):
            fall = getattr(reach, name) - getattr(again, name)
            assert found[name][1][left_out] == pytest.approx(fall, abs=1e-12), name


def test_with_two_files_there_is_no_other_radius(sounds, space_of):
    reach = reach_of(space_of(*sounds(2, 64, 4, seed=0)), *sounds(6, 64, 4, seed=1))
    assert len(reach.reference.larger.frame) == 0
    interval = interval_statistics(reach, SETTINGS).coverage
    assert interval.low <= interval.value <= interval.high


def test_clusters_make_the_interval_several_times_wider_than_frames_do(clustered):
    interval = interval_statistics(clustered, SETTINGS).coverage
    rng = np.random.default_rng(0)
    reached = clustered.reached
    frames = [rng.choice(reached, len(reached)).mean() for _ in range(400)]
    low, high = np.quantile(frames, (0.025, 0.975))
    assert interval.high - interval.low > 3 * (high - low)


def test_the_interval_holds_the_mean_of_many_repetitions(sounds, space_of):
    """Fresh files and fresh takes 40 times; `benchmarks/intervals.py` does it 200 times, and for one take."""
    settings = CoverageSettings()
    intervals = []
    for repetition in range(40):
        space = space_of(*sounds(30, 32, 4, seed=2 * repetition))
        reach = reach_of(space, *sounds(12, 32, 4, seed=2 * repetition + 1), settings)
        intervals.append(interval_statistics(reach, settings).coverage)
    mean = np.mean([interval.value for interval in intervals])
    assert np.mean([interval.low <= mean <= interval.high for interval in intervals]) >= 0.85


def test_few_takes_are_cut_into_blocks_of_whole_steps(sounds, space_of):
    space = space_of(*sounds(20, 50, 4, seed=2))
    latents, _ = sounds(1, 700, 4, seed=3)
    reach = reach_of(space, latents, np.repeat([0, 1], 350))
    unit, kind = resampling_units(reach, SETTINGS)
    assert kind == "blocks"
    assert np.array_equal(np.bincount(unit), [100, 100, 100, 50] * 2)
    for step in range(reach.hits.shape[1]):
        assert len(np.unique(unit[reach.step == step])) == 1


def test_a_short_take_leaves_only_files_to_resample(sounds, space_of):
    space = space_of(*sounds(20, 50, 4, seed=2))
    latents, take = sounds(1, 100, 4, seed=3)
    statistics = interval_statistics(reach_of(space, latents, take), SETTINGS)
    assert statistics.resampled == "nothing"
    assert statistics.coverage.low < statistics.coverage.value < statistics.coverage.high


def test_a_motion_that_reaches_nothing_has_a_closed_interval_at_zero(sounds, space_of):
    space = space_of(*sounds(20, 50, 4, seed=2))
    statistics = interval_statistics(reach_of(space, np.full((200, 4), 1e3), np.zeros(200, dtype=int)), SETTINGS)
    assert statistics.coverage.value == statistics.coverage.low == statistics.coverage.high == 0.0
