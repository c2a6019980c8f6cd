"""The templates of the pages, with what they have in common."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ..errors import MidgeError, install
from ..quantize.proof import percent

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED = {"style.css": "midge_host.web"}  # with the page of `midge web`


def templates() -> Environment:
    """Those beside this file. Raises MidgeError where jinja2 is not installed."""
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError:
        raise MidgeError(f"the page is made with jinja2; {install('report')}") from None

    def source(name: str) -> str:
        return files(SHARED.get(name, __package__)).joinpath(name).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["percent"] = percent
    return environment
