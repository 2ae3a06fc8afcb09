"""An ONNX file with an explicit state, at work: the state of one block is given to the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from audiovae.codecs.codec import FloatArray


class StreamSession:
    """One stream through a session: first input and output are signals, all others are the state, zeros at first.

    Parameters
    ----------
    session : an `onnxruntime.InferenceSession`; many streams may share it.
    batch : signals in parallel.
    """

    def __init__(self, session: Any, batch: int = 1) -> None:
        self._session = session
        self._signal, *states = session.get_inputs()
        self._names = [state.name for state in states]
        # The first dimension of a state is the batch, which has a name in place of a size.
        self._shapes = [(batch, *state.shape[1:]) for state in states]
        self._state: dict[str, FloatArray] = {}
        self.reset()

    def process(self, x: FloatArray) -> FloatArray:
        """Output (batch, channels, frames) of one block (batch, channels, frames) float32."""
        out, *after = self._session.run(None, self._state | {self._signal.name: x})
        self._state = dict(zip(self._names, after, strict=True))
        return np.asarray(out)

    def reset(self) -> None:
        """Forget what came before."""
        self._state = {name: np.zeros(shape, np.float32) for name, shape in zip(self._names, self._shapes, strict=True)}
