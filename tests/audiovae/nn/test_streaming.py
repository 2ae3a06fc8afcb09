"""Layers in a stream say what they say offline, later; and each is the function its name says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from audiovae.nn.streaming import Activation, Chain, Convolution, Delay, Residual, StreamingLayer, Upsampling

StreamCheck = Callable[..., None]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def unit(channels: int, dilation: int, *, causal: bool) -> Residual:
    layers = [Activation(), Convolution(channels, channels, 3, dilation=dilation, causal=causal), Activation()]
    return Residual(channels, Chain([*layers, Convolution(channels, channels, 1, causal=causal)]))


def down_and_up(*, causal: bool) -> Chain:
    down, up = Convolution(1, 4, 8, stride=4, causal=causal), Upsampling(4, 1, 4, causal=causal)
    return Chain([down, unit(4, 3, causal=causal), up])


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("kernel_size", "dilation"), [(1, 1), (3, 1), (7, 1), (3, 9)])
def test_convolution(check_stream: StreamCheck, kernel_size: int, dilation: int, causal: bool) -> None:
    layer = Convolution(3, 5, kernel_size, dilation=dilation, causal=causal)
    check_stream(layer, channels=3)
    assert layer.align(0) == (0 if causal else (kernel_size - 1) * dilation // 2)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("kernel_size", "stride"), [(8, 4), (4, 2), (9, 4), (4, 4)])
def test_strided_convolution(check_stream: StreamCheck, kernel_size: int, stride: int, causal: bool) -> None:
    layer = Convolution(3, 5, kernel_size, stride=stride, causal=causal)
    check_stream(layer, channels=3, grid=stride, ratio=1 / stride)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_upsampling(check_stream: StreamCheck, stride: int, causal: bool) -> None:
    check_stream(Upsampling(3, 5, stride, causal=causal), channels=3, ratio=stride)


@pytest.mark.parametrize("causal", [True, False])
def test_residual(check_stream: StreamCheck, causal: bool) -> None:
    check_stream(unit(4, 3, causal=causal), channels=4)


@pytest.mark.parametrize("causal", [True, False])
def test_a_delay_off_the_grid_is_made_up_before_a_stride(check_stream: StreamCheck, causal: bool) -> None:
    layers: list[StreamingLayer] = [Convolution(2, 4, 7, causal=causal), unit(4, 3, causal=causal)]
    layers += [Convolution(4, 6, 8, stride=4, causal=causal), unit(6, 9, causal=causal)]
    layers += [Convolution(6, 3, 4, stride=2, causal=causal)]
    check_stream(Chain(layers), channels=2, grid=8, ratio=1 / 8)


@pytest.mark.parametrize("causal", [True, False])
def test_down_and_up_again(check_stream: StreamCheck, causal: bool) -> None:
    layers: list[StreamingLayer] = [Convolution(2, 6, 8, stride=4, causal=causal), unit(6, 3, causal=causal)]
    layers += [Upsampling(6, 4, 4, causal=causal), unit(4, 9, causal=causal), Convolution(4, 2, 7, causal=causal)]
    layer = Chain(layers)
    check_stream(layer, channels=2, grid=4)
    assert (layer.align(0) == 0) == causal


def test_nested_residuals_with_strides_inside_wait_for_their_branch(check_stream: StreamCheck) -> None:
    inner = Chain([Convolution(3, 6, 8, stride=4), unit(6, 1, causal=False), Upsampling(6, 3, 4)])
    check_stream(Residual(3, Chain([Residual(3, inner), Convolution(3, 3, 5)])), channels=3, grid=4)


def test_a_stream_does_not_change_the_state_it_was_given() -> None:
    layer = Chain([Convolution(2, 4, 3), unit(4, 3, causal=False), Upsampling(4, 2, 2)])
    state = layer.init_state(1)
    x = torch.randn(1, 5, 2)
    first, again = layer.step(x, state)[0], layer.step(x, state)[0]
    torch.testing.assert_close(first, again, atol=0, rtol=0)
    assert all(not tensor.any() for tensor in state)
    assert [tuple(tensor.shape[1:]) for tensor in state] == layer.state_shapes()
    assert len(state) == layer.n_states


def test_delay_hands_out_what_came_in() -> None:
    layer = Delay(1)
    layer.set_frames(2)
    out, state = layer.step(torch.tensor([[[1.0], [2.0], [3.0]]]), layer.init_state(1))
    assert out.tolist() == [[[0.0], [0.0], [1.0]]]
    assert state[0].tolist() == [[[2.0], [3.0]]]


@torch.no_grad()
@pytest.mark.parametrize("stride", [2, 4])
def test_upsampling_is_a_transposed_convolution(stride: int) -> None:
    layer = Upsampling(3, 5, stride)
    literal = nn.ConvTranspose1d(3, 5, 2 * stride, stride, padding=stride // 2)
    convolution = layer.now_and_before.convolution
    now_and_before = convolution.weight.reshape(stride, 5, 3, 2).flip(3).permute(2, 1, 3, 0)
    literal.weight.copy_(now_and_before.reshape(3, 5, 2 * stride))
    convolution.bias.copy_(convolution.bias[:5].repeat(stride))  # the literal form has one a channel
    literal.bias.copy_(convolution.bias[:5])
    x = torch.randn(2, 3, 11)
    torch.testing.assert_close(layer(x), literal(x), atol=1e-6, rtol=0)


@torch.no_grad()
def test_causal_layers_do_not_see_what_comes() -> None:
    layer = down_and_up(causal=True)
    x = torch.randn(1, 1, 40)
    changed = x.clone()
    changed[:, :, 20:] = 0
    torch.testing.assert_close(layer(x)[:, :, :20], layer(changed)[:, :, :20], atol=0, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("causal", [True, False])
def test_memory_is_what_it_says(causal: bool) -> None:
    layer = down_and_up(causal=causal)
    x = torch.randn(1, 1, 160)
    changed = x.clone()
    changed[:, :, :12] += 1
    differs = (layer(x) != layer(changed))[0, 0].nonzero()
    assert 0.5 * layer.memory(12) < int(differs.max()) + 1 <= layer.memory(12)


def test_kernels_without_a_middle_are_refused() -> None:
    with pytest.raises(ValueError, match="odd when centred"):
        Convolution(1, 1, 4)
    with pytest.raises(ValueError, match="at least the stride"):
        Convolution(1, 1, 3, stride=4)
