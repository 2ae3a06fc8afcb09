"""One suite over every classifier, and the nearest examples against what Weka 3.6.14 itself answered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors.classifiers import CLASSIFIERS, make_classifier
from gesturemap.regressors.storage import load_regressor, save_regressor

POSES = np.array([[0.0, 0.0], [0.1, 5.0], [0.9, 1.0], [1.0, 4.0], [0.5, 2.5], [0.5, 2.5], [0.4, 9.0], [0.0, 0.0]])
LABELS = [1, 1, 2, 2, 3, 2, 3, 3]
ASKED = np.array([[0.05, 0.1], [0.5, 2.5], [0.95, 3.0], [0.6, 7.0]])
# IBk with 1 and 3 neighbours, classes 0 to 3.
WEKA_1 = [
    [0.05, 0.45, 0.05, 0.45],
    [0.05, 0.05, 0.45, 0.45],
    [1 / 12, 1 / 12, 0.75, 1 / 12],
    [1 / 12, 1 / 12, 1 / 12, 0.75],
]
WEKA_3 = [
    [0.027777777777777776, 0.25, 0.25, 0.4722222222222222],
    [0.03571428571428571, 0.03571428571428571, 0.6071428571428571, 0.32142857142857145],
    [0.027777777777777776, 0.027777777777777776, 0.6944444444444444, 0.25],
    [0.03571428571428571, 0.03571428571428571, 0.32142857142857145, 0.6071428571428571],
]


@pytest.fixture(params=list(CLASSIFIERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def three_clouds(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes 1, 2 and 4 around three far corners, the features on unequal scales."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 2, 4], 20)
    centre = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])[np.repeat([0, 1, 2], 20)]
    return (centre + 0.05 * rng.normal(size=(60, 2))) * [1.0, 1e3], labels


@pytest.mark.parametrize(("n_neighbors", "expected"), [(1, WEKA_1), (3, WEKA_3)])
def test_equal_to_weka(n_neighbors: int, expected: list[list[float]]) -> None:
    nearest = make_classifier("knn", 3, n_neighbors).fit(POSES, LABELS)
    np.testing.assert_allclose(nearest.distribution(ASKED), expected, atol=1e-15)


def test_labels_and_distribution(name: str) -> None:
    x, labels = three_clouds()
    classifier = make_classifier(name, 4).fit(x, labels)
    held_x, held_labels = three_clouds(seed=1)
    np.testing.assert_array_equal(classifier.predict(held_x), held_labels)
    shares = classifier.distribution(held_x)
    assert shares.shape == (60, 5)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert (classifier.confidence(held_x) > 0.0).all()


def test_one_class_alone_is_the_answer_everywhere(name: str) -> None:
    classifier = make_classifier(name, 3).fit([[0.0, 1.0]], [2])
    np.testing.assert_array_equal(classifier.predict([[5.0, 5.0]]), [2.0])


def test_file_gives_the_same_back(name: str, tmp_path: Path) -> None:
    x, labels = three_clouds()
    classifier = make_classifier(name, 4).fit(x, labels)
    save_regressor(classifier, tmp_path / "classifier.skops")
    again = load_regressor(tmp_path / "classifier.skops")
    np.testing.assert_array_equal(again.distribution(x), classifier.distribution(x))


def test_labels_that_are_no_class_are_refused(name: str) -> None:
    for wrong in (4, -1, 1.5, np.nan):
        with pytest.raises(MappingError, match="a whole number of 0..3 expected"):
            make_classifier(name, 3).fit([[0.0], [1.0]], [1, wrong])
    with pytest.raises(MappingError, match="1 or more expected"):
        make_classifier(name, 3).fit(np.empty((0, 2)), [])


def test_the_table_is_closed() -> None:
    with pytest.raises(MappingError, match="no classifier 'forest'; there are: knn"):
        make_classifier("forest", 2)
