"""What every family of models can do once exported: the seam between the player and the files it plays."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


class Codec(Protocol):
    """Whole sounds to latents and back.

    Attributes
    ----------
    sample_rate : Hz.
    channels : of the audio.
    hop_length : samples per latent frame.
    latent_size : dimensions of a latent frame.
    """

    sample_rate: int
    channels: int
    hop_length: int
    latent_size: int

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latent means, (ceil(samples / hop_length), latent_size) float32, of audio (channels, samples)."""

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, n_frames * hop_length) float32 of latents (n_frames, latent_size)."""

    def open_encoder(self) -> EncoderStream:
        """A stream of audio into latents; `ModelFolderError` where the family plays whole files only."""

    def open_decoder(self) -> DecoderStream:
        """A stream of latents into audio; `ModelFolderError` where the family plays whole files only."""


class EncoderStream(Protocol):
    """Audio to latents block by block, equal to the whole sound's for blocks of any size.

    Attributes
    ----------
    delay_frames : latent frames by which the stream is later than the whole sound's latents.
    """

    delay_frames: int

    def process(self, audio: FloatArray) -> FloatArray:
        """(k, latent_size) float32 of one block of audio (channels, k * hop_length)."""

    def reset(self) -> None:
        """Forget what came before."""


class DecoderStream(Protocol):
    """Latents to audio block by block, equal to the whole sound for blocks of any size.

    Attributes
    ----------
    delay_samples : samples by which the stream is later than the whole sound.
    """

    delay_samples: int

    def process(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, k * hop_length) float32 of one block of latents (k, latent_size)."""

    def reset(self) -> None:
        """Forget what came before."""
