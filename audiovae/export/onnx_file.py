"""Writing ONNX files that run anywhere, and checking that they say what the model says."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from audiovae.codecs.session import open_session
from audiovae.errors import ExportError

TOLERANCE = 1e-4
"""Largest absolute difference between a model and its exported file, in units of what it gives."""


def write_onnx(
    path: Path, module: nn.Module, example: Tensor, names: tuple[str, str], stride: int, metadata: dict[str, str]
) -> None:
    """Write one module of one input and one output with free batch and time.

    Parameters
    ----------
    module : in evaluation mode.
    example : (batch, channels, frames), batch and frames / stride at least 2.
    names : of the input and the output.
    stride : the input's frames are a multiple of it.
    metadata : stored in the file.
    """
    frames = stride * torch.export.Dim("latent_frames", min=1) if stride > 1 else torch.export.Dim("frames", min=1)
    shapes = {0: torch.export.Dim("batch", min=1), 2: frames}
    registry = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registry.level
    registry.setLevel(logging.ERROR)  # it reports that torchvision is absent, which nobody here can act on
    try:
        with warnings.catch_warnings():
            # Raised inside torch by torch's own use of its deprecated names.
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                input_names=[names[0]],
                output_names=[names[1]],
                dynamic_shapes=(shapes,),
                verbose=False,
            )
    finally:
        registry.setLevel(level)
    assert program is not None
    proto = program.model_proto
    for key, value in metadata.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(proto, path)


@torch.no_grad()
def measure_parity(path: Path, module: nn.Module, channels: int, stride: int, seed: int = 0) -> float:
    """Largest absolute difference between a module and its ONNX file over batches and lengths; NaN shows.

    Parameters
    ----------
    channels, stride : of the input (batch, channels, k * stride).
    """
    session = open_session(path)  # as it will be played
    name = session.get_inputs()[0].name
    rng = np.random.default_rng(seed)
    differences = []
    for batch, latent_frames in ((1, 1), (1, 7), (4, 64), (1, 500)):
        x = 2.0 * rng.standard_normal((batch, channels, latent_frames * stride)).astype(np.float32)
        expected = module(torch.from_numpy(x)).numpy()
        differences.append(np.abs(session.run(None, {name: x})[0] - expected).max())
    return float(np.max(differences))  # unlike the built-in max, NaN where one is NaN


def check_parity(name: str, difference: float) -> None:
    """Raise `ExportError` where a difference is above `TOLERANCE`, or not a number."""
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{name} differs from the model by {difference:.2g}, {TOLERANCE} allowed: nothing was written; "
            "please report this with the versions of torch and onnxruntime"
        )
