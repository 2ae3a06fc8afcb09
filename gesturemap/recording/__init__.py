"""Recording of gestures, alone or paired with the latents that were playing.

``recorder`` writes, ``recording`` reads, ``session`` is a performer at work (`gesturemap record`), ``trajectory``
is what plays meanwhile, ``lag`` measures how far the hand trails it, ``tables`` imports and exports.
"""

from gesturemap.recording.recorder import Recorder
from gesturemap.recording.recording import Recording, Take

__all__ = ["Recorder", "Recording", "Take"]
