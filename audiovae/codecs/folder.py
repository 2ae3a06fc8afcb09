"""Which codec plays a model folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from audiovae.codecs.codec import Codec
from audiovae.codecs.session import open_session
from audiovae.codecs.spectral import SpectralCodec
from audiovae.codecs.torchscript import TorchScriptCodec
from audiovae.codecs.waveform import WaveformCodec
from audiovae.errors import ModelFolderError

CODECS: dict[str, Callable[[Path], Codec]] = {"spectral": SpectralCodec, "waveform": WaveformCodec}
"""The families this version plays, as ``encoder.onnx`` names them; a new one is an entry here."""


def open_codec(folder: str | Path) -> Codec:
    """The codec of a model folder, whose sidecar need not be there yet: the exporter makes the sidecar with it.

    Raises
    ------
    ModelFolderError
        If a file is missing or damaged, or of a family this version does not play.
    """
    folder = Path(folder)
    if (folder / "model.ts").is_file() and not (folder / "encoder.onnx").is_file():
        return TorchScriptCodec(folder)
    family = open_session(folder / "encoder.onnx").get_modelmeta().custom_metadata_map.get("family", "")
    if family not in CODECS:
        raise ModelFolderError(f"{folder}: family {family!r} found, {' or '.join(CODECS)} expected")
    return CODECS[family](folder)
