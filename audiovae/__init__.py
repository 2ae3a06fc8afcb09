"""Audio to latent space and back: corpora, models, training, export, playing.

Importing this package loads neither torch nor any device library.
"""

from audiovae.latent_space import LatentSpace

__all__ = ["LatentSpace"]
