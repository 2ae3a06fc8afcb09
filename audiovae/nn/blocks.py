"""Residual blocks over time."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class ChannelNorm(nn.Module):
    """Layer normalisation over channels, each frame on its own: (batch, channels, frames) to the same.

    Statistics over time would make a frame depend on the length of the excerpt.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised frames."""
        normed: Tensor = self.norm(x.transpose(1, 2))
        return normed.transpose(1, 2)


class ResidualBlock(nn.Module):
    """x + mix(SiLU(dilated convolution(norm(x)))): (batch, channels, frames) to the same."""

    def __init__(self, channels: int, kernel_size: int, dilation: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.convolution = nn.Conv1d(channels, channels, kernel_size, dilation=dilation, padding="same")
        self.dropout = nn.Dropout1d(dropout)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Frames plus their residual."""
        residual: Tensor = self.mix(self.dropout(functional.silu(self.convolution(self.norm(x)))))
        return x + residual
