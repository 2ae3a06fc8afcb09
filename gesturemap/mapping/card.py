"""The card of a mapping: the README.md in its folder, for whoever finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiovae.latent_space import replace_text
from gesturemap.errors import MappingError

if TYPE_CHECKING:
    from gesturemap.mapping.mapping import Mapping

COVERAGE = "## Coverage"
COVERAGE_FILE = "coverage.json"
_REST = {"replace": "the model's mean"} | dict.fromkeys(("add", "multiply"), "the base sound as it is")
NOT_MEASURED = "Not measured yet: `gesturemap report` measures how much of the model this gesture space reaches."


def render_card(mapping: Mapping) -> str:
    """Markdown: intent, gestures, error, coverage, limits."""
    card, label = mapping.card, mapping.label
    lines = [
        f"# {mapping.name}",
        "",
        f"{label}",
        "",
        f"Model `{mapping.model_name}`, id `{mapping.model_id}`. Plays that model only.",
        "",
        "## Intent",
        "",
        card.get("intent") or "Not written down.",
        "",
        "## Gestures",
        "",
        *_gesture_lines(mapping),
        "",
        "## Error",
        "",
        *_error_lines(card),
        "",
        COVERAGE,
        "",
        NOT_MEASURED,
        "",
        "## Limits",
        "",
        *[f"- {warning}" for warning in card.get("warnings", [])],
        f"- Latents are clipped to the {100 * mapping.output.low_quantile:g}-{100 * mapping.output.high_quantile:g} %"
        " range of the model's own training latents.",
        f"- A lost hand holds for {mapping.output.hold_s:g} s, then fades to {_REST[mapping.output.mode]} in"
        f" {mapping.output.fade_s:g} s.",
        "",
    ]
    return "\n".join(lines)


def write_coverage(folder: str | Path, text: str, share: float | None = None) -> None:
    """Put `text` (Markdown) under the coverage heading of a mapping's card, in place of what is there.

    Parameters
    ----------
    share : of the model that the mapping reaches, for lists: goes into ``coverage.json``.

    Raises
    ------
    MappingError
        If the folder has no card, or one without that heading.
    """
    path = Path(folder) / "README.md"
    if not path.is_file():
        raise MappingError(f"{folder}: no README.md in it: save the mapping again")
    before, heading, rest = path.read_text(encoding="utf-8").partition(f"{COVERAGE}\n")
    if not heading:
        raise MappingError(f"{path}: no heading {COVERAGE!r} to write under")
    _, mark, after = rest.partition("\n## ")
    replace_text(path, f"{before}{heading}\n{text.strip()}\n{mark}{after}")
    if share is not None:
        replace_text(Path(folder) / COVERAGE_FILE, json.dumps({"coverage": share}))


def read_coverage(folder: str | Path) -> float | None:
    """Share of the model that a mapping reaches; None if that was not measured."""
    try:
        share = json.loads((Path(folder) / COVERAGE_FILE).read_text(encoding="utf-8"))["coverage"]
        return float(share)
    except (OSError, ValueError, LookupError, TypeError):  # absent or damaged, it is only a note
        return None


def _gesture_lines(mapping: Mapping) -> list[str]:
    card, names = mapping.card, mapping.examples.feature_names
    return [
        f"Tracker `{mapping.label.tracker}`, {len(mapping.layout)} channels; feature set"
        f" `{mapping.label.features}`, {len(names)} features: {', '.join(names[:12])}"
        f"{', ...' if len(names) > 12 else ''}.",
        "",
        f"{card.get('n_examples', 0)} examples, {card.get('duration_s', 0):g} s, from:",
        "",
        *[
            f"- {take}" + (f", from which a lag of the hand of {1000 * lag_s:.0f} ms was taken out" if lag_s else "")
            for take, lag_s in zip(card.get("takes", []), card.get("lags_s", []), strict=False)
        ],
        "",
        f"{card.get('n_dropped', 0)} more rows had no gesture or no latents, {card.get('n_thinned', 0)} were left out"
        " evenly because there were so many.",
    ]


def _error_lines(card: dict[str, Any]) -> list[str]:
    """A table of the errors per latent, and how to read it."""
    if "fit_rmse" not in card:
        return ["None to measure: made without examples."]
    columns = {"fit": "fit_rmse", "held out": "held_out_rmse", "mean": "mean_rmse", "held-out R2": "held_out_r2"}
    columns = {title: key for title, key in columns.items() if key in card} | {"spread": "spread"}
    columns |= {"examples": "known_rows"} if "known_rows" in card else {}
    lines = [
        f"RMSE in {card['unit']}. `fit`: on what it learned. `held out`: {card.get('held_out', 'not measured')}."
        " `mean`: always playing the mean of what was learned, on the same rows. R2: 1 is perfect, 0 as good as"
        " that mean. `spread`: how far the mapping moves each latent on its own examples."
        + (" `examples`: rows in which the latent is known; it learned from all of them." * ("known_rows" in card)),
        "",
        "| latent | " + " | ".join(columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for i in range(len(card["fit_rmse"])):
        cells = [card[key][i] for key in columns.values()]
        cells = [str(cell) if isinstance(cell, int) else f"{cell:.3g}" for cell in cells]
        lines.append(f"| {i} | " + " | ".join(cells) + " |")
    if "held_out_r2_all" in card:
        lines += ["", f"Held-out R2 over all latents: **{card['held_out_r2_all']:.3g}**."]
    return lines
