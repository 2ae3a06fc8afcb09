"""The spectral family: log-mel frames through two ONNX files, sound rebuilt from magnitudes. It plays whole sounds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from audiovae.codecs.codec import DecoderStream, EncoderStream, FloatArray
from audiovae.codecs.session import open_session
from audiovae.dsp.transform import AudioTransform, TransformSettings
from audiovae.errors import ModelFolderError
from audiovae.settings import build


class SpectralCodec:
    """The `Codec` of the spectral family.

    Parameters
    ----------
    folder : holds ``encoder.onnx`` and ``decoder.onnx``.

    Raises
    ------
    ModelFolderError
        If a file is missing or damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        self._encoder, self._decoder = (open_session(folder / f"{half}.onnx") for half in ("encoder", "decoder"))
        metadata = self._encoder.get_modelmeta().custom_metadata_map
        try:
            settings = build(TransformSettings, json.loads(metadata["transform"]), f"{folder / 'encoder.onnx'}")
            self.stride = int(metadata["stride"])
        except (KeyError, ValueError) as error:
            raise ModelFolderError(f"{folder / 'encoder.onnx'} lacks {error}: export the model again") from None
        self.transform = AudioTransform(settings)
        self.latent_size = int(self._decoder.get_inputs()[0].shape[1])
        self.hop_length = self.stride * settings.hop_length
        self.sample_rate, self.channels = settings.sample_rate, 1

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latent means, (ceil(samples / hop_length), latent_size) float32, of audio (1, samples)."""
        return self.encode_spec(self.transform.compress(self.transform.mel_blocks(audio[0], self.stride)))

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio (1, n_frames * hop_length) float32 of latents (n_frames, latent_size)."""
        return self.transform.invert_blocks(self.decode_spec(latents))[None]

    def encode_spec(self, spec: FloatArray) -> FloatArray:
        """Latent means (n_frames, latent_size) of log-mel frames (n_mels, n_frames * stride)."""
        return np.asarray(self._encoder.run(None, {"spec": spec[None]})[0][0].T)

    def decode_spec(self, latents: FloatArray) -> FloatArray:
        """Log-mel frames (n_mels, n_frames * stride) of latents (n_frames, latent_size)."""
        columns = np.ascontiguousarray(latents.T, dtype=np.float32)[None]
        return np.asarray(self._decoder.run(None, {"latents": columns})[0][0])

    def open_encoder(self) -> EncoderStream:
        """Refused: a log-mel frame is standardised and looked at with all others."""
        raise ModelFolderError("the spectral family plays whole sounds only: a waveform model plays block by block")

    def open_decoder(self) -> DecoderStream:
        """Refused: the phases of a sound are found for all of it at once."""
        raise ModelFolderError("the spectral family plays whole sounds only: a waveform model plays block by block")
