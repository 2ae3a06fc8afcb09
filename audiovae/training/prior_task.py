"""Training the prior over the latents of an exported model, of any family."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor, nn

from audiovae.corpus.corpus import Corpus
from audiovae.dsp.autoregression import choose_autoregression, fit_diagonal, measure_nats
from audiovae.errors import CorpusError, SettingsError
from audiovae.latent_space import LatentSpace
from audiovae.models.prior import LatentPrior, LatentPriorSettings
from audiovae.player import Player
from audiovae.settings import Settings
from audiovae.training.corpus_check import check_corpus
from audiovae.training.corpus_latents import encode_corpus
from audiovae.training.optimiser import descend, make_adamw, set_rate
from audiovae.training.task import TrainerSettings

FloatArray = npt.NDArray[np.floating[Any]]

_EXAMPLE_S = 6.0
_MEASURED_FRAMES = 1 << 14


class PriorSpaceSettings(Settings):
    """The latents a prior is over, read from the model folder, not set by hand."""

    model_id: str = ""
    """sha256 of the exported model: a prior samples for no other."""
    model_name: str = ""
    """What the model is called."""
    latent_size: int = Field(1, ge=1)
    """Its latent dimensions."""


class PriorTrainingSettings(Settings):
    """How a `LatentPrior` is trained."""

    batch_size: int = Field(32, ge=1)
    """Excerpts a step."""
    excerpt_frames: int = Field(64, ge=2)
    """Latent frames an excerpt; longer ones teach a longer memory."""
    learning_rate: float = Field(3e-3, gt=0)
    """Highest rate; it warms up over 50 steps and falls by a cosine to the end of the run."""
    weight_decay: float = Field(1e-2, ge=0)
    """Pull of the weights to zero (AdamW)."""
    clip_norm: float = Field(1.0, gt=0)
    """Largest norm of a gradient."""
    context_noise: float = Field(0.05, ge=0)
    """Noise on the past, in deviations: a generated past is never exact either."""


class PriorSettings(Settings):
    """A whole run of the prior; a preset is one of these as TOML."""

    family: Literal["prior"] = "prior"
    model: str = ""
    """Folder of the exported model whose latents it learns."""
    space: PriorSpaceSettings = PriorSpaceSettings()
    network: LatentPriorSettings = LatentPriorSettings()
    training: PriorTrainingSettings = PriorTrainingSettings()
    trainer: TrainerSettings = TrainerSettings()


def name_model(settings: PriorSettings) -> PriorSettings:
    """Settings that remember which model their folder `model` held; `SettingsError` where none was given."""
    if not settings.model:
        raise SettingsError("a prior is trained on the latents of an exported model: add --set model=MODEL_DIR")
    space = LatentSpace.load(settings.model)
    known = PriorSpaceSettings(model_id=space.model_id, model_name=space.model_name, latent_size=space.latent_size)
    return settings.model_copy(update={"model": str(Path(settings.model).resolve()), "space": known})


class PriorTask:
    """Data, model, optimiser and baselines of one prior.

    Parameters
    ----------
    settings : `PriorSettings`, from `name_model`.
    corpus : at the model's sample rate and channels; its split is the prior's.
    run : folder of the run, which keeps the encoded corpus.

    Raises
    ------
    CorpusError
        If the corpus is of another rate or channels, not split, or too short to train on.
    """

    def __init__(self, settings: PriorSettings, corpus: Corpus, run: Path) -> None:
        self.settings = settings
        self._player = player = Player(settings.model)
        check_corpus(corpus, player.space.sample_rate, player.space.channels)
        self.sample_rate = player.space.sample_rate
        latents = list(zip(encode_corpus(player, corpus, run), corpus.files, strict=True))
        self._train = [table for table, file in latents if file.split == "train"]
        needed = 2 * settings.network.order * player.space.latent_size
        if sum(map(len, self._train)) < needed:
            raise CorpusError(
                f"{corpus.path}: its training files make {sum(map(len, self._train))} latent frames, {needed} or more "
                "expected: add sounds, or lower network.order"
            )
        train = join_files(self._train)
        self._held_out = join_files([table for table, file in latents if file.split != "train"])
        self._train_sample = train[:_MEASURED_FRAMES]
        linear = choose_autoregression(train, self._held_out)
        self._baselines = {
            "diagonal_nats": measure_nats(fit_diagonal(train), self._held_out),
            "autoregression_nats": measure_nats(linear, self._held_out),
            "autoregression_order": len(linear.coefficients),
        }
        torch.manual_seed(settings.trainer.seed)
        self.model = LatentPrior(settings.network, player.space.latent_size)
        self.model.initialise(train)
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
        """One step; ``nats`` (log-likelihood per frame and dimension) and ``gradient_norm``."""
        s, t = self.settings, self.settings.training
        set_rate(self.optimisers["model"], t.learning_rate, step, s.trainer.max_steps, floor=0.01)
        latents = self._draw(rng).to(fabric.device)
        noise = t.context_noise * self.model.std[:, None] * torch.randn_like(latents)
        with self.settings.trainer.autocast(fabric.device):
            nats = self._wrapped(latents, latents + noise).mean() / latents.shape[1]
        norm = descend(fabric, -nats, self._wrapped, self._optimiser, t.clip_norm)
        return {"nats": nats.detach(), "gradient_norm": norm.detach()}

    def validate(self, model: nn.Module) -> dict[str, Any]:
        """Nats per frame and dimension on held-out files, the prior's and those of what it must beat."""
        assert isinstance(model, LatentPrior)
        held_out, train = (score_latents(model, latents) for latents in (self._held_out, self._train_sample))
        return {"score": -held_out, "held_out_nats": held_out, "train_nats": train} | self._baselines

    def examples(self, model: nn.Module) -> dict[str, FloatArray]:
        """Six seconds of what it makes, at two temperatures."""
        assert isinstance(model, LatentPrior)
        n_frames = max(1, round(_EXAMPLE_S * self._player.space.latent_rate))
        noise = torch.randn(1, model.n_noise, n_frames, generator=torch.Generator().manual_seed(0))
        sounds = {}
        for temperature in (0.5, 1.0):
            heat = torch.full((1, 1, n_frames), temperature)
            device = model.mean.device
            latents, _ = model.roll(model.init_previous(1), heat.to(device), noise.to(device), model.init_state(1))
            sounds[f"temperature_{temperature}"] = self._player.decode(latents[0].T.cpu().numpy()).mean(axis=0)
        return sounds

    def _draw(self, rng: np.random.Generator) -> Tensor:
        """Excerpts (batch, latent_size, frames) of an endless stream of whole files in random order.

        A prior of files each for itself would fall silent with the first sound that ends: a generated stream has
        to begin the next one.
        """
        t = self.settings.training
        lengths = np.array([len(table) for table in self._train])
        excerpts = []
        for index in rng.choice(len(lengths), t.batch_size, p=lengths / lengths.sum()):
            pieces = [self._train[index][rng.integers(lengths[index]) :]]
            while sum(map(len, pieces)) < t.excerpt_frames:
                pieces.append(self._train[rng.integers(len(lengths))])
            excerpts.append(np.concatenate(pieces)[: t.excerpt_frames].T)
        return torch.from_numpy(np.stack(excerpts).astype(np.float32))


def join_files(tables: list[FloatArray]) -> FloatArray:
    """One sequence (n_frames, latent_size) of whole files, in a random order that is always the same."""
    order = np.random.default_rng(0).permutation(len(tables))
    return np.concatenate([tables[index] for index in order])


def score_latents(model: LatentPrior, latents: FloatArray) -> float:
    """Mean log-likelihood of a sequence (n_frames, latent_size) in nats per frame and dimension."""
    row = torch.from_numpy(np.asarray(latents, np.float32).T)[None].to(model.mean.device)
    return float(model(row).mean()) / model.latent_size
