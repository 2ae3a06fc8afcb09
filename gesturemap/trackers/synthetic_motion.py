"""Smooth seeded motion as a function of time: band-limited noise, and two articulated hands driven by it."""

from __future__ import annotations

import numpy as np

from gesturemap.frame import Array
from gesturemap.trackers.hand_layout import CHANNELS_PER_HAND, LANDMARKS

MAX_FREQUENCY_HZ = 2.0
MIN_FREQUENCY_HZ = 0.05
N_SINES = 4

# A flat right hand, palm to the camera, fingers up, in metres: x right, y down, z away from the camera.
_KNUCKLES = np.array(
    [
        [0.025, -0.02, 0.0],
        [0.025, -0.085, 0.0],
        [0.005, -0.09, 0.0],
        [-0.015, -0.083, 0.0],
        [-0.033, -0.072, 0.0],
    ]
)
_BONES = np.array(
    [
        [0.035, 0.03, 0.025],
        [0.04, 0.025, 0.02],
        [0.045, 0.028, 0.022],
        [0.042, 0.026, 0.021],
        [0.033, 0.019, 0.018],
    ]
)
_FAN_DEG = np.array([42.0, 7.0, 0.0, -6.0, -13.0])
_BEND_DEG = np.array([[35.0, 30.0, 30.0], *([[70.0, 90.0, 50.0]] * 4)])
_SPREAD_DEG = np.array([15.0, 8.0, 1.0, -6.0, -12.0])

_WIDTH_PER_METRE = 1.0
_ASPECT = 4 / 3


class SmoothMotion:
    """Band-limited noise: `N_SINES` seeded sines a channel, 0.05 to 2 Hz, slow ones stronger.

    A function of time alone, so the numbers do not depend on how they are asked for.
    """

    def __init__(self, seed: int, n_channels: int) -> None:
        rng = np.random.default_rng(seed)
        shape = (n_channels, N_SINES)
        self._frequency_hz = np.exp(rng.uniform(np.log(MIN_FREQUENCY_HZ), np.log(MAX_FREQUENCY_HZ), shape))
        self._phase = rng.uniform(0.0, 2 * np.pi, shape)
        strength = rng.uniform(0.5, 1.0, shape) / np.sqrt(self._frequency_hz)
        self._amplitude = strength / strength.sum(axis=1, keepdims=True)

    def at(self, time_s: float) -> Array:
        """(n_channels,) values in [-1, 1]."""
        sines = np.sin(2 * np.pi * self._frequency_hz * time_s + self._phase)
        return np.asarray((self._amplitude * sines).sum(axis=1))


class HandsMotion:
    """Two hands in front of a camera. Each is out of sight for half a second every five to eight seconds."""

    absence_s = 0.5

    def __init__(self, seed: int) -> None:
        self._motion = SmoothMotion(seed, 22)
        rng = np.random.default_rng((seed, 1))
        self._period_s = rng.uniform(5.0, 8.0, 2)
        self._first_absence_s = rng.uniform(1.0, 4.5, 2)

    def at(self, time_s: float) -> Array:
        """(254,) values in the order of `hand_layout`."""
        motion = self._motion.at(time_s).reshape(2, 11)
        hands = [self._hand(side, motion[side], time_s) for side in (0, 1)]
        return np.concatenate(hands)

    def _hand(self, side: int, motion: Array, time_s: float) -> Array:
        if (time_s - self._first_absence_s[side]) % self._period_s[side] < self.absence_s:
            return np.concatenate([[0.0], np.full(CHANNELS_PER_HAND - 1, np.nan)])
        points = hand_shape(curl=0.5 + 0.5 * motion[:5], spread=motion[5], mirrored=side == 0)
        points = points @ _rotation(*np.deg2rad([35.0, 45.0, 30.0]) * motion[6:9]).T
        # Un-mirrored: the performer's left hand is on the right of the picture.
        wrist = np.array([0.7 if side == 0 else 0.3, 0.62]) + [0.15, 0.2] * motion[9:11]
        picture = points * [_WIDTH_PER_METRE, _WIDTH_PER_METRE * _ASPECT, _WIDTH_PER_METRE]
        picture[:, :2] += wrist
        world = points - points.mean(axis=0)
        return np.concatenate([[1.0], picture.ravel(), world.ravel()])


def hand_shape(curl: Array, spread: float, mirrored: bool) -> Array:
    """Landmarks of an upright hand with its palm to the camera.

    Parameters
    ----------
    curl : (5,) thumb to little finger, 0 straight, 1 in the palm.
    spread : -1 fingers together, 1 fanned out.
    mirrored : False for a right hand, True for a left one.

    Returns
    -------
    (21, 3) metres from the wrist in the order of `LANDMARKS`: x right, y down, z away from the camera.
    """
    bend = np.cumsum(np.deg2rad(_BEND_DEG) * curl[:, None], axis=1)
    fan = np.deg2rad(_FAN_DEG + _SPREAD_DEG * spread)[:, None]
    straight = np.cos(bend)
    directions = np.stack([np.sin(fan) * straight, -np.cos(fan) * straight, -np.sin(bend)], axis=-1)
    joints = _KNUCKLES[:, None, :] + np.cumsum(_BONES[..., None] * directions, axis=1)
    points = np.zeros((len(LANDMARKS), 3))
    points[1:] = np.concatenate([_KNUCKLES[:, None, :], joints], axis=1).reshape(-1, 3)
    if mirrored:
        points[:, 0] *= -1.0
    return points


def _rotation(roll: float, yaw: float, pitch: float) -> Array:
    """(3, 3) turn about z, then y, then x, in radians."""
    (cr, cy, cp), (sr, sy, sp) = np.cos([roll, yaw, pitch]), np.sin([roll, yaw, pitch])
    about_z = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    return np.asarray(about_x @ about_y @ about_z)
