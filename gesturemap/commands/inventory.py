"""What there is: trackers, what the machine can do, mappings, data sets."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gesturemap.commands.options import Json, Library, MappingSpec
from gesturemap.console import (
    measured,
    print_problems,
    print_table,
)

app = typer.Typer()
mappings_app = typer.Typer(add_completion=False)
app.add_typer(mappings_app, name="mappings")


@app.command()
def trackers(as_json: Json = False) -> None:
    """What can be tracked, what each tracker needs, and whether it is there."""
    from gesturemap.trackers import list_trackers

    found = list_trackers()
    if as_json:
        typer.echo(json.dumps([vars(info) for info in found]))
        return
    rows = [(i.name, i.description, i.sources, "yes" if i.available else i.hint) for i in found]
    print_table(("tracker", "what it is", "NAME:SOURCE", "installed"), rows)


@app.command()
def doctor(
    hand_model: Annotated[Path | None, typer.Option(help="hand_landmarker.task to check.")] = None,
    as_json: Json = False,
) -> None:
    """What is missing for trackers, sound and training on this machine, and what to do about it."""
    from gesturemap.doctor import examine

    checks = examine(hand_model)
    if as_json:
        typer.echo(json.dumps([vars(check) for check in checks]))
        return
    print_table(("what", "", "found"), [(c.name, "ok" if c.ok else "missing", c.found) for c in checks])
    # Below the table and in one piece each: these are commands to copy.
    for check in checks:
        if check.fix:
            typer.echo(f"{check.name}: {check.fix}")


@mappings_app.callback(invoke_without_command=True)
def mappings(context: typer.Context, library: Library = None, as_json: Json = False) -> None:
    """The mappings there are: tracker/model/name, features, regressor, held-out fit and error, coverage."""
    from gesturemap.library import library_path, list_mappings

    if context.invoked_subcommand is not None:
        return
    found = list_mappings(library)
    if as_json:
        typer.echo(json.dumps([vars(mapping) for mapping in found], default=str))  # folders are no JSON
        return
    if not found:
        places = ", ".join(str(root) for root in library_path(library))
        typer.echo(f"no mappings in {places}: `gesturemap fit` makes one")
        return
    # Features and regressor stand below the name: in columns of their own they fold within words at 80 columns.
    names = [f"{m.path}\n  {m.features}, {m.regressor}" if m.features else m.path for m in found]
    header = ("mapping: features, regressor", "held-out R²", "error", "coverage")
    print_table(header, [(name, *measured(m)) for name, m in zip(names, found, strict=True)])
    print_problems(found)


@mappings_app.command()
def check(library: Library = None, as_json: Json = False) -> None:
    """Load every mapping whole, and see that each lies where its label says; exit code 1 if one does not."""
    from gesturemap.library import library_path, validate_library

    problems = [f"{root}: {problem}" for root in library_path(library) for problem in validate_library(root)]
    if as_json:
        typer.echo(json.dumps(problems))
    for problem in () if as_json else problems or ["every mapping is whole and in its place"]:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)


@mappings_app.command()
def compare(
    first: MappingSpec,
    second: MappingSpec,
    recording: Annotated[Path | None, typer.Argument(help="A recording, to hear how far apart they are.")] = None,
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Two mappings side by side: error, coverage, and on a recording the distance of what they play."""
    from gesturemap.library import find_mapping
    from gesturemap.mapping.compare import compare_mappings

    result = compare_mappings(find_mapping(first, library), find_mapping(second, library), recording)
    if as_json:
        typer.echo(json.dumps(asdict(result)))
        return
    facts = (result.first, result.second)
    names = ("label", "examples", "held-out R²", "held-out error", "coverage")
    values = zip(*((f.label, str(f.examples), *measured(f)) for f in facts), strict=True)
    print_table(("", first, second), [(name, *row) for name, row in zip(names, values, strict=True)])
    if result.distance is not None:
        each = ", ".join(f"{value:.2f}" for value in result.distance)
        typer.echo(f"{result.distance_all:.3f} of a half range apart in {result.n_frames} frames (per latent: {each})")
    elif not result.same_model:
        typer.echo("they play different models: their latents mean different sounds")


@app.command()
def datasets(as_json: Json = False) -> None:
    """The cards of audio and hand-motion data sets."""
    from gesturemap.library import list_datasets

    found = list_datasets()
    if as_json:
        cards = [d.card and d.card.model_dump(mode="json") for d in found]
        rows = zip(found, cards, strict=True)
        typer.echo(json.dumps([{"path": d.path, "card": card, "problem": d.problem} for d, card in rows]))
        return
    if not found:
        typer.echo("no dataset cards here: they lie in the folder datasets/ of a source checkout")
        return
    print_table(
        ("dataset", "licence", "what it is"),
        [(d.path, d.card.licence, d.card.summary) if d.card else (d.path, "", "") for d in found],
    )
    print_problems(found)
