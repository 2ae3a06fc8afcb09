"""The commands of `gesturemap`, a file for each part of the way; `gesturemap.cli` joins them."""
