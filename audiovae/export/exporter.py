"""`audiovae export`: a run becomes a model folder, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from audiovae.codecs.folder import open_codec
from audiovae.corpus.corpus import Corpus
from audiovae.dsp.descriptors import frame_levels_db
from audiovae.dsp.transform import AudioTransform
from audiovae.errors import CorpusError, ExportError, SettingsError
from audiovae.export.card import write_card
from audiovae.export.modules import SpectralDecoder, SpectralEncoder
from audiovae.export.onnx_file import check_parity, measure_parity, write_onnx
from audiovae.latent_space import Cloud, LatentSpace
from audiovae.models.spectral import SpectralVAE
from audiovae.nn.projection import LatentProjection
from audiovae.training.corpus_check import check_corpus
from audiovae.training.run import Run, identify_corpus
from audiovae.training.spectral_task import SpectralSettings


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
    overwrite : replace `out` if it is a model folder.

    Raises
    ------
    ExportError, CheckpointError, CorpusError, SettingsError
        What was found, what was expected, what to do next.
    """
    out = Path(out)
    if out.exists() and not (overwrite and (out / "latent_space.json").exists()):
        raise ExportError(f"{out} exists: choose another --out, or add --overwrite to replace a model folder")
    opened = Run.open(run)
    settings = opened.settings
    if settings.family != "spectral":
        raise ExportError(
            f"{run} is of the {settings.family} family: exporting the {settings.family} family comes with the next "
            "version; the run is kept"
        )
    _check_cut(latents, fidelity, settings.model.latent_size)
    material = Corpus.open(corpus or opened.corpus)
    check_corpus(material, settings.transform.sample_rate, channels=1)
    if opened.corpus_id not in ("", identify_corpus(material)):
        raise CorpusError(f"{material.path} is not the corpus {run} was trained on: give that one with --corpus")
    model = opened.load_model()
    assert isinstance(model, SpectralVAE)
    projection = _fit_projection(model, settings, material, latents, fidelity)
    beside = out.with_name(out.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        parity = _write_halves(beside, model, projection, settings)
        space = _measure_space(beside, model, projection, settings, material, name or out.name)
        space.save(beside)
        write_card(beside, space, opened, material, parity)
        if out.exists():
            shutil.rmtree(out)
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Exported(out, space, parity)


def _check_cut(latents: int | None, fidelity: float | None, latent_size: int) -> None:
    if latents is not None and fidelity is not None:
        raise SettingsError("--latents and --fidelity both given: they answer the same question, give one")
    if fidelity is not None and not 0 < fidelity <= 1:
        raise SettingsError(f"--fidelity {fidelity} found, a share above 0 and up to 1 expected")
    if latents is not None and not 1 <= latents <= latent_size:
        raise SettingsError(f"--latents {latents} found, 1 to {latent_size} expected")


@torch.no_grad()
def _fit_projection(
    model: SpectralVAE, settings: SpectralSettings, corpus: Corpus, latents: int | None, fidelity: float | None
) -> LatentProjection:
    """Principal axes of the encoder means over the training files."""
    transform = AudioTransform(settings.transform)
    mels = (transform.mel_blocks(corpus.read(file)[0], model.stride) for file in corpus.split("train"))
    means = [model.encode(torch.from_numpy(transform.compress(mel))[None])[0] for mel in mels]
    points = torch.cat(means, dim=1).double()
    centre = points.mean(dim=1)
    variance, components = torch.linalg.eigh(torch.cov(points).reshape(len(centre), -1))
    share = variance.flip(0).cumsum(0) / variance.sum()
    size = latents or model.latent_size
    if fidelity is not None:
        size = min(int((share < fidelity - 1e-12).sum()) + 1, model.latent_size)
    basis = components.flip(1).T[:size]
    # A component's sign is arbitrary: its largest entry is positive, so that two exports agree.
    basis = basis * basis.gather(1, basis.abs().argmax(dim=1, keepdim=True)).sign()
    return LatentProjection(centre.float(), basis.float())


def _write_halves(
    folder: Path, model: SpectralVAE, projection: LatentProjection, settings: SpectralSettings
) -> dict[str, float]:
    metadata = {
        "family": settings.family,
        "transform": settings.transform.model_dump_json(),
        "stride": str(model.stride),
    }
    size = len(projection.basis)
    halves: tuple[tuple[str, nn.Module, tuple[str, str], int, int], ...] = (
        ("encoder", SpectralEncoder(model, projection).eval(), ("spec", "latents"), model.n_mels, model.stride),
        ("decoder", SpectralDecoder(model, projection).eval(), ("latents", "spec"), size, 1),
    )
    parity = {}
    for half, module, names, channels, stride in halves:
        path = folder / f"{half}.onnx"
        write_onnx(path, module, torch.zeros(2, channels, 8 * stride), names, stride, metadata)
        parity[f"{half}.onnx"] = measure_parity(path, module, channels, stride)
        check_parity(path.name, parity[f"{half}.onnx"])
    return parity


def _measure_space(
    folder: Path,
    model: SpectralVAE,
    projection: LatentProjection,
    settings: SpectralSettings,
    corpus: Corpus,
    name: str,
) -> LatentSpace:
    """The sidecar, from the exported encoder itself over the whole corpus."""
    codec = open_codec(folder)
    hop_length = settings.transform.hop_length * model.stride
    latents, levels, index = [], [], []
    for number, file in enumerate(corpus.files):
        audio = corpus.read(file)
        latents.append(codec.encode(audio))
        levels.append(frame_levels_db(audio, hop_length, len(latents[-1])))
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
        model_id=_hash_decoder(SpectralDecoder(model, projection)),
        model_name=name,
        family=settings.family,
        sample_rate=settings.transform.sample_rate,
        hop_length=hop_length,
        # A frame needs the whole of its own hop and half a window after it; the network looks at all of the file.
        latency_samples=hop_length + settings.transform.n_fft // 2,
        channels=1,
    )


def _hash_decoder(decoder: nn.Module) -> str:
    """sha256 over what decides the sound of latents: the decoder's tensors and their names."""
    digest = hashlib.sha256()
    for key, value in sorted(decoder.state_dict().items()):
        if not key.startswith(("model.encoder", "model.linear_encoder")):
            digest.update(json.dumps([key, list(value.shape)]).encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
