"""The waveform family as it is exported: two ONNX files with explicit states for our engine, ``model.ts`` for nn~."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from audiovae.errors import ExportError
from audiovae.export.family import FloatArray
from audiovae.export.nn_tilde import RATIOS, NNTilde, NNTildeWithPrior, script_nn_tilde, write_torchscript
from audiovae.export.onnx_file import free_shape, write_onnx
from audiovae.export.parity import check_parity
from audiovae.export.stream_parity import StreamParity
from audiovae.export.streaming_halves import StreamingDecoder, StreamingEncoder
from audiovae.latent_space import LatentSpace
from audiovae.models.waveform import WaveformVAE
from audiovae.nn.projection import LatentProjection
from audiovae.nn.streaming import lay_out_for_steps
from audiovae.training.waveform_task import WaveformSettings

_BLOCK = 32  # latent frames at a time: what is in memory does not grow with the length of a file
_PD_BLOCK = 64  # samples in which Pure Data works


class WaveformExport:
    """The `ModelExport` of the waveform family."""

    metric = "multi-scale spectral distance"
    figures = {"held_out_distance": "held-out files"}
    limits = (
        "It knows the sounds it was trained on and what lies between them; of others it makes its own.\n"
        "It plays at its own sample rate: nn~ neither resamples nor warns."
    )

    def __init__(self, model: WaveformVAE, settings: WaveformSettings) -> None:
        low, high = RATIOS
        if not low <= model.hop_length <= high:
            raise ExportError(
                f"hop length {model.hop_length} found, {low} to {high} samples expected: hosts of nn~ crash or play "
                "noise beyond; train with other model.ratios or model.n_bands"
            )
        lay_out_for_steps(model)
        self.model, self.settings = model, settings
        self.sample_rate, self.channels = settings.sample_rate, model.channels
        self.latent_size, self.latency_samples = model.latent_size, model.latency_samples
        self.scored_from = settings.training.warmup_steps if settings.training.stage_two else 0

    @torch.no_grad()
    def encode(self, audio: FloatArray) -> Tensor:
        """Latent means before the projection, (latent_size, frames), of audio (channels, samples), in a stream."""
        hop_length, delay = self.model.hop_length, self.model.encode_delay
        padding = delay * hop_length + -audio.shape[1] % hop_length
        x = torch.from_numpy(np.pad(audio, [(0, 0), (0, padding)]))[None]
        state, means = self.model.init_encode_state(1), []
        for block in torch.split(x, _BLOCK * hop_length, dim=2):
            mean, state = self.model.encode_step(block, state)
            means.append(mean[0])
        return torch.cat(means, dim=1)[:, delay:]

    def write_files(
        self, folder: Path, projection: LatentProjection, prior: nn.Module | None = None
    ) -> dict[str, float]:
        """Write ``encoder.onnx``, ``decoder.onnx`` and ``model.ts``, with a method `prior` where there is one."""
        encoder = StreamingEncoder(self.model, projection).eval()
        decoder = StreamingDecoder(self.model, projection).eval()
        compare = StreamParity(encoder, decoder)
        parity = {"streaming": check_parity("streaming", compare.of_offline())}
        metadata = {
            "family": self.settings.family,
            "sample_rate": str(self.sample_rate),
            "hop_length": str(self.model.hop_length),
            "channels": str(self.channels),
            "latent_size": str(len(projection.basis)),
            "encode_delay": str(self.model.encode_delay),
            "decode_delay": str(self.model.decode_delay),
        }
        for method, half, names in (
            ("encode", encoder, ("audio", "latents")),
            ("decode", decoder, ("latents", "audio")),
        ):
            path = folder / f"{method}r.onnx"
            _write_half(path, half, names, metadata)
            parity[path.name] = check_parity(path.name, compare.of_onnx(path, method))
        path = folder / "model.ts"
        parts = encoder, decoder, self.sample_rate, self.latency_samples
        playable = NNTildeWithPrior(*parts, prior) if prior else NNTilde(*parts)
        write_torchscript(path, script_nn_tilde(playable.eval()))
        parity[path.name] = check_parity(path.name, compare.of_torchscript(path))
        return parity

    def decoder_tensors(self, projection: LatentProjection) -> dict[str, Tensor]:
        """What decides the sound of latents, by name."""
        tensors = StreamingDecoder(self.model, projection).state_dict()
        encoder = ("model.encoder", "model.analysis")
        return {key: value for key, value in tensors.items() if not key.startswith(encoder)}

    def describe_latency(self, space: LatentSpace) -> str:
        """The model's own delay, and what nn~ adds with each buffer."""
        model, rate = self.model, space.sample_rate
        lines = [
            f"Latents come {model.encode_delay} latent frames late, sound {model.decode_delay} samples after its "
            f"latents: {_in_ms(model.delay_samples, rate)} through both, and {model.hop_length} samples to fill the "
            "first latent frame.",
            "",
            "In nn~ (`model.ts`), the host's buffer included:",
            "",
            "| buffer | `forward` | `encode` into `decode`, two objects |",
            "|---|---|---|",
        ]
        # Without a thread B - 64 samples, with one 2 B - 64; 0 is no thread and the smallest buffer there is.
        waits = {"0 (no thread)": model.hop_length - _PD_BLOCK}
        waits |= {str(size): 2 * max(size, model.hop_length) - _PD_BLOCK for size in (2048, 4096)}
        for label, wait in waits.items():
            once, twice = _in_ms(model.delay_samples + wait, rate), _in_ms(model.delay_samples + 2 * wait, rate)
            lines.append(f"| {label} | {once} | {twice} |")
        lines += [
            "",
            "Choose the buffer with the message `bufsize N`, not when the object is made: above 4096 that crashes "
            "the host. Start the host with OMP_NUM_THREADS=1 where several models play. Messages: `set temperature`, "
            f"`set latent_bias` and `set latent_scale` ({space.latent_size} values each), `set reset 1`.",
        ]
        return "\n".join(lines)


def _write_half(
    path: Path, half: StreamingEncoder | StreamingDecoder, names: tuple[str, str], metadata: dict[str, str]
) -> None:
    state = half.init_state(2)
    signal = free_shape(half.stride)
    write_onnx(
        path,
        half,
        (torch.zeros(2, half.inputs, 8 * half.stride), state),
        [names[0], *(f"state_{index}" for index in range(len(state)))],
        [names[1], *(f"new_state_{index}" for index in range(len(state)))],
        (signal, [{0: signal[0]} for _ in state]),
        metadata,
    )


def _in_ms(samples: int, sample_rate: int) -> str:
    return f"{samples} samples ({1000 * samples / sample_rate:.1f} ms)"
