"""The latents of a whole corpus, encoded once a run by the exported model."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.corpus.corpus import Corpus
from audiovae.player import Player

FloatArray = npt.NDArray[np.floating[Any]]

CACHE = "latents.npz"


def encode_corpus(player: Player, corpus: Corpus, run: Path) -> list[FloatArray]:
    """Latents (n_frames, latent_size) of every file, in the order of ``corpus.files``.

    They are kept in the run folder for the next time, under the model's id and the sums of the sounds; a cache of
    others, or a damaged one, is made again.
    """
    sounds = [file.sha256 for file in corpus.files]
    kept = _read(run / CACHE, player.space.model_id, sounds)
    if kept is not None:
        return kept
    latents = [player.encode(corpus.read(file)) for file in corpus.files]
    run.mkdir(parents=True, exist_ok=True)
    beside = run / f"latents.{os.getpid()}.part.npz"  # under torchrun every process writes one
    np.savez(
        beside,
        latents=np.concatenate(latents),
        lengths=[len(table) for table in latents],
        model_id=player.space.model_id,
        sounds=sounds,
    )
    os.replace(beside, run / CACHE)
    return latents


def _read(path: Path, model_id: str, sounds: list[str]) -> list[FloatArray] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            if str(data["model_id"]) != model_id or data["sounds"].tolist() != sounds:
                return None
            return np.split(data["latents"], np.cumsum(data["lengths"])[:-1])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
