"""Sound from nothing: oscillators, envelopes, filters and the two room effects that the loop generator plays.

Signals are (samples,) float64. A loop is a ring: `place`, `echo` and `reverb` carry what runs past its end
over to its start, so that it repeats without a seam.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

Signal = npt.NDArray[np.float64]

_FILTER_BLOCK = 64  # samples between two settings of a swept filter, 1.5 ms at 44.1 kHz


def midi_to_hz(note: float) -> float:
    """Equal-tempered frequency of a MIDI note number, A4 = 69 = 440 Hz."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def sine(frequency_hz: Signal, sample_rate: int, phase: float = 0.0) -> Signal:
    """A sine of a frequency that may move, (samples,); `phase` in turns."""
    turns = np.cumsum(frequency_hz) / sample_rate
    return np.asarray(np.sin(2 * np.pi * (turns - turns[0] + phase)))


def saw(frequency_hz: Signal, sample_rate: int, phase: float = 0.0) -> Signal:
    """A sawtooth with its steps smoothed against aliasing.

    Source: Valimaki and Huovilainen 2007, "Antialiasing oscillators in subtractive synthesis": the polynomial
    band-limited step is subtracted around every wrap of the phase.
    """
    step = frequency_hz / sample_rate
    turns = (np.cumsum(step) - step[0] + phase) % 1.0
    before, after = (turns - 1) / step, turns / step
    blep = np.where(after < 1, after + after - after**2 - 1, 0.0)
    blep += np.where(before > -1, before**2 + before + before + 1, 0.0)
    return np.asarray(2 * turns - 1 - blep)


def pulse(frequency_hz: Signal, sample_rate: int, width: float = 0.5, phase: float = 0.0) -> Signal:
    """A pulse wave as the difference of two sawtooths; `width` is the share of the period that is high."""
    return saw(frequency_hz, sample_rate, phase) - saw(frequency_hz, sample_rate, phase + width)


def decay(n_samples: int, sample_rate: int, time_s: float) -> Signal:
    """An exponential from 1 that is at -60 dB after `time_s`."""
    return np.asarray(10 ** (-3 * np.arange(n_samples) / (time_s * sample_rate)))


def fade(envelope: Signal, sample_rate: int, in_s: float, out_s: float) -> Signal:
    """An envelope with raised-cosine ends, so that a note neither starts nor stops with a click."""
    result = envelope.copy()
    n_in = min(len(result), max(1, round(in_s * sample_rate)))
    n_out = min(len(result), max(1, round(out_s * sample_rate)))
    result[:n_in] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(n_in) / n_in)
    result[len(result) - n_out :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, n_out + 1) / n_out)
    return result


def filter_band(
    audio: Signal, sample_rate: int, low_hz: float | None = None, high_hz: float | None = None, order: int = 2
) -> Signal:
    """Audio between two corners, either of which may be open; Butterworth."""
    top = 0.45 * sample_rate
    low = None if low_hz is None else min(low_hz, top)
    high = None if high_hz is None or high_hz >= top else high_hz
    if low is not None:
        audio = signal.sosfilt(signal.butter(order, low, "highpass", fs=sample_rate, output="sos"), audio)
    if high is not None:
        audio = signal.sosfilt(signal.butter(order, high, "lowpass", fs=sample_rate, output="sos"), audio)
    return np.asarray(audio)


def sweep_lowpass(audio: Signal, cutoff_hz: Signal, resonance: float, sample_rate: int) -> Signal:
    """A ring of audio through a 24 dB lowpass whose cutoff moves.

    Two equal-cutoff biquads, set anew every 64 samples; the filter runs once over the end of the ring first,
    so that its state fits at the seam.

    Parameters
    ----------
    audio, cutoff_hz : (samples,).
    resonance : quality of the second biquad, 0.6 (soft) to about 8 (it sings).

    Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", LPF.
    """
    n_lead = min(len(audio), sample_rate // 4) // _FILTER_BLOCK * _FILTER_BLOCK
    audio = np.concatenate([audio[len(audio) - n_lead :], audio])
    cutoff_hz = np.concatenate([cutoff_hz[len(cutoff_hz) - n_lead :], cutoff_hz])
    sections = _lowpass_sections(cutoff_hz[::_FILTER_BLOCK], resonance, sample_rate)
    output = np.empty_like(audio)
    state = np.zeros((2, 2))
    for i, sos in enumerate(sections):
        block = slice(i * _FILTER_BLOCK, (i + 1) * _FILTER_BLOCK)
        output[block], state = signal.sosfilt(sos, audio[block], zi=state)
    return output[n_lead:]


def place(loop: Signal, note: Signal, start: int) -> None:
    """Add a note to a loop in place, from sample `start`; what runs past the end goes on at the beginning."""
    np.add.at(loop, (start + np.arange(len(note))) % len(loop), note)


def echo(loop: Signal, delay: int, feedback: float, mix: float) -> Signal:
    """A ring with its echoes: every `delay` samples one, `feedback` times the one before."""
    repeats, level, count = np.zeros_like(loop), mix, 1
    while level > 0.002:
        repeats += level * np.roll(loop, count * delay)
        level *= feedback
        count += 1
    return loop + repeats


def reverb(
    loop: Signal,
    sample_rate: int,
    time_s: float,
    mix: float,
    rng: np.random.Generator,
    damping_hz: float = 6000.0,
) -> Signal:
    """A ring in a room: circular convolution with dark noise that decays by 60 dB in `time_s`."""
    n = round(time_s * sample_rate)
    response = filter_band(rng.standard_normal(n) * decay(n, sample_rate, time_s), sample_rate, 150, damping_hz, 1)
    ring = np.zeros_like(loop)
    place(ring, response / np.sqrt((response**2).sum()), round(0.012 * sample_rate))
    wet = np.fft.irfft(np.fft.rfft(loop) * np.fft.rfft(ring), len(loop))
    return np.asarray(loop + mix * wet)


def saturate(audio: Signal, drive: float) -> Signal:
    """Soft clipping by tanh: unity gain for soft sounds, peaks rounded off the more the larger `drive`."""
    return np.asarray(np.tanh(drive * audio) / drive)


def _lowpass_sections(cutoff_hz: Signal, resonance: float, sample_rate: int) -> Signal:
    """(n, 2, 6) second-order sections, one pair for every cutoff."""
    w = 2 * np.pi * np.clip(cutoff_hz, 20.0, 0.45 * sample_rate) / sample_rate
    sections = np.empty((len(w), 2, 6))
    for i, quality in enumerate((0.6, resonance)):
        alpha = np.sin(w) / (2 * quality)
        b1 = (1 - np.cos(w)) / (1 + alpha)
        sections[:, i, 0] = sections[:, i, 2] = b1 / 2
        sections[:, i, 1] = b1
        sections[:, i, 3] = 1.0
        sections[:, i, 4] = -2 * np.cos(w) / (1 + alpha)
        sections[:, i, 5] = (1 - alpha) / (1 + alpha)
    return sections
