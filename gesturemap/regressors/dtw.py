"""Gestures in time, told apart by their shape: dynamic time warping against examples, as Wekinator offers it.

Frames are thinned so that the longest example has `max_length` of them, and the latest frames of the stream are
compared with every example, over every stretch of `min_length` frames up to the longest example. Warping is exact
within a band; Wekinator's FastDTW approximates it, but hardly on sequences of ten.

Source: Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE Trans. ASSP
26 (1978): the recursion and the band.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from gesturemap.errors import MappingError
from gesturemap.frame import Array


class GestureRecogniser:
    """Which gesture the latest frames look like, and how near each is.

    Parameters
    ----------
    n_gestures : gestures are numbered 1..n_gestures.
    threshold : distance below which a gesture is recognised.
    window : how many thinned frames the warping may run ahead or behind; two sequences of unequal length always
        have a way through.
    max_length : thinned frames of the longest example.
    min_length : frames that an example needs, and thinned frames of the shortest stretch that is compared.
    """

    def __init__(
        self, n_gestures: int, threshold: float = 5.0, window: int = 5, max_length: int = 10, min_length: int = 5
    ) -> None:
        if n_gestures < 1 or window < 0 or max_length < 2 or min_length < 1:
            raise MappingError(
                f"{n_gestures} gestures, window {window}, max_length {max_length}, min_length {min_length} found:"
                " 1, 0, 2 and 1 are the smallest"
            )
        self.n_gestures = n_gestures
        self.threshold = threshold
        self.window = window
        self.max_length = max_length
        self.min_length = min_length
        self.examples: list[tuple[int, Array]] = []
        self.enabled = np.ones(n_gestures, dtype=bool)
        self.match = 0
        self._thinned()

    def add_example(self, gesture: int, frames: Array) -> None:
        """Learn that frames (n_frames, n_features) are `gesture`.

        Raises
        ------
        MappingError
            If there is no such gesture, fewer than `min_length` frames, another number of features than before, or
            a number that is not finite.
        """
        rows = np.asarray(frames, dtype=np.float64)
        if not 1 <= gesture <= self.n_gestures:
            raise MappingError(f"gesture {gesture} found, one of 1..{self.n_gestures} expected")
        if rows.ndim != 2 or not np.isfinite(rows).all():
            raise MappingError(f"frames of shape {rows.shape} found, finite (n_frames, n_features) expected")
        if len(rows) < self.min_length:
            raise MappingError(f"{len(rows)} frames found, {self.min_length} or more needed: record a longer gesture")
        if self.examples and rows.shape[1] != self.examples[0][1].shape[1]:
            raise MappingError(f"{rows.shape[1]} features found, {self.examples[0][1].shape[1]} expected")
        self.examples.append((gesture, rows))
        self._thinned()

    def delete(self, gesture: int | None = None) -> None:
        """Forget the examples of one gesture, or all."""
        self.examples = [each for each in self.examples if gesture is not None and each[0] != gesture]
        self._thinned()

    def reset(self) -> None:
        """Forget the stream, not the examples."""
        self._frames: deque[Array] = deque(maxlen=max(map(len, self._sequences), default=1))
        self._n_seen = 0
        self.match = 0

    def process(self, frame: Array) -> Array | None:
        """Take the next frame of the stream.

        Parameters
        ----------
        frame : (n_features,), finite.

        Returns
        -------
        Distance of each gesture (n_gestures,), infinite for one without examples, disabled, or as long as the
        stream is too short; None at a frame that is thinned out. `match` then is the
        nearest gesture below the threshold, or 0.
        """
        self._n_seen += 1
        if (self._n_seen - 1) % self.factor:
            return None
        self._frames.append(np.asarray(frame, dtype=np.float64))
        distances = self._distances()
        distances[~self.enabled] = np.inf
        nearest = int(distances.argmin())
        self.match = nearest + 1 if distances[nearest] < self.threshold else 0
        return distances

    def _thinned(self) -> None:
        longest = max((len(rows) for _, rows in self.examples), default=1)
        self.factor = -(-longest // self.max_length)
        self._sequences = [rows[:: self.factor] for _, rows in self.examples]
        self.reset()

    def _distances(self) -> Array:
        best = np.full(self.n_gestures, np.inf)
        shortest = min([self.min_length, *map(len, self._sequences)])
        if not self._sequences or len(self._frames) < shortest:
            return best
        stream = np.array(self._frames)
        for (gesture, _), distance in zip(
            self.examples, warped_distances(self._sequences, stream, shortest, self.window), strict=True
        ):
            best[gesture - 1] = min(best[gesture - 1], distance)
        return best


def warped_distances(sequences: Sequence[Array], stream: Array, shortest: int, window: int) -> Array:
    """Distance of each sequence to the best end of a stream.

    Parameters
    ----------
    sequences : of (n_frames, n_features) each.
    stream : (n_stream, n_features); its last 1..n_stream frames are its ends.
    shortest : frames of the shortest end to look at.
    window : how far the way may leave the diagonal, beyond the difference of the two lengths.

    Returns
    -------
    (n_sequences,) the smallest sum of Euclidean distances along a way through both, first to first, last to last.

    Read backwards all ends begin with the same frame, so one table answers for all of them: its row holds the
    ways up to the first i frames of the reversed sequence, its column the first j of the reversed stream.
    """
    lengths = np.array([len(sequence) for sequence in sequences])
    n, m = int(lengths.max()), len(stream)
    padded = np.zeros((len(sequences), n, stream.shape[1]))
    for index, sequence in enumerate(sequences):
        padded[index, : len(sequence)] = sequence[::-1]
    gaps = padded[:, :, None] - stream[::-1]
    cost = np.sqrt(np.einsum("enmd,enmd->enm", gaps, gaps))
    ways = np.full((len(sequences), n + 1, m + 1), np.inf)
    ways[:, 0, 0] = 0.0
    row, column = np.arange(n)[:, None], np.arange(m)
    cost[:, np.abs(row - column) > window + abs(n - m)] = np.inf
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        before = np.minimum(np.minimum(ways[:, i, j + 1], ways[:, i + 1, j]), ways[:, i, j])
        ways[:, i + 1, j + 1] = cost[:, i, j] + before
    ends = ways[np.arange(len(sequences)), lengths, shortest:]
    return np.asarray(ends.min(axis=1))
