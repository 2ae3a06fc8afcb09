"""The sound of a performance as a file, decoded when it is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gesturemap.frame import Array
from gesturemap.render import MAX_TAKE_S, BaseSound, Decoder, check_folders, decode_softly, resample_to_model


class SoundFile:
    """The `LatentSink` that writes a sound file: the same as `gesturemap render` makes of the same latents.

    Every frame is kept until the end, at most `MAX_TAKE_S`; then the file is written beside its place and renamed.

    Parameters
    ----------
    path : the suffix says the format.
    player : decodes.
    base : what the latents move; None where they are played themselves.

    Raises
    ------
    GestureMapError
        If the folder does not exist.
    """

    def __init__(self, path: str | Path, player: Decoder, base: BaseSound | None = None) -> None:
        check_folders(path)
        self.path = Path(path)
        self._player, self._base = player, base
        self._time_s: list[float] = []
        self._latents: list[Array] = []
        self._left_out = 0
        self._duration_s = 0.0

    def start(self) -> None:
        """Nothing to do."""

    def write(self, time_s: float, latents: Array) -> None:
        """Keep one frame; of several at one time the last."""
        if self._time_s and time_s - self._time_s[0] > MAX_TAKE_S:
            self._left_out += 1
        elif self._time_s and time_s <= self._time_s[-1]:
            self._latents[-1] = latents
        else:
            self._time_s.append(time_s)
            self._latents.append(latents)

    def mute(self, on: bool) -> None:
        """Nothing: the latents go to rest."""

    def close(self) -> None:
        """Decode and write; nothing is written if no frame came.

        Raises
        ------
        AudioVAEError
            If the file cannot be written, as on a full disk; nothing of it is left then.
        """
        from audiovae.player import save_audio

        if not self._time_s:
            return
        space = self._player.space
        latents = resample_to_model(np.stack(self._latents), np.array(self._time_s), space)
        audio = decode_softly(self._player, latents if self._base is None else self._base.moved(latents))
        save_audio(self.path, audio, space.sample_rate)
        self._duration_s = audio.shape[1] / space.sample_rate
        self._time_s, self._latents = [], []

    def summary(self) -> dict[str, Any]:
        """The file, its seconds, and the frames beyond `MAX_TAKE_S` that are not in it."""
        return {
            "output": "file",
            "path": str(self.path),
            "seconds": round(self._duration_s, 3),
            "frames_left_out": self._left_out,
        }
