"""`audiovae generate`: latents that are made, not played, written as a table and as sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.corpus.audio_file import find_audio
from audiovae.errors import AudioFileError, LatentsError, SettingsError
from audiovae.generation.interpolation import Way, interpolate
from audiovae.generation.prior import Progress, open_prior, sample_prior
from audiovae.generation.walk import walk_cloud
from audiovae.latent_table import read_latents, write_latents
from audiovae.player import Player, load_audio, save_audio

FloatArray = npt.NDArray[np.floating[Any]]

MODES = {
    "reconstruct": "each sound of SOURCES through the model",
    "trajectory": "the latent tables of SOURCES; without any, a smooth random walk through the model's cloud",
    "interpolate": "from the first sound of SOURCES to the second",
    "prior": "what the prior of the model makes",
}
"""What can be generated."""


@dataclass(frozen=True)
class Request:
    """What is to be made.

    Parameters
    ----------
    sources : sounds or latent tables, as the mode takes them.
    seconds : of what has no length of its own.
    prior : folder with the prior: a run, or a model folder; the model's own if None.
    temperature : of the prior.
    way : of the interpolation.
    seed : the same one makes the same latents.
    """

    sources: Sequence[Path] = ()
    seconds: float = 30.0
    prior: Path | None = None
    temperature: float = 1.0
    way: Way = "linear"
    seed: int = 0


def generate(model_dir: Path, mode: str, request: Request, out: Path, progress: Progress = iter) -> Iterator[Path]:
    """Write ``<name>.parquet`` and ``<name>.wav`` of each piece; yields each path once it is written.

    Raises
    ------
    SettingsError
        If the mode is unknown, or the request does not fit it.
    AudioVAEError
        What was found, what was expected, what to do next.
    """
    if mode not in MODES:
        raise SettingsError(f"no mode {mode!r} to generate in; there are: {', '.join(MODES)}")
    if not 0 < request.seconds < np.inf:
        raise SettingsError(f"--seconds {request.seconds} found, a positive number expected")
    player = Player(model_dir)
    out.mkdir(parents=True, exist_ok=True)
    for name, latents in _make(player, model_dir, mode, request, progress):
        table, sound = out / f"{name}.parquet", out / f"{name}.wav"
        write_latents(table, latents, player.space)
        yield table
        save_audio(sound, player.decode(latents), player.space.sample_rate)
        yield sound


def _make(
    player: Player, model_dir: Path, mode: str, request: Request, progress: Progress
) -> Iterator[tuple[str, FloatArray]]:
    """Name and latents of every piece."""
    space, seed = player.space, request.seed
    n_frames = max(1, round(request.seconds * space.latent_rate))
    if mode == "prior":
        sampler = open_prior(request.prior or model_dir, space)
        latents = sample_prior(sampler, n_frames, request.temperature, seed, progress)
        yield f"prior_t{request.temperature:g}_seed{seed}", latents
    elif mode == "trajectory" and not request.sources:
        yield f"walk_seed{seed}", walk_cloud(space, request.seconds, seed)
    elif mode == "trajectory":
        _check_names(request.sources)
        for path in request.sources:
            yield path.stem, read_latents(path, space)
    elif mode == "reconstruct":
        files = find_audio(request.sources) if request.sources else []
        if not files:
            raise AudioFileError("no sound to reconstruct: give audio files or folders")
        _check_names(files)
        for path in files:
            yield path.stem, _encode(player, path)
    else:
        if len(request.sources) != 2:
            raise SettingsError(f"{len(request.sources)} sources found, two sounds to interpolate between expected")
        first, second = (_encode(player, path) for path in request.sources)
        name = f"{request.sources[0].stem}_to_{request.sources[1].stem}_{request.way}"
        yield name, interpolate(first, second, n_frames, request.way, space)


def _encode(player: Player, path: Path) -> FloatArray:
    return player.encode(load_audio(path, player.space.sample_rate, player.space.channels))


def _check_names(paths: Sequence[Path]) -> None:
    stems = [path.stem for path in paths]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise LatentsError(f"two sources would both become {twice[0]}: give each its own --out")
