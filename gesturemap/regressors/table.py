"""The closed table of regressors: name, settings, and how each is built. The one place to add one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from audiovae.settings import Settings, apply_overrides, build
from gesturemap.errors import MappingError
from gesturemap.regressors.rows import MIN_ROWS, N_BLOCKS
from gesturemap.regressors.settings import (
    RIDGE_ALPHAS,
    GaussianMixtureSettings,
    GaussianProcessSettings,
    KernelRidgeSettings,
    KnnSettings,
    LinearMapSettings,
    MlpSettings,
    PolynomialSettings,
    RidgeSettings,
    WekinatorSettings,
)

DEFAULT_REGRESSOR = "kernel_ridge"
MAX_TERMS = 1000  # of a polynomial: 1000 terms fit in seconds, 20000 do not


@dataclass(frozen=True)
class RegressorInfo:
    """One row of the table.

    Parameters
    ----------
    description : one line for a person.
    settings : its settings class.
    build : ``(settings, feature_names, n_outputs, seed) -> unfitted estimator``.
    min_rows : examples it needs.
    """

    description: str
    settings: type[Settings]
    build: Callable[[Any, tuple[str, ...], int, int], Any]
    min_rows: int = MIN_ROWS


def make_regressor(
    name: str,
    settings: Settings | None,
    n_features: int,
    n_outputs: int,
    seed: int = 0,
    feature_names: Sequence[str] = (),
) -> Any:
    """Unfitted scikit-learn estimator with ``fit(X, y)`` and ``predict(X)``.

    Parameters
    ----------
    name : a key of `REGRESSORS`.
    settings : of that regressor's settings class; None for the defaults.
    n_features, n_outputs : columns of X and y.
    seed : of everything random in it; equal seeds give equal numbers.
    feature_names : (n_features,), needed where settings name features.

    Raises
    ------
    MappingError
        If there is no such regressor, or it cannot take that many features or outputs.
    """
    info = find_regressor(name)
    settings = info.settings() if settings is None else settings
    if not isinstance(settings, info.settings):
        raise MappingError(f"{type(settings).__name__} found, {info.settings.__name__} expected for regressor {name!r}")
    names = tuple(feature_names) or tuple(f"feature_{i}" for i in range(n_features))
    if len(names) != n_features or n_features < 1 or n_outputs < 1:
        raise MappingError(f"{len(names)} feature names, {n_features} features and {n_outputs} outputs found")
    return info.build(settings, names, n_outputs, seed)


def find_regressor(name: str) -> RegressorInfo:
    """Row of the table; `MappingError` names the nearest, and all there are."""
    if name not in REGRESSORS:
        near = difflib.get_close_matches(name, REGRESSORS, n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        raise MappingError(f"no regressor {name!r}{guess}; there are: {', '.join(REGRESSORS)}")
    return REGRESSORS[name]


def regressor_settings(name: str, overrides: Sequence[str] = ()) -> Settings:
    """Settings of one regressor with ``key=value`` overrides; `SettingsError` for an unknown key."""
    return build(find_regressor(name).settings, apply_overrides({}, overrides), f"regressor {name!r}")


def _ridge_cv(alpha: float | None) -> Any:
    """scikit-learn's RidgeCV over contiguous blocks, or Ridge where alpha is given."""
    from sklearn.linear_model import Ridge, RidgeCV
    from sklearn.model_selection import KFold

    if alpha is not None:
        return Ridge(alpha)
    return RidgeCV(RIDGE_ALPHAS, cv=KFold(N_BLOCKS), scoring="neg_mean_squared_error")


def _build_ridge(settings: RidgeSettings, names: tuple[str, ...], n_outputs: int, seed: int) -> Any:
    from gesturemap.regressors.standardised import StandardisedRegressor

    return StandardisedRegressor(_ridge_cv(settings.alpha))


def _build_polynomial(settings: PolynomialSettings, names: tuple[str, ...], n_outputs: int, seed: int) -> Any:
    from math import comb

    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    from gesturemap.regressors.standardised import StandardisedRegressor

    n_terms = comb(len(names) + settings.degree, settings.degree) - 1
    if n_terms > MAX_TERMS:
        raise MappingError(
            f"polynomial of degree {settings.degree} in {len(names)} features has {n_terms} terms,"
            f" {MAX_TERMS} at most: choose fewer features, or kernel_ridge"
        )
    terms = PolynomialFeatures(settings.degree, include_bias=False)
    return StandardisedRegressor(make_pipeline(terms, StandardScaler(), _ridge_cv(settings.alpha)))


def _build_knn(settings: KnnSettings, names: tuple[str, ...], n_outputs: int, seed: int) -> Any:
    from gesturemap.regressors.nearest import NearestExamples
    from gesturemap.regressors.standardised import StandardisedRegressor

    return StandardisedRegressor(NearestExamples(settings.n_neighbors))


def _build_kernel_ridge(settings: KernelRidgeSettings, names: tuple[str, ...], n_outputs: int, seed: int) -> Any:
    from gesturemap.regressors.kernel_ridge import BlockwiseKernelRidge
    from gesturemap.regressors.standardised import StandardisedRegressor

    return StandardisedRegressor(BlockwiseKernelRidge(**settings.model_dump()))


def _build_gaussian_process(
    settings: GaussianProcessSettings, names: tuple[str, ...], n_outputs: int, seed: int
) -> Any:
    from gesturemap.regressors.gaussian_process import SubsetGaussianProcess
    from gesturemap.regressors.standardised import StandardisedRegressor

    return StandardisedRegressor(SubsetGaussianProcess(**settings.model_dump()))


def _build_gaussian_mixture(
    settings: GaussianMixtureSettings, names: tuple[str, ...], n_outputs: int, seed: int
) -> Any:
    from gesturemap.regressors.gaussian_mixture import MixtureRegression
    from gesturemap.regressors.standardised import StandardisedRegressor

    return StandardisedRegressor(MixtureRegression(**settings.model_dump(), seed=seed))


def _build_wekinator(settings: WekinatorSettings, names: tuple[str, ...], n_outputs: int, seed: int) -> Any:
    from gesturemap.regressors.wekinator_network import WekinatorNetworks

    return WekinatorNetworks(**settings.model_dump())


def _build_mlp(settings: MlpSettings, names: tuple[str, ...], n_outputs: int, seed: int) -> Any:
    from gesturemap.regressors.mlp import EarlyStoppedMLP
    from gesturemap.regressors.standardised import StandardisedRegressor

    return StandardisedRegressor(EarlyStoppedMLP(**settings.model_dump(), seed=seed))


def _build_linear_map(settings: LinearMapSettings, names: tuple[str, ...], n_outputs: int, seed: int) -> Any:
    from gesturemap.regressors.linear_map import LinearMap

    columns, signs = None, None
    if settings.columns is not None:
        bare = [column.removeprefix("-") for column in settings.columns]
        unknown = [name for name in bare if name not in names]
        if unknown:
            raise MappingError(f"columns: no feature {unknown[0]!r}; there are: {', '.join(names)}")
        columns = [names.index(name) for name in bare]
        signs = [-1.0 if column.startswith("-") else 1.0 for column in settings.columns]
    for key in ("columns", "bias", "half_range"):
        given = getattr(settings, key)
        if given is not None and len(given) != n_outputs:
            raise MappingError(f"{key}: {len(given)} found, one for each of {n_outputs} latents expected")
    return LinearMap(columns, signs, settings.bias, settings.half_range, settings.gain)


REGRESSORS: dict[str, RegressorInfo] = {
    "linear_map": RegressorInfo(
        "one feature a latent, with bias and range; needs no examples", LinearMapSettings, _build_linear_map
    ),
    "ridge": RegressorInfo("linear in all features", RidgeSettings, _build_ridge),
    "polynomial": RegressorInfo("linear in products of features", PolynomialSettings, _build_polynomial),
    "knn": RegressorInfo("mean of the nearest examples", KnnSettings, _build_knn),
    "kernel_ridge": RegressorInfo("a smooth bump on every example", KernelRidgeSettings, _build_kernel_ridge),
    "gaussian_process": RegressorInfo(
        "kernel ridge that finds which features matter and knows how sure it is",
        GaussianProcessSettings,
        _build_gaussian_process,
    ),
    "gaussian_mixture": RegressorInfo(
        "a blend of linear maps that knows where its examples are", GaussianMixtureSettings, _build_gaussian_mixture
    ),
    "mlp": RegressorInfo("a small neural network", MlpSettings, _build_mlp),
    "wekinator": RegressorInfo(
        "the network Wekinator trains, number for number", WekinatorSettings, _build_wekinator, min_rows=1
    ),
}
