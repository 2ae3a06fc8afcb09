"""Shape of a hand from its 21 landmarks: pinch, curl, spread and the way the palm faces.

Nothing here has a length unit: distances are divided by the size of the palm, so a near and a far hand, a
large and a small one give the same numbers. Pinch, curl and spread do not change when the hand turns; the
palm's directions turn with it. Pure functions of one frame; a hand whose palm has no size gives NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from gesturemap.frame import Array

Side = Literal["left", "right"]
Shape = Literal["pinch", "curl", "spread", "palm"]

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# MediaPipe's order, https://ai.google.dev/edge/mediapipe/solutions/vision/hand_landmarker
LANDMARKS = (
    "wrist",
    *(f"thumb_{joint}" for joint in ("cmc", "mcp", "ip", "tip")),
    *(f"{finger}_{joint}" for finger in FINGERS[1:] for joint in ("mcp", "pip", "dip", "tip")),
)

_WRIST = 0
_JOINTS = [range(first, first + 4) for first in range(1, 21, 4)]  # of each finger, from its base to its tip
_KNUCKLES = [finger[0] for finger in _JOINTS[1:]]
_TIPS = [finger[3] for finger in _JOINTS]
# Everything measured is the way from one landmark to another, in this order.
_WAYS = (
    *((_WRIST, knuckle) for knuckle in _KNUCKLES),
    *((_TIPS[0], tip) for tip in _TIPS[1:]),  # pinch
    *zip(_TIPS[1:-1], _TIPS[2:], strict=True),  # spread
    *((finger[0], finger[3]) for finger in _JOINTS),  # how far each finger reaches
    *((finger[bone], finger[bone + 1]) for bone in range(3) for finger in _JOINTS),
)
_INDEX, _MIDDLE, _PINKY = 0, 1, 3  # the ways to these knuckles
_NEXT, _NEXT_BUT_ONE = [1, 2, 0], [2, 0, 1]  # axes, for the cross product


def shape_features(side: Side, shape: Sequence[Shape]) -> tuple[tuple[str, str], ...]:
    """Name and unit of every column of `hand_shape`, in order.

    ``palm`` as a unit counts palm sizes; ``1`` is a pure number.
    """
    columns: dict[str, list[tuple[str, str]]] = {
        "pinch": [(f"pinch_{finger}", "palm") for finger in FINGERS[1:]],
        "curl": [(f"curl_{finger}", "1") for finger in FINGERS],
        "spread": [(f"spread_{a}_{b}", "palm") for a, b in zip(FINGERS[1:], FINGERS[2:], strict=False)],
        "palm": [(f"palm_{what}_{axis}", "1") for what in ("normal", "direction") for axis in "xyz"],
    }
    return tuple((f"{side}_{name}", unit) for kind in shape for name, unit in columns[kind])


def hand_shape(landmarks: Array, side: Side, shape: Sequence[Shape]) -> Array:
    """Shape features of one hand, frame by frame.

    Parameters
    ----------
    landmarks : (n_frames, 21, 3) in the order of `LANDMARKS`, any unit; x to the right and y down in the
        un-mirrored picture, z away from the camera. NaN for a hand that is not seen.
    side : which hand it is; it decides on which side of the palm its normal points.
    shape : which groups, in the order wanted:

        - ``pinch``: thumb tip to each other fingertip, in palm sizes; 0 when they touch.
        - ``curl`` of each finger: 0 straight, towards 1 folded onto itself (1 minus the distance from knuckle
          to tip over the length of the bones between).
        - ``spread``: fingertip to the next fingertip, in palm sizes.
        - ``palm``: two unit vectors, the normal out of the palm, and from the wrist to the middle knuckle.

    Returns
    -------
    (n_frames, n_features), columns as `shape_features` names them.
    """
    return HandShapes({side: range(3 * len(LANDMARKS))}, shape).process(landmarks.reshape(len(landmarks), -1))


class HandShapes:
    """`hand_shape` of several hands at once, which for a live frame costs hardly more than of one.

    Parameters
    ----------
    columns : of each hand, where x, y and z of every landmark are among the values.
    shape : as in `hand_shape`.
    """

    def __init__(self, columns: Mapping[Side, Sequence[int]], shape: Sequence[Shape]) -> None:
        self._shape = tuple(shape)
        place = np.array([list(found) for found in columns.values()], dtype=np.intp).reshape(-1, len(LANDMARKS), 3)
        begin, end = np.array(_WAYS).T
        self._begin, self._end = (np.moveaxis(place[:, at], 2, 0).copy() for at in (begin, end))
        # Index x pinky points out of a right palm when y is down; the left hand is its mirror image.
        self._side = np.array([1.0 if side == "right" else -1.0 for side in columns])

    def process(self, values: Array) -> Array:
        """(n_frames, n_hands * n_features), hand by hand, of (n_frames, n_columns) values."""
        ways = values[:, self._end] - values[:, self._begin]  # (n_frames, axis, hand, way)
        lengths = _length(ways)
        parts = self._bend(lengths)
        if "palm" in self._shape:
            parts["palm"] = self._palm(ways, lengths)
        shape = np.concatenate([parts[kind] for kind in self._shape], axis=2)
        return shape.reshape(len(values), shape.shape[1] * shape.shape[2])

    def _bend(self, lengths: Array) -> dict[Shape, Array]:
        """What does not change when the hand turns, each (n_frames, n_hands, n_features)."""
        index, middle, ring, pinky = (lengths[..., knuckle, None] for knuckle in range(4))
        measured, bones = lengths[..., 4:16], lengths[..., 16:]
        unit = np.empty(measured.shape)
        # The size of the palm: sums are written out so that they never depend on the array's shape.
        unit[..., :7] = (index + middle + ring + pinky) / 4.0
        unit[..., 7:] = bones[..., :5] + bones[..., 5:10] + bones[..., 10:]
        share = measured / _nan_at_zero(unit)
        return {"pinch": share[..., :4], "spread": share[..., 4:7], "curl": 1.0 - share[..., 7:]}

    def _palm(self, ways: Array, lengths: Array) -> Array:
        index, middle, pinky = (ways[..., way] for way in (_INDEX, _MIDDLE, _PINKY))
        normal = index[:, _NEXT] * pinky[:, _NEXT_BUT_ONE] - index[:, _NEXT_BUT_ONE] * pinky[:, _NEXT]
        normal *= self._side
        normal /= _nan_at_zero(_length(normal))[:, None]
        direction = middle / _nan_at_zero(lengths[:, None, :, _MIDDLE])
        return np.concatenate((normal, direction), axis=1).transpose(0, 2, 1)


def _length(vectors: Array) -> Array:
    """Euclidean length over axis 1, written out so that it never depends on the array's shape."""
    square = vectors * vectors
    length: Array = np.sqrt(square[:, 0] + square[:, 1] + square[:, 2])
    return length


def _nan_at_zero(lengths: Array) -> Array:
    return lengths if lengths.all() else np.where(lengths > 0.0, lengths, np.nan)
