"""Finding, checking and building the hand model."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from gesturemap.errors import TrackerError
from gesturemap.trackers.hand_model import (
    BUILT_SHA256,
    ENVIRONMENT,
    MEMBERS,
    build_hand_model,
    cache_path,
    check_hand_model,
    locate_hand_model,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or fills the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("gesturemap.trackers.hand_model.sys.platform", "linux")
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture
def wheel(hand_model: Path, tmp_path: Path) -> Path:
    """A wheel with the real networks where mediapipe 0.10.21 has them, and something else."""
    path = tmp_path / "mediapipe-0.10.21-cp311-cp311-any.whl"
    with zipfile.ZipFile(hand_model) as model, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mediapipe/__init__.py", "")
        for name, source, _ in MEMBERS:
            archive.writestr(source, model.read(name))
    return path


def test_the_real_model_is_accepted(hand_model: Path) -> None:
    """By its hash, and repacked by those of its networks."""
    assert locate_hand_model(hand_model) == hand_model


def test_a_repacked_model_is_accepted(hand_model: Path, tmp_path: Path) -> None:
    """The same networks in another zip."""
    path = tmp_path / "repacked.task"
    with zipfile.ZipFile(hand_model) as model, zipfile.ZipFile(path, "w") as archive:
        for name, _, _ in MEMBERS:
            archive.writestr(name, model.read(name))
    check_hand_model(path)


def test_built_from_a_wheel_it_is_the_very_same_file(wheel: Path, hand_model: Path) -> None:
    """Byte for byte; given instead of a model, the wheel fills the cache, where it is then found."""
    built = locate_hand_model(wheel)
    assert built == cache_path()
    assert hashlib.sha256(built.read_bytes()).hexdigest() == BUILT_SHA256
    assert built.read_bytes() == hand_model.read_bytes()
    assert locate_hand_model() == built
    assert [path.name for path in built.parent.iterdir()] == [built.name]


def test_search_order(hand_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argument before environment before cache."""
    monkeypatch.setenv(ENVIRONMENT, str(hand_model))
    assert locate_hand_model() == hand_model
    with pytest.raises(TrackerError, match="mine.task"):
        locate_hand_model(tmp_path / "mine.task")


def test_without_a_model_three_ways_are_told() -> None:
    """As commands to type."""
    with pytest.raises(TrackerError) as caught:
        locate_hand_model()
    for part in (
        "curl -L",
        "pip download mediapipe==0.10.21 --no-deps",
        "--hand-model",
        ENVIRONMENT,
        str(cache_path()),
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html><html></html>",
        b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:fbc2\nsize 7819105\n",
        b"",
    ],
)
def test_what_is_often_downloaded_instead_is_refused(data: bytes, tmp_path: Path) -> None:
    """Saying how it begins."""
    path = tmp_path / "hand_landmarker.task"
    path.write_bytes(data)
    with pytest.raises(TrackerError, match="not a zip file; its first bytes"):
        locate_hand_model(path)


def test_a_damaged_download_is_refused(hand_model: Path, tmp_path: Path) -> None:
    """Cut short, and with bytes changed in the middle."""
    data = hand_model.read_bytes()
    for content in (data[: len(data) // 2], data[:4_000_000] + b"damaged" + data[4_000_007:]):
        path = tmp_path / "damaged.task"
        path.write_bytes(content)
        with pytest.raises(TrackerError, match="not a whole one"):
            locate_hand_model(path)


def test_other_networks_are_refused_unless_allowed(tmp_path: Path) -> None:
    """A zip with the right names and other contents; and one without them, even if allowed."""
    other, empty = tmp_path / "other.task", tmp_path / "empty.task"
    with zipfile.ZipFile(other, "w") as archive:
        for name, _, _ in MEMBERS:
            archive.writestr(name, "other")
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("readme", "")
    with pytest.raises(TrackerError, match=r"hand_detector\.tflite.*differs.*allow_unknown_model"):
        locate_hand_model(other)
    assert locate_hand_model(other, allow_unknown=True) == other
    with pytest.raises(TrackerError, match="not in it"):
        locate_hand_model(empty, allow_unknown=True)


def test_other_wheels_are_refused(tmp_path: Path) -> None:
    """A wheel without the networks, one with others, and no zip at all; nothing is written."""
    bare, other, text = (tmp_path / f"{name}.whl" for name in ("bare", "other", "text"))
    with zipfile.ZipFile(bare, "w") as archive:
        archive.writestr("mediapipe/__init__.py", "")
    with zipfile.ZipFile(other, "w") as archive:
        for _, source, _ in MEMBERS:
            archive.writestr(source, "other")
    text.write_text("no wheel")
    for path, message in ((bare, "not a mediapipe 0.10.21 wheel"), (other, "differs"), (text, "not a mediapipe")):
        with pytest.raises(TrackerError, match=message):
            build_hand_model(path)
    assert not cache_path().parent.exists()
