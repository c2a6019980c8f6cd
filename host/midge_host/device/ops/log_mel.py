"""LOG_MEL: bands of powers in decibels."""

from __future__ import annotations

import math

import numpy as np

from ...ir.operators import LogMel
from ..banks import MEL
from ..definition import Operand, Operator, fit, record
from ..numerics import wrap32
from ..record import Context, Step
from ..rules import UNIT, Check, Holds, aligned, at_most, equal, nonzero, parameters, product, total, weights
from . import mel_bands
from .magnitudes import POWER_BITS, WIDE_BITS
from .mel_bands import LOG_BITS, MAX_BANDS, WORD

BIN_WORDS = 2  # a power is of 64 bits
FACTOR_BITS = 20  # fractions of a bit of the factor
DECIBELS = 10 * math.log10(2)  # of a power of two

LOG_MEL = record(
    "log_mel",
    mel_bands.BLOCK + "what is added to the logarithm of each band, in 2^-24, with a sign.",
    [
        *mel_bands.FIELDS,
        ("h", "offset", "of the output"),
        ("h", "least", "of the output"),
        ("i", "factor", "steps of the output for a power of two, in 2^-20"),
    ],
)


def lower(node: LogMel) -> list[Step]:
    fields, words = mel_bands.words(node, BIN_WORDS)
    factor = DECIBELS / node.scale
    if factor >= 1 << 31 - FACTOR_BITS:
        raise node.refuse("its output's scale is too small", "use a larger one")
    unit = 2 * mel_bands.magnitude_bits(node.fft_length, WIDE_BITS) - POWER_BITS
    gains = np.log2(np.asarray(node.gains, np.float64)) - unit
    limits = np.iinfo(node.output.dtype)
    fields |= {
        "offset": node.zero_point,
        "least": min(max(math.floor(node.least / node.scale + 0.5) + node.zero_point, limits.min), limits.max),
        "factor": math.floor(factor * (1 << FACTOR_BITS) + 0.5),
    }
    added = np.floor(0.5 + gains * (1 << LOG_BITS)).astype("<i4")
    block = b"".join(w.tobytes() for w in (*words, added))
    return [Step("LOG_MEL", node.name, [node.source], node.output, fields, [block], dtype=node.output.dtype)]


def run(context: Context) -> None:
    op, block = context.op, context.block(0)
    bins, bands = op["bins"], op["bands"]
    words = context.tensor((BIN_WORDS * bins + 1,), dtype=np.uint32)
    grown = int(words[-1])
    powers = [low | high << 32 for low, high in words[:-1].reshape(bins, BIN_WORDS).tolist()]
    found = np.array(mel_bands.logarithms(op, block, powers, 0, powers=True), np.int64)
    at = WORD * (len(mel_bands.LOG2) + bands + 1 + op["columns"])
    added = block[at:][: WORD * bands].view(np.int32).astype(np.int64)
    shift = LOG_BITS + FACTOR_BITS
    levels = op["factor"] * wrap32(found - (2 * grown << LOG_BITS) + added) + (1 << shift - 1) >> shift
    limits = np.iinfo(context.dtype)
    context.tensor((bands,), "output", context.dtype)[:] = np.clip(
        np.maximum(levels + op["offset"], op["least"]), limits.min, limits.max
    )


_POWERS = Operand("input", (total(product("bins", BIN_WORDS), 1),), WORD)
_VALUES = Operand("output", ("bands",), UNIT)

CHECK = Check(
    "log_mel",
    (
        parameters(
            nonzero("bins", "bands"),
            at_most("bands", MAX_BANDS),
            aligned(WORD, "input"),
            aligned(UNIT, "output"),
            equal("blocks", 1),
        ),
        weights(Holds(product(WORD, mel_bands.WORDS), product("bands", WORD))),
        fit(_POWERS, _VALUES),
    ),
)

DEFINITIONS = tuple(
    Operator(
        82,
        "LOG_MEL",
        MEL,
        LOG_MEL,
        "log_mel",
        CHECK,
        (_POWERS, _VALUES),
        run,
        dtype=dtype,
        has_blocks=True,
        constants=mel_bands.CONSTANTS,
    )
    for dtype in ("int8", "int16")
)
