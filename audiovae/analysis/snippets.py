"""Sounds inside a page: short mono MP3s as ``data:`` addresses."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]

RATE = 22_050  # Hz; one of the rates of MP3, and enough to tell sounds apart
FADE_S = 0.01


def embed_audio(audio: FloatArray, sample_rate: int) -> str:
    """A ``data:`` address of audio (channels, samples) as mono MP3 of about 4 kB a second; clipping is turned down."""
    import soundfile
    import soxr

    mono = np.asarray(audio, np.float32).mean(axis=0)
    if sample_rate != RATE:
        mono = soxr.resample(mono, sample_rate, RATE)
    mono = mono / max(1.0, float(np.abs(mono).max(initial=0.0)))
    fade = np.linspace(0.0, 1.0, max(1, min(round(FADE_S * RATE), len(mono) // 2)), dtype=np.float32)
    mono[: len(fade)] *= fade
    mono[len(mono) - len(fade) :] *= fade[::-1]
    buffer = io.BytesIO()
    soundfile.write(buffer, mono, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=0.8)
    return "data:audio/mpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
