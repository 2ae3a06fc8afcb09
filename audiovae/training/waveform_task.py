"""Training the waveform VAE: first its spectra, then, with the encoder frozen, against discriminators."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from pydantic import Field, model_validator
from torch import Tensor, nn

from audiovae.corpus.corpus import Corpus
from audiovae.models.waveform import WaveformPass, WaveformVAE, WaveformVAESettings
from audiovae.nn.discriminators import DiscriminatorSettings, Judgement, WaveformDiscriminators
from audiovae.nn.projection import count_axes, find_principal_axes
from audiovae.nn.streaming import Convolution
from audiovae.nn.waveform_blocks import BandSynthesiser
from audiovae.settings import Settings
from audiovae.training.corpus_check import check_corpus
from audiovae.training.losses import (
    discriminator_hinge,
    feature_matching,
    generator_hinge,
    kl_divergence,
    multi_scale_distance,
    weighted_sum,
)
from audiovae.training.optimiser import descend, set_rate
from audiovae.training.schedules import ramp
from audiovae.training.task import TrainerSettings
from audiovae.training.waveform_excerpts import WaveformAugmentationSettings, WaveformExcerpts

FloatArray = npt.NDArray[np.floating[Any]]

_FILE_S = 10.0  # of one held-out file that is measured
_EXAMPLE_S = 6.0
_LEVEL_FRAMES = 64  # of a band
_LOG_VARIANCE = -3.0  # of the posterior before training: noise 13 dB under the means


class WaveformTrainingSettings(Settings):
    """How a `WaveformVAE` is trained."""

    batch_size: int = Field(8, ge=1)
    """Excerpts a step."""
    excerpt_samples: int = Field(65536, ge=1)
    """Samples an excerpt, a multiple of the hop length."""
    warmup_steps: int = Field(300_000, ge=0)
    """Steps of stage 1, spectra alone; from then on stage 2: the encoder is frozen, discriminators join."""
    stage_two: bool = True
    """false: stage 1 is all there is to be."""
    learning_rate: float = Field(5e-4, gt=0)
    """Highest rate of the model; it warms up over 50 steps and falls by a cosine to a tenth at the end of the run."""
    discriminator_learning_rate: float = Field(1e-4, gt=0)
    """Rate of the discriminators."""
    clip_norm: float = Field(1.0, gt=0)
    """Largest norm of a gradient, of the model and of the discriminators."""
    beta: float = Field(0.05, ge=0)
    """Weight of the KL divergence, nats a latent frame: larger makes fewer, smoother latents."""
    beta_warmup: int = Field(10_000, ge=0)
    """Steps until beta is reached; 0 keeps it fixed."""
    log_floor: float = Field(1e-3, gt=0)
    """Magnitude under which a spectrum counts as silent in the loss."""
    adversarial_weight: float = Field(1.0, ge=0)
    """Weight of the hinge loss in stage 2."""
    feature_weight: float = Field(3.0, ge=0)
    """Weight of the discriminators' relative feature distance in stage 2."""
    discriminator_every: int = Field(2, ge=1)
    """The discriminators learn at every n-th step of stage 2, beside the model."""
    validation_s: float = Field(60.0, gt=0)
    """Seconds of held-out sound measured at each validation, at most 10 of a file."""


class WaveformSettings(Settings):
    """A whole run of the waveform family; a preset is one of these as TOML."""

    family: Literal["waveform"] = "waveform"
    sample_rate: int = Field(44100, ge=1)
    """Hz."""
    model: WaveformVAESettings = WaveformVAESettings()
    discriminators: DiscriminatorSettings = DiscriminatorSettings()
    training: WaveformTrainingSettings = WaveformTrainingSettings()
    augmentation: WaveformAugmentationSettings = WaveformAugmentationSettings()
    trainer: TrainerSettings = TrainerSettings(max_steps=1_000_000)

    @model_validator(mode="after")
    def _check(self) -> WaveformSettings:
        t, max_steps, hop_length = self.training, self.trainer.max_steps, self.model.hop_length
        if t.excerpt_samples % hop_length:
            raise ValueError(
                f"training.excerpt_samples {t.excerpt_samples} must be a multiple of the hop length {hop_length}"
            )
        if t.stage_two and max_steps <= t.warmup_steps:
            raise ValueError(
                f"trainer.max_steps {max_steps} ends the run before stage 2, which begins after training.warmup_steps "
                f"{t.warmup_steps}: raise the first, lower the second, or say training.stage_two=false"
            )
        if t.stage_two and not self.discriminators.scales and not self.discriminators.periods:
            raise ValueError("stage 2 needs discriminators: raise discriminators.scales or list discriminators.periods")
        return self


class WaveformTask:
    """Data, model, discriminators, optimisers and losses of one waveform run.

    Parameters
    ----------
    settings : `WaveformSettings`.
    corpus : prepared at the settings' sample rate and the model's channels.

    Raises
    ------
    CorpusError
        If the corpus is of another rate or other channels, not split, or too short to train on.
    """

    def __init__(self, settings: WaveformSettings, corpus: Corpus) -> None:
        check_corpus(corpus, settings.sample_rate, settings.model.channels)
        self.settings, self.sample_rate = settings, settings.sample_rate
        s, t = settings, settings.training
        self._corpus = corpus
        self._excerpts = WaveformExcerpts(corpus, t.excerpt_samples, s.augmentation)
        torch.manual_seed(s.trainer.seed)
        self.model = WaveformVAE(s.model)
        excerpts = self._excerpts.draw(np.random.default_rng(s.trainer.seed), t.batch_size)
        initialise_posterior(self.model, torch.from_numpy(excerpts))
        initialise_levels(self.model, torch.from_numpy(excerpts))
        self.discriminators = WaveformDiscriminators(s.discriminators, s.model.channels)
        self.networks: dict[str, nn.Module] = {"model": self.model, "discriminators": self.discriminators}
        betas = (0.8, 0.99)
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "model": torch.optim.Adam(self.model.parameters(), t.learning_rate, betas, fused=True),
            "discriminators": torch.optim.Adam(
                self.discriminators.parameters(), t.discriminator_learning_rate, betas, fused=True
            ),
        }

    def setup(self, fabric: Fabric) -> None:
        """Move the networks to the device and wrap them for several processes."""
        self._generator, self._optimiser = fabric.setup(self.model, self.optimisers["model"])
        self._judge, self._judge_optimiser = fabric.setup(self.discriminators, self.optimisers["discriminators"])

    def stage(self, step: int) -> int:
        """Stage 1 or 2, of the step after `step` others."""
        t = self.settings.training
        return 2 if t.stage_two and step >= t.warmup_steps else 1

    def step(self, fabric: Fabric, step: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """One step of the model, and in stage 2 at every n-th one of the discriminators before it.

        Returns
        -------
        ``multiband`` and ``fullband`` distance, ``kl`` (nats a latent frame), ``total``, ``gradient_norm``; in stage 2
        ``adversarial`` and ``feature_matching``, and where the discriminators learnt ``discriminator`` and
        ``discriminator_norm``.
        """
        s, t = self.settings, self.settings.training
        set_rate(self.optimisers["model"], t.learning_rate, step, s.trainer.max_steps, floor=0.1)
        second = self.stage(step) == 2
        # Nothing the encoder gives has a gradient then, and Adam passes over weights without one.
        self.model.encoder.requires_grad_(not second)
        audio = torch.from_numpy(self._excerpts.draw(rng, t.batch_size)).to(fabric.device)
        with s.trainer.autocast(fabric.device):
            result = self._generator(audio)
        losses = self._distances(result, audio)
        learnt = {}
        if second:
            if (step - t.warmup_steps) % t.discriminator_every == 0:
                learnt = self._teach_discriminators(fabric, audio, result.audio.detach())
            losses |= self._adversarial_losses(fabric, audio, result.audio)
        weights = {
            "multiband": 1.0,
            "fullband": 1.0,
            "kl": 0.0 if second else t.beta * ramp(step, t.beta_warmup),
            "adversarial": t.adversarial_weight,
            "feature_matching": t.feature_weight,
        }
        total = weighted_sum(losses, weights)
        norm = descend(fabric, total, self._generator, self._optimiser, t.clip_norm)
        losses |= {"total": total, "gradient_norm": norm} | learnt
        return {name: value.detach() for name, value in losses.items()}

    def validate(self, model: nn.Module) -> dict[str, Any]:
        """Multi-scale distance on held-out files, and statistics of every latent dimension.

        The score is the mean over files of the distance between a file and its decoded latent means, at most 10 s
        of each and `validation_s` seconds together, the same ones every time.
        """
        assert isinstance(model, WaveformVAE)
        distances, means, log_variances = [], [], []
        for audio in self._held_out(model, self.settings.training.validation_s, _FILE_S):
            mean, log_variance = model.posterior(audio)
            distances.append(float(multi_scale_distance(model.decode(mean), audio, power=2)))
            means.append(mean[0].cpu())
            log_variances.append(log_variance[0].cpu())
        mean, log_variance = torch.cat(means, dim=1), torch.cat(log_variances, dim=1)
        score, fidelity = float(np.mean(distances)), find_principal_axes(mean)[2]
        return {
            "score": score,
            "held_out_distance": score,
            "dimensions_at_0.95": float(count_axes(fidelity, 0.95)),
            "dimensions_at_0.99": float(count_axes(fidelity, 0.99)),
            "fidelity_curve": fidelity.tolist(),
            "latent_mean": mean.mean(dim=1).tolist(),
            "latent_std": mean.std(dim=1, correction=0).tolist(),  # one frame may be all there is
            "latent_kl": kl_divergence(mean, log_variance).mean(dim=1).tolist(),
        }

    def examples(self, model: nn.Module) -> dict[str, FloatArray]:
        """Two held-out files of at most six seconds, original and decoded, mixed to mono."""
        assert isinstance(model, WaveformVAE)
        sounds: dict[str, FloatArray] = {}
        for index, audio in enumerate(self._held_out(model, 2 * _EXAMPLE_S, _EXAMPLE_S)[:2]):
            decoded = model.decode(model.encode(audio))
            sounds[f"example_{index}/original"] = audio[0].mean(dim=0).cpu().numpy()
            sounds[f"example_{index}/decoded"] = decoded[0].mean(dim=0).cpu().numpy()
        return sounds

    def _distances(self, result: WaveformPass, audio: Tensor) -> dict[str, Tensor]:
        floor = self.settings.training.log_floor
        return {
            "multiband": multi_scale_distance(result.bands, result.target_bands, floor=floor),
            "fullband": multi_scale_distance(result.audio, audio, floor=floor),
            "kl": kl_divergence(result.mean, result.log_variance).sum(dim=1).mean(),
        }

    def _teach_discriminators(self, fabric: Fabric, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        self.discriminators.requires_grad_(True)
        n = len(real)
        with self.settings.trainer.autocast(fabric.device):
            scores = _scores(self._judge(torch.cat([real, fake])))
        loss = discriminator_hinge([score[:n] for score in scores], [score[n:] for score in scores])
        clip_norm = self.settings.training.clip_norm
        norm = descend(fabric, loss, self._judge, self._judge_optimiser, clip_norm)
        return {"discriminator": loss, "discriminator_norm": norm}

    def _adversarial_losses(self, fabric: Fabric, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        # The plain module: its weights take no gradient here, so there is nothing to share between processes.
        self.discriminators.requires_grad_(False)
        with self.settings.trainer.autocast(fabric.device):
            with torch.no_grad():
                of_real = self.discriminators(real)
            of_fake = self.discriminators(fake)
        return {
            "adversarial": generator_hinge(_scores(of_fake)),
            "feature_matching": feature_matching(of_real, of_fake),
        }

    def _held_out(self, model: WaveformVAE, total_s: float, file_s: float) -> list[Tensor]:
        """(1, channels, samples) of held-out files, the end filled with zeros to a whole latent frame."""
        left, sounds = int(total_s * self.sample_rate), []
        device = next(model.parameters()).device
        for file in self._corpus.split("validation"):
            length = min(file.length, int(file_s * self.sample_rate), left)
            if length:
                audio = self._corpus.read(file, 0, length)
                padded = np.pad(audio, [(0, 0), (0, -length % model.hop_length)])
                sounds.append(torch.from_numpy(padded)[None].to(device))
                left -= length
        return sounds


@torch.no_grad()
def initialise_posterior(model: WaveformVAE, audio: Tensor) -> None:
    """Scale the encoder's layers so that latent means of `audio` have mean 0 and deviation 1, under less noise.

    An untrained encoder gives means near 0: drowned in noise of deviation 1, the decoder learns to do without them.
    Every layer takes its part of the gain, in the way of Mishkin and Matas 2015, arXiv:1511.06422.
    """
    x = model.analysis(audio)
    for layer in model.encoder.layers:
        x = layer(x)
        if isinstance(layer, Convolution):
            scale = 1 / x.std().clamp_min(1e-6)
            x *= scale
            for parameter in layer.parameters():
                parameter.mul_(scale)
    mean, log_variance = model.posterior(audio)
    head = model.encoder.layers[-1]
    assert isinstance(head, Convolution)
    weight, bias = head.convolution.weight, head.convolution.bias
    assert bias is not None
    size = model.latent_size
    scale = 1 / mean.std(dim=(0, 2), correction=0).clamp_min(1e-6)
    weight[:size] *= scale[:, None, None]
    bias[:size] = scale * (bias[:size] - mean.mean(dim=(0, 2)))
    bias[size:] += _LOG_VARIANCE - log_variance.mean(dim=(0, 2))


@torch.no_grad()
def initialise_levels(model: WaveformVAE, audio: Tensor) -> None:
    """Set the loudness of each band to its typical one in `audio`, so that training does not begin by turning down."""
    head = model.decoder.layers[1]
    assert isinstance(head, BandSynthesiser)
    if not head.loudness:
        return
    bands = model.analysis(audio)
    levels = bands.unfold(2, _LEVEL_FRAMES, _LEVEL_FRAMES).square().mean(dim=3).clamp_min(1e-10).log().mean(dim=(0, 2))
    share = (0.5 * levels).exp().clamp(1e-4, 0.4) / 2
    bias = head.head.convolution.bias
    assert bias is not None
    bias[head.n_bands : 2 * head.n_bands] = torch.logit(share)


def _scores(judgement: Judgement) -> list[Tensor]:
    return [layers[-1] for layers in judgement]
