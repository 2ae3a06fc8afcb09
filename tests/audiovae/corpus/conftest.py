"""Audio made for the tests: sines, and a folder of loops with good and bad files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from audiovae.corpus.audio_file import write_audio

MakeSine = Callable[..., npt.NDArray[np.float32]]
Measure = Callable[..., tuple[float, float]]


@pytest.fixture(scope="session")
def make_sine() -> MakeSine:
    """A function that gives sines (channels, samples); channel c is c semitones higher than the first."""

    def make(
        sample_rate: int, seconds: float = 0.5, hz: float = 1000.0, level: float = 0.5, channels: int = 1
    ) -> npt.NDArray[np.float32]:
        time_s = np.arange(round(seconds * sample_rate)) / sample_rate
        rows = [level * np.sin(2 * np.pi * hz * 2 ** (c / 12) * time_s) for c in range(channels)]
        return np.array(rows, dtype=np.float32)

    return make


@pytest.fixture(scope="session")
def measure_sine() -> Measure:
    """A function that gives amplitude and residual (both RMS re amplitude) of the sine `hz` in (samples,)."""

    def measure(audio: npt.NDArray[np.float32], sample_rate: int, hz: float = 1000.0) -> tuple[float, float]:
        middle = audio[len(audio) // 8 : -len(audio) // 8].astype(np.float64)
        phase = 2 * np.pi * hz * np.arange(len(middle)) / sample_rate
        basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
        weights = np.linalg.lstsq(basis, middle, rcond=None)[0]
        amplitude = float(np.hypot(*weights))
        residual = float(np.sqrt(((middle - basis @ weights) ** 2).mean())) / amplitude
        return amplitude, residual

    return measure


@pytest.fixture
def loops(tmp_path: Path, make_sine: MakeSine) -> Path:
    """A folder of twelve short readable files of several formats and rates, one silent, in two folders."""
    folder = tmp_path / "loops"
    (folder / "deep").mkdir(parents=True)
    for i in range(8):
        rate = (44100, 48000, 22050)[i % 3]
        write_audio(folder / f"tone_{i}.wav", make_sine(rate, 0.1 + 0.03 * i, 200.0 + 50 * i), rate)
    for i in range(3):
        write_audio(folder / "deep" / f"pair_{i}.flac", make_sine(44100, 0.2, 300.0 + i, channels=2), 44100)
    write_audio(folder / "silence.wav", np.zeros((1, 4410)), 44100)
    return folder


@pytest.fixture
def bad_files(tmp_path: Path, make_sine: MakeSine) -> dict[Path, str]:
    """Files that cannot be used, each with a word that the reason must hold."""
    folder = tmp_path / "bad"
    folder.mkdir()
    whole = write_audio(folder / "whole.flac", make_sine(44100), 44100).read_bytes()
    header = write_audio(folder / "whole.wav", make_sine(44100), 44100).read_bytes()
    for name in ("whole.flac", "whole.wav"):
        (folder / name).unlink()
    contents = {
        "empty.wav": (b"", "empty"),
        "text.wav": (b"not audio at all, but a text\n" * 40, "not readable"),
        "text.mp3": (b"not audio at all, but a text\n" * 40, "not readable"),
        "noise.flac": (np.random.default_rng(0).bytes(5000), "not readable"),
        "half.flac": (whole[: len(whole) // 2], "damaged"),
        "header.flac": (whole[:30], "not readable"),
        "header.wav": (header[:20], "not readable"),
        "talk.m4a": (b"\0\0\0\x20ftypM4A ", "ffmpeg"),
    }
    for name, (data, _) in contents.items():
        (folder / name).write_bytes(data)
    reasons = {folder / name: word for name, (_, word) in contents.items()}
    nan = folder / "nan.wav"
    import scipy.io.wavfile

    scipy.io.wavfile.write(nan, 44100, np.array([0.0, np.nan, 0.0], dtype=np.float32))
    no_samples = folder / "no_samples.wav"
    scipy.io.wavfile.write(no_samples, 44100, np.zeros(0, dtype=np.int16))
    return reasons | {nan: "NaN", no_samples: "no samples"}
