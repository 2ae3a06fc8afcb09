"""The exceptions of audiovae.

::

    AudioVAEError
    ├── SettingsError       an unknown preset, key or value
    ├── AudioFileError      an audio file that cannot be read
    ├── CorpusError         no usable audio, or a damaged corpus
    ├── ShapeError          an array of another shape than the one asked for
    ├── CheckpointError     a run that cannot be saved, resumed or read
    ├── TrainingError       training that went wrong: a loss that is not finite
    ├── ExportError         a parity check failed: nothing was written
    ├── ModelFolderError    not an exported model, or a damaged one
    └── LatentsError        latents that are not of this model

Each message says what was found, what was expected and what to do next.
"""


class AudioVAEError(Exception):
    """Base of all errors a user can meet; the command line prints it without a traceback."""


class SettingsError(AudioVAEError):
    """An unknown preset, key or value."""


class AudioFileError(AudioVAEError):
    """An audio file that cannot be read."""


class CorpusError(AudioVAEError):
    """No usable audio, or a damaged corpus."""


class ShapeError(AudioVAEError):
    """An array of another shape than the one asked for."""


class CheckpointError(AudioVAEError):
    """A run that cannot be saved, resumed or read."""


class TrainingError(AudioVAEError):
    """Training that went wrong: a loss that is not finite."""


class ExportError(AudioVAEError):
    """A parity check failed: nothing was written."""


class ModelFolderError(AudioVAEError):
    """Not an exported model, or a damaged one."""


class LatentsError(AudioVAEError):
    """Latents that are not of this model."""


def describe_error(error: Exception) -> str:
    """One line; of a failed system call the file and the reason, without Python's number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
