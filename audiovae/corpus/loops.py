"""Procedural loops: drums, bass, pads, plucks and percussion. The default corpus, made from a seed.

No samples and no licence questions: everything is synthesised here. Every loop is a whole number of bars,
seamless when repeated, in tune (A4 = 440 Hz) and in time.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiovae.corpus.audio_file import write_audio
from audiovae.corpus.drum_loops import DRUM_STYLES, PERCUSSION_STYLES, play_drums
from audiovae.corpus.loop_plan import draw_plan
from audiovae.corpus.synthesis import Signal, filter_band
from audiovae.corpus.tone_loops import (
    BASS_TEMPO_BPM,
    PAD_TEMPO_BPM,
    PLUCK_TEMPO_BPM,
    play_bass,
    play_pad,
    play_pluck,
)
from audiovae.corpus.workers import map_files
from audiovae.errors import AudioFileError, CorpusError

# The order in which loops are made: a third drums, every kind within the first five.
KINDS = ("drums", "bass", "pad", "pluck", "percussion", "drums", "bass", "pad", "drums")
VOICES = {
    "drums": tuple(DRUM_STYLES),
    "percussion": tuple(PERCUSSION_STYLES),
    "bass": ("saw", "fm", "square", "reese"),
    "pad": ("saw", "glass", "organ"),
    "pluck": ("string", "bell", "mallet"),
}

RMS_DB = -20.0  # wanted level
PEAK_DB = (-14.0, -6.0)  # bounds that go before it


@dataclass(frozen=True)
class Loop:
    """One loop: its name without suffix, and its sound (samples,), peaks between -14 and -6 dBFS."""

    name: str
    audio: Signal


@dataclass(frozen=True)
class LoopsSummary:
    """What `generate_loops` did."""

    out: Path
    files: tuple[Path, ...]
    duration_s: float

    def to_json(self) -> dict[str, object]:
        """The figures, for ``--json``."""
        return {
            "out": str(self.out),
            "files": [path.name for path in self.files],
            "duration_s": round(self.duration_s, 3),
        }

    def __str__(self) -> str:
        return f"{self.out}: {len(self.files)} loops, {self.duration_s:.1f} s"


def generate_loops(
    out: Path | str,
    count: int = 24,
    seed: int = 0,
    sample_rate: int = 44100,
    seconds: float = 4.0,
    kinds: Sequence[str] = KINDS,
    suffix: str = ".flac",
    workers: int | None = 1,
    progress: bool = True,
) -> LoopsSummary:
    """Write `count` mono loops, named by kind, number, tempo and key: ``bass_001_104bpm_amin.flac``.

    Same seed, same bytes; loop number i does not depend on `count`. A file that is there with the same bytes
    is left as it is, and so is every other file in the folder.

    Parameters
    ----------
    out : folder for the loops.
    count : loops.
    seed : any integer from 0.
    sample_rate : Hz.
    seconds : wanted length; a loop takes the nearest power of two of bars.
    kinds : the kinds in turn, of ``drums``, ``bass``, ``pad``, ``pluck``, ``percussion``.
    suffix : ``.flac``, ``.wav`` or ``.aiff``.
    workers : threads; None takes one per processor.
    progress : show a bar on stderr.

    Raises
    ------
    CorpusError
        If a setting is out of range, or `out` cannot be written.
    """
    out = Path(out)
    _check(count, seed, sample_rate, seconds, kinds, suffix)

    def make(i: int) -> tuple[Path, int]:
        kind = kinds[i % len(kinds)]
        before = sum(kinds[j % len(kinds)] == kind for j in range(i))
        loop = make_loop(kind, i, seed, sample_rate, seconds, voice=before)
        path = out / f"{loop.name}{suffix}"
        _write_if_other(path, loop.audio, sample_rate)
        return path, len(loop.audio)

    try:
        out.mkdir(parents=True, exist_ok=True)
        made = map_files(make, list(range(count)), workers, "loops", progress)
    except (OSError, AudioFileError) as error:
        raise CorpusError(f"{out}: loops cannot be written: {error}; choose another folder") from None
    return LoopsSummary(out, tuple(path for path, _ in made), sum(n for _, n in made) / sample_rate)


def make_loop(kind: str, index: int, seed: int, sample_rate: int = 44100, seconds: float = 4.0, voice: int = 0) -> Loop:
    """One loop. `voice` chooses among `VOICES` of its kind, in turn; `index` and `seed` draw all else."""
    rng = np.random.default_rng([seed, index])
    name = VOICES[kind][voice % len(VOICES[kind])]
    if kind in ("drums", "percussion"):
        style = (DRUM_STYLES if kind == "drums" else PERCUSSION_STYLES)[name]
        plan = draw_plan(rng, style.tempo_bpm, seconds, sample_rate)
        audio = play_drums(plan, style)
        label = f"{kind}_{index:03d}_{plan.tempo_bpm}bpm"
    else:
        tempo_bpm, play = {
            "bass": (BASS_TEMPO_BPM, play_bass),
            "pad": (PAD_TEMPO_BPM, play_pad),
            "pluck": (PLUCK_TEMPO_BPM, play_pluck),
        }[kind]
        plan = draw_plan(rng, tempo_bpm, seconds, sample_rate)
        audio = play(plan, name)
        label = f"{kind}_{index:03d}_{plan.tempo_bpm}bpm_{plan.key_name}"
    return Loop(label, normalise_loop(audio, sample_rate))


def normalise_loop(audio: Signal, sample_rate: int) -> Signal:
    """A ring without its constant part and rumble, at -20 dBFS RMS as far as the bounds of its peak allow."""
    n = len(audio)
    audio = filter_band(np.concatenate([audio, audio]), sample_rate, 25.0)[n:]
    peak = np.abs(audio).max()
    gain = 10 ** (RMS_DB / 20) / np.sqrt((audio**2).mean())
    low, high = (10 ** (bound / 20) / peak for bound in PEAK_DB)
    return np.asarray(audio * np.clip(gain, low, high))


def _write_if_other(path: Path, audio: Signal, sample_rate: int) -> None:
    fresh = write_audio(path.with_name(f"fresh-{path.name}"), audio, sample_rate)
    # The time of change stays with unchanged bytes, so that a corpus made of them is still up to date.
    if path.is_file() and filecmp.cmp(fresh, path, shallow=False):
        fresh.unlink()
    else:
        os.replace(fresh, path)


def _check(count: int, seed: int, sample_rate: int, seconds: float, kinds: Sequence[str], suffix: str) -> None:
    if count < 1 or seed < 0:
        raise CorpusError(f"count {count}, seed {seed}: expected 1 or more loops and a seed from 0")
    if not 8000 <= sample_rate <= 192000:
        raise CorpusError(f"sample rate {sample_rate} Hz: expected 8000 to 192000")
    if not 1 <= seconds <= 120:
        raise CorpusError(f"loops of {seconds} s: expected 1 to 120")
    unknown = [kind for kind in kinds if kind not in VOICES]
    if unknown or not kinds:
        raise CorpusError(f"kinds {', '.join(unknown) or '(none)'}: expected some of {', '.join(VOICES)}")
    if suffix not in (".flac", ".wav", ".aiff"):
        raise CorpusError(f"suffix {suffix!r}: expected .flac, .wav or .aiff")
