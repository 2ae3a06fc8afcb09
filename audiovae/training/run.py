"""A run folder: what `audiovae train` starts, resumes and leaves, and what `audiovae export` reads.

``run.json`` holds the resolved settings, the corpus and the version; ``checkpoints/`` the weights;
``log.jsonl`` and ``tensorboard/`` the numbers.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from lightning_fabric import Fabric
from torch import nn

from audiovae.corpus.corpus import Corpus
from audiovae.errors import CheckpointError, SettingsError
from audiovae.latent_space import replace_text
from audiovae.models.prior import LatentPrior
from audiovae.models.spectral import SpectralVAE
from audiovae.models.waveform import WaveformVAE
from audiovae.settings import apply_overrides, build, read_preset
from audiovae.training.checkpoint import load_network
from audiovae.training.prior_task import PriorSettings, PriorTask, name_model
from audiovae.training.spectral_task import SpectralSettings, SpectralTask
from audiovae.training.task import Task
from audiovae.training.trainer import TrainingState, train
from audiovae.training.waveform_task import WaveformSettings, WaveformTask

RUN_FORMAT = 1
RunSettings = SpectralSettings | WaveformSettings | PriorSettings
S = TypeVar("S", SpectralSettings, WaveformSettings, PriorSettings)


@dataclass(frozen=True)
class Family(Generic[S]):
    """What makes one family of models trainable.

    `task` gets the run's folder too, for what it keeps there. `strategy` is lightning-fabric's under torchrun: the
    waveform model has weights that rest in stage 2. `complete` adds to settings what a run must remember of things
    outside it.
    """

    settings: type[S]
    task: Callable[[S, Corpus, Path], Task]
    build_model: Callable[[S], nn.Module]
    strategy: str
    complete: Callable[[S], S] = lambda settings: settings


FAMILIES: dict[str, Family[Any]] = {
    "spectral": Family(
        SpectralSettings,
        lambda settings, corpus, _: SpectralTask(settings, corpus),
        lambda s: SpectralVAE(s.model, s.transform.n_mels),
        strategy="ddp",
    ),
    "waveform": Family(
        WaveformSettings,
        lambda settings, corpus, _: WaveformTask(settings, corpus),
        lambda s: WaveformVAE(s.model),
        strategy="ddp_find_unused_parameters_true",
    ),
    "prior": Family(
        PriorSettings,
        PriorTask,
        lambda s: LatentPrior(s.network, s.space.latent_size),
        strategy="ddp",
        complete=name_model,
    ),
}
"""The families that can be trained; a new one is an entry here."""


@dataclass(frozen=True)
class Run:
    """A run on disk: its settings, where its corpus lies, and which one that is.

    `corpus_id` is of `identify_corpus`, or empty where it is not known.
    """

    path: Path
    settings: RunSettings
    corpus: Path
    corpus_id: str

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """The run in a folder; `CheckpointError` if it is none."""
        path = Path(path)
        try:
            document = json.loads((path / "run.json").read_text())
            if document["format"] != RUN_FORMAT:
                raise CheckpointError(
                    f"{path / 'run.json'}: format {document['format']} found, {RUN_FORMAT} expected: train again"
                )
            family = FAMILIES[document["family"]]
            settings = build(family.settings, document["settings"], f"{path / 'run.json'}")
            return cls(path, settings, Path(document["corpus"]), document.get("corpus_id", ""))
        except (FileNotFoundError, NotADirectoryError):
            raise CheckpointError(f"{path} is no run: no run.json in it; start one with `audiovae train`") from None
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path / 'run.json'} is damaged ({error!r})") from None

    def save(self) -> None:
        """Write ``run.json``."""
        self.path.mkdir(parents=True, exist_ok=True)
        document = {
            "format": RUN_FORMAT,
            "version": version("gesturemap"),
            "family": self.settings.family,
            "corpus": str(self.corpus.resolve()),
            "corpus_id": self.corpus_id,
            "settings": self.settings.model_dump(mode="json"),
        }
        replace_text(self.path / "run.json", json.dumps(document, indent=1))

    @property
    def family(self) -> Family[Any]:
        """What its settings are of."""
        return FAMILIES[self.settings.family]

    def load_model(self) -> nn.Module:
        """The averaged model of the best checkpoint, in evaluation mode."""
        model = self.family.build_model(self.settings)
        load_network(self.path / "checkpoints" / "best.safetensors", "model", model)
        return model.eval()


def identify_corpus(corpus: Corpus) -> str:
    """sha256 over the names, splits and samples of a corpus' files: equal for equal material, wherever it lies."""
    content = [(file.name, file.split, file.sha256) for file in corpus.files]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def resolve_settings(preset: str, overrides: Sequence[str] = ()) -> RunSettings:
    """Settings of a preset with overrides; the preset's ``family`` decides their class."""
    data = apply_overrides(read_preset(preset), overrides)
    family = data.get("family")
    if family not in FAMILIES:
        raise SettingsError(f"preset {preset!r}: family {family!r} found, known: {', '.join(FAMILIES)}")
    settings: RunSettings = build(FAMILIES[family].settings, data, f"preset {preset!r}")
    return settings


def start_training(
    preset: str,
    corpus: str | Path,
    run: str | Path,
    *,
    overrides: Sequence[str] = (),
    max_steps: int | None = None,
    warmup_steps: int | None = None,
    seed: int | None = None,
    resume: bool = False,
    device: str = "auto",
) -> TrainingState:
    """Train a preset on a corpus, or go on with a run. The function behind `audiovae train`.

    Parameters
    ----------
    preset : name of a packaged preset, or a path that ends in ``.toml``.
    corpus, run : folders.
    overrides : ``section.key=value``.
    max_steps, warmup_steps, seed : shorthands for ``trainer.max_steps``, ``training.warmup_steps``, ``trainer.seed``.
    resume : go on from the last checkpoint; corpus and settings must be the run's own. `max_steps` is too,
        unless another is given: it may grow, which stretches what is left of the learning rate's decay.
    device : lightning-fabric accelerator: ``auto``, ``cpu``, ``cuda``, ``mps``.

    Raises
    ------
    SettingsError, CorpusError, CheckpointError, TrainingError
        What was found, what was expected, what to do next.
    """
    path, material = Path(run), Corpus.open(corpus)
    before = Run.open(path) if resume else None
    if not resume and (path / "checkpoints" / "last.safetensors").exists():
        raise CheckpointError(f"{path} holds a run: add --resume to go on with it, or choose another --run")
    overrides = list(overrides)
    if max_steps is not None:
        overrides.append(f"trainer.max_steps={max_steps}")
    if warmup_steps is not None:
        overrides.append(f"training.warmup_steps={warmup_steps}")
    if seed is not None:
        overrides.append(f"trainer.seed={seed}")
    if before and not any(override.startswith("trainer.max_steps=") for override in overrides):
        overrides.append(f"trainer.max_steps={before.settings.trainer.max_steps}")
    settings = resolve_settings(preset, overrides)
    settings = FAMILIES[settings.family].complete(settings)
    planned = Run(path, settings, material.path, identify_corpus(material))
    if before:
        _check_same(before, planned)
    fabric = _make_fabric(device, planned.family.strategy)
    try:
        task = planned.family.task(settings, material, path)
        if fabric.is_global_zero:
            planned.save()
        return train(task, path, settings.trainer, fabric, resume=resume)
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _check_same(old: Run, new: Run) -> None:
    """Refuse to resume with what would make another model or another course of training."""
    if old.corpus_id not in ("", new.corpus_id):
        raise CheckpointError(
            f"cannot resume: {new.corpus} is not the corpus of {old.path}, which was {old.corpus}: "
            "other files or another split; start another run"
        )
    before, after = (_flatten(run.settings) for run in (old, new))
    # The loop's own pace may change, and where the prior's model lies; what decides the numbers may not.
    pace = {f"trainer.{key}" for key in ("max_steps", "validate_every", "save_every", "log_every", "examples_every")}
    pace.add("model")
    changed = [
        f"{key} is {before.get(key)} in the run and {after.get(key)} now"
        for key in before | after
        if key not in pace and before.get(key) != after.get(key)
    ]
    if old.settings.family != new.settings.family:
        changed = changed[:1]  # the family: all else differs with it
    if changed:
        raise CheckpointError(f"cannot resume: {'; '.join(changed)}; use the run's settings or start another run")


def _flatten(settings: RunSettings) -> dict[str, Any]:
    """Every setting by its ``section.key``, those of no section by their key."""
    flat: dict[str, Any] = {}
    for name, value in settings.model_dump(mode="json").items():
        flat |= {f"{name}.{key}": item for key, item in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _make_fabric(device: str, strategy: str) -> Fabric:
    """One process, or one of as many as torchrun started."""
    launched = torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()
    local = int(os.environ["LOCAL_WORLD_SIZE"]) if launched else 1
    try:
        fabric = Fabric(
            accelerator=device,
            devices=local,
            num_nodes=int(os.environ["WORLD_SIZE"]) // local if launched else 1,
            strategy=strategy if launched else "auto",
        )
    except (RuntimeError, ValueError) as error:  # what Fabric raises where a device is unknown or absent
        raise SettingsError(f"--device {device}: {error} Try --device cpu.") from None
    fabric.launch()
    return fabric
