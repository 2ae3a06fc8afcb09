"""Which files a corpus is made of, under which names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from audiovae.corpus.audio_file import find_in_source, name_in_source
from audiovae.corpus.corpus import SourceEntry


class SourceFile(SourceEntry):
    """One file to prepare, and where it is."""

    path: Path

    def key(self, sample_rate: int, channels: int) -> str:
        """Name of its decoded form: the same for the same file, rate and channels only."""
        facts = (*self.identity, sample_rate, channels)
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def list_sources(sources: Sequence[Path | str]) -> list[SourceFile]:
    """Files to prepare, by name. Every file once, even when the sources overlap.

    A name is the path below its source folder; with several sources the folder's own name goes in front, and
    a count where two are called the same.

    Raises
    ------
    AudioFileError
        If a source does not exist.
    """
    files: list[SourceFile] = []
    seen: set[Path] = set()
    names: set[str] = set()
    for source in map(Path, sources):
        found = find_in_source(source)
        prefix = f"{source.resolve().name}/" if len(sources) > 1 and source.is_dir() else ""
        for path in found:
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            name = _unique(prefix + name_in_source(path, source), names)
            names.add(name)
            stat = path.stat()
            files.append(SourceFile(path=path, name=name, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns))
    return sorted(files, key=lambda file: file.name)


def _unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    stem, dot, suffix = name.rpartition(".")
    count = 2
    while f"{stem} ({count}){dot}{suffix}" in taken:
        count += 1
    return f"{stem} ({count}){dot}{suffix}"
