"""The channels of two tracked hands: names, units and order, shared by every tracker that sees hands."""

from __future__ import annotations

from gesturemap.frame import Channel, Layout

SIDES = ("left", "right")

# MediaPipe's names and order, https://ai.google.dev/edge/mediapipe/solutions/vision/hand_landmarker
LANDMARKS = (
    "wrist",
    "thumb_cmc",
    "thumb_mcp",
    "thumb_ip",
    "thumb_tip",
    "index_finger_mcp",
    "index_finger_pip",
    "index_finger_dip",
    "index_finger_tip",
    "middle_finger_mcp",
    "middle_finger_pip",
    "middle_finger_dip",
    "middle_finger_tip",
    "ring_finger_mcp",
    "ring_finger_pip",
    "ring_finger_dip",
    "ring_finger_tip",
    "pinky_mcp",
    "pinky_pip",
    "pinky_dip",
    "pinky_tip",
)

CHANNELS_PER_HAND = 1 + 6 * len(LANDMARKS)


def hand_layout() -> Layout:
    """254 channels: for the left, then the right hand

    - ``left_present`` (bool): 1 when the hand is seen, else 0;
    - ``left_wrist_x``, ``_y``, ``_z``, then the other landmarks (norm): place in the un-mirrored picture. x
      is a share of its width from the left, y a share of its height from the top, z the depth behind the
      wrist in units of about the picture's width;
    - ``left_wrist_world_x``, ``_y``, ``_z``, ... (m): shape of the hand about its own centre, axes as in the
      picture. These carry no place: combine them with the picture's x and y.

    A hand that is not seen is NaN in all but its ``_present``.
    """
    return Layout(tuple(channel for side in SIDES for channel in _channels(side)))


def hand_block(side: int) -> slice:
    """Columns of one hand: its present flag, 63 picture and 63 world values. `side` 0 left, 1 right."""
    return slice(side * CHANNELS_PER_HAND, (side + 1) * CHANNELS_PER_HAND)


def _channels(side: str) -> list[Channel]:
    channels = [Channel(f"{side}_present", "bool", 0.0, 1.0)]
    for landmark in LANDMARKS:
        channels += [Channel(f"{side}_{landmark}_{axis}", "norm", 0.0, 1.0) for axis in "xy"]
        channels.append(Channel(f"{side}_{landmark}_z", "norm", -0.5, 0.5))
    for landmark in LANDMARKS:
        channels += [Channel(f"{side}_{landmark}_world_{axis}", "m", -0.2, 0.2) for axis in "xyz"]
    return channels
