"""Options of trackers as text: what may stand after a ``?`` behind ``NAME:SOURCE``, for every tracker alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gesturemap.errors import TrackerError

# What each option's text becomes. A parameter of a tracker that is not here cannot be given as text.
OPTION_TYPES: dict[str, Callable[[str], Any]] = {
    "allow_unknown_model": {"true": True, "false": False}.__getitem__,
    "calibration": str,
    "channels": str,
    "frame_rate": float,
    "hand_model": str,
    "high": float,
    "kind": str,
    "live": {"true": True, "false": False}.__getitem__,
    "low": float,
    "mirror": {"true": True, "false": False}.__getitem__,
    "num_hands": int,
    "preview": {"true": True, "false": False}.__getitem__,
    "seconds": float,
    "seed": int,
    "stream": str,
    "take": int,
    "timeout_s": float,
}

_OPTIONS = re.compile(r"\?(?=\w+=)")


def split_options(spec: str) -> tuple[str, dict[str, Any]]:
    """``hands:0?num_hands=1&mirror=true`` as ``hands:0`` and its options.

    The first ``?`` that a ``key=`` follows begins the options, so that a file name may hold one.
    """
    found = _OPTIONS.search(spec)
    if found is None:
        return spec, {}
    return spec[: found.start()], parse_options(spec[found.end() :], "&", spec)


def parse_options(text: str, separator: str, spec: str) -> dict[str, Any]:
    """``seed=3&kind=hands`` as a dictionary of typed values.

    Raises
    ------
    TrackerError
        If a part is no ``key=value``, no tracker has such an option, or the value is of another type.
    """
    options: dict[str, Any] = {}
    for part in filter(None, text.split(separator)):
        key, equals, value = part.partition("=")
        if not equals or key not in OPTION_TYPES:
            names = ", ".join(f"{name}=..." for name in OPTION_TYPES)
            raise TrackerError(f"{spec}: {part!r} is none of {names}")
        try:
            options[key] = OPTION_TYPES[key](value)
        except (ValueError, KeyError):
            raise TrackerError(f"{spec}: {value!r} is no value for {key}") from None
    return options
