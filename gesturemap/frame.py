"""What every tracker yields: a `Frame` of numbers at a time, described by a `Layout` of named channels.

Arrays of many frames are always time first: (n_frames, n_channels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gesturemap.errors import LayoutError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Channel:
    """One number of a tracker.

    Parameters
    ----------
    name : unique inside its layout, ``snake_case``: ``left_wrist_x``, ``right_r``.
    unit : ``mm``, ``m``, ``px``, ``count``, ``rad``, ``norm`` (a share of the image or range), ``bool``.
    low, high : the range the device can give, in `unit`. Values outside are possible, NaN means absent.
    """

    name: str
    unit: str
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse an empty or upside-down range."""
        if not self.low < self.high:
            raise LayoutError(f"channel {self.name!r}: low {self.low} must be below high {self.high}")


@dataclass(frozen=True)
class Layout:
    """The channels of a tracker, in order."""

    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        """Refuse an empty layout and names used twice."""
        if not self.channels:
            raise LayoutError("a layout needs at least one channel")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise LayoutError(f"channel names used twice: {', '.join(twice)}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Channel names, in order."""
        return tuple(channel.name for channel in self.channels)

    def __len__(self) -> int:
        """Count of channels."""
        return len(self.channels)

    def index(self, name: str) -> int:
        """Column of the channel called `name`; `LayoutError` names the ones there are."""
        try:
            return self.names.index(name)
        except ValueError:
            raise LayoutError(f"no channel {name!r}; there are: {', '.join(self.names)}") from None

    def columns(self, names: Sequence[str]) -> list[int]:
        """Columns of several channels, in the order asked for."""
        return [self.index(name) for name in names]

    def to_json(self) -> list[dict[str, Any]]:
        """A list of ``{name, unit, low, high}``, as `recording.json` and `mapping.toml` hold it."""
        return [{"name": c.name, "unit": c.unit, "low": c.low, "high": c.high} for c in self.channels]

    @classmethod
    def from_json(cls, data: Sequence[dict[str, Any]]) -> Layout:
        """The inverse of `to_json`."""
        try:
            return cls(tuple(Channel(d["name"], d["unit"], float(d["low"]), float(d["high"])) for d in data))
        except (KeyError, TypeError, ValueError) as error:
            raise LayoutError(f"not a channel list (name, unit, low, high): {error!r}") from None


@dataclass(frozen=True)
class Frame:
    """One tracker reading.

    Parameters
    ----------
    time_s : monotonic seconds of the tracker's clock (a file's own time for a file).
    values : (n_channels,) float64 in the order and units of the tracker's layout. A hand that is not
        seen is NaN in every one of its channels and 0 in its ``*_present`` channel, never a stale value.
    """

    time_s: float
    values: Array
