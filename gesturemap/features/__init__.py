"""Features: what a regressor sees of a gesture. Position, velocity, acceleration, jerk, speed, hand shape.

One implementation serves the stream and the file: `FeatureExtractor.process` gives the same bits whatever the
blocks are cut into. The way through a frame is ``smoothing -> expressions -> derivatives -> hand shape -> window``,
a file each.
"""

from gesturemap.features.derivatives import DerivativeSettings
from gesturemap.features.extractor import FeatureExtractor, FeatureSettings, extract_features, load_features
from gesturemap.features.smoothing import ExponentialFilter, OneEuroFilter, SmoothingSettings, make_smoother
from gesturemap.features.windows import WindowSettings

__all__ = [
    "DerivativeSettings",
    "ExponentialFilter",
    "FeatureExtractor",
    "FeatureSettings",
    "OneEuroFilter",
    "SmoothingSettings",
    "WindowSettings",
    "extract_features",
    "load_features",
    "make_smoother",
]
