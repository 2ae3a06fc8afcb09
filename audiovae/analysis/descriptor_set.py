"""The descriptors a latent space is held against: what is measured of every frame, and in which unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.pitch import measure_pitch
from audiovae.dsp.descriptors import DESCRIPTORS, describe

FloatArray = npt.NDArray[np.floating[Any]]

SPECTRAL = ("loudness", "centroid", "bandwidth", "flatness", "flux")
UNITS = {name: DESCRIPTORS[name].unit for name in SPECTRAL} | {"f0": "Hz", "periodicity": "ratio, 0 to 1"}
AUDIBLE_DB = -60.0  # dBA re full scale: below it no other descriptor means anything


def describe_sound(audio: FloatArray, sample_rate: int, hop_length: int) -> dict[str, FloatArray]:
    """Name in `UNITS` -> (n_frames,), for audio (channels, samples).

    All but the loudness are NaN in frames that are not audible, f0 also in those without a pitch.
    """
    described = describe(audio, sample_rate, hop_length, SPECTRAL)
    described["f0"], described["periodicity"] = measure_pitch(audio, sample_rate, hop_length)
    audible = described["loudness"] > AUDIBLE_DB
    return {name: np.where(audible | (name == "loudness"), values, np.nan) for name, values in described.items()}


def perceive(described: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """The same on scales on which equal steps sound alike: frequencies in octaves above 1 Hz."""
    return {
        name: np.log2(np.maximum(values, 1.0)) if UNITS[name] == "Hz" else values for name, values in described.items()
    }
