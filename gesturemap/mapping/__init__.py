"""Mappings: from recorded pairs to a fitted, measured, labelled mapping, and the folder it is kept in."""

from gesturemap.mapping.mapping import Examples, Mapping, MappingLabel, OutputSettings, fill_absent

__all__ = ["Examples", "Mapping", "MappingLabel", "OutputSettings", "fill_absent"]
