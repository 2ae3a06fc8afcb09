"""Projections and clusters of points that lie in known groups."""

from __future__ import annotations

import numpy as np

from audiovae.analysis.projection import find_clusters, name_classes, project


def groups(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(len(sizes)), sizes)
    return 12.0 * np.eye(len(sizes), 4)[label] + rng.standard_normal((len(label), 4)), label


def test_clusters_are_found_and_the_largest_comes_first() -> None:
    points, label = groups((30, 60, 20))
    found = find_clusters(points, 0)
    assert found.silhouette > 0.6
    np.testing.assert_array_equal(found.label, np.array([1, 0, 2])[label])


def test_equal_points_are_one_cluster() -> None:
    assert set(find_clusters(np.ones((30, 3)), 0).label) == {0}


def test_planes_keep_groups_apart_and_follow_the_seed() -> None:
    points, label = groups((25, 25))
    planes = project(points, 3)
    assert len(planes) == 2
    for name, plane in planes.items():
        assert plane.shape == (50, 2)
        between = np.linalg.norm(plane[label == 0].mean(axis=0) - plane[label == 1].mean(axis=0))
        assert between > 2 * plane[label == 0].std(), name
        np.testing.assert_array_equal(plane, project(points, 3)[name])


def test_one_dimension_is_drawn_on_a_line() -> None:
    assert (project(np.random.default_rng(0).standard_normal((40, 1)), 0)["PCA"][:, 1] == 0).all()


def test_classes_are_folders_or_first_words() -> None:
    assert name_classes(["drums/a.wav", "bass/b.wav"])[0] == ["drums", "bass"]
    words, source = name_classes(["bd_808.wav", "bd_ada.wav", "bass-hit.wav"])
    assert words == ["bd", "bd", "bass"]
    assert "first word" in source
    assert set(name_classes(["a.wav", "b.wav", "c.wav"])[0]) == {"all"}
    assert len(set(name_classes([f"{i}/x.wav" for i in range(99)])[0])) == 24
