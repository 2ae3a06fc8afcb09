"""Mouse and game controllers through SDL; the only file that knows pygame (pygame-ce)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.trackers.quiet import quiet_stderr

N_AXES, N_BUTTONS = 6, 15  # of SDL's standard controller


class MouseState(NamedTuple):
    """Where the pointer is.

    Parameters
    ----------
    x, y : pixels from the left and from the top of the first screen.
    width, height : of that screen, in pixels.
    buttons : left, middle, right.
    """

    x: int
    y: int
    width: int
    height: int
    buttons: tuple[bool, bool, bool]


class GamepadState(NamedTuple):
    """What the hands do on a standard controller.

    Parameters
    ----------
    axes : `N_AXES` counts, -32768..32767; triggers 0..32767.
    buttons : `N_BUTTONS`.
    """

    axes: tuple[int, ...]
    buttons: tuple[bool, ...]


def open_mouse() -> Callable[[], MouseState]:
    """A function that reads the mouse, wherever on the screen it is.

    Raises
    ------
    TrackerError
        If there is no screen. `MissingExtraError` if pygame is not installed.
    """
    pygame = _pygame()
    try:
        with quiet_stderr():
            pygame.display.init()
    except pygame.error as error:
        raise TrackerError(f"no screen, so no mouse ({error}): start it in a desktop session") from None
    if pygame.display.get_driver() in ("dummy", "offscreen"):
        raise TrackerError("no screen, so no mouse: start it in a desktop session")
    width, height = pygame.display.get_desktop_sizes()[0]

    def read() -> MouseState:
        pygame.event.pump()  # without it SDL does not notice that the mouse moved
        x, y = pygame.mouse.get_pos(desktop=True)
        left, middle, right = pygame.mouse.get_pressed(desktop=True)
        return MouseState(x, y, width, height, (left, middle, right))

    return read


def open_gamepad(source: str) -> Callable[[], GamepadState | None]:
    """A function that reads a game controller; None once it is unplugged.

    Parameters
    ----------
    source : number from 0, or a part of its name; empty for the first one.

    Raises
    ------
    TrackerError
        If there is none. `MissingExtraError` if pygame is not installed.
    """
    names = find_gamepads()
    pygame, controllers = _controllers()
    chosen = [index for index, name in names.items() if source == str(index) or source.lower() in name.lower()]
    if not chosen:
        there = ", ".join(f"{index}: {name}" for index, name in names.items()) or "none"
        raise TrackerError(
            f"no game controller{f' {source!r}' if source else ''}; there are: {there}. Plug one in; on Linux you may "
            "need to be in the group input: sudo usermod -aG input $USER"
        )
    device = controllers.Controller(chosen[0])

    def read() -> GamepadState | None:
        pygame.event.pump()
        if not device.attached():
            return None
        axes = tuple(device.get_axis(axis) for axis in range(N_AXES))
        return GamepadState(axes, tuple(bool(device.get_button(button)) for button in range(N_BUTTONS)))

    return read


def find_gamepads() -> dict[int, str]:
    """Number and name of every game controller. Errors: `MissingExtraError`."""
    pygame, controllers = _controllers()
    pygame.event.pump()  # SDL takes note of what was plugged in
    found = [index for index in range(controllers.get_count()) if controllers.is_controller(index)]
    return {index: pygame.joystick.Joystick(index).get_name() for index in found}


def _controllers() -> tuple[Any, Any]:
    """Pygame and its controllers, ready without a screen and heard without a window in front."""
    pygame = _pygame()
    from pygame._sdl2 import controller

    os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
    if not pygame.display.get_init():
        before = os.environ.get("SDL_VIDEODRIVER")
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        try:
            pygame.display.init()
        finally:
            os.environ.pop("SDL_VIDEODRIVER")
            if before is not None:
                os.environ["SDL_VIDEODRIVER"] = before
    controller.init()
    return pygame, controller


def _pygame() -> Any:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it would greet on stdout, where results go
    try:
        import pygame
    except ImportError:
        raise MissingExtraError("pygame-ce", "desktop") from None
    return pygame
