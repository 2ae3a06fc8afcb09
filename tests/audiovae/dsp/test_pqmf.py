"""The filter bank by its closed forms: transfer function, alias and stop band, all from the filters alone."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.dsp.pqmf import design_prototype, half_length, modulate

N_FFT = 8192


def measure_db(n_bands: int, attenuation_db: float) -> tuple[float, float]:
    """Largest deviation of the transfer function from a delay, and largest sum of all alias terms, in dB."""
    analysis = modulate(design_prototype(n_bands, attenuation_db), n_bands)
    forth = np.fft.fft(analysis, N_FFT, axis=1)
    back = np.fft.fft(n_bands * analysis[:, ::-1], N_FFT, axis=1)
    delay = np.exp(-2j * np.pi * np.arange(N_FFT) / N_FFT * (analysis.shape[1] - 1))
    transfer = (forth * back).sum(axis=0) / n_bands
    shifts = [np.roll(forth, m * N_FFT // n_bands, axis=1) for m in range(1, n_bands)]
    alias = np.sqrt(sum(np.abs((shifted * back).sum(axis=0) / n_bands) ** 2 for shifted in shifts))
    return 20 * np.log10(np.abs(transfer - delay).max()), 20 * np.log10(alias.max())


@pytest.mark.parametrize("n_bands", [4, 8, 16, 32])
@pytest.mark.parametrize(
    ("attenuation_db", "alias_db"), [(40, -43), (60, -55), (80, -78), (100, -83), (120, -100)]
)
def test_transfer_is_a_delay_and_alias_is_low(n_bands: int, attenuation_db: float, alias_db: float) -> None:
    distortion, alias = measure_db(n_bands, attenuation_db)
    assert distortion < -100
    assert alias < alias_db


@pytest.mark.parametrize("n_bands", [4, 16])
def test_prototype_is_symmetric_and_as_long_as_stated(n_bands: int) -> None:
    prototype = design_prototype(n_bands, 100)
    assert len(prototype) == 2 * n_bands * half_length(100) + 1
    np.testing.assert_allclose(prototype, prototype[::-1], atol=1e-12)


@pytest.mark.parametrize("n_bands", [4, 16])
def test_a_band_passes_its_own_middle_and_stops_all_but_its_neighbours(n_bands: int) -> None:
    gain = np.abs(np.fft.rfft(modulate(design_prototype(n_bands, 100), n_bands), N_FFT, axis=1))
    width = N_FFT // 2 // n_bands
    for band in range(n_bands):
        assert gain[band, band * width + width // 2] == pytest.approx(1.0, abs=1e-3)
        outside = np.concatenate([gain[band, : max(0, (band - 1) * width)], gain[band, (band + 2) * width :]])
        assert outside.max(initial=0.0) < 10 ** (-80 / 20)


def test_other_counts_and_attenuations_are_refused() -> None:
    with pytest.raises(ValueError, match="n_bands 12 found, a power of two"):
        design_prototype(12, 100)
    with pytest.raises(ValueError, match="attenuation_db 10 found"):
        design_prototype(16, 10)
