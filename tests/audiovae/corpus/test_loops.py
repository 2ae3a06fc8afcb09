"""The procedural loops: reproducible, in range, in time, in tune, seamless."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audiovae.corpus.audio_file import read_audio
from audiovae.corpus.drum_loops import DRUM_STYLES, DRUMS, PERCUSSION_STYLES
from audiovae.corpus.loop_plan import SCALES, LoopPlan
from audiovae.corpus.loops import KINDS, VOICES, generate_loops, make_loop
from audiovae.corpus.synthesis import midi_to_hz
from audiovae.corpus.tone_loops import BASS_LINES, _string_note, play_bass, play_pad, play_pluck
from audiovae.errors import CorpusError

EVERY_VOICE = [(kind, voice) for kind, voices in VOICES.items() for voice in range(len(voices))]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_same_seed_same_bytes_whatever_the_count_and_workers(tmp_path: Path) -> None:
    generate_loops(tmp_path / "a", count=9, seed=3, progress=False)
    generate_loops(tmp_path / "b", count=10, seed=3, workers=3, progress=False)
    generate_loops(tmp_path / "c", count=9, seed=4, progress=False)
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert len(a) == 9
    assert a.items() <= b.items()
    assert not a.items() & c.items()


def test_unchanged_files_are_left_as_they_are(tmp_path: Path) -> None:
    files = generate_loops(tmp_path, count=2, progress=False).files
    before = files[0].stat().st_mtime_ns
    files[1].write_bytes(b"damaged")
    generate_loops(tmp_path, count=2, progress=False)
    assert files[0].stat().st_mtime_ns == before
    assert read_audio(files[1])[1] == 44100
    assert sorted(files) == sorted(tmp_path.iterdir())


def test_files_hold_the_loops_their_names_say(tmp_path: Path) -> None:
    summary = generate_loops(tmp_path, count=len(KINDS), sample_rate=22050, suffix=".wav", progress=False)
    assert [path.name.split("_")[0] for path in summary.files] == list(KINDS)
    total_s = 0.0
    for i, path in enumerate(summary.files):
        kind, number, tempo, *key = path.stem.split("_")
        audio, rate = read_audio(path)
        assert (rate, audio.shape[0], int(number)) == (22050, 1, i)
        beats = audio.shape[1] / rate / 60 * int(tempo.removesuffix("bpm"))
        assert beats / 4 == pytest.approx(round(beats / 4), abs=1e-3)
        assert bool(key) == (kind in ("bass", "pad", "pluck"))
        total_s += audio.shape[1] / rate
    assert summary.duration_s == pytest.approx(total_s)
    assert f"{len(KINDS)} loops" in str(summary)


@pytest.mark.parametrize(("kind", "voice"), EVERY_VOICE)
def test_levels_and_seam_of_every_voice(kind: str, voice: int) -> None:
    for index in range(2):
        audio = make_loop(kind, index, seed=1, voice=voice).audio
        peak_db = 20 * np.log10(np.abs(audio).max())
        rms_db = 10 * np.log10((audio**2).mean())
        assert -14.0 - 1e-6 <= peak_db <= -6.0 + 1e-6
        assert -26 < rms_db < -17
        assert abs(audio.mean()) < 1e-3
        # Repeated, the step from the last sample to the first is one like those within.
        assert abs(audio[0] - audio[-1]) <= np.quantile(np.abs(np.diff(audio)), 0.9995)


@pytest.mark.parametrize(
    ("play", "voice"),
    [(play, voice) for play in (play_bass, play_pad, play_pluck) for voice in VOICES[play.__name__[5:]]],
)
def test_notes_are_in_the_key(play: Callable[[LoopPlan, str], np.ndarray], voice: str) -> None:
    """Played so slowly that a spectrum resolves them, the fundamentals lie on notes of the key."""
    rng = np.random.default_rng(0)
    plan = LoopPlan(4, 1, key=2, scale="min", progression=(0, 3, 2, 4), sample_rate=8000, rng=rng)
    audio = play(plan, voice)
    # Below the third harmonic of the lowest note: that one may be out of key in any tune.
    band_hz = {"play_bass": (45, 135), "play_pad": (60, 400), "play_pluck": (190, 390)}[play.__name__]
    assert share_in_key(audio, plan, band_hz) > 0.75  # a struck note is as wide as it is short
    assert share_in_key(audio, plan, band_hz, offset=0.5) < 0.2  # the control: a quarter tone off


@pytest.mark.parametrize("pitch", [48, 60, 72, 84, 89])
def test_the_string_is_in_tune(pitch: int) -> None:
    """Whole samples of delay alone would be 27 cents off at the highest of these."""
    plan = LoopPlan(100, 1, 0, "min", (0,), 44100, np.random.default_rng(pitch))
    hz = midi_to_hz(pitch)
    note = _string_note(plan, hz, 44100)
    spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note)), 1 << 20))
    bins = slice(round(hz * 0.95 / 44100 * (1 << 20)), round(hz * 1.05 / 44100 * (1 << 20)))
    found = (bins.start + spectrum[bins].argmax()) * 44100 / (1 << 20)
    assert abs(1200 * np.log2(found / hz)) < 2


def share_in_key(
    audio: np.ndarray, plan: LoopPlan, band_hz: tuple[float, float], offset: float = 0.0
) -> float:
    """Share of the energy of the spectral peaks in a band that is within 25 cents of a note of the key."""
    pitch_classes = [(plan.key + step) % 12 for step in SCALES[plan.scale]]
    n = 1 << 20
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), n)) ** 2
    hz = np.fft.rfftfreq(n, 1 / plan.sample_rate)
    is_peak = np.zeros(len(power), dtype=bool)
    is_peak[1:-1] = (power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])
    is_peak &= (hz > band_hz[0]) & (hz < band_hz[1]) & (power > 1e-3 * power.max())
    notes = 69 + 12 * np.log2(hz[is_peak] / 440) + offset
    near = np.round(notes)
    fits = np.isin(near % 12, pitch_classes) & (np.abs(notes - near) < 0.25)
    return float(power[is_peak][fits].sum() / power[is_peak].sum())


def test_the_house_kick_is_on_every_beat() -> None:
    loop = make_loop("drums", 0, seed=0)
    audio, beat = loop.audio, 60 / int(loop.name.split("_")[2].removesuffix("bpm")) * 44100
    for i in range(round(len(audio) / beat)):
        start = round(i * beat)
        around = np.take(audio, np.arange(start - 441, start + 882), mode="wrap") ** 2
        assert around[441:].mean() > 10 * around[:441].mean()


def test_patterns_are_whole_bars_of_known_drums() -> None:
    for style in [*DRUM_STYLES.values(), *PERCUSSION_STYLES.values()]:
        assert set(style.steps) <= set(DRUMS)
        assert all(len(p) == 16 and set(p) <= set("Xx-.") for ps in style.steps.values() for p in ps)
    assert all(len(line) == 16 and set(line) <= set("RFOTS_.") for line in BASS_LINES)


def test_every_kind_comes_early_and_every_voice_in_turn(tmp_path: Path) -> None:
    assert set(KINDS[:5]) == set(VOICES)
    a = make_loop("bass", 1, seed=0, voice=0).audio
    assert np.array_equal(a, make_loop("bass", 1, seed=0, voice=len(VOICES["bass"])).audio)
    assert not np.array_equal(a, make_loop("bass", 1, seed=0, voice=1).audio)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"count": 0}, "count 0"),
        ({"seed": -1}, "seed -1"),
        ({"sample_rate": 100}, "sample rate 100 Hz"),
        ({"seconds": 0.1}, "loops of 0.1 s"),
        ({"kinds": ["drums", "opera"]}, "kinds opera: expected some of drums"),
        ({"kinds": []}, "kinds"),
        ({"suffix": ".mp3"}, "suffix"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, setting: dict[str, object], word: str) -> None:
    with pytest.raises(CorpusError, match=word):
        generate_loops(tmp_path, progress=False, **setting)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="loops cannot be written"):
        generate_loops(tmp_path / "file", count=1, progress=False)
