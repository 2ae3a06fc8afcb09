"""Hand motion to latent space: trackers, features, recording, mappings, reports.

Importing this package loads neither torch, nor mediapipe, nor any device library.
"""

from gesturemap.frame import Channel, Frame, Layout

__all__ = ["Channel", "Frame", "Layout"]
