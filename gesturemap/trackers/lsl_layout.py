"""Channel names and ranges of streams of the lab streaming layer, live and in XDF files."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Channel, Layout


def lsl_layout(labels: Sequence[str], units: Sequence[str], low: Array, high: Array) -> Layout:
    """A channel per label; an empty or doubled label gets its number behind it.

    Parameters
    ----------
    labels, units : as the stream describes them, empty where it does not.
    low, high : (n_channels,) range; widened where it is none.
    """
    names: list[str] = []
    for number, label in enumerate(labels, start=1):
        name = re.sub(r"\W+", "_", label.strip()).strip("_").lower() or "channel"
        names.append(name if name not in names and label.strip() else f"{name}_{number}")
    return Layout(
        tuple(
            Channel(name, unit.strip() or "unknown", float(low_), float(high_ if high_ > low_ else low_ + 1.0))
            for name, unit, low_, high_ in zip(names, units, low, high, strict=True)
        )
    )


def span(values: Array) -> tuple[Array, Array]:
    """Least and greatest finite value of each column (n_frames, n_channels); 0 and 1 for a column without one."""
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(finite, values, -np.inf).max(axis=0, initial=-np.inf)
    none = ~finite.any(axis=0)
    return np.where(none, 0.0, low), np.where(none, 1.0, high)


def refuse_text(name: str, is_text: bool) -> None:
    """Streams of markers are no motion."""
    if is_text:
        raise TrackerError(f"LSL stream {name!r} holds text (markers), expected numbers: choose another stream")
