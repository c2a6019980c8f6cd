"""SERIES_FILTER: samples of a window through recursive filters of second order."""

from __future__ import annotations

import numpy as np

from ...ir import series
from ...ir.operators import SeriesFilter
from ..banks import SERIES
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import Check, Holds, aligned, at_most, equal, nonzero, parameters, product, weights

SECTION_BYTES = 24
MAX_SECTIONS = 8

SERIES_FILTER = record(
    "series_filter",
    "int16 samples, each channel through second-order sections one after the other; may be in place. The block: six "
    "int32 for each section: b0, b1, b2, -a1, -a2 in 2^-30 and the gain at frequency 0 in 2^-13.",
    [
        ("H", "rows", "samples of a window"),
        ("H", "channels", "values of a sample"),
        ("H", "sections", "number of filters"),
    ],
)


def lower(node: SeriesFilter) -> list[Step]:
    _, rows, channels = node.source.shape
    sections = len(node.sections)
    if sections > MAX_SECTIONS:
        raise node.refuse(f"{sections} filters", f"use up to {MAX_SECTIONS}")
    fields = {"rows": rows, "channels": channels, "sections": sections}
    block = node.sections.astype("<i4").tobytes()
    return [Step("SERIES_FILTER", node.name, [node.source], node.output, fields, [block], dtype="int16")]


def run(context: Context) -> None:
    op = context.op
    shape, sections = (op["rows"], op["channels"]), op["sections"]
    table = context.block(0)[: SECTION_BYTES * sections].view(np.int32).reshape(sections, -1)
    x = context.tensor(shape, dtype=np.int16)
    context.tensor(shape, "output", np.int16)[:] = series.filtered(x[None], table)[0]


_SAMPLES = Operand("input", ("rows", "channels"), 2)
_FILTERED = Operand("output", ("rows", "channels"), 2)

CHECK = Check(
    "series_filter",
    (
        parameters(
            nonzero("rows", "channels", "sections"),
            at_most("rows", series.MAX_ROWS),
            at_most("sections", MAX_SECTIONS),
            aligned(2, "input", "output"),
            equal("blocks", 1),
        ),
        weights(Holds(product(SECTION_BYTES, "sections"))),
        fit(_SAMPLES, _FILTERED),
    ),
)

DEFINITIONS = (
    Operator(
        77,
        "SERIES_FILTER",
        SERIES,
        SERIES_FILTER,
        "series_filter",
        CHECK,
        (_SAMPLES, _FILTERED),
        run,
        dtype="int16",
        has_blocks=True,
        in_place=True,
        constants=(
            Constant("SECTION_BYTES", SECTION_BYTES, "a filter of SERIES_FILTER"),
            Constant("COEFFICIENT_BITS", series.COEFFICIENT_BITS, "fraction of a filter's coefficients"),
            Constant("FILTERED_BITS", series.OUTPUT_BITS, "fraction of the samples that a filter keeps"),
            Constant("FILTERED_LIMIT", series.OUTPUT_LIMIT, "of what a filter gave, with that fraction"),
        ),
    ),
)
