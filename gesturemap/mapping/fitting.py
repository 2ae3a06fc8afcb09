"""From recordings to a mapping: pair, measure on takes left out, fit on all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from gesturemap.mapping.pairing import MAX_ROWS, Pairs, collect_pairs
from gesturemap.recording import Recording
from gesturemap.regressors import DEFAULT_REGRESSOR, find_regressor, make_regressor
from gesturemap.regressors.settings import LinearMapSettings


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
    max_rows: int = MAX_ROWS,
    intent: str = "",
) -> Mapping:
    """A mapping fitted on all takes, its card holding the error on takes left out.

    ``linear_map`` alone also takes recordings without latents: then the range of each gesture feature is laid
    over the range of a latent, and there is nothing to measure an error against.

    Parameters
    ----------
    recordings : of one tracker and layout, their latents those of `space`.
    space : the model to play.
    features : the feature set; a hand that is never seen is left out of it.
    name : of the mapping.
    regressor, settings : a name of `gesturemap.regressors.REGRESSORS`, and its settings; None: defaults.
    output : clipping, smoothing, hold and fade; None: defaults.
    seed : of everything random.
    max_rows : more examples than this are thinned, evenly in time.
    intent : what the performer means by it, for the card.

    Raises
    ------
    MappingError
        If there is nothing to learn from, or recordings do not fit together.
    WrongModelError
        If a recording holds latents of another model.
    FeatureError
        If the layout cannot give these features.
    """
    output = OutputSettings() if output is None else output
    settings = find_regressor(regressor).settings() if settings is None else settings
    low, high = (
        np.asarray(space.quantile(level), dtype=np.float64) for level in (output.low_quantile, output.high_quantile)
    )
    features = without_unseen_hands(features, recordings)
    pairs = collect_pairs(recordings, space, features, max_rows)
    examples = pairs.examples
    if examples.latents is None:
        settings = _direct_settings(regressor, settings, low, high)
    names = examples.feature_names

    def fit(rows: Array, latents: Array | None) -> Any:
        return make_regressor(regressor, settings, len(names), space.latent_size, seed, feature_names=names).fit(
            rows, latents
        )

    fitted = fit(examples.features, examples.latents)
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
        rest=np.asarray(space.mean, dtype=np.float64),
        output=output,
        seed=seed,
        card={"intent": intent} | _describe(pairs) | measure_errors(fit, fitted, examples, space, low, high),
        examples=examples,
    )


def choose_features(layout: Layout) -> str:
    """The feature preset that suits a layout: by its channels, so that a replay is treated as what it replays."""
    if "left_hand_x" in layout.names:
        return "gametrak_motion"
    return "hand_motion" if "left_wrist_x" in layout.names else "motion"


def without_unseen_hands(features: FeatureSettings, recordings: Sequence[Recording]) -> FeatureSettings:
    """`features` of the hands that were seen at all: those of the other would never be numbers."""
    seen = tuple(side for side in features.hands if _is_seen(f"{side}_present", recordings))
    return features.model_copy(update={"hands": seen}) if seen else features


def _is_seen(channel: str, recordings: Sequence[Recording]) -> bool:
    """Whether the hand of a presence channel is ever there; a layout without the channel has no say."""
    columns = [recording.layout.names.index(channel) for recording in recordings if channel in recording.layout.names]
    if not columns:
        return True
    return any(bool((take.values[:, columns[0]] > 0).any()) for recording in recordings for take in recording.takes)


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
        if section not in sections or not rest:
            raise MappingError(
                f"--set {override!r}: expected features.KEY=VALUE, regressor.KEY=VALUE or output.KEY=VALUE"
            )
        sections[section].append(rest)
    return sections


def _direct_settings(regressor: str, settings: Settings, low: Array, high: Array) -> LinearMapSettings:
    """Settings of a `linear_map` without examples: the output range of the model where none is given."""
    if not isinstance(settings, LinearMapSettings):
        raise MappingError(
            f"{regressor!r} learns from gesture and latents recorded together, these recordings hold no latents:"
            " record with --model MODEL_DIR --play TRAJECTORY, or fit --regressor linear_map"
        )
    bias, half_range = (low + high) / 2, (high - low) / 2
    return settings.model_copy(
        update={
            "bias": settings.bias or tuple(bias.tolist()),
            "half_range": settings.half_range or tuple(half_range.tolist()),
        }
    )


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
