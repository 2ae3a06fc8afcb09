"""Classifiers: features to one of the classes 1..K, 0 being none. A closed table, as that of the regressors.

The seam is ``fit(X, labels)``, ``predict(X)`` and ``distribution(X)``, the share of every class.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator

from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.regressors.familiarity import FamiliarityMixin
from gesturemap.regressors.rows import check_features, check_labels


class NearestClasses(FamiliarityMixin, BaseEstimator):
    """Votes of the nearest examples, in features scaled to 0..1 by their range.

    Examples as near as the last of the nearest vote too, and every class starts with 1 / n_examples of a vote. Equal
    shares go to the lower class. Within the examples' range these are the numbers of Weka's IBk; outside, that one
    widens its scale with every question, so that answers depend on earlier ones. Here they do not.

    Parameters
    ----------
    n_classes : K.
    n_neighbors : examples that vote.
    """

    def __init__(self, n_classes: int, n_neighbors: int = 1) -> None:
        self.n_classes = n_classes
        self.n_neighbors = n_neighbors

    def fit(self, X: Any, y: Any) -> NearestClasses:
        """Keep features (n_rows, n_features) and labels (n_rows,) of 0..n_classes; one row is enough.

        Raises
        ------
        MappingError
            If shapes do not fit, a feature is not finite, there is no row, or a label is none of the classes.
        """
        rows, self.labels_ = check_labels(X, y, self.n_classes)
        self.n_features_in_ = rows.shape[1]
        self.low_, travel = rows.min(axis=0), np.ptp(rows, axis=0)
        self.scale_ = np.where(travel > 0, travel, np.inf)  # a feature that never moved tells nothing
        self.examples_ = (rows - self.low_) / self.scale_
        self._keep_examples(rows)
        return self

    def predict(self, X: Any) -> Array:
        """Labels (n_rows,), whole numbers as float64."""
        return np.asarray(self.distribution(X).argmax(axis=1), dtype=np.float64)

    def distribution(self, X: Any) -> Array:
        """Shares (n_rows, 1 + n_classes), class 0 first; each row sums to 1."""
        rows = (check_features(X, self.n_features_in_) - self.low_) / self.scale_
        distances = cdist(rows, self.examples_)
        last = min(self.n_neighbors, len(self.labels_)) - 1
        farthest = np.partition(distances, last, axis=1)[:, last : last + 1]
        one_hot = self.labels_[:, None] == np.arange(self.n_classes + 1)
        votes = (distances <= farthest) @ one_hot.astype(np.float64) + 1.0 / len(self.labels_)
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))


class StandardisedClassifier(FamiliarityMixin, BaseEstimator):
    """A classifier of scikit-learn on standardised features, among all classes whether they were recorded or not.

    Parameters
    ----------
    classifier : scikit-learn estimator, cloned in `fit`.
    n_classes : K.
    """

    def __init__(self, classifier: Any, n_classes: int) -> None:
        self.classifier = classifier
        self.n_classes = n_classes

    def fit(self, X: Any, y: Any) -> StandardisedClassifier:
        """Learn from features and labels as `NearestClasses.fit` does, with the same errors."""
        from sklearn.base import clone

        rows, labels = check_labels(X, y, self.n_classes)
        self.n_features_in_ = rows.shape[1]
        self.mean_, spread = rows.mean(axis=0), rows.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        self.classes_ = np.unique(labels)
        # One class alone is no problem to solve, scikit-learn says; it is the answer everywhere.
        several = len(self.classes_) > 1
        self.classifier_ = clone(self.classifier).fit((rows - self.mean_) / self.scale_, labels) if several else None
        self._keep_examples(rows)
        return self

    def predict(self, X: Any) -> Array:
        """Labels (n_rows,), whole numbers as float64."""
        return np.asarray(self.distribution(X).argmax(axis=1), dtype=np.float64)

    def distribution(self, X: Any) -> Array:
        """Shares (n_rows, 1 + n_classes), class 0 first; all or nothing for a classifier that only decides."""
        rows = (check_features(X, self.n_features_in_) - self.mean_) / self.scale_
        shares = np.zeros((len(rows), self.n_classes + 1))
        if self.classifier_ is None:
            shares[:, self.classes_] = 1.0
        elif hasattr(self.classifier_, "predict_proba"):
            shares[:, self.classes_] = self.classifier_.predict_proba(rows)
        else:
            shares[np.arange(len(rows)), self.classifier_.predict(rows)] = 1.0
        return shares


def make_classifier(name: str, n_classes: int, n_neighbors: int = 1) -> Any:
    """Unfitted classifier.

    Parameters
    ----------
    name : a key of `CLASSIFIERS`.
    n_classes : K, labels are 1..K and 0 for none.
    n_neighbors : of ``knn``.

    Raises
    ------
    MappingError
        If there is no such classifier, or a count is below 1.
    """
    if name not in CLASSIFIERS:
        near = difflib.get_close_matches(name, CLASSIFIERS, n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        raise MappingError(f"no classifier {name!r}{guess}; there are: {', '.join(CLASSIFIERS)}")
    if n_classes < 1 or n_neighbors < 1:
        raise MappingError(f"{n_classes} classes and {n_neighbors} neighbours found, 1 or more of each expected")
    return CLASSIFIERS[name](n_classes, n_neighbors)


def _build_svm(n_classes: int, n_neighbors: int) -> StandardisedClassifier:
    from sklearn.svm import SVC

    return StandardisedClassifier(SVC(kernel="rbf"), n_classes)


def _build_naive_bayes(n_classes: int, n_neighbors: int) -> StandardisedClassifier:
    from sklearn.naive_bayes import GaussianNB

    return StandardisedClassifier(GaussianNB(), n_classes)


CLASSIFIERS: dict[str, Callable[[int, int], Any]] = {
    "knn": NearestClasses,
    "svm": _build_svm,
    "naive_bayes": _build_naive_bayes,
}
