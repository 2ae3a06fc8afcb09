"""An exported model folder at work: audio to latents and back, without torch.

The spectral family plays whole files; block by block comes with the waveform family.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.corpus.audio_file import read_audio, write_audio
from audiovae.dsp.transform import AudioTransform, TransformSettings
from audiovae.errors import ModelFolderError, ShapeError
from audiovae.latent_space import LatentSpace
from audiovae.settings import build

FloatArray = npt.NDArray[np.floating[Any]]


class Codec:
    """The two ONNX files of a model folder, without its sidecar; the exporter makes the sidecar with it.

    Parameters
    ----------
    folder : holds ``encoder.onnx`` and ``decoder.onnx``.

    Raises
    ------
    ModelFolderError
        If a file is missing or damaged, or of a family this version does not play.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        self._encoder, self._decoder = (open_session(folder / f"{half}.onnx") for half in ("encoder", "decoder"))
        metadata = self._encoder.get_modelmeta().custom_metadata_map
        try:
            if metadata["family"] != "spectral":
                raise ModelFolderError(f"{folder}: family {metadata['family']!r} found, 'spectral' expected")
            settings = build(TransformSettings, json.loads(metadata["transform"]), f"{folder / 'encoder.onnx'}")
            self.stride = int(metadata["stride"])
        except (KeyError, ValueError) as error:
            raise ModelFolderError(f"{folder / 'encoder.onnx'} lacks {error}: export the model again") from None
        self.transform = AudioTransform(settings)
        self.latent_size = int(self._decoder.get_inputs()[0].shape[1])
        self.hop_length = self.stride * settings.hop_length

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latent means, (n_frames, latent_size) float32, of mono audio (samples,)."""
        return self.encode_spec(self.transform.compress(self.transform.mel_blocks(audio, self.stride)))

    def decode(self, latents: FloatArray) -> FloatArray:
        """Mono audio (n_frames * hop_length,) float32 of latents (n_frames, latent_size)."""
        return self.transform.invert_blocks(self.decode_spec(latents))

    def encode_spec(self, spec: FloatArray) -> FloatArray:
        """Latent means (n_frames, latent_size) of log-mel frames (n_mels, n_frames * stride)."""
        return np.asarray(self._encoder.run(None, {"spec": spec[None]})[0][0].T)

    def decode_spec(self, latents: FloatArray) -> FloatArray:
        """Log-mel frames (n_mels, n_frames * stride) of latents (n_frames, latent_size)."""
        columns = np.ascontiguousarray(latents.T, dtype=np.float32)[None]
        return np.asarray(self._decoder.run(None, {"latents": columns})[0][0])


class Player:
    """Encode and decode with an exported model folder alone.

    Parameters
    ----------
    model_dir : a folder written by ``audiovae export``.

    Raises
    ------
    ModelFolderError
        If it is none, damaged, or its files are of different models.
    """

    def __init__(self, model_dir: str | Path) -> None:
        self.space = LatentSpace.load(model_dir)
        self._codec = Codec(model_dir)
        played = (self._codec.latent_size, self._codec.hop_length, self._codec.transform.settings.sample_rate)
        stated = (self.space.latent_size, self.space.hop_length, self.space.sample_rate)
        if played != stated:
            raise ModelFolderError(
                f"{model_dir}: (latent_size, hop_length, sample_rate) {played} in the .onnx files and {stated} in "
                "latent_space.json: files of two models; export the model again"
            )

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latent means of audio; the same audio always gives the same latents.

        Parameters
        ----------
        audio : (channels, samples) in [-1, 1] at ``space.sample_rate``.

        Returns
        -------
        (ceil(samples / hop_length), latent_size) float32; the last frame is filled up with silence.

        Raises
        ------
        ShapeError
            If the channels are not the model's, there is no sample, or one is not finite.
        """
        if audio.ndim != 2 or audio.shape[0] != self.space.channels or audio.shape[1] == 0:
            raise ShapeError(f"audio of shape {audio.shape} found, ({self.space.channels}, samples) expected")
        if not np.isfinite(audio).all():
            raise ShapeError("audio with NaN or infinite samples found, finite ones expected: repair the sound first")
        return self._codec.encode(audio[0])

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio of latents; the same latents always give the same audio.

        Parameters
        ----------
        latents : (n_frames, latent_size), finite.

        Returns
        -------
        (channels, n_frames * hop_length) float32.

        Raises
        ------
        ShapeError, LatentsError
            If there is no frame, a value is not finite, or the dimensions are not the model's.
        """
        self.space.check(latents)
        if len(latents) == 0 or not np.isfinite(latents).all():
            raise ShapeError("latents to decode must be one or more frames, all finite; found none, or NaN")
        return self._codec.decode(latents)[None]


def load_audio(path: str | Path, sample_rate: int, channels: int) -> FloatArray:
    """Audio of a file at a rate and channel count, (channels, samples) float32."""
    return read_audio(path, sample_rate, channels)[0]


def save_audio(path: str | Path, audio: FloatArray, sample_rate: int) -> None:
    """Write audio (channels, samples) in the format of the suffix; beyond full scale it is turned down as a whole."""
    peak = float(np.abs(audio).max(initial=0.0))
    write_audio(path, audio / peak if peak > 1.0 else audio, sample_rate)


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
