"""Gaussian noise that is a function of its place: the same for blocks of any size, without a generator's state."""

# No postponed annotations here: TorchScript reads them.

import math

import torch
from torch import Tensor


def counter_noise(batch: int, size: int, frames: int, start: int, device: torch.device) -> Tensor:
    """Standard normal (batch, size, frames) of the frames from `start` on, other for every place.

    Two hashes of the place make two uniform numbers, these one normal number (Box and Muller 1958).
    """
    frame = torch.arange(start, start + frames, device=device)[None, None]
    place = frame * size + torch.arange(size, device=device)[None, :, None]
    seed = 2 * torch.arange(batch, device=device)[:, None, None]
    radius = (hash_integers(place ^ hash_integers(seed)) + 1).double() / 2**32
    angle = hash_integers(place ^ hash_integers(seed + 1)).double() / 2**32
    return ((-2 * torch.log(radius)).sqrt() * torch.cos(2 * math.pi * angle)).float()


def hash_integers(x: Tensor) -> Tensor:
    """Integers (int64) to integers in [0, 2^32), one bit of the input changing half of the output's.

    Two rounds of multiplying and shifting with the constants of Wellons' "lowbias32" (public domain).
    """
    x = (x + 0x9E3779B9) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return x ^ (x >> 16)
