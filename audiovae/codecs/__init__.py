"""The files of a model folder at work, one codec a family, without its sidecar and without torch."""
