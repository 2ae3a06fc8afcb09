"""Which files train and which validate."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from audiovae.corpus.corpus import Split


def split_files(names: Sequence[str], sha256: Sequence[str], share: float, seed: int) -> list[Split]:
    """Split of every file, from names and seed alone; files of equal audio stay on one side.

    Files are ranked by a hash of seed and name and the first ``round(share * n)`` (at least one, never all)
    validate. So adding a file to a corpus moves few others.
    """
    groups: dict[str, list[int]] = {}
    for i, digest in enumerate(sha256):
        groups.setdefault(digest, []).append(i)
    splits: list[Split] = ["train"] * len(names)
    if share == 0 or len(groups) < 2:
        return splits
    ranked = sorted(groups.values(), key=lambda group: _rank(names[group[0]], seed))
    wanted = max(1, round(share * len(names)))
    taken = 0
    for group in ranked[:-1]:
        if taken >= wanted:
            break
        taken += len(group)
        for i in group:
            splits[i] = "validation"
    return splits


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
