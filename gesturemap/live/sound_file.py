"""The sound of a performance as a file, decoded when it is over."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.errors import AudioVAEError
from gesturemap.errors import GestureMapError
from gesturemap.frame import Array
from gesturemap.render import MAX_TAKE_S, BaseSound, Decoder, check_folders, decode_softly, resample_to_model


class SoundFile:
    """The `LatentSink` that writes a sound file: the same as `gesturemap render` makes of the same latents.

    Every frame is kept until the end, at most `MAX_TAKE_S`; then the file is written beside its place and renamed.
    Nothing is written before: a sound is decoded whole, and a loud one is turned down as a whole. Whether there is a
    place for it at all is tried at the beginning.

    Parameters
    ----------
    path : the suffix says the format.
    player : decodes.
    base : what the latents move; None where they are played themselves.

    Raises
    ------
    GestureMapError
        If the folder does not exist, or nothing of this format can be written there.
    """

    def __init__(self, path: str | Path, player: Decoder, base: BaseSound | None = None) -> None:
        check_folders(path)
        self.path = Path(path)
        _try_out(self.path, player)
        self._problem = ""
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

        If that fails, as on a full disk, nothing of the file is left and `summary` says why: an error here would
        take the counters of the whole performance with it.
        """
        from audiovae.player import save_audio

        if not self._time_s:
            return
        space = self._player.space
        time_s, latents = np.array(self._time_s), np.stack(self._latents)
        self._time_s, self._latents = [], []
        try:
            latents = resample_to_model(latents, time_s, space)
            audio = decode_softly(self._player, latents if self._base is None else self._base.moved(latents))
            save_audio(self.path, audio, space.sample_rate)
        except (AudioVAEError, OSError, MemoryError) as error:
            self._problem = self._explain(error, float(np.ptp(time_s)))
        else:
            self._duration_s = audio.shape[1] / space.sample_rate

    def _explain(self, error: Exception, duration_s: float) -> str:
        space = self._player.space
        needed = 4 * space.channels * space.sample_rate * duration_s  # of .wav, which is the largest
        free = shutil.disk_usage(self.path.parent).free
        return (
            f"{self.path}: the sound of {duration_s:.1f} s was not written ({error or type(error).__name__}); it needs"
            f" {needed / 1e6:.1f} MB at most, {free / 1e6:.1f} MB are free there. What went out over OSC and to"
            " loudspeakers is not touched, and counted: make room and play again"
        )

    def summary(self) -> dict[str, Any]:
        """The file, its seconds, the frames beyond `MAX_TAKE_S` that are not in it, and why there is none."""
        return {
            "output": "file",
            "path": str(self.path),
            "seconds": round(self._duration_s, 3),
            "frames_left_out": self._left_out,
            "problem": self._problem,
        }


def _try_out(path: Path, player: Decoder) -> None:
    """Write a moment of silence beside `path` and take it away again."""
    from audiovae.player import save_audio

    space, probe = player.space, path.with_name(f".trying-{path.name}")
    try:
        save_audio(probe, np.zeros((space.channels, 1024), np.float32), space.sample_rate)
    except (AudioVAEError, OSError) as error:
        raise GestureMapError(f"{str(error).replace(str(probe), str(path))}: choose another place or format") from None
    finally:
        probe.unlink(missing_ok=True)
