"""``prior.onnx`` at work: one step of the prior over a model's latents, without torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from audiovae.codecs.codec import FloatArray
from audiovae.codecs.session import open_session
from audiovae.errors import ModelFolderError

State = list[FloatArray]


class OnnxPrior:
    """A prior that was exported; see `audiovae.generation.prior.PriorSampler`.

    Parameters
    ----------
    path : of ``prior.onnx``.

    Attributes
    ----------
    model_id, model_name : of the model whose latents it makes.
    n_noise : standard normal numbers a step.

    Raises
    ------
    ModelFolderError
        If the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        _, _, noise, *states = self._session.get_inputs()
        self._states = [(state.name, tuple(state.shape[1:])) for state in states]
        self.n_noise = int(noise.shape[1])
        metadata = self._session.get_modelmeta().custom_metadata_map
        try:
            self.model_id, self.model_name = metadata["model_id"], metadata["model_name"]
            self._mean = np.array(json.loads(metadata["start"]), np.float32)
        except (KeyError, ValueError) as error:
            raise ModelFolderError(f"{path} lacks {error}: export the model and its prior again") from None

    def start(self) -> tuple[FloatArray, State]:
        """The frame (1, latent_size) and the state before the first step."""
        return self._mean[None], [np.zeros((1, *shape), np.float32) for _, shape in self._states]

    def advance(
        self, previous: FloatArray, temperature: FloatArray, noise: FloatArray, state: State
    ) -> tuple[FloatArray, State]:
        """The next latents (batch, latent_size) and the state after; arguments as of `LatentPrior.step`, float32."""
        feed = {"previous": previous, "temperature": temperature, "noise": noise}
        feed |= {name: value for (name, _), value in zip(self._states, state, strict=True)}
        latents, *after = self._session.run(None, feed)
        return np.asarray(latents), after
