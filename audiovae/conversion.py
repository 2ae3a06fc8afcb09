"""Files through a model: encode, decode, evaluate. What the command line does with a `Player`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from audiovae.analysis.evaluation import Evaluated, compare_models, evaluate_generated, evaluate_player
from audiovae.analysis.evaluation_answer import write_answer
from audiovae.corpus.audio_file import find_audio
from audiovae.errors import AudioFileError, LatentsError
from audiovae.latent_table import read_latents, write_latents
from audiovae.player import Player, load_audio, save_audio

Progress = Callable[[Sequence[Path]], Iterable[Path]]


def encode_files(model_dir: Path, audio: Sequence[Path], out: Path, progress: Progress = iter) -> Iterator[Path]:
    """Write ``<stem>.parquet`` for every audio file found; yields each path once it is written."""
    files = find_audio(audio)
    if not files:
        raise AudioFileError(f"no audio files in {', '.join(map(str, audio))}")
    player = Player(model_dir)
    out.mkdir(parents=True, exist_ok=True)
    for source, target in zip(progress(files), _name_targets(files, out, ".parquet"), strict=True):
        sound = load_audio(source, player.space.sample_rate, player.space.channels)
        write_latents(target, player.encode(sound), player.space)
        yield target


def decode_files(model_dir: Path, latents: Sequence[Path], out: Path, progress: Progress = iter) -> Iterator[Path]:
    """Write ``<stem>.wav`` for every latent table found; yields each path once it is written."""
    tables = [table for path in latents for table in (sorted(path.glob("*.parquet")) if path.is_dir() else [path])]
    if not tables:
        raise LatentsError(f"no latent tables (.parquet) in {', '.join(map(str, latents))}")
    player = Player(model_dir)
    out.mkdir(parents=True, exist_ok=True)
    for source, target in zip(progress(tables), _name_targets(tables, out, ".wav"), strict=True):
        save_audio(target, player.decode(read_latents(source, player.space)), player.space.sample_rate)
        yield target


def evaluate_model(
    model_dir: Path, audio: Path, progress: Progress = iter, generated: Path | None = None
) -> dict[str, Any]:
    """Reconstruction figures of every file of a folder; see `audiovae.analysis.evaluation`.

    With a folder of generated sounds, ``generated`` says how near they are to the real ones as a set.
    """
    made = None if generated is None else _find_sounds(generated, "that the model made by itself")  # told at once
    found = evaluate_player(Player(model_dir), _find_sounds(audio), progress)
    result = (
        found.result if made is None else found.result | {"generated": evaluate_generated(made, found.real, progress)}
    )
    return {"answer": write_answer(result)} | result


def evaluate_models(model_dirs: Sequence[Path], audio: Path, progress: Progress = iter) -> dict[str, Any]:
    """Several models side by side: ``models``, the result of each, ``comparisons`` of every two, and the ``answer``."""
    files = _find_sounds(audio)
    evaluated: list[Evaluated] = []
    for model_dir in model_dirs:
        evaluated.append(evaluate_player(Player(model_dir), files, progress, evaluated[0].real if evaluated else None))
    result = {"models": [one.result for one in evaluated], "comparisons": compare_models(evaluated)}
    return {"answer": write_answer(result)} | result


def _find_sounds(folder: Path, which: str = "that the model was not trained on") -> list[Path]:
    files = find_audio([folder])
    if not files:
        raise AudioFileError(f"no audio files in {folder}: give a folder of sounds {which}")
    return files


def _name_targets(sources: Sequence[Path], out: Path, suffix: str) -> list[Path]:
    targets = [out / f"{source.stem}{suffix}" for source in sources]
    twice = {target.name for target in targets if targets.count(target) > 1}
    if twice:
        raise LatentsError(f"two sources would both become {sorted(twice)[0]}: give each its own --out")
    return targets
