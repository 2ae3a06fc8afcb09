"""Schedules: pure functions of the step."""

from __future__ import annotations

import math


def ramp(step: int, length: int) -> float:
    """0 at step 0, 1 from step `length` on, linear between."""
    return 1.0 if length <= 0 else min(1.0, step / length)


def cosine_decay(step: int, length: int, floor: float = 0.0) -> float:
    """1 at step 0, `floor` from step `length` on, half a cosine between."""
    share = 1.0 if length <= 0 else min(1.0, step / length)
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * share))
