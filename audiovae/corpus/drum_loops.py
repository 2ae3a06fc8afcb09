"""Drum and percussion loops: synthetic drums, and patterns to play them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audiovae.corpus.loop_plan import LoopPlan
from audiovae.corpus.synthesis import (
    Signal,
    decay,
    fade,
    filter_band,
    place,
    pulse,
    reverb,
    saturate,
    sine,
)

Drum = Callable[[LoopPlan], Signal]


@dataclass(frozen=True)
class Style:
    """A groove: tempo range, and for every drum 16 steps a bar. ``X`` accent, ``x`` hit, ``-`` ghost note."""

    tempo_bpm: tuple[int, int]
    swing: float  # delay of every second 16th, as a share of a 16th
    steps: dict[str, tuple[str, ...]]  # alternatives for a drum: each bar draws one


DRUM_STYLES = {
    "house": Style(
        (118, 127),
        0.08,
        {
            "kick": ("X...X...X...X...", "X...X...X...X..x"),
            "clap": ("....X.......X...",),
            "closed_hat": ("x-.-x-.-x-.-x-.-", "-.x--.x--.x--.xx"),
            "open_hat": ("..X...X...X...X.", "......X.......X."),
        },
    ),
    "boom_bap": Style(
        (84, 97),
        0.28,
        {
            "kick": ("X..x......X.....", "X.....x.X.x.....", "X..x...x..X....."),
            "snare": ("....X.......X...", "....X..-....X..-"),
            "closed_hat": ("x.x.x.x.x.x.x.x.", "x.xxx.x.x.x-x.x."),
            "open_hat": ("................", "..............x."),
        },
    ),
    "breakbeat": Style(
        (124, 138),
        0.12,
        {
            "kick": ("X.x.......XX....", "X.x......xX.....", "X..x..x...X....."),
            "snare": ("....X..-.-..X..-", "....X..-.-....X."),
            "closed_hat": ("x.x.x.x.x.x.x.x.", "x-x-x-x-x-x-x-x-"),
            "tom": ("................", "............x.-x"),
        },
    ),
    "electro": Style(
        (108, 122),
        0.0,
        {
            "kick": ("X.....x...X..x..", "X..x..X.....x..."),
            "snare": ("....X.......X...",),
            "closed_hat": ("xxxxxxxxxxxxxxxx", "x-xxx-xxx-xxx-xx"),
            "cowbell": ("..x..x....x..x..", "................"),
            "clap": ("............X...", "....x.......x..."),
        },
    ),
    "half_time": Style(
        (132, 144),
        0.0,
        {
            "kick": ("X......x..x.....", "X.....X....x...."),
            "snare": ("........X.......", "........X......-"),
            "closed_hat": ("x.x.x.x.x.x.xxxx", "x.x.x-x.x.xxx.x."),
            "open_hat": ("................", "....x..........."),
        },
    ),
}

PERCUSSION_STYLES = {
    "conga": Style(
        (96, 116),
        0.1,
        {
            "conga_low": ("......xx......xX", "......x.......xx"),
            "conga_high": ("X.-x..-.X.-x-.-.", "x-.X-.-.x-.X-.-."),
            "shaker": ("x-X-x-X-x-X-x-X-",),
            "clave": ("X..X..X...X.X...", "................"),
        },
    ),
    "bossa": Style(
        (108, 124),
        0.0,
        {
            "clave": ("X..X..X...X..X..",),
            "shaker": ("x-x-X-x-x-x-X-x-", "xxXxxxXxxxXxxxXx"),
            "conga_low": ("x......xx......x",),
            "conga_high": ("....X.....x.X...", "....X.......X.x."),
        },
    ),
    "afro": Style(
        (100, 118),
        0.16,
        {
            "cowbell": ("X.x.xx.x.x.x.xx.", "X..x..x...x.x..."),
            "conga_low": ("x..x....x..x..x.",),
            "conga_high": ("..x.-xx...x.-xx.", "..X.-.x.-.X.-.x."),
            "tom": ("................", "............x.x."),
            "shaker": ("x-x-x-x-x-x-x-x-",),
        },
    ),
}


def play_drums(plan: LoopPlan, style: Style) -> Signal:
    """A loop (samples,) of one style: every drum made once for the loop, every bar drawing its patterns."""
    rng = plan.rng
    loop = np.zeros(plan.n_samples)
    for name, patterns in style.steps.items():
        drum = DRUMS[name](plan)
        for bar in range(plan.n_bars):
            pattern = patterns[rng.integers(len(patterns))]
            for step, mark in enumerate(pattern):
                if mark != ".":
                    velocity = {"X": 1.0, "x": 0.72, "-": 0.3}[mark] * rng.uniform(0.9, 1.0)
                    late = style.swing if step % 2 else 0.0
                    start = plan.step_start(16 * bar + step + late)
                    place(loop, velocity * drum, start)
    room = reverb(loop, plan.sample_rate, rng.uniform(0.25, 0.7), rng.uniform(0.04, 0.16), rng)
    return saturate(room, rng.uniform(0.8, 1.8))


def _kick(plan: LoopPlan) -> Signal:
    rng, rate = plan.rng, plan.sample_rate
    n = round(rng.uniform(0.25, 0.5) * rate)
    t = np.arange(n) / rate
    body_hz, sweep_hz = rng.uniform(44, 58), rng.uniform(110, 320)
    body = sine(body_hz + sweep_hz * np.exp(-t / rng.uniform(0.012, 0.03)), rate)
    click = filter_band(rng.standard_normal(n) * decay(n, rate, 0.012), rate, 1500, None)
    shape = fade(decay(n, rate, rng.uniform(0.35, 0.8)), rate, 0.0005, 0.05)
    return saturate((body + rng.uniform(0.05, 0.25) * click) * shape * 1.1, rng.uniform(1.0, 2.2))


def _snare(plan: LoopPlan) -> Signal:
    rng, rate = plan.rng, plan.sample_rate
    n = round(0.32 * rate)
    low = rng.uniform(165, 215)
    bend = 1 + 0.25 * decay(n, rate, 0.05)
    tone = sine(low * bend, rate) + 0.6 * sine(low * 1.79 * bend, rate)
    wires = filter_band(rng.standard_normal(n), rate, rng.uniform(900, 2200), rng.uniform(8000, 13000))
    sound = 0.5 * tone * decay(n, rate, rng.uniform(0.1, 0.22))
    sound += rng.uniform(0.5, 0.8) * wires * decay(n, rate, rng.uniform(0.18, 0.4))
    return 0.85 * saturate(fade(sound, rate, 0.0005, 0.05), 1.4)


def _clap(plan: LoopPlan) -> Signal:
    rng, rate = plan.rng, plan.sample_rate
    n = round(0.35 * rate)
    envelope = 0.6 * decay(n, rate, rng.uniform(0.2, 0.4))
    for burst in range(3):
        start = round(burst * rng.uniform(0.009, 0.012) * rate)
        envelope[start:] = np.maximum(envelope[start:], decay(n - start, rate, 0.03))
    noise = filter_band(rng.standard_normal(n), rate, rng.uniform(700, 1000), rng.uniform(2500, 5000))
    return 0.95 * fade(noise * envelope, rate, 0.0005, 0.05)


def _metal(plan: LoopPlan, time_s: float, level: float) -> Signal:
    """A hi-hat: six inharmonic square waves and noise, high-passed, as drum machines make them."""
    rng, rate = plan.rng, plan.sample_rate
    n = round(1.1 * time_s * rate)
    base = rng.uniform(300, 420)
    ratios = (1.0, 1.342, 1.2312, 1.6532, 1.9523, 2.1523)
    ring = sum((pulse(np.full(n, base * r), rate, phase=rng.random()) for r in ratios), np.zeros(n)) / 6
    noise = rng.standard_normal(n)
    mix = rng.uniform(0.3, 0.7)
    sound = filter_band(mix * noise + 1.5 * (1 - mix) * ring, rate, rng.uniform(6000, 8500), None, 4)
    return level * fade(sound * decay(n, rate, time_s), rate, 0.0005, 0.02)


def _closed_hat(plan: LoopPlan) -> Signal:
    return _metal(plan, plan.rng.uniform(0.06, 0.12), 0.3)


def _open_hat(plan: LoopPlan) -> Signal:
    return _metal(plan, plan.rng.uniform(0.3, 0.5), 0.22)


def _skin(plan: LoopPlan, frequency_hz: float, time_s: float, slap: float) -> Signal:
    """A struck skin: a sine that falls a little, two higher modes that die sooner, and the hand's noise."""
    rng, rate = plan.rng, plan.sample_rate
    n = round(1.1 * time_s * rate)
    pitch = frequency_hz * (1 + 0.12 * decay(n, rate, 0.08))
    sound = sine(pitch, rate) * decay(n, rate, time_s)
    sound += 0.35 * sine(1.59 * pitch, rate) * decay(n, rate, 0.5 * time_s)
    sound += 0.2 * sine(2.14 * pitch, rate) * decay(n, rate, 0.35 * time_s)
    noise = filter_band(rng.standard_normal(n) * decay(n, rate, 0.03), rate, 800, 5000)
    return 0.6 * fade(sound + slap * noise, rate, 0.0008, 0.02)


def _tom(plan: LoopPlan) -> Signal:
    return _skin(plan, plan.rng.uniform(80, 130), plan.rng.uniform(0.35, 0.6), 0.2)


def _conga_low(plan: LoopPlan) -> Signal:
    return _skin(plan, plan.rng.uniform(170, 210), plan.rng.uniform(0.25, 0.45), 0.3)


def _conga_high(plan: LoopPlan) -> Signal:
    return 0.85 * _skin(plan, plan.rng.uniform(260, 340), plan.rng.uniform(0.14, 0.28), 0.6)


def _shaker(plan: LoopPlan) -> Signal:
    rng, rate = plan.rng, plan.sample_rate
    n = round(0.12 * rate)
    noise = filter_band(rng.standard_normal(n), rate, rng.uniform(4000, 6000), 12000)
    return 0.22 * fade(noise * decay(n, rate, 0.14), rate, 0.02, 0.02)


def _clave(plan: LoopPlan) -> Signal:
    rng, rate = plan.rng, plan.sample_rate
    n = round(0.15 * rate)
    pitch = rng.uniform(1900, 2600)
    sound = sine(np.full(n, pitch), rate) + 0.3 * sine(np.full(n, 2.71 * pitch), rate)
    return 0.4 * fade(sound * decay(n, rate, rng.uniform(0.06, 0.12)), rate, 0.0005, 0.02)


def _cowbell(plan: LoopPlan) -> Signal:
    rng, rate = plan.rng, plan.sample_rate
    n = round(0.35 * rate)
    pitch = rng.uniform(500, 620)
    sound = pulse(np.full(n, pitch), rate) + pulse(np.full(n, pitch * 1.48), rate)
    sound = filter_band(sound, rate, 500, 4500)
    return 0.2 * fade(sound * (0.6 * decay(n, rate, 0.08) + 0.4 * decay(n, rate, 0.4)), rate, 0.0005, 0.03)


DRUMS: dict[str, Drum] = {
    "kick": _kick,
    "snare": _snare,
    "clap": _clap,
    "closed_hat": _closed_hat,
    "open_hat": _open_hat,
    "tom": _tom,
    "conga_low": _conga_low,
    "conga_high": _conga_high,
    "shaker": _shaker,
    "clave": _clave,
    "cowbell": _cowbell,
}
