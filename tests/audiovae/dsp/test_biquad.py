"""Second-order filters: the response is the designed one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from audiovae.dsp.biquad import Section, allpass, high_shelf, low_shelf, peak

RATE = 44100


def response(section: Section, frequency_hz: float | list[float]) -> np.ndarray:
    found = signal.freqz_sos(section[None], worN=np.atleast_1d(frequency_hz), fs=RATE)[1]
    return np.asarray(found)


def gain_db(section: Section, *frequency_hz: float) -> np.ndarray:
    return np.asarray(20 * np.log10(np.abs(response(section, list(frequency_hz)))))


@pytest.mark.parametrize("frequency_hz", [20.0, 300.0, 2000.0, 20000.0])
@pytest.mark.parametrize("q", [0.3, 1.0, 5.0])
def test_an_allpass_is_flat_and_turns_the_phase(frequency_hz: float, q: float) -> None:
    section = allpass(frequency_hz, q, RATE)
    found = response(section, np.geomspace(1, 22000, 500).tolist())
    np.testing.assert_allclose(np.abs(found), 1.0, atol=1e-9)
    np.testing.assert_allclose(response(section, frequency_hz), -1.0, atol=1e-9)
    assert signal.freqz_sos(section[None], worN=[0.0])[1][0] == pytest.approx(1.0)


def test_allpass_against_the_published_formula() -> None:
    """With w = 2 pi f / rate, alpha = sin w / (2 Q): b = (1 - alpha, -2 cos w, 1 + alpha), a = b turned round."""
    w = 2 * np.pi * 440 / RATE
    alpha = np.sin(w) / (2 * 0.7)
    expected = np.array([1 - alpha, -2 * np.cos(w), 1 + alpha, 1 + alpha, -2 * np.cos(w), 1 - alpha]) / (1 + alpha)
    np.testing.assert_allclose(allpass(440, 0.7, RATE), expected, atol=1e-12)


@pytest.mark.parametrize("gain", [-6.0, 0.0, 4.0])
def test_gains_are_as_designed(gain: float) -> None:
    assert gain_db(peak(1000, 2, gain, RATE), 0.1, 1000, 22049) == pytest.approx([0, gain, 0], abs=1e-3)
    assert gain_db(low_shelf(300, 0.7, gain, RATE), 0.1, 300, 22049) == pytest.approx([gain, gain / 2, 0], abs=1e-3)
    assert gain_db(high_shelf(3000, 0.7, gain, RATE), 0.1, 3000, 22049) == pytest.approx([0, gain / 2, gain], abs=1e-3)


def test_a_peak_is_half_its_gain_in_db_at_the_edges_of_its_band() -> None:
    """At a low frequency, where the bilinear transform does not bend the axis: f g = centre^2, g - f = centre / Q."""
    centre, q = 100.0, 2.0
    half = centre / q / 2
    edges = [np.hypot(centre, half) - half, np.hypot(centre, half) + half]
    assert gain_db(peak(centre, q, 6.0, RATE), *edges) == pytest.approx([3, 3], abs=1e-3)
