"""Four metrics: those of prdc, and in cells close to them and never on the wrong side."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.report import cells as cells_module
from gesturemap.report.cells import find_cells, kth_distance_in_cells, pairs_in_cells
from gesturemap.report.metrics import four_metrics
from gesturemap.report.neighbours import kth_distance, pairs_in_balls


@pytest.fixture
def clouds():
    """Two overlapping clouds of 16 dimensions, with a stretch of near-silence repeated in the first."""
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((400, 16)), 0.9 * rng.standard_normal((300, 16)) + 0.1
    real[50:60] = real[50] + 1e-7 * rng.standard_normal((10, 16))
    return real, fake


def written_out(real, fake, k):
    """Naeem et al. 2020, section 3, as prdc writes it."""
    among = np.linalg.norm(real[:, None] - real[None], axis=2)
    among_fake = np.linalg.norm(fake[:, None] - fake[None], axis=2)
    between = np.linalg.norm(real[:, None] - fake[None], axis=2)
    radius, fake_radius = np.sort(among, axis=1)[:, k], np.sort(among_fake, axis=1)[:, k]
    return {
        "precision": (between < radius[:, None]).any(axis=0).mean(),
        "recall": (between < fake_radius[None]).any(axis=1).mean(),
        "density": (between < radius[:, None]).sum(axis=0).mean() / k,
        "coverage": (between.min(axis=1) < radius).mean(),
    }


def test_equal_to_the_definition_written_out(clouds):
    assert four_metrics(*clouds) == pytest.approx(written_out(*clouds, 5), abs=1e-12)


def test_equal_to_prdc(clouds, capsys):
    prdc = pytest.importorskip("prdc")
    assert four_metrics(*clouds) == pytest.approx(prdc.compute_prdc(*clouds, 5), abs=1e-6)


def test_cells_that_are_all_searched_are_exact(clouds, monkeypatch):
    monkeypatch.setattr(cells_module, "CELL_SIZE", 20)
    real, fake = clouds
    assert four_metrics(real, fake, exact=False, n_probes=100) == pytest.approx(four_metrics(real, fake), abs=1e-12)


def test_cells_miss_but_never_invent(sounds, monkeypatch):
    monkeypatch.setattr(cells_module, "CELL_SIZE", 50)
    points, files = sounds(60, 40, 8, seed=1)
    cells = find_cells(points)
    assert len(cells.centres) == 48
    assert np.array_equal(np.sort(cells.order), np.arange(2400))
    found, exact = kth_distance_in_cells(points, files, 5, cells, 10), kth_distance(points, files, 5)
    assert (found >= exact - 1e-12).all()
    assert (found <= exact + 1e-12).mean() > 0.5
    assert np.median(found / exact) < 1.05
    motion, _ = sounds(10, 40, 8, seed=2)
    of_motion = find_cells(motion, centres=cells.centres)
    every = {(i, j) for block in pairs_in_balls(points, exact, motion) for i, j in zip(*block, strict=True)}
    some = [p for b in pairs_in_cells(points, exact, cells, motion, of_motion, 10) for p in zip(*b, strict=True)]
    assert len(set(some)) == len(some)
    assert set(some) <= every
    assert len(some) > 0.5 * len(every)
