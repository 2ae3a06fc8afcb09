"""One writer a folder: two programs that write the same takes would destroy both."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gesturemap.errors import RecordingError

if sys.platform != "win32":
    import fcntl


class FolderLock:
    """Held until `release`, or until this process ends, however that ends: it leaves nothing on disk.

    Parameters
    ----------
    folder : that exists.

    Raises
    ------
    RecordingError
        If another holds it, in this process or another.
    """

    def __init__(self, folder: Path) -> None:
        self._fd: int | None = None
        if sys.platform == "win32":  # knows no lock on a folder: there nobody is kept out
            return
        self._fd = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise RecordingError(
                f"{folder} is in use: a bridge, a recording or a performance writes there. End it, or choose another"
                " folder"
            ) from None
        except OSError:  # a file system without locks, as some network shares
            self.release()

    def release(self) -> None:
        """Let others write; harmless when called again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __del__(self) -> None:
        """Release."""
        self.release()
