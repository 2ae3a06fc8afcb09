"""Tempo, bars, keys and chords."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.corpus.loop_plan import PROGRESSIONS, SCALES, LoopPlan, draw_plan


def plan(**changes: object) -> LoopPlan:
    facts: dict[str, object] = {
        "tempo_bpm": 120,
        "n_bars": 2,
        "key": 9,
        "scale": "min",
        "progression": (0, 5, 2, 6),
        "sample_rate": 44100,
        "rng": np.random.default_rng(0),
    }
    return LoopPlan(**(facts | changes))  # type: ignore[arg-type]


def test_time() -> None:
    assert plan().n_samples == 4 * 44100
    assert [plan().step_start(step) for step in (0, 4, 0.5)] == [0, 22050, 2756]


def test_pitches_of_a_minor() -> None:
    assert plan().key_name == "amin"
    assert [plan().pitch(degree, 57) for degree in range(8)] == [57, 59, 60, 62, 64, 65, 67, 57]
    assert plan().chord(0, 3, 57) == [57, 60, 64]  # A C E
    assert plan().chord(5, 4, 57) == [57, 60, 64, 65]  # F major 7
    assert plan().chord(0, 4, 60) == [60, 64, 67, 69]


def test_chords_go_evenly_over_the_loop() -> None:
    assert [plan().chord_degree(step) for step in (0, 7, 8, 16, 24, 31)] == [0, 0, 5, 2, 6, 6]


def test_scales_and_progressions_fit() -> None:
    assert set(SCALES) == set(PROGRESSIONS)
    for scale in SCALES.values():
        assert len(scale) == 7
    assert all(len(p) == 4 and max(p) < 7 for group in PROGRESSIONS.values() for p in group)


@pytest.mark.parametrize("seconds", [1.0, 4.0, 8.0, 60.0])
def test_length_comes_near_what_was_asked(seconds: float) -> None:
    for seed in range(20):
        drawn = draw_plan(np.random.default_rng(seed), (84, 140), seconds, 44100)
        bar_s = 240 / drawn.tempo_bpm
        error_s = abs(drawn.n_samples / 44100 - seconds)
        assert error_s <= abs(2 * drawn.n_bars * bar_s - seconds) + 1e-3
        assert drawn.n_bars == 1 or error_s <= abs(drawn.n_bars * bar_s / 2 - seconds) + 1e-3
