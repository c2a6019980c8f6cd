"""How a model finds things in pictures: the section DETE. docs/FORMAT.md, "Finding things"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import spec
from .layout import Layout
from .rules import Between, Check, Fits, Require, When, at_most, equal, nonzero, parameters, product, total

_MOST = spec.DETECT_LIMITS
_PLACES = 1 << 24  # 65,536 pixels in 1/256: what a grid may span
_LAST = product("last", "box_step")


def _reach(*fields: str, bytes: Any) -> Require:
    return Require("BAD_TENSOR", tuple(Fits(name, bytes) for name in fields))


# What a file may say, for C and Python. What binds a grid to its file (numbers of tables, anchors and keypoints, the
# section's length) is checked beside them, by hand.
CHECKS: dict[Check, Layout] = {
    Check(
        "detect",
        (
            parameters(
                Between("grids", 1, _MOST["grids"]),
                Between("anchors", 1, _MOST["anchors"]),
                Between("tables", 1, _MOST["tables"]),
                Between("most", 1, _MOST["most"]),
                at_most("keypoints", _MOST["keypoints"]),
                Between("mode", 1, len(spec.DETECT_MODES)),
                at_most("overlap", 1 << 15),
                Between("least", 1, (1 << 15) - 1),
            ),
        ),
    ): spec.DETECT,
    Check(
        "grid",
        (
            parameters(
                at_most("last", _MOST["candidates"] - 1),
                equal(product("columns", "rows", "anchors"), total("last", 1)),
                at_most("last_class", 254),
                at_most("last_keypoint", _MOST["keypoints"] - 1),
                at_most(product("columns", "stride_x"), _PLACES),
                at_most(product("rows", "stride_y"), _PLACES),
                at_most("origin_x", _PLACES),
                at_most("origin_y", _PLACES),
                at_most("position_shift", 15),
                at_most("size_shift", 15),
            ),
            _reach("scores", bytes=total(1, product("last", "score_step"), product("last_class", "class_step"))),
            When(nonzero("has_objectness"), (_reach("objectness", bytes=total(1, product("last", "score_step"))),)),
            When(
                nonzero("has_box"),
                (
                    _reach("x", "y", "width", "height", bytes=total(1, _LAST)),
                    _reach(
                        "keypoint_x",
                        "keypoint_y",
                        bytes=total(1, _LAST, product("last_keypoint", "keypoint_step")),
                    ),
                ),
            ),
        ),
    ): spec.GRID,
}


@dataclass
class Detection:
    """What a model's heads mean. grids: the fields of each spec.GRID; anchors: (unit_x, unit_y, width, height) of each,
    in pixels of the input; tables: int16 [256] each, by the value + 128. overlap and least are shares of 1."""

    grids: list[dict[str, int]]
    anchors: list[tuple[float, float, float, float]]
    tables: list[np.ndarray] = field(default_factory=list)
    mode: str = "suppress"
    apart: bool = True
    overlap: float = 0.45
    least: float = 0.5
    most: int = 100
    keypoints: int = 0

    def to_bytes(self) -> bytes:
        """The section."""
        head = spec.DETECT.pack(
            grids=len(self.grids),
            anchors=len(self.anchors),
            tables=len(self.tables),
            most=self.most,
            keypoints=self.keypoints,
            mode=spec.DETECT_MODES[self.mode],
            apart=self.apart,
            overlap=round(self.overlap * (1 << 15)),
            least=max(1, min(round(self.least * (1 << 15)), (1 << 15) - 1)),
        )
        fields = [field.name for field in spec.ANCHOR.fields]
        sixteenths = [[round(16 * value) for value in anchor] for anchor in self.anchors]
        parts = [spec.GRID.pack(**grid) for grid in self.grids]
        parts += [spec.ANCHOR.pack(**dict(zip(fields, anchor, strict=True))) for anchor in sixteenths]
        parts += [table.astype("<i2").tobytes() for table in self.tables]
        return head + b"".join(parts)
