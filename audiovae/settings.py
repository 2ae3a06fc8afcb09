"""Settings: frozen pydantic models, TOML presets, ``--set key=value``. No torch.

A preset is a TOML file of sections; `resolve` turns one plus overrides into a checked settings model.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from audiovae.errors import SettingsError

PRESETS = Path(__file__).parent / "presets"


class Settings(BaseModel):
    """Base of all settings: immutable; an unknown key is an error, and so is nan or inf, which TOML can spell."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)


S = TypeVar("S", bound=Settings)


def list_presets(folder: Path = PRESETS) -> dict[str, str]:
    """Name of every preset and the first comment line of its file."""
    return {path.stem: _first_comment(path) for path in sorted(folder.glob("*.toml"))}


def read_preset(name: str, folder: Path = PRESETS) -> dict[str, Any]:
    """Contents of a packaged preset, or of a TOML file if `name` is a path that ends in ``.toml``.

    Raises
    ------
    SettingsError
        If there is no such preset (names the nearest), or the file is not TOML.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        known = list_presets(folder)
        raise SettingsError(f"no preset {name!r}{_nearest(name, known)}; there are: {', '.join(known)}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file: {error}") from None


def apply_overrides(data: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """A copy of `data` with each ``section.key=value`` set; values are TOML, a bare word is a string.

    Raises
    ------
    SettingsError
        If an override has no ``=``, or goes through something that is not a section.
    """
    result = _copy(data)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"--set {override!r}: expected key=value, for example model.latent_size=8")
        *sections, last = key.strip().split(".")
        target = result
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise SettingsError(f"--set {override!r}: {section!r} is a value, not a section")
        target[last] = _parse_value(text.strip())
    return result


def build(settings: type[S], data: dict[str, Any], where: str) -> S:
    """`data` checked against a settings class.

    Raises
    ------
    SettingsError
        One line for each problem, with the nearest valid key for an unknown one; `where` names the source.
    """
    try:
        return settings.model_validate(data)
    except ValidationError as error:
        lines = [_explain(settings, problem) for problem in error.errors()]
        raise SettingsError(f"{where}: " + "; ".join(lines)) from None


def resolve(settings: type[S], preset: str, overrides: Sequence[str] = (), folder: Path = PRESETS) -> S:
    """A preset with overrides, checked against a settings class."""
    return build(settings, apply_overrides(read_preset(preset, folder), overrides), f"preset {preset!r}")


def _parse_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _copy(data: dict[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in data.items()}


def _first_comment(path: Path) -> str:
    line = path.read_text(encoding="utf-8").partition("\n")[0]
    return line.lstrip("# ").strip() if line.startswith("#") else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""


def _explain(settings: type[BaseModel], problem: Any) -> str:
    *path, last = [str(part) for part in problem["loc"]] or [""]
    key = ".".join([*path, last])
    if problem["type"] == "value_error":  # a relation between fields: its own text says what was found
        return f"{key}: {problem['ctx']['error']}".removeprefix(": ")
    if problem["type"] != "extra_forbidden":
        found = "" if problem["type"] == "missing" else f" (found {problem['input']!r})"
        return f"{key}: {problem['msg']}{found}"
    owner: Any = settings
    for part in path:
        field = getattr(owner, "model_fields", {}).get(part)
        owner = field.annotation if field is not None else None
    known = list(getattr(owner, "model_fields", {}))
    return f"unknown key {key!r}{_nearest(last, known)}; known: {', '.join(known)}"
