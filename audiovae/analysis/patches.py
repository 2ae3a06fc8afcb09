"""Sounds as points for distances between sets of sounds: two fixed embeddings, without learned weights.

Both are of mono sound at 44.1 kHz, whatever the models' rates, and of audible moments only. They know timbre, level and
movement within a second, nothing of melody or style: what is measured with them is not the FAD of the literature, whose
VGGish was trained on labelled sound. Their units are fixed, so that values of two runs compare.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from audiovae.dsp.descriptors import describe, frame_levels_db
from audiovae.dsp.mel import mel_filter_bank
from audiovae.dsp.stft import stft

FloatArray = npt.NDArray[np.floating[Any]]

SAMPLE_RATE = 44100
GATE_DB = -60.0  # re full scale; the gate of coverage
HOP_LENGTH = 1024

N_FFT, N_MELS, FLOOR_DB = 2048, 64, -80.0
PATCH_FRAMES, PATCH_STEP = 16, 8  # 0.37 s, every 0.19 s
KEPT = (16, 4)  # cosine coefficients along frequency and along time

WINDOW_FRAMES, WINDOW_STEP, LEAST_FRAMES = 43, 21, 4  # 1 s, every 0.5 s, of which 0.1 s audible
UNITS = {  # descriptor -> what counts as 1; those in Hz are taken in octaves
    "loudness": 6.0,
    "centroid": 1.0,
    "bandwidth": 1.0,
    "rolloff": 1.0,
    "zero_crossing_rate": 1.0,
    "flatness": 6.0,
    "flux": 1.0,
}


def to_analysis(audio: FloatArray, sample_rate: int) -> FloatArray:
    """(1, samples) at `SAMPLE_RATE` of (channels, samples) at another rate: the mean of the channels."""
    mono = np.asarray(np.asarray(audio, dtype=np.float32).mean(axis=0, keepdims=True))
    if sample_rate == SAMPLE_RATE:
        return mono
    divisor = int(np.gcd(SAMPLE_RATE, sample_rate))
    return np.asarray(signal.resample_poly(mono, SAMPLE_RATE // divisor, sample_rate // divisor, axis=1))


def embed(audio: FloatArray) -> dict[str, FloatArray]:
    """Points of a sound by every embedding.

    Parameters
    ----------
    audio : (1, samples) at `SAMPLE_RATE`.

    Returns
    -------
    ``mel`` -> `embed_mel`, ``descriptors`` -> `embed_descriptors`; without points where nothing is audible.
    """
    return {"mel": embed_mel(audio), "descriptors": embed_descriptors(audio)}


def embed_mel(audio: FloatArray) -> FloatArray:
    """Patches of the log-mel spectrogram as their lowest two-dimensional cosine coefficients.

    64 mel bands in dB, not below -80 dB re full scale, by 16 frames (0.37 s), every 8; orthonormal DCT-II, of which 16
    coefficients along frequency and 4 along time are kept. A shorter sound is one patch, filled with silence.

    Returns
    -------
    (n_patches, 64) float64 in dB: divided by the square root of the patch's size, so that the squared distance of two
    points is the mean square difference, in dB^2, of their smoothed patches.
    """
    audio = _fill(audio, PATCH_FRAMES)
    bank = mel_filter_bank(SAMPLE_RATE, N_FFT, N_MELS)
    bank /= bank.sum(axis=1, keepdims=True)
    magnitudes = np.abs(stft(audio[0], N_FFT, HOP_LENGTH)) / (N_FFT / 4)  # a full-scale sine is 1
    level_db = 20.0 * np.log10(np.maximum(bank @ magnitudes, 10.0 ** (FLOOR_DB / 20.0)))
    patches = _windows(level_db, PATCH_FRAMES, PATCH_STEP)
    audible = _windows(_audible(audio, level_db.shape[1]), PATCH_FRAMES, PATCH_STEP).any(axis=-1)
    cosines = fft.dctn(patches.transpose(1, 0, 2)[audible], axes=(1, 2), norm="ortho")[:, : KEPT[0], : KEPT[1]]
    return np.asarray(cosines.reshape(len(cosines), KEPT[0] * KEPT[1]) / np.sqrt(N_MELS * PATCH_FRAMES))


def embed_descriptors(audio: FloatArray) -> FloatArray:
    """Mean and deviation of seven descriptors over the audible frames of every second of sound.

    Loudness and flatness in units of 6 dB, centroid, bandwidth, rolloff and zero crossings in octaves, flux in dB a
    frame; windows of 1 s every 0.5 s. A window with less than 0.1 s of audible sound is left out.

    Returns
    -------
    (n_windows, 14) float64: seven means, seven deviations.
    """
    audio = _fill(audio, WINDOW_FRAMES)
    described = describe(audio, SAMPLE_RATE, HOP_LENGTH, list(UNITS))
    scaled = np.stack([_scale(name, values) / UNITS[name] for name, values in described.items()])
    frames = _windows(scaled, WINDOW_FRAMES, WINDOW_STEP)  # (descriptors, windows, frames)
    audible = _windows(_audible(audio, scaled.shape[1]), WINDOW_FRAMES, WINDOW_STEP)
    enough = audible.sum(axis=-1) >= LEAST_FRAMES
    frames, weight = frames[:, enough], audible[enough] / audible[enough].sum(axis=-1, keepdims=True)
    mean = (frames * weight).sum(axis=-1)
    deviation = np.sqrt(((frames - mean[..., None]) ** 2 * weight).sum(axis=-1))
    return np.concatenate([mean, deviation]).T


EMBEDDINGS = {
    "mel": "log-mel patches of 0.37 s as 64 cosine coefficients, dB²",
    "descriptors": "mean and deviation of seven descriptors over 1 s, in units of 6 dB and octaves, squared",
}


def _scale(name: str, values: FloatArray) -> FloatArray:
    """Hz as octaves re 1 Hz, flatness in dB, the rest as it is."""
    if name == "flatness":
        return np.asarray(10.0 * np.log10(np.maximum(values, 1e-10)))
    if name in ("loudness", "flux"):
        return values
    return np.asarray(np.log2(np.maximum(values, 1.0)))


def _audible(audio: FloatArray, n_frames: int) -> FloatArray:
    return np.asarray(frame_levels_db(audio, HOP_LENGTH, n_frames) > GATE_DB)


def _fill(audio: FloatArray, n_frames: int) -> FloatArray:
    missing = n_frames * HOP_LENGTH - audio.shape[1]
    return np.pad(audio, ((0, 0), (0, missing))) if missing > 0 else audio


def _windows(values: FloatArray, length: int, step: int) -> FloatArray:
    """(..., n_windows, length) of (..., frames), a view."""
    return np.lib.stride_tricks.sliding_window_view(values, length, axis=-1)[..., ::step, :]
