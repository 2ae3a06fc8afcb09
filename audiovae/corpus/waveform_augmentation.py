"""Varied copies of a waveform, so that minutes of audio train a model that generalises.

`draw_variation` draws what is to be done, `apply_variation` does it: the trainer draws for every excerpt, `corpus
resample --augment` for every copy, which lists what was drawn. All of it is linear and, but for the mute, the same
over the whole piece: nothing here follows the level, so loud and soft keep their distance. A compander would not.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import soxr
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import signal

from audiovae.dsp.biquad import Section, allpass, high_shelf, low_shelf, peak
from audiovae.settings import Settings

FloatArray = npt.NDArray[np.float32]

STEP = 2.0**-15  # between neighbouring values of 16 bits
FULL_SCALE = 1 - STEP  # what the gain leaves, so that dither stays within 1.0
MUTE_FADE_S = 0.005
SHELF_Q = 0.7


class WaveformAugmentationSettings(Settings):
    """How much waveforms vary. A share of 0 turns a variation off, 1 applies it to every piece."""

    gain: float = Field(1.0, ge=0, le=1)
    """Share of pieces at another level."""
    gain_low_db: float = -12.0
    """Softest gain."""
    gain_high_db: float = 6.0
    """Loudest gain; less where it would take a piece beyond full scale."""
    flip: float = Field(0.5, ge=0, le=1)
    """Share of pieces with the polarity turned round."""
    phase: float = Field(0.8, ge=0, le=1)
    """Share of pieces through a random all-pass filter between 20 and 2000 Hz: another waveform, the same sound."""
    speed: float = Field(0.5, ge=0, le=1)
    """Share of pieces played faster or slower, which moves their pitch."""
    speed_semitones: float = Field(2.0, ge=0, le=24)
    """Largest change of speed, either way."""
    equaliser: float = Field(0.5, ge=0, le=1)
    """Share of pieces through one to three gentle shelves and peaks."""
    equaliser_db: float = Field(4.0, ge=0, le=24)
    """Largest gain of a shelf or peak, either way."""
    mute: float = Field(0.02, ge=0, le=1)
    """Share of pieces silent for a stretch, or wholly."""
    dither: float = Field(0.5, ge=0, le=1)
    """Share of pieces with the triangular noise of 16-bit dither added, -96 dBFS."""

    @model_validator(mode="after")
    def _check(self) -> WaveformAugmentationSettings:
        if self.gain_low_db > self.gain_high_db:
            raise ValueError(f"gain_low_db {self.gain_low_db} is above gain_high_db {self.gain_high_db}")
        return self


class Filter(BaseModel):
    """One second-order filter of `audiovae.dsp.biquad`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["allpass", "peak", "low_shelf", "high_shelf"]
    frequency_hz: float
    q: float
    gain_db: float = 0.0

    def design(self, sample_rate: int) -> Section:
        """Coefficients (6,)."""
        if self.kind == "allpass":
            return allpass(self.frequency_hz, self.q, sample_rate)
        shape = {"peak": peak, "low_shelf": low_shelf, "high_shelf": high_shelf}[self.kind]
        return shape(self.frequency_hz, self.q, self.gain_db, sample_rate)


class Variation(BaseModel):
    """What is done to one piece. The default does nothing.

    Parameters
    ----------
    speed : ratio; 2 is an octave up in half the time.
    filters : in turn, the same for every channel.
    mute : start and end of the silence as shares of the length.
    gain_db : level; lowered where it would take the piece beyond full scale.
    flip : polarity turned round.
    dither_seed : seed of the dither; None adds none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speed: float = 1.0
    filters: tuple[Filter, ...] = ()
    mute: tuple[float, float] | None = None
    gain_db: float = 0.0
    flip: bool = False
    dither_seed: int | None = None


def draw_variation(rng: np.random.Generator, settings: WaveformAugmentationSettings, sample_rate: int) -> Variation:
    """A random variation; `sample_rate` in Hz bounds the filters."""
    s = settings
    drawn: dict[str, Any] = {"filters": ()}
    if rng.random() < s.speed:
        drawn["speed"] = float(2 ** (rng.uniform(-s.speed_semitones, s.speed_semitones) / 12))
    if rng.random() < s.phase:
        frequency_hz = _draw_frequency(rng, 20, 2000, sample_rate)
        drawn["filters"] = (Filter(kind="allpass", frequency_hz=frequency_hz, q=float(2 ** rng.uniform(-2, 2))),)
    if rng.random() < s.equaliser:
        drawn["filters"] += _draw_equaliser(rng, s.equaliser_db, sample_rate)
    if rng.random() < s.mute:
        drawn["mute"] = _draw_mute(rng)
    if rng.random() < s.gain:
        drawn["gain_db"] = float(rng.uniform(s.gain_low_db, s.gain_high_db))
    drawn["flip"] = bool(rng.random() < s.flip)
    if rng.random() < s.dither:
        drawn["dither_seed"] = int(rng.integers(2**32))
    return Variation(**drawn)


def apply_variation(audio: FloatArray, sample_rate: int, variation: Variation) -> FloatArray:
    """The varied piece.

    Parameters
    ----------
    audio : (channels, samples), full scale 1.0.
    sample_rate : Hz.

    Returns
    -------
    (channels, round(samples / variation.speed)) float32 in [-1, 1].
    """
    v = variation
    audio = change_speed(audio, v.speed)
    if v.filters:
        sections = np.stack([f.design(sample_rate) for f in v.filters])
        audio = signal.sosfilt(sections, audio, axis=1).astype(np.float32)
    if v.mute is not None:
        audio = audio * _mute_envelope(audio.shape[1], sample_rate, v.mute)
    largest = max(float(audio.max(initial=0)), -float(audio.min(initial=0)), 1e-9)
    gain = min(10 ** (v.gain_db / 20), FULL_SCALE / largest)
    audio = np.asarray(audio * (-gain if v.flip else gain), dtype=np.float32)
    return audio if v.dither_seed is None else audio + make_dither(v.dither_seed, audio.shape)


def change_speed(audio: FloatArray, ratio: float) -> FloatArray:
    """(channels, samples) played `ratio` times as fast, (channels, round(samples / ratio)): pitch moves with it."""
    if ratio == 1:
        return audio
    length = round(audio.shape[1] / ratio)
    # soxr's own count may be one off; what is outside a piece is silence.
    resampled = soxr.resample(np.ascontiguousarray(audio.T), ratio, 1.0, quality="HQ")[:length]
    return np.ascontiguousarray(np.pad(resampled, ((0, length - len(resampled)), (0, 0))).T)


def make_dither(seed: int, shape: tuple[int, ...]) -> FloatArray:
    """Noise of triangular density over two steps of 16 bits, float32: the sum of two uniform ones."""
    rng = np.random.default_rng(seed)
    noise = rng.random(shape, dtype=np.float32) - rng.random(shape, dtype=np.float32)
    return np.asarray(noise * np.float32(STEP))


def _draw_frequency(rng: np.random.Generator, low_hz: float, high_hz: float, sample_rate: int) -> float:
    """Uniform in octaves, below 0.4 of the rate."""
    return float(min(low_hz * (high_hz / low_hz) ** rng.random(), 0.4 * sample_rate))


def _draw_equaliser(rng: np.random.Generator, largest_db: float, sample_rate: int) -> tuple[Filter, ...]:
    bands: tuple[tuple[Literal["low_shelf", "peak", "high_shelf"], float, float], ...] = (
        ("low_shelf", 60, 400),
        ("peak", 200, 6000),
        ("high_shelf", 2000, 10000),
    )
    chosen = sorted(rng.permutation(len(bands))[: rng.integers(1, len(bands) + 1)])
    return tuple(
        Filter(
            kind=kind,
            frequency_hz=_draw_frequency(rng, low_hz, high_hz, sample_rate),
            q=float(rng.uniform(0.5, 1.5)) if kind == "peak" else SHELF_Q,
            gain_db=float(rng.uniform(-largest_db, largest_db)),
        )
        for kind, low_hz, high_hz in (bands[i] for i in chosen)
    )


def _draw_mute(rng: np.random.Generator) -> tuple[float, float]:
    """Ends drawn beyond the piece too, so that now and then all of it is silent."""
    start, end = np.clip(np.sort(rng.uniform(-0.25, 1.25, 2)), 0, 1)
    return float(start), float(end)


def _mute_envelope(length: int, sample_rate: int, mute: tuple[float, float]) -> FloatArray:
    """1 outside the mute, 0 within, (length,), straight slopes of 5 ms outside its ends."""
    slope = MUTE_FADE_S * sample_rate
    time = np.arange(length)
    start, end = (share * length for share in mute)
    return np.asarray(np.clip(np.maximum(start - time, time - end) / slope, 0, 1), dtype=np.float32)
