"""The frame of every page: one HTML file that needs nothing else, in one style, whose pictures can be saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def fill_page(template: str, **contents: Any) -> str:
    """The page as text: a template of this folder, which extends ``page.html``; a name it misses is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(contents)
