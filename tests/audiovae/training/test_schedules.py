"""Schedules against closed forms."""

from __future__ import annotations

import pytest

from audiovae.training.schedules import cosine_decay, ramp


@pytest.mark.parametrize(("step", "value"), [(0, 0.0), (25, 0.25), (100, 1.0), (1000, 1.0)])
def test_a_ramp_is_linear_and_stays_up(step: int, value: float) -> None:
    assert ramp(step, 100) == value


@pytest.mark.parametrize(("step", "value"), [(0, 1.0), (50, 0.55), (100, 0.1), (1000, 0.1)])
def test_a_cosine_falls_to_its_floor_and_stays_there(step: int, value: float) -> None:
    assert cosine_decay(step, 100, floor=0.1) == pytest.approx(value, abs=1e-12)


def test_a_third_of_a_half_cosine_is_three_quarters() -> None:
    assert cosine_decay(100, 300) == pytest.approx(0.75)


def test_no_length_is_the_end() -> None:
    assert (ramp(0, 0), cosine_decay(0, 0, floor=0.2)) == (1.0, 0.2)
