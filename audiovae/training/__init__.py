"""Training: losses and schedules (pure functions), one task per model family, one loop, checkpoints."""
