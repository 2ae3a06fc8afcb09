"""A recording played through a mapping into a sound file, faster than real time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import resample_latents, write_latents
from gesturemap.errors import GestureMapError, RecordingError
from gesturemap.frame import Array
from gesturemap.mapping import Mapping
from gesturemap.recording.trajectory import load_trajectory

if TYPE_CHECKING:
    from gesturemap.recording import Recording, Take

PAUSE_S = 0.5  # of silence between takes
MAX_TAKE_S = 1800.0  # the spectral family decodes a take as a whole, which takes 4.4 MB of memory a second of sound
EDGE_S = 0.005  # every take fades in and out, so that neither edge clicks


class Decoder(Protocol):
    """What rendering needs of `audiovae.player.Player`."""

    space: LatentSpace

    def decode(self, latents: Any) -> Any:
        """Audio (channels, n_frames * hop_length) of latents (n_frames, latent_size)."""


@dataclass(frozen=True)
class Rendering:
    """What `render` wrote.

    Parameters
    ----------
    latents : (n_frames, latent_size) at the model's latent rate, pauses included.
    sample_rate : Hz.
    duration_s : of the sound file.
    takes : indices of the takes in it.
    faster : seconds of sound made per second of work, decoding included.
    """

    latents: Array
    sample_rate: int
    duration_s: float
    takes: tuple[int, ...]
    faster: float


def render(
    mapping: Mapping,
    recording: Recording,
    model_dir: str | Path,
    out_wav: str | Path,
    latents_out: str | Path | None = None,
    take: int | None = None,
    *,
    base: str | None = None,
    player: Decoder | None = None,
    force: bool = False,
) -> Rendering:
    """Write the sound of a recording, take after take with a short silence between.

    A row of the latent table lies under every hop of the sound file, also in the silences: there the latents
    are at rest while the sound is off.

    Parameters
    ----------
    model_dir : the exported model that `mapping` plays.
    out_wav : sound file to write; the suffix says the format.
    latents_out : latent table (Parquet) to write, or None.
    take : index of the one take to render; None for all.
    base : what a mapping of ``output.mode`` ``add`` or ``multiply`` moves, see `load_trajectory`: a sound, as a rule.
        Every take begins at its beginning; a longer take begins it again.
    player : decodes instead of the one in `model_dir`.
    force : play another model than the mapping was fitted on; see `Mapping.check_model`.

    Raises
    ------
    WrongModelError
        If the mapping was fitted on another model.
    MappingError
        If the recording has other channels than the mapping reads, or a base sound is missing or not wanted.
    RecordingError
        If there is no such take, or none at all, or one is longer than `MAX_TAKE_S`.
    GestureMapError
        If the folder to write into does not exist.
    """
    from audiovae.player import Player, save_audio

    start = time.perf_counter()
    check_folders(out_wav, latents_out)
    takes = _choose_takes(mapping, recording, take)
    player = Player(model_dir) if player is None else player
    space = player.space
    mapping.check_model(space, force)
    mapping.check_mode(has_base=base is not None)
    moved = None if base is None else BaseSound(mapping, load_trajectory(base, model_dir).latents)
    rest = mapping.rest if moved is None else np.asarray(space.mean, np.float64)
    pause = np.tile(rest, (max(1, round(PAUSE_S * space.latent_rate)), 1))
    latents, audio = [], []
    for number, chosen in enumerate(takes):
        if number:
            latents.append(pause)
            audio.append(np.zeros((space.channels, len(pause) * space.hop_length), np.float32))
        latents.append(latents_of(mapping, chosen, space, moved))
        audio.append(decode_softly(player, latents[-1]))
    sound, played = np.concatenate(audio, axis=1), np.concatenate(latents)
    save_audio(out_wav, sound, space.sample_rate)
    if latents_out is not None:
        write_latents(latents_out, played, space)
    duration_s = sound.shape[1] / space.sample_rate
    return Rendering(
        latents=played,
        sample_rate=space.sample_rate,
        duration_s=duration_s,
        takes=tuple(chosen.index for chosen in takes),
        faster=duration_s / max(time.perf_counter() - start, 1e-9),
    )


@dataclass(frozen=True)
class BaseSound:
    """The sound that a mapping of ``output.mode`` ``add`` or ``multiply`` moves, again and again.

    Parameters
    ----------
    mapping : of that kind.
    latents : (n, latent_size) of the sound, at the latent rate.
    """

    mapping: Mapping
    latents: Array

    def moved(self, control: Array, first: int = 0) -> Array:
        """Latents under the gesture `control` (n_frames, latent_size), the frames of the sound from `first` on."""
        return self.mapping.apply(control, self.latents[(first + np.arange(len(control))) % len(self.latents)])


def latents_of(mapping: Mapping, take: Take, space: LatentSpace, base: BaseSound | None = None) -> Array:
    """Latents of one take at the latent rate of `space`, (n_frames, latent_size), lost hands filled.

    The first is at the take's first row, the last at or before its last.
    """
    control = mapping.control_take(take.time_s, take.values, fill=True)
    latents = resample_to_model(control, take.time_s, space)
    return latents if base is None else base.moved(latents)


def resample_to_model(latents: Array, time_s: Array, space: LatentSpace) -> Array:
    """Latents (n, latent_size) at times `time_s` (n,) increasing, at the latent rate of `space`.

    Returns
    -------
    (n_frames, latent_size), the first at ``time_s[0]``, the last at or before ``time_s[-1]``.
    """
    n_frames = int((time_s[-1] - time_s[0]) * space.latent_rate + 1e-9) + 1
    at_s = time_s[0] + np.arange(n_frames) / space.latent_rate
    return np.asarray(resample_latents(latents, time_s, at_s), dtype=np.float64)


def decode_softly(player: Decoder, latents: Array) -> Any:
    """(channels, samples) sound of latents (n_frames, latent_size) whose edges do not click."""
    return _soften_edges(np.asarray(player.decode(latents)), player.space.sample_rate)


def _choose_takes(mapping: Mapping, recording: Recording, index: int | None) -> Sequence[Take]:
    mapping.check_layout(recording)
    takes = [take for take in recording.takes if index in (None, take.index)]
    if not takes:
        there = ", ".join(str(take.index) for take in recording.takes) or "none"
        raise RecordingError(
            f"{recording.path}: no take {'' if index is None else index} to render; there are: {there}"
        )
    longest = max(takes, key=lambda chosen: chosen.duration_s)
    if longest.duration_s > MAX_TAKE_S:
        raise RecordingError(
            f"{recording.path}: take {longest.index} lasts {longest.duration_s:.0f} s, at most {MAX_TAKE_S:.0f} s can"
            " be rendered in one piece: if it was imported, was its time unit right? Else record shorter takes"
        )
    return takes


def check_folders(*paths: str | Path | None) -> None:
    """Refuse a place that cannot be written to before the work, not after."""
    for path in paths:
        if path is not None and not Path(path).parent.is_dir():
            raise GestureMapError(f"{path}: there is no folder {Path(path).parent}: make it, or choose another place")


def _soften_edges(audio: Any, sample_rate: int) -> Any:
    """`audio` (channels, samples) with a short straight fade at both ends."""
    n = min(round(EDGE_S * sample_rate), audio.shape[1] // 2)
    ramp = np.arange(n, dtype=np.float32) / max(n, 1)
    gain = np.ones(audio.shape[1], np.float32)
    gain[:n], gain[len(gain) - n :] = ramp, ramp[::-1]
    return audio * gain
