"""A TorchScript file made for nn~ (a RAVE export, say) as a codec: what `audiovae import-rave` puts into a folder.

The file answers `encode` and `decode`, and what it answers is made repeatable here without changing the file: random
numbers come from a seed of its own, latents are the posterior's means where the file lets its encoder be asked, and the
dimensions that its export dropped are filled with zeros instead of noise.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audiovae.codecs.codec import DecoderStream, EncoderStream, FloatArray
from audiovae.errors import ModelFolderError

FACTS_FILE = "torchscript.json"
_BLOCK = 1 << 18  # samples of a whole sound given to a streaming file at a time: bounds the memory of an hour


class TorchScriptFacts(BaseModel):
    """What was found out about a file when it was imported; ``torchscript.json`` of a model folder.

    Parameters
    ----------
    sha256 : of the file.
    sample_rate : Hz.
    channels : of the audio, in and out.
    hop_length : samples per latent frame.
    file_latents : dimensions the file gives and takes.
    latent_size : the first of them, which are played; the others are 0.
    encoding : whether latents are the same at every call by themselves, the means of the posterior, or drawn from it.
    streaming : the file keeps state from block to block.
    encode_delay : latent frames by which its latents are late.
    decode_delay : samples by which its sound is late.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    sample_rate: int = Field(ge=1)
    channels: int = Field(ge=1)
    hop_length: int = Field(ge=1)
    file_latents: int = Field(ge=1)
    latent_size: int = Field(ge=1)
    encoding: Literal["repeatable", "mean", "drawn"]
    streaming: bool
    encode_delay: int = Field(ge=0)
    decode_delay: int = Field(ge=0)


class ScriptedFile:
    """One loading of a TorchScript file, with its own state and its own random numbers, on one thread.

    Parameters
    ----------
    path : the file. Its code runs in TorchScript's interpreter, which reaches neither files nor network.

    Raises
    ------
    ModelFolderError
        If it is not TorchScript.
    """

    def __init__(self, path: Path) -> None:
        self.module = load_script(path)
        import torch

        basis, size = getattr(self.module, "latent_pca", None), getattr(self.module, "latent_size", None)
        if isinstance(basis, torch.Tensor) and basis.dim() == 2 and isinstance(size, int):
            basis[size:] = 0  # the file fills dimensions it dropped with noise, which now goes nowhere
        self._initial = {name: tensor.clone() for name, tensor in self.module.named_buffers()}
        self.reset()

    def reset(self, seed: int = 0) -> None:
        """Forget what came before, and start the random numbers again."""
        import torch

        for name, tensor in self.module.named_buffers():
            tensor.copy_(self._initial[name])
        self._numbers = torch.Generator().manual_seed(seed).get_state()

    def keeps_state(self) -> bool:
        """Whether a buffer is no longer what it was after `reset`."""
        return any(not tensor.equal(self._initial[name]) for name, tensor in self.module.named_buffers())

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latents (frames, latents) of audio (channels, samples) as the file gives them."""
        return self._call(self.module.encode, audio).T

    def encode_mean(self, audio: FloatArray) -> FloatArray:
        """The same without the noise of the posterior, from the file's own filter bank, encoder and principal axes.

        Raises
        ------
        AttributeError, RuntimeError, IndexError
            If the file is not made of these.
        """
        return self._call(self._mean, audio).T

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, samples) of latents (frames, latents)."""
        return self._call(self.module.decode, latents.T)

    def _mean(self, audio: Any) -> Any:
        import torch

        module = self.module
        bands = audio
        if hasattr(module, "pqmf"):
            bands = module.pqmf(audio.reshape(-1, 1, audio.shape[-1]))
            bands = bands.reshape(len(audio), -1, bands.shape[-1])
        mean = module.encoder(bands)[:, : len(module.latent_mean)] - module.latent_mean[:, None]
        return torch.nn.functional.conv1d(mean, module.latent_pca[: module.latent_size, :, None])

    def _call(self, method: Callable[[Any], Any], array: FloatArray) -> FloatArray:
        import torch

        given = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))[None]
        with self._alone():
            return np.asarray(method(given)[0].numpy(), dtype=np.float32)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One thread and this file's random numbers; those of the process are as before afterwards."""
        import torch

        threads, numbers = torch.get_num_threads(), torch.get_rng_state()
        torch.set_num_threads(1)
        torch.set_rng_state(self._numbers)
        try:
            with torch.no_grad():
                yield
        finally:
            self._numbers = torch.get_rng_state()
            torch.set_rng_state(numbers)
            torch.set_num_threads(threads)


class TorchScriptCodec:
    """The `Codec` of a folder with a ``model.ts`` of somebody else's.

    Parameters
    ----------
    folder : holds ``model.ts`` and ``torchscript.json``, written by ``audiovae import-rave``.

    Raises
    ------
    ModelFolderError
        If a file is missing or damaged, or they do not belong together.
    """

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder) / "model.ts"
        self.facts = facts = _read_facts(Path(folder) / FACTS_FILE)
        found = hash_file(self._path)
        if found != facts.sha256:
            raise ModelFolderError(
                f"{self._path}: sha256 {found[:12]}... found, {facts.sha256[:12]}... expected: not the file that was "
                "imported; import it again with `audiovae import-rave`"
            )
        self._file = ScriptedFile(self._path)
        self.sample_rate, self.channels = facts.sample_rate, facts.channels
        self.hop_length, self.latent_size = facts.hop_length, facts.latent_size

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latents, (ceil(samples / hop_length), latent_size) float32, of audio (channels, samples)."""
        hop, delay = self.hop_length, self.facts.encode_delay
        frames = math.ceil(audio.shape[1] / hop)
        padded = np.pad(audio, [(0, 0), (0, (frames + delay) * hop - audio.shape[1])])
        stream = _Encoder(self._file, self.facts)
        size = max(_BLOCK // hop, 1) * hop if self.facts.streaming else padded.shape[1]
        blocks = [stream.process(padded[:, at : at + size]) for at in range(0, padded.shape[1], size)]
        return np.concatenate(blocks)[delay:]

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, n_frames * hop_length) float32 of latents (n_frames, latent_size)."""
        hop, delay = self.hop_length, self.facts.decode_delay
        padded = np.pad(latents, [(0, math.ceil(delay / hop)), (0, 0)], mode="edge")
        stream = _Decoder(self._file, self.facts)
        size = max(_BLOCK // hop, 1) if self.facts.streaming else len(padded)
        blocks = [stream.process(padded[at : at + size]) for at in range(0, len(padded), size)]
        return np.concatenate(blocks, axis=1)[:, delay : delay + len(latents) * hop]

    def open_encoder(self) -> EncoderStream:
        """A stream on a loading of its own; `ModelFolderError` where the file keeps no state."""
        return _Encoder(self._open(), self.facts)

    def open_decoder(self) -> DecoderStream:
        """A stream on a loading of its own; `ModelFolderError` where the file keeps no state."""
        return _Decoder(self._open(), self.facts)

    def _open(self) -> ScriptedFile:
        if not self.facts.streaming:
            raise ModelFolderError(
                f"{self._path} was exported without streaming and plays whole sounds only: export the model again "
                "with `rave export --streaming` and import that"
            )
        return ScriptedFile(self._path)


class _Encoder:
    """The `EncoderStream` of a file."""

    def __init__(self, file: ScriptedFile, facts: TorchScriptFacts) -> None:
        self._file, self._latent_size, self.delay_frames = file, facts.latent_size, facts.encode_delay
        self._encode = file.encode_mean if facts.encoding == "mean" else file.encode
        self.reset()

    def process(self, audio: FloatArray) -> FloatArray:
        """(k, latent_size) float32 of one block of audio (channels, k * hop_length)."""
        return self._encode(audio)[:, : self._latent_size]

    def reset(self) -> None:
        """Forget what came before."""
        self._file.reset()


class _Decoder:
    """The `DecoderStream` of a file."""

    def __init__(self, file: ScriptedFile, facts: TorchScriptFacts) -> None:
        self._file, self.delay_samples = file, facts.decode_delay
        self._unused = facts.file_latents - facts.latent_size
        self.reset()

    def process(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, k * hop_length) float32 of one block of latents (k, latent_size)."""
        return self._file.decode(np.pad(latents, [(0, 0), (0, self._unused)]))

    def reset(self) -> None:
        """Forget what came before."""
        self._file.reset()


def load_script(path: Path) -> Any:
    """A TorchScript module, ready to be asked.

    Raises
    ------
    ModelFolderError
        If the file is missing, cut short, a checkpoint, or anything else, or torch is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise ModelFolderError(
            f"{path.parent} is an imported TorchScript model, which needs torch to play: run  "
            "pip install 'gesturemap[train]'"
        ) from None

    if not path.is_file():
        raise ModelFolderError(f"{path}: no such file; a TorchScript file (.ts) expected")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as a whole: nn~ knows no other
            module: Any = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError, UnicodeDecodeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0][:120]
        raise ModelFolderError(
            f"{path} is no TorchScript file, or is cut short ({reason}); `rave export` writes one, a checkpoint "
            "(.ckpt, .pt) is none"
        ) from None
    return module.eval()


def hash_file(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    import hashlib

    if not path.is_file():
        raise ModelFolderError(f"{path.parent} is no model folder: no {path.name} in it")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_facts(path: Path) -> TorchScriptFacts:
    if not path.is_file():
        raise ModelFolderError(
            f"{path.parent} has a model.ts but neither an encoder.onnx nor a {path.name}: export the model again, or "
            "import the file with `audiovae import-rave`"
        )
    try:
        return TorchScriptFacts.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise ModelFolderError(f"{path} is damaged ({where}: {problem['msg']}): import the file again") from None
