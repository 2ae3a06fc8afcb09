"""The commands of `audiovae`, a file for each part of the way; `audiovae.cli` joins them."""
