"""Gametrak channels, and from raw counts to the place of each hand in millimetres.

Each head of a Gametrak is a joystick that a tether runs through: two angles and a length. The geometry below
is reimplemented from a description of libgametrak (Casiez, University of Lille), none of its code is used:
nominal half angle 34.7 degrees, full tether 3065 mm over 4096 counts, heads 130 mm apart.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Channel, Layout

AXES = ("left_x", "left_y", "left_r", "right_x", "right_y", "right_r")
MAX_COUNT = 4095
HALF_ANGLE_DEG = 34.7
TETHER_MM = 3065.0
HEAD_DISTANCE_MM = 130.0

SIDES = ("left", "right")
CHANNEL_SETS = ("all", "raw", "position")


@dataclass(frozen=True)
class Calibration:
    """What the counts of one Gametrak mean.

    Parameters
    ----------
    low, high : (6,) counts of each axis at the ends of its travel, in the order of `AXES`. Exchange the two
        to turn an axis round. `high` of an ``r`` axis is the retracted tether; its `low` is not used.
    half_angle_deg : angle of the joystick at either end.
    tether_mm_per_count : millimetres of tether per count.
    tether_offset_mm : length that is left when the tether is retracted.

    The default is the nominal device, which needs no measuring. A tape measure settles `tether_mm_per_count`:
    libgametrak uses 1.333 mm for its calibrated length, but a published capture of the unit our recording is
    from spans 2988 counts, which would be 4 m of a 3 m tether, so the nominal 0.748 mm stands here.
    """

    low: tuple[float, ...] = (0.0,) * 6
    high: tuple[float, ...] = (4096.0,) * 6
    half_angle_deg: float = HALF_ANGLE_DEG
    tether_mm_per_count: float = TETHER_MM / 4096
    tether_offset_mm: float = 0.0

    def __post_init__(self) -> None:
        """Refuse ranges that are not six pairs of different numbers."""
        if len(self.low) != 6 or len(self.high) != 6:
            raise TrackerError(f"calibration: low and high need 6 counts each: {', '.join(AXES)}")
        flat = [name for name, low, high in zip(AXES, self.low, self.high, strict=True) if low == high]
        if flat:
            raise TrackerError(f"calibration: {', '.join(flat)} never moved: move both arms through their whole travel")

    @classmethod
    def of(cls, given: Calibration | str | Path | None) -> Calibration:
        """A calibration as it is given: itself, in a file, or None for the nominal device."""
        if given is None:
            return cls()
        return given if isinstance(given, Calibration) else cls.load(given)

    @classmethod
    def from_ranges(cls, raw: Array) -> Calibration:
        """From a capture in which both tethers were let in and both joysticks turned all the way round.

        Parameters
        ----------
        raw : (n_frames, 6) counts.
        """
        if len(raw) == 0:
            raise TrackerError("calibration: the capture holds no usable report")
        return cls(low=tuple(map(float, raw.min(axis=0))), high=tuple(map(float, raw.max(axis=0))))

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """From a TOML file with any of ``low``, ``high`` (six counts each) and the three numbers above."""
        try:
            data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
            numbers = {key: float(data.pop(key)) for key in list(data) if key not in ("low", "high")}
            ranges = {key: tuple(map(float, data[key])) for key in data}
            return cls(**ranges, **numbers)  # type: ignore[arg-type]
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
            raise TrackerError(
                f"{path}: not a Gametrak calibration: {error}. Expected TOML with low and high (six counts "
                "each), half_angle_deg, tether_mm_per_count, tether_offset_mm, all optional"
            ) from None

    def save(self, path: str | Path) -> None:
        """Write a TOML file that `load` reads."""
        lines = [
            f"# counts at the ends of {', '.join(AXES)}",
            f"low = {list(self.low)}",
            f"high = {list(self.high)}",
            f"half_angle_deg = {self.half_angle_deg!r}",
            f"tether_mm_per_count = {self.tether_mm_per_count!r}",
            f"tether_offset_mm = {self.tether_offset_mm!r}",
        ]
        part = Path(f"{path}.part")
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.replace(path)

    def positions(self, raw: Array) -> Array:
        """Where the hands are.

        Parameters
        ----------
        raw : (..., 6) counts in the order of `AXES`.

        Returns
        -------
        (..., 6) mm: x, y, z of the left, then of the right hand. The origin lies midway between the heads; x
        points right, y along the tether (up, off the floor), z towards the performer. With a for the angle of
        the x axis, b for that of the y axis and L for the length: L (sin a cos b, cos a cos b, -sin b).

        Source: libgametrak as described; but there the sign of the left x is opposite. The published capture
        of both joysticks held to the left has both x low (GameTrak-Liberation, docs/protocol.md section 7 and
        both_joysticks_9oclock_001.jsonl), so here high means right for both.
        """
        low, high = np.array(self.low), np.array(self.high)
        share = 2.0 * (raw - low) / (high - low) - 1.0
        angle = np.deg2rad(self.half_angle_deg) * share
        length = self.tether_offset_mm + self.tether_mm_per_count * (high - raw)
        places = []
        for head, offset_mm in ((0, -HEAD_DISTANCE_MM / 2), (3, HEAD_DISTANCE_MM / 2)):
            a, b, tether = angle[..., head], angle[..., head + 1], length[..., head + 2]
            places.append(offset_mm + tether * np.sin(a) * np.cos(b))
            places.append(tether * np.cos(a) * np.cos(b))
            places.append(-tether * np.sin(b))
        return np.stack(places, axis=-1)


def gametrak_layout(channels: str = "all") -> Layout:
    """The channels of a Gametrak.

    Parameters
    ----------
    channels : ``raw`` for the six axes (count), ``position`` for both hands (mm), ``all`` for both and the
        foot switch. A recording of ``all`` can be calibrated again later, so that is the default.

    Raises
    ------
    TrackerError
        For any other word.
    """
    side_mm = float(np.ceil(TETHER_MM * np.sin(np.deg2rad(HALF_ANGLE_DEG)) + HEAD_DISTANCE_MM / 2))
    span = {"x": (-side_mm, side_mm), "y": (0.0, TETHER_MM), "z": (-side_mm, side_mm)}
    raw = [Channel(name, "count", 0.0, float(MAX_COUNT)) for name in AXES]
    place = [Channel(f"{side}_hand_{axis}", "mm", *span[axis]) for side in SIDES for axis in "xyz"]
    switch = [Channel("footswitch", "bool", 0.0, 1.0)]
    sets = {"all": raw + place + switch, "raw": raw, "position": place}
    if channels not in sets:
        raise TrackerError(f"channels={channels!r}: expected one of {', '.join(CHANNEL_SETS)}")
    return Layout(tuple(sets[channels]))


def gametrak_values(raw: Array, footswitch: Array, calibration: Calibration, channels: str = "all") -> Array:
    """Raw axes (..., 6) and foot switch (...) as the values of `gametrak_layout(channels)`."""
    if channels == "raw":
        return raw
    places = calibration.positions(raw)
    if channels == "position":
        return places
    return np.concatenate([raw, places, footswitch[..., None]], axis=-1)
