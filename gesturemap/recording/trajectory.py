"""What a performer plays along with: latents over time, from a sound, a table, a walk, or what is suggested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiovae.errors import LatentsError
from audiovae.latent_space import LatentSpace
from audiovae.latent_table import read_latents, resample_latents
from gesturemap.errors import RecordingError
from gesturemap.frame import Array
from gesturemap.recording.recording import Recording
from gesturemap.recording.suggestions import hold_poses, recorded_latents, suggest_latents

WALK_S = 60.0
MAX_PLAY_S = 1800.0  # it is decoded in one piece, which takes 4.4 MB of memory a second of sound


@dataclass(frozen=True)
class Trajectory:
    """Latents over time.

    Parameters
    ----------
    latents : (n_frames, latent_size).
    latent_rate : Hz; latent frame i is at i / latent_rate seconds.
    source : where it comes from, for people.
    """

    latents: Array
    latent_rate: float
    source: str

    @property
    def duration_s(self) -> float:
        """Seconds of sound it decodes to."""
        return len(self.latents) / self.latent_rate

    def at(self, time_s: Array) -> Array:
        """(n, latent_size) latents at the times (n,) in seconds, linearly interpolated; the ends are held."""
        own_s = np.arange(len(self.latents)) / self.latent_rate
        return np.asarray(resample_latents(self.latents, own_s, time_s), dtype=np.float64)


def load_trajectory(spec: str, model_dir: str | Path, seed: int = 0) -> Trajectory:
    """The trajectory that `spec` asks for, in the latent space of a model.

    Parameters
    ----------
    spec : a sound file, which the model encodes; a latent table ``.parquet`` of this model; ``walk`` or
        ``walk:SECONDS``, see `walk_cloud`; ``prior`` or ``prior:SECONDS``, drawn from the prior in the model folder;
        ``suggestions`` or ``suggestions:REC``, held sounds that the recording REC
        has not met, see `suggest_latents`.
    model_dir : an exported model.
    seed : of a walk or a prior; another seed goes another way.

    Raises
    ------
    RecordingError
        If there is no such file, the seconds of a walk are no positive number, or it lasts over `MAX_PLAY_S`.
    audiovae.errors.AudioVAEError
        If the model folder, the sound or the table is damaged or belongs to another model.
    """
    space = LatentSpace.load(model_dir)
    kind, _, rest = spec.partition(":")
    if kind == "walk":
        return walk_cloud(space, _read_seconds(spec), seed)
    if kind == "prior":
        return _sample_prior(space, model_dir, _read_seconds(spec), seed)
    if kind == "suggestions":
        return _suggestions(space, rest, seed)
    path = Path(spec)
    if not path.is_file():
        raise RecordingError(
            f"--play {spec}: no such file; expected a sound file, a latent table .parquet, walk[:SECONDS], "
            "prior[:SECONDS] or suggestions[:RECORDING]"
        )
    if path.suffix == ".parquet":
        latents = read_latents(path, space)
    else:
        from audiovae.player import Player, load_audio

        latents = Player(model_dir).encode(load_audio(path, space.sample_rate, space.channels))
    _check_length(spec, len(latents) / space.latent_rate)
    return Trajectory(np.asarray(latents, np.float64), space.latent_rate, spec)


def walk_cloud(space: LatentSpace, duration_s: float, seed: int) -> Trajectory:
    """A smooth random walk through the model's cloud, see `audiovae.generation.walk`.

    Raises
    ------
    RecordingError
        If the cloud holds too few audible training frames.
    """
    from audiovae.generation import walk

    try:
        latents = np.asarray(walk.walk_cloud(space, duration_s, seed), np.float64)
    except LatentsError as error:
        raise RecordingError(f"{error}, or --play a sound file") from None
    return Trajectory(latents, space.latent_rate, f"walk:{duration_s:g}, seed {seed}")


def _sample_prior(space: LatentSpace, model_dir: str | Path, duration_s: float, seed: int) -> Trajectory:
    """What the model's own prior makes of nothing, at temperature 1."""
    from audiovae.generation.prior import open_prior, sample_prior

    n_frames = max(1, round(duration_s * space.latent_rate))
    latents = sample_prior(open_prior(model_dir, space), n_frames, 1.0, seed)
    return Trajectory(np.asarray(latents, np.float64), space.latent_rate, f"prior:{duration_s:g}, seed {seed}")


def _suggestions(space: LatentSpace, recording: str, seed: int) -> Trajectory:
    """Held sounds that a recording has not met; of no recording, the model's most usual and most different ones."""
    met = recorded_latents(Recording.load(recording), space) if recording else np.empty((0, space.latent_size))
    found = suggest_latents(space, met, seed=seed)
    if not len(found.latents):
        raise RecordingError(f"--play suggestions: {recording} has met every sound of the model: play a walk instead")
    source = f"{len(found.latents)} suggestions after {recording or 'nothing'}, seed {seed}"
    return Trajectory(hold_poses(found.latents, space.latent_rate), space.latent_rate, source)


def _read_seconds(spec: str) -> float:
    kind, _, text = spec.partition(":")
    if not text:
        return WALK_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = np.nan
    if not 0.0 < seconds < np.inf:
        raise RecordingError(f"--play {spec}: expected {kind}:SECONDS with a positive number, as {kind}:30")
    _check_length(spec, seconds)
    return seconds


def _check_length(spec: str, duration_s: float) -> None:
    if duration_s > MAX_PLAY_S:
        raise RecordingError(
            f"--play {spec} lasts {duration_s:.0f} s, at most {MAX_PLAY_S:.0f} s can be played in one piece: record"
            " shorter takes (--seconds), or repeat a shorter piece (--loop)"
        )
