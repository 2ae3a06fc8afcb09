"""Which copies `resample` writes of every file: the plain one, and varied ones beside it.

What a varied copy is depends on the contents of its source, its number and the seed alone. So a run that was
interrupted goes on with the same copies, and a file under another name gets the same ones.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiovae.corpus.waveform_augmentation import Variation, WaveformAugmentationSettings, draw_variation
from audiovae.errors import CorpusError
from audiovae.latent_space import replace_text

LISTING = "augmentation.json"  # in the folder of the copies: what was done to each


@dataclass(frozen=True)
class Copy:
    """One file to write; `variation` is None for the plain copy."""

    source: Path
    target: Path
    variation: Variation | None = None


def plan_copies(
    targets: Mapping[Path, Path],
    count: int,
    seed: int,
    settings: WaveformAugmentationSettings,
    sample_rate: int,
) -> list[Copy]:
    """The plain copy of every source, and `count` varied ones: ``x.wav``, ``x__aug1.wav``, ``x__aug2.wav`` ...

    The double underscore keeps them on one side of a corpus' split, see `split.name_source`.

    Parameters
    ----------
    targets : where the plain copy of each source goes.
    count : varied copies of each.
    seed : another one gives other copies.
    sample_rate : Hz, of the copies.

    Raises
    ------
    CorpusError
        If `count` or `seed` is negative, or two copies would have the same name.
    OSError
        If a source cannot be read.
    """
    if count < 0 or seed < 0:
        raise CorpusError(f"{count} augmented copies, seed {seed}: expected both from 0")
    copies = []
    for source, target in targets.items():
        copies.append(Copy(source, target))
        content = _hash_content(source) if count else 0
        for i in range(1, count + 1):
            rng = np.random.default_rng([seed, i, content])
            variation = draw_variation(rng, settings, sample_rate)
            copies.append(Copy(source, target.with_name(f"{target.stem}__aug{i}{target.suffix}"), variation))
    twice = [target for target, n in Counter(copy.target for copy in copies).items() if n > 1]
    if twice:
        raise CorpusError(f"{twice[0].name}: an augmented copy is among the sources already; augment the originals")
    return copies


def list_variations(out: Path, copies: Sequence[Copy]) -> None:
    """Write into `out` what is done to each varied copy, before it is done.

    A copy that was varied in another way by an earlier run is removed, so that it is made again. Copies of
    earlier runs that are not among these stay, and stay listed.
    """
    wanted = {c.target.relative_to(out).as_posix(): c.variation.model_dump() for c in copies if c.variation}
    if not wanted:
        return
    listing = out / LISTING
    try:
        known = json.loads(listing.read_bytes()) if listing.is_file() else {}
    except ValueError as error:
        raise CorpusError(f"{listing}: damaged: {error}; remove it and the copies named __aug") from None
    wanted = json.loads(json.dumps(wanted))  # tuples as the lists that are read back
    for name, variation in wanted.items():
        if known.get(name) != variation:
            (out / name).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    replace_text(listing, json.dumps(dict(sorted((known | wanted).items())), indent=1))


def _hash_content(path: Path) -> int:
    with path.open("rb") as stream:
        return int.from_bytes(hashlib.file_digest(stream, "sha256").digest()[:16])
