"""One source file decoded into the folder of an unfinished corpus, once.

`decode_file` leaves ``KEY.f32`` and then ``KEY.json`` there, and returns at once where both are from an
earlier run. So a killed run goes on where it stopped, and the calls may run in threads, processes or on other
machines that see the folder.
"""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from audiovae.corpus.audio_file import read_blocks
from audiovae.corpus.levels import measure_levels
from audiovae.corpus.sources import SourceFile
from audiovae.errors import AudioFileError, CorpusError
from audiovae.latent_space import replace_text


class DecodedFile(BaseModel):
    """What `decode_file` found. `reason` says why a file cannot be used, and is empty for one that can."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = ""
    length: int = 0
    peak: float = 0.0
    rms_db: float = 0.0
    silent_share: float = 0.0
    sha256: str = ""


def decode_file(file: SourceFile, parts: Path, sample_rate: int, channels: int) -> DecodedFile:
    """Decode one file into `parts`, or return what an earlier run left there.

    Raises
    ------
    OSError
        If `parts` cannot be written. An unreadable source is no error here but a `reason` in the result.
    """
    key = file.key(sample_rate, channels)
    audio, note = parts / f"{key}.f32", parts / f"{key}.json"
    known = _read_note(note, audio, channels)
    if known is not None:
        return known
    try:
        result = _decode(file.path, audio, sample_rate, channels)
    except AudioFileError as error:
        result = DecodedFile(reason=str(error).removeprefix(f"{file.path}: "))
    replace_text(note, result.model_dump_json())
    return result


def decode_shared(file: SourceFile, parts: Path, sample_rate: int, channels: int) -> DecodedFile:
    """`decode_file` on a machine that may not see the files.

    Raises
    ------
    CorpusError
        If it does not: that the file were missing would be a wrong reason to leave it out.
    OSError
        As `decode_file`.
    """
    for path in (file.path, parts):
        if not path.exists():
            raise CorpusError(
                f"{path}: not there on the worker {socket.gethostname()}; scheduler and workers need a shared file "
                "system, with the sources and the corpus under the same paths as here"
            )
    return decode_file(file, parts, sample_rate, channels)


def _decode(path: Path, audio: Path, sample_rate: int, channels: int) -> DecodedFile:
    digest = hashlib.sha256()
    # Named by who writes it: a cluster may give a file to a second worker while the first still writes.
    beside = audio.with_suffix(f".{socket.gethostname()}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            for block in read_blocks(path, sample_rate, channels):
                data = np.ascontiguousarray(block, dtype="<f4").data
                digest.update(data)
                stream.write(data)
        os.replace(beside, audio)
    finally:
        beside.unlink(missing_ok=True)
    samples = np.memmap(audio, dtype="<f4", mode="r").reshape(-1, channels)
    levels = measure_levels(samples, sample_rate)
    return DecodedFile(
        length=len(samples),
        peak=levels.peak,
        rms_db=levels.rms_db,
        silent_share=levels.silent_share,
        sha256=digest.hexdigest(),
    )


def _read_note(note: Path, audio: Path, channels: int) -> DecodedFile | None:
    if not note.is_file():
        return None
    try:
        result = DecodedFile.model_validate_json(note.read_bytes())
    except ValidationError:
        return None  # not from a finished write (a power cut): decode again
    size = audio.stat().st_size if audio.is_file() else 0
    return result if size == result.length * channels * 4 else None
