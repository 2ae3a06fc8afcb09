"""A folder of audio files mirrored at another rate, with varied copies where asked for."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from audiovae.corpus.audio_file import (
    find_in_source,
    name_in_source,
    probe_audio,
    read_audio,
    write_audio,
)
from audiovae.corpus.augmented_copies import Copy, list_variations, plan_copies
from audiovae.corpus.waveform_augmentation import WaveformAugmentationSettings, apply_variation
from audiovae.corpus.workers import map_files
from audiovae.errors import AudioFileError, CorpusError


@dataclass(frozen=True)
class ResampleSummary:
    """What `resample` did: counts, and (name, reason) of the files that could not be resampled."""

    out: Path
    sample_rate: int
    written: int
    unchanged: int
    skipped: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, object]:
        """The figures, for ``--json``."""
        return {
            "out": str(self.out),
            "sample_rate": self.sample_rate,
            "written": self.written,
            "unchanged": self.unchanged,
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped],
        }

    def __str__(self) -> str:
        lines = [
            f"{self.out}: {self.written} files written at {self.sample_rate} Hz, "
            f"{self.unchanged} were there and unchanged"
        ]
        if self.skipped:
            lines.append(f"  skipped {len(self.skipped)}:")
            lines += [f"    {name}: {reason}" for name, reason in self.skipped]
        return "\n".join(lines)


def resample(
    source: Path | str,
    out: Path | str,
    sample_rate: int,
    *,
    suffix: str = ".wav",
    augment: int = 0,
    seed: int = 0,
    settings: WaveformAugmentationSettings | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> ResampleSummary:
    """Mirror a folder of audio at another rate. Channels are kept; run again, it does what is left.

    A file counts as done where its copy has the source's time of change and the asked rate: a copy gets that
    time when it is complete. Two files of a folder that differ in suffix only keep it: ``a.wav.flac``.

    Parameters
    ----------
    source : folder, searched recursively, or one file.
    out : folder for the copies, not within `source`.
    sample_rate : Hz.
    suffix : ``.wav`` (32-bit float) or ``.flac`` (24 bits; a file that resampling takes over full scale is
        skipped and listed, as flac would clip it).
    augment : varied copies beside each plain one, ``x__aug1.wav``; ``augmentation.json`` lists what was done.
        `prepare` keeps them on one side of the split with their original: give it `out` alone.
    seed : of the variations; the same one gives the same files.
    settings : how much they vary.
    workers : threads; None takes one per processor.
    progress : show a bar on stderr.

    Raises
    ------
    AudioFileError
        If the source does not exist.
    CorpusError
        If no file can be resampled, augmented copies are among the sources, or `out` cannot be used.
    """
    source, out = Path(source), Path(out)
    targets = _name_targets(source, out, suffix)
    _check(source, out, targets, sample_rate, suffix)
    do = partial(_resample_file, sample_rate=sample_rate)
    try:
        copies = plan_copies(targets, augment, seed, settings or WaveformAugmentationSettings(), sample_rate)
        list_variations(out, copies)
        results = map_files(do, copies, workers, "resample", progress)
    except (OSError, AudioFileError) as error:
        raise CorpusError(
            f"{error}; free space or choose another folder, then run again: what is done is kept"
        ) from None
    reasons = {c.source: result for c, result in zip(copies, results, strict=True) if isinstance(result, str)}
    skipped = tuple((name_in_source(path, source), reason) for path, reason in reasons.items())
    if len(skipped) == len(targets):
        some = "; ".join(f"{name}: {reason}" for name, reason in skipped[:5])
        raise CorpusError(f"{source}: no usable audio" + (f": {some}" if some else " file found in it"))
    return ResampleSummary(out, sample_rate, results.count(True), results.count(False), skipped)


def _check(source: Path, out: Path, targets: dict[Path, Path], sample_rate: int, suffix: str) -> None:
    if suffix not in (".wav", ".flac"):
        raise CorpusError(f"suffix {suffix!r}: expected .wav or .flac")
    if not 1000 <= sample_rate <= 384000:
        raise CorpusError(f"sample rate {sample_rate} Hz: expected 1000 to 384000")
    inside = source.is_dir() and out.resolve().is_relative_to(source.resolve())
    if inside or {t.resolve() for t in targets.values()} & {s.resolve() for s in targets}:
        raise CorpusError(f"{out}: the copies would mix with their sources; choose a folder beside {source}")


def _name_targets(source: Path, out: Path, suffix: str) -> dict[Path, Path]:
    """Where the copy of every file goes."""
    root = source if source.is_dir() else source.parent
    files = find_in_source(source)
    stems = Counter(path.with_suffix("") for path in files)
    targets = {}
    for path in files:
        relative = path.relative_to(root)
        alone = stems[path.with_suffix("")] == 1
        targets[path] = out / (relative.with_suffix(suffix) if alone else f"{relative}{suffix}")
    return targets


def _resample_file(copy: Copy, sample_rate: int) -> bool | str:
    """True where the copy was written now, False where it was there, a reason where there can be none."""
    source, target = copy.source, copy.target
    try:
        mtime_ns = source.stat().st_mtime_ns
        if target.is_file() and target.stat().st_mtime_ns == mtime_ns and _rate(target) == sample_rate:
            return False
        audio, _ = read_audio(source, sample_rate)
    except AudioFileError as error:
        return str(error).removeprefix(f"{source}: ")
    if copy.variation is not None:
        audio = apply_variation(audio, sample_rate, copy.variation)
    peak = float(np.abs(audio).max(initial=0))
    if target.suffix == ".flac" and peak > 1.0:
        return f"a peak of {peak:.3f} is over full scale and .flac would clip it; resample to .wav"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_audio(target, audio, sample_rate)
    os.utime(target, ns=(mtime_ns, mtime_ns))
    return True


def _rate(path: Path) -> int:
    try:
        return probe_audio(path).sample_rate
    except AudioFileError:
        return 0  # damaged: make it again
