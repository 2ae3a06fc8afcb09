"""Parts of the waveform model that run at the rates of a filter bank's bands, offline and in a stream."""

# No postponed annotations here: TorchScript reads those of buffers, and only as types.

import torch
from torch import Tensor, nn

from audiovae.nn.streaming import Activation, Chain, Convolution, Residual, StreamingLayer, Upsampling

_NOISE_PRIMES = (4099, 4093)
"""Lengths of the two tables of the noise: together it repeats after their product, which float32 still counts."""

_SOFT = -3.0
"""Level at which an untrained model starts its waves, where they have one: 2 sigmoid(-3) is -20 dB."""

_QUIET = -5.0
"""Level at which an untrained model starts its noise: sigmoid(-5) is -43 dB."""


class Contraction(Chain):
    """Bands to features at the latent rate: (batch, inputs, frames) to (batch, outputs, frames // product of ratios).

    Parameters
    ----------
    capacity : channels after the first layer; doubled by every stride.
    ratios : stride of each stage, fastest rate first.
    dilations : of the residual units before each stride.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        capacity: int,
        ratios: tuple[int, ...],
        dilations: tuple[tuple[int, ...], ...],
        kernel_size: int,
        causal: bool,
    ) -> None:
        layers: list[StreamingLayer] = [Convolution(inputs, capacity, 7, causal=causal)]
        width = capacity
        for ratio, stage in zip(ratios, dilations, strict=True):
            layers += [_dilated_unit(width, kernel_size, dilation, causal) for dilation in stage]
            layers += [Activation(), Convolution(width, 2 * width, 2 * ratio, stride=ratio, causal=causal)]
            width *= 2
        layers += [Activation(), Convolution(width, outputs, kernel_size, causal=causal)]
        super().__init__(layers)


class Expansion(Chain):
    """Latents to features at the rate of the bands, the mirror image: (.., inputs, frames) to (.., capacity, more).

    Parameters as of `Contraction`: ratios and dilations fastest rate first, so that one setting reads the same.
    """

    def __init__(
        self,
        inputs: int,
        capacity: int,
        ratios: tuple[int, ...],
        dilations: tuple[tuple[int, ...], ...],
        kernel_size: int,
        causal: bool,
    ) -> None:
        width = capacity * 2 ** len(ratios)
        layers: list[StreamingLayer] = [Convolution(inputs, width, kernel_size, causal=causal)]
        for ratio, stage in zip(reversed(ratios), reversed(dilations), strict=True):
            layers += [Activation(), Upsampling(width, width // 2, ratio, causal=causal)]
            width //= 2
            layers += [_dilated_unit(width, kernel_size, dilation, causal) for dilation in stage]
        super().__init__([*layers, Activation()])


def _dilated_unit(channels: int, kernel_size: int, dilation: int, causal: bool) -> Residual:
    wide, last = (
        Convolution(channels, channels, kernel_size, dilation=dilation, causal=causal),
        Convolution(channels, channels, 1),
    )
    nn.init.zeros_(last.convolution.weight)  # the unit starts as nothing but its bypass, however many there are
    return Residual(channels, Chain([Activation(), wide, Activation(), last]))


class BandSynthesiser(StreamingLayer):
    """Features to bands: a bounded wave, its loudness and noise, (batch, capacity, frames) to (batch, n_bands, frames).

    bands = tanh(wave) [* 2 sigmoid(loudness)] [+ sigmoid(level) * noise]

    Every band has its own loudness and its own level of noise, at the rate of the bands. The noise is a fixed
    pseudo-random sequence with a position in the state, so that the same latents give the same sound, offline and in a
    stream; in training it starts anywhere. It repeats after 16.8 million frames (1 h 41 min at 16 bands and 44.1 kHz).

    Parameters
    ----------
    loudness, noise : whether there are such.
    """

    noise_table: Tensor
    sign_table: Tensor

    def __init__(
        self, capacity: int, n_bands: int, kernel_size: int, *, loudness: bool, noise: bool, causal: bool
    ) -> None:
        super().__init__()
        self.n_bands, self.loudness, self.noise, self.delay = n_bands, loudness, noise, 0
        self.head = Convolution(capacity, n_bands * (1 + int(loudness) + int(noise)), kernel_size, causal=causal)
        bias = self.head.convolution.bias
        if loudness and bias is not None:
            nn.init.constant_(bias[n_bands : 2 * n_bands], _SOFT)
        if noise and bias is not None:
            nn.init.constant_(bias[-n_bands:], _QUIET)
        generator = torch.Generator().manual_seed(0)
        self.period = _NOISE_PRIMES[0] * _NOISE_PRIMES[1]
        self.lengths = _NOISE_PRIMES
        uniform = torch.rand(_NOISE_PRIMES[0], n_bands, generator=generator)
        sign = torch.randint(0, 2, (_NOISE_PRIMES[1], n_bands), generator=generator)
        # Unit variance. Made again with the model, so no need to save them.
        self.register_buffer("noise_table", (2 * uniform - 1) * 3**0.5 if noise else torch.zeros(0), persistent=False)
        self.register_buffer("sign_table", 2.0 * sign - 1 if noise else torch.zeros(0), persistent=False)
        self.align(0)

    def forward(self, x: Tensor) -> Tensor:
        """Noise from its first frame; in training from a random one."""
        start = torch.zeros(1, dtype=torch.int64, device=x.device)
        if self.training and self.noise:
            start = torch.randint(0, self.period, (1,), device=x.device)
        return self._mix(self.head(x).transpose(1, 2), start).transpose(1, 2)

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Noise from the position in the state."""
        n_head = self.head.n_states
        parts, after = self.head.step(x, state[:n_head])
        if not self.noise:
            return self._mix(parts, torch.zeros(1, dtype=torch.int64, device=x.device)), after
        position = state[n_head].to(torch.int64)
        moved = ((position + x.shape[1]) % self.period).to(x.dtype)
        start = position[:1, 0, 0] + (self.period - self.delay)
        return self._mix(parts, start), after + [moved]

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """The head's, and the noise's start."""
        self.delay = self.head.align(delay)
        self.n_states = self.head.n_states + int(self.noise)
        return self.delay

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """The head's."""
        return self.head.memory(frames)

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """The head's, and the position of the noise."""
        return self.head.state_shapes() + ([(1, 1)] if self.noise else [])

    def _mix(self, parts: Tensor, start: Tensor) -> Tensor:
        n = self.n_bands
        bands = torch.tanh(parts[:, :, :n])
        if self.loudness:
            bands = bands * (2 * torch.sigmoid(parts[:, :, n : 2 * n]))
        if self.noise:
            frames = (start + torch.arange(parts.shape[1], device=parts.device)) % self.period
            source = self.noise_table[frames % self.lengths[0]] * self.sign_table[frames % self.lengths[1]]
            bands = bands + torch.sigmoid(parts[:, :, -n:]) * source
        return bands


def bound(audio: Tensor, shape: str) -> Tensor:
    """Samples within [-1, 1]: "tanh" bends all of them, "soft_clip" only what is beyond 0.9."""
    if shape == "tanh":
        return torch.tanh(audio)
    inside = audio.clamp(-0.9, 0.9)
    return inside + 0.1 * torch.tanh((audio - inside) / 0.1)
