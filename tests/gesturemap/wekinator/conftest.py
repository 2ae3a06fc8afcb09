"""A small project with everything in it that a project can have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.wekinator import Project, ProjectOutput

N_EXAMPLES = 30


@pytest.fixture
def project() -> Project:
    """Three rounds, awkward names, a masked output, a hard integer and a class."""
    rng = np.random.default_rng(0)
    targets = rng.uniform(size=(N_EXAMPLES, 3))
    targets[:5, 1] = np.nan
    targets[:, 2] = rng.integers(0, 4, N_EXAMPLES)
    return Project(
        "songs",
        ("inputs-1", "my input", "it's ü 𝄞 \\"),
        (
            ProjectOutput("a"),
            ProjectOutput("b, c", -1.0, 2.5, integer=True, hard=True),
            ProjectOutput("", n_classes=3, distribution=True),
        ),
        np.repeat([1, 2, 4], 10),
        1.7e9 + 0.033 * np.arange(N_EXAMPLES),
        rng.normal(scale=100.0, size=(N_EXAMPLES, 3)),
        targets,
        in_port=7000,
        out_port=7001,
    )


@pytest.fixture
def weka_model() -> dict[str, Any]:
    """As Wekinator describes the network of `test_wekinator_network`, numbers as text, from Weka's own print."""
    hidden = [
        ("0.4068122917429311", "-3.8266026849087917", "0.6520245168630625", "0.006294967389837924"),
        ("-2.607302258244793", "-0.5916908539851509", "2.4356707912867224", "-0.0247116869313324"),
        ("-0.9778634923109432", "3.2274725206257613", "-2.4222212636541136", "-0.021409521384840913"),
    ]
    names = ("Threshold", "Attrib x0", "Attrib x 1", "Attrib x2")
    output = ("1.220311924652872", "-1.1557501818462736", "1.292619007781946", "-1.563158191703199")
    return {
        "modelType": "Neural Network",
        "numInputs": 3,
        "inputNames": ["x0", "x  1", "x2"],
        "numHiddenLayers": 1,
        "numHiddenNodes": 3,
        "numOutputs": 1,
        "inBases": [(0.950130 + 0.076308) / 2, (0.977989 + 0.024899) / 2, 0.25],
        "inRanges": [(0.950130 - 0.076308) / 2, (0.977989 - 0.024899) / 2, 0],
        "outRange": (0.482050 - 0.017904) / 2,
        "outBase": (0.482050 + 0.017904) / 2,
        "nodes": [
            {"name": "Linear Node 0"} | dict(zip(("Threshold", "Node 1", "Node 2", "Node 3"), output, strict=True)),
            *[{"name": f"Sigmoid Node {i}"} | dict(zip(names, row, strict=True)) for i, row in enumerate(hidden, 1)],
        ],
    }


@pytest.fixture
def describe() -> Callable[..., None]:
    """``describe(path, *models)`` writes a description of models as Wekinator does."""

    def write(path: Path, *models: Any) -> None:
        path.write_text(json.dumps({"metadata": {"creator": "Wekinator"}, "modelSet": list(models)}))

    return write
