"""The libraries of artefacts: where mappings and dataset cards are looked for, and what is there.

A mapping is found by its path, ``<tracker>/<model>/<name>``, in the first library that has it: the one named on
the command line, the user's, the one that came with the program. Finding and listing read only ``mapping.toml``
and ``card.toml``; nothing is loaded for it.
"""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from audiovae.errors import SettingsError
from audiovae.latent_space import LatentSpace
from audiovae.settings import Settings, apply_overrides, build
from gesturemap.errors import MappingError
from gesturemap.features import load_features
from gesturemap.mapping import Mapping, OutputSettings
from gesturemap.mapping.card import read_coverage
from gesturemap.mapping.compare import held_out_error
from gesturemap.mapping.fitting import choose_features, fit_mapping, split_overrides
from gesturemap.mapping.folder import folder_of, load_mapping, read_document
from gesturemap.recording import Recording
from gesturemap.regressors import DEFAULT_REGRESSOR, regressor_settings

CHECKOUT = Path(__file__).resolve().parents[1]
LIBRARY_VARIABLE = "GESTUREMAP_LIBRARY"


@dataclass(frozen=True)
class MappingEntry:
    """One mapping of a library.

    Parameters
    ----------
    path : ``tracker/model/name``, by which it is found.
    folder : where it is.
    model_id, model_name, features, regressor : of its ``mapping.toml``; empty if that is damaged.
    held_out_r2, held_out_error : over all latents, the error in deviations of the model; None where not measured.
    coverage : share of the model it reaches; None where `gesturemap report` did not measure it.
    problem : why it cannot be used; empty if it can.
    """

    path: str
    folder: Path
    model_id: str = ""
    model_name: str = ""
    features: str = ""
    regressor: str = ""
    held_out_r2: float | None = None
    held_out_error: float | None = None
    coverage: float | None = None
    problem: str = ""


class DatasetCard(Settings):
    """``card.toml`` of a dataset folder.

    Parameters
    ----------
    name, title : of the dataset; `name` is the folder's.
    kind : ``audio`` or ``gestures``, the folder above.
    licence : SPDX identifier, or words where there is none.
    source : where it is from, an address or a reference.
    redistributable : whether its files may be passed on.
    files : how many it holds.
    duration_s : seconds of it.
    summary : what it is, in a sentence or two.
    """

    name: str = Field(min_length=1)
    kind: str = Field(pattern="^(audio|gestures)$")
    title: str
    licence: str
    source: str
    redistributable: bool
    files: int = Field(ge=0)
    duration_s: float = Field(ge=0)
    summary: str


@dataclass(frozen=True)
class DatasetEntry:
    """One dataset folder: its card, or the problem that keeps it from being read."""

    path: str
    folder: Path
    card: DatasetCard | None
    problem: str = ""


def user_library(environment: Dictionary[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The user's own library: ``$GESTUREMAP_LIBRARY``, else a folder where programs keep a user's data."""
    if environment.get(LIBRARY_VARIABLE):
        return Path(environment[LIBRARY_VARIABLE])
    if platform == "win32":
        base = Path(environment.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "gesturemap" / "mappings"


def library_path(library: str | Path | None = None) -> list[Path]:
    """Folders that mappings are looked for in, first come first served; not all need exist."""
    named = [] if library is None else [Path(library)]
    return [*named, user_library(), CHECKOUT / "mappings"]


def find_mapping(spec: str | Path, library: str | Path | None = None) -> Path:
    """Folder of a mapping.

    Parameters
    ----------
    spec : a mapping folder, or ``tracker/model/name`` in a library.
    library : a library to look in before the others.

    Raises
    ------
    MappingError
        If there is none; names the nearest, and where it looked.
    """
    if (Path(spec) / "mapping.toml").is_file():
        return Path(spec)
    parts = str(spec).split("/")
    if len(parts) == 3 and all(part not in ("", ".", "..") and "\\" not in part for part in parts):
        for root in library_path(library):
            folder = root.joinpath(*parts)
            if (folder / "mapping.toml").is_file():
                return folder
    known = [entry.path for entry in list_mappings(library)]
    nearest = difflib.get_close_matches(str(spec), known, n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    places = ", ".join(str(root) for root in library_path(library))
    raise MappingError(f"no mapping {str(spec)!r}{hint}: neither a mapping folder nor tracker/model/name in {places}")


def load_for_model(
    spec: str | Path, model_dir: str | Path, library: str | Path | None = None, force: bool = False
) -> tuple[Mapping, LatentSpace]:
    """A mapping of the library, and the model it is to play.

    Raises
    ------
    WrongModelError
        If it was fitted on another model and `force` is off.
    MappingError, ModelFolderError
        If one of the two is missing or damaged.
    """
    space = LatentSpace.load(model_dir)
    return Mapping.load(find_mapping(spec, library), space, force), space


def fit_into_library(
    recordings: Sequence[str | Path],
    model_dir: str | Path,
    name: str,
    *,
    library: str | Path | None = None,
    features: str | None = None,
    regressor: str = DEFAULT_REGRESSOR,
    overrides: Sequence[str] = (),
    intent: str = "",
    overwrite: bool = False,
    seed: int = 0,
) -> tuple[Mapping, Path]:
    """Fit a mapping and keep it as ``<tracker>/<model>/<name>``. The function behind `gesturemap fit`.

    Parameters
    ----------
    recordings : folders, of one tracker, with latents of the model in `model_dir`.
    library : goes there; into the user's own library if None.
    features : feature preset or TOML file; None chooses by the channels there are.
    regressor : a name of `gesturemap.regressors.REGRESSORS`.
    overrides : ``features.KEY=V``, ``regressor.KEY=V``, ``output.KEY=V``.
    intent : what the gesture means, for the card.
    overwrite : replace a mapping of that name.
    seed : of everything random.

    Returns
    -------
    The mapping, and the folder it is in.
    """
    space = LatentSpace.load(model_dir)
    loaded = [Recording.load(path) for path in recordings]
    root = user_library() if library is None else Path(library)
    folder = folder_of(root, loaded[0].tracker, space.model_name, name)
    if folder.exists() and not overwrite:
        raise MappingError(f"{folder} exists: choose another --name, or add --overwrite")
    parts = split_overrides(overrides)
    mapping = fit_mapping(
        loaded,
        space,
        load_features(features or choose_features(loaded[0].layout), parts["features"]),
        name=name,
        regressor=regressor,
        settings=regressor_settings(regressor, parts["regressor"]),
        output=build(OutputSettings, apply_overrides({}, parts["output"]), "--set output"),
        seed=seed,
        intent=intent,
    )
    return mapping, mapping.save(folder, overwrite)


def list_mappings(library: str | Path | None = None) -> list[MappingEntry]:
    """Every mapping that `find_mapping` finds by its path, damaged ones with their problem."""
    found: dict[str, MappingEntry] = {}
    for root in library_path(library):
        for file in sorted(root.glob("*/*/*/mapping.toml")):
            path = file.parent.relative_to(root).as_posix()
            if not any(part.startswith(".") for part in path.split("/")):
                found.setdefault(path, _read_entry(path, file.parent))
    return [found[path] for path in sorted(found)]


def list_datasets(folder: str | Path | None = None) -> list[DatasetEntry]:
    """Every dataset of ``<folder>/<kind>/<name>/card.toml``, of the checkout's ``datasets/`` if `folder` is None."""
    root = CHECKOUT / "datasets" if folder is None else Path(folder)
    return [_read_dataset(root, file.parent) for file in sorted(root.glob("*/*/card.toml"))]


def validate_library(library: str | Path) -> list[str]:
    """Problems of one library, one line each: mappings that do not load, or lie under another path than their label."""
    problems = []
    for file in sorted(Path(library).glob("*/*/*/mapping.toml")):
        path = file.parent.relative_to(library).as_posix()
        try:
            mapping = load_mapping(file.parent)
        except MappingError as error:
            problems.append(f"{path}: {error}")
            continue
        expected = folder_of("", mapping.label.tracker, mapping.model_name, mapping.name).as_posix()
        if path != expected:
            problems.append(f"{path}: its label says {expected}: move it there")
    return problems


def _read_entry(path: str, folder: Path) -> MappingEntry:
    try:
        document = read_document(folder)
        label, r2 = document["label"], document["card"].get("held_out_r2_all")
        return MappingEntry(
            path=path,
            folder=folder,
            model_id=str(document["model_id"]),
            model_name=str(document["model_name"]),
            features=str(label["features"]),
            regressor=str(label["regressor"]),
            held_out_r2=None if r2 is None else float(r2),
            held_out_error=held_out_error(document["card"]),
            coverage=read_coverage(folder),
        )
    except MappingError as error:
        return MappingEntry(path, folder, problem=str(error))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return MappingEntry(path, folder, problem=f"{folder / 'mapping.toml'}: damaged ({error!r})")


def _read_dataset(root: Path, folder: Path) -> DatasetEntry:
    path = folder.relative_to(root).as_posix()
    try:
        document: dict[str, Any] = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
        card = build(DatasetCard, document, str(folder / "card.toml"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return DatasetEntry(path, folder, None, f"{folder / 'card.toml'}: not a TOML file ({error})")
    except SettingsError as error:
        return DatasetEntry(path, folder, None, str(error))
    if (card.kind, card.name) != (folder.parent.name, folder.name):
        return DatasetEntry(path, folder, card, f"card says {card.kind}/{card.name}, the folder is {path}")
    return DatasetEntry(path, folder, card)
