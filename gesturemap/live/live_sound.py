"""The sound of a performance on a sound card: a thread that decodes, block by block, the newest latents.

Blocks are handed to PortAudio's own buffer, so no Python runs in the audio callback and a busy interpreter is heard
only when it is late by the whole lead. One network; several are for an engine to come.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from audiovae.errors import ModelFolderError
from audiovae.latent_space import LatentSpace
from gesturemap.clock import Clock
from gesturemap.errors import GestureMapError
from gesturemap.frame import Array
from gesturemap.live.counters import Latencies
from gesturemap.live.settings import LiveSettings
from gesturemap.recording.sound_output import open_output
from gesturemap.render import BaseSound

_WITHOUT = "leave out --audio"
_JOIN_S = 5.0


class StreamDecoder(Protocol):
    """What live sound needs of `audiovae.player.Player`."""

    space: LatentSpace

    def open_decoder(self) -> Any:
        """A stream with ``process(latents (k, latent_size)) -> audio (channels, k * hop_length)``."""


class LiveSound:
    """The `LatentSink` that plays.

    Parameters
    ----------
    player : of a model that decodes block by block.
    rest : (latent_size,), played until the first frame.
    settings : block, lead, fade.
    clock : measures how long a block takes to decode.
    device : name or number of a sound output; None for the default one.
    base : what the latents move; None where they are played themselves.
    open_stream : makes the output; for tests.

    Attributes
    ----------
    blocks, late, underflows : blocks played, blocks that took longer to decode than they last, and times that the
        sound card ran dry.

    Raises
    ------
    GestureMapError
        If the model decodes whole sounds only; `MissingExtraError`, `RecordingError` if there is no sound output.
    """

    def __init__(
        self,
        player: StreamDecoder,
        rest: Array,
        settings: LiveSettings,
        clock: Clock,
        device: str | None = None,
        base: BaseSound | None = None,
        open_stream: Callable[..., Any] = open_output,
    ) -> None:
        space = player.space
        try:
            self._decoder = player.open_decoder()
        except ModelFolderError:
            raise GestureMapError(
                f"model {space.model_name!r} ({space.family}) decodes whole sounds only and cannot be played live:"
                " use --audio-file, or --osc, or a model of the waveform family"
            ) from None
        self.blocks = self.late = self.underflows = 0
        self.problem = ""
        self._frames = max(1, math.ceil(settings.block_s * space.latent_rate - 1e-9))
        self._period_s = self._frames / space.latent_rate
        self._fade_s = settings.fade_s
        self._decode_times = Latencies()
        self._clock = clock
        self._last = self._newest = rest
        self._base, self._played = base, 0
        self._gain = 0.0
        self._silent = self._over = False
        self._sample_rate = space.sample_rate
        self._decoder.process(np.tile(rest, (self._frames, 1)))  # the first call of a network is the slowest
        self._decoder.reset()
        self._stream = open_stream(
            space.sample_rate,
            space.channels,
            _WITHOUT,
            device=int(device) if device is not None and device.isdigit() else device,
            # No blocksize: PortAudio's blocking write into JACK corrupts memory where one is asked for.
            latency=settings.lead_blocks * self._period_s,
        )
        self._thread = threading.Thread(target=self._play, name="sound", daemon=True)

    def start(self) -> None:
        """Fade in."""
        self._stream.start()
        self._thread.start()

    def write(self, time_s: float, latents: Array) -> None:
        """Play these from the next block on."""
        self._newest = latents

    def mute(self, on: bool) -> None:
        """Fade out, or in again."""
        self._silent = on

    def close(self) -> None:
        """Fade out and let go of the sound card."""
        self._over = True
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._stream.stop()
        self._stream.close()

    def summary(self) -> dict[str, Any]:
        """Blocks, late ones, underflows, and how long decoding one takes."""
        return {
            "output": "sound",
            "blocks": self.blocks,
            "late": self.late,
            "underflows": self.underflows,
            "block_ms": round(1000 * self._period_s, 3),
            "decode_ms": self._decode_times.summary(),
            "problem": self.problem,
        }

    def _play(self) -> None:
        try:
            while not (self._over and self._gain == 0.0):
                self.underflows += bool(self._stream.write(self.next_block()))
                self.blocks += 1
        except Exception as error:  # the card was unplugged, by whatever name PortAudio calls that: all else plays on
            self.problem = str(error) or type(error).__name__

    def next_block(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """(samples, channels) of the next block: latents go straight from where they were to the newest."""
        start_s = self._clock.now_s()
        newest = self._newest
        share = np.arange(1, self._frames + 1)[:, None] / self._frames
        latents = (1.0 - share) * self._last + share * newest
        self._last = newest
        if self._base is not None:
            latents = self._base.moved(latents, self._played)
            self._played += self._frames
        audio = self._decoder.process(latents.astype(np.float32))
        block = np.clip(audio.T * self._ramp(audio.shape[1])[:, None], -1.0, 1.0)
        took_s = self._clock.now_s() - start_s
        self._decode_times.add(took_s)
        self.late += took_s > self._period_s
        return np.ascontiguousarray(block, np.float32)

    def _ramp(self, n_samples: int) -> Array:
        """(n_samples,) gain, straight towards 1, or 0 when silent or over."""
        target = 0.0 if self._silent or self._over else 1.0
        step = 1.0 / (self._fade_s * self._sample_rate)
        steps = step * np.arange(1, n_samples + 1)
        up = target > self._gain
        ramp: Array = np.minimum(self._gain + steps, target) if up else np.maximum(self._gain - steps, target)
        self._gain = float(ramp[-1])
        return ramp
