"""Models: a Settings class above each Model class."""
