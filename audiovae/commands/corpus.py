"""Audio files to a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audiovae.commands.options import Json, Workers
from audiovae.console import print_result

app = typer.Typer(no_args_is_help=True, help="Prepare audio files for training.")


@app.command()
def duration(folder: Path, as_json: Json = False) -> None:
    """How much audio a folder holds, by type, rate and channels."""
    from audiovae.corpus.duration import measure_duration

    print_result(measure_duration(folder), as_json)


@app.command()
def resample(
    source: Path,
    out: Annotated[Path, typer.Option(help="Folder for the copies.")],
    sample_rate: Annotated[int, typer.Option(help="Hz.")],
    suffix: Annotated[str, typer.Option(help=".wav or .flac")] = ".wav",
    augment: Annotated[int, typer.Option(help="Varied copies beside each file, named NAME__augN.")] = 0,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Of the variations: key=value.")] = None,
    seed: Annotated[int, typer.Option(help="Of the variations; the same seed gives the same files.")] = 0,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Mirror a folder of audio at another sample rate. Run again after an interruption, it does what is left."""
    from audiovae.corpus.resample import resample as resample_folder
    from audiovae.corpus.waveform_augmentation import WaveformAugmentationSettings
    from audiovae.settings import apply_overrides, build

    variations = build(WaveformAugmentationSettings, apply_overrides({}, settings or []), "--set")
    done = resample_folder(
        source, out, sample_rate, suffix=suffix, augment=augment, seed=seed, settings=variations, workers=workers
    )
    print_result(done, as_json)


@app.command()
def prepare(
    sources: Annotated[list[Path], typer.Argument(help="Audio files or folders.")],
    out: Annotated[Path, typer.Option(help="Corpus folder to make.")],
    sample_rate: Annotated[int, typer.Option(help="Hz.")] = 44100,
    channels: Annotated[int, typer.Option(help="1 mono, 2 stereo.")] = 1,
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(help="Decode on a dask cluster: tcp://HOST:PORT.")] = None,
    validation_share: Annotated[float, typer.Option(help="Share of the files held out from training.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Decides which files are held out.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another corpus.")] = False,
    as_json: Json = False,
) -> None:
    """Prepare audio files for training: decoded once, kept whole, split by source file."""
    from audiovae.corpus.prepare import prepare as prepare_corpus

    summary = prepare_corpus(
        sources,
        out,
        sample_rate=sample_rate,
        channels=channels,
        workers=workers,
        scheduler=scheduler,
        validation_share=validation_share,
        seed=seed,
        overwrite=overwrite,
    )
    print_result(summary, as_json)


@app.command()
def loops(
    out: Annotated[Path, typer.Option(help="Folder for the loops.")],
    count: Annotated[int, typer.Option(help="Loops to make.")] = 24,
    seed: Annotated[int, typer.Option(help="The same seed gives the same loops.")] = 0,
    sample_rate: Annotated[int, typer.Option(help="Hz.")] = 44100,
    as_json: Json = False,
) -> None:
    """Make procedural loops (drums, bass, pads): a corpus for those who have none at hand."""
    from audiovae.corpus.loops import generate_loops

    print_result(generate_loops(out, count=count, seed=seed, sample_rate=sample_rate), as_json)


@app.command("gm-loops")
def gm_loops(
    out: Annotated[Path, typer.Option(help="Folder for the loops.")],
    minutes: Annotated[float, typer.Option(help="Length of all loops together.")] = 30.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same loops.")] = 0,
    soundfont: Annotated[Path | None, typer.Option(help="General MIDI .sf2; FluidR3 if not given.")] = None,
    sample_rate: Annotated[int, typer.Option(help="Hz.")] = 44100,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Render loops of many instruments with FluidSynth. Run again after an interruption, it does what is left."""
    from audiovae.corpus.gm_loops import render_gm_loops

    print_result(render_gm_loops(out, minutes, seed, soundfont, sample_rate, workers), as_json)
