"""Training the temporal spectral VAE."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor, nn

from audiovae.corpus.corpus import Corpus
from audiovae.dsp.transform import AudioTransform, TransformSettings
from audiovae.errors import CorpusError
from audiovae.models.spectral import SpectralVAE, SpectralVAESettings
from audiovae.settings import Settings
from audiovae.training.augmentation import MelAugmentationSettings, MelExcerpts
from audiovae.training.losses import RECONSTRUCTION_LOSSES, ReconstructionLoss, kl_divergence, weighted_sum
from audiovae.training.schedules import cosine_decay, ramp
from audiovae.training.task import TrainerSettings

FloatArray = npt.NDArray[np.floating[Any]]


class SpectralTrainingSettings(Settings):
    """How a `SpectralVAE` is trained."""

    batch_size: int = Field(32, ge=1)
    """Excerpts a step."""
    excerpt_frames: int = Field(128, ge=1)
    """Mel frames an excerpt, a multiple of the stride."""
    learning_rate: float = Field(1e-3, gt=0)
    """Highest rate; it warms up over 50 steps and falls by a cosine to the end of the run."""
    weight_decay: float = Field(0.0, ge=0)
    """Pull of the weights to zero (AdamW)."""
    clip_norm: float = Field(1.0, gt=0)
    """Largest norm of a gradient."""
    reconstruction: ReconstructionLoss = "mse"
    """What is compared, in units of each band's deviation."""
    beta: float = Field(1e-4, ge=0)
    """Weight of the KL divergence: larger makes a smoother latent that keeps less."""
    beta_warmup: int = Field(200, ge=0)
    """Steps until beta is reached."""


class SpectralSettings(Settings):
    """A whole run of the spectral family; a preset is one of these as TOML."""

    family: Literal["spectral"] = "spectral"
    transform: TransformSettings = TransformSettings()
    model: SpectralVAESettings = SpectralVAESettings()
    training: SpectralTrainingSettings = SpectralTrainingSettings()
    augmentation: MelAugmentationSettings = MelAugmentationSettings()
    trainer: TrainerSettings = TrainerSettings()


class SpectralTask:
    """Data, model, optimiser and losses of one spectral run.

    Parameters
    ----------
    settings : `SpectralSettings`.
    corpus : prepared at the transform's sample rate, mono.

    Raises
    ------
    CorpusError
        If the corpus is of another rate, or not mono.
    """

    def __init__(self, settings: SpectralSettings, corpus: Corpus) -> None:
        check_corpus(corpus, settings.transform)
        self.settings = settings
        self.sample_rate = settings.transform.sample_rate
        self.transform = AudioTransform(settings.transform)
        self._train = self._mels(corpus, "train")
        self._validation = self._mels(corpus, "validation")
        torch.manual_seed(settings.trainer.seed)
        self.model = SpectralVAE(settings.model, settings.transform.n_mels)
        spec = torch.from_numpy(self.transform.compress(np.concatenate(self._train, axis=1)))
        self.model.initialise_statistics(spec)
        self.model.initialise_linear(spec)
        self.networks: dict[str, nn.Module] = {"model": self.model}
        t = settings.training
        optimiser = torch.optim.AdamW(
            self.model.parameters(), t.learning_rate, betas=(0.9, 0.99), weight_decay=t.weight_decay
        )
        self.optimisers: dict[str, torch.optim.Optimizer] = {"model": optimiser}
        self._excerpts = MelExcerpts(self._train, settings.augmentation)
        self._wrapped: Any = None

    def setup(self, fabric: Fabric) -> None:
        """Move the model to the device and wrap it for several processes."""
        self._wrapped, self._optimiser = fabric.setup(self.model, self.optimisers["model"])

    def step(self, fabric: Fabric, step: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """One step; losses ``reconstruction``, ``kl`` (nats a latent frame) and ``total``."""
        s, t = self.settings, self.settings.training
        rate = t.learning_rate * ramp(step + 1, 50) * cosine_decay(step, s.trainer.max_steps, floor=0.01)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        mel = self._excerpts.draw(rng, t.batch_size, t.excerpt_frames)
        spec = torch.from_numpy(self.transform.compress(mel)).to(fabric.device)
        estimate, target, mean, log_variance = self._wrapped(spec)
        losses = {
            "reconstruction": RECONSTRUCTION_LOSSES[t.reconstruction](estimate, target),
            "kl": kl_divergence(mean, log_variance).mean(),
        }
        total = weighted_sum(losses, {"reconstruction": 1.0, "kl": t.beta * ramp(step, t.beta_warmup)})
        self._optimiser.zero_grad()
        fabric.backward(total)
        fabric.clip_gradients(self._wrapped, self._optimiser, max_norm=t.clip_norm)
        self._optimiser.step()
        return {name: value.detach() for name, value in losses.items()} | {"total": total.detach()}

    def validate(self, model: nn.Module) -> dict[str, Any]:
        """Log-mel RMSE in units of each band's deviation, on both splits, and statistics of every dimension."""
        assert isinstance(model, SpectralVAE)
        held_out, mean, log_variance = self._measure(model, self._validation)
        train, _, _ = self._measure(model, self._train)
        return {
            "score": held_out,
            "held_out_rmse": held_out,
            "train_rmse": train,
            "latent_mean": mean.mean(dim=1).tolist(),
            "latent_std": mean.std(dim=1).tolist(),
            "latent_kl": kl_divergence(mean, log_variance).mean(dim=1).tolist(),
        }

    def examples(self, model: nn.Module) -> dict[str, FloatArray]:
        """Two held-out files of at most six seconds, original and decoded."""
        assert isinstance(model, SpectralVAE)
        sounds = {}
        for index, mel in enumerate(self._validation[:2]):
            spec = self.transform.compress(mel[:, : int(6 * self.sample_rate / self.transform.settings.hop_length)])
            spec = spec[:, : spec.shape[1] // model.stride * model.stride]
            decoded = model.decode(model.encode(self._tensor(spec, model)[None]))[0].cpu().numpy()
            sounds[f"example_{index}/original"] = self.transform.invert(spec)
            sounds[f"example_{index}/decoded"] = self.transform.invert(decoded)
        return sounds

    def _measure(self, model: SpectralVAE, mels: list[FloatArray]) -> tuple[float, Tensor, Tensor]:
        squares, count, means, log_variances = 0.0, 0, [], []
        for mel in mels:
            spec = self._tensor(self.transform.compress(mel), model)[None]
            mean, log_variance = model.posterior(spec)
            error = model.decode_standardised(mean) - model.standardise(spec)
            squares, count = squares + float(error.square().sum()), count + error.numel()
            means.append(mean[0])
            log_variances.append(log_variance[0])
        return (squares / count) ** 0.5, torch.cat(means, dim=1), torch.cat(log_variances, dim=1)

    def _mels(self, corpus: Corpus, split: str) -> list[FloatArray]:
        stride = self.settings.model.stride
        audio = (corpus.read(file)[0] for file in corpus.split(split))
        return [self.transform.mel_blocks(wav, stride) for wav in audio if len(wav)]

    @staticmethod
    def _tensor(spec: FloatArray, model: nn.Module) -> Tensor:
        return torch.from_numpy(spec).to(next(model.parameters()).device)


def check_corpus(corpus: Corpus, transform: TransformSettings) -> None:
    """Refuse a corpus of another sample rate, or of several channels, or without held-out files."""
    if corpus.sample_rate != transform.sample_rate or corpus.channels != 1:
        raise CorpusError(
            f"corpus of {corpus.sample_rate} Hz, {corpus.channels} channels found; this preset takes "
            f"{transform.sample_rate} Hz mono: prepare it with --sample-rate {transform.sample_rate} --channels 1"
        )
    for split in ("train", "validation"):
        if not corpus.split(split):
            raise CorpusError(f"no {split} files: a corpus needs two or more files, it is split by source file")
