"""How loud audio is: peak, RMS and the share of silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK_S = 0.05  # one block of the silence statistics
THRESHOLD_DB = -60.0  # a block under this RMS is silent
SILENCE_DB = -200.0  # stands for minus infinity, which JSON cannot hold

_BLOCKS_AT_ONCE = 512  # bounds the memory of measuring an hour-long file


@dataclass(frozen=True)
class Levels:
    """Levels of one file: `peak` (full scale 1.0), `rms_db` (dBFS), `silent_share` of its 50 ms blocks."""

    peak: float
    rms_db: float
    silent_share: float


def measure_levels(audio: npt.NDArray[Any], sample_rate: int) -> Levels:
    """Levels of audio (samples, channels); RMS is over all channels, a full-scale square wave is 0 dB.

    The last block may be shorter than 50 ms and counts as one. `sample_rate` in Hz.
    """
    block_size = max(1, round(BLOCK_S * sample_rate))
    threshold = 10 ** (THRESHOLD_DB / 10)
    peak, energy, silent = 0.0, 0.0, 0
    starts = np.arange(0, len(audio), block_size)
    for i in range(0, len(starts), _BLOCKS_AT_ONCE):
        begin = int(starts[i])
        piece = np.asarray(audio[begin : begin + _BLOCKS_AT_ONCE * block_size], dtype=np.float64)
        power = (piece**2).mean(axis=1)
        sums = np.add.reduceat(power, np.arange(0, len(power), block_size))
        sizes = np.minimum(block_size, len(power) - np.arange(0, len(power), block_size))
        peak = max(peak, float(np.abs(piece).max()))
        energy += float(sums.sum())
        silent += int((sums < threshold * sizes).sum())
    mean_square = energy / len(audio)
    rms_db = 10 * np.log10(mean_square) if mean_square > 0 else SILENCE_DB
    return Levels(peak, max(float(rms_db), SILENCE_DB), silent / len(starts))
