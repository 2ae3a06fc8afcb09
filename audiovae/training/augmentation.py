"""Excerpts of mel magnitudes, varied so that minutes of audio train a model that generalises.

Everything happens before the logarithm, on magnitudes, where gains multiply and sounds add in power.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from audiovae.settings import Settings

FloatArray = npt.NDArray[np.floating[Any]]


class MelAugmentationSettings(Settings):
    """How much excerpts vary; zeros and ones turn a variation off."""

    max_layers: int = Field(2, ge=1)
    """Sounds laid over each other in an excerpt, 1 to this many."""
    speed_octaves: float = Field(0.6, ge=0, le=2)
    """Time is stretched by up to this, either way, uniformly in octaves."""
    shift_bands: float = Field(8.0, ge=0)
    """Spectra are shifted by up to this many mel bands, either way."""
    reverse: float = Field(0.0, ge=0, le=1)
    """Share of excerpts played backwards."""
    equaliser_db: float = Field(4.0, ge=0)
    """Deviation of a smooth random equaliser."""
    gain_low_db: float = -14.0
    """Softest gain."""
    gain_high_db: float = 6.0
    """Loudest gain."""


class MelExcerpts:
    """Random excerpts of the mel magnitudes of many files.

    Parameters
    ----------
    mels : one (n_mels, frames) array a file.
    settings : variations, none if None.

    Notes
    -----
    Files are drawn by the square root of their length, so that long ones do not drown the rest.
    Excerpts longer than a file run out of it into silence, on either side.
    """

    def __init__(self, mels: list[FloatArray], settings: MelAugmentationSettings | None) -> None:
        self._settings = settings
        self._lengths = np.array([mel.shape[1] for mel in mels])
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        self._mel = np.empty((int(self._lengths.sum()), mels[0].shape[0]), np.float32)
        np.concatenate([mel.T for mel in mels], out=self._mel)  # one copy, however many hours it is
        weight = np.sqrt(self._lengths)
        self._share = weight / weight.sum()

    def draw(self, rng: np.random.Generator, batch_size: int, frames: int) -> FloatArray:
        """(batch_size, n_mels, frames) float32 mel magnitudes."""
        s = self._settings
        mel = self._excerpts(rng, batch_size, frames)
        if s is None:
            return mel
        n_layers = rng.integers(1, s.max_layers + 1, batch_size)
        for layer in range(1, s.max_layers):
            chosen = n_layers > layer
            level = 10 ** (rng.uniform(-12.0, 0.0, (int(chosen.sum()), 1, 1)) / 20)
            mel[chosen] = np.hypot(mel[chosen], self._excerpts(rng, int(chosen.sum()), frames) * level)
        gain_db = rng.uniform(s.gain_low_db, s.gain_high_db, (batch_size, 1))
        gain_db = gain_db + _smooth_curves(rng, batch_size, mel.shape[1], s.equaliser_db)
        return np.asarray(mel * (10 ** (gain_db / 20))[:, :, None], dtype=np.float32)

    def _excerpts(self, rng: np.random.Generator, batch_size: int, frames: int) -> FloatArray:
        s = self._settings or MelAugmentationSettings(max_layers=1, speed_octaves=0, shift_bands=0, equaliser_db=0)
        files = rng.choice(len(self._lengths), size=batch_size, p=self._share)
        step = 2.0 ** rng.uniform(-s.speed_octaves, s.speed_octaves, batch_size)
        slack = self._lengths[files] - frames * step
        # A whole frame: at its own speed an excerpt is the file's frames, not something between them.
        first = np.copysign(np.floor(rng.uniform(size=batch_size) * (np.floor(np.abs(slack)) + 1)), slack)
        time = first[:, None] + step[:, None] * np.arange(frames)
        time = np.where(rng.uniform(size=(batch_size, 1)) < s.reverse, time[:, ::-1], time)
        mel = self._at(files, time)
        return _shift_bands(mel, rng.uniform(-s.shift_bands, s.shift_bands, batch_size))

    def _at(self, files: npt.NDArray[np.integer[Any]], time: FloatArray) -> FloatArray:
        """Frames at fractional positions, (batch, frames) to (batch, n_mels, frames); silence outside a file."""
        low = np.floor(time).astype(np.int64)
        fraction = (time - low).astype(np.float32)[:, :, None]
        last = self._lengths[files][:, None] - 1
        low_mel, high_mel = (
            self._mel[self._starts[files][:, None] + np.clip(i, 0, last)] * ((i >= 0) & (i <= last))[:, :, None]
            for i in (low, low + 1)
        )
        return np.asarray((low_mel + fraction * (high_mel - low_mel)).transpose(0, 2, 1))


def _shift_bands(mel: FloatArray, shift: FloatArray) -> FloatArray:
    """Each (n_mels, frames) moved up by a fractional count of bands; the edge band repeats."""
    position = np.clip(np.arange(mel.shape[1]) - shift[:, None], 0, mel.shape[1] - 1)
    low = np.floor(position).astype(np.int64)
    fraction = (position - low).astype(np.float32)[:, :, None]
    row = np.arange(len(mel))[:, None]
    low_mel = mel[row, low]
    return np.asarray(low_mel + fraction * (mel[row, np.minimum(low + 1, mel.shape[1] - 1)] - low_mel))


def _smooth_curves(
    rng: np.random.Generator, count: int, length: int, deviation: float, knots: int = 6
) -> FloatArray:
    """(count, length) curves through random knots, linear between them."""
    values = rng.normal(0.0, deviation, (count, knots))
    position = np.linspace(0, knots - 1, length)
    low = np.minimum(position.astype(int), knots - 2)
    return np.asarray(values[:, low] + (position - low) * (values[:, low + 1] - values[:, low]))
