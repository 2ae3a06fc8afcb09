"""Opening ONNX files to play them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiovae.errors import ModelFolderError


def open_session(path: Path) -> Any:
    """One ONNX file on one thread: on a busy machine a second thread only waits for the first."""
    import onnxruntime

    if not path.is_file():
        raise ModelFolderError(f"{path.parent} is no model folder: no {path.name} in it; `audiovae export` makes one")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen classes of its own for a damaged file
        raise ModelFolderError(f"{path} is damaged ({str(error).splitlines()[0]}): export the model again") from None
