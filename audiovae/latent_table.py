"""Latent tables: courses of latents over time as Parquet files, and their values between their frames.

No torch. Latents are time first: (n_frames, latent_size).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audiovae.errors import LatentsError
from audiovae.latent_space import FloatArray, LatentSpace


def write_latents(path: str | Path, latents: FloatArray, space: LatentSpace) -> None:
    """Write a latent table (Parquet): ``time_s`` and one column a dimension, at the model's latent rate.

    Parameters
    ----------
    latents : (n_frames, latent_size).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    space.check(latents)
    columns = {"time_s": np.arange(len(latents)) / space.latent_rate}
    columns |= {name: latents[:, i].astype(np.float32) for i, name in enumerate(space.latent_names)}
    table = pa.table(columns).replace_schema_metadata(
        {"model_id": space.model_id, "model_name": space.model_name, "latent_rate": repr(space.latent_rate)}
    )
    path = Path(path)
    beside = path.with_name(path.name + ".part")
    pq.write_table(table, beside)
    os.replace(beside, path)


def read_latents(path: str | Path, space: LatentSpace) -> FloatArray:
    """Latents of a table written by `write_latents`, (n_frames, latent_size) float32.

    Raises
    ------
    LatentsError
        If the file is no latent table, or one of another model.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise LatentsError(f"{path}: not a latent table ({error}); `audiovae encode` makes one") from None
    metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    if metadata.get("model_id") != space.model_id:
        raise LatentsError(
            f"{path}: latents of model {metadata.get('model_name', '?')} "
            f"({metadata.get('model_id', '?')[:12]}) found; this is {space.model_name} ({space.model_id[:12]}): "
            "encode the sound again with this model"
        )
    try:
        return np.stack([table[name].to_numpy() for name in space.latent_names], axis=1).astype(np.float32)
    except (KeyError, ValueError) as error:
        raise LatentsError(
            f"{path}: not a latent table of {space.latent_size} dimensions ({error}); encode the sound again"
        ) from None


def resample_latents(latents: FloatArray, time_s: Sequence[float] | FloatArray, at_s: FloatArray) -> FloatArray:
    """Latents linearly interpolated from times `time_s` to times `at_s`; ends held.

    Parameters
    ----------
    latents : (n_frames, latent_size).
    time_s : (n_frames,) increasing seconds.
    at_s : (n,) seconds.

    Returns
    -------
    (n, latent_size) float64.
    """
    return np.stack([np.interp(at_s, time_s, column) for column in np.asarray(latents).T], axis=1)
