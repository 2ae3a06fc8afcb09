"""Recording of gestures, alone or paired with the latents that were playing.

``recorder`` writes, ``recording`` reads, ``session`` is a performer at work (`gesturemap record`), ``trajectory`` and
``playing`` are what plays meanwhile, ``lag`` measures how far the hand trails it, ``triggers`` say what starts and
stops a take without hands, ``suggestions`` what to play next, ``tables`` import and export.
"""

from gesturemap.recording.recorder import Recorder
from gesturemap.recording.recording import Recording, Take

__all__ = ["Recorder", "Recording", "Take"]
