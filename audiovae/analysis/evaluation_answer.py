"""What an evaluation found, in words: the one paragraph that stands before all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audiovae.analysis.evaluation import name_models

PRIMARY = "mel_lsd_db"  # decided before looking: log-mel is what is heard, and no phase enters
PRIMARY_NAME = "mel log-spectral distance"
OTHER_NAMES = {
    "lsd_db": "log-spectral distance of all frequencies",
    "loudness_error_db": "loudness",
    "spectral_convergence_db": "spectral convergence",
    "msd": "RAVE's multi-scale distance",
    "msd_linear": "the linear part of RAVE's distance",
    "msd_log": "the logarithmic part of RAVE's distance",
    "si_sdr_db": "SI-SDR",
}
LEVEL = 0.05


def write_answer(result: Mapping[str, Any]) -> str:
    """One paragraph on one model (the result of `evaluate_player`, with ``generated`` or without) or several.

    Several: ``models`` and ``comparisons``. The first sentence is the answer; the words follow the numbers, and say
    that nothing is certain where the test of the primary figure is above 5 %.
    """
    if "models" not in result:
        return " ".join([*_describe_generated(result), _describe_one(result), *_describe_set(result)])
    models = result["models"]
    if len(models) == 1:
        return write_answer(models[0])
    names = name_models(models)
    ranked = sorted(
        (i for i, model in enumerate(models) if model["means"][PRIMARY] is not None),
        key=lambda i: models[i]["means"][PRIMARY],
    )
    if len(ranked) < 2:
        return "There is nothing to compare: fewer than two of the models have a file that could be compared."
    best = ranked[0]
    sentences = [_describe_pair(result, names, best, other) for other in ranked[1:]]
    return " ".join([*sentences, *_describe_sets(models, names, ranked)])


def _describe_one(model: Mapping[str, Any]) -> str:
    rows = [row for row in model["files"] if row["status"] == "compared"]
    if not rows:
        return f"No file could be compared with what {model['model_name']} makes of it ({len(model['files'])} given)."
    nearest, furthest = (choose(rows, key=lambda row: row[PRIMARY]) for choose in (min, max))
    return (
        f"What {model['model_name']} decodes is {model['means'][PRIMARY]:.1f} dB ({PRIMARY_NAME}) from the originals "
        f"in the mean of {_count(rows)}, from {nearest[PRIMARY]:.1f} dB ({Path(nearest['file']).stem}) to "
        f"{furthest[PRIMARY]:.1f} dB ({Path(furthest['file']).stem}); its loudness is off by "
        f"{model['means']['loudness_error_db']:.1f} dB."
    )


def _describe_set(model: Mapping[str, Any]) -> list[str]:
    found = model["set_distances"]["mel"]
    if not found or found["ratio"] is None:
        return []
    told = "can" if found["p"] <= LEVEL else "cannot"
    return [
        f"As a set, decoded sounds {told} be told from the originals (Frechet distance of log-mel patches; "
        f"p = {_p(found['p'])}); they are {found['ratio']:.2f} times as far from other originals as originals are from "
        f"each other."
    ]


def _describe_generated(model: Mapping[str, Any]) -> list[str]:
    if "generated" not in model:
        return []
    found = model["generated"]["set_distances"]["mel"]
    if not found:
        return ["There is no audible sound to compare the generated files with, or none among them."]
    if found["ratio"] is None:
        return [f"Generated sounds are {found['value']:.3g} dB² from the real ones ({found['reason']})."]
    return [
        f"Generated sounds are {found['ratio']:.2g} times as far from real ones as real ones are from each other "
        f"(p = {_p(found['p'])})."
    ]


def _describe_pair(result: Mapping[str, Any], names: list[str], best: int, other: int) -> str:
    pair = next(pair for pair in result["comparisons"] if {pair["first"], pair["second"]} == {best, other})
    figure = pair["figures"][PRIMARY]
    if not figure["n_files"]:
        return f"{names[best]} and {names[other]} have no file in common that could be compared."
    wins, sign = (figure["first_wins"], 1) if pair["first"] == best else (figure["second_wins"], -1)
    means = [result["models"][i]["means"][PRIMARY] for i in (best, other)]
    numbers = f"{means[0]:.1f} against {means[1]:.1f} dB, {PRIMARY_NAME}"
    if figure["low"] is not None:
        low, high = sorted(sign * figure[end] for end in ("low", "high"))
        numbers += f"; difference {sign * figure['difference']:.1f} dB, 95 % interval {low:.1f} to {high:.1f}"
    numbers += f"; Wilcoxon p = {_p(figure['wilcoxon_p'])}"
    share = f"on {wins} of {figure['n_files']} files ({numbers})"
    if figure["wilcoxon_p"] > LEVEL:
        return (
            f"{names[best]} and {names[other]} cannot be told apart: {names[best]} is nearer to the originals {share}."
        )
    against = _join([OTHER_NAMES[name] for name in _contradicting(pair, best)])
    turned = f" By {against} {names[other]} is the nearer one." if against else ""
    return f"{names[best]} is nearer to the originals than {names[other]} {share}.{turned}"


def _contradicting(pair: Mapping[str, Any], best: int) -> list[str]:
    """The figures by which the other model of the pair is nearer, with a corrected p-value of 5 % or less."""
    ours, theirs = ("first_wins", "second_wins") if pair["first"] == best else ("second_wins", "first_wins")
    known = {name: pair["figures"][name] for name in OTHER_NAMES if pair["figures"].get(name, {}).get("n_files")}
    return [name for name, one in known.items() if one["wilcoxon_p_holm"] <= LEVEL and one[theirs] > one[ours]]


def _describe_sets(models: Sequence[Mapping[str, Any]], names: list[str], ranked: list[int]) -> list[str]:
    found = {i: models[i]["set_distances"]["mel"] for i in ranked}
    known = [i for i in ranked if found[i] and found[i]["p"] is not None]
    parts: list[str] = []
    for verdict, told in (("can", True), ("cannot", False)):
        chosen = [f"{names[i]} (p = {_p(found[i]['p'])})" for i in known if (found[i]["p"] <= LEVEL) is told]
        if chosen:
            be_told = "" if parts else " be told from the originals"
            parts.append(f"what {_join(chosen)} decode{'s' * (len(chosen) == 1)} {verdict}{be_told}")
    return [f"As a set (Frechet distance of log-mel patches), {', and '.join(parts)}."] if parts else []


def _join(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _p(value: float) -> str:
    return f"{value:.1g}" if value < 0.1 else f"{value:.2f}"


def _count(rows: list[Any]) -> str:
    return "1 file" if len(rows) == 1 else f"{len(rows)} files"
