"""`audiovae export`: a run becomes a model folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiovae.codecs.folder import open_codec
from audiovae.corpus.corpus import Corpus
from audiovae.errors import CorpusError, ExportError
from audiovae.export.card import write_card
from audiovae.export.family import ModelExport
from audiovae.export.model_folder import check_target, write_beside
from audiovae.export.principal_axes import check_cut, fit_projection
from audiovae.export.prior import PriorStream, write_prior
from audiovae.export.sidecar import identify_sound, measure_space
from audiovae.export.spectral import SpectralExport
from audiovae.export.waveform import WaveformExport
from audiovae.generation.prior_run import RunPrior
from audiovae.latent_space import LatentSpace
from audiovae.training.corpus_check import check_corpus
from audiovae.training.run import Run, identify_corpus

EXPORTS: dict[str, Callable[[Any, Any], ModelExport]] = {"spectral": SpectralExport, "waveform": WaveformExport}
"""How a trained model and its settings are exported, by family; a new one is an entry here."""


@dataclass(frozen=True)
class Exported:
    """What was written: the folder, its sidecar, and the largest difference of each parity check."""

    path: Path
    space: LatentSpace
    parity: dict[str, float]


def export_model(
    run: str | Path,
    out: str | Path,
    *,
    latents: int | None = None,
    fidelity: float | None = None,
    name: str | None = None,
    corpus: str | Path | None = None,
    prior: str | Path | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write the model folder of a run. Nothing is left unless every parity check passes.

    Parameters
    ----------
    run : run folder; its best checkpoint is exported.
    out : model folder to make.
    latents : principal latents kept; all if None.
    fidelity : or: as many as explain this share of the variance, in (0, 1].
    name : model name; the name of `out` if None.
    corpus : where the corpus lies now; the place the run remembers if None.
    prior : run of a prior of this model, trained on an export of the same run with as many latents.
    overwrite : replace `out` if it is a model folder.

    Raises
    ------
    ExportError, CheckpointError, CorpusError, LatentsError, SettingsError
        What was found, what was expected, what to do next.
    """
    out = Path(out)
    check_target(out, overwrite=overwrite)
    opened = Run.open(run)
    settings = opened.settings
    if settings.family not in EXPORTS:
        raise ExportError(f"{run} is a run of a {settings.family}: export the model it is for, with --prior {run}")
    stream = PriorStream(RunPrior(prior).model).eval() if prior else None
    model = EXPORTS[settings.family](opened.load_model(), settings)
    check_cut(latents, fidelity, model.latent_size)
    material = Corpus.open(corpus or opened.corpus)
    check_corpus(material, model.sample_rate, model.channels)
    if opened.corpus_id not in ("", identify_corpus(material)):
        raise CorpusError(f"{material.path} is not the corpus {run} was trained on: give that one with --corpus")
    means = (model.encode(material.read(file)) for file in material.split("train"))
    projection = fit_projection(means, latents, fidelity)
    with write_beside(out) as beside:
        parity = model.write_files(beside, projection, stream)
        space = measure_space(
            open_codec(beside),
            material,
            model_id=identify_sound(model.decoder_tensors(projection)),
            model_name=name or out.name,
            family=settings.family,
            latency_samples=model.latency_samples,
        )
        space.save(beside)
        if prior:
            parity |= write_prior(beside, prior)
        write_card(beside, space, model, opened, material, parity)
    return Exported(out, space, parity)
