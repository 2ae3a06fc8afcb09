"""Audio files to a memory-mapped corpus with a split by source file; resampling, procedural loops."""
