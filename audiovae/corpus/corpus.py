"""A corpus: audio files decoded once, memory-mapped, split by source file. Reading only; `prepare` writes it.

On disk, a folder of two files:

``audio.f32``
    little-endian float32, (samples, channels) interleaved, the files one after another, whole, at one rate.
``corpus.json``
    what is where: rate, channels, settings, and for every file its name, split, place and levels. It is
    written last, so a folder without it is an unfinished corpus and does not open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from audiovae.errors import CorpusError

FORMAT = "audiovae corpus 1"
INDEX = "corpus.json"
AUDIO = "audio.f32"
UNFINISHED = "corpus.part"  # the folder of decoded files while `prepare` runs
AGAIN = "prepare the corpus again with --overwrite"

Split = Literal["train", "validation"]
FloatArray = npt.NDArray[np.float32]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceEntry(_Entry):
    """A source file by name, size and time of change: all three equal, it is taken for the same.

    Parameters
    ----------
    name : path below the source folder, with ``/``; unique in the corpus.
    size_bytes, mtime_ns : of the source file on disk.
    """

    name: str
    size_bytes: int
    mtime_ns: int

    @property
    def identity(self) -> tuple[str, int, int]:
        """What must be equal for a file to count as unchanged."""
        return (self.name, self.size_bytes, self.mtime_ns)


class CorpusFile(SourceEntry):
    """One source file in a corpus.

    Parameters
    ----------
    split : ``train`` or ``validation``; no file is in both.
    start, length : samples per channel at the corpus' rate.
    duration_s : seconds.
    peak : largest magnitude, full scale 1.0.
    rms_db : level over all channels, dB re full scale; `levels.SILENCE_DB` for digital silence.
    silent_share : share of its 50 ms blocks under -60 dBFS.
    sha256 : of the decoded samples, hexadecimal; equal for equal audio.
    """

    split: Split
    start: int
    length: int
    duration_s: float
    peak: float
    rms_db: float
    silent_share: float
    sha256: str


class SkippedFile(SourceEntry):
    """A source file that could not be used, and why."""

    reason: str


class CorpusSettings(_Entry):
    """What decides the bytes of a corpus, next to its source files. See `prepare.prepare`."""

    sample_rate: int
    channels: int
    validation_share: float
    seed: int


class CorpusIndex(_Entry):
    """Contents of ``corpus.json``. `samples` is the length of the audio, per channel."""

    format: str
    settings: CorpusSettings
    samples: int
    files: tuple[CorpusFile, ...]
    skipped: tuple[SkippedFile, ...]


class Corpus:
    """A finished corpus, open for reading; the audio stays on disk until it is read.

    Examples
    --------
    >>> corpus = Corpus.open("loops.corpus")                 # doctest: +SKIP
    >>> file = corpus.split("train")[0]                      # doctest: +SKIP
    >>> audio = corpus.read(file, start=0, length=65536)     # doctest: +SKIP
    """

    def __init__(self, path: Path, index: CorpusIndex, audio: npt.NDArray[Any]) -> None:
        self.path = path
        self.index = index
        self._audio = audio

    @classmethod
    def open(cls, path: Path | str) -> Corpus:
        """The corpus in a folder.

        Raises
        ------
        CorpusError
            If the folder is no corpus, an unfinished one, of another format, or damaged.
        """
        path = Path(path)
        index = read_index(path)
        audio = path / AUDIO
        expected = index.samples * index.settings.channels * 4
        found = audio.stat().st_size if audio.is_file() else 0
        if found != expected:
            raise CorpusError(f"{audio}: {found} bytes found, {expected} expected: damaged; {AGAIN}")
        mapped = np.memmap(audio, dtype="<f4", mode="r", shape=(index.samples, index.settings.channels))
        return cls(path, index, mapped)

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.index.settings.sample_rate

    @property
    def channels(self) -> int:
        """Channels of every file."""
        return self.index.settings.channels

    @property
    def files(self) -> tuple[CorpusFile, ...]:
        """Every file, in the order of the audio."""
        return self.index.files

    @property
    def duration_s(self) -> float:
        """Seconds of audio in all files."""
        return self.index.samples / self.sample_rate

    def split(self, name: str) -> list[CorpusFile]:
        """The files of ``train`` or ``validation``."""
        if name not in ("train", "validation"):
            raise CorpusError(f"no split {name!r} in a corpus; there are: train, validation")
        return [file for file in self.files if file.split == name]

    def read(self, file: CorpusFile, start: int = 0, length: int | None = None) -> FloatArray:
        """Samples of one file, a copy.

        Parameters
        ----------
        file : one of `files`.
        start : first sample within the file.
        length : samples; None reads to the end of the file.

        Returns
        -------
        (channels, length) float32.

        Raises
        ------
        CorpusError
            If the range is not within the file.
        """
        length = file.length - start if length is None else length
        if start < 0 or length < 0 or start + length > file.length:
            raise CorpusError(f"{file.name}: samples {start} to {start + length} asked for, it has 0 to {file.length}")
        begin = file.start + start
        return np.array(self._audio[begin : begin + length].T, dtype=np.float32, order="C")


def read_index(path: Path) -> CorpusIndex:
    """The checked contents of ``corpus.json`` in a corpus folder; the audio is not looked at.

    Raises
    ------
    CorpusError
        As for `Corpus.open`.
    """
    if not (path / INDEX).is_file():
        if (path / UNFINISHED).is_dir():
            raise CorpusError(
                f"{path}: its preparation was interrupted; run the same `audiovae corpus prepare` again, "
                "it goes on where it stopped"
            )
        raise CorpusError(f"{path}: no corpus here (no {INDEX}); make one with `audiovae corpus prepare`")
    try:
        index = CorpusIndex.model_validate_json((path / INDEX).read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise CorpusError(
            f"{path / INDEX}: damaged, or not of the format {FORMAT!r}: {where}: {problem['msg']}; {AGAIN}"
        ) from None
    _check_index(path, index)
    return index


def _check_index(path: Path, index: CorpusIndex) -> None:
    if index.format != FORMAT:
        raise CorpusError(f"{path}: format {index.format!r} found, {FORMAT!r} expected; {AGAIN}")
    if index.settings.channels < 1 or index.settings.sample_rate < 1 or not index.files:
        raise CorpusError(f"{path / INDEX}: damaged: {index.settings}, {len(index.files)} files; {AGAIN}")
    end = 0
    for file in index.files:
        if file.start != end or file.length < 1:
            raise CorpusError(
                f"{path / INDEX}: damaged: {file.name} has {file.length} samples from {file.start}, "
                f"the file before it ends at {end}; {AGAIN}"
            )
        end += file.length
    if end != index.samples:
        raise CorpusError(f"{path / INDEX}: damaged: its files have {end} samples, it states {index.samples}; {AGAIN}")
