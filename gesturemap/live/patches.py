"""Patches for Max and Pure Data that play one model: the function behind `gesturemap patch`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from audiovae.latent_space import FloatArray, LatentSpace, replace_text
from gesturemap.errors import GestureMapError
from gesturemap.library import find_mapping
from gesturemap.mapping import Mapping
from gesturemap.osc.patch_box import PatchPlan, safe_name
from gesturemap.osc.patch_max import max_patch
from gesturemap.osc.patch_pd import player_patch, receiver_patch

MOVES = {"replace": "", "add": "+~", "multiply": "*~"}
LOW, HIGH = 0.01, 0.99  # of the model's latents, where no mapping says otherwise


@dataclass(frozen=True)
class Patches:
    """What was written.

    Parameters
    ----------
    files : the patches, and ``model.ts`` under the model's name where there is one.
    note : what is still missing, or empty.
    """

    files: tuple[Path, ...]
    note: str


def write_patches(
    spec: str | Path,
    out: str | Path,
    *,
    model_dir: str | Path | None = None,
    library: Path | None = None,
    port: int = 7400,
) -> Patches:
    """Patches for a model folder, or for a mapping.

    Parameters
    ----------
    spec : a model folder, a mapping folder, or tracker/model/name in a library.
    out : folder to make or add to; files of the same name are replaced.
    model_dir : the model of a mapping, which alone knows sample rate and hop; its ``model.ts`` is copied.
    port : that the patches listen at.

    Raises
    ------
    GestureMapError, AudioVAEError
        If `spec` is neither, or mapping and model do not belong together.
    """
    out = Path(out)
    if (Path(spec) / "latent_space.json").is_file():
        if model_dir is not None and Path(model_dir) != Path(spec):
            raise GestureMapError(f"{spec} is a model already: leave out --model")
        model_dir = spec
        plan = plan_for(LatentSpace.load(spec), None, port)
    else:
        mapping = Mapping.load(find_mapping(spec, library))
        plan = plan_for(None if model_dir is None else LatentSpace.load(model_dir), mapping, port)
    out.mkdir(parents=True, exist_ok=True)
    receiver = f"{plan.name}_latents"
    texts = {
        f"{receiver}.pd": receiver_patch(plan),
        f"{plan.name}.pd": player_patch(plan, receiver),
        f"{plan.name}.maxpat": max_patch(plan),
    }
    for name, text in texts.items():
        replace_text(out / name, text)
    files = [out / name for name in texts]
    script = None if model_dir is None else Path(model_dir) / "model.ts"
    if script is not None and script.is_file():
        # Beside and renamed, because a truncated .ts ends the program that hosts nn~.
        beside = out / f"{plan.name}.ts.part"
        shutil.copyfile(script, beside)
        files.append(beside.rename(out / f"{plan.name}.ts"))
        return Patches(tuple(files), "")
    return Patches(tuple(files), f"nn~ needs {plan.name}.ts beside the patches: the model.ts of a waveform model")


def plan_for(space: LatentSpace | None, mapping: Mapping | None, port: int) -> PatchPlan:
    """What a patch needs to know, from a model, a mapping, or both."""
    if mapping is not None and space is not None:
        mapping.check_model(space)
    bounds: tuple[FloatArray, FloatArray, FloatArray]
    moves, low, high = "", [], []
    if mapping is not None:
        name, bounds = mapping.model_name, (*mapping.predicted_range, mapping.rest)
        moves = MOVES[mapping.output.mode]
        low, high = mapping.low.tolist(), mapping.high.tolist()
    elif space is not None:
        name, bounds = space.model_name, (space.quantile(LOW), space.quantile(HIGH), space.mean)
    else:
        raise GestureMapError("a patch is made for a model or a mapping")
    return PatchPlan(
        name=safe_name(name),
        latent_names=tuple(f"latent_{index}" for index in range(len(bounds[0]))),
        low=bounds[0].tolist(),
        high=bounds[1].tolist(),
        rest=bounds[2].tolist(),
        channels=1 if space is None else space.channels,
        port=port,
        sample_rate=0 if space is None else space.sample_rate,
        hop_length=0 if space is None else space.hop_length,
        moves=moves,
        latent_low=low,
        latent_high=high,
    )
