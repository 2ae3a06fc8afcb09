"""A Gametrak on USB through hidapi; the only file that knows it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.trackers.gametrak_report import PRODUCT_ID, VENDOR_ID

UDEV_RULE = 'KERNEL=="hidraw*", ATTRS{idVendor}=="14b7", ATTRS{idProduct}=="0982", MODE="0660", TAG+="uaccess"'
UDEV_FIX = (
    f"write this line to /etc/udev/rules.d/70-gametrak.rules as root:  {UDEV_RULE}  "
    "then run  sudo udevadm control --reload  and plug the Gametrak in again"
)


class HidDevice(Protocol):
    """The part of hidapi's device that a Gametrak needs; a test gives its own."""

    def read(self, max_length: int, timeout_ms: int = 0) -> Sequence[int]:
        """Bytes of the next report, none if it did not come within `timeout_ms`. `OSError` if lost."""

    def write(self, data: bytes) -> int:
        """Send bytes."""

    def close(self) -> None:
        """Let go of the device."""


def find_devices() -> list[str]:
    """System paths of the Gametraks that are plugged in. Errors: `MissingExtraError`."""
    return [os.fsdecode(device["path"]) for device in _hidapi().enumerate(VENDOR_ID, PRODUCT_ID)]


def open_hid_device() -> HidDevice:
    """The first Gametrak that is plugged in.

    Raises
    ------
    TrackerError
        If there is none, or it may not be opened. `MissingExtraError` if hidapi is not installed.
    """
    if not find_devices():
        raise TrackerError(
            f"no Gametrak found (USB {VENDOR_ID:04x}:{PRODUCT_ID:04x}): plug it in, or replay a capture with "
            "gametrak:CAPTURE.jsonl"
        )
    device = _hidapi().device()
    try:
        device.open(VENDOR_ID, PRODUCT_ID)
    except OSError as error:
        fix = UDEV_FIX if sys.platform == "linux" else "close other programs that use it"
        raise TrackerError(f"the Gametrak cannot be opened ({error}): {fix}") from None
    device.set_nonblocking(True)
    return device  # type: ignore[no-any-return]


def _hidapi() -> Any:
    try:
        # On Linux the wheel's `hid` would have to take the device away from the kernel's driver.
        if sys.platform == "linux":
            import hidraw as hid
        else:
            import hid
    except ImportError:
        raise MissingExtraError("hidapi", "gametrak", "replay a capture with gametrak:CAPTURE.jsonl") from None
    return hid
