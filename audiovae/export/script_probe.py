"""Finding out what a TorchScript file of strangers does: its interface from its attributes, the rest by asking it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from audiovae.codecs.codec import FloatArray
from audiovae.codecs.torchscript import ScriptedFile, TorchScriptFacts, hash_file
from audiovae.errors import ExportError

EXPECTED = "expected: what nn~ plays, with encode, decode, encode_params and decode_params, as `rave export` writes it"
_RATES = ("sr", "sampling_rate", "sample_rate")
_DRAWS = 32
_TRIALS = 4
_SPAN = 65536  # samples in which a short pulse is answered completely, before and after it


def probe_script(path: Path, *, latents: int | None = None, sample_rate: int | None = None) -> TorchScriptFacts:
    """What a file says and does.

    Parameters
    ----------
    latents : the first latents to play; all if None.
    sample_rate : Hz, needed where the file does not state it.

    Raises
    ------
    ModelFolderError
        If it is no TorchScript.
    ExportError
        If it is no autoencoder for nn~, breaks its word on shapes, or keeps state that cannot be reset.
    """
    file = ScriptedFile(path)
    channels, hop_length, size = _read_params(path, file.module)
    if latents is not None and not 1 <= latents <= size:
        raise ExportError(f"--latents {latents} found, 1 to {size} expected: {path} has {size}")
    rate = _read_rate(path, file.module, sample_rate)
    rng = np.random.default_rng(0)
    audio = 0.1 * rng.standard_normal((channels, 16 * hop_length)).astype(np.float32)
    codes = _checked(path, "encode", file.encode, audio, (16, size))
    file.reset()
    sound = _checked(path, "decode", file.decode, codes, (channels, 16 * hop_length))
    for method, given, first in (("encode", audio, codes), ("decode", codes, sound)):
        file.reset()
        if not np.allclose(getattr(file, method)(given), first, atol=1e-5):
            raise ExportError(
                f"{path}: {method} of the same twice differs although state and random numbers were reset: it keeps "
                "state outside its buffers and could not be played again alike"
            )
    encoding = _judge_encoding(file, audio)
    streaming = _streams(file, audio, codes, encoding)
    facts = TorchScriptFacts(
        sha256=hash_file(path),
        sample_rate=rate,
        channels=channels,
        hop_length=hop_length,
        file_latents=size,
        latent_size=latents or size,
        encoding=encoding,
        streaming=streaming,
        encode_delay=0,
        decode_delay=0,
    )
    if not streaming:
        return facts
    delays = {"encode_delay": _measure_encode_delay(file, facts), "decode_delay": _measure_decode_delay(file, facts)}
    return facts.model_copy(update=delays)


def _read_params(path: Path, module: Any) -> tuple[int, int, int]:
    """Channels, hop length and latents, from the two tensors [inputs, input ratio, outputs, output ratio]."""
    values = {}
    for method in ("encode", "decode"):
        params = getattr(module, f"{method}_params", None)
        if not callable(getattr(module, method, None)) or not isinstance(params, torch.Tensor):
            raise ExportError(f"{path} is TorchScript without {method} or the tensor {method}_params; {EXPECTED}")
        values[method] = [int(value) for value in params.flatten()]
        if len(values[method]) != 4 or min(values[method]) < 1:
            raise ExportError(
                f"{path}: {method}_params {values[method]} found, four positive numbers [inputs, input ratio, outputs, "
                "output ratio] expected"
            )
    channels, one, size, hop_length = values["encode"]
    if one != 1 or values["decode"] != [size, hop_length, channels, 1]:
        raise ExportError(
            f"{path}: encode_params {values['encode']} and decode_params {values['decode']} found, "
            "[channels, 1, latents, hop] and [latents, hop, channels, 1] expected: no pair that leads there and back"
        )
    return channels, hop_length, size


def _read_rate(path: Path, module: Any, given: int | None) -> int:
    stated = next((getattr(module, name) for name in _RATES if hasattr(module, name)), None)
    rate = None
    if isinstance(stated, int | float) or (isinstance(stated, torch.Tensor) and stated.numel() == 1):
        rate = int(stated)
    if rate is None and given is None:
        raise ExportError(f"{path} does not state its sample rate (none of {', '.join(_RATES)}): give --sample-rate")
    if rate is not None and given is not None and rate != given:
        raise ExportError(f"{path} states {rate} Hz, --sample-rate {given} found: leave the option out")
    if rate is not None and rate < 1:
        raise ExportError(f"{path} states a sample rate of {rate} Hz: damaged; give another file")
    return rate or given or 0


def _checked(
    path: Path, method: str, call: Callable[[FloatArray], FloatArray], given: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    """What a method of the file gives, in the shape its params promise."""
    try:
        result = call(given)
    except (RuntimeError, torch.jit.Error, TypeError, AttributeError, IndexError) as error:  # whatever its code raises
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:120]
        raise ExportError(
            f"{path}: its {method} fails on an array of shape {given.shape}: {reason}; {EXPECTED}"
        ) from None
    if result.shape != shape or not np.isfinite(result).all():
        raise ExportError(
            f"{path}: its {method} gave {result.shape} of {given.shape}, finite values of {shape} expected from its "
            f"{method}_params"
        )
    return result


def _judge_encoding(file: ScriptedFile, audio: FloatArray) -> Literal["repeatable", "mean", "drawn"]:
    """How latents of the same sound vary, and whether the file can be asked for their means.

    What its encoder says must be the mean of what its `encode` gives: the deviation from the mean of some draws, in
    standard errors, is a t-distributed number, whose root mean square is near 1.
    """
    draws = []
    for seed in range(_DRAWS):
        file.reset(seed)
        draws.append(file.encode(audio))
        if seed == 1 and np.allclose(draws[0], draws[1], atol=1e-6):
            return "repeatable"
    file.reset()
    try:
        mean = file.encode_mean(audio)
    except (RuntimeError, torch.jit.Error, TypeError, AttributeError, IndexError):  # made of other parts
        return "drawn"
    error = np.std(draws, axis=0, ddof=1) / math.sqrt(_DRAWS)
    if mean.shape != draws[0].shape or not np.isfinite(mean).all():
        return "drawn"
    deviation = (np.mean(draws, axis=0) - mean) / np.maximum(error, 1e-12)
    return "mean" if math.sqrt(np.mean(deviation**2)) < 1.5 else "drawn"


def _streams(file: ScriptedFile, audio: FloatArray, codes: FloatArray, encoding: str) -> bool:
    """Whether both methods keep state, and blocks make the whole where random numbers do not hide it."""
    hop = audio.shape[1] // len(codes)
    file.reset()
    file.encode(audio)
    if not file.keeps_state():
        return False
    file.reset()
    file.decode(codes)
    if not file.keeps_state():
        return False
    if encoding == "drawn":
        return True
    encode = file.encode_mean if encoding == "mean" else file.encode
    file.reset()
    whole = encode(audio)
    file.reset()
    blocks = np.concatenate([encode(audio[:, at : at + hop]) for at in range(0, audio.shape[1], hop)])
    return bool(np.abs(blocks - whole).max() <= 1e-3 * max(np.abs(whole).max(), 1e-6))


def _measure_encode_delay(file: ScriptedFile, facts: TorchScriptFacts) -> int:
    """Latent frames between a burst of noise and the centre of what it changes in the latents."""
    encode = file.encode_mean if facts.encoding == "mean" else file.encode
    rng, hop = np.random.default_rng(0), facts.hop_length
    at = math.ceil(_SPAN / hop)
    energy = np.zeros(3 * at)
    for _ in range(_TRIALS):
        audio = 0.05 * rng.standard_normal((facts.channels, len(energy) * hop))
        burst = audio.copy()
        burst[:, at * hop : (at + 1) * hop] += 0.3 * np.hanning(hop) * rng.standard_normal((facts.channels, hop))
        energy += _change(file, encode, audio, burst).sum(axis=1)
    return max(round(_centre(energy) - at), 0)


def _measure_decode_delay(file: ScriptedFile, facts: TorchScriptFacts) -> int:
    """Samples between the middle of one changed latent frame and the centre of what it changes in the sound."""
    rng, hop = np.random.default_rng(0), facts.hop_length
    at = math.ceil(_SPAN / hop)
    energy = np.zeros(3 * at * hop)
    for _ in range(_TRIALS):
        latents = rng.standard_normal((3 * at, facts.file_latents))
        changed = latents.copy()
        changed[at] += rng.standard_normal(facts.file_latents)
        energy += _change(file, file.decode, latents, changed).sum(axis=0)
    return max(round(_centre(energy) - (at + 0.5) * hop), 0)


def _change(
    file: ScriptedFile, method: Callable[[FloatArray], FloatArray], first: FloatArray, second: FloatArray
) -> FloatArray:
    """Squared difference of what two arrays give from the same state and random numbers."""
    file.reset()
    before = method(first).astype(np.float64)
    file.reset()
    return np.asarray(np.square(method(second) - before))


def _centre(energy: FloatArray) -> float:
    """Middle of the stretch that holds all of an energy but a hundredth at either end.

    Nearer than the centre of mass to the delay between a streaming and an offline export of the same RAVE: its answers
    decay slowly, their reach is even.
    """
    share = np.cumsum(energy) / max(energy.sum(), 1e-30)
    return float(np.searchsorted(share, 0.01) + np.searchsorted(share, 0.99)) / 2
