"""What an import loads: a performer's machine needs no torch, and no import waits for a device library."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

HEAVY = ("torch", "lightning_fabric", "mediapipe", "cv2", "sounddevice", "hid", "sklearn", "skops", "matplotlib")
MODULES = (
    "audiovae",
    "gesturemap",
    "audiovae.latent_space",
    "audiovae.latent_table",
    "audiovae.player",
    "audiovae.conversion",
    "audiovae.cli",
    "gesturemap.cli",
)

PROGRAM = """
import importlib, sys
for name in sys.argv[1].split(","):
    importlib.import_module(name)
    loaded = [heavy for heavy in sys.argv[2].split(",") if heavy in sys.modules]
    assert not loaded, f"import {name} loads {loaded}"
"""


def loads(modules: tuple[str, ...], forbidden: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, ",".join(modules), ",".join(forbidden)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_faces_of_both_packages_load_nothing_heavy() -> None:
    present = tuple(name for name in MODULES if importlib.util.find_spec(name))
    assert len(present) >= 6
    found = loads(present, HEAVY)
    assert found.returncode == 0, found.stderr


def test_the_check_itself_fails_where_something_heavy_is_loaded() -> None:
    found = loads(("audiovae",), ("numpy",))
    assert "import audiovae loads ['numpy']" in found.stderr
