"""Wekinator's network against what Weka 3.6.14 itself answered, and the random numbers of Java."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors import make_regressor
from gesturemap.regressors.java_random import JavaRandom

# The third feature is constant. What `MultilayerPerceptron` with its defaults answers on its own examples.
EXAMPLES = np.array(
    [
        [0.076308, 0.779919, 0.25, 0.364052],
        [0.723465, 0.977989, 0.25, 0.482050],
        [0.501120, 0.072051, 0.25, 0.043293],
        [0.499882, 0.679230, 0.25, 0.194876],
        [0.380941, 0.065936, 0.25, 0.086899],
        [0.909594, 0.213385, 0.25, 0.017904],
        [0.931206, 0.024899, 0.25, 0.222364],
        [0.950130, 0.230303, 0.25, 0.074018],
        [0.909128, 0.133169, 0.25, 0.103584],
        [0.750410, 0.669013, 0.25, 0.238444],
        [0.204849, 0.490766, 0.25, 0.315861],
        [0.477401, 0.365890, 0.25, 0.278832],
    ]
)
WEKA = [
    *(0.3731082858570091, 0.5159497199939047, 0.13335540842553367, 0.35312211584117037),
    *(0.13683696788257402, 0.1767212591277292, 0.17007835058533147, 0.1769109845136338),
    *(0.17277911654653444, 0.3410455815080474, 0.29116449146784057, 0.24277031202466362),
]


def test_equal_to_weka() -> None:
    network = make_regressor("wekinator", None, 3, 1).fit(EXAMPLES[:, :3], EXAMPLES[:, 3])
    np.testing.assert_allclose(network.predict(EXAMPLES[:, :3]), WEKA, rtol=0, atol=1e-13)
    output, first = network.layers_[1][0, 0], network.layers_[0][0, 0]
    np.testing.assert_allclose(output[:2], [1.220311924652872, -1.1557501818462736], atol=1e-12)
    np.testing.assert_allclose(first[:2], [0.4068122917429311, -3.8266026849087917], atol=1e-12)


def test_outputs_do_not_know_of_each_other() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(20, 4)), rng.uniform(size=(20, 3))
    together = make_regressor("wekinator", None, 4, 3).fit(x, y)
    alone = make_regressor("wekinator", None, 4, 1).fit(x, y[:, 1])
    np.testing.assert_allclose(together.predict(x)[:, 1], alone.predict(x), atol=1e-11)


def test_one_example_is_answered_everywhere() -> None:
    network = make_regressor("wekinator", None, 2, 2).fit([[0.2, 0.4]], [[3.0, -1.0]])
    np.testing.assert_array_equal(network.predict([[0.9, 0.1]]), [[3.0, -1.0]])


def test_an_output_that_diverges_is_trained_at_half_the_rate_as_weka_does() -> None:
    x, y = EXAMPLES[:, :2], np.stack([EXAMPLES[:, 3], 1e-3 * EXAMPLES[:, 2]], axis=1)
    wild = make_regressor("wekinator", _settings(learning_rate=40.0, epochs=60), 2, 2).fit(x, y)
    assert np.isfinite(wild.predict(x)).all()
    rates = [make_regressor("wekinator", _settings(learning_rate=40.0 / 2**n, epochs=60), 2, 2) for n in range(12)]
    answers = [rate.fit(x, y).predict(x)[:, 0] for rate in rates[1:]]
    assert any(np.array_equal(wild.predict(x)[:, 0], answer) for answer in answers)


def test_no_example_is_an_error() -> None:
    with pytest.raises(MappingError, match="0 examples found, 1 or more"):
        make_regressor("wekinator", None, 2, 1).fit(np.empty((0, 2)), np.empty(0))


def test_java_random() -> None:
    # The first numbers of new java.util.Random(0), from its documentation's algorithm as Java 17 runs it.
    random = JavaRandom(0)
    assert [random.next_int(100) for _ in range(4)] == [60, 48, 29, 47]
    assert JavaRandom(0).next_double() == 0.730967787376657
    assert JavaRandom(42).next_int(16) == 11


def _settings(**values: float) -> object:
    from gesturemap.regressors.settings import WekinatorSettings

    return WekinatorSettings(**values)
