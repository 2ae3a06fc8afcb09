"""The filter bank of `audiovae.dsp.pqmf` as layers: signal to bands and back, offline and in a stream.

Both halves are polyphase: `n_bands` samples become the channels of one frame and a plain convolution with fixed weights
does the rest. The spectrum of every odd band runs downwards, as decimation leaves it: the usual sign flip of every
other sample would tie the bands to the parity of a stream's delay. Fixed weights are buffers: no optimiser sees them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from audiovae.dsp.pqmf import design_prototype, modulate
from audiovae.nn.streaming import Convolution, StreamingLayer


class Analysis(StreamingLayer):
    """(batch, channels, samples) to (batch, channels * n_bands, samples // n_bands); all bands of a channel in a row.

    Parameters
    ----------
    channels, n_bands : see above.
    attenuation_db : see `audiovae.dsp.pqmf.design_prototype`.
    """

    def __init__(self, channels: int, n_bands: int, attenuation_db: float) -> None:
        super().__init__()
        self.n_bands = n_bands
        taps = modulate(design_prototype(n_bands, attenuation_db), n_bands)
        phases = np.pad(taps[:, ::-1], ((0, 0), (0, n_bands - 1))).reshape(n_bands, -1, n_bands)
        self.filters = _fixed_convolution(phases.transpose(0, 2, 1), channels)
        self.align(0)

    def forward(self, x: Tensor) -> Tensor:
        """Samples a multiple of `n_bands`; bands are centred on the samples they describe."""
        bands: Tensor = self.filters(self._fold(x))
        return bands

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Samples a multiple of `n_bands`, in rows (batch, samples, channels)."""
        batch, samples, channels = x.shape
        frames = x.reshape(batch, samples // self.n_bands, self.n_bands, channels).transpose(2, 3)
        return self.filters.step(frames.reshape(batch, samples // self.n_bands, channels * self.n_bands), state)

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """From samples to frames of a band."""
        if delay % self.n_bands:
            raise ValueError(f"a delay of {delay} samples found, a multiple of {self.n_bands} expected")
        out = self.filters.align(delay // self.n_bands)
        self.n_states = self.filters.n_states
        return out

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """From samples to frames of a band."""
        return self.filters.memory(-(-frames // self.n_bands))

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """Of the filters."""
        return self.filters.state_shapes()

    def _fold(self, x: Tensor) -> Tensor:
        batch, channels, samples = x.shape
        frames = x.reshape(batch, channels, samples // self.n_bands, self.n_bands)
        return frames.transpose(2, 3).reshape(batch, channels * self.n_bands, samples // self.n_bands)


class Synthesis(StreamingLayer):
    """(batch, channels * n_bands, frames) to (batch, channels, frames * n_bands); parameters as of `Analysis`."""

    def __init__(self, channels: int, n_bands: int, attenuation_db: float) -> None:
        super().__init__()
        self.channels, self.n_bands = channels, n_bands
        taps = n_bands * modulate(design_prototype(n_bands, attenuation_db), n_bands)
        phases = np.pad(taps, ((0, 0), (n_bands - 1, 0))).reshape(n_bands, -1, n_bands)
        self.filters = _fixed_convolution(phases[:, :, ::-1].transpose(2, 0, 1), channels)
        self.align(0)

    def forward(self, x: Tensor) -> Tensor:
        """Signal of the bands."""
        return self._unfold(self.filters(x))

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Any frames."""
        out, after = self.filters.step(x, state)
        batch, frames = out.shape[0], out.shape[1]
        samples = out.reshape(batch, frames, self.channels, self.n_bands).transpose(2, 3)
        return samples.reshape(batch, frames * self.n_bands, self.channels), after

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """From frames of a band to samples."""
        out = self.filters.align(delay)
        self.n_states = self.filters.n_states
        return out * self.n_bands

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """From frames of a band to samples."""
        return self.filters.memory(frames) * self.n_bands

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """Of the filters."""
        return self.filters.state_shapes()

    def _unfold(self, x: Tensor) -> Tensor:
        batch, frames = x.shape[0], x.shape[2]
        phases = x.reshape(batch, self.channels, self.n_bands, frames)
        return phases.transpose(2, 3).reshape(batch, self.channels, frames * self.n_bands)


def _fixed_convolution(weight: np.ndarray, channels: int) -> Convolution:
    """Centred convolution with these weights (n_bands, n_bands, kernel_size), the same for each channel."""
    n_bands, _, kernel_size = weight.shape
    size = channels * n_bands
    layer = Convolution(size, size, kernel_size, groups=channels, bias=False)
    del layer.convolution.weight  # a buffer takes its place
    fixed = torch.from_numpy(np.ascontiguousarray(weight, dtype=np.float32)).repeat(channels, 1, 1)
    layer.convolution.register_buffer("weight", fixed)
    return layer
