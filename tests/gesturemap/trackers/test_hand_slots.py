"""Left stays left and right stays right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gesturemap.trackers.hand_slots import MEMORY_S, DetectedHand, HandSlots

LEFT, RIGHT = 0, 1
PERIOD_S = 0.04


def hand(side: int, x: float, y: float = 0.5, score: float = 0.95) -> DetectedHand:
    """A hand with its wrist at x, y."""
    picture = np.zeros((21, 3))
    picture[0, :2] = x, y
    return DetectedHand(side, score, picture, np.zeros((21, 3)))


def places(slots: HandSlots, pictures: Sequence[Sequence[DetectedHand]]) -> list[list[float | None]]:
    """Wrist x of the left and the right slot, picture by picture."""
    found = [slots.assign(hands, index * PERIOD_S) for index, hands in enumerate(pictures)]
    return [[None if one is None else float(one.picture[0, 0]) for one in pair] for pair in found]


def test_labels_decide_whatever_the_order() -> None:
    """Distinct labels, in either order, also in the first picture."""
    pictures = [[hand(LEFT, 0.7), hand(RIGHT, 0.3)], [hand(RIGHT, 0.3), hand(LEFT, 0.7)], [hand(RIGHT, 0.3)], []]
    assert places(HandSlots(), pictures) == [[0.7, 0.3], [0.7, 0.3], [None, 0.3], [None, None]]


def test_a_flickering_label_changes_nothing() -> None:
    """One hand whose label is wrong for a few pictures; and two hands that exchange their labels."""
    lone = [[hand(RIGHT if index not in (5, 6, 11) else LEFT, 0.3)] for index in range(20)]
    assert places(HandSlots(), lone) == [[None, 0.3]] * 20
    both = [[hand(LEFT, 0.7), hand(RIGHT, 0.3)]] * 5
    swapped = [[hand(RIGHT, 0.7), hand(LEFT, 0.3)]] * 2
    assert places(HandSlots(), both + swapped + both) == [[0.7, 0.3]] * 12


def test_an_insistent_label_moves_the_hand() -> None:
    """A hand mistaken at first goes to its slot within half a second, and stays."""
    found = places(HandSlots(), [[hand(LEFT, 0.3)]] * 3 + [[hand(RIGHT, 0.3)]] * 30)
    moved = found.index([None, 0.3])
    assert 4 <= moved - 3 <= 0.5 / PERIOD_S
    assert found[moved:] == [[None, 0.3]] * (33 - moved)


def test_two_hands_with_one_label() -> None:
    """The firmer one has the label's slot; later each stays with its wrist, however the scores turn."""
    first = [hand(LEFT, 0.2, score=0.9), hand(LEFT, 0.8, score=0.99)]
    later = [hand(LEFT, 0.79, score=0.9), hand(LEFT, 0.21, score=0.99)]
    assert places(HandSlots(), [first] + [later] * 40) == [[0.8, 0.2]] + [[0.79, 0.21]] * 40


def test_hands_that_cross() -> None:
    """Labels carry them through, where the nearest wrist alone would exchange them."""
    x = np.linspace(0.2, 0.8, 31)
    found = places(HandSlots(), [[hand(LEFT, 1 - at), hand(RIGHT, at)] for at in x.tolist()])
    np.testing.assert_allclose(found, np.stack([1 - x, x], axis=1))


def test_a_fast_hand_keeps_its_slot() -> None:
    """However far it leaps, as long as its label is right."""
    found = places(HandSlots(), [[hand(RIGHT, 0.1)], [hand(RIGHT, 0.9)], [hand(RIGHT, 0.1)]])
    assert [pair[LEFT] for pair in found] == [None] * 3


def test_a_lost_wrist_is_forgotten() -> None:
    """After the memory, a new hand at the old place goes by its label alone."""
    slots = HandSlots()
    slots.assign([hand(RIGHT, 0.3)], 0.0)
    left, right = slots.assign([hand(LEFT, 0.3)], MEMORY_S + 0.01)
    assert left is not None
    assert right is None


def test_distance_is_in_picture_widths() -> None:
    """In a tall picture a step in y is longer than the same share in x."""
    for aspect, expected in ((1.0, 0.5), (4.0, 0.62)):
        slots = HandSlots()
        slots.assign([hand(LEFT, 0.5, 0.5), hand(RIGHT, 0.9, 0.9)], 0.0, aspect)
        # Two hands that both claim left: one stepped in y, the other in x.
        left, _ = slots.assign([hand(LEFT, 0.5, 0.55), hand(LEFT, 0.62, 0.5)], PERIOD_S, aspect)
        assert left is not None
        assert left.picture[0, 0] == expected
