"""The spectral family as it is exported: two ONNX files, log-mel frames to principal latents and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from audiovae.codecs.session import open_session
from audiovae.dsp.transform import AudioTransform
from audiovae.export.family import FloatArray
from audiovae.export.onnx_file import free_shape, write_onnx
from audiovae.export.parity import check_parity
from audiovae.latent_space import LatentSpace
from audiovae.models.spectral import SpectralVAE
from audiovae.nn.projection import LatentProjection
from audiovae.training.spectral_task import SpectralSettings


class SpectralEncoder(nn.Module):
    """Log-mel frames (batch, n_mels, frames) to principal latents (batch, latent_size, frames // stride)."""

    def __init__(self, model: SpectralVAE, projection: LatentProjection) -> None:
        super().__init__()
        self.model, self.projection = model, projection

    def forward(self, spec: Tensor) -> Tensor:
        """Latent means."""
        return self.projection.project(self.model.encode(spec))


class SpectralDecoder(nn.Module):
    """Principal latents (batch, latent_size, frames) to log-mel frames (batch, n_mels, frames * stride)."""

    def __init__(self, model: SpectralVAE, projection: LatentProjection) -> None:
        super().__init__()
        self.model, self.projection = model, projection

    def forward(self, latents: Tensor) -> Tensor:
        """Frames, not below silence."""
        return torch.relu(self.model.decode(self.projection.unproject(latents)))


class SpectralExport:
    """The `ModelExport` of the spectral family."""

    channels = 1
    scored_from = 0
    metric = "log-mel RMSE, in deviations of each band"
    figures = {"held_out_rmse": "held-out files", "train_rmse": "training files"}
    limits = (
        "It plays whole files: there is no `model.ts` for nn~ and no block-wise playing in this family.\n"
        "Sound is rebuilt from mel magnitudes by Griffin-Lim: attacks are soft."
    )

    def __init__(self, model: SpectralVAE, settings: SpectralSettings) -> None:
        self.model, self.settings = model, settings
        self.transform = AudioTransform(settings.transform)
        self.sample_rate, self.latent_size = settings.transform.sample_rate, model.latent_size
        # A frame needs the whole of its own hop and half a window after it; the network looks at all of the file.
        self.latency_samples = settings.transform.hop_length * model.stride + settings.transform.n_fft // 2

    @torch.no_grad()
    def encode(self, audio: FloatArray) -> Tensor:
        """Latent means before the projection, (latent_size, frames), of audio (1, samples)."""
        mel = self.transform.mel_blocks(audio[0], self.model.stride)
        return self.model.encode(torch.from_numpy(self.transform.compress(mel))[None])[0]

    def write_files(
        self, folder: Path, projection: LatentProjection, prior: nn.Module | None = None
    ) -> dict[str, float]:
        """Write ``encoder.onnx`` and ``decoder.onnx``; a prior has no place in them."""
        metadata = {
            "family": self.settings.family,
            "transform": self.settings.transform.model_dump_json(),
            "stride": str(self.model.stride),
        }
        n_mels, stride, size = self.model.n_mels, self.model.stride, len(projection.basis)
        halves: tuple[tuple[str, nn.Module, tuple[str, str], int, int], ...] = (
            ("encoder", SpectralEncoder(self.model, projection).eval(), ("spec", "latents"), n_mels, stride),
            ("decoder", SpectralDecoder(self.model, projection).eval(), ("latents", "spec"), size, 1),
        )
        parity = {}
        for half, module, (before, after), channels, step in halves:
            path = folder / f"{half}.onnx"
            example = torch.zeros(2, channels, 8 * step)
            write_onnx(path, module, (example,), [before], [after], (free_shape(step),), metadata)
            parity[path.name] = check_parity(path.name, measure_parity(path, module, channels, step))
        return parity

    def decoder_tensors(self, projection: LatentProjection) -> dict[str, Tensor]:
        """What decides the sound of latents, by name."""
        tensors = SpectralDecoder(self.model, projection).state_dict()
        encoder = ("model.encoder", "model.linear_encoder")
        return {key: value for key, value in tensors.items() if not key.startswith(encoder)}

    def describe_latency(self, space: LatentSpace) -> str:
        """Whole files have no latency that a performer hears."""
        return "None: it plays whole files."


@torch.no_grad()
def measure_parity(path: Path, module: nn.Module, channels: int, stride: int, seed: int = 0) -> float:
    """Largest absolute difference between a module and its ONNX file over batches and lengths; NaN shows.

    Parameters
    ----------
    channels, stride : of the input (batch, channels, k * stride).
    """
    session = open_session(path)  # as it will be played
    name = session.get_inputs()[0].name
    rng = np.random.default_rng(seed)
    differences = []
    for batch, latent_frames in ((1, 1), (1, 7), (4, 64), (1, 500)):
        x = 2.0 * rng.standard_normal((batch, channels, latent_frames * stride)).astype(np.float32)
        expected = module(torch.from_numpy(x)).numpy()
        differences.append(np.abs(session.run(None, {name: x})[0] - expected).max())
    return float(np.max(differences))  # unlike the built-in max, NaN where one is NaN
