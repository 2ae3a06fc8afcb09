"""How sound follows the hand, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.report.expression import sensitivity, tell_classes, total_variation
from gesturemap.report.quality import spectral_arc_length

RATE = 20.0
SEGMENT = np.zeros(400, dtype=np.intp)


def test_total_variation_of_a_triangle_is_its_slope_and_breaks_do_not_count():
    heard = np.abs((np.arange(400) % 40) - 20.0)[:, None]
    assert total_variation(heard, SEGMENT, RATE) == pytest.approx([RATE], rel=1e-9)
    jump = np.concatenate([np.zeros(200), np.full(200, 9.0)])[:, None]
    assert total_variation(jump, np.repeat([0, 1], 200), RATE) == pytest.approx([0.0])


def test_a_sound_that_is_twice_the_hand_answers_by_two():
    hand = np.cumsum(np.random.default_rng(0).standard_normal((400, 3)), axis=0)
    scaled = hand / hand.std(axis=0)
    found = sensitivity(hand, 2 * scaled, SEGMENT, RATE, np.ones(3))
    assert found.median == pytest.approx(2.0)
    assert found.high == pytest.approx(2.0)
    assert sensitivity(np.zeros((400, 3)), scaled, SEGMENT, RATE, np.ones(3)) is None
    lost = np.column_stack([hand, np.full(400, np.nan)])
    assert sensitivity(lost, 2 * scaled, SEGMENT, RATE, np.ones(3)).median == pytest.approx(2.0)


def test_classes_are_told_apart_where_they_differ_and_only_there():
    rng = np.random.default_rng(1)
    names = [name for name in ("circle", "star", "swipe") for _ in range(6)]
    apart = [rng.standard_normal((50, 2)) + 10 * ("circle", "star", "swipe").index(name) for name in names]
    same = [rng.standard_normal((50, 2)) for _ in names]
    found = tell_classes(names, {"hand": apart, "sound": same})
    assert found.n_takes == 18
    assert found.chance == pytest.approx(1 / 3)
    assert found.separability["hand"] > 0.9
    assert found.separability["sound"] < 0.7
    assert found.repeatability["hand"] > 0.4 > found.repeatability["sound"]
    assert tell_classes(["circle"] * 5, {"hand": apart[:5]}) is None


def test_jitter_has_a_longer_spectral_arc_than_one_smooth_movement():
    t = np.linspace(0, 1, 41)
    smooth = np.column_stack([t**3 * (10 - 15 * t + 6 * t**2), np.zeros(41)])
    rough = smooth + 0.05 * np.random.default_rng(2).standard_normal(smooth.shape)
    assert -2.0 < spectral_arc_length(smooth, 40.0) < -1.0
    assert spectral_arc_length(rough, 40.0) < 1.5 * spectral_arc_length(smooth, 40.0)
