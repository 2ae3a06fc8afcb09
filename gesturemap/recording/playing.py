"""What plays while a performer records: latents, the model that sounds them, the clicks before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiovae.latent_space import FloatArray, LatentSpace
from gesturemap.clock import Clock
from gesturemap.errors import RecordingError
from gesturemap.frame import Array
from gesturemap.recording.sound_output import SoundOutput
from gesturemap.recording.trajectory import Trajectory, load_trajectory

if TYPE_CHECKING:
    from audiovae.player import Player

SEEDED = ("walk", "prior")
CLICK_RATE = 44100  # Hz, where there is no model to say another
CLICK_HZ, CLICK_S, CLICK_LEVEL = 1000.0, 0.03, 0.5


@dataclass(frozen=True)
class Playing:
    """A trajectory, the model that sounds it, and whether it begins again at its end."""

    trajectory: Trajectory
    player: Player
    loop: bool

    @property
    def limit_s(self) -> float:
        """Seconds after which nothing plays any more."""
        return np.inf if self.loop else self.trajectory.duration_s

    def latents_at(self, time_s: float) -> Array:
        """(latent_size,) playing `time_s` after the start of a take."""
        latents: Array = self.trajectory.at(np.array([time_s % self.trajectory.duration_s]))[0]
        return latents

    def decode(self, duration_s: float = np.inf) -> FloatArray:
        """(channels, samples) sound of the trajectory's first `duration_s`."""
        n_frames = min(np.ceil(duration_s * self.trajectory.latent_rate), len(self.trajectory.latents))
        return self.player.decode(self.trajectory.latents[: max(1, int(n_frames))])


@dataclass(frozen=True)
class Programme:
    """What to play in every take of a session: a walk and a prior go another way each time, anything else comes again.

    Parameters
    ----------
    first : in the first take.
    model_dir, spec, seed : what made it; every further walk or sample of the prior has the next seed.
    """

    first: Playing
    model_dir: Path
    spec: str
    seed: int

    def of_take(self, number: int) -> Playing:
        """What plays in take `number` of the session, counted from 0."""
        if number == 0 or self.spec.partition(":")[0] not in SEEDED:
            return self.first
        return replace(self.first, trajectory=load_trajectory(self.spec, self.model_dir, self.seed + number))


def plan(model_dir: str | Path | None, play: str | None, seed: int, seconds: float | None, loop: bool) -> Programme:
    """What plays; a walk, or a sample of the prior, is as long as the take unless told otherwise."""
    if model_dir is None:
        raise RecordingError(f"--play {play} needs a model to play it with: add --model MODEL_DIR")
    from audiovae.player import Player

    spec = play or "walk"
    if spec in SEEDED and seconds is not None:
        spec = f"{spec}:{seconds!r}"
    first = Playing(load_trajectory(spec, model_dir, seed), Player(model_dir), loop)
    return Programme(first, Path(model_dir), spec, seed)


class Speaker:
    """The sound output of a session: for every take its clicks, then what it plays.

    Parameters
    ----------
    clock : tells when a take's sound is first heard.
    space : of the model that will play; None for clicks alone.
    count_in_s : seconds of clicks before, one a second.

    Raises
    ------
    RecordingError, MissingExtraError
        If there is no sound output.
    """

    def __init__(self, clock: Clock, space: LatentSpace | None, count_in_s: float) -> None:
        sample_rate, channels = (space.sample_rate, space.channels) if space else (CLICK_RATE, 1)
        self._clicks = np.tile(make_clicks(count_in_s, sample_rate), (channels, 1))
        self._output = SoundOutput(self._clicks, sample_rate, clock)

    @property
    def n_underflows(self) -> int:
        """How often the sound stopped short."""
        return self._output.n_underflows

    @contextmanager
    def sounding(self, playing: Playing | None) -> Iterator[float]:
        """Plays inside the block; the time at which the take begins."""
        count_in_s = self._clicks.shape[1] / self._output.sample_rate
        audio = self._clicks if playing is None else np.concatenate([self._clicks, playing.decode()], axis=1)
        self._output.load(audio, self._clicks.shape[1] if playing is not None and playing.loop else None)
        try:
            yield self._output.start() + count_in_s
        finally:
            self._output.stop()

    def close(self) -> None:
        """Let go of the device."""
        self._output.close()


def make_clicks(duration_s: float, sample_rate: int) -> FloatArray:
    """(samples,) a short tone at every full second before the end."""
    n_samples = round(duration_s * sample_rate)
    time_s = np.arange(n_samples) / sample_rate
    since_s = (time_s - duration_s) % 1.0 if n_samples else time_s
    tone = np.sin(2.0 * np.pi * CLICK_HZ * since_s) * np.clip(1.0 - since_s / CLICK_S, 0.0, 1.0)
    return np.asarray(CLICK_LEVEL * tone, dtype=np.float32)


def save_sound(folder: Path, played: Sequence[tuple[int, float, Playing]]) -> None:
    """``play.wav``, what the hand followed; ``play-NNN.wav`` from take NNN on if something else played there.

    Parameters
    ----------
    played : of every take its index, its length in seconds and what it was played.
    """
    from audiovae.player import save_audio

    pieces: dict[int, tuple[int, float, Playing]] = {}
    for index, duration_s, playing in played:
        first, longest_s, _ = pieces.get(id(playing), (index, 0.0, playing))
        pieces[id(playing)] = (first, max(longest_s, duration_s), playing)
    for first, duration_s, playing in pieces.values():
        name = "play.wav" if first == 1 else f"play-{first:03d}.wav"
        save_audio(folder / name, playing.decode(duration_s), playing.player.space.sample_rate)
