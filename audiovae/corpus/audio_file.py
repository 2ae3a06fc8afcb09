"""Audio files in and out: reading at any rate and channel count, writing, finding.

The one place where audiovae touches soundfile and soxr. Arrays are (channels, samples) float32, full
scale 1.0.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io.wavfile
import soundfile
import soxr

from audiovae.errors import AudioFileError

FloatArray = npt.NDArray[np.float32]

# Suffix -> what libsndfile is asked to write. Lossless where the format can be: 24 bits.
WRITABLE = {
    ".wav": ("WAV", "FLOAT"),
    ".flac": ("FLAC", "PCM_24"),
    ".aiff": ("AIFF", "PCM_24"),
    ".aif": ("AIFF", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
# Found in folders so that they are listed by name as skipped, not passed over in silence.
UNREADABLE = frozenset({".m4a", ".aac", ".mp4", ".wma"})
SUFFIXES = frozenset(WRITABLE) | {".oga", ".au", ".caf", ".w64", ".rf64", ".aifc"} | UNREADABLE

BLOCK_SIZE = 1 << 18  # samples decoded at a time: bounds the memory an hour-long file takes


@dataclass(frozen=True)
class AudioInfo:
    """What the header of an audio file says. `sample_rate` in Hz, `samples` per channel."""

    path: Path
    format: str
    sample_rate: int
    channels: int
    samples: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate


def probe_audio(path: Path | str) -> AudioInfo:
    """Header of an audio file; the samples are not decoded.

    Raises
    ------
    AudioFileError
        If there is no such file, it is empty, not audio, or of a format that is not read here.
    """
    with _open(Path(path)) as file:
        return _info(Path(path), file)


def read_audio(path: Path | str, sample_rate: int | None = None, channels: int | None = None) -> tuple[FloatArray, int]:
    """All samples of an audio file, and their rate.

    Parameters
    ----------
    path : wav, flac, ogg, mp3, opus, aiff, and what else libsndfile reads.
    sample_rate : Hz, resampled with soxr at its HQ setting; None keeps the file's.
    channels : folded or duplicated as `fold_channels` does; None keeps the file's.

    Returns
    -------
    (channels, samples) float32, and the rate in Hz. Float and lossy files may exceed 1.0: nothing is clipped.

    Raises
    ------
    AudioFileError
        If the file is missing, empty, not audio, damaged (a FLAC cut short is; what can be decoded of a
        WAV, AIFF, Ogg or MP3 cut short is read), or holds NaN.
    """
    rate = sample_rate or probe_audio(path).sample_rate
    blocks = list(read_blocks(path, rate, channels))
    return np.ascontiguousarray(np.concatenate(blocks).T), rate


def read_blocks(path: Path | str, sample_rate: int | None, channels: int | None) -> Iterator[FloatArray]:
    """The samples of a file as blocks (samples, channels); concatenated, they are what `read_audio` returns.

    A file that gives no sample at all is an AudioFileError; errors as for `read_audio`.
    """
    path = Path(path)
    n_samples = 0
    with _open(path) as file:
        info = _info(path, file)
        rate = sample_rate or info.sample_rate
        wanted = channels or info.channels
        narrow = min(wanted, info.channels)  # resample the fewer channels
        stream = None
        if rate != info.sample_rate:
            stream = soxr.ResampleStream(info.sample_rate, rate, narrow, dtype="float32", quality="HQ")
        for block in _decode(path, file, info):
            block = fold_channels(block, narrow)
            if stream is not None:
                # The empty block at the end of the file flushes the resampler.
                block = stream.resample_chunk(block, last=len(block) == 0).reshape(-1, narrow)
            n_samples += len(block)
            yield fold_channels(block, wanted)
    if n_samples == 0:
        raise AudioFileError(
            f"{path}: its {info.samples} sample(s) at {info.sample_rate} Hz make none at {rate} Hz; "
            "use a higher sample rate or leave the file out"
        )


def fold_channels(audio: npt.NDArray[Any], channels: int) -> npt.NDArray[Any]:
    """(samples, channels) with another channel count.

    To fewer: output j is the mean of the inputs j, j + channels, ... (mono: the mean of all).
    To more: output j is input j modulo their count (mono: copied to all).
    """
    found = audio.shape[1]
    if found == channels:
        return audio
    if found < channels:
        return audio[:, np.arange(channels) % found]
    # Stacked along the first axis, where numpy's mean is ten times as fast as along the short last one.
    folded = [np.mean([audio[:, i] for i in range(j, found, channels)], axis=0) for j in range(channels)]
    return np.stack(folded, axis=1)


def write_audio(path: Path | str, audio: npt.ArrayLike, sample_rate: int) -> Path:
    """The path written: audio in the format of the suffix, written beside and then renamed.

    Parameters
    ----------
    path : .wav (32-bit float), .flac or .aiff (24 bits), .ogg (Vorbis), .opus (8, 12, 16, 24 or 48 kHz),
        .mp3. wav, flac and aiff get the same bytes for the same audio.
    audio : (channels, samples) or (samples,), finite. Beyond 1.0 only .wav can hold it.
    sample_rate : Hz.

    Raises
    ------
    AudioFileError
        If the suffix is another one, the audio is not finite or has no samples, the format would clip it,
        or the file cannot be written.
    """
    path = Path(path)
    samples = np.atleast_2d(np.asarray(audio, dtype=np.float32)).T
    _check_writable(path, samples)
    part = path.with_name(path.name + ".part")
    try:
        if path.suffix.lower() == ".wav":
            # libsndfile stamps float files with the time of writing; the same audio must give the same bytes.
            scipy.io.wavfile.write(part, sample_rate, np.ascontiguousarray(samples))
        else:
            _write_blocks(part, samples, sample_rate, *WRITABLE[path.suffix.lower()])
        os.replace(part, path)
    except (OSError, ValueError, soundfile.SoundFileError) as error:
        part.unlink(missing_ok=True)
        raise AudioFileError(f"{path}: cannot be written at {sample_rate} Hz: {error}") from None
    return path


def find_audio(paths: Iterable[Path | str]) -> list[Path]:
    """Audio files under the given files and folders, sorted within each, every file once.

    Folders are searched recursively for the suffixes in `SUFFIXES`. Hidden files and folders, links to
    folders, and anything that is not a plain file are passed over. A file named directly is always taken.

    Raises
    ------
    AudioFileError
        If one of the paths does not exist.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        for file in find_in_source(path):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def find_in_source(source: Path) -> list[Path]:
    """Audio files of one file or folder, sorted. See `find_audio`."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise AudioFileError(f"{source}: no such file or folder")
    files = []
    for folder, folders, names in os.walk(source, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(file for file in files if file.suffix.lower() in SUFFIXES and file.is_file())


def name_in_source(path: Path, source: Path) -> str:
    """Name of a file below its source folder, with ``/``; printable even where the disk's name is no UTF-8."""
    relative = path.relative_to(source) if source.is_dir() else Path(path.name)
    return relative.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _refuse_folder(error: OSError) -> None:
    raise AudioFileError(f"{error.filename}: folder cannot be read: {error.strerror}")


def _open(path: Path) -> soundfile.SoundFile:
    if not path.is_file():
        raise AudioFileError(f"{path}: no such audio file")
    if path.suffix.lower() in UNREADABLE:
        raise AudioFileError(
            f"{path}: {path.suffix} is not read here (libsndfile has no decoder for it); "
            "convert it first, for example with: ffmpeg -i IN OUT.flac"
        )
    try:
        if path.stat().st_size == 0:
            raise AudioFileError(f"{path}: empty, 0 bytes")
        return soundfile.SoundFile(os.fsencode(path))  # as text, a name that is no UTF-8 cannot be opened
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be opened: {error.strerror}") from None
    except (soundfile.SoundFileError, TypeError) as error:
        # TypeError: soundfile takes a suffix of its own (.raw) for headerless audio and asks for the rate.
        raise AudioFileError(f"{path}: not readable audio, or damaged: {_reason(error)}") from None


def _info(path: Path, file: soundfile.SoundFile) -> AudioInfo:
    if file.frames == 0:
        raise AudioFileError(f"{path}: no samples in it, only a header")
    if file.frames >= 1 << 48:
        raise AudioFileError(
            f"{path}: its header states no length, as a stream does; "
            "rewrite it, for example with: ffmpeg -i IN OUT.flac"
        )
    return AudioInfo(path, file.format, file.samplerate, file.channels, file.frames)


def _decode(path: Path, file: soundfile.SoundFile, info: AudioInfo) -> Iterator[FloatArray]:
    """Blocks (samples, channels) of an open file, an empty one at its end."""
    done = 0
    more = True
    while more:
        try:
            block = file.read(BLOCK_SIZE, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            where = f"damaged after {done} of {info.samples} samples"
            raise AudioFileError(f"{path}: {where}: {_reason(error)}") from None
        more = len(block) > 0
        done += len(block)
        if not np.isfinite(block).all():
            raise AudioFileError(f"{path}: holds NaN or infinite samples")
        yield block
    # The length in an MP3's header is an estimate: there the end is where decoding ends.
    if done < info.samples and info.format != "MP3":
        raise AudioFileError(f"{path}: cut short: {done} of {info.samples} samples can be read")


def _check_writable(path: Path, samples: FloatArray) -> None:
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise AudioFileError(f"{path}: cannot write {suffix or 'no suffix'}; use {', '.join(WRITABLE)}")
    if samples.size == 0 or not np.isfinite(samples).all():
        raise AudioFileError(f"{path}: not written: audio of shape {samples.T.shape} is empty or not finite")
    peak = float(np.abs(samples).max())
    if suffix != ".wav" and peak > 1.0:
        raise AudioFileError(
            f"{path}: a peak of {peak:.3f} is over full scale and {suffix} would clip it; "
            "lower the level, or write .wav (32-bit float holds it)"
        )


def _write_blocks(part: Path, samples: FloatArray, rate: int, file_format: str, subtype: str) -> None:
    channels = samples.shape[1]
    name = os.fsencode(part)
    with soundfile.SoundFile(name, "w", rate, channels, subtype=subtype, format=file_format) as file:
        # Block by block: libsndfile's Vorbis encoder overflows the stack on minutes in one call.
        for start in range(0, len(samples), 1 << 16):
            file.write(samples[start : start + (1 << 16)])


def _reason(error: Exception) -> str:
    """The library's words without the path that ours already names."""
    return str(error).rpartition(": ")[2].rstrip(".")
