"""Hands in real pictures, against published landmarks."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array
from gesturemap.trackers import open_tracker, read_all
from gesturemap.trackers.hand_detector import HandDetector
from gesturemap.trackers.hand_layout import LANDMARKS, hand_block, hand_layout
from gesturemap.trackers.hands import HandsTracker
from gesturemap.trackers.pictures import VideoFile
from gesturemap.trackers.preview import draw_hands

PRESENT, PICTURE, WORLD = 0, slice(1, 64), slice(64, 127)


def test_layout() -> None:
    """Both hands alike, and names in MediaPipe's order."""
    layout = hand_layout()
    assert len(layout) == 254
    assert layout.names[:4] == ("left_present", "left_wrist_x", "left_wrist_y", "left_wrist_z")
    right = layout.names[hand_block(1)]
    assert right == tuple(name.replace("left", "right") for name in layout.names[hand_block(0)])
    assert right[WORLD][-3:] == ("right_pinky_tip_world_x", "right_pinky_tip_world_y", "right_pinky_tip_world_z")
    assert len(LANDMARKS) == 21


@pytest.mark.parametrize("n_pictures", [60, pytest.param(325, marks=pytest.mark.slow)])
def test_published_landmarks_of_a_video(asl_video: Path, hand_model: Path, n_pictures: int) -> None:
    """Up to 325 pictures of one right hand: mean distance at most 1 px and 1 mm, none beyond upstream's tolerance."""
    with HandsTracker(asl_video, hand_model) as tracker:
        frames = [frame for _ in range(n_pictures) if (frame := tracker.read())]
        assert tracker.read() is None or n_pictures < 325
    time_s, values = np.array([frame.time_s for frame in frames]), np.array([frame.values for frame in frames])
    np.testing.assert_allclose(time_s, np.arange(n_pictures) / 25)
    assert not values[:, hand_block(0)][:, PRESENT].any()
    right = values[:, hand_block(1)]
    assert right[:, PRESENT].all()
    pixels = right[:, PICTURE].reshape(-1, 21, 3)[..., :2] * [620, 1080]
    world_mm = right[:, WORLD].reshape(-1, 21, 3) * 1000
    expected = json.loads((asl_video.parent / "asl_hand.full.json").read_text())
    expected_m = json.loads((asl_video.parent / "asl_hand_3d.full.json").read_text())
    error_px = pixels - np.array(expected)[:n_pictures, :, :2]
    error_mm = world_mm - np.array(expected_m)[:n_pictures] * 1000
    assert np.linalg.norm(error_px, axis=-1).mean() <= 1.0
    assert np.linalg.norm(error_mm, axis=-1).mean() <= 1.0
    assert np.abs(error_px).max() <= 26.0
    assert np.abs(error_mm).max() <= 15.0


def test_two_left_hands_fill_both_slots(asl_video: Path, hand_model: Path) -> None:
    """The published photograph: neither hand is lost because both are left ones."""
    _, values = read_all(HandsTracker(asl_video.parent / "hands.jpg", hand_model))
    assert values.shape == (1, 254)
    assert np.isfinite(values).all()
    wrists_x = values[0, [1, 128]]
    assert abs(wrists_x[0] - wrists_x[1]) > 0.2


class FakeCamera:
    """Gives the pictures it is handed, then waits for more; None means that the cable was pulled."""

    def __init__(self) -> None:
        self.pictures: queue.Queue[Any] = queue.Queue()
        self.released = False
        self._given = False

    def isOpened(self) -> bool:  # noqa: N802
        """It is there."""
        return True

    def get(self, propId: int) -> float:  # noqa: N803
        """It does not tell."""
        return 0.0

    def read(self) -> tuple[bool, Any]:
        """The next picture, when there is one."""
        if self._given:
            self.pictures.task_done()
        picture = self.pictures.get()
        self._given = True
        return picture is not None, picture

    def release(self) -> None:
        """Noted."""
        self.released = True


@pytest.fixture
def pictures(asl_clip: Path) -> list[Any]:
    """The first five pictures of the clip, BGR as a camera gives them."""
    file = VideoFile(asl_clip)
    found = [file.read() for _ in range(5)]
    file.close()
    return [np.ascontiguousarray(item[1][:, :, ::-1]) for item in found if item is not None]


@pytest.fixture
def film(hand_model: Path, clock: ManualClock) -> Callable[..., Array]:
    """Tracks pictures as they come from a camera."""

    def track(pictures: list[Any], **options: Any) -> Array:
        camera = FakeCamera()
        values = []
        with HandsTracker(0, hand_model, clock=clock, opener=lambda _: camera, **options) as tracker:
            for picture in pictures:
                camera.pictures.put(picture)
                frame = tracker.read(10.0)
                assert frame is not None
                values.append(frame.values)
            camera.pictures.put(None)
        return np.array(values)

    return track


def test_mirrored_pictures_give_the_same_numbers(pictures: list[Any], film: Callable[..., Array]) -> None:
    """Exactly: `mirror` turns them back. Without it the hand lands in the other slot."""
    plain = film(pictures)
    flipped = [picture[:, ::-1].copy() for picture in pictures]
    np.testing.assert_array_equal(film(flipped, mirror=True), plain)
    wrong = film(flipped)
    assert plain[:, [0, 127]].tolist() == [[0, 1]] * len(pictures)
    assert wrong[:, [0, 127]].tolist() == [[1, 0]] * len(pictures)


def test_one_hand_is_enough(pictures: list[Any], film: Callable[..., Array]) -> None:
    """With num_hands=1 the hand goes into the slot of its side."""
    assert film(pictures, num_hands=1)[:, [0, 127]].tolist() == [[0, 1]] * len(pictures)


def test_no_hand_is_nan(film: Callable[..., Array]) -> None:
    """A grey picture: flags 0, everything else NaN."""
    values = film([np.full((240, 320, 3), 128, dtype=np.uint8)])
    assert np.nansum(values) == 0.0
    assert np.isnan(values).sum() == 252


def test_camera_gives_the_newest_picture_and_counts_the_rest(
    pictures: list[Any], hand_model: Path, clock: ManualClock
) -> None:
    """Four pictures before the first read: three are dropped. A frame's time is when its picture came."""
    camera = FakeCamera()
    with HandsTracker(0, hand_model, clock=clock, opener=lambda _: camera) as tracker:
        assert tracker.live
        assert tracker.frame_rate == 30.0
        assert tracker.read(0.0) is None
        for picture in pictures[:4]:
            camera.pictures.put(picture)
        camera.pictures.join()
        clock.sleep_s(1.0)
        first = tracker.read(10.0)
        assert tracker.dropped == 3
        camera.pictures.put(pictures[4])
        second = tracker.read(10.0)
        assert first is not None
        assert second is not None
        assert first.time_s == pytest.approx(100.0)
        assert second.time_s == pytest.approx(101.0)
        camera.pictures.put(None)


def test_unplugged_camera(pictures: list[Any], hand_model: Path, clock: ManualClock) -> None:
    """No hands at the camera's rate until it is back, which its thread finds out; one loss counted."""
    cameras = [FakeCamera(), FakeCamera()]
    left = iter(cameras)
    with HandsTracker(0, hand_model, clock=clock, opener=lambda _: next(left, cameras[1]), retry_s=0.001) as tracker:
        cameras[0].pictures.put(pictures[0])
        first = tracker.read(10.0)
        assert first is not None
        assert first.values[[0, 127]].tolist() == [0, 1]
        cameras[0].pictures.put(None)
        away = [tracker.read(10.0)]
        clock.sleep_s(1 / 30)
        away.append(tracker.read(0.0))
        for frame in away:
            assert frame is not None
            assert np.nansum(frame.values) == 0.0
            assert np.isnan(frame.values).sum() == 252
        cameras[1].pictures.put(pictures[1])
        frames = (tracker.read(10.0) for _ in range(10))
        back = next(frame for frame in frames if frame and frame.values[127] == 1)
        assert back.time_s > first.time_s
        assert cameras[0].released
        assert tracker.lost == 1
        cameras[1].pictures.put(None)


def test_hanging_camera(pictures: list[Any], hand_model: Path, clock: ManualClock) -> None:
    """Without an error from its driver: away after three seconds. One that never gave a picture is an error."""
    camera = FakeCamera()
    with HandsTracker(0, hand_model, clock=clock, opener=lambda _: camera) as tracker:
        camera.pictures.put(pictures[0])
        assert tracker.read(10.0) is not None
        clock.sleep_s(2.9)
        assert tracker.read(0.0) is None
        clock.sleep_s(0.2)
        frame = tracker.read(0.0)
        assert frame is not None
        assert np.isnan(frame.values).sum() == 252
        assert (tracker.lost, tracker.finished) == (1, False)
        camera.pictures.put(None)
    mute = FakeCamera()
    with HandsTracker(0, hand_model, clock=clock, opener=lambda _: mute) as tracker:
        assert tracker.read(0.0) is None
        clock.sleep_s(3.1)
        mute.pictures.put(None)
        with pytest.raises(TrackerError, match="camera 0 gives no pictures"):
            tracker.read(0.0)
        assert tracker.finished


def test_preview_draws_the_hand_in_a_mirror(pictures: list[Any], hand_model: Path) -> None:
    """The wrist's dot lies where the wrist is, left and right exchanged; the picture itself is not drawn into."""
    picture = np.ascontiguousarray(pictures[0][:, :, ::-1])
    detector = HandDetector(hand_model, num_hands=1)
    (hand,) = detector.detect(picture, 0.0)
    detector.close()
    before = picture.copy()
    drawn = draw_hands(picture, (None, hand))
    height, width = picture.shape[:2]
    x, y = np.rint(hand.picture[0, :2] * [width - 1, height - 1]).astype(int)
    assert drawn[y, width - 1 - x].tolist() == [255, 160, 60]
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(draw_hands(picture, (None, None)), picture[:, ::-1, ::-1])


def test_preview_without_a_screen(asl_clip: Path, hand_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused at once, not at the first picture."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(TrackerError, match="preview=true needs a screen"):
        open_tracker(f"hands:{asl_clip}?preview=true", hand_model=hand_model).open()


def test_preview_shows_every_picture(asl_clip: Path, hand_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its window is closed with the tracker."""
    import cv2

    shown: list[Any] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", lambda title, picture: shown.append(picture.shape))
    monkeypatch.setattr(cv2, "pollKey", lambda: -1)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: shown.append("closed"))
    read_all(HandsTracker(asl_clip, hand_model, preview=True, num_hands=1))
    assert shown == [(540, 310, 3)] * 20 + ["closed"]


def test_absent_camera(hand_model: Path) -> None:
    """A number nobody has."""
    with pytest.raises(TrackerError, match="camera 99 cannot be opened"):
        HandsTracker(99, hand_model).open()


def test_unusable_videos(asl_clip: Path, hand_model: Path, tmp_path: Path) -> None:
    """Absent, empty, text, cut off before its index: refused with what to do."""
    data = asl_clip.read_bytes()
    cases = {"empty.mp4": b"", "text.mp4": b"no video" * 99, "cut.mp4": data[: len(data) // 2]}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TrackerError, match=f"{name}.*ffmpeg"):
            HandsTracker(tmp_path / name, hand_model).open()
    with pytest.raises(TrackerError, match="no video"):
        HandsTracker(tmp_path / "none.mp4", tmp_path / "no_model.task").open()


def test_damaged_stretch_is_skipped(asl_video: Path, tmp_path: Path) -> None:
    """Garbage in the middle costs the pictures there, not the rest; times stay those of the file."""
    data = bytearray(asl_video.read_bytes())
    data[300_000:420_000] = b"\x55" * 120_000
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    file = VideoFile(path)
    times = [item[0] for item in iter(file.read, None)]
    assert file.finished
    assert 200 < len(times) < 325
    assert 30 <= file.dropped <= 325 - len(times)
    assert (np.diff(times) > 0).all()
    assert times[-1] == pytest.approx(324 / 25, abs=0.5)


def test_wrong_model_file(asl_clip: Path, tmp_path: Path) -> None:
    """Found out before mediapipe sees it."""
    path = tmp_path / "model.task"
    path.write_text("<html>")
    with pytest.raises(TrackerError, match="no hand model"):
        HandsTracker(asl_clip, path).open()


@pytest.mark.parametrize("num_hands", [0, 3])
def test_other_numbers_of_hands(num_hands: int) -> None:
    """There are two slots."""
    with pytest.raises(TrackerError, match="expected 1 or 2"):
        HandsTracker(num_hands=num_hands)
