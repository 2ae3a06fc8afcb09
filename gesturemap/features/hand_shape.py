"""Shape of a hand from its 21 landmarks: pinch, curl, spread and the way the palm faces.

Nothing here has a length unit: distances are divided by the size of the palm, so a near and a far hand, a
large and a small one give the same numbers. Pinch, curl and spread do not change when the hand turns; the
palm's directions turn with it. Pure functions of one frame; a hand whose palm has no size gives NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
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
_JOINTS = np.arange(1, 21).reshape(5, 4)  # finger, joint from its base to its tip
_KNUCKLES = _JOINTS[1:, 0]
_TIPS = _JOINTS[:, 3]


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
    groups = {
        "pinch": lambda: _pinch(landmarks),
        "curl": lambda: _curl(landmarks),
        "spread": lambda: _spread(landmarks),
        "palm": lambda: _palm(landmarks, side),
    }
    return np.concatenate([groups[kind]() for kind in shape], axis=1)


def palm_size(landmarks: Array) -> Array:
    """(n_frames, 1) mean distance from the wrist to the four knuckles, NaN where it is 0."""
    to_knuckles = _length(landmarks[:, _KNUCKLES] - landmarks[:, _WRIST, None])
    size = (to_knuckles[:, :1] + to_knuckles[:, 1:2] + to_knuckles[:, 2:3] + to_knuckles[:, 3:]) / 4.0
    return _nan_at_zero(size)


def _pinch(landmarks: Array) -> Array:
    return _length(landmarks[:, _TIPS[1:]] - landmarks[:, _TIPS[0], None]) / palm_size(landmarks)


def _spread(landmarks: Array) -> Array:
    return _length(landmarks[:, _TIPS[2:]] - landmarks[:, _TIPS[1:-1]]) / palm_size(landmarks)


def _curl(landmarks: Array) -> Array:
    fingers = landmarks[:, _JOINTS]  # (n_frames, finger, joint, axis)
    bones = _length(fingers[:, :, 1:] - fingers[:, :, :-1])
    straight = bones[..., 0] + bones[..., 1] + bones[..., 2]
    return 1.0 - _length(fingers[:, :, 3] - fingers[:, :, 0]) / _nan_at_zero(straight)


def _palm(landmarks: Array, side: Side) -> Array:
    index, middle, pinky = (landmarks[:, _KNUCKLES[i]] - landmarks[:, _WRIST] for i in (0, 1, 3))
    # Index x pinky points out of a right palm when y is down; the left hand is its mirror image.
    normal = np.cross(index, pinky) if side == "right" else np.cross(pinky, index)
    return np.concatenate((_direction(normal), _direction(middle)), axis=1)


def _direction(vectors: Array) -> Array:
    return vectors / _nan_at_zero(_length(vectors))[..., None]


def _length(vectors: Array) -> Array:
    """Euclidean length over the last axis, written out so that it never depends on the array's shape."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    length: Array = np.sqrt(x * x + y * y + z * z)
    return length


def _nan_at_zero(lengths: Array) -> Array:
    return np.where(lengths > 0.0, lengths, np.nan)
