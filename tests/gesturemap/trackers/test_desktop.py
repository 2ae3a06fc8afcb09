"""Mouse and game controllers: counts to channels, cables, and machines without a screen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.trackers import open_tracker
from gesturemap.trackers.desktop import GamepadState, MouseState, find_gamepads
from gesturemap.trackers.gamepad import GamepadTracker
from gesturemap.trackers.mouse import MouseTracker


def test_mouse_on_the_screen(clock: ManualClock) -> None:
    """Corners are 0 and 1; a second screen goes on beyond."""
    places = iter([(0, 0), (1919, 1079), (3838, 0)])

    def read() -> MouseState:
        return MouseState(*next(places), 1920, 1080, (False, False, True))

    with MouseTracker(clock=clock, opener=lambda: read) as tracker:
        frames = [tracker.read(0.02) for _ in range(3)]
    values = [frame.values.tolist() for frame in frames if frame]
    assert values == [[0, 0, 0, 0, 1], [1, 1, 0, 0, 1], [2, 0, 0, 0, 1]]


def test_gamepad_counts(clock: ManualClock) -> None:
    """The ends of both sticks are -1 and 1, although their counts are not alike."""
    state = GamepadState((-32768, 32767, 0, -32767, 0, 32767), (True,) + (False,) * 13 + (True,))
    with GamepadTracker(clock=clock, opener=lambda source: lambda: state) as tracker:
        frame = tracker.read()
        assert frame is not None
        named = dict(zip(tracker.layout.names, frame.values, strict=True))
    assert frame.values[:6].tolist() == [-1, 1, 0, -1, 0, 1]
    assert [name for name in named if named[name] == 1.0] == ["left_y", "right_trigger", "a", "right"]
    assert len(tracker.layout) == 21


def test_gamepad_unplugged_and_back(clock: ManualClock) -> None:
    """NaN meanwhile, looked for once a second, one loss."""
    rest = GamepadState((0,) * 6, (False,) * 15)
    readings: list[Iterator[GamepadState | None]] = [iter([rest, rest, None]), iter([rest] * 999)]
    tries: list[float] = []

    def plug(source: str) -> object:
        tries.append(clock.now_s())
        if len(tries) == 2:
            raise TrackerError("no game controller")
        given = readings.pop(0)
        return lambda: next(given, None)

    with GamepadTracker(clock=clock, opener=plug) as tracker:  # type: ignore[arg-type]
        frames = [tracker.read(0.02) for _ in range(300)]
        assert (tracker.lost, tracker.dropped) == (1, 0)
    away = [bool(np.isnan(frame.values).all()) for frame in frames if frame]
    assert len(away) == 300
    assert away[:3] == [False, False, True]
    assert sum(away) == pytest.approx(200, abs=3)
    assert not away[-1]
    assert np.diff(tries) == pytest.approx([1.02, 1.0], abs=0.03)


def test_no_gamepad() -> None:
    """The real library on a machine without one: none found, and the error says what there is."""
    pytest.importorskip("pygame")
    if find_gamepads():
        pytest.skip("a game controller is plugged in")
    with pytest.raises(TrackerError, match="no game controller 'xbox'; there are: none"):
        open_tracker("gamepad:xbox").open()
    with pytest.raises(TrackerError, match="no game controller; there are: none"):
        open_tracker("gamepad").open()


def test_mouse_without_a_screen() -> None:
    """An error, not a mouse that never moves; in a process of its own, since SDL keeps the screen it found."""
    pytest.importorskip("pygame")
    code = (
        "import os; [os.environ.pop(name, None) for name in ('DISPLAY', 'WAYLAND_DISPLAY')]\n"
        "from gesturemap.trackers import open_tracker\n"
        "open_tracker('mouse').open()"
    )
    if sys.platform != "linux":
        pytest.skip("other systems always have a screen")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "TrackerError: no screen, so no mouse" in done.stderr


@pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")
def test_mouse_on_a_real_x_server() -> None:
    """Moved as by a device (not warped, which SDL overlooks), read without a window of our own."""
    pytest.importorskip("pygame")
    code = (
        "import subprocess\n"
        "from gesturemap.trackers import open_tracker\n"
        "with open_tracker('mouse') as mouse:\n"
        "    for x, y in (('0', '0'), ('160', '120'), ('500', '500')):\n"
        "        subprocess.run(['xdotool', 'mousemove_relative', x, y], check=True)\n"
        "        print(*mouse.read(0.1).values.round(2))\n"
    )
    with subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None
        try:
            display = server.stdout.readline().decode().strip()
            command = ["env", f"DISPLAY=:{display}", sys.executable, "-c", code]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        finally:
            server.terminate()
    assert done.stdout.splitlines() == ["0.5 0.5 0.0 0.0 0.0", "0.75 0.75 0.0 0.0 0.0", "1.0 1.0 0.0 0.0 0.0"]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra."""
    monkeypatch.setitem(sys.modules, "pygame", None)
    for name in ("mouse", "gamepad"):
        with pytest.raises(MissingExtraError, match=r"gesturemap\[desktop\]"):
            open_tracker(name).open()
