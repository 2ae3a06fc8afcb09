"""The waveform family: sound through two ONNX files with explicit states, block by block and therefore whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from audiovae.codecs.codec import FloatArray
from audiovae.codecs.session import open_session
from audiovae.codecs.stream_session import StreamSession
from audiovae.errors import ModelFolderError, ShapeError

_BLOCK = 32  # latent frames at a time of a whole sound: what is in memory does not grow with its length


class WaveformCodec:
    """The `Codec` of the waveform family.

    Whole sounds go through the same streams as blocks do, with their delay cut off the start and fed after the end:
    silence to the encoder, the last latent frame held to the decoder.

    Parameters
    ----------
    folder : holds ``encoder.onnx`` and ``decoder.onnx``.

    Raises
    ------
    ModelFolderError
        If a file is missing or damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        self._encoder, self._decoder = (open_session(folder / f"{half}.onnx") for half in ("encoder", "decoder"))
        metadata = self._encoder.get_modelmeta().custom_metadata_map
        try:
            self.sample_rate, self.channels = int(metadata["sample_rate"]), int(metadata["channels"])
            self.hop_length = int(metadata["hop_length"])
            self._encode_delay, self._decode_delay = int(metadata["encode_delay"]), int(metadata["decode_delay"])
        except (KeyError, ValueError) as error:
            raise ModelFolderError(f"{folder / 'encoder.onnx'} lacks {error}: export the model again") from None
        self.latent_size = int(self._decoder.get_inputs()[0].shape[1])

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latent means, (ceil(samples / hop_length), latent_size) float32, of audio (channels, samples)."""
        stream = self.open_encoder()
        frames = -(-audio.shape[1] // self.hop_length)
        block = _BLOCK * self.hop_length
        latents = []
        for start in range(0, (frames + stream.delay_frames) * self.hop_length, block):
            size = min(block, (frames + stream.delay_frames) * self.hop_length - start)
            piece = audio[:, start : start + size]
            latents.append(stream.process(np.pad(piece, [(0, 0), (0, size - piece.shape[1])])))
        return np.concatenate(latents)[stream.delay_frames :]

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, n_frames * hop_length) float32 of latents (n_frames, latent_size)."""
        stream = self.open_decoder()
        held = -(-stream.delay_samples // self.hop_length)
        fed = np.concatenate([latents, np.repeat(latents[-1:], held, axis=0)])
        audio = [stream.process(fed[start : start + _BLOCK]) for start in range(0, len(fed), _BLOCK)]
        end = stream.delay_samples + len(latents) * self.hop_length
        return np.concatenate(audio, axis=1)[:, stream.delay_samples : end]

    def open_encoder(self) -> WaveformEncoderStream:
        """A stream of audio into latents."""
        return WaveformEncoderStream(self._encoder, self._encode_delay, self.channels, self.hop_length)

    def open_decoder(self) -> WaveformDecoderStream:
        """A stream of latents into audio."""
        return WaveformDecoderStream(self._decoder, self._decode_delay, self.latent_size)


class WaveformEncoderStream:
    """The `EncoderStream` of the waveform family."""

    def __init__(self, session: Any, delay_frames: int, channels: int, hop_length: int) -> None:
        self.delay_frames, self._channels, self._hop_length = delay_frames, channels, hop_length
        self._stream = StreamSession(session)

    def process(self, audio: FloatArray) -> FloatArray:
        """(k, latent_size) float32 of one block of audio (channels, k * hop_length); what is not finite is silence.

        Raises
        ------
        ShapeError
            If the block is empty, of other channels, or no multiple of the hop length.
        """
        channels, samples = audio.shape
        if channels != self._channels or not samples or samples % self._hop_length:
            raise ShapeError(
                f"a block of shape {audio.shape} found, ({self._channels}, k * {self._hop_length}) expected"
            )
        latents: FloatArray = self._stream.process(_narrow(audio)[None])[0].T
        return latents

    def reset(self) -> None:
        """Forget what came before."""
        self._stream.reset()


class WaveformDecoderStream:
    """The `DecoderStream` of the waveform family."""

    def __init__(self, session: Any, delay_samples: int, latent_size: int) -> None:
        self.delay_samples, self._latent_size = delay_samples, latent_size
        self._stream = StreamSession(session)

    def process(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, k * hop_length) float32 of one block of latents (k, latent_size).

        A value that is not finite is played as the mean of its dimension.

        Raises
        ------
        ShapeError
            If the block is empty or of another size.
        """
        frames, size = latents.shape
        if size != self._latent_size or not frames:
            raise ShapeError(f"a block of shape {latents.shape} found, (k, {self._latent_size}) expected")
        audio: FloatArray = self._stream.process(_narrow(latents.T)[None])[0]
        return audio

    def reset(self) -> None:
        """Forget what came before."""
        self._stream.reset()


def _narrow(x: FloatArray) -> FloatArray:
    """As float32; what is beyond it becomes infinite, and is then treated like what was."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(x, np.float32)
