"""One sound in many forms: offline, in a stream, in an ONNX file, in ``model.ts``, in blocks of any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiovae.codecs.session import open_session
from audiovae.codecs.stream_session import StreamSession
from audiovae.export.nn_tilde import read_torchscript
from audiovae.export.streaming_halves import StreamingDecoder, StreamingEncoder

Process = Callable[[Tensor], Tensor]
"""One block in, one block out; it remembers."""

BLOCKS = (1, 2, 5, 1, 16)
"""Latent frames of one block after another."""


class StreamParity:
    """Compares every form with one stream of the model in a single block, at batch 1 and 4.

    Parameters
    ----------
    encoder, decoder : in evaluation mode.
    """

    @torch.no_grad()
    def __init__(self, encoder: StreamingEncoder, decoder: StreamingDecoder, seed: int = 0) -> None:
        model = encoder.model
        self.encoder, self.decoder, self.hop_length = encoder, decoder, model.hop_length
        decode_frames = -(-(model.decode_memory + model.decode_delay) // model.hop_length)
        self.frames = max(model.encode_memory + model.encode_delay, decode_frames) + 8
        generator = torch.Generator().manual_seed(seed)
        size, self.cases = len(encoder.projection.basis), []
        for batch in (1, 4):
            audio = 0.3 * torch.randn(batch, model.channels, self.frames * self.hop_length, generator=generator)
            latents = torch.randn(batch, size, self.frames, generator=generator)
            means = encoder(audio, encoder.init_state(batch))[0]
            expected = {"encode": (audio, means), "decode": (latents, decoder(latents, decoder.init_state(batch))[0])}
            expected["forward"] = (audio, decoder(means, decoder.init_state(batch))[0])
            self.cases.append(expected)

    @torch.no_grad()
    def of_offline(self) -> float:
        """Largest difference to the whole sound at once, `delay` later and past the `memory` of its start."""
        model, projection = self.encoder.model, self.encoder.projection
        audio, means = self.cases[0]["encode"]
        latents, sound = self.cases[0]["decode"]
        whole_means = projection.project(model.encode(audio))
        whole_sound = model.decode(projection.unproject(latents))
        return max_difference(
            [
                _align(means, whole_means, model.encode_delay, model.encode_memory),
                _align(sound, whole_sound, model.decode_delay, model.decode_memory),
            ]
        )

    def of_onnx(self, path: Path, method: str) -> float:
        """Largest difference of ``encoder.onnx`` or ``decoder.onnx``, on a session opened as it will be played."""
        session = open_session(path)

        def open_stream(batch: int) -> Process:
            stream = StreamSession(session, batch)
            return lambda x: torch.from_numpy(stream.process(x.numpy()))

        return self._compare(open_stream, method)

    @torch.inference_mode()  # as the host
    def of_torchscript(self, path: Path) -> float:
        """Largest difference of ``model.ts``, one object playing all batches and all methods."""
        module = read_torchscript(path)
        found = []
        for method in self.cases[0]:
            call: Process = getattr(module, method)
            found.append(self._compare(lambda _, call=call: call, method))  # type: ignore[misc]
        return float(np.max(found))

    def _compare(self, open_stream: Callable[[int], Process], method: str) -> float:
        pairs = []
        for case in self.cases:
            x, expected = case[method]
            pairs.append((run_blocks(open_stream(len(x)), x, x.shape[2] // self.frames), expected))
        return max_difference(pairs)


def run_blocks(process: Process, x: Tensor, stride: int, blocks: tuple[int, ...] = BLOCKS) -> Tensor:
    """Output of (batch, channels, k * stride) in blocks of so many latent frames, over and over."""
    out: list[Tensor] = []
    while x.shape[2]:
        size = blocks[len(out) % len(blocks)] * stride
        out.append(process(x[:, :, :size].contiguous()))
        x = x[:, :, size:]
    return torch.cat(out, dim=2)


def max_difference(pairs: list[tuple[Tensor, Tensor]]) -> float:
    """Largest absolute difference of pairs; NaN where one is NaN, unlike the built-in max."""
    return float(np.max([float((one - other).abs().max()) for one, other in pairs]))


def _align(late: Tensor, whole: Tensor, delay: int, memory: int) -> tuple[Tensor, Tensor]:
    return late[:, :, delay + memory :], whole[:, :, memory : whole.shape[2] - delay]
