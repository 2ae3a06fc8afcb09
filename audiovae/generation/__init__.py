"""Latents that no sound was encoded to: sampled, walked, interpolated; and the sound of them."""
