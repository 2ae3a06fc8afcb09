"""Which notes a General MIDI loop plays. A pattern is played in several versions: other instruments, tempo and key.

The patterns are those of the procedural loops (grooves, bass lines, chord progressions, arpeggios) and melodies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from audiovae.corpus.drum_loops import DRUM_STYLES, PERCUSSION_STYLES, Style
from audiovae.corpus.gm_instruments import BASSES, CHORDS, DRUM_CHANNEL, DRUM_KEYS, KITS, MELODIC, PLUCKED
from audiovae.corpus.loop_plan import PROGRESSIONS, SCALES, STEPS_A_BAR, LoopPlan
from audiovae.corpus.tone_loops import arpeggio_order, bass_notes

# The order in which patterns are made.
KINDS = ("drums", "bass", "chords", "arpeggio", "melody", "percussion", "band", "drums", "chords", "melody")
VERSIONS = 4  # of each pattern
TEMPO_BPM = (72, 132)  # of what has no drums

# 16 steps a bar, as in `tone_loops.BASS_LINES`: X strikes the chord, _ holds it, . rests.
CHORD_RHYTHMS = (
    "X_______________",
    "X_______X_______",
    "X__X__X_..X__X__",
    "..X_..X_..X_..X_",
    "X.X.X.X.X.X.X.X.",
    "X___..X_X___..X_",
    "X_.X_.X_.X_.X_X_",
    "X_____X_____X___",
)
# Steps a note of a melody, each row a bar.
MELODY_RHYTHMS = (
    (4, 4, 4, 4),
    (8, 4, 4),
    (2, 2, 4, 2, 2, 4),
    (6, 2, 6, 2),
    (3, 3, 2, 4, 4),
    (2, 2, 2, 2, 4, 4),
    (12, 4),
    (4, 2, 2, 3, 3, 2),
)


@dataclass(frozen=True)
class Note:
    """One note: `step` and `steps` in 16ths from the loop's start, `pitch` and `velocity` as MIDI has them."""

    step: float
    steps: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """The notes of one instrument: MIDI `channel` and `program`, both from 0."""

    channel: int
    program: int
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class GmLoop:
    """One loop to render.

    Parameters
    ----------
    name : without suffix; what is before ``__`` names the pattern, which a corpus' split keeps together.
    tempo_bpm : beats a minute; a bar has four.
    n_bars : length.
    parts : what is played.
    reverb : level of the synthesiser's reverb, 0 to 1.
    """

    name: str
    tempo_bpm: int
    n_bars: int
    parts: tuple[Part, ...]
    reverb: float

    @property
    def duration_s(self) -> float:
        """Length of the loop in seconds."""
        return self.n_bars * 240 / self.tempo_bpm


def plan_loop(seed: int, index: int) -> GmLoop:
    """Loop number `index` of a seed: version ``index % VERSIONS`` of pattern ``index // VERSIONS``."""
    number, version = divmod(index, VERSIONS)
    kind = KINDS[number % len(KINDS)]
    pattern, own = np.random.default_rng([seed, number]), np.random.default_rng([seed, number, 1 + version])
    styles = PERCUSSION_STYLES if kind == "percussion" else DRUM_STYLES
    style_name = str(pattern.choice(list(styles)))
    style = styles[style_name]
    tempo_bpm = round(
        pattern.uniform(*(style.tempo_bpm if "kit" in ROLES[kind] else TEMPO_BPM)) * own.uniform(0.85, 1.18)
    )
    scale = str(pattern.choice(list(SCALES)))
    progression = PROGRESSIONS[scale][pattern.integers(len(PROGRESSIONS[scale]))]
    n_bars = int(pattern.choice([2, 4]))
    # Every version draws its notes from the same numbers.
    notes_rng = np.random.default_rng([seed, number, 0])
    plan = LoopPlan(tempo_bpm, n_bars, int(own.integers(12)), scale, progression, 44100, notes_rng)
    loudness = own.uniform(0.75, 1.0)
    parts, instrument = [], ""
    for channel, role in enumerate(ROLES[kind]):
        instrument = str(pattern.permutation(list(INSTRUMENTS[role]))[version])
        notes = drum_notes(plan, style) if role == "kit" else TUNED[role](plan)
        notes = [replace(note, velocity=max(1, round(loudness * note.velocity))) for note in notes]
        parts.append(Part(DRUM_CHANNEL if role == "kit" else channel, INSTRUMENTS[role][instrument], tuple(notes)))
    what = f"{style_name.replace('_', '-')}-{instrument}" if ROLES[kind] == ("kit",) else instrument
    key = "" if ROLES[kind] == ("kit",) else f"_{plan.key_name}"
    reverb = float(own.uniform(0.1, 0.6)) if own.random() < 0.5 else 0.0
    return GmLoop(f"{kind}-{number:04d}__{what}_{tempo_bpm}bpm{key}", tempo_bpm, n_bars, tuple(parts), reverb)


def drum_notes(plan: LoopPlan, style: Style) -> list[Note]:
    """The hits of a groove; each bar draws among the alternatives of every drum."""
    rng = plan.rng
    notes = []
    for drum, patterns in style.steps.items():
        for bar in range(plan.n_bars):
            for step, mark in enumerate(patterns[rng.integers(len(patterns))]):
                if mark != ".":
                    velocity = {"X": 118, "x": 88, "-": 45}[mark] * rng.uniform(0.9, 1.0)
                    late = style.swing if step % 2 else 0.0
                    notes.append(Note(STEPS_A_BAR * bar + step + late, 1, DRUM_KEYS[drum], round(velocity)))
    return notes


def play_bass_line(plan: LoopPlan) -> list[Note]:
    """The bass lines of the procedural loops."""
    return [
        Note(step, 0.92 * steps, pitch, 108 if step % 4 == 0 else round(plan.rng.uniform(75, 100)))
        for step, steps, pitch in bass_notes(plan)
    ]


def play_chords(plan: LoopPlan) -> list[Note]:
    """Chords of three or four notes over their root, in the rhythm of one row of `CHORD_RHYTHMS`."""
    rng = plan.rng
    rhythm = CHORD_RHYTHMS[rng.integers(len(CHORD_RHYTHMS))]
    size, lowest = int(rng.integers(3, 5)), int(rng.integers(52, 60))
    root = rng.random() < 0.6
    notes = []
    for bar in range(plan.n_bars):
        for i, mark in enumerate(rhythm):
            if mark != "X":
                continue
            step = STEPS_A_BAR * bar + i
            held = 1 + len(rhythm[i + 1 :]) - len(rhythm[i + 1 :].lstrip("_"))
            velocity = round(rng.uniform(70, 105))
            degree = plan.chord_degree(step)
            pitches = [*([plan.pitch(degree, 40)] if root else []), *plan.chord(degree, size, lowest)]
            notes += [Note(step, 0.95 * held, pitch, velocity) for pitch in pitches]
    return notes


def play_arpeggio(plan: LoopPlan) -> list[Note]:
    """A ladder of chord notes in eighths or sixteenths, one rhythm for all bars."""
    rng = plan.rng
    stride = int(rng.choice([1, 2, 2]))
    lowest = int(rng.integers(55, 66))
    rhythm = rng.random(STEPS_A_BAR // stride) < rng.uniform(0.65, 0.95)
    rhythm[0] = True
    order = arpeggio_order(rng)
    notes = []
    for i in range(STEPS_A_BAR * plan.n_bars // stride):
        velocity = round((110 if i % 4 == 0 else 84) * rng.uniform(0.85, 1.0))
        if rhythm[i % len(rhythm)]:
            chord = plan.chord(plan.chord_degree(i * stride), 4, lowest)
            ladder = [*chord, *(pitch + 12 for pitch in chord)]
            notes.append(Note(i * stride, 1.5 * stride, ladder[order[i % len(order)]], velocity))
    return notes


def play_melody(plan: LoopPlan) -> list[Note]:
    """One voice that walks the scale by steps and small leaps; strong beats draw it to a note of the chord."""
    rng = plan.rng
    rhythms = rng.permutation(len(MELODY_RHYTHMS))
    # Two octaves of the scale upwards from a note that every instrument has.
    lowest = int(rng.integers(57, 64))
    ladder = sorted(plan.pitch(degree, lowest) + 12 * octave for degree in range(7) for octave in (0, 1))
    at = int(rng.integers(4, 10))
    notes = []
    for bar in range(plan.n_bars):
        step = STEPS_A_BAR * bar
        for steps in MELODY_RHYTHMS[rhythms[1 if bar % 4 == 3 else 0]]:
            at = int(np.clip(at + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3]), 0, len(ladder) - 1))
            pitch, rest = ladder[at], rng.random() < 0.12
            if step % 8 == 0:
                tones = {p % 12 for p in plan.chord(plan.chord_degree(step), 3, 60)}
                pitch = min((p for p in ladder if p % 12 in tones), key=lambda p: abs(p - ladder[at]))
            velocity = round(rng.uniform(78, 112))
            if not rest:
                notes.append(Note(step, 0.95 * steps, pitch, velocity))
            step += steps
    return notes


# Instruments by role, what a role plays, and the roles in a loop of each kind: the last one names the loop.
INSTRUMENTS = {"kit": KITS, "bass": BASSES, "chords": CHORDS, "plucked": PLUCKED, "melodic": MELODIC}
TUNED: dict[str, Callable[[LoopPlan], list[Note]]] = {
    "bass": play_bass_line,
    "chords": play_chords,
    "plucked": play_arpeggio,
    "melodic": play_melody,
}
ROLES = {
    "drums": ("kit",),
    "percussion": ("kit",),
    "bass": ("bass",),
    "chords": ("chords",),
    "arpeggio": ("plucked",),
    "melody": ("melodic",),
    "band": ("kit", "bass", "chords"),
}
