"""A performance: tracker -> features -> latents -> guard -> OSC and sound. `perform` is where to start reading."""
