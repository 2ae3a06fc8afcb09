"""Gestures in time: the warping against the plain recursion, and recognition in a stream."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors.dtw import GestureRecogniser, warped_distances


def plain_dtw(a: np.ndarray, b: np.ndarray) -> float:
    """The textbook recursion, cell by cell, without a band."""
    ways = np.full((len(a) + 1, len(b) + 1), np.inf)
    ways[0, 0] = 0.0
    for i in range(len(a)):
        for j in range(len(b)):
            step = min(ways[i, j], ways[i, j + 1], ways[i + 1, j])
            ways[i + 1, j + 1] = float(np.linalg.norm(a[i] - b[j])) + step
    return float(ways[-1, -1])


def circle(n: int, turn: float = 1.0) -> np.ndarray:
    angle = turn * np.linspace(0, 2 * np.pi, n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def line(n: int) -> np.ndarray:
    return np.stack([np.linspace(-1, 1, n), np.zeros(n)], axis=1)


def test_one_table_answers_for_every_end_of_the_stream() -> None:
    rng = np.random.default_rng(0)
    sequences, stream = [rng.normal(size=(n, 3)) for n in (4, 7, 6)], rng.normal(size=(7, 3))
    expected = [min(plain_dtw(s, stream[-n:]) for n in range(4, 8)) for s in sequences]
    np.testing.assert_allclose(warped_distances(sequences, stream, 4, window=99), expected)


def test_a_band_only_takes_ways_out() -> None:
    rng = np.random.default_rng(1)
    sequences, stream = [rng.normal(size=(8, 2))], rng.normal(size=(8, 2))
    wide, narrow, none = (warped_distances(sequences, stream, 8, window)[0] for window in (99, 2, 0))
    assert wide <= narrow <= none
    np.testing.assert_allclose(none, np.linalg.norm(sequences[0] - stream, axis=1).sum())


def test_a_gesture_is_found_in_a_stream_at_another_speed() -> None:
    recogniser = GestureRecogniser(2)
    recogniser.add_example(1, circle(40))
    recogniser.add_example(2, circle(40, turn=-1.0))
    stream = np.concatenate([np.full((30, 2), 5.0), circle(30, turn=-1.0), np.full((30, 2), 5.0)])
    matches = []
    for frame in stream:
        recogniser.process(frame)
        matches.append(recogniser.match)
    assert set(matches) == {0, 2}
    assert set(matches[:40]) == {0}
    assert matches[59] == 2
    assert matches[-1] == 0


def test_the_example_itself_is_at_no_distance_and_thinned_frames_are_silent() -> None:
    recogniser = GestureRecogniser(3)
    recogniser.add_example(2, circle(30))
    answers = [recogniser.process(frame) for frame in circle(30)]
    assert recogniser.factor == 3
    assert [index for index, answer in enumerate(answers) if answer is not None] == list(range(0, 30, 3))
    last = answers[27]
    assert last is not None
    np.testing.assert_allclose(last, [np.inf, 0.0, np.inf], atol=1e-12)


def test_no_example_no_distance_and_disabled_gestures_are_not_found() -> None:
    recogniser = GestureRecogniser(2)
    np.testing.assert_array_equal(recogniser.process(np.zeros(2)), [np.inf, np.inf])
    recogniser.add_example(1, line(8))
    recogniser.enabled[0] = False
    for frame in line(8):
        recogniser.process(frame)
    assert recogniser.match == 0


def test_examples_can_be_deleted() -> None:
    recogniser = GestureRecogniser(2)
    for gesture in (1, 2):
        recogniser.add_example(gesture, line(8))
    recogniser.delete(1)
    assert [gesture for gesture, _ in recogniser.examples] == [2]
    recogniser.delete()
    assert not recogniser.examples


def test_wrong_examples_are_refused() -> None:
    recogniser = GestureRecogniser(2)
    with pytest.raises(MappingError, match=r"gesture 3 found, one of 1\.\.2"):
        recogniser.add_example(3, line(8))
    with pytest.raises(MappingError, match="4 frames found, 5 or more needed"):
        recogniser.add_example(1, line(4))
    with pytest.raises(MappingError, match="finite"):
        recogniser.add_example(1, np.full((8, 2), np.nan))
    recogniser.add_example(1, line(8))
    with pytest.raises(MappingError, match="3 features found, 2 expected"):
        recogniser.add_example(1, np.zeros((8, 3)))
