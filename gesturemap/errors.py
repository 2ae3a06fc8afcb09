"""The exceptions of gesturemap.

::

    GestureMapError
    ├── LayoutError         channels that do not fit together
    ├── TrackerError        a tracker that is unknown, absent or lost
    │   └── MissingExtraError   a library that is not installed, and how to install it
    ├── FeatureError        a feature that this layout cannot give
    ├── RecordingError      a recording that cannot be read or written
    ├── MappingError        a mapping that cannot be fitted, read or written
    │   └── WrongModelError     a mapping used with a model it was not fitted on
    ├── OscError            a packet that is none, or a port that cannot be had
    └── ReportError         too little material for a report

Each message says what was found, what was expected and what to do next.
"""


class GestureMapError(Exception):
    """Base of all errors a user can meet; the command line prints it without a traceback."""


class LayoutError(GestureMapError):
    """Channels that do not fit together."""


class TrackerError(GestureMapError):
    """A tracker that is unknown, absent or lost."""


class MissingExtraError(TrackerError):
    """A library that is not installed, how to install it, and what to do without it, if there is anything."""

    def __init__(self, library: str, extra: str, without: str = "") -> None:
        otherwise = f"  or {without}" if without else ""
        super().__init__(f"{library} is not installed: run  pip install 'gesturemap[{extra}]'{otherwise}")
        self.library = library
        self.extra = extra


class FeatureError(GestureMapError):
    """A feature that this layout cannot give."""


class RecordingError(GestureMapError):
    """A recording that cannot be read or written."""


class MappingError(GestureMapError):
    """A mapping that cannot be fitted, read or written."""


class WrongModelError(MappingError):
    """A mapping used with a model it was not fitted on."""


class OscError(GestureMapError):
    """A packet that is none, or a port that cannot be had."""


class ReportError(GestureMapError):
    """Too little material for a report."""
