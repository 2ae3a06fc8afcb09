"""The sidecar of a model, measured with the exported files themselves, and the identity in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from audiovae.codecs.codec import Codec
from audiovae.corpus.corpus import Corpus
from audiovae.dsp.descriptors import frame_levels_db
from audiovae.errors import CorpusError
from audiovae.latent_space import Cloud, LatentSpace


def measure_space(
    codec: Codec, corpus: Corpus, *, model_id: str, model_name: str, family: str, latency_samples: int
) -> LatentSpace:
    """Latents of every file of a corpus through an exported model, and their statistics.

    Parameters
    ----------
    codec : the exported files at work.
    corpus : at the codec's sample rate and channels, split.
    model_id, model_name, family, latency_samples : as in `LatentSpace`.

    Raises
    ------
    CorpusError, LatentsError
        If there is no file, or there are fewer than two training frames.
    """
    latents, levels, index = [], [], []
    for number, file in enumerate(corpus.files):
        audio = corpus.read(file)
        latents.append(codec.encode(audio))
        levels.append(frame_levels_db(audio, codec.hop_length, len(latents[-1])))
        index.append(np.full(len(latents[-1]), number, dtype=np.int32))
    if not latents:
        raise CorpusError(f"{corpus.path} holds no file")
    cloud = Cloud(
        np.concatenate(latents),
        np.concatenate(index),
        np.concatenate(levels).astype(np.float32),
        tuple(file.name for file in corpus.files),
        tuple(file.split for file in corpus.files),
    )
    return LatentSpace.from_cloud(
        cloud,
        model_id=model_id,
        model_name=model_name,
        family=family,
        sample_rate=codec.sample_rate,
        hop_length=codec.hop_length,
        latency_samples=latency_samples,
        channels=codec.channels,
    )


def identify_sound(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over what decides the sound of latents: the decoder's tensors and their names."""
    digest = hashlib.sha256()
    for key, value in sorted(tensors.items()):
        digest.update(json.dumps([key, list(value.shape)]).encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
