"""The one demand on time stamps that everything in this folder shares: they increase."""

from __future__ import annotations

import numpy as np

from gesturemap.errors import FeatureError
from gesturemap.frame import Array


def check_times(time_s: Array, after_s: float = -np.inf) -> None:
    """Refuse time stamps that are not finite, or do not increase strictly, also from `after_s` to the first.

    Parameters
    ----------
    time_s : (n_frames,) seconds.
    after_s : the last time stamp seen before these, in seconds.

    Raises
    ------
    FeatureError
        Names the first frame that is wrong, and the two times.
    """
    if len(time_s) == 1 and after_s < time_s[0] < np.inf:
        return  # a live frame
    before_s = np.concatenate(([after_s], time_s[:-1]))
    wrong = ~(np.isfinite(time_s) & (time_s > before_s))
    if wrong.any():
        frame = int(wrong.argmax())
        raise FeatureError(
            f"frame times must be finite and increase: frame {frame} at {time_s[frame]} s follows"
            f" {before_s[frame]} s; sort the frames by time, drop repeated ones, or reset before a new take"
        )
