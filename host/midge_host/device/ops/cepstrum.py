"""CEPSTRUM: bands of magnitudes, their logarithms, and sums of these with the factors of a matrix."""

from __future__ import annotations

import math

import numpy as np

from ...ir.operators import Cepstrum
from ..banks import MEL
from ..definition import Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import UNIT, Check, Holds, aligned, at_most, equal, nonzero, parameters, product, total, weights
from . import mel_bands
from .mel_bands import GROWN, LOG_BITS, MASK64, MAX_BANDS, WEIGHT_BITS, WORD

FACTOR_BITS = 24  # fractions of a bit of a factor of the matrix
MAX_UNIT, MAX_SHIFT = 63, 15
EPSILON_BITS = 31

CEPSTRUM = record(
    "cepstrum",
    mel_bands.BLOCK + "a row of factors in 2^-24, with signs, for each value.",
    [
        *mel_bands.FIELDS,
        ("H", "values", "of the output"),
        ("h", "offset", "of the output"),
        ("B", "unit", "bits that a band is larger than a sum of magnitudes of samples from -1 to 1"),
        ("B", "epsilon_shift", "bits by which it is larger"),
        ("I", "epsilon", "what is added to a band of samples that were not scaled up"),
    ],
)


def lower(node: Cepstrum) -> list[Step]:
    fields, words = mel_bands.words(node)
    factors = np.floor(0.5 + np.asarray(node.matrix, np.float64) * math.log(2) * (1 << FACTOR_BITS))
    if np.abs(factors).max() >= 1 << 31:
        raise node.refuse("its output's scale is too small", "use a larger one")
    unit = mel_bands.magnitude_bits(node.fft_length) + WEIGHT_BITS
    epsilon = node.epsilon * 2.0**unit
    epsilon_shift = max(0, math.frexp(epsilon)[1] - EPSILON_BITS)
    if epsilon < 0.5 or epsilon_shift > MAX_SHIFT:
        raise node.refuse(f"{node.epsilon} below its logarithms", "use about 1e-6")
    block = b"".join(w.tobytes() for w in (*words, factors.astype("<i4")))
    fields |= {
        "values": node.matrix.shape[0],
        "offset": node.zero_point,
        "unit": unit,
        "epsilon_shift": epsilon_shift,
        "epsilon": math.floor(math.ldexp(epsilon, -epsilon_shift) + 0.5),
    }
    dtype = node.output.dtype
    return [Step("CEPSTRUM", node.name, [node.source], node.output, fields, [block], dtype=dtype)]


def run(context: Context) -> None:
    op, block = context.op, context.block(0)
    bins, bands, values = op["bins"], op["bands"], op["values"]
    source = [int(m) for m in context.tensor((bins + 1,), dtype=np.uint32)]
    grown = source[bins] & GROWN
    found = mel_bands.logarithms(op, block, source, op["epsilon"] << grown + op["epsilon_shift"], powers=False)
    logarithms = [value - (grown + op["unit"] << LOG_BITS) for value in found]
    at = WORD * (len(mel_bands.LOG2) + bands + 1 + op["columns"])
    matrix = block[at:][: WORD * values * bands].view(np.int32).reshape(values, bands)
    shift = LOG_BITS + FACTOR_BITS
    output = context.tensor((values,), "output", context.dtype)
    limits = np.iinfo(context.dtype)
    for i, row in enumerate(matrix.tolist()):
        total_sum = sum(f * v for f, v in zip(row, logarithms, strict=True)) + (1 << shift - 1)
        whole = ((total_sum + (1 << 63)) & MASK64) - (1 << 63) >> shift
        output[i] = max(limits.min, min(whole + op["offset"], limits.max))


_MAGNITUDES = Operand("input", (total("bins", 1),), WORD)
_VALUES = Operand("output", ("values",), UNIT)

CHECK = Check(
    "cepstrum",
    (
        parameters(
            nonzero("bins", "bands", "values"),
            at_most("bands", MAX_BANDS),
            at_most("unit", MAX_UNIT),
            at_most("epsilon_shift", MAX_SHIFT),
            aligned(WORD, "input"),
            aligned(UNIT, "output"),
            equal("blocks", 1),
        ),
        weights(Holds(product(WORD, mel_bands.WORDS), product("values", "bands", WORD))),
        fit(_MAGNITUDES, _VALUES),
    ),
)

DEFINITIONS = tuple(
    Operator(
        81,
        "CEPSTRUM",
        MEL,
        CEPSTRUM,
        "cepstrum",
        CHECK,
        (_MAGNITUDES, _VALUES),
        run,
        dtype=dtype,
        has_blocks=True,
        constants=mel_bands.CONSTANTS,
    )
    for dtype in ("int8", "int16")
)
