"""Which channels of a layout a feature set uses: names, patterns, points, hands."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from gesturemap.errors import FeatureError
from gesturemap.features.hand_shape import LANDMARKS, Side
from gesturemap.frame import Channel, Layout

AXES = ("x", "y", "z")


def choose_channels(layout: Layout, patterns: Sequence[str], hands: Sequence[Side]) -> list[int]:
    """Columns that `patterns` name, in their order, each once.

    Parameters
    ----------
    layout : the tracker's channels.
    patterns : channel names, or patterns with ``*``, ``?``, ``[xyz]``. A pattern never takes a ``present``
        flag; a full name does.
    hands : a pattern takes no channel called ``left_...`` or ``right_...`` of a hand that is not listed.

    Raises
    ------
    FeatureError
        If a pattern names no channel; says which name is nearest.
    """
    chosen: dict[int, None] = {}
    for pattern in patterns:
        if pattern in layout.names:
            chosen[layout.index(pattern)] = None
            continue
        matches = [
            column
            for column, channel in enumerate(layout.channels)
            if fnmatchcase(channel.name, pattern) and not _is_flag(channel) and _is_of(channel.name, hands)
        ]
        if not matches:
            raise FeatureError(_no_match(layout, pattern, hands))
        chosen.update(dict.fromkeys(matches))
    return list(chosen)


def find_points(channels: Sequence[Channel]) -> dict[str, dict[str, int]]:
    """Points among `channels` and the column of each axis: ``left_wrist`` has ``left_wrist_x``, ``_y``, ...

    Channels called just ``x``, ``y``, ``z`` make the point ``""``.

    Raises
    ------
    FeatureError
        If there is no point, or its axes have different units, so that they have no common speed.
    """
    points: dict[str, dict[str, int]] = {}
    for column, channel in enumerate(channels):
        point, _, axis = channel.name.rpartition("_")
        if axis in AXES:
            points.setdefault(point, {})[axis] = column
    if not points:
        names = ", ".join(channel.name for channel in channels)
        raise FeatureError(f"speed needs channels called ..._x, ..._y or ..._z; chosen: {names}")
    for point, axes in points.items():
        units = sorted({channels[column].unit for column in axes.values()})
        if len(units) > 1:
            raise FeatureError(f"speed of {point!r}: its axes have different units, {', '.join(units)}")
    return points


def find_hands(layout: Layout, hands: Sequence[Side], world: bool) -> dict[Side, list[int]]:
    """Columns of the 21 x 3 landmarks of every hand in `hands` that the layout has.

    Parameters
    ----------
    world : landmarks in metres about the hand's centre (``left_wrist_world_x``), else those in the picture.

    Raises
    ------
    FeatureError
        If the layout has none of these hands, or lacks a landmark of one.
    """
    # MediaPipe's spelling of the index knuckle, and so our hands tracker's, is index_finger_mcp.
    columns = {name.replace("_finger_", "_"): column for column, name in enumerate(layout.names)}
    suffix = "_world" if world else ""
    points = [f"{landmark}{suffix}_{axis}" for landmark in LANDMARKS for axis in AXES]
    wanted = {side: [f"{side}_{point}" for point in points] for side in hands}
    there = {side: names for side, names in wanted.items() if names[0] in columns}
    if not there:
        asked = " or ".join(repr(names[0]) for names in wanted.values())
        raise FeatureError(
            f"hand shape needs the landmarks of a hand ({asked} and so on), this layout has"
            f" {_some(layout.names)}: use the hands tracker, or set shape = []"
        )
    for side, names in there.items():
        missing = [name for name in names if name not in columns]
        if missing:
            raise FeatureError(f"hand shape of the {side} hand: no channel {_some(missing)} in the layout")
    return {side: [columns[name] for name in names] for side, names in there.items()}


def _is_flag(channel: Channel) -> bool:
    return channel.unit == "bool" or channel.name.rpartition("_")[2] == "present"


def _is_of(name: str, hands: Sequence[Side]) -> bool:
    side = name.partition("_")[0]
    return side not in ("left", "right") or side in hands


def _no_match(layout: Layout, pattern: str, hands: Sequence[Side]) -> str:
    nearest = difflib.get_close_matches(pattern.replace("*", ""), layout.names, n=1, cutoff=0.4)
    hint = f", did you mean {nearest[0]!r}?" if nearest else ";"
    return f"no channel {pattern!r} of hands {', '.join(hands)}{hint} there are: {_some(layout.names)}"


def _some(names: Sequence[str], count: int = 12) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
