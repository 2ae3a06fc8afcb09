"""Pictures of what is flat: equal limits of an axis would be a warning, and warnings are errors here."""

from __future__ import annotations

import numpy as np

from gesturemap.report.coverage import CoverageSettings, Motion, build_reference, measure
from gesturemap.report.figures import draw_combinations, draw_map
from gesturemap.report.intervals import Interval


def test_a_path_that_never_moves_over_sounds_on_a_line_is_drawn(sounds, space_of):
    latents, files = sounds(6, 40, 4, seed=0)
    latents[:, 1:] = 0.0
    reference = build_reference(space_of(latents, files), CoverageSettings())
    assert reference.rank == 1
    still = Motion(np.zeros((60, 1)), np.zeros(60, dtype=np.intp), 20.0)
    picture = draw_map(measure(reference, still), np.zeros(60, dtype=np.intp), [(0.0, 0.0)])
    assert picture.startswith("<svg")


def test_combinations_that_reach_nothing_are_drawn():
    assert "<svg" in draw_combinations([("a", Interval(0.0, 0.0, 0.0), {"walk": 0.0}), ("b", Interval(1, 1, 1), {})])
