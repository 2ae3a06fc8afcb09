"""Which detected hand is the left one and which the right one, from picture to picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from gesturemap.frame import Array

MEMORY_S = 0.5
UNKNOWN_DISTANCE = 0.3
MISLABEL_DISTANCE = 0.2
PATIENCE = 10


@dataclass(frozen=True)
class DetectedHand:
    """One hand as the detector reports it, in no particular order.

    Parameters
    ----------
    side : 0 left, 1 right, as the detector believes.
    score : how firmly, 0.5..1.
    picture : (21, 3) x and y as shares of the picture, z in picture widths.
    world : (21, 3) metres about the hand's centre.
    """

    side: int
    score: float
    picture: Array
    world: Array


class HandSlots:
    """Keeps each hand in its slot although the detector's order is random and its labels flicker.

    Hands go into slots so that the sum of costs is least. A hand costs a slot the way its wrist has moved since
    it was last there, in picture widths, at most `UNKNOWN_DISTANCE`, which is also the cost of a slot whose hand
    was not seen for `MEMORY_S`. A label that speaks against the slot costs `MISLABEL_DISTANCE` times its score
    more, and that grows with each picture in a row in which it does. So a label that flickers changes nothing, a
    label that insists moves the hand after about six pictures, and of two hands with one label the second
    takes the other slot.
    """

    def __init__(self) -> None:
        self._wrist = np.full((2, 2), np.nan)
        self._seen_s = [-np.inf, -np.inf]
        self._mislabelled = [0, 0]

    def assign(
        self, hands: Sequence[DetectedHand], time_s: float, aspect: float = 1.0
    ) -> tuple[DetectedHand | None, DetectedHand | None]:
        """The left and the right hand of this picture.

        Parameters
        ----------
        hands : at most two.
        time_s : of the picture.
        aspect : height of the picture over its width.
        """
        cost = [[self._cost(hand, slot, time_s, aspect) for slot in (0, 1)] for hand in hands]
        ways = list(permutations((0, 1), len(hands)))
        best = min(ways, key=lambda way: sum(cost[hand][slot] for hand, slot in enumerate(way)))
        slots: list[DetectedHand | None] = [None, None]
        for hand, slot in zip(hands, best, strict=True):
            slots[slot] = hand
        for slot, found in enumerate(slots):
            self._remember(slot, found, time_s, aspect)
        return slots[0], slots[1]

    def _cost(self, hand: DetectedHand, slot: int, time_s: float, aspect: float) -> float:
        distance = UNKNOWN_DISTANCE
        if time_s - self._seen_s[slot] <= MEMORY_S:
            distance = min(distance, float(np.hypot(*(_wrist(hand, aspect) - self._wrist[slot]))))
        if hand.side == slot:
            return distance
        return distance + MISLABEL_DISTANCE * hand.score * (1 + self._mislabelled[slot] / PATIENCE)

    def _remember(self, slot: int, hand: DetectedHand | None, time_s: float, aspect: float) -> None:
        if hand is None:
            self._mislabelled[slot] = 0
            return
        self._wrist[slot] = _wrist(hand, aspect)
        self._seen_s[slot] = time_s
        self._mislabelled[slot] = 0 if hand.side == slot else self._mislabelled[slot] + 1


def _wrist(hand: DetectedHand, aspect: float) -> Array:
    return hand.picture[0, :2] * [1.0, aspect]
