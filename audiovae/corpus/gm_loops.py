"""Loops rendered from General MIDI patterns with FluidSynth and a sound font: hours of many instruments.

Each loop is a whole number of bars and repeats without a seam: what rings on after its end is laid over its start.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.corpus.audio_file import read_audio, write_audio
from audiovae.corpus.gm_patterns import GmLoop, Part, plan_loop
from audiovae.corpus.loops import normalise_loop
from audiovae.corpus.synthesis import Signal, fade
from audiovae.corpus.workers import map_files
from audiovae.errors import AudioFileError, CorpusError
from audiovae.latent_space import replace_text

# Where Debian, Fedora and Arch put the sound font.
SOUND_FONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/soundfonts/FluidR3_GM.sf2"),
)
INSTALL = "on Debian and Ubuntu: apt-get install fluidsynth fluid-soundfont-gm"
RECIPE = "recipe.json"  # in the folder of the loops: what they were made with
TAIL_S = 2.0  # rendered beyond the loop's end
TICKS_A_STEP = 120
TIMEOUT_S = 120.0
SILENT_PEAK = 1e-4  # an instrument that the sound font does not have


@dataclass(frozen=True)
class GmLoopsSummary:
    """What `render_gm_loops` did."""

    out: Path
    files: tuple[Path, ...]
    rendered: int
    duration_s: float

    def to_json(self) -> dict[str, object]:
        """The figures, for ``--json``."""
        return {
            "out": str(self.out),
            "files": len(self.files),
            "rendered_now": self.rendered,
            "duration_s": round(self.duration_s, 3),
        }

    def __str__(self) -> str:
        return f"{self.out}: {len(self.files)} loops, {self.duration_s / 60:.1f} min; {self.rendered} rendered now"


def render_gm_loops(
    out: Path | str,
    minutes: float,
    seed: int = 0,
    soundfont: Path | str | None = None,
    sample_rate: int = 44100,
    workers: int | None = None,
    progress: bool = True,
) -> GmLoopsSummary:
    """Write mono FLAC loops of at least `minutes` in all: ``bass-0001__slap-bass_104bpm_amin.flac``.

    A loop that is there is not rendered again, so an interrupted run, or one for fewer minutes, is continued.
    What is before the ``__`` names the pattern: a corpus' split keeps its versions together.

    Parameters
    ----------
    out : folder for the loops; new, empty, or of an earlier run with the same seed, rate and sound font.
    minutes : wanted length of all loops together.
    seed : any integer from 0.
    soundfont : an .sf2 file with the General MIDI instruments; None looks for FluidR3 where systems have it.
    sample_rate : Hz.
    workers : FluidSynth processes at a time; None takes one per processor.
    progress : show a bar on stderr.

    Raises
    ------
    CorpusError
        If FluidSynth, the sound font or mido is missing, a setting is out of range, rendering fails, or `out`
        holds loops of another recipe.
    """
    out = Path(out)
    if not 0 < minutes <= 6000 or seed < 0 or not 8000 <= sample_rate <= 96000:
        raise CorpusError(
            f"{minutes} minutes, seed {seed}, {sample_rate} Hz: expected up to 6000 minutes, a seed from 0, "
            "8000 to 96000 Hz"
        )
    font = find_soundfont(soundfont)
    loops = plan_loops(minutes, seed)
    paths = [out / f"{loop.name}.flac" for loop in loops]

    def make(task: tuple[GmLoop, Path]) -> bool:
        loop, path = task
        if path.is_file():
            return False
        write_audio(path, render_loop(loop, font, sample_rate), sample_rate)
        return True

    try:
        out.mkdir(parents=True, exist_ok=True)
        _check_recipe(out, {"seed": seed, "sample_rate": sample_rate, "soundfont_bytes": font.stat().st_size})
        made = map_files(make, list(zip(loops, paths, strict=True)), workers, "loops", progress)
    except (OSError, AudioFileError) as error:
        raise CorpusError(f"{out}: loops cannot be written: {error}; run again: what is done is kept") from None
    return GmLoopsSummary(out, tuple(paths), sum(made), sum(loop.duration_s for loop in loops))


def plan_loops(minutes: float, seed: int) -> list[GmLoop]:
    """The first loops of a seed that are at least `minutes` together."""
    loops: list[GmLoop] = []
    left_s = 60 * minutes
    while left_s > 0:
        loops.append(plan_loop(seed, len(loops)))
        left_s -= loops[-1].duration_s
    return loops


def render_loop(loop: GmLoop, soundfont: Path, sample_rate: int) -> Signal:
    """A loop (samples,), mono, at -20 dBFS RMS with peaks between -14 and -6 dBFS.

    Raises
    ------
    CorpusError
        If FluidSynth or mido is missing, rendering fails, or the sound font has no sound for an instrument.
    """
    with tempfile.TemporaryDirectory(prefix="gm-loops-") as folder:
        midi, wav = Path(folder) / "loop.mid", Path(folder) / "loop.wav"
        write_midi(loop, midi)
        _synthesise(midi, wav, soundfont, sample_rate, loop.reverb)
        audio = read_audio(wav, channels=1)[0][0].astype(np.float64)
    ring = _close_ring(audio, round(loop.duration_s * sample_rate), sample_rate)
    if np.abs(ring).max() < SILENT_PEAK:
        raise CorpusError(
            f"{soundfont}: {loop.name} is silent: it lacks a General MIDI instrument; use FluidR3_GM.sf2 ({INSTALL})"
        )
    return normalise_loop(ring, sample_rate)


def write_midi(loop: GmLoop, path: Path) -> None:
    """A Standard MIDI File of the loop and its tail, a track for each part."""
    try:
        import mido
    except ModuleNotFoundError:
        raise CorpusError("mido is not installed, it writes MIDI files: run  pip install 'gesturemap[midi]'") from None
    file = mido.MidiFile(type=1, ticks_per_beat=4 * TICKS_A_STEP)
    tempo = mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(loop.tempo_bpm))
    length = round((loop.duration_s + TAIL_S) * loop.tempo_bpm / 60 * file.ticks_per_beat)
    file.tracks.append(mido.MidiTrack([tempo, mido.MetaMessage("end_of_track", time=length)]))
    for part in loop.parts:
        track, now = mido.MidiTrack(), 0
        track.append(mido.Message("program_change", channel=part.channel, program=part.program))
        for tick, kind, pitch, velocity in _events(part):
            track.append(mido.Message(kind, channel=part.channel, note=pitch, velocity=velocity, time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(path)


def _events(part: Part) -> list[tuple[int, str, int, int]]:
    """(tick, kind, pitch, velocity) in the order of time; at one time notes end before others begin."""
    events = []
    for note in part.notes:
        start = round(note.step * TICKS_A_STEP)
        end = max(start + 1, round((note.step + note.steps) * TICKS_A_STEP))
        events += [(start, "note_on", note.pitch, note.velocity), (end, "note_off", note.pitch, 0)]
    return sorted(events)


def find_soundfont(soundfont: Path | str | None) -> Path:
    """The sound font asked for, or FluidR3 where systems have it.

    Raises
    ------
    CorpusError
        If there is none, or the file is no sound font.
    """
    places = SOUND_FONTS if soundfont is None else (Path(soundfont),)
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        where = ", ".join(map(str, places))
        raise CorpusError(f"no sound font at {where}; {INSTALL}; or give a General MIDI .sf2 with --soundfont")
    with found.open("rb") as stream:
        header = stream.read(12)
    if (header[:4], header[8:]) != (b"RIFF", b"sfbk"):
        raise CorpusError(f"{found}: no SoundFont 2 file; {INSTALL}, or give another one")
    return found


def _synthesise(midi: Path, wav: Path, soundfont: Path, sample_rate: int, reverb: float) -> None:
    program = shutil.which("fluidsynth")
    if program is None:
        raise CorpusError(f"fluidsynth is not installed; {INSTALL}")
    settings = {
        "synth.gain": 0.5,
        "synth.chorus.active": 0,
        "synth.reverb.active": int(reverb > 0),
        "synth.reverb.level": reverb,
        "synth.reverb.room-size": 0.5,
        "synth.dynamic-sample-loading": 1,  # of 148 MB, the instruments that play
    }
    options: list[str] = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    files = [str(soundfont), str(midi)]
    command = [program, "-niq", "-F", str(wav), "-r", str(sample_rate), "-O", "float", "-T", "wav", *options, *files]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise CorpusError(f"fluidsynth took more than {TIMEOUT_S:.0f} s for one loop: {soundfont}") from None
    # Where the sound font cannot be loaded, FluidSynth plays the system's own and exits with 0.
    if done.returncode != 0 or "error:" in done.stderr or not wav.is_file():
        reason = done.stderr.strip().replace("\n", "; ") or "it wrote nothing"
        raise CorpusError(f"fluidsynth could not render with {soundfont}: {reason}")


def _close_ring(audio: Signal, n_samples: int, sample_rate: int) -> Signal:
    """The first `n_samples`, with what comes after laid over the start, faded out."""
    audio = np.pad(audio, (0, max(0, n_samples - len(audio))))
    ring, tail = audio[:n_samples].copy(), audio[n_samples : 2 * n_samples]
    ring[: len(tail)] += fade(tail, sample_rate, 0.0, TAIL_S / 4) if len(tail) else tail
    return np.asarray(ring)


def _check_recipe(out: Path, recipe: dict[str, Any]) -> None:
    path = out / RECIPE
    try:
        found = json.loads(path.read_bytes()) if path.is_file() else recipe
    except ValueError as error:
        raise CorpusError(f"{path}: damaged: {error}; choose another folder") from None
    if found != recipe:
        raise CorpusError(f"{out}: holds loops of another recipe ({found}, now {recipe}); choose another folder")
    replace_text(path, json.dumps(recipe))
