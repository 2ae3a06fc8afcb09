"""Audio to log-mel frames and back: the representation of the spectral family."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from audiovae.dsp.inversion import griffin_lim
from audiovae.dsp.mel import mel_filter_bank, mel_inverse
from audiovae.dsp.stft import stft
from audiovae.errors import ShapeError
from audiovae.settings import Settings

FloatArray = npt.NDArray[np.floating[Any]]

_MAX_SPEC = 40.0  # full scale is below 10; above 80 the inversion overflows float32 and gives NaN
_BLOCK_FRAMES = 8192  # transformed at a time: bounds the memory an hour-long file takes


class TransformSettings(Settings):
    """How sound becomes log-mel frames."""

    sample_rate: int = Field(44100, gt=0)
    """Hz."""
    n_fft: int = Field(2048, gt=0)
    """Window length in samples: longer resolves pitch better, shorter resolves attacks better."""
    hop_length: int = Field(512, gt=0)
    """Samples between mel frames."""
    n_mels: int = Field(128, gt=0)
    """Mel bands."""
    log_gain: float = Field(100.0, gt=0)
    """Gain before log1p: larger keeps more of what is soft."""
    inversion_iterations: int = Field(32, ge=1)
    """Griffin-Lim iterations when sound is made from frames."""
    scale: Literal["slaney"] = "slaney"
    """Mel scale."""

    @model_validator(mode="after")
    def _check(self) -> TransformSettings:
        if self.n_fft % 2 or self.hop_length > self.n_fft // 2:
            raise ValueError(f"n_fft {self.n_fft} must be even, and at least twice hop_length {self.hop_length}")
        return self


class AudioTransform:
    """log1p(gain * mel magnitude) of audio, and audio from it by fast Griffin-Lim.

    Parameters
    ----------
    settings : `TransformSettings`.

    Raises
    ------
    SettingsError
        If the mel bank is not of full rank.
    """

    def __init__(self, settings: TransformSettings) -> None:
        self.settings = settings
        bank = mel_filter_bank(settings.sample_rate, settings.n_fft, settings.n_mels)
        self._bank = bank.astype(np.float32)
        self._inverse = mel_inverse(bank).astype(np.float32)

    def mel(self, audio: FloatArray) -> FloatArray:
        """Mel magnitudes, (..., samples) to (..., n_mels, 1 + samples // hop_length) float32."""
        n_fft, hop_length = self.settings.n_fft, self.settings.hop_length
        margin = -(-n_fft // (2 * hop_length))  # frames whose windows a cut reaches
        blocks = []
        for first in range(0, 1 + audio.shape[-1] // hop_length, _BLOCK_FRAMES):
            start = max(first - margin, 0)
            piece = audio[..., start * hop_length : (first + _BLOCK_FRAMES + margin) * hop_length]
            spectra = stft(np.asarray(piece, dtype=np.float32), n_fft, hop_length)
            blocks.append(self._bank @ np.abs(spectra[..., first - start : first - start + _BLOCK_FRAMES]))
        return np.concatenate(blocks, axis=-1)

    def mel_blocks(self, wav: FloatArray, stride: int) -> FloatArray:
        """Mel magnitudes in whole latent frames: the last block is filled up with silence.

        Parameters
        ----------
        wav : (..., samples).
        stride : mel frames per latent frame.

        Returns
        -------
        (..., n_mels, stride * ceil(samples / (stride * hop_length))).
        """
        block = stride * self.settings.hop_length
        padding = -wav.shape[-1] % block
        padded = np.pad(wav, [(0, 0)] * (wav.ndim - 1) + [(0, padding)])
        return self.mel(padded)[..., :-1]

    def invert_blocks(self, spec: FloatArray) -> FloatArray:
        """Audio of whole latent frames: (..., n_mels, frames) to (..., frames * hop_length)."""
        closed = np.concatenate([spec, spec[..., -1:]], axis=-1)
        return self.invert(closed)

    def compress(self, mel: FloatArray) -> FloatArray:
        """log1p(gain * mel)."""
        return np.asarray(np.log1p(self.settings.log_gain * mel))

    def expand(self, spec: FloatArray) -> FloatArray:
        """The inverse of `compress`, never negative, and finite however large the frames are."""
        return np.asarray(np.expm1(np.clip(spec, 0.0, _MAX_SPEC)) / self.settings.log_gain)

    def forward(self, wav: FloatArray) -> FloatArray:
        """Log-mel frames of audio.

        Parameters
        ----------
        wav : (..., samples) in [-1, 1], at `settings.sample_rate`.

        Returns
        -------
        (..., n_mels, 1 + samples // hop_length) float32, 0 in silence.
        """
        return self.compress(self.mel(wav))

    def invert(self, spec: FloatArray, samples: int | None = None) -> FloatArray:
        """Audio of log-mel frames, deterministic.

        Parameters
        ----------
        spec : (..., n_mels, frames), as `forward` gives it.
        samples : length of the result; (frames - 1) * hop_length if None.

        Returns
        -------
        (..., samples) float32.

        Raises
        ------
        ShapeError
            If the count of bands is not `n_mels`, or `samples` does not fit the count of frames.
        """
        if spec.ndim < 2 or spec.shape[-2] != self.settings.n_mels or spec.shape[-1] == 0:
            raise ShapeError(f"spec of shape {spec.shape} found, (..., {self.settings.n_mels}, frames) expected")
        hop_length, frames = self.settings.hop_length, spec.shape[-1]
        samples = (frames - 1) * hop_length if samples is None else samples
        if 1 + samples // hop_length != frames:
            raise ShapeError(
                f"{frames} frames are {(frames - 1) * hop_length} to {frames * hop_length - 1} samples, not {samples}"
            )
        magnitudes = np.maximum(self._inverse @ self.expand(np.asarray(spec, dtype=np.float32)), 0.0)
        return griffin_lim(
            magnitudes, self.settings.n_fft, hop_length, samples, iterations=self.settings.inversion_iterations
        )
