"""The waveform VAE: sound to latents and back through a filter bank, offline and in a stream from the same weights."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from audiovae.errors import ShapeError
from audiovae.nn.pqmf import Analysis, Synthesis
from audiovae.nn.streaming import Chain
from audiovae.nn.waveform_blocks import BandSynthesiser, Contraction, Expansion, bound
from audiovae.settings import Settings

_STAGE = (1, 3, 9)


class WaveformVAESettings(Settings):
    """Size and kind of a `WaveformVAE`."""

    channels: int = Field(1, ge=1, le=2)
    """1 mono, 2 stereo."""
    n_bands: int = Field(16, ge=4, le=32)
    """Bands of the filter bank, a power of two: more make the network cheaper and the filter bank slower to answer."""
    attenuation_db: float = Field(100.0, ge=40, le=120)
    """Side lobes of the filter bank: 100 delays a sound by 14 frames of a band, 60 by 8 and aliases at -55 dB."""
    capacity: int = Field(96, ge=4)
    """Channels at the rate of the bands, doubled by every ratio: parameters and cost grow with its square."""
    ratios: tuple[int, ...] = (4, 4, 4, 2)
    """Stride of each stage; n_bands times their product is the hop length in samples, a power of two."""
    latent_size: int = Field(128, ge=1)
    """Dimensions before the export keeps the principal ones."""
    kernel_size: int = Field(3, ge=3)
    """Of the dilated convolutions, odd."""
    encoder_dilations: tuple[tuple[int, ...], ...] = (_STAGE, _STAGE, _STAGE, (1, 3))
    """Dilations of the residual units before each ratio; [] for none."""
    decoder_dilations: tuple[tuple[int, ...], ...] = (_STAGE, _STAGE, _STAGE, (1, 3))
    """Dilations of the residual units after each ratio, listed in the encoder's order."""
    causal: bool = False
    """No network looks ahead: only the filter bank delays a stream, at some cost in quality."""
    loudness: bool = True
    """Each band has a loudness envelope of its own."""
    noise: bool = False
    """Each band has noise of a level of its own: breath, hiss, cymbals."""
    output_bound: Literal["soft_clip", "tanh"] = "soft_clip"
    """How samples are kept within [-1, 1]: soft_clip bends only what is beyond 0.9, tanh all."""

    @property
    def hop_length(self) -> int:
        """Samples per latent frame."""
        return self.n_bands * math.prod(self.ratios)

    @model_validator(mode="after")
    def _check(self) -> WaveformVAESettings:
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size {self.kernel_size} must be odd")
        if not self.ratios or min(self.ratios) < 2:
            raise ValueError(f"ratios {self.ratios} found, one or more of at least 2 expected")
        hop_length = self.hop_length
        if hop_length & (hop_length - 1) or self.n_bands & (self.n_bands - 1):
            raise ValueError(
                f"n_bands {self.n_bands} and ratios {self.ratios} give a hop length of {hop_length} samples: "
                "powers of two expected, hosts of nn~ accept no other"
            )
        for name, dilations in (("encoder", self.encoder_dilations), ("decoder", self.decoder_dilations)):
            if len(dilations) != len(self.ratios) or min((d for stage in dilations for d in stage), default=1) < 1:
                raise ValueError(
                    f"{name}_dilations {dilations} found, one list of positive dilations for each of the "
                    f"{len(self.ratios)} ratios expected"
                )
        return self


class WaveformPass(NamedTuple):
    """What training compares after one pass, audio (batch, channels, samples), bands (batch, channels*n_bands, ..)."""

    audio: Tensor
    bands: Tensor
    target_bands: Tensor
    mean: Tensor
    log_variance: Tensor


class WaveformVAE(nn.Module):
    """Variational autoencoder of waveforms, convolutions over the bands of a filter bank.

    Offline: `posterior`, `encode`, `decode`, and `forward` for training. In a stream: `encode_step` and `decode_step`
    with the states of `init_encode_state` and `init_decode_state`; blocks are whole latent frames. The latents of a
    stream are those of the whole sound `encode_delay` latent frames later, its sound that of `decode` `decode_delay`
    samples later, once the `encode_memory` or `decode_memory` is past (causal networks: but for the filter bank).

    Source: Caillon and Esling 2021, arXiv:2111.05011 (RAVE); 2022, arXiv:2204.07064 (streaming); layers are our own.

    Attributes
    ----------
    hop_length : samples per latent frame.
    encode_delay, decode_delay : latent frames, samples.
    delay_samples : of a stream through both halves, against the offline output.
    latency_samples : the same plus the hop that has to be collected before a latent frame can be computed.
    encode_memory, decode_memory : latent frames, samples from the start of a sound that depend on what was before it.
    """

    def __init__(self, settings: WaveformVAESettings) -> None:
        super().__init__()
        s = settings
        bands = s.channels * s.n_bands
        self.channels, self.latent_size, self.output_bound = s.channels, s.latent_size, s.output_bound
        self.hop_length = s.hop_length
        self.analysis = Analysis(s.channels, s.n_bands, s.attenuation_db)
        self.encoder = Contraction(
            bands, 2 * s.latent_size, s.capacity, s.ratios, s.encoder_dilations, s.kernel_size, s.causal
        )
        trunk = Expansion(s.latent_size, s.capacity, s.ratios, s.decoder_dilations, s.kernel_size, s.causal)
        head = BandSynthesiser(s.capacity, bands, 7, loudness=s.loudness, noise=s.noise, causal=s.causal)
        self.decoder = Chain([trunk, head])
        self.synthesis = Synthesis(s.channels, s.n_bands, s.attenuation_db)
        self.encode_delay = self.encoder.align(self.analysis.align(0))
        self.decode_delay = self.synthesis.align(self.decoder.align(0))
        self.delay_samples = self.encode_delay * self.hop_length + self.decode_delay
        self.latency_samples = self.delay_samples + self.hop_length
        self.encode_memory = self.encoder.memory(self.analysis.memory(0))
        self.decode_memory = self.synthesis.memory(self.decoder.memory(0))

    @torch.jit.unused
    def forward(self, audio: Tensor) -> WaveformPass:
        """One pass of training: the latents are drawn from the posterior."""
        self._check_audio(audio)
        with torch.autocast(audio.device.type, enabled=False):
            target_bands = self.analysis(audio)
        mean, log_variance = self._split(self.encoder(target_bands))
        latents = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        bands = self.decode_bands(latents)
        return WaveformPass(self.synthesise(bands), bands, target_bands, mean, log_variance)

    @torch.jit.unused
    def posterior(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents of audio.

        Parameters
        ----------
        audio : (batch, channels, samples) in [-1, 1], samples a multiple of `hop_length`.

        Returns
        -------
        Two tensors (batch, latent_size, samples // hop_length).

        Raises
        ------
        ShapeError
            If the channels or the samples are others.
        """
        self._check_audio(audio)
        return self._split(self.encoder(self.analysis(audio)))

    @torch.jit.unused
    def encode(self, audio: Tensor) -> Tensor:
        """Latent means of audio, (batch, latent_size, samples // hop_length)."""
        return self.posterior(audio)[0]

    @torch.jit.unused
    def decode(self, latents: Tensor) -> Tensor:
        """Audio of latents: (batch, latent_size, frames) to (batch, channels, frames * hop_length), in [-1, 1]."""
        return self.synthesise(self.decode_bands(latents))

    @torch.jit.unused
    def decode_bands(self, latents: Tensor) -> Tensor:
        """Bands of latents: what stage 1 of training compares beside the audio."""
        trunk, head = self.decoder.layers
        features = trunk(latents)
        with torch.autocast(latents.device.type, enabled=False):
            bands: Tensor = head(features.float())
        return bands

    @torch.jit.unused
    def synthesise(self, bands: Tensor) -> Tensor:
        """Audio of bands, in [-1, 1]; in full precision, as bfloat16 would add noise 48 dB under the sound."""
        with torch.autocast(bands.device.type, enabled=False):
            return bound(self.synthesis(bands.float()), self.output_bound)

    @torch.jit.unused
    def init_encode_state(self, batch: int) -> list[Tensor]:
        """State of `encode_step` before the first block."""
        device = self.analysis.filters.convolution.weight.device
        return self.analysis.init_state(batch, device) + self.encoder.init_state(batch, device)

    @torch.jit.unused
    def init_decode_state(self, batch: int) -> list[Tensor]:
        """State of `decode_step` before the first block."""
        device = self.analysis.filters.convolution.weight.device
        return self.decoder.init_state(batch, device) + self.synthesis.init_state(batch, device)

    @torch.jit.export
    def posterior_step(self, audio: Tensor, state: list[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Mean and log-variance of the latents of one block of a stream, samples a multiple of `hop_length`."""
        middle = self.analysis.n_states
        bands, first = self.analysis.step(audio.transpose(1, 2), state[:middle])
        features, second = self.encoder.step(bands, state[middle:])
        mean, log_variance = self._split(features.transpose(1, 2))
        return mean, log_variance, first + second

    @torch.jit.export
    def encode_step(self, audio: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Latent means of one block of a stream."""
        mean, _, after = self.posterior_step(audio, state)
        return mean, after

    @torch.jit.export
    def decode_step(self, latents: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Audio of one block of a stream of latents, any frames."""
        middle = self.decoder.n_states
        bands, first = self.decoder.step(latents.transpose(1, 2), state[:middle])
        audio, second = self.synthesis.step(bands, state[middle:])
        return bound(audio.transpose(1, 2), self.output_bound), first + second

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor]:
        features = features.float()
        return features[:, : self.latent_size], features[:, self.latent_size :].clamp(-12.0, 4.0)

    @torch.jit.unused
    def _check_audio(self, audio: Tensor) -> None:
        if audio.dim() != 3 or audio.shape[1] != self.channels or audio.shape[2] % self.hop_length:
            raise ShapeError(
                f"audio of shape {tuple(audio.shape)} found, (batch, {self.channels}, samples) expected, "
                f"samples a multiple of {self.hop_length}: pad the end with zeros"
            )
