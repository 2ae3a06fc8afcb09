"""The speaker a performer follows while recording: plays one piece of audio and says when it is first heard.

For recording only, where the sound is known beforehand. Needs the extra ``audio``.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from gesturemap.clock import Clock
from gesturemap.errors import MissingExtraError, RecordingError

START_TIMEOUT_S = 5.0


class SoundOutput:
    """The default sound output of the machine.

    Parameters
    ----------
    audio : (channels, samples) in [-1, 1].
    sample_rate : Hz.
    clock : tells when the sound was first heard.
    loop_from : sample to begin again from at the end; None: silence follows.

    Raises
    ------
    MissingExtraError
        If sounddevice is not installed.
    RecordingError
        If there is no sound library or no output on this machine.
    """

    def __init__(
        self, audio: npt.NDArray[np.floating[Any]], sample_rate: int, clock: Clock, loop_from: int | None = None
    ) -> None:
        self.n_underflows = 0
        self.sample_rate = sample_rate
        self._clock = clock
        self.load(audio, loop_from)
        self._heard_s = 0.0
        self._started = threading.Event()
        self._stream = open_output(sample_rate, audio.shape[0], "record with --silent", callback=self._fill)

    def load(self, audio: npt.NDArray[np.floating[Any]], loop_from: int | None = None) -> None:
        """Play other audio, of as many channels, from the next `start` on; call it only while nothing plays."""
        self._samples = np.ascontiguousarray(audio.T, dtype=np.float32)
        self._loop_from = loop_from
        self._next = 0

    def start(self) -> float:
        """Play from the beginning; returns the time on the clock at which the first sample is heard."""
        self._next = 0
        self._started.clear()
        self._stream.start()
        if not self._started.wait(START_TIMEOUT_S):
            self._stream.stop()
            raise RecordingError(
                f"the sound output did not start within {START_TIMEOUT_S:g} s: choose another one in the "
                "system's settings, or record with --silent"
            )
        return self._heard_s

    def stop(self) -> None:
        """Stop; `start` plays again."""
        self._stream.stop()

    def close(self) -> None:
        """Let go of the device."""
        self._stream.close()

    def _fill(self, block: npt.NDArray[np.float32], n_samples: int, time_info: Any, status: Any) -> None:
        """Called by the sound device whenever it needs `n_samples` more."""
        if status.output_underflow:
            self.n_underflows += 1
        if not self._started.is_set():
            self._heard_s = self._clock.now_s() + time_info.outputBufferDacTime - time_info.currentTime
            self._started.set()
        index = np.arange(self._next, self._next + n_samples)
        if self._loop_from is not None:
            past = index >= len(self._samples)
            index[past] = self._loop_from + (index[past] - self._loop_from) % (len(self._samples) - self._loop_from)
        inside = index < len(self._samples)
        block[:] = 0.0
        block[inside] = self._samples[index[inside]]
        self._next += n_samples


def open_output(sample_rate: int, channels: int, without: str, **options: Any) -> Any:
    """A `sounddevice.OutputStream` of float32, not started.

    Parameters
    ----------
    without : what to do on a machine without sound, for the error.
    options : of the stream, such as ``device``, ``callback``, ``blocksize`` and ``latency``.

    Raises
    ------
    MissingExtraError
        If sounddevice is not installed.
    RecordingError
        If there is no sound library or no such output on this machine.
    """
    try:
        import sounddevice
    except ImportError:
        raise MissingExtraError("sounddevice", "audio", without) from None
    except OSError as error:  # sounddevice is there, the system's PortAudio is not
        raise RecordingError(
            f"no sound on this machine ({error}): install PortAudio (Debian: apt install libportaudio2), or {without}"
        ) from None
    try:
        return sounddevice.OutputStream(samplerate=sample_rate, channels=channels, dtype="float32", **options)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise RecordingError(f"no sound output found ({error}): connect one, or {without}") from None
