"""Options of trackers as text: what may stand after a ``?`` behind ``NAME:SOURCE``, for every tracker alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gesturemap.errors import TrackerError


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


# What each option's text becomes. A parameter of a tracker that is not here is a seam, and no option.
OPTION_TYPES: dict[str, Callable[[str], Any]] = {
    "allow_unknown_model": _truth,
    "calibration": str,
    "channels": str,
    "frame_rate": float,
    "hand_model": str,
    "high": float,
    "kind": str,
    "live": _truth,
    "low": float,
    "mirror": _truth,
    "num_hands": int,
    "preview": _truth,
    "seconds": float,
    "seed": int,
    "stream": str,
    "take": int,
    "timeout_s": float,
}

_OPTIONS = re.compile(r"\?(?=\w+=)")


def split_options(spec: str) -> tuple[str, dict[str, str]]:
    """``hands:0?num_hands=1&mirror=true`` as ``hands:0`` and its options, as text.

    The first ``?`` that a ``key=`` follows begins the options, so that a file name may hold one.
    """
    found = _OPTIONS.search(spec)
    if found is None:
        return spec, {}
    return spec[: found.start()], pairs(spec[found.end() :], "&")


def pairs(text: str, separator: str) -> dict[str, str]:
    """``seed=3&kind=hands`` as a dictionary. Errors: `TrackerError` for a part that is no ``key=value``."""
    parts = [part.partition("=") for part in text.split(separator) if part]
    for key, equals, _ in parts:
        if not equals:
            raise TrackerError(f"option {key!r} found; expected key=value, with {separator} between several")
    return {key: value for key, _, value in parts}


def typed_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Known options with those that are text made into what they mean. Errors: `TrackerError` if one means nothing."""
    typed = dict(options)
    for key, value in options.items():
        if isinstance(value, str):
            try:
                typed[key] = OPTION_TYPES[key](value)
            except (ValueError, KeyError):
                raise TrackerError(f"{value!r} is no value for {key}") from None
    return typed
