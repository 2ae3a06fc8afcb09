"""Bass, pad and pluck loops: what plays notes. Every voice takes a MIDI note and a length and gives a sound."""

from __future__ import annotations

import numpy as np
from scipy import signal

from audiovae.corpus.loop_plan import STEPS_A_BAR, LoopPlan
from audiovae.corpus.synthesis import (
    Signal,
    decay,
    echo,
    fade,
    filter_band,
    midi_to_hz,
    place,
    pulse,
    reverb,
    saturate,
    saw,
    sine,
    sweep_lowpass,
)

# 16 steps a bar: R root, F fifth, O octave, T third, S the seventh below; _ holds the note before, . rests.
BASS_LINES = (
    "R_.R_.R_R_.F_.O.",
    "R_____R_R___F_S_",
    "R.RO.RR.R.RO.FS.",
    "R_R.O_R.R_R.O_F.",
    "R_______T___F___",
    "R.O.R.OFR.O.S.OS",
    "..R_..R_..R_.FR_",
    "R__R__R__R__F_S_",
)
BASS_TEMPO_BPM = (90, 130)
PAD_TEMPO_BPM = (70, 110)
PLUCK_TEMPO_BPM = (84, 126)


def play_bass(plan: LoopPlan, voice: str) -> Signal:
    """A one-note-at-a-time line (samples,) of a voice: ``saw``, ``square``, ``reese`` or ``fm``."""
    rng, rate = plan.rng, plan.sample_rate
    loop, sweep = np.zeros(plan.n_samples), np.zeros(plan.n_samples)
    notes = bass_notes(plan)
    sweep_s = rng.uniform(0.12, 0.6)
    for step, length, pitch in notes:
        start, end = plan.step_start(step), plan.step_start(step + length)
        n = round(0.92 * (end - start))
        accent = 1.0 if step % 4 == 0 else rng.uniform(0.7, 0.95)
        place(loop, accent * _bass_note(plan, voice, midi_to_hz(pitch), n), start)
        sweep[start:end] = np.maximum(sweep[start:end], accent * decay(end - start, rate, 2 * sweep_s))
    if voice != "fm":
        base_hz, octaves = rng.uniform(110, 260), rng.uniform(1.5, 4.0)
        loop = sweep_lowpass(loop, base_hz * 2 ** (octaves * sweep), rng.uniform(0.8, 5.0), rate)
    return saturate(loop, rng.uniform(0.8, 2.0))


def play_pad(plan: LoopPlan, voice: str) -> Signal:
    """Held chords (samples,) of a voice: ``saw``, ``organ`` or ``glass``; the filter's sweep fits the loop."""
    rng, rate = plan.rng, plan.sample_rate
    loop = np.zeros(plan.n_samples)
    steps = STEPS_A_BAR * plan.n_bars // len(plan.progression)
    size, lowest = int(rng.integers(4, 6)), int(rng.integers(52, 58))
    for i, degree in enumerate(plan.progression):
        start, end = plan.step_start(i * steps), plan.step_start((i + 1) * steps)
        in_s, out_s = rng.uniform(0.08, 0.35), rng.uniform(0.3, 0.7)
        n = end - start + round(out_s * rate)
        envelope = fade(np.ones(n), rate, in_s, out_s)
        for pitch in [plan.pitch(degree, 40), *plan.chord(degree, size, lowest)]:
            place(loop, envelope * _pad_note(plan, voice, midi_to_hz(pitch), n), start)
    turns = np.arange(len(loop)) / len(loop) * rng.integers(1, 4) + rng.random()
    cutoff = rng.uniform(500, 1300) * 2 ** (rng.uniform(0.8, 1.8) * np.sin(2 * np.pi * turns))
    loop = sweep_lowpass(loop, cutoff, rng.uniform(0.7, 2.2), rate)
    return reverb(loop, rate, rng.uniform(1.2, 2.5), rng.uniform(0.15, 0.4), rng)


def play_pluck(plan: LoopPlan, voice: str) -> Signal:
    """An arpeggio (samples,) of a voice: ``string``, ``bell`` or ``mallet``, with echoes in time."""
    rng, rate = plan.rng, plan.sample_rate
    loop = np.zeros(plan.n_samples)
    stride = int(rng.choice([1, 2, 2]))  # 16ths or eighths
    lowest = int(rng.integers(55, 66))
    rhythm = rng.random(STEPS_A_BAR // stride) < rng.uniform(0.65, 0.95)
    rhythm[0] = True
    order = arpeggio_order(rng)
    for i in range(STEPS_A_BAR * plan.n_bars // stride):
        if not rhythm[i % len(rhythm)]:
            continue
        chord = plan.chord(plan.chord_degree(i * stride), 4, lowest)
        ladder = [*chord, *(pitch + 12 for pitch in chord)]
        pitch = ladder[order[i % len(order)]]
        velocity = (1.0 if i % 4 == 0 else 0.75) * rng.uniform(0.85, 1.0)
        place(loop, velocity * _pluck_note(plan, voice, midi_to_hz(pitch)), plan.step_start(i * stride))
    loop = echo(loop, plan.step_start(3), rng.uniform(0.25, 0.5), rng.uniform(0.15, 0.35))
    return reverb(loop, rate, rng.uniform(0.8, 2.0), rng.uniform(0.1, 0.3), rng)


def bass_notes(plan: LoopPlan) -> list[tuple[int, int, int]]:
    """(step, steps long, MIDI note) of every note; each bar but the last plays the first line."""
    rng = plan.rng
    lines = rng.permutation(len(BASS_LINES))
    notes: list[tuple[int, int, int]] = []
    for bar in range(plan.n_bars):
        last = bar == plan.n_bars - 1 and plan.n_bars > 1
        for i, mark in enumerate(BASS_LINES[lines[1 if last and rng.random() < 0.5 else 0]]):
            step = STEPS_A_BAR * bar + i
            if mark == "_" and notes and notes[-1][0] + notes[-1][1] == step:
                begin, length, pitch = notes.pop()
                notes.append((begin, length + 1, pitch))
            elif mark not in "._":
                notes.append((step, 1, _bass_pitch(plan, plan.chord_degree(step), mark)))
    return notes


def _bass_pitch(plan: LoopPlan, degree: int, mark: str) -> int:
    root = plan.pitch(degree, 33)
    if mark == "S":
        return plan.pitch(degree + 6, root - 12)
    return plan.pitch(degree + {"R": 0, "T": 2, "F": 4, "O": 0}[mark], root) + (12 if mark == "O" else 0)


def _bass_note(plan: LoopPlan, voice: str, frequency_hz: float, n: int) -> Signal:
    rate = plan.sample_rate
    f = np.full(n, frequency_hz)
    envelope = fade(0.35 + 0.65 * decay(n, rate, 1.2), rate, 0.003, 0.02)
    if voice == "saw":
        sound = 0.7 * saw(f, rate) + 0.5 * sine(f, rate)
    elif voice == "square":
        sound = 0.5 * pulse(f, rate, 0.5) + 0.2 * pulse(2 * f, rate, 0.25)
    elif voice == "reese":
        sound = 0.4 * sum((saw(f * 2 ** (c / 1200), rate, plan.rng.random()) for c in (-14, 0, 11)), np.zeros(n))
    else:
        index = 0.4 + 3.0 * decay(n, rate, 0.5)
        phase = 2 * np.pi * frequency_hz * np.arange(n) / rate
        sound = np.sin(phase + index * np.sin(phase)) + 0.3 * np.sin(phase)
    return np.asarray(sound * envelope)


def _pad_note(plan: LoopPlan, voice: str, frequency_hz: float, n: int) -> Signal:
    rng, rate = plan.rng, plan.sample_rate
    t = np.arange(n) / rate
    if voice == "saw":
        total = np.zeros(n)
        for cents in (-9, -4, 0, 5, 8):
            drift = cents + 3 * np.sin(2 * np.pi * (rng.uniform(0.15, 0.6) * t + rng.random()))
            total += saw(frequency_hz * 2 ** (drift / 1200), rate, rng.random())
        return 0.3 * total
    if voice == "organ":
        vibrato = frequency_hz * 2 ** (4 * np.sin(2 * np.pi * (5.5 * t + rng.random())) / 1200)
        bars = ((0.5, 0.6), (1, 1.0), (2, 0.7), (3, 0.35), (4, 0.3), (6, 0.15), (8, 0.12))
        return sum((level * sine(ratio * vibrato, rate, rng.random()) for ratio, level in bars), np.zeros(n))
    phase = 2 * np.pi * frequency_hz * t
    index = 1.2 + 0.8 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.7) * t + rng.random()))
    glass = np.sin(phase + index * np.sin(2.003 * phase)) + 0.5 * np.sin(1.002 * phase + 1.3)
    return np.asarray(0.8 * glass)


def arpeggio_order(rng: np.random.Generator) -> list[int]:
    """Indices into a ladder of eight notes: up, up and down, or a tune of its own."""
    up = list(range(8))
    tune = [0, *rng.integers(0, 8, size=7).tolist()]
    return [up, up[:5] + [3, 2, 1], tune][int(rng.integers(3))]


def _pluck_note(plan: LoopPlan, voice: str, frequency_hz: float) -> Signal:
    rate = plan.sample_rate
    n = round(1.4 * rate)
    f = np.full(n, frequency_hz)
    if voice == "string":
        return _string_note(plan, frequency_hz, n)
    if voice == "bell":
        index = 2.2 * decay(n, rate, 0.7)
        sound = np.sin(2 * np.pi * frequency_hz * np.arange(n) / rate + index * sine(3.51 * f, rate))
        return 0.6 * fade(sound * decay(n, rate, 1.3), rate, 0.001, 0.1)
    sound = sine(f, rate) * decay(n, rate, 0.9)
    sound += 0.35 * sine(3.93 * f, rate) * decay(n, rate, 0.25)
    sound += 0.15 * sine(9.2 * f, rate) * decay(n, rate, 0.08)
    return 0.8 * fade(sound, rate, 0.001, 0.1)


def _string_note(plan: LoopPlan, frequency_hz: float, n: int) -> Signal:
    """A plucked string: noise in a delay of one period, losing highs on every turn.

    The loop's filter is a symmetric three-point average (a delay of one sample) times an interpolation
    between two samples, which gives the period its fraction: without it, high notes are out of tune.
    Source: Karplus and Strong 1983, "Digital synthesis of plucked-string and drum timbres"; tuning after
    Jaffe and Smith 1983, "Extensions of the Karplus-Strong plucked-string algorithm".
    """
    rate = plan.sample_rate
    period = rate / frequency_hz
    whole = int(period) - 1
    fraction = period - 1 - whole
    softness = plan.rng.uniform(0.1, 0.4)
    average = np.convolve([softness / 2, 1 - softness, softness / 2], [1 - fraction, fraction])
    taps = np.zeros(whole + len(average))
    taps[0] = 1.0
    taps[whole:] -= 0.997 * average
    burst = np.zeros(n)
    n_burst = min(n, round(period))
    burst[:n_burst] = filter_band(plan.rng.uniform(-1, 1, n_burst), rate, None, 6000, 1)
    return fade(np.asarray(signal.lfilter([1.0], taps, burst)), rate, 0.0005, 0.1)
