"""Layers over time with two forms of one set of weights: a whole signal at once, or a stream in blocks.

`forward` is the offline form: zeros beyond both ends, output aligned with the input. `step` is the streaming form: one
block and the state that the blocks before it left, both given and given back; nothing is kept inside, so that it can be
exported. Offline signals are (batch, channels, frames), as convolutions want them; a stream is in rows, (batch, frames,
channels), where a block of a few frames goes through a layer as one product of matrices without being turned round.
A stream comes out `delay` frames after the offline output and is otherwise equal to it, for blocks of any size, once
the start of the signal has left the `memory` of layers that look ahead: what such a layer says of the time before the
signal is zero offline, and its answer to silence in a stream. Causal layers are equal from the first frame.

`align` fixes the delays by construction: each layer is told the delay of what comes in and says the delay of what goes
out, each in frames of its own rate; a strided layer waits until its input lies on its grid, a residual branch makes
its bypass wait. Call it once on the outermost layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.2


class StreamingLayer(nn.Module):
    """Base: a layer without memory.

    Attributes
    ----------
    n_states : tensors in its state.
    """

    def __init__(self) -> None:
        super().__init__()
        self.n_states = 0

    def forward(self, x: Tensor) -> Tensor:
        """Offline form."""
        return x

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Streaming form: one block and the state before it give its output and the state after it."""
        return self.forward(x), state

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """Delay of the stream that comes out, for the delay of the one that goes in."""
        return delay

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """Output frames, counted from the start, that depend on the first `frames` of the input or what is before."""
        return frames

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """(frames, channels) of each tensor of the state; right once `align` was called."""
        return []

    @torch.jit.unused
    def init_state(self, batch: int, device: torch.device | str | None = None) -> list[Tensor]:
        """State before the first block: zeros (batch, frames, channels)."""
        return [torch.zeros(batch, *shape, device=device) for shape in self.state_shapes()]


class Activation(StreamingLayer):
    """Leaky ReLU."""

    def __init__(self, slope: float = _SLOPE) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """The same at every frame."""
        return functional.leaky_relu(x, self.slope)

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """No memory."""
        return self.forward(x), state


class Delay(StreamingLayer):
    """Nothing offline; in a stream, some frames later."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels, self.frames = channels, 0

    @torch.jit.unused
    def set_frames(self, frames: int) -> None:
        """Wait this long."""
        self.frames, self.n_states = frames, int(frames > 0)

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What came in `frames` ago."""
        if self.n_states == 0:
            return x, state
        joined = torch.cat([state[0], x], dim=1)
        return joined[:, : x.shape[1]], [joined[:, x.shape[1] :]]

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """The frames that wait."""
        return [(self.frames, self.channels)] if self.n_states else []


class Convolution(StreamingLayer):
    """1-D convolution, causal or centred, possibly strided: (batch, inputs, frames) to (.., outputs, frames // stride).

    Parameters
    ----------
    kernel_size : odd when centred and not strided; at least `stride`.
    causal : no output depends on a later input (of a later group of `stride` frames where strided).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        causal: bool = False,
    ) -> None:
        super().__init__()
        past = (kernel_size - 1) * dilation + 1 - stride
        if past < 0 or (not causal and stride == 1 and past % 2):
            raise ValueError(f"kernel_size {kernel_size} with stride {stride}: at least the stride, odd when centred")
        self.convolution = nn.Conv1d(
            inputs, outputs, kernel_size, stride=stride, dilation=dilation, groups=groups, bias=bias
        )
        # Unit variance in, after an `Activation`, gives unit variance out.
        nn.init.kaiming_normal_(self.convolution.weight, a=_SLOPE)
        if self.convolution.bias is not None:
            nn.init.zeros_(self.convolution.bias)
        self.inputs, self.outputs, self.stride = inputs, outputs, stride
        self.kernel_size, self.dilation, self.groups = kernel_size, dilation, groups
        self.right = 0 if causal else past // 2
        self.left = past - self.right
        self.wait = 0
        self.align(0)

    def forward(self, x: Tensor) -> Tensor:
        """Zeros beyond both ends."""
        out: Tensor = self.convolution(functional.pad(x, (self.left, self.right)))
        return out

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Frames a multiple of `stride`."""
        if self.kernel_size == 1:
            return self._multiply([x]), state
        joined = torch.cat([state[0], x], dim=1) if self.n_states else x
        span = (x.shape[1] // self.stride - 1) * self.stride + 1
        taps = [joined[:, k * self.dilation : k * self.dilation + span : self.stride] for k in range(self.kernel_size)]
        if self.wait == 0 and self.stride == 1:
            taps[-1] = x  # the same without a copy
        return self._multiply(taps), [joined[:, x.shape[1] :]] if self.n_states else state

    def _multiply(self, taps: list[Tensor]) -> Tensor:
        """What each tap of the kernel sees, (batch, frames, inputs) each, as one product of matrices.

        For blocks of a few frames that is faster than a convolution: it is ruled by reading the weights once.
        """
        weight, bias = self.convolution.weight, self.convolution.bias
        if self.groups == 1:
            rows = torch.cat(taps, dim=2) if self.kernel_size > 1 else taps[0]
            out = torch.matmul(rows, weight.permute(2, 1, 0).reshape(-1, self.outputs))
        else:
            batch, frames, inputs = taps[0].shape
            size = inputs // self.groups
            rows = torch.cat([tap.reshape(batch, frames, self.groups, 1, size) for tap in taps], dim=4)
            columns = weight.reshape(self.groups, -1, size, self.kernel_size).permute(0, 3, 2, 1)
            out = torch.matmul(rows, columns.reshape(self.groups, self.kernel_size * size, -1))
            out = out.reshape(batch, frames, self.outputs)
        return out if bias is None else out + bias

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """Wait until what is looked ahead and what came late add up to whole output frames."""
        self.wait = -(delay + self.right) % self.stride
        self.n_states = int(self.left + self.right + self.wait > 0)
        return (delay + self.right + self.wait) // self.stride

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """Plus what is looked back."""
        return -(-(frames + self.left) // self.stride)

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """The inputs that the next block sees again."""
        return [(self.left + self.right + self.wait, self.inputs)] if self.n_states else []


class Upsampling(StreamingLayer):
    """Transposed convolution of kernel 2 stride: (batch, inputs, frames) to (batch, outputs, frames * stride).

    Written as a convolution over two frames that gives the channels of `stride` frames, laid out in time: the same
    function as `nn.ConvTranspose1d`, without its overlap-add. Centred, it looks ahead half a frame.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, causal: bool = False) -> None:
        super().__init__()
        self.now_and_before = Convolution(inputs, outputs * stride, 2, causal=True)
        self.outputs, self.stride = outputs, stride
        self.right = 0 if causal else stride // 2
        self.n_states = self.now_and_before.n_states

    def forward(self, x: Tensor) -> Tensor:
        """Zeros beyond both ends."""
        out = self._lay_out(self.now_and_before(functional.pad(x, (0, int(self.right > 0)))))
        return out[:, :, self.right : self.right + x.shape[2] * self.stride]

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Any frames."""
        out, after = self.now_and_before.step(x, state)
        return out.reshape(out.shape[0], out.shape[1] * self.stride, self.outputs), after

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """In frames of the higher rate."""
        return self.now_and_before.align(delay) * self.stride + self.right

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """Plus the frame before, at the higher rate."""
        return self.now_and_before.memory(frames) * self.stride

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """The frame before."""
        return self.now_and_before.state_shapes()

    def _lay_out(self, x: Tensor) -> Tensor:
        groups = x.reshape(x.shape[0], self.stride, self.outputs, x.shape[2])
        return groups.permute(0, 2, 3, 1).reshape(x.shape[0], self.outputs, x.shape[2] * self.stride)


class Chain(StreamingLayer):
    """Layers one after another."""

    def __init__(self, layers: list[StreamingLayer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.align(0)

    def forward(self, x: Tensor) -> Tensor:
        """Each on what the one before gives."""
        for layer in self.layers:
            x = layer(x)
        return x

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """States of all layers in their order."""
        after: list[Tensor] = []
        first = 0
        for layer in self.layers:  # TorchScript unrolls it, and knows no cast to tell mypy what the layers are
            last = first + layer.n_states  # type: ignore[operator]
            x, new = layer.step(x, state[first:last])  # type: ignore[operator]
            after += new
            first = last  # type: ignore[assignment]
        return x, after

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """Through all layers."""
        for layer in self._members():
            delay = layer.align(delay)
        self.n_states = sum(layer.n_states for layer in self._members())
        return delay

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """Through all layers."""
        for layer in self._members():
            frames = layer.memory(frames)
        return frames

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """Of all layers in their order."""
        return [shape for layer in self._members() for shape in layer.state_shapes()]

    @torch.jit.unused
    def _members(self) -> list[StreamingLayer]:
        return [layer for layer in self.layers if isinstance(layer, StreamingLayer)]


class Residual(StreamingLayer):
    """x + branch(x): the branch keeps channels and rate."""

    def __init__(self, channels: int, branch: StreamingLayer) -> None:
        super().__init__()
        self.branch = branch
        self.bypass = Delay(channels)
        self.align(0)

    def forward(self, x: Tensor) -> Tensor:
        """Sum of both."""
        out: Tensor = x + self.branch(x)
        return out

    @torch.jit.export
    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The bypass waits for the branch."""
        middle = self.branch.n_states
        y, after = self.branch.step(x, state[:middle])
        x, waiting = self.bypass.step(x, state[middle:])
        return x + y, after + waiting

    @torch.jit.unused
    def align(self, delay: int) -> int:
        """The branch's, which the bypass waits for."""
        out = self.branch.align(delay)
        self.bypass.set_frames(out - delay)
        self.n_states = self.branch.n_states + self.bypass.n_states
        return out

    @torch.jit.unused
    def memory(self, frames: int) -> int:
        """The branch's."""
        return self.branch.memory(frames)

    @torch.jit.unused
    def state_shapes(self) -> list[tuple[int, int]]:
        """Of the branch, then of the bypass."""
        return self.branch.state_shapes() + self.bypass.state_shapes()


@torch.no_grad()
def lay_out_for_steps(module: nn.Module) -> None:
    """Store weights in the order in which `Convolution.step` multiplies by them: the same values, never copied again.

    For models that are only played; TorchScript files keep the order.
    """
    for layer in module.modules():
        if isinstance(layer, Convolution):
            weight = layer.convolution.weight
            weight.data = weight.data.permute(2, 1, 0).contiguous().permute(2, 1, 0)
