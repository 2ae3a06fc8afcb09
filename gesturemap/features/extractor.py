"""Features of a stream of frames: what is chosen, and the one pass that computes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from audiovae.settings import Settings, resolve
from gesturemap.errors import FeatureError
from gesturemap.features.channel_choice import AXES, choose_channels, find_hands, find_points
from gesturemap.features.derivatives import ORDERS, Derivatives, DerivativeSettings
from gesturemap.features.expressions import Expressions
from gesturemap.features.frame_times import check_times
from gesturemap.features.hand_shape import HandShapes, Shape, Side, shape_features
from gesturemap.features.runs import all_there
from gesturemap.features.smoothing import SmoothingSettings, make_smoother
from gesturemap.features.windows import History, Windows, WindowSettings
from gesturemap.frame import Array, Channel, Layout

PRESETS = Path(__file__).parents[1] / "presets" / "features"

Motion = Literal["position", "velocity", "acceleration", "jerk", "speed", "difference", "second_difference"]

_BLOCK_FRAMES = 2048  # bounds the memory of a long take; the numbers do not depend on it


class FeatureSettings(Settings):
    """A feature set: channels -> smoothing -> expressions -> motion, and shape of each hand -> window.

    Parameters
    ----------
    name : the features part of a mapping's label.
    channels : names or patterns (``left_*``, ``*_wrist_[xy]``) of the channels whose motion is used; may be empty
        where there are expressions.
    expressions : further channels, each a name and its arithmetic over the tracker's channels; see
        `gesturemap.features.expressions`.
    hands : which hands take part; a performer with one hand in sight lists that one, since the features of a
        hand that is never seen are never numbers.
    motion : any of position, velocity, acceleration, jerk (each per channel and expression), speed (per point),
        difference (to the frame before, not divided by time) and second_difference.
    shape : any of pinch, curl, spread, palm; see `gesturemap.features.hand_shape`.
    landmarks : shape from ``world`` landmarks (metres, true proportions) or from those in the ``image``.
    smoothing : of the channels, before all else.
    derivative : how velocity, acceleration, jerk and speed are taken.
    window : what is given of the last frames of all of these.
    """

    name: str = Field(min_length=1)
    channels: tuple[str, ...] = ("*",)
    expressions: dict[str, str] = {}
    hands: tuple[Side, ...] = Field(default=("left", "right"), min_length=1)
    motion: tuple[Motion, ...] = ("position",)
    shape: tuple[Shape, ...] = ()
    landmarks: Literal["world", "image"] = "world"
    smoothing: SmoothingSettings = SmoothingSettings()
    derivative: DerivativeSettings = DerivativeSettings()
    window: WindowSettings = WindowSettings()

    @model_validator(mode="after")
    def _makes_sense(self) -> FeatureSettings:
        if not self.channels and not self.expressions:
            raise ValueError("channels and expressions are both empty")
        if not self.motion and not self.shape:
            raise ValueError("nothing to compute: motion and shape are both empty")
        for chosen in (self.motion, self.shape, self.hands):
            if len(set(chosen)) < len(chosen):
                raise ValueError(f"named twice in {list(chosen)}")
        order = highest_order(self.motion)
        if self.derivative.method == "polynomial" and order > self.derivative.degree:
            raise ValueError(
                f"a polynomial of derivative.degree {self.derivative.degree} has no"
                f" derivative number {order}: set derivative.degree={order}"
            )
        return self


def highest_order(motion: Sequence[Motion]) -> int:
    """The highest derivative that `motion` needs, 0 for none; a speed is the length of a velocity."""
    needed = {"speed": 1} | ORDERS
    return max((needed.get(kind, 0) for kind in motion), default=0)


def load_features(name_or_toml: str, overrides: Sequence[str] = ()) -> FeatureSettings:
    """A packaged feature set, or one from a file whose name ends in ``.toml``, with ``key=value`` overrides.

    Raises
    ------
    SettingsError
        If there is no such preset, or a key or value is not known; the nearest is named.
    """
    return resolve(FeatureSettings, name_or_toml, overrides, folder=PRESETS)


class FeatureExtractor:
    """Features of frames as they come. Blocks of one frame or of a whole take give the same bits.

    A feature is NaN exactly where a channel it needs is absent (or a hand has no size); see `derivatives` for
    what a derivative is right after a gap.

    Parameters
    ----------
    settings : the feature set.
    layout : the channels of the tracker.

    Raises
    ------
    FeatureError
        If the layout cannot give these features.

    Attributes
    ----------
    names, units : of every feature, in order: motion by kind and channel, speed by point, then shape by hand; of a
        window see `Windows`.
    """

    def __init__(self, settings: FeatureSettings, layout: Layout) -> None:
        self.settings = settings
        self.layout = layout
        motion = choose_channels(layout, settings.channels, settings.hands) if settings.motion else []
        hands = find_hands(layout, settings.hands, settings.landmarks == "world") if settings.shape else {}
        self._expressions = Expressions(settings.expressions if settings.motion else {}, layout.names)
        used = layout.columns(self._expressions.channels)
        needed = sorted({*motion, *used, *(column for columns in hands.values() for column in columns)})
        place = {column: i for i, column in enumerate(needed)}
        self._columns, self._n_columns = _as_index(needed), len(needed)
        self._motion, self._n_motion = _as_index([place[column] for column in motion]), len(motion)
        self._used = _as_index([place[column] for column in used])
        self._hands: tuple[Side, ...] = tuple(hands)
        landmarks = {side: [place[column] for column in columns] for side, columns in hands.items()}
        self._shapes = HandShapes(landmarks, settings.shape) if hands else None
        channels = [layout.channels[column] for column in motion]
        self._points = find_points(channels) if "speed" in settings.motion else {}
        self._windows = Windows(settings.window, *self._describe(channels))
        self.names, self.units = self._windows.names, self._windows.units
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise FeatureError(f"two features called {twice[0]!r}: give the expression another name")
        self.reset()

    def reset(self) -> None:
        """Forget the past, as before the first frame of a take."""
        self._time_s = -np.inf
        smoothing = self.settings.smoothing
        self._smoother = None if smoothing.method == "none" else make_smoother(smoothing, self._n_columns)
        self._expressions.reset()
        self._windows.reset()
        n_channels, order = self._n_motion + len(self._expressions.names), highest_order(self.settings.motion)
        self._derivatives = Derivatives(self.settings.derivative, n_channels, order) if order else None
        differs = {"difference", "second_difference"} & set(self.settings.motion)
        self._history = History(2, n_channels) if differs else None

    def process(self, time_s: Array, values: Array) -> Array:
        """Features of the next frames of the stream.

        Parameters
        ----------
        time_s : (n_frames,) seconds, strictly increasing, also from the block before.
        values : (n_frames, n_channels) in the order of the layout; NaN (or infinite) means absent.

        Returns
        -------
        (n_frames, n_features) float64.

        Raises
        ------
        FeatureError
            If times do not increase or shapes do not fit; nothing is taken in then, so a live loop may drop
            the frame and go on.
        """
        time_s, values = np.asarray(time_s, dtype=np.float64), np.asarray(values, dtype=np.float64)
        if time_s.ndim != 1 or values.shape != (len(time_s), len(self.layout)):
            raise FeatureError(
                f"times of shape {time_s.shape} with values of shape {values.shape}:"
                f" expected (n_frames,) with (n_frames, {len(self.layout)})"
            )
        check_times(time_s, self._time_s)
        self._time_s = float(time_s[-1]) if len(time_s) else self._time_s
        smooth = values[:, self._columns]
        if not all_there(smooth):
            smooth = np.where(np.isfinite(smooth), smooth, np.nan)
        if self._smoother is not None:
            smooth = self._smoother.process(time_s, smooth)
        parts = []
        if self.settings.motion:
            position = smooth[:, self._motion]
            if self._expressions.names:
                position = np.concatenate((position, self._expressions.process(smooth[:, self._used])), axis=1)
            parts = self._motion_features(time_s, position)
        if self._shapes is not None:
            parts.append(self._shapes.process(smooth))
        return self._windows.process(np.concatenate(parts, axis=1))

    def _motion_features(self, time_s: Array, position: Array) -> list[Array]:
        kinds = {"position": position}
        if self._derivatives is not None:
            kinds |= dict(zip(ORDERS, self._derivatives.process(time_s, position), strict=False))
        if self._points:
            kinds["speed"] = self._speed(kinds["velocity"])
        if self._history is not None:
            (now, before, earlier), _ = self._history.process(position)
            kinds |= {"difference": now - before, "second_difference": now - 2.0 * before + earlier}
        return [kinds[kind] for kind in self.settings.motion]

    def _speed(self, velocity: Array) -> Array:
        """(n_frames, n_points) length of the velocity of every point, over the axes it has."""
        square = np.zeros((len(velocity), len(self._points)))
        for axis in AXES:
            points = [i for i, columns in enumerate(self._points.values()) if axis in columns]
            along = velocity[:, [columns[axis] for columns in self._points.values() if axis in columns]]
            square[:, points] += along * along
        speed: Array = np.sqrt(square)
        return speed

    def _describe(self, channels: Sequence[Channel]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        features: list[tuple[str, str]] = []
        for kind in self.settings.motion:
            if kind == "speed":
                units = [channels[min(axes.values())].unit for axes in self._points.values()]
                names = [f"{point}_speed".lstrip("_") for point in self._points]
                features += [(name, f"{unit}/s") for name, unit in zip(names, units, strict=True)]
            else:
                features += [_describe_channel(channel.name, channel.unit, kind) for channel in channels]
                features += [_describe_channel(name, "1", kind) for name in self._expressions.names]
        for side in self._hands:
            features += shape_features(side, self.settings.shape)
        return tuple(name for name, _ in features), tuple(unit for _, unit in features)


def extract_features(settings: FeatureSettings, layout: Layout, time_s: Array, values: Array) -> Array:
    """(n_frames, n_features) of a whole take, by a fresh `FeatureExtractor`; see its `process`."""
    extractor = FeatureExtractor(settings, layout)
    starts = range(0, max(len(time_s), 1), _BLOCK_FRAMES)
    blocks = [slice(start, start + _BLOCK_FRAMES) for start in starts]
    return np.concatenate([extractor.process(time_s[block], values[block]) for block in blocks])


def _as_index(columns: Sequence[int]) -> slice | npt.NDArray[np.intp]:
    """For ``values[:, index]``: a slice where it can be one, since that copies nothing."""
    if columns and list(columns) == list(range(columns[0], columns[-1] + 1)):
        return slice(columns[0], columns[-1] + 1)
    return np.array(columns, dtype=np.intp)


def _describe_channel(name: str, unit: str, kind: Motion) -> tuple[str, str]:
    """Name and unit of one feature of one channel: mm, mm/s, mm/s^2, mm/s^3."""
    if kind == "position":
        return name, unit
    if kind in ORDERS:
        unit += "/s" + (f"^{ORDERS[kind]}" if ORDERS[kind] > 1 else "")
    return f"{name}_{kind}", unit
