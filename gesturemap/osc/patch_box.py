"""What the patches for Max and Pure Data have in common: what they are made for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gesturemap.errors import OscError


@dataclass(frozen=True)
class PatchPlan:
    """The receiver of one model's latents.

    Parameters
    ----------
    name : of the model; the patch's nn~ looks for ``<name>.ts``.
    latent_names : one for every dimension.
    low, high, rest : range of each message, and where it begins.
    channels : of the sound.
    port : that listens for ``/latent``.
    sample_rate : Hz that the model sounds right at; 0 if not known.
    hop_length : samples per latent frame; 0 if not known.
    moves : ``+~`` or ``*~`` where the messages move the latents of live sound, which nn~ encodes; empty where they are
        the latents themselves.
    latent_low, latent_high : range of the moved latents.
    """

    name: str
    latent_names: tuple[str, ...]
    low: Sequence[float]
    high: Sequence[float]
    rest: Sequence[float]
    channels: int = 1
    port: int = 7400
    sample_rate: int = 0
    hop_length: int = 0
    moves: str = ""
    latent_low: Sequence[float] = ()
    latent_high: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Refuse what neither program could open."""
        if not 0 < self.port < 65536:
            raise OscError(f"port {self.port} found, 1 to 65535 expected")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise OscError(f"patch name {self.name!r}: use letters, digits, _ and -")

    @property
    def microphone(self) -> str:
        """The box of the sound that comes in."""
        return " ".join(["adc~", *(str(channel + 1) for channel in range(self.channels))])

    def limiter(self, index: int) -> str:
        """The box that keeps a moved latent in the model's range."""
        return f"clip~ {self.latent_low[index]:.6g} {self.latent_high[index]:.6g}"

    @property
    def buffer(self) -> int:
        """Samples of nn~'s buffer: the smallest safe one, a power of two, at least the hop and at least 512."""
        return max(512, 1 << max(0, self.hop_length - 1).bit_length())

    @property
    def ramp_ms(self) -> int:
        """Of each latent to its next value: one latent frame, 20 ms if not known."""
        known = self.sample_rate and self.hop_length
        return max(1, round(1000 * self.hop_length / self.sample_rate)) if known else 20

    @property
    def notes(self) -> list[str]:
        """Lines for a reader of the patch."""
        rate = f"{self.sample_rate} Hz: set this sample rate" if self.sample_rate else "see the model card for its rate"
        ranges = [
            f"{name}: {low:.3f} to {high:.3f}"
            for name, low, high in zip(self.latent_names, self.low, self.high, strict=True)
        ]
        return [
            f"{self.name}: {len(self.latent_names)} latents on UDP port {self.port} as /latent",
            f"nn~ looks for {self.name}.ts beside this patch. {rate}",
            "start with OMP_NUM_THREADS=1 where several nn~ run",
            *ranges,
        ]


def safe_name(text: str) -> str:
    """`text` as a name that both programs take."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "model"
