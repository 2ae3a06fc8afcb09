"""Training the temporal spectral VAE."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from pydantic import Field, model_validator
from torch import Tensor, nn

from audiovae.corpus.corpus import Corpus
from audiovae.dsp.transform import AudioTransform, TransformSettings
from audiovae.errors import CorpusError
from audiovae.models.spectral import SpectralVAE, SpectralVAESettings
from audiovae.settings import Settings
from audiovae.training.augmentation import MelAugmentationSettings, MelExcerpts
from audiovae.training.corpus_check import check_corpus
from audiovae.training.losses import RECONSTRUCTION_LOSSES, ReconstructionLoss, kl_divergence, weighted_sum
from audiovae.training.optimiser import descend, make_adamw, set_rate
from audiovae.training.schedules import ramp
from audiovae.training.task import TrainerSettings

FloatArray = npt.NDArray[np.floating[Any]]

# Mel frames (at the usual hop 51 and 3 minutes) that are enough, so that hours of audio cost no more than minutes.
_STATISTICS_FRAMES = 1 << 18
_MEASURED_FRAMES = 1 << 14


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
    reconstruction: ReconstructionLoss = "spectral_convergence"
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

    @model_validator(mode="after")
    def _check(self) -> SpectralSettings:
        stride, patch = self.model.stride, self.model.stride * self.transform.n_mels
        if self.training.excerpt_frames % stride:
            frames = self.training.excerpt_frames
            raise ValueError(f"training.excerpt_frames {frames} must be a multiple of model.stride {stride}")
        if self.model.latent_size > patch:
            size = self.model.latent_size
            raise ValueError(f"model.latent_size {size} must be at most model.stride * transform.n_mels, {patch}")
        return self


class SpectralTask:
    """Data, model, optimiser and losses of one spectral run.

    The mel frames of all training files are held in memory: 160 MB for an hour at the usual settings.

    Parameters
    ----------
    settings : `SpectralSettings`.
    corpus : prepared at the transform's sample rate, mono.

    Raises
    ------
    CorpusError
        If the corpus is of another rate, not mono, not split, or too short to train on.
    """

    def __init__(self, settings: SpectralSettings, corpus: Corpus) -> None:
        check_corpus(corpus, settings.transform.sample_rate, channels=1)
        self.settings = settings
        self.sample_rate = settings.transform.sample_rate
        self.transform = AudioTransform(settings.transform)
        mels = self._mels(corpus, "train")
        self._validation = self._mels(corpus, "validation")
        n_held_out = sum(mel.shape[1] for mel in self._validation)
        stride = settings.model.stride
        self._train_sample = _sample(mels, max(n_held_out, _MEASURED_FRAMES) // stride * stride)
        self._excerpts = MelExcerpts(mels, settings.augmentation)
        torch.manual_seed(settings.trainer.seed)
        self.model = SpectralVAE(settings.model, settings.transform.n_mels)
        enough = np.concatenate(_sample(mels, _STATISTICS_FRAMES // stride * stride), axis=1)
        if enough.shape[1] < 2 * stride:
            raise CorpusError(f"{corpus.path}: its training files are shorter than two latent frames: add sounds")
        spec = torch.from_numpy(self.transform.compress(enough))
        self.model.initialise_statistics(spec)
        self.model.initialise_linear(spec)
        self.networks: dict[str, nn.Module] = {"model": self.model}
        t = settings.training
        self.optimisers = {"model": make_adamw(self.model, t.learning_rate, t.weight_decay)}
        self._wrapped: Any = None

    def setup(self, fabric: Fabric) -> None:
        """Move the model to the device and wrap it for several processes."""
        self._wrapped, self._optimiser = fabric.setup(self.model, self.optimisers["model"])

    def stage(self, step: int) -> int:
        """One stage is all there is."""
        return 1

    def step(self, fabric: Fabric, step: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """One step; ``reconstruction``, ``kl`` (nats, mean over dimensions), ``total`` and ``gradient_norm``."""
        s, t = self.settings, self.settings.training
        set_rate(self.optimisers["model"], t.learning_rate, step, s.trainer.max_steps, floor=0.01)
        mel = self._excerpts.draw(rng, t.batch_size, t.excerpt_frames)
        spec = torch.from_numpy(self.transform.compress(mel)).to(fabric.device)
        with s.trainer.autocast(fabric.device):
            estimate, target, mean, log_variance = self._wrapped(spec)
        losses = {
            "reconstruction": RECONSTRUCTION_LOSSES[t.reconstruction](estimate, target),
            "kl": kl_divergence(mean, log_variance).mean(),
        }
        total = weighted_sum(losses, {"reconstruction": 1.0, "kl": t.beta * ramp(step, t.beta_warmup)})
        norm = descend(fabric, total, self._wrapped, self._optimiser, t.clip_norm)
        losses |= {"total": total, "gradient_norm": norm}
        return {name: value.detach() for name, value in losses.items()}

    def validate(self, model: nn.Module) -> dict[str, Any]:
        """Log-mel RMSE in units of each band's deviation, and statistics of every latent dimension.

        Held-out files are measured whole; training files too, up to as many frames or three minutes, the
        same ones every time.
        """
        assert isinstance(model, SpectralVAE)
        held_out, mean, log_variance = self._measure(model, self._validation)
        train, _, _ = self._measure(model, self._train_sample)
        return {
            "score": held_out,
            "held_out_rmse": held_out,
            "train_rmse": train,
            "latent_mean": mean.mean(dim=1).tolist(),
            "latent_std": mean.std(dim=1, correction=0).tolist(),  # one frame may be all there is
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


def _sample(mels: list[FloatArray], frames: int) -> list[FloatArray]:
    """All files where they have at most `frames` frames together; else some, the same ones each time."""
    if sum(mel.shape[1] for mel in mels) <= frames:
        return mels
    chosen: list[FloatArray] = []
    for index in np.random.default_rng(0).permutation(len(mels)):
        if frames > 0:
            chosen.append(mels[index][:, :frames])
            frames -= chosen[-1].shape[1]
    return chosen
