"""Signal functions on numpy arrays: short-time Fourier transform, mel bands, inversion, descriptors. No torch."""
