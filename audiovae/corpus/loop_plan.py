"""What a loop is before it sounds: tempo, bars, key, chords."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS_A_BAR = 16
KEYS = ("c", "cs", "d", "ds", "e", "f", "fs", "g", "gs", "a", "as", "b")

# Semitones above the key note.
SCALES = {
    "min": (0, 2, 3, 5, 7, 8, 10),
    "dor": (0, 2, 3, 5, 7, 9, 10),
    "maj": (0, 2, 4, 5, 7, 9, 11),
    "mix": (0, 2, 4, 5, 7, 9, 10),
}
# Roots of four chords, as degrees of the scale from 0. A loop of one bar has the first two, else all four.
PROGRESSIONS = {
    "min": ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6), (0, 2, 3, 5)),
    "dor": ((0, 3, 0, 3), (0, 3, 6, 3), (0, 1, 2, 3)),
    "maj": ((0, 5, 3, 4), (0, 4, 5, 3), (0, 2, 3, 3), (1, 4, 0, 5)),
    "mix": ((0, 6, 3, 0), (0, 3, 0, 6)),
}


@dataclass(frozen=True)
class LoopPlan:
    """One loop to play.

    Parameters
    ----------
    tempo_bpm : beats a minute; a bar has four.
    n_bars : length.
    key : pitch class of the key note, 0 = C.
    scale : one of `SCALES`.
    progression : degrees of the chord roots, evenly over the loop.
    sample_rate : Hz.
    rng : every choice of the loop is drawn from it.
    """

    tempo_bpm: int
    n_bars: int
    key: int
    scale: str
    progression: tuple[int, ...]
    sample_rate: int
    rng: np.random.Generator

    @property
    def n_samples(self) -> int:
        """Length of the loop, to the nearest sample."""
        return self.step_start(STEPS_A_BAR * self.n_bars)

    @property
    def key_name(self) -> str:
        """Such as ``fsmin`` for F sharp minor."""
        return KEYS[self.key] + self.scale

    def step_start(self, step: float) -> int:
        """First sample of a 16th note, counted over the whole loop; may fall between (swing)."""
        return round(step * 60 / self.tempo_bpm / 4 * self.sample_rate)

    def chord_degree(self, step: int) -> int:
        """Root degree of the chord that sounds at a step."""
        return self.progression[step * len(self.progression) // (STEPS_A_BAR * self.n_bars)]

    def pitch(self, degree: int, lowest: int) -> int:
        """MIDI note of a scale degree (any integer, 7 is the octave's name again), in the octave from `lowest`."""
        pitch_class = self.key + SCALES[self.scale][degree % 7]
        return lowest + (pitch_class - lowest) % 12

    def chord(self, degree: int, size: int, lowest: int) -> list[int]:
        """MIDI notes of the chord of thirds on a degree, ascending, all within the octave from `lowest`.

        Kept in one octave, chords of a progression share or move to near notes: voice leading for nothing.
        """
        return sorted(self.pitch(degree + 2 * i, lowest) for i in range(size))


def draw_plan(rng: np.random.Generator, tempo_bpm: tuple[int, int], seconds: float, sample_rate: int) -> LoopPlan:
    """A plan in a tempo range: of 1, 2, 4, 8 ... bars, the number that comes nearest to `seconds`."""
    tempo = int(rng.integers(tempo_bpm[0], tempo_bpm[1] + 1))
    n_bars = 1
    while abs(2 * n_bars * 240 / tempo - seconds) < abs(n_bars * 240 / tempo - seconds):
        n_bars *= 2
    scale = str(rng.choice(list(SCALES), p=[0.4, 0.25, 0.25, 0.1]))
    progressions = PROGRESSIONS[scale]
    progression = progressions[rng.integers(len(progressions))]
    n_chords = 2 if n_bars == 1 else 4
    return LoopPlan(tempo, n_bars, int(rng.integers(12)), scale, progression[:n_chords], sample_rate, rng)
