"""Audio files to a corpus: decode every file once, split by source file, write the index last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audiovae.corpus.cluster import map_on_cluster
from audiovae.corpus.corpus import (
    AUDIO,
    FORMAT,
    INDEX,
    UNFINISHED,
    Corpus,
    CorpusFile,
    CorpusIndex,
    CorpusSettings,
    SkippedFile,
)
from audiovae.corpus.decode import DecodedFile, decode_file, decode_shared
from audiovae.corpus.sources import SourceFile, list_sources
from audiovae.corpus.split import split_files
from audiovae.corpus.workers import count_workers, map_files
from audiovae.errors import CorpusError
from audiovae.latent_space import replace_text


@dataclass(frozen=True)
class PrepareSummary:
    """What `prepare` did. `decoded` counts the files read by this run; the others were there already."""

    path: Path
    index: CorpusIndex
    decoded: int

    def to_json(self) -> dict[str, object]:
        """The figures, for ``--json``."""
        train = [file for file in self.index.files if file.split == "train"]
        rate = self.index.settings.sample_rate
        return {
            "corpus": str(self.path),
            "sample_rate": rate,
            "channels": self.index.settings.channels,
            "files": len(self.index.files),
            "train_files": len(train),
            "validation_files": len(self.index.files) - len(train),
            "duration_s": round(self.index.samples / rate, 3),
            "train_duration_s": round(sum(file.length for file in train) / rate, 3),
            "silent_share": round(_silent_share(self.index), 4),
            "decoded_now": self.decoded,
            "skipped": [{"name": file.name, "reason": file.reason} for file in self.index.skipped],
        }

    def __str__(self) -> str:
        facts = self.to_json()
        lines = [
            f"{facts['corpus']}: {facts['files']} files, {facts['duration_s']:.1f} s at "
            f"{facts['sample_rate']} Hz, {facts['channels']} channel(s)",
            f"  {facts['train_files']} train, {facts['validation_files']} validation; "
            f"{100 * _silent_share(self.index):.1f} % of it under -60 dBFS; "
            + (f"{self.decoded} files read now" if self.decoded else "all was done before"),
        ]
        if self.index.skipped:
            lines.append(f"  skipped {len(self.index.skipped)}:")
            lines += [f"    {file.name}: {file.reason}" for file in self.index.skipped]
        return "\n".join(lines)


def prepare(
    sources: Sequence[Path | str],
    out: Path | str,
    *,
    sample_rate: int = 44100,
    channels: int = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    validation_share: float = 0.1,
    seed: int = 0,
    overwrite: bool = False,
    progress: bool = True,
) -> PrepareSummary:
    """Make a corpus of audio files and folders. Nothing is dropped: every readable file is kept whole.

    Unreadable files are skipped and listed with their reason. An interrupted run, called again, goes on where
    it stopped and gives the same bytes. A corpus that is already finished from these sources is left alone.

    Parameters
    ----------
    sources : files and folders (searched recursively).
    out : folder of the corpus; new, empty, or one of an earlier run.
    sample_rate : Hz; files are resampled to it.
    channels : files are folded or duplicated to it, see `audio_file.fold_channels`.
    workers : threads that decode; None takes one per processor.
    scheduler : address of a dask scheduler, ``tcp://host:8786``, whose workers decode instead; they see the same
        files under the same paths. The bytes are the same. A file that kills its workers is skipped and listed.
    validation_share : share of files for validation, in [0, 1). Unless 0, at least one where there are two
        or more. Files of equal audio, and versions of one source (``x.wav``, ``x__aug1.wav``), are never on both
        sides, see `split`.
    seed : of the split, which depends on the names alone.
    overwrite : replace a finished corpus made from other sources or settings.
    progress : show a bar on stderr.

    Raises
    ------
    CorpusError
        If no file is usable, `out` holds something else, or cannot be written; or the cluster fails.
    AudioFileError
        If a source does not exist.
    """
    out = Path(out)
    settings = _check_settings(sample_rate, channels, validation_share, seed)
    n_workers = count_workers(workers)
    if workers is not None and scheduler is not None:
        raise CorpusError(f"{workers} workers and the scheduler {scheduler}: expected one of the two")
    files = list_sources(sources)
    if not files:
        raise CorpusError(f"no audio file found in {', '.join(map(str, sources)) or 'no source'}")
    try:
        done = _find_finished(out, files, settings, overwrite)
        if done is not None:
            shutil.rmtree(out / UNFINISHED, ignore_errors=True)
            return PrepareSummary(out, done, decoded=0)
        parts = out / UNFINISHED
        parts.mkdir(parents=True, exist_ok=True)
        known = sum((parts / f"{file.key(sample_rate, channels)}.json").is_file() for file in files)
        if scheduler is None:
            do = partial(decode_file, parts=parts, sample_rate=sample_rate, channels=channels)
            decoded = map_files(do, files, n_workers, "decode", progress)
        else:
            do = partial(decode_shared, parts=parts.resolve(), sample_rate=sample_rate, channels=channels)
            resolved = [file.model_copy(update={"path": file.path.resolve()}) for file in files]
            decoded = map_on_cluster(do, resolved, scheduler, "decode", _give_up, progress)
        if all(result.reason for result in decoded):
            shutil.rmtree(parts)
            if not any(out.iterdir()):
                out.rmdir()
            raise CorpusError(f"no usable audio: {_name_some(files, decoded)}")
        index = _make_index(files, decoded, settings)
        _assemble(out, index, files)
    except OSError as error:
        raise CorpusError(
            f"{out}: cannot be written: {error.strerror or error}; free space or choose another folder, "
            "then run again: what is decoded is kept"
        ) from None
    return PrepareSummary(out, index, len(files) - known)


def _give_up(file: SourceFile) -> DecodedFile:
    return DecodedFile(reason="not readable: it killed every worker that read it")


def _check_settings(sample_rate: int, channels: int, validation_share: float, seed: int) -> CorpusSettings:
    if not 1000 <= sample_rate <= 384000:
        raise CorpusError(f"sample rate {sample_rate} Hz: expected 1000 to 384000")
    if not 1 <= channels <= 64:
        raise CorpusError(f"{channels} channels: expected 1 to 64")
    if not 0 <= validation_share < 1:
        raise CorpusError(f"validation share {validation_share}: expected 0 to less than 1, for example 0.1")
    return CorpusSettings(sample_rate=sample_rate, channels=channels, validation_share=validation_share, seed=seed)


def _find_finished(
    out: Path, files: Sequence[SourceFile], settings: CorpusSettings, overwrite: bool
) -> CorpusIndex | None:
    """The index of the corpus in `out` where it is what would be made; None where there is work to do."""
    if not (out / INDEX).exists():
        foreign = [path.name for path in out.iterdir()] if out.exists() else []
        if foreign and UNFINISHED not in foreign:
            raise CorpusError(f"{out}: holds {foreign[0]!r} and is no corpus; choose a new or an empty folder")
        return None
    if overwrite:
        return None
    index = Corpus.open(out).index
    same_files = {e.identity for e in (*index.files, *index.skipped)} == {file.identity for file in files}
    if index.settings == settings and same_files:
        return index
    other = f"settings ({index.settings})" if index.settings != settings else "or changed source files"
    raise CorpusError(
        f"{out}: a finished corpus of other {other}; choose another folder, or replace it with --overwrite"
    )


def _make_index(files: Sequence[SourceFile], decoded: Sequence[DecodedFile], settings: CorpusSettings) -> CorpusIndex:
    pairs = list(zip(files, decoded, strict=True))
    used = [(f, d) for f, d in pairs if not d.reason]
    skipped = tuple(
        SkippedFile(name=f.name, size_bytes=f.size_bytes, mtime_ns=f.mtime_ns, reason=d.reason)
        for f, d in pairs
        if d.reason
    )
    splits = split_files(
        [f.name for f, _ in used], [d.sha256 for _, d in used], settings.validation_share, settings.seed
    )
    entries: list[CorpusFile] = []
    start = 0
    for (f, d), split in zip(used, splits, strict=True):
        entry = CorpusFile(
            **f.model_dump(exclude={"path"}),
            **d.model_dump(exclude={"reason"}),
            split=split,
            start=start,
            duration_s=d.length / settings.sample_rate,
        )
        entries.append(entry)
        start += d.length
    return CorpusIndex(format=FORMAT, settings=settings, samples=start, files=tuple(entries), skipped=skipped)


def _assemble(out: Path, index: CorpusIndex, files: Sequence[SourceFile]) -> None:
    """Put the decoded files one after another, then the index, then remove the decoded files."""
    parts = out / UNFINISHED
    keys = {f.name: f.key(index.settings.sample_rate, index.settings.channels) for f in files}
    beside = parts / AUDIO
    with beside.open("wb") as stream:
        for file in index.files:
            with (parts / f"{keys[file.name]}.f32").open("rb") as part:
                shutil.copyfileobj(part, stream, 1 << 20)
    (out / INDEX).unlink(missing_ok=True)  # never an old index beside new audio
    os.replace(beside, out / AUDIO)
    replace_text(out / INDEX, index.model_dump_json(indent=1))
    shutil.rmtree(parts)


def _name_some(files: Sequence[SourceFile], decoded: Sequence[DecodedFile], count: int = 5) -> str:
    named = [f"{f.name}: {d.reason}" for f, d in zip(files, decoded, strict=True)]
    return "; ".join(named[:count]) + (f"; and {len(named) - count} more" if len(named) > count else "")


def _silent_share(index: CorpusIndex) -> float:
    return sum(file.silent_share * file.length for file in index.files) / index.samples
