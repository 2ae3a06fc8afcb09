"""Writing ONNX files that run anywhere."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn


def write_onnx(
    path: Path,
    module: nn.Module,
    example: tuple[Any, ...],
    input_names: Sequence[str],
    output_names: Sequence[str],
    dynamic_shapes: tuple[Any, ...],
    metadata: dict[str, str],
) -> None:
    """Write one module.

    Parameters
    ----------
    module : in evaluation mode.
    example : arguments of its forward, tensors or lists of them; free dimensions at least 2.
    input_names, output_names : of all tensors, lists laid out.
    dynamic_shapes : the free dimensions of each argument, as `torch.export` takes them.
    metadata : stored in the file.
    """
    registry = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registry.level
    registry.setLevel(logging.ERROR)  # it reports that torchvision is absent, which nobody here can act on
    try:
        with warnings.catch_warnings():
            # Raised inside torch by torch's own use of its deprecated names.
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            # Said of the batch of every state, which shares its name with that of the signal.
            warnings.filterwarnings("ignore", "# The axis name: batch will not be used", UserWarning)
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                input_names=list(input_names),
                output_names=list(output_names),
                dynamic_shapes=dynamic_shapes,
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


def free_shape(stride: int) -> dict[int, Any]:
    """Of a tensor (batch, channels, frames) of any batch and any multiple of `stride` frames."""
    frames = stride * torch.export.Dim("latent_frames", min=1) if stride > 1 else torch.export.Dim("frames", min=1)
    return {0: torch.export.Dim("batch", min=1), 2: frames}
