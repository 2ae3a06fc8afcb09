"""The command line `audiovae`. Each command calls one function; progress goes to stderr, results to stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, Optional, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from rich.text import Text

from audiovae.errors import AudioVAEError, SettingsError

# Annotations are read at run time by Typer, which is why Optional is spelled out.
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Audio to latent space and back.")
corpus_app = typer.Typer(no_args_is_help=True, help="Prepare audio files for training.")
app.add_typer(corpus_app, name="corpus")

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Workers = Annotated[Optional[int], typer.Option(help="Threads; one a core if not given.")]  # noqa: UP045
ModelDir = Annotated[Path, typer.Argument(help="A model folder, as `audiovae export` writes it.")]


T = TypeVar("T")
TRAIN_EXTRA = ("torch", "lightning_fabric", "safetensors", "onnx", "onnxscript", "tensorboard")
HEADERS = {
    "lsd_db": "LSD dB",
    "spectral_convergence_db": "SC dB",
    "mel_lsd_db": "mel LSD\ndB",
    "loudness_error_db": "loudness dB",
    "msd": "MSD",
    "si_sdr_db": "SI-SDR\ndB",
}


def main() -> None:
    """Run the command line; an error a user can meet is one line on stderr and exit status 1."""
    # Read when torch is loaded: its threads sleep while they wait. Spinning on two cores that others used too,
    # `spectral` trained at 0.9 steps/s, sleeping at 6.4.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except (AudioVAEError, OSError) as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in TRAIN_EXTRA:
            raise
        _fail(f"{error.name} is not installed: run  pip install 'gesturemap[train]'")


def _fail(message: str) -> NoReturn:
    # As Text, because a message may hold [brackets] that rich would take for markup.
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), f" {message}"), soft_wrap=True)
    sys.exit(1)


@corpus_app.command("duration")
def corpus_duration(folder: Path, as_json: Json = False) -> None:
    """How much audio a folder holds, by type, rate and channels."""
    from audiovae.corpus.duration import measure_duration

    _print(measure_duration(folder), as_json)


@corpus_app.command("resample")
def corpus_resample(
    source: Path,
    out: Annotated[Path, typer.Option(help="Folder for the copies.")],
    sample_rate: Annotated[int, typer.Option(help="Hz.")],
    suffix: Annotated[str, typer.Option(help=".wav or .flac")] = ".wav",
    augment: Annotated[int, typer.Option(help="Varied copies beside each file, named NAME__augN.")] = 0,
    settings: Annotated[Optional[list[str]], typer.Option("--set", help="Of the variations: key=value.")] = None,  # noqa: UP045
    seed: Annotated[int, typer.Option(help="Of the variations; the same seed gives the same files.")] = 0,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Mirror a folder of audio at another sample rate. Run again after an interruption, it does what is left."""
    from audiovae.corpus.resample import resample
    from audiovae.corpus.waveform_augmentation import WaveformAugmentationSettings
    from audiovae.settings import apply_overrides, build

    variations = build(WaveformAugmentationSettings, apply_overrides({}, settings or []), "--set")
    _print(
        resample(
            source, out, sample_rate, suffix=suffix, augment=augment, seed=seed, settings=variations, workers=workers
        ),
        as_json,
    )


@corpus_app.command("prepare")
def corpus_prepare(
    sources: Annotated[list[Path], typer.Argument(help="Audio files or folders.")],
    out: Annotated[Path, typer.Option(help="Corpus folder to make.")],
    sample_rate: Annotated[int, typer.Option(help="Hz.")] = 44100,
    channels: Annotated[int, typer.Option(help="1 mono, 2 stereo.")] = 1,
    workers: Workers = None,
    scheduler: Annotated[Optional[str], typer.Option(help="Decode on a dask cluster: tcp://HOST:PORT.")] = None,  # noqa: UP045
    validation_share: Annotated[float, typer.Option(help="Share of the files held out from training.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Decides which files are held out.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another corpus.")] = False,
    as_json: Json = False,
) -> None:
    """Prepare audio files for training: decoded once, kept whole, split by source file."""
    from audiovae.corpus.prepare import prepare

    summary = prepare(
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
    _print(summary, as_json)


@corpus_app.command("loops")
def corpus_loops(
    out: Annotated[Path, typer.Option(help="Folder for the loops.")],
    count: Annotated[int, typer.Option(help="Loops to make.")] = 24,
    seed: Annotated[int, typer.Option(help="The same seed gives the same loops.")] = 0,
    sample_rate: Annotated[int, typer.Option(help="Hz.")] = 44100,
    as_json: Json = False,
) -> None:
    """Make procedural loops (drums, bass, pads): a corpus for those who have none at hand."""
    from audiovae.corpus.loops import generate_loops

    _print(generate_loops(out, count=count, seed=seed, sample_rate=sample_rate), as_json)


@corpus_app.command("gm-loops")
def corpus_gm_loops(
    out: Annotated[Path, typer.Option(help="Folder for the loops.")],
    minutes: Annotated[float, typer.Option(help="Length of all loops together.")] = 30.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same loops.")] = 0,
    soundfont: Annotated[Optional[Path], typer.Option(help="General MIDI .sf2; FluidR3 if not given.")] = None,  # noqa: UP045
    sample_rate: Annotated[int, typer.Option(help="Hz.")] = 44100,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Render loops of many instruments with FluidSynth. Run again after an interruption, it does what is left."""
    from audiovae.corpus.gm_loops import render_gm_loops

    _print(render_gm_loops(out, minutes, seed, soundfont, sample_rate, workers), as_json)


@app.command()
def train(
    preset: Annotated[str, typer.Argument(help="Name of a preset (see `audiovae presets`) or a .toml file.")],
    corpus: Annotated[Path, typer.Option(help="A prepared corpus.")],
    run: Annotated[Path, typer.Option(help="Folder for checkpoints and logs.")],
    settings: Annotated[Optional[list[str]], typer.Option("--set", help="section.key=value, repeatable.")] = None,  # noqa: UP045
    max_steps: Annotated[Optional[int], typer.Option(help="Steps of the whole run.")] = None,  # noqa: UP045
    warmup_steps: Annotated[Optional[int], typer.Option(help="Steps before the discriminators join (RAVE).")] = None,  # noqa: UP045
    seed: Annotated[Optional[int], typer.Option(help="Seed of weights and excerpts.")] = None,  # noqa: UP045
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Train a model. Ctrl-C saves and stops (exit status 130); --resume goes on as if nothing had happened.

    On several devices: torchrun --standalone --nproc-per-node N --no-python -- audiovae train ...
    """
    from audiovae.training.run import Run, start_training

    state = start_training(
        preset,
        corpus,
        run,
        overrides=settings or [],
        max_steps=max_steps,
        warmup_steps=warmup_steps,
        seed=seed,
        resume=resume,
        device=device,
    )
    max_steps = Run.open(run).settings.trainer.max_steps
    if os.environ.get("RANK", "0") == "0":  # under torchrun one process speaks for all
        where = f"stopped at step {state.step} of {max_steps}" if state.step < max_steps else f"step {state.step}"
        typer.echo(f"{run}: {where}, best held-out score {state.best_score:.4f} at step {state.best_step}")
    if state.step < max_steps:
        raise typer.Exit(130)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder, as `audiovae train` writes it.")],
    out: Annotated[Path, typer.Option(help="Model folder to make.")],
    latents: Annotated[Optional[int], typer.Option(help="Principal latents to keep; all if not given.")] = None,  # noqa: UP045
    fidelity: Annotated[Optional[float], typer.Option(help="Or: keep this share of the variance.")] = None,  # noqa: UP045
    name: Annotated[Optional[str], typer.Option(help="Model name; the folder's if not given.")] = None,  # noqa: UP045
    corpus: Annotated[Optional[Path], typer.Option(help="Where the corpus lies, if it was moved.")] = None,  # noqa: UP045
    prior: Annotated[Optional[Path], typer.Option(help="Run of a prior of this model, to go with it.")] = None,  # noqa: UP045
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model folder.")] = False,
    as_json: Json = False,
) -> None:
    """Write the model folder that everything else plays, maps and measures."""
    from audiovae.export.exporter import export_model

    done = export_model(
        run, out, latents=latents, fidelity=fidelity, name=name, corpus=corpus, prior=prior, overwrite=overwrite
    )
    if as_json:
        typer.echo(json.dumps({"model": str(done.path), "model_id": done.space.model_id, "parity": done.parity}))
        return
    checks = ", ".join(f"{file} within {value:.1e}" for file, value in done.parity.items())
    typer.echo(f"{done.path}: {done.space.latent_size} latents at {done.space.latent_rate:.2f} Hz; {checks}")


@app.command("import-rave")
def import_rave(
    file: Annotated[Path, typer.Argument(help="A TorchScript file for nn~ (.ts), as `rave export` writes it.")],
    out: Annotated[Path, typer.Option(help="Model folder to make.")],
    corpus: Annotated[Path, typer.Option(help="Reference sounds: a corpus, or a folder of audio.")],
    name: Annotated[Optional[str], typer.Option(help="Model name; the folder's if not given.")] = None,  # noqa: UP045
    latents: Annotated[Optional[int], typer.Option(help="First latents to play; all if not given.")] = None,  # noqa: UP045
    sample_rate: Annotated[Optional[int], typer.Option(help="Hz, if the file does not state it.")] = None,  # noqa: UP045
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model folder.")] = False,
) -> None:
    """Make a model folder of a RAVE, or of another autoencoder for nn~, that you have."""
    from audiovae.export.rave_import import import_rave

    space = import_rave(file, out, corpus, name=name, latents=latents, sample_rate=sample_rate, overwrite=overwrite)
    typer.echo(
        f"{out}: {space.latent_size} latents at {space.latent_rate:.2f} Hz, {space.latency_samples} samples of latency"
    )


@app.command()
def encode(
    model_dir: ModelDir,
    audio: Annotated[list[Path], typer.Argument(help="Audio files or folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the latent tables (.parquet).")],
) -> None:
    """Latent tables of audio files."""
    from audiovae.conversion import encode_files

    _print_paths(encode_files(model_dir, audio, out, _progress))


@app.command()
def decode(
    model_dir: ModelDir,
    latents: Annotated[list[Path], typer.Argument(help="Latent tables (.parquet) or folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the sound (.wav).")],
) -> None:
    """Sound of latent tables."""
    from audiovae.conversion import decode_files

    _print_paths(decode_files(model_dir, latents, out, _progress))


@app.command()
def generate(
    model_dir: ModelDir,
    mode: Annotated[str, typer.Argument(help="reconstruct, trajectory, interpolate or prior.")],
    out: Annotated[Path, typer.Option(help="Folder for the latent tables (.parquet) and the sound (.wav).")],
    sources: Annotated[Optional[list[Path]], typer.Argument(help="Sounds, or latent tables for trajectory.")] = None,  # noqa: UP045
    seconds: Annotated[float, typer.Option(help="Length of what is made; sounds and tables keep their own.")] = 30.0,
    prior: Annotated[Optional[Path], typer.Option(help="Run of a prior; the model's own if not given.")] = None,  # noqa: UP045
    temperature: Annotated[float, typer.Option(help="Of the prior: 0 the likeliest, 1 as varied as the corpus.")] = 1.0,
    spherical: Annotated[bool, typer.Option("--spherical", help="Interpolate on the sphere, not straight.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed makes the same latents.")] = 0,
) -> None:
    """Make latents, and the sound of them: sampled from a prior, walked through the model, between two sounds.

    trajectory without SOURCES is a smooth random walk through all that the model knows.
    """
    from audiovae.generation.generate import Request, generate

    request = Request(sources or (), seconds, prior, temperature, "spherical" if spherical else "linear", seed)
    _print_paths(generate(model_dir, mode, request, out, _progress))


@app.command()
def evaluate(
    model_dirs: Annotated[list[Path], typer.Argument(help="Model folders; several are set side by side.")],
    audio: Annotated[Path, typer.Option(help="Folder of audio the models were not trained on.")],
    generated: Annotated[Optional[Path], typer.Option(help="Folder of sound that the model made by itself.")] = None,  # noqa: UP045
    json_file: Annotated[Optional[Path], typer.Option("--json", help="Write the figures to this file.")] = None,  # noqa: UP045
    html: Annotated[Optional[Path], typer.Option(help="Write a page with pictures and sounds to this file.")] = None,  # noqa: UP045
) -> None:
    """How near decoded sound is to the sound that was encoded, file by file and as a set."""
    from audiovae.conversion import evaluate_model, evaluate_models

    if generated and len(model_dirs) > 1:
        raise SettingsError(
            f"--generated is the sound of one model, {len(model_dirs)} are named: evaluate each by itself"
        )
    several = len(model_dirs) > 1
    result = (
        evaluate_models(model_dirs, audio, _progress)
        if several
        else evaluate_model(model_dirs[0], audio, _progress, generated)
    )
    if json_file:
        from audiovae.latent_space import replace_text

        replace_text(json_file, json.dumps(result, indent=1))
    if html:
        from audiovae.analysis.evaluation_page import write_page

        write_page(html, result, model_dirs)
    models = result["models"] if several else [result]
    for model in models:
        if several:
            typer.echo(f"\n{model['model_name']}")
        _print_evaluation(model)
    Console().print(Text(result["answer"]))
    if not all(model["counts"].get("compared") for model in models):
        raise typer.Exit(1)


@app.command()
def analyse(
    model_dir: ModelDir,
    corpus: Annotated[Path, typer.Option(help="A prepared corpus; best the model's own, with held-out files.")],
    out: Annotated[Path, typer.Option(help="Folder for analysis.html, analysis.json and the sounds.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same analysis.")] = 0,
    as_json: Json = False,
) -> None:
    """What a model's latent space is made of: dimensions, descriptors, a map to listen to, ways through it."""
    from audiovae.analysis.analyse import analyse_model

    result = analyse_model(model_dir, corpus, out, seed, _progress)
    typer.echo(json.dumps(result) if as_json else f"{result['answer']}\n{out / 'analysis.html'}")


@app.command()
def info(model_dir: ModelDir, as_json: Json = False) -> None:
    """What a model folder holds: identity, rates, latents, files."""
    from audiovae.latent_space import LatentSpace

    space = LatentSpace.load(model_dir)
    plain = {
        key: getattr(space, key)
        for key in ("model_name", "model_id", "family", "sample_rate", "hop_length", "latent_size")
        + ("latency_samples", "channels")
    }
    plain |= {
        "latent_rate": space.latent_rate,
        "reference_frames": len(space.cloud.latents),
        "reference_files": len(space.cloud.file_names),
        "dimensions_at_fidelity_0.95": space.fidelity_rank(),
        "nn~": (model_dir / "model.ts").is_file(),
    }
    if as_json:
        typer.echo(json.dumps(plain | {"explained_variance": space.explained_variance.tolist()}))
        return
    for key, value in plain.items():
        typer.echo(f"{key:<28} {value}")
    if not plain["nn~"]:
        typer.echo(
            f"no model.ts: the {space.family} family does not play in nn~; use `audiovae decode` or `gesturemap`"
        )


@app.command()
def presets(as_json: Json = False) -> None:
    """What can be trained."""
    from audiovae.settings import list_presets

    found = list_presets()
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, text in found.items():
        typer.echo(f"{name:<20} {text}")


def _print(result: Any, as_json: bool) -> None:
    typer.echo(json.dumps(result.to_json()) if as_json else str(result))


def _print_paths(paths: Iterator[Path]) -> None:
    for path in list(paths):  # all are made before one is printed, or they would land within the bar
        typer.echo(path)


def _progress(items: Sequence[T], description: str = "") -> Iterator[T]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        yield from bar.track(items, description=description)


def _print_evaluation(result: dict[str, Any]) -> None:
    metrics = [name for name in HEADERS if result["means"][name] is not None or name not in result["not_applicable"]]
    figures = [Column(HEADERS[name], justify="right", no_wrap=True) for name in metrics]
    table = Table(Column("file", overflow="fold"), *figures)
    for row in result["files"]:
        table.add_row(Path(row["file"]).name, *(_figure(row[name]) for name in metrics))
    table.add_section()
    table.add_row("mean", *(_figure(result["means"][name]) for name in metrics))
    remarks = [
        f"{Path(row['file']).name}: {row['status']}, {row['reason'] or 'left out'}"
        for row in result["files"]
        if row["status"] != "compared"
    ]
    remarks += [f"{HEADERS[name].split()[0]}: not applicable, {why}" for name, why in result["not_applicable"].items()]
    Console().print(table, *map(Text, remarks), sep="\n")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
