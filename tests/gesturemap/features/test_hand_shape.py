"""Hand shape: invariances, known poses, real hands."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gesturemap.features.hand_shape import LANDMARKS, Shape, hand_shape, shape_features

ALL: tuple[Shape, ...] = ("pinch", "curl", "spread", "palm")
BEND: tuple[Shape, ...] = ("pinch", "curl", "spread")


def flat_hand() -> np.ndarray:
    """(1, 21, 3) an open right hand, palm to the camera, fingers up (y is down): straight fingers."""
    points = {"wrist": (0.0, 0.0, 0.0)}
    for i, joint in enumerate(("cmc", "mcp", "ip", "tip")):
        points[f"thumb_{joint}"] = (0.3 + 0.2 * i, -0.2 - 0.2 * i, 0.0)
    for finger, x in zip(("index", "middle", "ring", "pinky"), (0.3, 0.1, -0.1, -0.3), strict=True):
        for i, joint in enumerate(("mcp", "pip", "dip", "tip")):
            points[f"{finger}_{joint}"] = (x, -1.0 - 0.3 * i, 0.0)
    return np.array([[points[name] for name in LANDMARKS]])


def column(landmarks: np.ndarray, name: str) -> np.ndarray:
    names = [feature for feature, _ in shape_features("right", ALL)]
    return hand_shape(landmarks, "right", ALL)[:, names.index(f"right_{name}")]


def test_a_flat_hand() -> None:
    hand = flat_hand()
    size = (2.0 * np.hypot(0.3, 1.0) + 2.0 * np.hypot(0.1, 1.0)) / 4.0
    assert column(hand, "curl_index")[0] == pytest.approx(0.0, abs=1e-12)
    assert column(hand, "spread_ring_pinky")[0] == pytest.approx(0.2 / size)
    assert column(hand, "pinch_index")[0] == pytest.approx(np.hypot(0.6, 1.1) / size)
    np.testing.assert_allclose(hand_shape(hand, "right", ["palm"])[0, :3], [0.0, 0.0, -1.0], atol=1e-12)
    np.testing.assert_allclose(column(hand, "palm_direction_y"), -1.0 / np.hypot(0.1, 1.0))


def test_a_touch_and_a_fold() -> None:
    hand = flat_hand()
    hand[0, LANDMARKS.index("thumb_tip")] = hand[0, LANDMARKS.index("ring_tip")]
    assert column(hand, "pinch_ring")[0] == 0.0
    hand[0, LANDMARKS.index("index_tip")] = hand[0, LANDMARKS.index("index_mcp")]
    assert column(hand, "curl_index")[0] == 1.0


@pytest.mark.parametrize("scale", [1e-3, 1000.0])
def test_size_and_place_do_not_matter(hand: np.ndarray, scale: float) -> None:
    moved = scale * (hand + np.array([0.5, -1.0, 3.0]))
    np.testing.assert_allclose(hand_shape(moved, "right", ALL), hand_shape(hand, "right", ALL), atol=1e-11)


def test_a_turn_leaves_the_fingers_and_turns_the_palm(hand: np.ndarray) -> None:
    turn = Rotation.from_euler("xyz", [0.7, -1.2, 2.1]).as_matrix()
    turned = hand @ turn.T
    np.testing.assert_allclose(hand_shape(turned, "right", BEND), hand_shape(hand, "right", BEND), atol=1e-12)
    palm = hand_shape(hand, "right", ["palm"]).reshape(-1, 2, 3)
    np.testing.assert_allclose(
        hand_shape(turned, "right", ["palm"]).reshape(-1, 2, 3), palm @ turn.T, atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.norm(palm, axis=2), 1.0, atol=1e-12)


def test_a_left_hand_is_the_mirror_image(hand: np.ndarray) -> None:
    mirror = np.array([-1.0, 1.0, 1.0])
    left = hand * mirror
    np.testing.assert_allclose(hand_shape(left, "left", BEND), hand_shape(hand, "right", BEND), atol=1e-12)
    palm = hand_shape(hand, "right", ["palm"]).reshape(-1, 2, 3)
    np.testing.assert_allclose(hand_shape(left, "left", ["palm"]).reshape(-1, 2, 3), palm * mirror, atol=1e-12)


def test_a_real_hand_shows_its_palm(hand: np.ndarray) -> None:
    """The video: a right hand held up, palm to the camera, in every frame."""
    assert np.median(column(hand, "palm_normal_z")) < -0.9
    assert column(hand, "palm_direction_y").max() < -0.8
    bend = hand_shape(hand, "right", BEND)
    assert np.isfinite(bend).all()
    assert bend.min() >= 0.0
    assert bend.max() < 2.5


def test_real_poses_are_told_apart(shared: Path) -> None:
    """4,787 labelled hands: 0 open, 1 closed, 2 pointing, 3 thumb and index joined (flat, no depth)."""
    table = np.loadtxt(shared / "data" / "gestures" / "kinivi_handpose" / "keypoint.csv", delimiter=",")
    pose, flat = table[:, 0], table[:, 1:].reshape(-1, 21, 2)
    hand = np.concatenate((flat, np.zeros((len(flat), 21, 1))), axis=2)
    curl = np.mean([column(hand, f"curl_{finger}") for finger in ("index", "middle", "ring", "pinky")], axis=0)
    pinch, index = column(hand, "pinch_index"), column(hand, "curl_index")
    # How often a random hand of the second pose has more of the feature than one of the first.
    for feature, less, more, share in ((curl, 0, 1, 0.98), (pinch, 3, 0, 0.999), (index, 2, 1, 0.97)):
        low, high = np.sort(feature[pose == less]), feature[pose == more]
        assert np.searchsorted(low, high).mean() / len(low) > share


def test_absent_and_degenerate_hands_are_nan() -> None:
    hand = np.concatenate((flat_hand(), np.full((1, 21, 3), np.nan), np.zeros((1, 21, 3))))
    shape = hand_shape(hand, "left", ALL)
    assert np.isfinite(shape[0]).all()
    assert np.isnan(shape[1:]).all()


def test_every_column_has_a_name() -> None:
    for kinds in (ALL, BEND, ("palm",), ("spread", "curl")):
        assert hand_shape(flat_hand(), "left", kinds).shape[1] == len(shape_features("left", kinds))
    assert shape_features("left", ["pinch"])[0] == ("left_pinch_index", "palm")
