"""Frame descriptors of sound: level, loudness, and the shape and change of the spectrum. No torch.

Frame i describes samples [i * hop_length, (i + 1) * hop_length), the samples under latent frame i: levels
and zero crossings over exactly these samples, spectra through a longer window centred on their middle.
Channels are averaged as power, so that opposite phases do not cancel. Digital silence reads the floor in the
level descriptors and 0 in all others: mask with ``rms_db`` before averaging.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from audiovae.dsp.stft import stft
from audiovae.errors import SettingsError, ShapeError

FloatArray = npt.NDArray[np.floating[Any]]

LEVEL_FLOOR_DB = -120.0
_FLUX_FLOOR_DB = -80.0  # per bin; below it a change is not an onset
_ROLLOFF_SHARE = 0.85
_SHORTEST_WINDOW = 2048


def frame_levels_db(audio: FloatArray, hop_length: int, n_frames: int) -> FloatArray:
    """Level of the sound under each latent frame: mean power of the hop's samples.

    Parameters
    ----------
    audio : (channels, samples) in [-1, 1].
    hop_length : samples per frame.
    n_frames : count of frames; samples after the last are ignored, missing ones are silence.

    Returns
    -------
    (n_frames,) dB re full scale, not below `LEVEL_FLOOR_DB`; a full-scale sine is -3.01.

    Raises
    ------
    ShapeError
        If `audio` is not (channels, samples).
    """
    return _level_db((_hops(audio, hop_length, n_frames) ** 2).mean(axis=(0, 2)))


def a_weighting_db(frequency_hz: FloatArray) -> FloatArray:
    """Gain of the A-weighting curve in dB: 0 at 1 kHz, -19.1 at 100 Hz, not below `LEVEL_FLOOR_DB`.

    Source: the analogue prototype of IEC 61672-1 as printed at third-octave.com/a-weighting-formula,
    normalised here at 1 kHz itself instead of by the rounded +2.00 dB.
    """
    return _level_db(_a_weighting(frequency_hz) ** 2)


def describe(
    audio: FloatArray, sample_rate: int, hop_length: int, names: Sequence[str] | None = None
) -> dict[str, FloatArray]:
    """Descriptors of every frame of a sound.

    Parameters
    ----------
    audio : (channels, samples) in [-1, 1].
    sample_rate : Hz.
    hop_length : samples per frame.
    names : keys of `DESCRIPTORS`; all if None.

    Returns
    -------
    name -> (n_frames,) float64, finite, in the unit of `DESCRIPTORS`.
    n_frames is samples / hop_length rounded up. Needs about 40 kB of memory a frame while it works.

    Raises
    ------
    SettingsError
        If a name is unknown.
    ShapeError
        If `audio` is not (channels, samples).
    """
    chosen = list(DESCRIPTORS) if names is None else list(names)
    for name in chosen:
        if name not in DESCRIPTORS:
            near = get_close_matches(name, DESCRIPTORS, n=1, cutoff=0.0)[0]
            raise SettingsError(
                f"descriptor {name!r} is unknown: did you mean {near!r}? Known: {', '.join(DESCRIPTORS)}"
            )
    sound = _Sound(audio, sample_rate, hop_length)
    return {name: DESCRIPTORS[name].measure(sound).astype(np.float64) for name in chosen}


class _Sound:
    """A sound with what several descriptors need, each computed once, when first asked for."""

    def __init__(self, audio: FloatArray, sample_rate: int, hop_length: int) -> None:
        _check_shape(audio)
        self.audio = np.asarray(audio, dtype=np.float64)
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.n_frames = -(-self.audio.shape[1] // hop_length)

    @cached_property
    def power(self) -> FloatArray:
        """(n_frames, n_bins) mean power of each bin; a frame's sum is the mean power under its window."""
        # the window spans two hops at least, or sound between two frames would be missed
        n_fft = max(_SHORTEST_WINDOW, 2 ** int(np.ceil(np.log2(2 * self.hop_length))))
        # stft centres frame k on sample k * hop_length: zeros in front move frame i + 1 to mid-hop i
        before = self.hop_length - self.hop_length // 2
        padded = np.pad(self.audio.astype(np.float32), ((0, 0), (before, self.hop_length)))
        spectra = stft(padded, n_fft, self.hop_length)[..., 1 : self.n_frames + 1]
        power = (np.abs(spectra) ** 2).mean(axis=0).T / (n_fft * 0.375 * n_fft)  # 0.375: mean square of Hann
        power[:, 1:-1] *= 2.0  # the negative frequencies
        return np.asarray(power)  # float32: it is by far the largest array here

    @cached_property
    def magnitude(self) -> FloatArray:
        """(n_frames, n_bins), each frame of sum 1, or 0 where silent."""
        magnitude = np.sqrt(self.power)
        total = magnitude.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(magnitude, total, out=np.zeros_like(magnitude), where=total > 0))

    @cached_property
    def frequency_hz(self) -> FloatArray:
        """(n_bins,) centre of each bin."""
        return np.linspace(0.0, self.sample_rate / 2, self.power.shape[1], dtype=np.float32)


def _rms_db(sound: _Sound) -> FloatArray:
    """Level, as `frame_levels_db`."""
    return frame_levels_db(sound.audio, sound.hop_length, sound.n_frames)


def _loudness(sound: _Sound) -> FloatArray:
    """A-weighted level; weighting the whole sound at once gives the exact gain without delay."""
    samples = sound.audio.shape[1]
    n_fft = fft.next_fast_len(samples + sound.sample_rate // 10, real=True)  # keeps the end out of the start
    frequency_hz = fft.rfftfreq(n_fft, 1.0 / sound.sample_rate)
    weighted = fft.irfft(fft.rfft(sound.audio, n=n_fft) * _a_weighting(frequency_hz), n=n_fft)[:, :samples]
    return frame_levels_db(weighted, sound.hop_length, sound.n_frames)


def _centroid(sound: _Sound) -> FloatArray:
    """Mean frequency of the magnitude spectrum."""
    return np.asarray(sound.magnitude @ sound.frequency_hz)


def _bandwidth(sound: _Sound) -> FloatArray:
    """Standard deviation of frequency around the centroid, weighted by magnitude."""
    distance_hz = sound.frequency_hz - _centroid(sound)[:, None]
    return np.asarray(np.sqrt((sound.magnitude * distance_hz**2).sum(axis=1)))


def _rolloff(sound: _Sound) -> FloatArray:
    """Frequency below which 85 % of the magnitude lies."""
    reached = np.cumsum(sound.magnitude, axis=1) >= _ROLLOFF_SHARE  # all False in silence: argmax is bin 0
    return np.asarray(sound.frequency_hz[np.argmax(reached, axis=1)])


def _flatness(sound: _Sound) -> FloatArray:
    """Geometric over arithmetic mean of the power spectrum: 0 for a tone, exp(-0.577) for white noise."""
    mean = sound.power.mean(axis=1)
    relative = np.divide(sound.power, mean[:, None], out=np.ones_like(sound.power), where=mean[:, None] > 0)
    # the floor is relative, so that gain changes nothing
    return np.asarray(np.exp(np.log(np.maximum(relative, 1e-10)).mean(axis=1)) * (mean > 0))


def _flux(sound: _Sound) -> FloatArray:
    """Onset strength: mean over bins of what rose, in dB, since the frame before; 0 at the first frame."""
    level_db = np.maximum(_level_db(sound.power), _FLUX_FLOOR_DB)
    rise_db = np.maximum(np.diff(level_db, axis=0, prepend=level_db[:1]), 0.0)
    return np.asarray(rise_db.mean(axis=1))


def _zero_crossing_rate(sound: _Sound) -> FloatArray:
    """Changes of sign a second: twice the frequency of a sine."""
    negative = sound.audio < 0
    crossings = np.diff(negative, axis=1, prepend=negative[:, :1]).astype(np.float64)
    crossings_per_sample = _hops(crossings, sound.hop_length, sound.n_frames).mean(axis=(0, 2))
    return np.asarray(crossings_per_sample * sound.sample_rate)


@dataclass(frozen=True)
class Descriptor:
    """One descriptor: its unit and how it is measured, giving (n_frames,)."""

    unit: str
    measure: Callable[[_Sound], FloatArray]


# Centroid, bandwidth and rolloff are defined as in librosa (librosa/feature/spectral.py).
DESCRIPTORS: dict[str, Descriptor] = {
    "loudness": Descriptor("dBA re full scale", _loudness),
    "rms_db": Descriptor("dB re full scale", _rms_db),
    "centroid": Descriptor("Hz", _centroid),
    "bandwidth": Descriptor("Hz", _bandwidth),
    "rolloff": Descriptor("Hz", _rolloff),
    "flatness": Descriptor("ratio, 0 to 1", _flatness),
    "flux": Descriptor("dB per frame", _flux),
    "zero_crossing_rate": Descriptor("crossings per second", _zero_crossing_rate),
}


def _check_shape(audio: FloatArray) -> None:
    if audio.ndim != 2 or audio.shape[0] == 0:
        raise ShapeError(
            f"audio of shape {audio.shape} found, (channels, samples) expected; mono is audio[None]"
        )


def _hops(audio: FloatArray, hop_length: int, n_frames: int) -> FloatArray:
    """(channels, n_frames, hop_length) of (channels, samples), cut or filled with zeros at the end."""
    _check_shape(audio)
    used = np.asarray(audio[:, : n_frames * hop_length], dtype=np.float64)
    filled = np.pad(used, ((0, 0), (0, n_frames * hop_length - used.shape[1])))
    return filled.reshape(len(filled), n_frames, hop_length)


def _level_db(power: FloatArray) -> FloatArray:
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (LEVEL_FLOOR_DB / 10.0))))


def _a_weighting(frequency_hz: FloatArray) -> FloatArray:
    """Gain of the A-weighting filter, 1 at 1 kHz."""

    def response(f2: FloatArray) -> FloatArray:
        corners = np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2))
        return np.asarray(f2**2 / ((f2 + 20.6**2) * (f2 + 12194.0**2) * corners))

    return response(np.asarray(frequency_hz, dtype=np.float64) ** 2) / response(np.array(1000.0**2))
