"""What a family of models must give to be exported: the seam between the exporter and the families."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from audiovae.latent_space import LatentSpace
from audiovae.nn.projection import LatentProjection

FloatArray = npt.NDArray[np.floating[Any]]


class ModelExport(Protocol):
    """One trained model, ready to be written.

    Attributes
    ----------
    sample_rate : Hz.
    channels : of the audio.
    latent_size : dimensions before the projection.
    latency_samples : between sound in and the same sound out, encode plus decode.
    scored_from : step after which the log's scores compare with the exported checkpoint's.
    metric : what the log's figures are, with their unit.
    figures : entries of the log that the card shows, and what the card calls them.
    limits : what the card says this family cannot do.
    """

    sample_rate: int
    channels: int
    latent_size: int
    latency_samples: int
    scored_from: int
    metric: str
    figures: dict[str, str]
    limits: str

    def encode(self, audio: FloatArray) -> Tensor:
        """Latent means before the projection, (latent_size, frames), of audio (channels, samples)."""

    def write_files(
        self, folder: Path, projection: LatentProjection, prior: nn.Module | None = None
    ) -> dict[str, float]:
        """Write all that plays; the largest difference of each parity check.

        Parameters
        ----------
        prior : for the families that play in nn~: temperature (batch, 1, k) to latents (batch, latent_size, k).

        Raises
        ------
        ExportError
            If a file differs from the model.
        """

    def decoder_tensors(self, projection: LatentProjection) -> dict[str, Tensor]:
        """What decides the sound of latents, by name."""

    def describe_latency(self, space: LatentSpace) -> str:
        """What the card says of playing it live, Markdown."""
