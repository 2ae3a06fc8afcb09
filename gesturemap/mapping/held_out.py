"""The error of a mapping on gestures it has not heard, beside the error of the fit and of the mean.

Rows are never shuffled: a row's neighbours in time are nearly copies of it, and an error measured on rows whose
copies were learned says nothing about the next performance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.latent_space import LatentSpace
from gesturemap.frame import Array
from gesturemap.mapping.mapping import Examples
from gesturemap.mapping.output_groups import OfOutputs, group_outputs
from gesturemap.regressors.rows import MIN_ROWS

N_FOLDS = 5
MAX_GUARD_S = 1.0
FLAT = 0.2  # standard deviations of the model: a mapping that moves a latent less is hardly heard

# What `measure_errors` may write on a card.
MEASURED = frozenset(
    ["unit", "spread", "known_rows", "fit_rmse", "held_out", "held_out_rmse", "mean_rmse", "held_out_r2"]
    + ["held_out_r2_all", "warnings"]
)

Rows = npt.NDArray[np.intp]


def measure_errors(
    of_outputs: OfOutputs, fitted: Any, examples: Examples, space: LatentSpace, low: Array, high: Array
) -> dict[str, Any]:
    """Error of the fit, error on rows held out, and error of always playing the mean, for the card.

    All in standard deviations of the model, per latent, after clipping. ``r2`` is 1 minus the held-out squared
    error over that of the mean of the learned rows, so 0 is as good as the mean and below 0 is worse. Latents that
    are known in other rows than the rest are measured on theirs.
    """
    unit = np.where(space.std > 1e-12, space.std, 1.0)
    predicted = np.clip(fitted.predict(examples.features), low, high)
    card: dict[str, Any] = {"unit": "standard deviations of the model"}
    card["spread"] = _plain(predicted.std(axis=0) / unit)
    latents = examples.latents
    if latents is None:
        card["warnings"] = ["made without examples: a direct map of gesture ranges, with no error to measure"]
        return card
    groups = group_outputs(latents)
    if len(groups) > 1:
        card["known_rows"] = np.isfinite(latents).sum(axis=0).tolist()
    fit_error, error, mean_error = np.empty((3, len(unit)))
    schemes: dict[str, None] = {}
    for outputs, rows in groups:
        features, targets, unit_ = examples.features[rows], latents[np.ix_(rows, outputs)], unit[outputs]
        low_, high_ = (np.broadcast_to(limit, unit.shape)[outputs] for limit in (low, high))
        fit_error[outputs] = _rms((predicted[np.ix_(rows, outputs)] - targets) / unit_)
        folds, scheme = held_out_folds(examples.take[rows], examples.time_s[rows])
        schemes[scheme if folds else ""] = None
        errors, mean_errors = [], []
        for rest, held in folds:
            learned = of_outputs(outputs).fit(features[rest], targets[rest])
            guess = np.clip(learned.predict(features[held]), low_, high_)
            errors.append((guess - targets[held]) / unit_)
            mean_errors.append((targets[rest].mean(axis=0) - targets[held]) / unit_)
        if folds:
            error[outputs], mean_error[outputs] = _rms(np.concatenate(errors)), _rms(np.concatenate(mean_errors))
    card["fit_rmse"] = _plain(fit_error)
    if "" not in schemes:
        r2 = 1.0 - (error / np.maximum(mean_error, 1e-12)) ** 2
        card["held_out"] = "; ".join(schemes)
        card |= {"held_out_rmse": _plain(error), "mean_rmse": _plain(mean_error), "held_out_r2": _plain(r2)}
        card["held_out_r2_all"] = float(f"{1.0 - (error**2).sum() / max((mean_error**2).sum(), 1e-12):.4g}")
    card["warnings"] = _warn(card, len(np.unique(examples.take)))
    return card


def _warn(card: dict[str, Any], n_takes: int) -> list[str]:
    """What a performer should know before trusting the mapping."""
    warnings = []
    if "held_out_r2_all" not in card:
        warnings.append("too few examples to hold any out: how it answers a new take is unknown")
    elif card["held_out_r2_all"] <= 0:
        warnings.append(
            "on gestures it has not heard it is no better than always playing the mean: in these recordings"
            " gesture and sound do not go together (wrong lag? wrong features? too few takes?). It plays, but what"
            " it plays beside the recorded moments is its own invention"
        )
    else:
        poor = [str(i) for i, r2 in enumerate(card["held_out_r2"]) if r2 <= 0]
        if poor:
            warnings.append(f"no better than the mean on gestures not heard, in latents {', '.join(poor)}")
    if n_takes == 1 and "held_out" in card:
        warnings.append("one take only: parts of one take are more alike than two takes; record another")
    if np.median(card["spread"]) < FLAT:
        warnings.append(
            f"the latents hardly move (median spread {np.median(card['spread']):.2g}): for sound that follows the"
            " examples whatever the error, fit knn, or set a small regressor.alpha"
        )
    return warnings


def held_out_folds(take: Rows, time_s: Array) -> tuple[list[tuple[Rows, Rows]], str]:
    """Rows to learn from and rows held out, fold by fold, and how in words.

    Several takes: whole takes are held out. One take: fifths of it, with a guard of time either side that is
    neither learned nor scored. No folds if one of them would have too little to learn from.

    Parameters
    ----------
    take, time_s : (n_rows,) the take of each row, and its time within it.
    """
    if len(np.unique(take)) > 1:
        from sklearn.model_selection import GroupKFold

        n_folds = min(N_FOLDS, len(np.unique(take)))
        folds = [(rest, held) for rest, held in GroupKFold(n_folds).split(take[:, None], groups=take)]
        scheme = f"whole takes left out, {n_folds} folds over {len(np.unique(take))} takes"
    else:
        guard_s = min(MAX_GUARD_S, float(time_s[-1] - time_s[0]) / 20.0)
        blocks = np.array_split(np.arange(len(take)), N_FOLDS)
        folds = [(_outside(time_s, block, guard_s), block) for block in blocks if len(block)]
        scheme = f"fifths of the one take left out, with {guard_s:.2g} s either side"
    if min(len(rest) for rest, _ in folds) < MIN_ROWS:
        return [], scheme
    return folds, scheme


def _outside(time_s: Array, block: Rows, guard_s: float) -> Rows:
    """Rows more than `guard_s` before or after a block."""
    near = (time_s >= time_s[block[0]] - guard_s) & (time_s <= time_s[block[-1]] + guard_s)
    return np.flatnonzero(~near)


def _rms(values: Array) -> Array:
    """Root mean square of each column."""
    return np.asarray(np.sqrt((values**2).mean(axis=0)))


def _plain(values: Array) -> list[float]:
    """Four digits are what such errors are good for, and what a person reads."""
    return [float(f"{value:.4g}") for value in values]
