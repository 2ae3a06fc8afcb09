"""The contents of ``report.json``, part by part, as plain numbers, texts and lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.mapping import Mapping
from gesturemap.recording import Recording
from gesturemap.report.coverage import CoverageSettings, Motion, Reach, Reference
from gesturemap.report.curve import Curve
from gesturemap.report.intervals import interval_statistics
from gesturemap.report.neighbours import Index
from gesturemap.report.played import Played
from gesturemap.report.quality import DimensionUse, QualitySettings, measure_smoothness


def describe_statistics(reach: Reach, played: Played, settings: CoverageSettings) -> dict[str, Any]:
    """Coverage, precision and density of one motion, and how long it is."""
    statistics = asdict(interval_statistics(reach, settings))
    # A point held for the whole gesture has the statistics of one frame.
    n_frames = len(reach.motion.points) if len(reach.motion.points) > 1 else len(played.latents)
    return statistics | {
        "file_balanced_coverage": float(reach.file_coverage.mean()),
        "n_frames": n_frames,
        "duration_s": n_frames / reach.motion.rate,
    }


def normalise(curves: dict[str, Curve], statistics: dict[str, Any]) -> dict[str, float] | None:
    """C* = (C - C_static) / (C_heldout - C_static), all after the same time; None without a ceiling."""
    if "held_out" not in curves:
        return None
    duration_s = min(curve.time_s[-1] for curve in curves.values())
    gesture, held_out = curves["gesture"].at(duration_s), curves["held_out"].at(duration_s)
    static = statistics["static"]["coverage"]["value"]
    if held_out - static < 0.01:
        return None
    value = (gesture - static) / (held_out - static)
    return {
        "value": float(value),
        "duration_s": float(duration_s),
        "gesture": gesture,
        "held_out": held_out,
        "static": static,
    }


def describe_quality(
    motions: dict[str, Motion], played: Played, held_out: Index, uses: list[DimensionUse], settings: QualitySettings
) -> dict[str, Any]:
    """How the gesture moves beside held-out sound, and what it does with each dimension."""
    moved = motions["gesture"]
    gesture = measure_smoothness(moved.points, played.segment, moved.rate, settings.window_s)
    smoothness = {"gesture": asdict(gesture)}
    step_ratio = jerk_ratio = arc_ratio = None
    if "held_out" in motions:
        heard = motions["held_out"]
        segment = np.cumsum(np.diff(held_out, prepend=held_out[0]) != 1)
        sound = measure_smoothness(heard.points, segment, heard.rate, settings.window_s)
        smoothness["held_out"] = asdict(sound)
        step_ratio = _ratio(gesture.step_rms, sound.step_rms)
        jerk_ratio = _ratio(gesture.log_jerk, sound.log_jerk)
        arc_ratio = _ratio(gesture.spectral_arc_length, sound.spectral_arc_length)
    return {
        "smoothness": smoothness,
        "step_ratio": step_ratio,
        "jerk_ratio": jerk_ratio,
        "arc_ratio": arc_ratio,
        "dimensions": [asdict(use) for use in uses],
        "dead": [use.name for use in uses if use.dead],
        "saturated": [use.name for use in uses if use.saturated],
    }


def _ratio(value: float | None, other: float | None) -> float | None:
    return None if value is None or not other else value / other


def describe_mapping(mapping: Mapping) -> dict[str, Any]:
    """What was measured."""
    label = mapping.label
    return {
        "name": mapping.name,
        "label": {key: getattr(label, key) for key in ("tracker", "features", "model", "regressor")},
        "model_id": mapping.model_id,
        "model_name": mapping.model_name,
        "card": mapping.card,
    }


def describe_model(space: LatentSpace, reference: Reference) -> dict[str, Any]:
    """On what."""
    return {
        "id": space.model_id,
        "name": space.model_name,
        "family": space.family,
        "latent_size": space.latent_size,
        "latent_rate_hz": space.latent_rate,
        "rank": reference.rank,
    }


def describe_gesture(played: Played, recordings: Sequence[Recording], space: LatentSpace) -> dict[str, Any]:
    """With what."""
    return {
        "recordings": [recording.path.name for recording in recordings],
        "trackers": [recording.tracker for recording in recordings],
        "n_frames": len(played.latents),
        "duration_s": len(played.latents) / space.latent_rate,
        "lost_share": played.lost_share,
        "learned_share": played.learned_share,
        "takes": [asdict(take) for take in played.takes],
    }


def describe_reference(reference: Reference) -> dict[str, Any]:
    """The sounds it was measured against."""
    return {
        "n_files": len(reference.file_names),
        "n_audible": reference.n_audible,
        "n_used": reference.n_used,
        "n_frames": len(reference.points),
        "median_radius": float(np.median(reference.radius)),
    }


def describe_curve(curve: Curve) -> dict[str, Any]:
    """A curve as lists."""
    columns = {name: np.round(getattr(curve, name), 6).tolist() for name in ("time_s", "coverage", "low", "high")}
    return columns | {"n_orders": curve.n_orders, "half_time_s": curve.half_time_s}


def describe_files(reach: Reach) -> list[dict[str, Any]]:
    """Source files, the most reached first; of those reached equally, the longest last."""
    reference = reach.reference
    order = np.lexsort((reference.file_sizes, -reach.file_coverage))
    return [
        {
            "name": reference.file_names[i],
            "n_frames": int(reference.file_sizes[i]),
            "coverage": float(reach.file_coverage[i]),
        }
        for i in order
    ]
