"""What tests of audiovae share."""

from __future__ import annotations

import os

# Before torch is imported: on a busy machine the threads of tiny models mostly wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
