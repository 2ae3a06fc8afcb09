"""How far an exported file may be from the model it was made of."""

from __future__ import annotations

from audiovae.errors import ExportError

TOLERANCE = 1e-4
"""Largest absolute difference between a model and its exported file, in units of what it gives."""


def check_parity(name: str, difference: float) -> float:
    """The difference; `ExportError` where it is above `TOLERANCE`, or not a number."""
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{name} differs from the model by {difference:.2g}, {TOLERANCE} allowed: nothing was written; "
            "please report this with the versions of torch and onnxruntime"
        )
    return difference
