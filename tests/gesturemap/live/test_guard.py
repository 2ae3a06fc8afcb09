"""What the guard promises, in closed form and for whatever comes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturemap.live.guard import Guard
from gesturemap.mapping.mapping import fill_absent

LOW, HIGH, REST = np.array([-1.0, 0.0]), np.array([1.0, 4.0]), np.array([0.0, 1.0])


def make_guard(slew_per_s: float = 1e9) -> Guard:
    return Guard(LOW, HIGH, REST, hold_s=0.5, fade_s=1.0, slew_per_s=slew_per_s)


def test_present_latents_are_clipped_to_the_range_and_otherwise_as_they_are() -> None:
    guard = make_guard()
    np.testing.assert_array_equal(guard.process(0.0, np.array([0.3, 2.0])), [0.3, 2.0])
    np.testing.assert_array_equal(guard.process(0.1, np.array([7.0, -7.0])), [1.0, 0.0])


def test_a_lost_hand_is_held_then_fades_in_a_straight_line_to_rest() -> None:
    guard = make_guard()
    guard.process(2.0, np.array([1.0, 3.0]))
    for age_s, expected in ((0.25, [1.0, 3.0]), (0.5, [1.0, 3.0]), (1.0, [0.5, 2.0]), (1.5, REST), (9.0, REST)):
        np.testing.assert_allclose(guard.process(2.0 + age_s, None), expected, atol=1e-12)
        assert guard.resting == (age_s >= 1.5)
    assert guard.lost_s == pytest.approx(9.0)
    np.testing.assert_array_equal(guard.process(12.0, np.array([1.0, 3.0])), [1.0, 3.0])
    assert not guard.resting


def test_the_same_as_a_whole_take_filled() -> None:
    rng = np.random.default_rng(2)
    time_s = np.cumsum(rng.uniform(0.01, 0.2, 300))
    latents = rng.uniform(LOW, HIGH, (300, 2))
    latents[:7] = latents[50:90] = latents[200:] = np.nan
    guard = make_guard()
    streamed = np.stack([guard.process(now_s, row) for now_s, row in zip(time_s.tolist(), latents, strict=True)])
    np.testing.assert_array_equal(streamed, fill_absent(latents, time_s, 0.5, 1.0, REST))
    assert guard.n_cut == 0


def test_a_step_takes_as_long_as_the_slew_limit_says_and_arrives_exactly() -> None:
    guard = make_guard(slew_per_s=2.0)  # a width of the range in half a second
    np.testing.assert_array_equal(guard.process(0.0, LOW), LOW)
    way = np.stack([guard.process(0.1 * step, HIGH) for step in range(1, 8)])
    expected = np.minimum(LOW + 0.2 * np.arange(1, 8)[:, None] * (HIGH - LOW), HIGH)
    np.testing.assert_allclose(way, expected, atol=1e-12)
    np.testing.assert_array_equal(way[-1], HIGH)
    assert guard.n_cut == 4


def test_panic_goes_to_rest_by_the_slew_limit_whatever_the_hand_does_and_comes_back_so() -> None:
    guard = make_guard(slew_per_s=10.0)
    hand = np.array([1.0, 4.0])
    guard.process(0.0, hand)
    guard.panic = True
    np.testing.assert_allclose(guard.process(0.01, hand), [0.8, 3.6], atol=1e-12)
    np.testing.assert_array_equal(guard.process(1.0, hand), REST)
    np.testing.assert_array_equal(guard.process(1.1, None), REST)
    guard.panic = False
    assert guard.process(1.11, hand)[0] == pytest.approx(0.2)


def test_a_rest_outside_the_range_is_brought_into_it() -> None:
    guard = Guard(LOW, HIGH, np.array([-5.0, 9.0]), 0.5, 1.0, 10.0)
    np.testing.assert_array_equal(guard.process(0.0, None), [-1.0, 4.0])


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(st.floats(-1.0, 50.0), numbers, numbers, st.booleans()), max_size=40))
def test_whatever_comes_it_is_finite_in_range_and_within_the_slew_limit(
    steps: list[tuple[float, float, float, bool]],
) -> None:
    guard = make_guard(slew_per_s=10.0)
    before, now_s = None, 0.0
    for time_s, first, second, panic in steps:
        guard.panic = panic
        out = guard.process(time_s, np.array([first, second]))
        assert np.isfinite(out).all()
        assert (out >= LOW - 1e-12).all()
        assert (out <= HIGH + 1e-12).all()
        if before is not None:
            limit = 10.0 * (HIGH - LOW) * max(0.0, time_s - now_s)
            assert (np.abs(out - before) <= limit + 1e-9).all()
            now_s = max(now_s, time_s)
        else:
            now_s = time_s
        before = out
