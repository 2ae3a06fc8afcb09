"""From recordings to a mapping: pair, measure on takes left out, fit on all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from audiovae.latent_space import LatentSpace
from audiovae.settings import Settings
from gesturemap.errors import MappingError
from gesturemap.features import FeatureSettings
from gesturemap.frame import Array, Layout
from gesturemap.mapping.held_out import measure_errors
from gesturemap.mapping.mapping import Mapping, MappingLabel, OutputSettings
from gesturemap.mapping.output_groups import check_rows, fit_outputs, regressor_of_outputs
from gesturemap.mapping.pairing import Pairs, collect_pairs
from gesturemap.recording import Recording
from gesturemap.regressors import DEFAULT_REGRESSOR, find_regressor
from gesturemap.regressors.settings import LinearMapSettings

UNBOUNDED = (np.array(-np.inf), np.array(np.inf))
SELDOM = 0.1  # a hand seen in a smaller share of the rows is no part of the gesture, or was none at all


# On a busy machine two BLAS threads on matrices of hundreds of rows spend 40 times the work waiting for each other.
@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]
def fit_mapping(
    recordings: Sequence[Recording],
    space: LatentSpace,
    features: FeatureSettings,
    *,
    name: str,
    regressor: str = DEFAULT_REGRESSOR,
    settings: Settings | None = None,
    output: OutputSettings | None = None,
    seed: int = 0,
    intent: str = "",
) -> Mapping:
    """A mapping fitted on all takes, its card holding the error on takes left out.

    Where a latent is not known in every row, as an output of Wekinator's that was switched off, it is learned from all
    rows where it is, and the card says how many those are.

    ``linear_map`` alone also takes recordings without latents: then the range of each gesture feature is laid
    over the range of a latent, and there is nothing to measure an error against. So it is of a mapping that moves a
    base sound (``output.mode`` ``add`` or ``multiply``), whatever was recorded.

    Parameters
    ----------
    recordings, space : of one tracker and layout, and the model to play, whose latents they hold.
    features : the feature set; a hand that is hardly ever seen is left out of it, and the card says so.
    name, intent : of the mapping, and what the performer means by it, for the card.
    regressor, settings : a name of `gesturemap.regressors.REGRESSORS`, and its settings; None: defaults.
    output : clipping, smoothing, hold and fade; None: defaults.
    seed : of everything random.

    Raises
    ------
    MappingError
        If there is nothing to learn from, of all latents or of one, or recordings do not fit together.
    WrongModelError
        If a recording holds latents of another model.
    FeatureError
        If the layout cannot give these features.
    """
    output = OutputSettings() if output is None else output
    settings = find_regressor(regressor).settings() if settings is None else settings
    levels = (output.low_quantile, output.high_quantile)
    low, high = (np.asarray(space.quantile(level), np.float64) for level in levels)
    features, remarks = leave_out_unseen_hands(features, recordings)
    pairs = collect_pairs(recordings, space, features)
    examples = pairs.examples
    names = examples.feature_names
    if output.mode != "replace":
        examples = replace(examples, latents=None)
    if examples.latents is None:
        settings = _direct_settings(regressor, settings, low, high, output.mode)

    of_outputs = regressor_of_outputs(regressor, settings, names, space.latent_size, seed)
    if examples.latents is None:
        fitted = of_outputs(np.arange(space.latent_size)).fit(examples.features, None)
    else:
        check_rows(examples.latents)
        fitted = fit_outputs(of_outputs, examples.features, examples.latents)
    clip = (low, high) if output.mode == "replace" else UNBOUNDED
    card = {"intent": intent} | _describe(pairs) | measure_errors(of_outputs, fitted, examples, space, *clip)
    card["warnings"] = [*remarks, *_warn_of_dropped(pairs), *card["warnings"]]
    return Mapping(
        label=MappingLabel(recordings[0].tracker, features.name, space.model_name, regressor),
        name=name,
        model_id=space.model_id,
        model_name=space.model_name,
        layout=recordings[0].layout,
        features=features,
        regressor=fitted,
        regressor_settings=settings.model_dump(mode="json", exclude_none=True),
        low=low,
        high=high,
        rest=_rest(output.mode, space),
        output=output,
        seed=seed,
        card=card,
        examples=examples,
    )


def choose_features(layout: Layout) -> str:
    """The feature preset that suits a layout: by its channels, so that a replay is treated as what it replays."""
    if "left_hand_x" in layout.names:
        return "gametrak_motion"
    return "hand_motion" if "left_wrist_x" in layout.names else "motion"


def leave_out_unseen_hands(
    features: FeatureSettings, recordings: Sequence[Recording]
) -> tuple[FeatureSettings, list[str]]:
    """`features` of the hands that take part, and a remark on each that does not.

    Features of a hand that is not seen are not numbers, and a row needs all of its features: the few rows with a
    second hand, or with what the tracker took for one, would be all that is left to learn from.
    """
    seen = {side: _share_seen(f"{side}_present", recordings) for side in features.hands}
    kept = tuple(side for side, share in seen.items() if share >= SELDOM)
    if not kept:
        return features, []
    remarks = [
        f"the {side} hand is seen in {100 * share:.2g} % of the rows: its features are left out"
        for side, share in seen.items()
        if side not in kept
    ]
    return features.model_copy(update={"hands": kept}), remarks


def _share_seen(channel: str, recordings: Sequence[Recording]) -> float:
    """Share of the rows in which the hand of a presence channel is there; 1 where the layout has no such channel."""
    seen = [
        take.values[:, recording.layout.index(channel)] > 0
        for recording in recordings
        for take in recording.takes
        if channel in recording.layout.names
    ]
    return float(np.concatenate(seen).mean()) if seen else 1.0


def _warn_of_dropped(pairs: Pairs) -> list[str]:
    """A warning if most of what was recorded taught nothing."""
    n_used = len(pairs.examples.take) + pairs.n_thinned
    if pairs.n_dropped <= n_used:
        return []
    return [
        f"{pairs.n_dropped} of {pairs.n_dropped + n_used} rows hold no whole gesture and taught nothing: keep every"
        ' hand in sight, or use the features of one, --set features.hands=["right"]'
    ]


def split_overrides(overrides: Iterable[str]) -> dict[str, list[str]]:
    """``--set SECTION.key=value`` sorted by section, the section taken off.

    Returns
    -------
    The three lists ``features``, ``regressor`` and ``output``.

    Raises
    ------
    MappingError
        If an override begins with none of the three.
    """
    sections: dict[str, list[str]] = {"features": [], "regressor": [], "output": []}
    for override in overrides:
        section, _, rest = override.strip().partition(".")
        if section not in sections or "=" not in rest:
            raise MappingError(
                f"--set {override!r}: expected features.KEY=VALUE, regressor.KEY=VALUE or output.KEY=VALUE"
            )
        sections[section].append(rest)
    return sections


def _direct_settings(regressor: str, settings: Settings, low: Array, high: Array, mode: str) -> LinearMapSettings:
    """Settings of a `linear_map` without examples: bias and range where none is given.

    Those of the model for latents; for what is added, up to half a range either way; for a factor 0 to 2.
    """
    if not isinstance(settings, LinearMapSettings):
        if mode != "replace":
            raise MappingError(f"{regressor!r} cannot move a base sound: fit --regressor linear_map with --mode {mode}")
        raise MappingError(
            f"{regressor!r} learns from gesture and latents recorded together, these recordings hold no latents:"
            " record with --model MODEL_DIR --play TRAJECTORY, or fit --regressor linear_map"
        )
    half_range = (high - low) / 2
    bias = {"replace": (low + high) / 2, "add": np.zeros_like(low), "multiply": np.ones_like(low)}[mode]
    half_range = np.ones_like(low) if mode == "multiply" else half_range
    return settings.model_copy(
        update={
            "bias": settings.bias or tuple(bias.tolist()),
            "half_range": settings.half_range or tuple(half_range.tolist()),
        }
    )


def _rest(mode: str, space: LatentSpace) -> Array:
    """Where a mapping goes when the hand is lost: the model's mean, or what leaves a base sound as it is."""
    neutral = {"add": np.zeros(space.latent_size), "multiply": np.ones(space.latent_size)}
    return neutral.get(mode, np.asarray(space.mean, np.float64))


def _describe(pairs: Pairs) -> dict[str, Any]:
    """Where the examples are from, for the card."""
    take = pairs.examples.take
    seconds = [float(np.ptp(pairs.examples.time_s[take == index])) for index in np.unique(take)]
    return {
        "takes": list(pairs.take_names),
        "lags_s": [round(lag_s, 4) for lag_s in pairs.lags_s],
        "n_examples": len(take),
        "n_dropped": pairs.n_dropped,
        "n_thinned": pairs.n_thinned,
        "duration_s": round(sum(seconds), 3),
    }
