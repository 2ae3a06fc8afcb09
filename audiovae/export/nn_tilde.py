"""``model.ts``: the model as a module that nn~ plays in Max and Pure Data.

The contract, as nn~ 1.6 reads it: a method M takes and gives one float32 tensor (batch, channels, frames) and has a
tensor ``M_params`` [inputs, input ratio, outputs, output ratio]; an attribute A has ``A_params`` (the type number of
each value), ``set_A`` that gives 0 where all is well, and ``get_A`` that gives a list. States live in the module and
are those of silence when the file is opened.
"""

# No postponed annotations here: TorchScript reads them.

import math
import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audiovae.export.streaming_halves import StreamingDecoder, StreamingEncoder

_BOOL, _INT, _FLOAT = 0, 1, 2
RATIOS = (64, 4096)
"""Highest ratio of a file that nn~ plays: below the host's block of 64 samples buffers break, above 4096 it crashes."""


class EncoderStream(nn.Module):
    """An encoder and the state that its last block left."""

    start: list[Tensor]
    state: list[Tensor]

    def __init__(self, encoder: StreamingEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.start = encoder.init_state(1)
        self.state = encoder.init_state(1)
        self.frames = 0

    def forward(self, audio: Tensor, temperature: float) -> Tensor:
        """Latents of one block; their means at temperature 0."""
        state = continue_state(self.state, self.start, audio)
        if temperature > 0:
            latents, after = self.encoder.sample(audio, state, temperature, self.frames)
        else:
            latents, after = self.encoder(audio, state)
        self.state = after
        self.frames += latents.shape[2]
        return latents

    @torch.jit.export
    def reset(self) -> None:
        """Forget what came before."""
        self.state = self.start
        self.frames = 0


class DecoderStream(nn.Module):
    """A decoder and the state that its last block left."""

    start: list[Tensor]
    state: list[Tensor]

    def __init__(self, decoder: StreamingDecoder) -> None:
        super().__init__()
        self.decoder = decoder
        self.start = decoder.init_state(1)
        self.state = decoder.init_state(1)

    def forward(self, latents: Tensor) -> Tensor:
        """Audio of one block."""
        state = continue_state(self.state, self.start, latents)
        out: tuple[Tensor, list[Tensor]] = self.decoder(latents, state)
        self.state = out[1]
        return out[0]

    @torch.jit.export
    def reset(self) -> None:
        """Forget what came before."""
        self.state = self.start


def continue_state(state: list[Tensor], start: list[Tensor], x: Tensor) -> list[Tensor]:
    """The state for the next block: the last one's, or the start where the host changed the batch or the device."""
    if len(state) > 0 and state[0].shape[0] == x.shape[0] and state[0].device == x.device:
        return state
    return [tensor.to(x.device).repeat(x.shape[0], 1, 1) for tensor in start]


class NNTilde(nn.Module):
    """The methods `encode`, `decode` and `forward`, each with a state of its own, and their attributes.

    Parameters
    ----------
    encoder, decoder : in evaluation mode.
    sample_rate : Hz.
    latency_samples : of the model, without the host's buffer.
    """

    latent_bias: Tensor
    latent_scale: Tensor
    methods: list[str]
    attributes: list[str]
    encode_output_labels: list[str]
    __constants__ = ("latent_size",)

    def __init__(
        self, encoder: StreamingEncoder, decoder: StreamingDecoder, sample_rate: int, latency_samples: int
    ) -> None:
        super().__init__()
        model, size = encoder.model, len(encoder.projection.basis)
        self.latent_size = size
        self.encoder_stream, self.decoder_stream = EncoderStream(encoder), DecoderStream(decoder)
        self.forward_encoder, self.forward_decoder = EncoderStream(encoder), DecoderStream(decoder)
        self.sample_rate, self.latency_samples = sample_rate, latency_samples
        self.temperature = 0.0
        self.register_buffer("latent_bias", torch.zeros(size, 1))
        self.register_buffer("latent_scale", torch.ones(size, 1))
        audio = [f"(signal) channel {index + 1}" for index in range(model.channels)]
        latents = [f"(signal) latent {index + 1}" for index in range(size)]
        self.methods = []
        self._add_method("encode", audio, 1, latents, model.hop_length)
        self._add_method("decode", latents, model.hop_length, audio, 1)
        self._add_method("forward", audio, 1, audio, 1)
        types = {"temperature": [_FLOAT], "latent_bias": [_FLOAT] * size, "latent_scale": [_FLOAT] * size}
        types |= {"reset": [_BOOL], "sample_rate": [_INT], "latency_samples": [_INT]}
        self.attributes = list(types)
        for name, numbers in types.items():
            self.register_buffer(f"{name}_params", torch.tensor(numbers))

    @torch.jit.unused
    def _add_method(
        self, name: str, inputs: list[str], input_ratio: int, outputs: list[str], output_ratio: int
    ) -> None:
        self.methods.append(name)
        self.register_buffer(f"{name}_params", torch.tensor([len(inputs), input_ratio, len(outputs), output_ratio]))
        setattr(self, f"{name}_input_labels", inputs)
        setattr(self, f"{name}_output_labels", outputs)

    @torch.jit.export
    def get_methods(self) -> list[str]:
        """What nn~ may call."""
        return self.methods

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        """What a message may set."""
        return self.attributes

    @torch.jit.export
    def encode(self, audio: Tensor) -> Tensor:
        """Audio (batch, channels, k * hop_length) to latents (batch, latent_size, k)."""
        latents: Tensor = self.encoder_stream(audio, self.temperature)
        return latents

    @torch.jit.export
    def decode(self, latents: Tensor) -> Tensor:
        """Latents (batch, latent_size, k) to audio (batch, channels, k * hop_length)."""
        audio: Tensor = self.decoder_stream(self.steer(latents))
        return audio

    def forward(self, audio: Tensor) -> Tensor:
        """Audio to the model's version of it."""
        out: Tensor = self.forward_decoder(self.steer(self.forward_encoder(audio, self.temperature)))
        return out

    @torch.jit.export
    def steer(self, latents: Tensor) -> Tensor:
        """Latents as the attributes move them."""
        return latents * self.latent_scale + self.latent_bias

    @torch.jit.export
    def set_temperature(self, value: float) -> int:
        """Noise of the posterior at encode: 0 for the mean, 1 for a sample."""
        if not math.isfinite(value) or value < 0:
            return 1
        self.temperature = value
        return 0

    @torch.jit.export
    def get_temperature(self) -> list[float]:
        """As set."""
        return [self.temperature]

    @torch.jit.export
    def set_reset(self, value: bool) -> int:
        """True: all streams begin again."""
        if value:
            self.reset_streams()
        return 0

    @torch.jit.export
    def reset_streams(self) -> None:
        """All begin again."""
        self.encoder_stream.reset()
        self.decoder_stream.reset()
        self.forward_encoder.reset()
        self.forward_decoder.reset()

    @torch.jit.export
    def get_reset(self) -> list[bool]:
        """Always false: it is done at once."""
        return [False]

    @torch.jit.export
    def set_sample_rate(self, value: int) -> int:
        """Nothing: the rate is the model's. nn~ itself calls this after a reload, with a number that means nothing."""
        return 0

    @torch.jit.export
    def get_sample_rate(self) -> list[int]:
        """Hz."""
        return [self.sample_rate]

    @torch.jit.export
    def set_latency_samples(self, value: int) -> int:
        """Refused, unless it is what it is."""
        return int(value != self.latency_samples)

    @torch.jit.export
    def get_latency_samples(self) -> list[int]:
        """Encode plus decode."""
        return [self.latency_samples]

    @torch.jit.export
    def set_values(self, target: Tensor, values: list[float]) -> int:
        """Of one attribute of a value for each latent; not finite ones are refused."""
        for value in values:
            if not math.isfinite(value):
                return 1
        target.copy_(torch.tensor(values).reshape(-1, 1))
        return 0


class NNTildeWithPrior(NNTilde):
    """The same with a method `prior`: a signal of temperatures to latents that go on by themselves.

    Parameters
    ----------
    prior : temperature (batch, 1, k) to latents (batch, latent_size, k), and a method `reset(batch)`.
    """

    def __init__(
        self,
        encoder: StreamingEncoder,
        decoder: StreamingDecoder,
        sample_rate: int,
        latency_samples: int,
        prior: nn.Module,
    ) -> None:
        super().__init__(encoder, decoder, sample_rate, latency_samples)
        self.prior_stream = prior
        hop_length = encoder.model.hop_length
        self._add_method("prior", ["(signal) temperature"], hop_length, self.encode_output_labels, hop_length)

    @torch.jit.export
    def prior(self, temperature: Tensor) -> Tensor:
        """Temperature (batch, 1, k), 0 or more, to latents (batch, latent_size, k)."""
        latents: Tensor = self.prior_stream(temperature)
        return latents

    @torch.jit.export
    def set_reset(self, value: bool) -> int:
        """True: all streams begin again, the prior too."""
        if value:
            self.reset_streams()
            self.prior_stream.reset(1)  # type: ignore[operator]
        return 0


def script_nn_tilde(module: NNTilde) -> Any:
    """The module in TorchScript, with setters of as many arguments as there are latents."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.script: nn~ reads nothing else
        scripted = torch.jit.script(module)
    # nn~ gives every value as an argument of its own, and TorchScript knows no arguments of any number.
    numbers = [f"v{index}" for index in range(module.latent_size)]
    arguments = ", ".join(f"{number}: float" for number in numbers)
    for name in ("latent_bias", "latent_scale"):
        if not hasattr(scripted, f"set_{name}"):  # modules of equal types and constants share their methods
            scripted.define(
                f"def set_{name}(self, {arguments}) -> int:\n"
                f"    return self.set_values(self.{name}, [{', '.join(numbers)}])\n"
                f"def get_{name}(self) -> List[float]:\n"
                f"    values: List[float] = self.{name}.flatten().tolist()\n"
                "    return values\n"
            )
    return scripted


def write_torchscript(path: Path, scripted: Any) -> None:
    """Write beside, then rename: a truncated file ends the host that opens it."""
    beside = path.with_name(path.name + ".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(scripted, beside)
    os.replace(beside, path)


def read_torchscript(path: Path) -> Any:
    """A file as nn~ opens it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
