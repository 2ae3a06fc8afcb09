"""The last frames of every feature: as a series, or as their least, greatest, mean and deviation.

`History` is the one memory of frames here: expressions that look back use it too.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from audiovae.settings import Settings
from gesturemap.features.runs import RunCounter
from gesturemap.frame import Array

Given = Literal["now", "series", "min", "max", "mean", "deviation"]

_LARGEST = 2_000_000  # numbers looked at in one piece; bounds the memory of a long take


class WindowSettings(Settings):
    """What is given of each feature's last frames.

    Parameters
    ----------
    frames : in the window, the newest included.
    give : any of

        - ``now``: the feature as it is.
        - ``series``: every frame of the window, oldest first.
        - ``min``, ``max``, ``mean``, ``deviation`` (of the population) over the window.
    """

    frames: int = Field(default=1, ge=1, le=200)
    give: tuple[Given, ...] = Field(default=("now",), min_length=1)

    @model_validator(mode="after")
    def _makes_sense(self) -> WindowSettings:
        if len(set(self.give)) < len(self.give):
            raise ValueError(f"named twice in {list(self.give)}")
        if self.frames == 1 and self.give != ("now",):
            raise ValueError(f"give {list(self.give)} of a window of 1 frame: set window.frames=10, for example")
        return self


class History:
    """Each column's last frames since it was last absent.

    Parameters
    ----------
    depth : how many frames to look back.
    n_columns : of the values.
    """

    def __init__(self, depth: int, n_columns: int) -> None:
        self.depth, self.n_columns = depth, n_columns
        self.reset()

    def reset(self) -> None:
        """Forget the past, as before the first frame."""
        self._past = np.empty((0, self.n_columns))
        self._runs = RunCounter(self.n_columns)

    def process(self, values: Array) -> tuple[Array, Array]:
        """What the next frames look back on.

        Parameters
        ----------
        values : (n_frames, n_columns); NaN means absent.

        Returns
        -------
        lagged : (depth + 1, n_frames, n_columns), entry ``lagged[k]`` k frames ago. Before its first frame, and
            before the first one after a gap, a column is taken to have been where it then was; NaN only where
            it is absent now.
        runs : (n_frames, n_columns) frames since then, this one included; 0 where it is absent.
        """
        if not len(values):
            return np.empty((self.depth + 1, 0, self.n_columns)), np.empty((0, self.n_columns))
        runs = self._runs.count(values)
        past = len(self._past)
        known = np.concatenate((self._past, values))
        self._past = known[max(0, len(known) - self.depth) :].copy()
        if isinstance(runs, int) and runs > self.depth and self._runs.lost is None:  # nearly every live frame
            return known[::-1, None], np.full(values.shape, float(runs))
        if isinstance(runs, int):
            runs = np.where(np.isnan(values), 0, runs)
        lags = np.minimum(np.arange(self.depth + 1)[:, None, None], np.maximum(runs - 1, 0))
        rows = past + np.arange(len(values))[:, None] - lags
        lagged = known[rows, np.arange(self.n_columns)]
        return lagged, runs.astype(np.float64)


class Windows:
    """What `settings` ask for of a stream of features; blocks of any size give the same bits.

    Parameters
    ----------
    settings : which frames, and what of them.
    names, units : of every feature.

    Attributes
    ----------
    names, units : of every column given: by kind, then by feature; in a series by age, oldest first.
    """

    def __init__(self, settings: WindowSettings, names: tuple[str, ...], units: tuple[str, ...]) -> None:
        self.settings = settings
        self._history = History(settings.frames - 1, len(names))
        self._rows = max(1, _LARGEST // (settings.frames * max(1, len(names))))
        described = [column for kind in settings.give for column in _describe(kind, settings.frames, names, units)]
        self.names, self.units = tuple(name for name, _ in described), tuple(unit for _, unit in described)

    def reset(self) -> None:
        """Forget the past, as before the first frame."""
        self._history.reset()

    def process(self, features: Array) -> Array:
        """(n_frames, n_columns) of the next (n_frames, n_features); NaN where the feature is."""
        if self.settings.give == ("now",):
            return features
        starts = range(0, max(1, len(features)), self._rows)
        return np.concatenate([self._give(features[start : start + self._rows]) for start in starts])

    def _give(self, features: Array) -> Array:
        lagged, runs = self._history.process(features)
        mean, deviation = _moments(lagged, runs)
        parts = {
            "now": features,
            "series": lagged[::-1].transpose(1, 0, 2).reshape(len(features), self.settings.frames * features.shape[1]),
            "min": lagged.min(axis=0),
            "max": lagged.max(axis=0),
            "mean": mean,
            "deviation": deviation,
        }
        return np.concatenate([parts[kind] for kind in self.settings.give], axis=1)


def _moments(lagged: Array, runs: Array) -> tuple[Array, Array]:
    """Mean and population deviation, each (n_frames, n_features), of the frames that there are."""
    there = np.arange(len(lagged))[:, None, None] < np.maximum(runs, 1.0)
    count = np.clip(runs, 1.0, len(lagged))
    # Summed frame by frame, since `np.sum` chooses an order by the array's shape and so by the block.
    mean = np.add.accumulate(np.where(there, lagged, 0.0), axis=0)[-1] / count
    square = np.add.accumulate(np.where(there, (lagged - mean) ** 2, 0.0), axis=0)[-1] / count
    return mean, np.sqrt(square)


def _describe(kind: Given, frames: int, names: tuple[str, ...], units: tuple[str, ...]) -> list[tuple[str, str]]:
    features = list(zip(names, units, strict=True))
    if kind == "now":
        return features
    if kind == "series":
        ages = range(frames - 1, -1, -1)
        return [(f"{name}_{age}_ago", unit) for age in ages for name, unit in features]
    return [(f"{name}_{kind}", unit) for name, unit in features]
