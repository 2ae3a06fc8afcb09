"""A mapping: from the frames of one tracker to the latents of one model. What it is and what it does.

`fitting` makes one from recordings, `folder` keeps it on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from audiovae.latent_space import LatentSpace
from audiovae.settings import Settings
from gesturemap.errors import MappingError, WrongModelError
from gesturemap.features import FeatureSettings, SmoothingSettings, extract_features, make_smoother
from gesturemap.features.smoothing import Smoother
from gesturemap.frame import Array, Layout

if TYPE_CHECKING:
    from gesturemap.recording import Recording


@dataclass(frozen=True)
class MappingLabel:
    """What a mapping joins: a tracker, a feature set, a model and a regressor, by name."""

    tracker: str
    features: str
    model: str
    regressor: str

    def __str__(self) -> str:
        """``gametrak -> motion -> kernel_ridge -> spectral``, the way of the data."""
        return f"{self.tracker} -> {self.features} -> {self.regressor} -> {self.model}"


class OutputSettings(Settings):
    """What happens to latents after the regressor.

    Parameters
    ----------
    low_quantile, high_quantile : latents are clipped to this range of the model's own training latents, in
        each dimension: outside it the decoder was never trained.
    smoothing : of the clipped latents; see `SmoothingSettings`. The speed that `beta` weighs is counted in half
        ranges of each latent a second, so that one number suits latents of any spread.
    hold_s, fade_s : when the hand is lost, the last latents stay for `hold_s` and move to the model's mean
        within `fade_s`.
    mode : ``replace``: the latents are the mapping's. ``add``, ``multiply``: they are those of a base sound, each
        moved by, or times, what the mapping gives; clipped then.
    """

    low_quantile: float = Field(default=0.01, ge=0.0, le=1.0)
    high_quantile: float = Field(default=0.99, ge=0.0, le=1.0)
    smoothing: SmoothingSettings = SmoothingSettings()
    hold_s: float = Field(default=0.5, ge=0.0)
    fade_s: float = Field(default=1.5, ge=0.0)
    mode: Literal["replace", "add", "multiply"] = "replace"

    @model_validator(mode="after")
    def _in_order(self) -> OutputSettings:
        if self.low_quantile >= self.high_quantile:
            raise ValueError("low_quantile must be below high_quantile")
        return self


@dataclass(frozen=True, eq=False)
class Examples:
    """What a regressor was fitted on.

    Parameters
    ----------
    feature_names : (n_features,).
    features : (n_rows, n_features), finite.
    latents : (n_rows, latent_size), at least one known in every row and NaN for the others; None for a mapping made
        without examples.
    time_s : (n_rows,) seconds of the take's own clock.
    take : (n_rows,) which take a row is from, counted from 0 over all recordings.
    """

    feature_names: tuple[str, ...]
    features: Array
    latents: Array | None
    time_s: Array
    take: np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Mapping:
    """A fitted mapping. Make one with `fit_mapping`, or `Mapping.load`.

    Parameters
    ----------
    label : what it joins.
    name : what the user called it.
    model_id, model_name : the model whose latents it gives.
    layout : channels it reads.
    features : how they become features.
    regressor : fitted, (n_rows, n_features) to (n_rows, latent_size).
    regressor_settings : what it was made with, as plain values.
    low, high : (latent_size,) output range.
    rest : (latent_size,) where the latents go when the hand is lost: the model's mean; of a base sound, what leaves
        it as it is.
    output : clipping, smoothing, hold and fade.
    seed : it was fitted with.
    card : what is known of it: fit and held-out error and how they were measured; see `gesturemap.mapping.fitting`.
    examples : what it was fitted on.
    """

    label: MappingLabel
    name: str
    model_id: str
    model_name: str
    layout: Layout
    features: FeatureSettings
    regressor: Any
    regressor_settings: dict[str, Any]
    low: Array
    high: Array
    rest: Array
    output: OutputSettings
    seed: int
    card: dict[str, Any]
    examples: Examples

    @property
    def latent_size(self) -> int:
        """Count of latent dimensions."""
        return len(self.rest)

    @property
    def smoothing(self) -> SmoothingSettings:
        """Of the latents."""
        return self.output.smoothing

    @property
    def predicted_range(self) -> tuple[Array, Array]:
        """(latent_size,) least and greatest that `predict` gives.

        Of what moves a base sound it is what its gesture was given when it was fitted: bias and half range.
        """
        if self.output.mode == "replace":
            return self.low, self.high
        bias, half = (np.asarray(self.regressor_settings[key], np.float64) for key in ("bias", "half_range"))
        return bias - np.abs(half), bias + np.abs(half)

    @property
    def summary(self) -> str:
        """A few sentences: how well it fits, and what to mind."""
        n_takes = len(self.card["takes"])
        what = "examples" if self.examples.latents is not None else "rows of gesture alone"
        text = f"{self.card['n_examples']} {what} in {n_takes} take{'s' * (n_takes != 1)}"
        if "held_out_r2_all" in self.card:
            text += f", held-out R² {self.card['held_out_r2_all']:.2f} ({self.card['held_out']})"
        return " ".join(f"{line[0].upper()}{line[1:]}." for line in [text, *self.card.get("warnings", [])])

    def predict(self, features: Array) -> Array:
        """Latents of features, row by row, or what moves a base sound; clipped to `predicted_range`.

        Parameters
        ----------
        features : (n_rows, n_features); a row with NaN is a gesture that is not there.

        Returns
        -------
        (n_rows, latent_size), NaN in exactly those rows.
        """
        latents = np.full((len(features), self.latent_size), np.nan)
        present = np.isfinite(features).all(axis=1)
        if present.any():
            latents[present] = np.clip(self.regressor.predict(features[present]), *self.predicted_range)
        return latents

    def confidence(self, features: Array) -> Array:
        """How far `predict` can be trusted, (n_rows,) in 0..1; 0 where there is no gesture.

        Parameters
        ----------
        features : (n_rows, n_features); a row with NaN is a gesture that is not there.
        """
        sure = np.zeros(len(features))
        present = np.isfinite(features).all(axis=1)
        if present.any():
            sure[present] = self.regressor.confidence(features[present])
        return sure

    def map_take(self, time_s: Array, values: Array, fill: bool = False) -> Array:
        """Latents of a whole take: features, regressor, clipping, smoothing.

        Parameters
        ----------
        time_s : (n_frames,) increasing seconds.
        values : (n_frames, n_channels) of `layout`; NaN where a hand was not seen.
        fill : put `fill_absent` latents where there is no gesture, as sound needs; else NaN stays there, as an
            analysis needs.

        Returns
        -------
        (n_frames, latent_size).
        """
        self.check_mode(has_base=False)
        return self.control_take(time_s, values, fill)

    def control_take(self, time_s: Array, values: Array, fill: bool = False) -> Array:
        """`map_take`, and of a mapping that moves a base sound what moves it; see `apply`."""
        latents = self.predict(extract_features(self.features, self.layout, time_s, values))
        latents = self.open_smoother().process(time_s, latents)
        if fill:
            return fill_absent(latents, time_s, self.output.hold_s, self.output.fade_s, self.rest)
        return latents

    def open_smoother(self) -> Smoother:
        """Smoothing of a stream of latents, (n_frames, latent_size), each in its own half range."""
        low, high = self.predicted_range
        half_range = (high - low) / 2.0
        return make_smoother(self.smoothing, self.latent_size, np.where(half_range > 0, half_range, 1.0))

    def apply(self, control: Array, base: Array) -> Array:
        """Latents of a base sound under the gesture, clipped to `low` and `high`.

        Parameters
        ----------
        control : (n_frames, latent_size) that `control_take` or `predict` gives.
        base : (n_frames, latent_size) of the base sound.
        """
        self.check_mode(has_base=True)
        moved = base + control if self.output.mode == "add" else base * control
        return np.asarray(np.clip(moved, self.low, self.high))

    def check_mode(self, has_base: bool) -> None:
        """Refuse a base sound where none is moved, and its absence where one is."""
        if has_base and self.output.mode == "replace":
            raise MappingError(
                f"mapping {self.name!r} needs no base sound: it gives the latents itself; leave --base out"
            )
        if not has_base and self.output.mode != "replace":
            what = "is added to" if self.output.mode == "add" else "multiplies"
            raise MappingError(f"mapping {self.name!r} {what} the latents of a base sound: name it with --base SOUND")

    def check_layout(self, recording: Recording) -> None:
        """Refuse a recording of other channels than this mapping reads; `MappingError` says what it has."""
        found = recording.layout.names
        if found == self.layout.names:
            return
        missing = [name for name in self.layout.names if name not in found]
        raise MappingError(
            f"{recording.path}: {len(found)} channels of {recording.tracker!r} found, mapping {self.name!r} reads"
            f" {len(self.layout)} of {self.label.tracker!r}{f' (missing: {missing[0]!r})' if missing else ''}: use a"
            " recording of that tracker"
        )

    def check_model(self, space: LatentSpace, force: bool = False) -> None:
        """Refuse a model this mapping was not fitted on.

        Parameters
        ----------
        force : accept another model of the same latent size. Its dimensions mean other sounds and have other
            ranges: the output range stays that of the model of the fit.

        Raises
        ------
        WrongModelError
            Names both models.
        """
        if space.model_id == self.model_id:
            return
        both = (
            f"mapping {self.name!r} was fitted on model {self.model_name!r} ({self.model_id[:12]},"
            f" {self.latent_size} latents), this is {space.model_name!r} ({space.model_id[:12]},"
            f" {space.latent_size} latents)"
        )
        if space.latent_size != self.latent_size:
            raise WrongModelError(f"{both}: latent sizes differ, not even --force can join them; fit again")
        if not force:
            raise WrongModelError(
                f"{both}: a gesture space does not carry to another model; fit again on this one, or use"
                " --force to play it all the same"
            )

    def save(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write the mapping folder; see `gesturemap.mapping.folder.save_mapping`."""
        from gesturemap.mapping.folder import save_mapping

        return save_mapping(self, folder, overwrite)

    @classmethod
    def load(cls, folder: str | Path, space: LatentSpace | None = None, force: bool = False) -> Mapping:
        """Read a mapping folder; see `gesturemap.mapping.folder.load_mapping`."""
        from gesturemap.mapping.folder import load_mapping

        mapping = load_mapping(folder)
        if space is not None:
            mapping.check_model(space, force)
        return mapping


def fill_absent(latents: Array, time_s: Array, hold_s: float, fade_s: float, rest: Array) -> Array:
    """Latents with every absent row filled: the last ones for `hold_s`, then in a straight line to `rest`.

    Parameters
    ----------
    latents : (n_frames, latent_size); a row with NaN is absent.
    time_s : (n_frames,) increasing seconds.
    hold_s, fade_s : seconds from the last present row, and from then on to `rest`; 0 is at once.
    rest : (latent_size,), also before the first present row.

    Returns
    -------
    (n_frames, latent_size), finite; present rows unchanged.
    """
    present = np.asarray(np.isfinite(latents).all(axis=1))
    last = np.maximum.accumulate(np.where(present, np.arange(len(latents)), -1))
    age_s = np.where(last >= 0, time_s - time_s[last], np.inf)
    share = np.clip((age_s - hold_s) / max(fade_s, 1e-9), 0.0, 1.0)[:, None]
    held = np.where(last[:, None] >= 0, latents[last], rest)
    return np.where(present[:, None], latents, held + share * (rest - held))
