"""An exported model folder at work: audio to latents and back, whole or block by block, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audiovae.codecs.codec import DecoderStream, EncoderStream, FloatArray
from audiovae.codecs.folder import open_codec
from audiovae.corpus.audio_file import read_audio, write_audio
from audiovae.errors import ModelFolderError, ShapeError
from audiovae.latent_space import LatentSpace


class Player:
    """Encode and decode with an exported model folder alone.

    Parameters
    ----------
    model_dir : a folder written by ``audiovae export``.

    Raises
    ------
    ModelFolderError
        If it is none, damaged, or its files are of different models.
    """

    def __init__(self, model_dir: str | Path) -> None:
        self.space = LatentSpace.load(model_dir)
        self._codec = codec = open_codec(model_dir)
        space = self.space
        played = (codec.latent_size, codec.hop_length, codec.sample_rate, codec.channels)
        stated = (space.latent_size, space.hop_length, space.sample_rate, space.channels)
        if played != stated:
            raise ModelFolderError(
                f"{model_dir}: (latent_size, hop_length, sample_rate, channels) {played} in its networks, {stated} in "
                "latent_space.json: files of two models; export the model again"
            )

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latent means of audio; the same audio always gives the same latents.

        Parameters
        ----------
        audio : (channels, samples) in [-1, 1] at ``space.sample_rate``.

        Returns
        -------
        (ceil(samples / hop_length), latent_size) float32; the last frame is filled up with silence.

        Raises
        ------
        ShapeError
            If the channels are not the model's, there is no sample, or one is not finite.
        """
        if audio.ndim != 2 or audio.shape[0] != self.space.channels or audio.shape[1] == 0:
            raise ShapeError(f"audio of shape {audio.shape} found, ({self.space.channels}, samples) expected")
        if not np.isfinite(audio).all():
            raise ShapeError("audio with NaN or infinite samples found, finite ones expected: repair the sound first")
        return self._codec.encode(audio)

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio of latents; the same latents always give the same audio.

        Parameters
        ----------
        latents : (n_frames, latent_size), finite.

        Returns
        -------
        (channels, n_frames * hop_length) float32.

        Raises
        ------
        ShapeError, LatentsError
            If there is no frame, a value is not finite, or the dimensions are not the model's.
        """
        self.space.check(latents)
        if len(latents) == 0 or not np.isfinite(latents).all():
            raise ShapeError("latents to decode must be one or more frames, all finite; found none, or NaN")
        return self._codec.decode(latents)

    def open_encoder(self) -> EncoderStream:
        """A stream of audio into latents, block by block; `ModelFolderError` where the family has none."""
        return self._codec.open_encoder()

    def open_decoder(self) -> DecoderStream:
        """A stream of latents into audio, block by block; `ModelFolderError` where the family has none."""
        return self._codec.open_decoder()


def load_audio(path: str | Path, sample_rate: int, channels: int) -> FloatArray:
    """Audio of a file at a rate and channel count, (channels, samples) float32."""
    return read_audio(path, sample_rate, channels)[0]


def save_audio(path: str | Path, audio: FloatArray, sample_rate: int) -> None:
    """Write audio (channels, samples) in the format of the suffix; beyond full scale it is turned down as a whole."""
    peak = float(np.abs(audio).max(initial=0.0))
    write_audio(path, audio / peak if peak > 1.0 else audio, sample_rate)
