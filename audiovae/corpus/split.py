"""Which files train and which validate: files of one source stay together.

Files whose names agree up to a double underscore are versions of one source: ``x.wav`` and its varied copies
``x__aug1.wav``, ``x__aug2.wav``; ``bass-0007__slap-bass_104bpm.flac`` and ``bass-0007__tuba_96bpm.flac``. With one
of them in training and another held out, the held-out error would measure memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from audiovae.corpus.corpus import Split


def split_files(names: Sequence[str], sha256: Sequence[str], share: float, seed: int) -> list[Split]:
    """Split of every file, from names and seed alone; versions of a source and equal audio stay on one side.

    Groups are ranked by a hash of seed and first name; from the first on they validate, until
    ``round(share * n)`` files (at least one, never all) do. So adding a file to a corpus moves few others.
    """
    groups = _group(names, sha256)
    splits: list[Split] = ["train"] * len(names)
    if share == 0 or len(groups) < 2:
        return splits
    ranked = sorted(groups, key=lambda group: _rank(min(names[i] for i in group), seed))
    wanted = max(1, round(share * len(names)))
    taken = 0
    for group in ranked[:-1]:
        if taken >= wanted:
            break
        taken += len(group)
        for i in group:
            splits[i] = "validation"
    return splits


def name_source(name: str) -> str:
    """The source that a file is a version of: its name without suffix, up to the first ``__`` after the folder."""
    folder, slash, file = name.rpartition("/")
    stem = file.rpartition(".")[0] or file
    return folder + slash + (stem.partition("__")[0] or stem)


def _group(names: Sequence[str], sha256: Sequence[str]) -> list[list[int]]:
    """Files that must not be parted: linked, over any number of files, by one source or by equal audio."""
    parent = list(range(len(names)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[tuple[str, str], int] = {}
    for i, (name, digest) in enumerate(zip(names, sha256, strict=True)):
        for mark in (("source", name_source(name)), ("audio", digest)):
            parent[root(i)] = root(first.setdefault(mark, i))
    groups: dict[int, list[int]] = {}
    for i in range(len(names)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
