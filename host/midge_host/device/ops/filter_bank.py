"""FILTER_BANK: features of a spectrum: sums of bins, their roots less noise, an automatic gain, logarithms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...ir.operators import FilterBank
from ..banks import AUDIO
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import (
    UNIT,
    Check,
    Choice,
    Each,
    HasFlag,
    Holds,
    Item,
    aligned,
    at_most,
    equal,
    nonzero,
    parameters,
    product,
    total,
    weights,
)

CLAMPS, GAIN = 1, 2
WORD = 4  # bytes: an energy, an estimate
MAX_WIDTH = 255  # bins of a row
MAX_WEIGHT = 1 << 13
SUM_MASK = (1 << 60) - 1
MAX_SHIFT = 31
ESTIMATE_BITS = 14  # fraction of smoothing
ESTIMATE_ONE = 1 << ESTIMATE_BITS
MAX_BITS = 16  # of shifts: so that products of 32 and 16 bits need no more than 32
LOG_SEGMENTS = 128
LOG_VALUES = LOG_SEGMENTS + 1
MAX_LOG = 0x7FFF
LOG_E = 45426  # ln(2) in 1 / 65536
GAIN_VALUES = 2 + 2 * 31 + 1
SNR_BITS, OUTPUT_BITS = 12, 6  # fractions of a bit behind and before the automatic gain's curve

FILTER_BANK = record(
    "filter_bank",
    "Of int8: features as int8, ((min(v, limit) * multiplier + addend) >> shift) + offset of a logarithm v; of int16: "
    "the logarithms. flags 1: an estimate stays below the channel; 2: with the automatic gain. The block: weights "
    "and logarithms, uint16; with flag 2 gains, int16; widths of the rows, uint8, one more than channels.",
    [
        ("B", "smoothing_bits", "by which a channel is larger in its estimate"),
        ("B", "snr_shift", "with flag 2: bits that a channel times its gain loses"),
        ("B", "correction_bits", "by which a channel is larger in its logarithm"),
        ("B", "shift", "of int8"),
        ("b", "offset", "of int8"),
        ("B", "first", "energy with which the first row begins; each other one begins where the one before ends"),
        ("H", "channels", "number of features"),
        ("H", "bins", "energies: uint32, and the bits that the samples were scaled up by behind them"),
        ("H", "columns", "weights, of all rows"),
        ("H", "unit", "less a weight: the weight in the next channel"),
        ("2H", "smoothing", "of channels of even and odd number: how much of a channel its estimate takes, of 2^14"),
        ("H", "remaining", "how much of a channel stays in any case, of 2^14"),
        ("H", "log_scale", "of logarithms to the base e"),
        ("H", "limit", "of int8"),
        ("I", "multiplier", "of int8"),
        ("I", "addend", "of int8"),
        ("I", "input2", "arena offset of the estimates: uint32 for each channel"),
    ],
)

LOG_TABLE = [
    math.floor((math.log2(1 + i / LOG_SEGMENTS) - i / LOG_SEGMENTS) * 65536 + 0.5) for i in range(LOG_SEGMENTS + 1)
]


def lower(node: FilterBank) -> list[Step]:
    widths = [len(row) for row in node.weights]
    bins = node.source.size - 1
    ends = [int(start) + width for start, width in zip(node.starts, widths, strict=True)]
    if max(*widths, *node.starts[:1]) > MAX_WIDTH or min(node.starts) < 0 or max(ends) > bins:
        raise node.refuse(f"a row of more than {MAX_WIDTH} bins, or beyond {bins}", "use narrower filters")
    if list(node.starts[1:]) != ends[:-1]:
        raise node.refuse("rows with bins between them, or that overlap", "use filters that overlap by a half")
    weights = np.concatenate(node.weights).astype(np.int64)
    # What the last row gives to the next channel goes nowhere.
    whole = weights[: -widths[-1]] + np.concatenate(node.unweights[:-1])
    unit = int(whole[0])
    if weights.min() < 0 or weights.max() > unit or unit > MAX_WEIGHT or (whole != unit).any():
        raise node.refuse("weights of a bin that do not sum to one", "use weights from 0 to 1, of 12 bits")
    sums = {one + rest for one, rest in zip(node.smoothing, node.one_minus, strict=True)}
    if node.estimate_bits != ESTIMATE_BITS or sums != {ESTIMATE_ONE} or node.remaining > ESTIMATE_ONE:
        raise node.refuse(f"smoothing that does not make one of {ESTIMATE_BITS} bits", "use smoothing from 0 to 1")
    block = np.array([*weights, *LOG_TABLE], "<u2").tobytes()
    if node.gains is not None:
        gains = _gains(node, node.gains)
        if min(gain(gains, x) for x in _estimates()) < 0:
            raise node.refuse("its table of gains makes no sense", "export the model again")
        block += gains.astype("<i2").tobytes()
    block += bytes(widths)
    fields: dict[str, Any] = {
        "flags": CLAMPS * node.clamps | GAIN * (node.gains is not None),
        "smoothing_bits": node.smoothing_bits,
        "snr_shift": node.snr_shift,
        "correction_bits": node.correction_bits,
        "channels": node.output.size,
        "bins": bins,
        "first": int(node.starts[0]),
        "columns": len(weights),
        "unit": unit,
        "smoothing": node.smoothing,
        "remaining": node.remaining,
        "log_scale": node.log_scale,
        **(_without_division(node, *node.to_int8) if node.to_int8 else {}),
    }
    block += bytes(-len(block) % WORD)
    dtype = node.output.dtype
    return [Step("FILTER_BANK", node.name, [node.source, node.state], node.output, fields, [block], dtype=dtype)]


def _gains(node: FilterBank, given: np.ndarray) -> np.ndarray:
    """Of the parabolas' three numbers and a fourth that says nothing the first two: they meet, so that the third is
    what is left."""
    table = np.append(given, 0).astype(np.int64)
    if table.size != 2 + 4 * 31:
        raise node.refuse("its table of gains makes no sense", "export the model again")
    y, linear, square, _ = table[2:].reshape(-1, 4).T
    ends = y + linear + square
    if (ends[:-1] != y[1:]).any():
        raise node.refuse("its table of gains has steps", "export the model again")
    return np.array([*table[:2], *np.stack([y, linear], 1).reshape(-1), ends[-1]])


def _without_division(node: FilterBank, multiplier: int, addend: int, divisor: int, offset: int) -> dict[str, int]:
    """(v * multiplier + addend) / divisor + offset with a shift for the division, up to the logarithm from which on it
    is above 127."""
    if min(multiplier, addend, divisor - 1, 128 + offset) < 0 or offset > 127:
        raise node.refuse("features that fall, or never reach 127", "export the model again")
    limit = min(MAX_LOG, -(-((127 - offset) * divisor - addend) // max(multiplier, 1)))
    values = np.arange(max(limit, 0) + 1, dtype=np.int64)
    wanted = (values * multiplier + addend) // divisor
    for shift in range(MAX_SHIFT + 1):
        scaled, added = (-(-(n << shift) // divisor) for n in (multiplier, addend))
        made = values * scaled + added
        if made.max() < 1 << 32 and np.array_equal(made >> shift, wanted):
            return {"limit": len(values) - 1, "offset": offset, "shift": shift, "multiplier": scaled, "addend": added}
    raise node.refuse("features whose division takes more than 32 bits", "export the model again")


def _estimates() -> Iterator[int]:
    """One of each gain that a table can give."""
    yield from range(2048)
    yield from (x << bits for bits in range(1, 22) for x in range(1024, 2048))


def gain(table: np.ndarray, x: int) -> int:
    """Of an estimate: a table for 0 and 1, and a parabola from each power of two to the next."""
    if x < 2:
        return int(table[x])
    k = x.bit_length()
    y, linear, end = (int(v) for v in table[2 * k - 2 : 2 * k + 1])
    square = end - y - linear
    fraction = (x << 11 - k if k < 11 else x >> k - 11) & 0x3FF
    slope = (square * fraction >> 5) + (linear << 5)
    rise = (slope * fraction + 0x4000 + (1 << 31) & 0xFFFFFFFF) - (1 << 31) >> 15
    return (y + rise + 0x8000 & 0xFFFF) - 0x8000


def root(x: int) -> int:
    """Rounded; the largest one of 16 bits stays below 2^16."""
    r = math.isqrt(x)
    return r + (x - r * r > r and r != 0xFFFF) if x >> 32 == 0 else r + (x - r * r > r)


def shrunk(snr: int) -> int:
    """x^2 / 4 below 2, x - 1 above."""
    if snr < 2 << SNR_BITS:
        return snr * snr >> 2 + 2 * SNR_BITS - OUTPUT_BITS
    return (snr >> SNR_BITS - OUTPUT_BITS) - (1 << OUTPUT_BITS)


def logarithm(table: np.ndarray, x: int, scale: int) -> int:
    """Of x times `scale`, to the base e; straight lines between the table's values."""
    if x <= 1:
        return 0
    k = x.bit_length() - 1
    fraction = (x << 16 - k if k < 16 else x >> k - 16) & 0xFFFF
    segment, rest = fraction >> 9, fraction & 511
    low, high = int(table[segment]), int(table[segment + 1])
    base2 = (k << 16) + fraction + low + ((high - low) * rest >> 16)
    base_e = LOG_E * base2 + 0x8000 >> 16
    return min((base_e * scale + 0x8000 & 0xFFFFFFFF) >> 16, MAX_LOG)


def _table(block: np.ndarray, at: int, count: int, dtype: Any) -> np.ndarray:
    size = np.dtype(dtype).itemsize
    return block[at : at + count * size].view(dtype).astype(np.int64)


def run(context: Context) -> None:
    op, block = context.op, context.block(0)
    channels, bins, columns, start = op["channels"], op["bins"], op["columns"], op["first"]
    weights = _table(block, 0, columns, np.uint16).tolist()
    at = 2 * columns
    table = _table(block, at, LOG_VALUES, np.uint16)
    at += 2 * LOG_VALUES
    gains = _table(block, at, GAIN_VALUES, np.int16) if op["flags"] & GAIN else None
    at += 2 * GAIN_VALUES if op["flags"] & GAIN else 0
    source = context.tensor((bins + 1,), dtype=np.uint32).tolist()
    estimates = context.tensor((channels,), "input2", np.uint32)
    output = context.tensor((channels,), "output", context.dtype)
    left, used, carry = min(columns, max(bins - start, 0)), 0, 0
    for i, width in enumerate(block[at : at + channels + 1].view(np.uint8).tolist()):
        width = min(width, left - used)
        energies = source[start + used : start + used + width]
        total_energy = sum(w * e for e, w in zip(energies, weights[used : used + width], strict=True))
        used += width
        carry, total_energy = op["unit"] * sum(energies) - total_energy, carry + total_energy & SUM_MASK
        if i:
            signal = root(total_energy) >> (source[bins] & 31)
            value, estimates[i - 1] = _without_noise(op, i - 1 & 1, signal, int(estimates[i - 1]))
            if gains is not None:
                value = shrunk((value * (gain(gains, int(estimates[i - 1])) & 0xFFFF) >> op["snr_shift"]) & 0xFFFFFFFF)
            value = logarithm(table, value << op["correction_bits"] & 0xFFFFFFFF, op["log_scale"])
            if context.dtype == np.int8:
                value = min(value, op["limit"]) * op["multiplier"] + op["addend"] & 0xFFFFFFFF
                value = max(-128, min((value >> op["shift"]) + op["offset"], 127))
            output[i - 1] = value


def _without_noise(op: dict[str, Any], odd: int, signal: int, estimate: int) -> tuple[int, int]:
    """What is left of a channel, and the estimate of its noise."""
    scaled = signal << op["smoothing_bits"] & 0xFFFFFFFF
    taken = op["smoothing"][odd]
    estimate = scaled * taken + estimate * (ESTIMATE_ONE - taken) >> ESTIMATE_BITS & 0xFFFFFFFF
    below = min(estimate, scaled)
    least = signal * op["remaining"] >> ESTIMATE_BITS & 0xFFFFFFFF
    left = max(scaled - below >> op["smoothing_bits"], least)
    return left, below if op["flags"] & CLAMPS else estimate


_ENERGIES = Operand("input", (total("bins", 1),), WORD)
_ESTIMATES = Operand("input2", ("channels",), WORD)
_FEATURES = Operand("output", ("channels",), UNIT)

CHECK = Check(
    "filter_bank",
    (
        parameters(
            at_most("flags", CLAMPS | GAIN),
            at_most("smoothing_bits", MAX_BITS),
            at_most("remaining", ESTIMATE_ONE),
            at_most("snr_shift", MAX_BITS),
            at_most("correction_bits", MAX_BITS),
            nonzero("channels"),
            at_most("shift", MAX_SHIFT),
            equal("blocks", 1),
            aligned(WORD, "input", "input2"),
            aligned(UNIT, "output"),
        ),
        Each(2, "BAD_PARAMETER", (at_most(Item("smoothing"), ESTIMATE_ONE),)),
        weights(
            Holds(
                total(product(2, "columns"), "channels", 1 + 2 * LOG_VALUES),
                Choice(HasFlag(GAIN), 2 * GAIN_VALUES, 0),
            )
        ),
        fit(_ENERGIES, _ESTIMATES, _FEATURES),
    ),
)

DEFINITIONS = tuple(
    Operator(
        73,
        "FILTER_BANK",
        AUDIO,
        FILTER_BANK,
        "filter_bank",
        CHECK,
        (_ENERGIES, _ESTIMATES, _FEATURES),
        run,
        dtype=dtype,
        has_blocks=True,
        constants=(
            Constant("CLAMPS", CLAMPS, "flag of FILTER_BANK: an estimate stays below the channel"),
            Constant("GAIN", GAIN, "flag of FILTER_BANK: with the automatic gain"),
            Constant("LOG_BYTES", 2 * LOG_VALUES, "table of logarithms"),
            Constant("GAIN_BYTES", 2 * GAIN_VALUES, "table of gains"),
            Constant("ESTIMATE_BITS", ESTIMATE_BITS, "fraction of FILTER_BANK's smoothing"),
            Constant("LOG_E", LOG_E, "ln(2) in 1 / 65536"),
        ),
    )
    for dtype in ("int8", "int16")
)
