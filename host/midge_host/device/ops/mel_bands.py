"""Bands of a spectrum, triangles that overlap by a half, and their logarithms: what CEPSTRUM and LOG_MEL begin with.

A weight block of theirs begins, in words, with the logarithm's polynomial, widths and weights, as `words` puts them.
"""

from __future__ import annotations

import numpy as np

from ...ir.operators import MelBands
from ..definition import Constant
from ..numerics import high_mul, wrap32
from ..rules import Expr, total
from .magnitudes import VALUE_BITS

WORD = 4  # bytes
WEIGHT_BITS = 30  # of a band's weight of 1
LOG_BITS = 24  # fractions of a bit of a logarithm
MAX_BANDS = 128
GROWN = 15  # mask of the bits that samples were scaled up by
MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1

# log2(1 + f) by Chebyshev's polynomial of degree 8 on 0 to 1: within 3e-8. In 2^-30, the highest power first.
_NODES = (1 - np.cos(np.pi * (np.arange(9) + 0.5) / 9)) / 2
LOG2 = [round(c * (1 << 30)) for c in np.linalg.solve(np.vander(_NODES), np.log2(1 + _NODES))]
WORDS: Expr = total("bands", 1 + len(LOG2), "columns")  # that a block begins with
BLOCK = (
    "The block, in words: the logarithm's polynomial; for each band and one more how many bins rise to its centre; "
    "of these bins the weights in 2^-30, of which a bin gives the rest to the band before; "
)
FIELDS = [
    ("H", "bins", "of MAGNITUDES, and the bits that the samples were scaled up by behind them"),
    ("H", "first", "the first bin of the first band"),
    ("H", "bands", "of magnitudes"),
    ("H", "columns", "bins with weights"),
]
CONSTANTS = (
    Constant("LOG2_WORDS", len(LOG2), "polynomial of the logarithm, in words"),
    Constant("MAX_BANDS", MAX_BANDS, "bands of CEPSTRUM and LOG_MEL"),
)


def words(node: MelBands, bin_words: int = 1) -> tuple[dict[str, int], list[np.ndarray]]:
    """The fields of a record and what its block begins with; a refusal where the bands do not fit."""
    if node.source.size < bin_words * node.bins + 1 or node.first + sum(node.widths) > node.bins:
        raise node.refuse("its bands reach beyond the bins", "use a lower upper frequency")
    bands = len(node.widths) - 1
    if bands > MAX_BANDS:
        raise node.refuse(f"{bands} bands", f"use up to {MAX_BANDS}")
    rise = np.floor(0.5 + np.asarray(node.weights, np.float64) * (1 << WEIGHT_BITS))
    fields = {"bins": node.bins, "first": node.first, "bands": bands, "columns": len(rise)}
    return fields, [np.array(LOG2, "<i4"), np.asarray(node.widths, "<u4"), rise.astype("<u4")]


def magnitude_bits(fft_length: int, value_bits: int = VALUE_BITS) -> int:
    """A magnitude of 1 stands for so many bits of a sum over samples from -1 to 1 that were not scaled up, and of
    value_bits."""
    return value_bits - (fft_length.bit_length() - 2)


def logarithm(polynomial: np.ndarray, x: int) -> int:
    """To the base 2 in 2^-24, of a number from 1 to 2^64."""
    bits = x.bit_length() - 1
    fraction = np.int64((x << 63 - bits >> 32) & 0x7FFFFFFF)
    value = polynomial[0]
    for coefficient in polynomial[1:]:
        value = wrap32(high_mul(value, fraction) + coefficient)
    return (bits << LOG_BITS) + int(value >> 30 - LOG_BITS)


def logarithms(op: dict[str, int], block: np.ndarray, source: list[int], added: int, powers: bool) -> list[int]:
    """To the base 2 in 2^-24, of what each band holds of magnitudes or, with `powers`, of powers, and `added`."""
    polynomial, widths, rise = np.split(
        block[: WORD * (len(LOG2) + op["bands"] + 1 + op["columns"])].view(np.uint32),
        np.cumsum([len(LOG2), op["bands"] + 1]),
    )
    at, left, rest = op["first"], op["columns"], 0
    found = []
    for band, width in enumerate(widths.tolist()):
        width = min(width, left, max(op["bins"] - at, 0))
        held, rest = rest + added, 0
        for value, weight in zip(source[at : at + width], rise[len(rise) - left :].tolist(), strict=False):
            if powers:
                up = value * weight + (1 << WEIGHT_BITS - 1) >> WEIGHT_BITS
                down = value - up
            else:
                up, down = value * weight, value * ((1 << WEIGHT_BITS) - weight & MASK32)
            held += down
            rest += up
        at, left = at + width, left - width
        if band:
            found.append(logarithm(polynomial.view(np.int32).astype(np.int64), max(held & MASK64, 1)))
    return found
