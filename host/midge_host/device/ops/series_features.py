"""SERIES_FEATURES: what is told of windows of samples by their statistics and their spectrum."""

from __future__ import annotations

import numpy as np

from ...ir import series
from ...ir.operators import SeriesFeatures
from ..banks import SERIES
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import quantize_multiplier
from ..record import Context, Step
from ..rules import (
    Ceil,
    Check,
    Choice,
    HasFlag,
    Holds,
    aligned,
    at_least,
    at_most,
    equal,
    nonzero,
    parameters,
    product,
    total,
    weights,
)

HAS_BANDS, INT8, INT16 = 1, 2, 4
WORD = 4  # bytes: a cosine and a sine, a feature of float32
RESCALE_BYTES = 12

SERIES_FEATURES = record(
    "series_features",
    "Features of int16 samples, those of the first channel first: float32, with flag 2 int8, with flag 4 int16. The "
    "block lists the features of a channel, a byte for each, padded to a multiple of 4: 0 mean, 1 std, 2 min, 3 max, 4 "
    "range, 5 rms, 6 diff, 7 crossings, 8 median, 9 a band of the spectrum. flags 1: with bands; cosine and sine of "
    "each part of a turn lie behind it. With flag 2 or 4: behind these multiplier, shift and zero point of each "
    "feature of each channel, int32.",
    [
        ("H", "rows", "samples of a window"),
        ("H", "channels", "values of a sample"),
        ("H", "features", "of a channel"),
        ("H", "bands", "of a channel's spectrum; 0 for none"),
    ],
)


def lower(node: SeriesFeatures) -> list[Step]:
    _, rows, channels = node.source.shape
    kinds = node.kinds
    if not 2 <= rows <= series.MAX_ROWS:
        raise node.refuse(f"a window of {rows:,} samples", f"use one of 2 to {series.MAX_ROWS:,}")
    bands = sum(kind == series.BAND for kind in kinds)
    if bands > rows // 2:
        raise node.refuse(f"{bands} bands of a spectrum of {rows // 2} bins", "ask for fewer bands, or a longer window")
    block = kinds + bytes(-len(kinds) % WORD) + (series.turns(rows).astype("<i2").tobytes() if bands else b"")
    if node.reading:
        block += rescales(node).astype("<i4").tobytes()
    fields = {
        "flags": HAS_BANDS * (bands > 0) | {"float32": 0, "int8": INT8, "int16": INT16}[node.output.dtype],
        "rows": rows,
        "channels": channels,
        "features": len(kinds),
        "bands": bands,
    }
    return [Step("SERIES_FEATURES", node.name, [node.source], node.output, fields, [block], dtype="int16")]


def rescales(node: SeriesFeatures) -> np.ndarray:
    """(features, 3) int64 of a node with scales, as `series.requantised` takes them."""
    reading = node.reading
    assert reading is not None
    pairs = [quantize_multiplier(1 / (series.UNIT * float(scale))) for scale in reading.scale]
    if np.abs(reading.zero_point).max() >= 1 << 31:
        raise node.refuse("a feature hardly varies beside its size", "leave it out, or train with a highpass before it")
    made = [(m, 31 - left, int(zero)) for (m, left), zero in zip(pairs, reading.zero_point, strict=True)]
    return np.resize(np.array(made, np.int64), (node.output.size, 3))


def run(context: Context) -> None:
    op, block = context.op, context.block(0)
    rows, channels, count = op["rows"], op["channels"], op["features"]
    kinds = block[:count].tobytes()
    at = -(-count // WORD) * WORD
    table = block[at : at + WORD * rows].view(np.int16).reshape(-1, 2) if op["flags"] & HAS_BANDS else None
    x = context.tensor((rows, channels), dtype=np.int16)
    values, size = series.features(x[None], kinds, table), channels * count
    if not op["flags"] & (INT8 | INT16):
        context.tensor((size,), "output", np.float32)[:] = values[0] / series.UNIT
        return
    at += WORD * rows if op["flags"] & HAS_BANDS else 0
    factors = block[at : at + RESCALE_BYTES * size].view(np.int32).reshape(-1, 3)
    dtype = "int8" if op["flags"] & INT8 else "int16"
    context.tensor((size,), "output", dtype)[:] = series.requantised(values, factors, dtype)[0]


_SAMPLES = Operand("input", ("rows", "channels"), 2)
_UNIT = Choice(HasFlag(INT8), 1, Choice(HasFlag(INT16), 2, WORD))
_FEATURES = Operand("output", ("channels", "features"), _UNIT)

CHECK = Check(
    "series_features",
    (
        parameters(
            at_most("flags", HAS_BANDS | INT8 | INT16),
            at_least("rows", 2),
            at_most("rows", series.MAX_ROWS),
            nonzero("channels", "features"),
            aligned(2, "input"),
            aligned(_UNIT, "output"),
            equal("blocks", 1),
        ),
        weights(
            Holds(
                total(product(WORD, Ceil("features", WORD)), Choice(HasFlag(HAS_BANDS), product(WORD, "rows"), 0)),
                Choice(HasFlag(INT8 | INT16), product("channels", "features", RESCALE_BYTES), 0),
            ),
        ),
        fit(_SAMPLES, _FEATURES),
    ),
)

DEFINITIONS = (
    Operator(
        76,
        "SERIES_FEATURES",
        SERIES,
        SERIES_FEATURES,
        "series_features",
        CHECK,
        (_SAMPLES, _FEATURES),
        run,
        dtype="int16",
        has_blocks=True,
        constants=(
            Constant("HAS_BANDS", HAS_BANDS, "flag of SERIES_FEATURES: cosines and sines lie behind the list"),
            Constant("SERIES_INT8", INT8, "flag of SERIES_FEATURES: they are int8, by rescales behind the rest"),
            Constant("SERIES_INT16", INT16, "flag of SERIES_FEATURES: they are int16"),
            Constant("RESCALE_BYTES", RESCALE_BYTES, "multiplier, shift and zero point of a feature"),
            *(
                Constant(f"SERIES_{name.upper()}", i, "feature of SERIES_FEATURES")
                for i, name in enumerate(series.KINDS)
            ),
            Constant("SERIES_BAND", series.BAND, "feature of SERIES_FEATURES: a band of the spectrum, the next one"),
        ),
    ),
)
