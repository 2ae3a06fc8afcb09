"""What can be set of each regressor: frozen, one class a regressor. No scikit-learn here.

Every number that is ``None`` by default is chosen from the examples when the regressor is fitted, by
cross-validation over contiguous blocks of rows: neighbours in time are nearly copies of each other, so
shuffled rows would always vote for the smoothing that remembers best.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from audiovae.settings import Settings

Positive = Annotated[float, Field(gt=0)]

RIDGE_ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)


class LinearMapSettings(Settings):
    """One feature a latent, with a bias and a range for each latent.

    columns : the feature each latent follows, by name; a leading minus turns it around (``-left_y``).
        None: with examples the most correlated feature, without them one after the other.
    bias, half_range : centre of each latent and how far the feature's full travel moves it to either side,
        in latent units. None: see `gain`; without examples the model's own 1-99 % range.
    gain : ``fit``: bias and range by least squares on the examples; ``full``: the 1-99 % range of the
        feature covers the 1-99 % range of the latent, however weakly the two are related.
    """

    columns: tuple[str, ...] | None = None
    bias: tuple[float, ...] | None = None
    half_range: tuple[float, ...] | None = None
    gain: Literal["fit", "full"] = "fit"


class RidgeSettings(Settings):
    """Linear in the features. alpha : penalty on the squared weights; None: chosen."""

    alpha: Positive | None = None


class PolynomialSettings(Settings):
    """Linear in all products of up to `degree` features. alpha : penalty; None: chosen."""

    degree: Annotated[int, Field(ge=2, le=4)] = 2
    alpha: Positive | None = None


class KnnSettings(Settings):
    """Mean of the `n_neighbors` nearest examples, each weighted by 1 / distance."""

    n_neighbors: Annotated[int, Field(ge=1)] = 5


class KernelRidgeSettings(Settings):
    """A smooth bump (RBF) on every example.

    length_scale : width of the bump in standard deviations of the features; None: chosen.
    alpha : variance of the noise, relative to that of the latents; None: chosen.
    max_rows : examples kept, evenly spaced in time; time to fit grows with their cube.
    selection_rows : examples on which length scale and alpha are chosen.
    """

    length_scale: Positive | None = None
    alpha: Positive | None = None
    max_rows: Annotated[int, Field(ge=10)] = 3000
    selection_rows: Annotated[int, Field(ge=10)] = 800


class GaussianProcessSettings(Settings):
    """A Gaussian process: RBF plus noise, by maximum likelihood; knows how sure it is.

    per_feature : one length scale a feature (finds the features that matter) instead of one for all.
    max_rows : examples kept, evenly spaced in time.
    likelihood_rows : examples on which the length scales are optimised.
    """

    per_feature: bool = True
    max_rows: Annotated[int, Field(ge=10)] = 1500
    likelihood_rows: Annotated[int, Field(ge=10)] = 300


class MlpSettings(Settings):
    """A small tanh network, stopped when held-out blocks of time get no better.

    hidden_sizes : units of each hidden layer.
    alpha : penalty on the squared weights.
    learning_rate : of Adam.
    max_epochs, patience : passes over the examples, and passes without gain before it stops.
    held_out : share of the rows that only decide when to stop.
    """

    hidden_sizes: tuple[Annotated[int, Field(ge=1)], ...] = (64, 64)
    alpha: Annotated[float, Field(ge=0)] = 1e-4
    learning_rate: Positive = 3e-3
    max_epochs: Annotated[int, Field(ge=1)] = 400
    patience: Annotated[int, Field(ge=1)] = 40
    held_out: Annotated[float, Field(gt=0, lt=0.5)] = 0.15


class GaussianMixtureSettings(Settings):
    """Gaussian mixture regression: a blend of linear maps that knows where its examples are.

    n_components : Gaussians; None: chosen by the Bayesian information criterion.
    regularisation : variance added in each direction, relative to that of the features and latents.
    max_rows : examples learned from, evenly spaced in time.
    """

    n_components: Annotated[int, Field(ge=1, le=100)] | None = None
    regularisation: Positive = 1e-3
    max_rows: Annotated[int, Field(ge=10)] = 3000


class WekinatorSettings(Settings):
    """Wekinator's own network for each output, number for number.

    hidden_nodes : of each network; None: as many as it has features, as in Wekinator.
    epochs, learning_rate, momentum : of the descent; Wekinator's values cannot be changed there.
    """

    hidden_nodes: Annotated[int, Field(ge=1, le=1000)] | None = None
    epochs: Annotated[int, Field(ge=1)] = 500
    learning_rate: Positive = 0.3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.2
