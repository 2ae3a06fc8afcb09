"""Sources of motion behind one seam: hands (camera), gametrak, osc, midi, lsl, gamepad, mouse, replay, synthetic.

`open_tracker` makes one from its name; `Tracker` in `base` is what they all are. Device libraries are
imported only when a tracker that needs one is opened.
"""

from gesturemap.trackers.base import Tracker, read_all
from gesturemap.trackers.registry import TrackerInfo, list_trackers, open_tracker

__all__ = ["Tracker", "TrackerInfo", "list_trackers", "open_tracker", "read_all"]
