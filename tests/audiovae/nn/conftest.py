"""The contract of every streaming layer, checked in one place."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from audiovae.nn.streaming import StreamingLayer

StreamCheck = Callable[..., None]


@torch.no_grad()
def _stream(layer: StreamingLayer, x: Tensor, blocks: list[int]) -> Tensor:
    """Output of a signal given in blocks of these sizes, over and over, to the scripted layer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.script: nn~ needs it
        scripted = torch.jit.script(layer)
    state, out, start = layer.init_state(x.shape[0]), [], 0
    while start < x.shape[2]:
        size = blocks[len(out) % len(blocks)]
        block, state = scripted.step(x[:, :, start : start + size].transpose(1, 2), state)
        out.append(block)
        start += size
    return torch.cat(out, dim=1).transpose(1, 2)


@pytest.fixture
def check_stream() -> StreamCheck:
    """A function that holds a layer to streamed == offline, `delay` later, in several block sizes and batches.

    ``check_stream(layer, channels, grid=1, ratio=1.0)``: blocks are multiples of `grid`, `ratio` is output frames per
    input frame.
    """

    def check(layer: StreamingLayer, channels: int, grid: int = 1, ratio: float = 1.0, tolerance: float = 5e-6) -> None:
        delay, clean = layer.align(0), layer.memory(0) if layer.align(0) else 0
        frames = -(-int(2 * (delay + clean + 8) / ratio) // grid) * grid
        for batch, blocks in ((1, [1]), (4, [3, 1, 4]), (1, [64])):
            x = torch.randn(batch, channels, frames)
            streamed = _stream(layer, x, [block * grid for block in blocks])
            with torch.no_grad():
                offline = layer(x)
            assert streamed.shape == offline.shape
            late, aligned = streamed[:, :, delay:], offline[:, :, : offline.shape[2] - delay]
            assert late.shape[2] > clean
            torch.testing.assert_close(late[:, :, clean:], aligned[:, :, clean:], atol=tolerance, rtol=tolerance)

    return check
