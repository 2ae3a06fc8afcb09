"""An analysis in words: the first paragraph of the page, and what to know before quoting a number."""

from __future__ import annotations

from typing import Any

from audiovae.analysis.dependence import ALPHA

FAINT = 0.1  # spread
UNALIGNED = 0.7  # share of the first component that the largest dimension has at least, if they are one
STRONG = 0.3  # rank correlation from which on a dimension is said to go with a descriptor
HEARD_AS = {
    "centroid": "brightness",
    "bandwidth": "width of the spectrum",
    "flatness": "noisiness",
    "flux": "liveliness",
    "f0": "pitch",
    "periodicity": "clearness of pitch",
}


def write_answer(result: dict[str, Any]) -> str:
    """One paragraph: how many dimensions matter, what they do, and whether they come back."""
    return " ".join(
        [_size_sentence(result), _role_sentence(result), *_dead_sentences(result), *_motion_sentences(result)]
    )


def write_caveats(result: dict[str, Any]) -> list[str]:
    """What a reader must know before quoting a number."""
    corpus, caveats = result["corpus"], []
    if corpus["analysed_s"] < 0.98 * corpus["duration_s"]:
        caveats.append(
            f"{corpus['analysed_s'] / 60:.1f} of {corpus['duration_s'] / 60:.1f} minutes of the corpus were looked at, "
            "chosen by the seed with every file in turn."
        )
    spread = max(one["std"] for one in result["dimensions"])
    if spread < FAINT:
        caveats.append(
            f"The latents hardly leave their mean (largest spread {spread:.2g}, where a VAE's prior has 1): the model "
            "looks untrained, or these sounds are all one to it."
        )
    largest = max(one["variance_share"] for one in result["dimensions"])
    if largest < UNALIGNED * result["fidelity"]["explained_variance"][0]:
        caveats.append(
            f"The dimensions are not principal axes: the largest holds {100 * largest:.0f}\u00a0% of the variance, the "
            f"first principal component {100 * result['fidelity']['explained_variance'][0]:.0f}\u00a0%. Several "
            "dimensions therefore do the same, and one alone moves the sound little."
        )
    if result["smoothness"]["split"] != "validation":
        caveats.append("The corpus holds no held-out files: recorded sounds are ones the model was trained on.")
    blocks = [one["n_blocks"] for one in result["associations"]]
    if min(blocks) < 30:
        caveats.append(
            f"Some correlations rest on {min(blocks)} independent blocks of sound only: one that is not significant "
            "here may be with a larger corpus."
        )
    if "UMAP" not in result["map"]["planes"]:
        caveats.append(
            "The second map is t-SNE, because umap-learn is not installed; for UMAP: pip install 'gesturemap[analyse]'."
        )
    if result["map"]["silhouette"] < 0.25:
        caveats.append(
            f"The clusters are not distinct (silhouette {result['map']['silhouette']:.2f}): the sounds form a "
            "continuum, and the borders between colours are arbitrary."
        )
    if "walk" not in result["smoothness"]["measured"]:
        caveats.append("The model's reference holds too few audible frames for random trajectories: none are shown.")
    return caveats


def strongest(result: dict[str, Any], dimension: int) -> dict[str, Any] | None:
    """The significant association of a dimension with the largest correlation; None where there is none."""
    own = [a for a in result["associations"] if a["dimension"] == dimension and a["p_holm"] < ALPHA]
    return max(own, key=lambda a: abs(a["rho"]), default=None)


def number(value: float | None, digits: int = 2) -> str:
    """A number with so many decimals and a real minus; a dash for None."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def correlation(value: float | None) -> str:
    """The same of a correlation, with the digits that tell it from 1."""
    return number(value, 2 if value is None or abs(value) < 0.99 else 4)


def _size_sentence(result: dict[str, Any]) -> str:
    rank, size = result["fidelity"]["rank"]["0.95"], result["model"]["latent_size"]
    first = result["fidelity"]["explained_variance"][0]
    return (
        f"{rank} of {size} directions (principal components) carry 95\u00a0% of what this model's latents do with "
        f"these sounds, the first alone {100 * first:.0f}\u00a0%."
    )


def _role_sentence(result: dict[str, Any]) -> str:
    roles = []
    for dimension in result["informative"]:
        best = strongest(result, dimension)
        if best is not None and abs(best["rho"]) >= STRONG:
            word = "rises" if best["rho"] > 0 else "falls"
            descriptor = best["descriptor"]
            heard = HEARD_AS.get(descriptor, descriptor)
            name = "" if heard == descriptor else f"{descriptor} "
            roles.append(f"dimension {dimension} {word} with {heard} ({name}{number(best['rho'])})")
        else:
            roles.append(f"dimension {dimension} goes with no single descriptor")
    return f"Of the most informative ones, {_join(roles)}." if roles else "No dimension is informative."


def _dead_sentences(result: dict[str, Any]) -> list[str]:
    if not result["dead"]:
        return ["No dimension is dead."]
    sentences = []
    for why, words in (("never moves", "no sound moves {}"), ("not heard", "sounds move {}, but it is hardly heard")):
        dead = [str(one["index"]) for one in result["dimensions"] if one["dead"] == why]
        if dead:
            plural = len(dead) > 1
            what = words.format("them" if plural else "it")
            sentences.append(f"Dead: dimension{'s' * plural} {_join(dead)} ({what}).")
    return sentences


def _motion_sentences(result: dict[str, Any]) -> list[str]:
    sentences = []
    cycle = result["cycle"].get("recorded")
    if cycle and cycle["mean_correlation"] is not None:
        sentences.append(
            f"Played and encoded again, latents of recorded sounds come back with a correlation of "
            f"{correlation(cycle['mean_correlation'])} and an error of {cycle['mean_error']:.2f} of their spread."
        )
    ratio = result["smoothness"]["beside_recorded"].get("walk", {}).get("variation", {}).get("loudness")
    if ratio is not None:
        sentences.append(
            f"On a smooth random walk the loudness changes {ratio:.2g} times as fast as in recorded sounds."
        )
    return sentences


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
