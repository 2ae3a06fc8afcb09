"""What can be set about a performance beside its mapping."""

from __future__ import annotations

from pydantic import Field

from audiovae.settings import Settings


class LiveSettings(Settings):
    """Limits and times of a performance.

    Parameters
    ----------
    slew_per_s : how fast a latent may move, in widths of its range a second: 10 crosses it in a tenth of a second.
    osc_rate_hz : at most so many ``/latent`` messages a second; 0 sends one a frame.
    idle_after_s : a live tracker that gives no frame for so long (and for 3 of its frames) has lost the hand.
    answer_after_s : a Wekinator that has not answered for so long counts as silent.
    fade_s : of the sound, at its beginning and end and when panic is pressed and taken back.
    block_s : of sound that is decoded at a time, rounded up to whole latent frames.
    lead_blocks : blocks that are decoded before they are heard; more is safer and later.
    priority : real-time priority of the control loop (Linux SCHED_FIFO, 1 to 99) where the system allows it; 0 asks
        for none. It keeps a busy machine from being late; leave it out with trackers that fill a core, as cameras do.
    """

    slew_per_s: float = Field(default=10.0, gt=0.0)
    osc_rate_hz: float = Field(default=0.0, ge=0.0)
    idle_after_s: float = Field(default=0.1, gt=0.0)
    answer_after_s: float = Field(default=0.5, gt=0.0)
    fade_s: float = Field(default=0.1, gt=0.0)
    block_s: float = Field(default=0.01, gt=0.0, le=1.0)
    lead_blocks: int = Field(default=2, ge=1, le=50)
    priority: int = Field(default=0, ge=0, le=99)
