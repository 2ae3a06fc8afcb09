"""MediaPipe's hand model: where its file is, whether it is the right one, and how to make it from a wheel.

The mediapipe versions that send nothing over the network (0.10.30 to 0.10.33) come without the model. The last
version that contains it is 0.10.21: its two full networks, zipped, are the model file.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

from gesturemap.errors import TrackerError

FILE_NAME = "hand_landmarker.task"
ENVIRONMENT = "GESTUREMAP_HAND_MODEL"
URL = "https://storage.googleapis.com/mediapipe-models/hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task"
DOWNLOAD_WHEEL = "pip download mediapipe==0.10.21 --no-deps --python-version 3.11"

BUILT_SHA256 = "ef3f184fa8d5e6905ea4770282627d6937975119af763054312d05985c059bda"
OFFICIAL_SHA256 = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"

# Name in the model file, path in the wheel, sha256. The hashes are also those of mediapipe's own
# third_party/external_files.bzl. The lite networks are 25 times less accurate and are not offered.
MEMBERS = (
    (
        "hand_detector.tflite",
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    (
        "hand_landmarks_detector.tflite",
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
)


def cache_path() -> Path:
    """Where the model is looked for and built: the user's cache folder of this platform."""
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "gesturemap" / FILE_NAME


def locate_hand_model(path: str | Path | None = None, allow_unknown: bool = False) -> Path:
    """The model file, checked.

    Parameters
    ----------
    path : the file, or a mediapipe 0.10.21 wheel to build it from into the cache. None for the environment
        variable ``GESTUREMAP_HAND_MODEL``, or else the cache.
    allow_unknown : accept a model file with other contents, such as a network trained anew.

    Raises
    ------
    TrackerError
        If there is no model (says the three ways to get one) or it is not the expected one.
    """
    given = Path(path or os.environ.get(ENVIRONMENT) or cache_path()).expanduser()
    if not given.is_file():
        raise TrackerError(f"no hand model at {given}. {_three_ways()}")
    if given.suffix == ".whl":
        return build_hand_model(given)
    check_hand_model(given, allow_unknown)
    return given


def check_hand_model(path: Path, allow_unknown: bool = False) -> None:
    """Refuse a file that is not the hand model: downloads of it are often an error page or a git-lfs pointer.

    Accepted are the file that `build_hand_model` makes, Google's own, and any zip of the same two networks.
    """
    if _sha256(path.read_bytes()) in (BUILT_SHA256, OFFICIAL_SHA256):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [name for name, _, _ in MEMBERS if name not in archive.namelist()]
            if missing:
                raise TrackerError(f"{path} is no hand model: {', '.join(missing)} not in it. {_three_ways()}")
            changed = [name for name, _, sha256 in MEMBERS if _sha256(archive.read(name)) != sha256]
    except zipfile.BadZipFile as error:
        start = path.read_bytes()[:24]
        raise TrackerError(
            f"{path} is no hand model, or not a whole one: {error}; its first bytes are {start!r}. {_three_ways()}"
        ) from None
    if changed and not allow_unknown:
        raise TrackerError(
            f"{path} is not the hand model this was measured with: {', '.join(changed)} differs. {_three_ways()} "
            "From Python it is used all the same with HandsTracker(..., allow_unknown_model=True)"
        )


def build_hand_model(wheel: str | Path, out: str | Path | None = None) -> Path:
    """The model file made from a mediapipe 0.10.21 wheel: the same bytes on every machine.

    Parameters
    ----------
    wheel : ``mediapipe-0.10.21-...whl`` for any platform.
    out : where to write; None for the cache.

    Raises
    ------
    TrackerError
        If the file is no such wheel.
    """
    target = Path(out) if out is not None else cache_path()
    try:
        with zipfile.ZipFile(wheel) as archive:
            networks = [(name, archive.read(source), sha256) for name, source, sha256 in MEMBERS]
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise TrackerError(
            f"{wheel} is not a mediapipe 0.10.21 wheel ({error}): get it with  {DOWNLOAD_WHEEL}"
        ) from None
    for name, data, sha256 in networks:
        if _sha256(data) != sha256:
            raise TrackerError(f"{wheel}: {name} differs from mediapipe 0.10.21: get it with  {DOWNLOAD_WHEEL}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for name, data, _ in networks:
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # else the bytes would tell Windows from the rest
            archive.writestr(info, data)
    part.replace(target)
    return target


def _three_ways() -> str:
    return (
        f"Three ways to it: (1) curl -L --create-dirs -o {cache_path()} {URL}  "
        f"(2) {DOWNLOAD_WHEEL}  and pass the wheel once: --hand-model mediapipe-0.10.21-*.whl  "
        f"(3) point at a file you have: --hand-model {FILE_NAME}, or the environment variable {ENVIRONMENT}"
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
