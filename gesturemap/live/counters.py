"""What is counted during a performance, in bounded memory however long it lasts."""

from __future__ import annotations

import math
from typing import Any

_PER_DECADE = 100
_LOWEST_S = 1e-7
_N_BINS = 9 * _PER_DECADE  # up to 100 s


class Latencies:
    """Durations of one stage: how many, and their quantiles to 1.2 %, from a histogram of 100 bins a decade."""

    def __init__(self) -> None:
        self.count = 0
        self.max_s = 0.0
        self._bins = [0] * _N_BINS

    def add(self, duration_s: float) -> None:
        """Count one."""
        place = int(math.log10(max(duration_s, _LOWEST_S) / _LOWEST_S) * _PER_DECADE)
        self._bins[min(place, _N_BINS - 1)] += 1
        self.count += 1
        self.max_s = max(self.max_s, duration_s)

    def quantile_s(self, level: float) -> float:
        """Seconds that a share `level` of the durations stay below; 0 if there are none."""
        wanted, seen = level * self.count, 0
        for place, count in enumerate(self._bins):
            seen += count
            if count and seen >= wanted:
                return min(_LOWEST_S * 10 ** ((place + 0.5) / _PER_DECADE), self.max_s)
        return 0.0

    def summary(self) -> dict[str, float]:
        """Median, p99 and maximum in milliseconds."""
        values = {"median": self.quantile_s(0.5), "p99": self.quantile_s(0.99), "max": self.max_s}
        return {name: round(1000 * value, 4) for name, value in values.items()}


class Counters:
    """Counts of the control loop.

    Attributes
    ----------
    frames : read and gone out.
    late : of these, gone out more than a frame period after their own time. 0 where the tracker is a file.
    dropped : read, but a newer one was there already.
    refused : with times that do not increase, or that the features cannot take.
    idle : times the guard was asked while no frame came.
    stages : ``tracker`` (the frame's own time until it was read; live only), ``features``, ``mapping``, ``out``
        (guard and outputs), ``total``.
    """

    STAGES = ("tracker", "features", "mapping", "out", "total")

    def __init__(self) -> None:
        self.frames = self.late = self.dropped = self.refused = self.idle = 0
        self.stages = {name: Latencies() for name in self.STAGES}

    def summary(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        counts = {name: getattr(self, name) for name in ("frames", "late", "dropped", "refused", "idle")}
        return counts | {"latency_ms": {name: s.summary() for name, s in self.stages.items() if s.count}}
