"""The page of `midge show`: what a model makes of a reading, layer by layer, and how single values come about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device.model_file import ModelFile
from ..errors import printable
from .activations import Shown, Watched
from .pixels import data_uri
from .templates import templates
from .trace import TRACED, Term, Trace

SIDE = 128  # of a picture of one channel on the page, at most
MOST_SCORES = 50
SHEET = 640  # width of a sheet of pictures
STRIPES = 16  # height of a row of values, in pixels, at most


def page(model: ModelFile, what: str, watched: Watched) -> bytes:
    """The HTML. what: the reading, in words. Raises MidgeError where jinja2 or Pillow is not installed."""
    environment = templates()
    environment.filters["short"] = short
    traces = [{"traced": t, "table": terms_table(t.made, t.made.terms) if t.made else None} for t in watched.traces]
    text = environment.get_template("show.html").render(
        name=model.info.get("name") or "model",
        what=what,
        layers=[_layer(shown) for shown in watched.shown],
        outputs=[scores[:MOST_SCORES] for scores in scores_of(model, watched)],
        traces=traces,
        operators=TRACED,
    )
    return printable(text).encode("utf-8")


def _layer(shown: Shown) -> dict[str, Any]:
    pictures = shown.pictures
    row = shown.levels.reshape(1, -1)
    sheet, width, height = _sheet(pictures or [row.repeat(min(max(row.size // STRIPES, 1), STRIPES), 0)])
    return {
        "shown": shown,
        "shape": "x".join(map(str, shown.values.shape)),
        "count": len(pictures),
        "uri": data_uri(sheet),
        "width": width,
        "height": height,
    }


def _sheet(pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, int, int]:
    """Pictures of one size in rows, with a line between them, as (height, width, 4) bytes of red, green, blue and
    opacity, and the size in which it is shown."""
    height, width = pictures[0].shape[:2]
    factor = max(SIDE // max(width, height) if len(pictures) == 1 else SIDE // 2 // max(width, height), 1)
    across = min(len(pictures), max(SHEET // (factor * (width + 1)), 1))
    rows = -(-len(pictures) // across)
    sheet = np.zeros((rows * (height + 1) - 1, across * (width + 1) - 1, 4), np.uint8)
    for i, levels in enumerate(pictures):
        top, left = i // across * (height + 1), i % across * (width + 1)
        part = sheet[top : top + height, left : left + width]
        part[..., :3] = np.round((levels if levels.ndim == 3 else levels[:, :, None]) * 255)
        part[..., 3] = 255
    return sheet, factor * sheet.shape[1], factor * sheet.shape[0]


@dataclass(frozen=True)
class Score:
    """A value of an output. share: of the largest, or of 1 if that is more."""

    name: str
    value: float
    share: float


def scores_of(model: ModelFile, watched: Watched) -> list[list[Score]]:
    """Of each output its values, the largest first. The first output's have the names of classes."""
    found = []
    for i, values in enumerate(watched.outputs):
        names = model.classes if i == 0 else list(map(str, range(len(values))))
        most = max(float(np.abs(values).max()), 1.0)
        order = np.argsort(-values, kind="stable")
        found.append([Score(names[j], float(values[j]), max(float(values[j]), 0) / most) for j in order])
    return found


def terms_table(made: Trace, terms: Sequence[Term]) -> tuple[list[str], list[list[str]]]:
    """The header and a row for each term, without columns in which nothing is known."""
    value, weight, product = made.columns
    columns: dict[str, list[str]] = {
        "where": [term.where for term in terms],
        value: [f"{term.value:,}" for term in terms],
        f"real {value}": [short(term.real) for term in terms],
        weight: ["" if term.weight is None else f"{term.weight:,}" for term in terms],
        f"real {weight}": [short(term.real_weight) for term in terms],
        product: ["" if term.product is None else f"{term.product:,}" for term in terms],
    }
    kept = [name for name, cells in columns.items() if name and any(cells)]
    return kept, [list(row) for row in zip(*(columns[name] for name in kept), strict=True)]


def short(value: float | None) -> str:
    """Six digits, or two behind the point of large ones; nothing of what is not known."""
    if value is None or isinstance(value, int):
        return "" if value is None else f"{value:,}"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"
