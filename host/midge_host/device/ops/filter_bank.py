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
WORD = 4  # bytes: a row's first bin and width, a bin's two weights, an energy, an estimate
MAX_WIDTH = 255  # bins of a row
WEIGHT_MASK = 0x1FFF
MAX_SHIFT = 31
MAX_BITS = 16  # of shifts: so that products of 32 and 16 bits need no more than 32
LOG_SEGMENTS = 128
LOG_VALUES = LOG_SEGMENTS + 2  # the last one pads
MAX_LOG = 0x7FFF
LOG_E = 45426  # ln(2) in 1 / 65536
GAIN_VALUES = 125
SNR_BITS, OUTPUT_BITS = 12, 6  # fractions of a bit behind and before the automatic gain's curve

FILTER_BANK = record(
    "filter_bank",
    "Of int8: features as int8, ((min(v, limit) * multiplier + addend) >> shift) + offset of a logarithm v; of int16: "
    "the logarithms. flags 1: an estimate stays below the channel; 2: with the automatic gain.",
    [
        ("B", "estimate_bits", "fraction of smoothing, one_minus, remaining"),
        ("B", "smoothing_bits", "by which a channel is larger in its estimate"),
        ("B", "snr_shift", "with flag 2: bits that a channel times its gain loses"),
        ("B", "correction_bits", "by which a channel is larger in its logarithm"),
        ("H", "channels", "number of features"),
        ("H", "bins", "energies: uint32, and the bits that the samples were scaled up by behind them"),
        ("H", "columns", "pairs of weights, of all rows"),
        ("2H", "smoothing", "of channels of even and odd number: how much of a channel its estimate takes"),
        ("2H", "one_minus", "how much of itself it keeps"),
        ("H", "remaining", "how much of a channel stays in any case"),
        ("H", "log_scale", "of logarithms to the base e"),
        ("H", "limit", "of int8"),
        ("b", "offset", "of int8"),
        ("B", "shift", "of int8"),
        ("I", "multiplier", "of int8"),
        ("I", "addend", "of int8"),
        ("I", "input2", "arena offset of the estimates: uint32 for each channel"),
    ],
)

LOG_TABLE = [
    *(math.floor((math.log2(1 + i / LOG_SEGMENTS) - i / LOG_SEGMENTS) * 65536 + 0.5) for i in range(LOG_SEGMENTS + 1)),
    0,
]


def lower(node: FilterBank) -> list[Step]:
    widths = [len(row) for row in node.weights]
    bins = node.source.size - 1
    ends = [int(start) + width for start, width in zip(node.starts, widths, strict=True)]
    if max(widths) > MAX_WIDTH or min(node.starts) < 0 or max(ends) > bins:
        raise node.refuse(f"a row of more than {MAX_WIDTH} bins, or beyond {bins}", "use narrower filters")
    pairs = np.stack([np.concatenate(node.weights), np.concatenate(node.unweights)], 1)
    if pairs.min() < 0 or pairs.max() > WEIGHT_MASK:
        raise node.refuse(f"a weight below 0 or above {WEIGHT_MASK}", "use weights from 0 to 1, of 12 bits")
    if any(one + rest > 1 << MAX_BITS for one, rest in zip(node.smoothing, node.one_minus, strict=True)):
        raise node.refuse("its smoothing is above 1", "use smoothing from 0 to 1")
    rows = np.array(list(zip(node.starts, widths, strict=True)), "<u2")
    block = rows.tobytes() + pairs.astype("<u2").tobytes() + np.array(LOG_TABLE, "<u2").tobytes()
    if node.gains is not None:
        if node.gains.size != GAIN_VALUES or min(gain(node.gains, x) for x in _estimates()) < 0:
            raise node.refuse("its table of gains makes no sense", "export the model again")
        block += node.gains.astype("<i2").tobytes()
    fields: dict[str, Any] = {
        "flags": CLAMPS * node.clamps | GAIN * (node.gains is not None),
        "estimate_bits": node.estimate_bits,
        "smoothing_bits": node.smoothing_bits,
        "snr_shift": node.snr_shift,
        "correction_bits": node.correction_bits,
        "channels": node.output.size,
        "bins": bins,
        "columns": len(pairs),
        "smoothing": node.smoothing,
        "one_minus": node.one_minus,
        "remaining": node.remaining,
        "log_scale": node.log_scale,
        **(_without_division(node, *node.to_int8) if node.to_int8 else {}),
    }
    block += bytes(-len(block) % WORD)
    dtype = node.output.dtype
    return [Step("FILTER_BANK", node.name, [node.source, node.state], node.output, fields, [block], dtype=dtype)]


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
    y, linear, square = (int(v) for v in table[4 * k - 6 : 4 * k - 3])
    if x == 2:
        return y
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
    channels, bins, columns = op["channels"], op["bins"], op["columns"]
    rows = _table(block, 0, 2 * (channels + 1), np.uint16).reshape(-1, 2)
    at = WORD * (channels + 1)
    pairs = _table(block, at, 2 * columns, np.uint16).reshape(-1, 2) & WEIGHT_MASK
    at += WORD * columns
    table = _table(block, at, LOG_VALUES, np.uint16)
    gains = _table(block, at + 2 * LOG_VALUES, GAIN_VALUES, np.int16) if op["flags"] & GAIN else None
    source = context.tensor((bins + 1,), dtype=np.uint32).tolist()
    estimates = context.tensor((channels,), "input2", np.uint32)
    output = context.tensor((channels,), "output", context.dtype)
    used, carry = 0, 0
    for i, (start, width) in enumerate(rows.tolist()):
        width = min(width & MAX_WIDTH, columns - used, max(bins - start, 0))
        energies, row = source[start : start + width], pairs[used : used + width].tolist()
        used += width
        total_energy = carry + sum(w * e for e, (w, _) in zip(energies, row, strict=True))
        carry = sum(u * e for e, (_, u) in zip(energies, row, strict=True))
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
    estimate = scaled * op["smoothing"][odd] + estimate * op["one_minus"][odd] >> op["estimate_bits"] & 0xFFFFFFFF
    below = min(estimate, scaled)
    least = signal * op["remaining"] >> op["estimate_bits"] & 0xFFFFFFFF
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
            at_most("estimate_bits", MAX_BITS),
            at_most("smoothing_bits", MAX_BITS),
            at_most("snr_shift", MAX_BITS),
            at_most("correction_bits", MAX_BITS),
            nonzero("channels"),
            at_most("shift", MAX_SHIFT),
            equal("blocks", 1),
            aligned(WORD, "input", "input2"),
            aligned(UNIT, "output"),
        ),
        Each(2, "BAD_PARAMETER", (at_most(total(Item("smoothing"), Item("one_minus")), 1 << MAX_BITS),)),
        weights(
            Holds(
                total(product(WORD, total("channels", 1, "columns")), 2 * LOG_VALUES),
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
            Constant("LOG_E", LOG_E, "ln(2) in 1 / 65536"),
        ),
    )
    for dtype in ("int8", "int16")
)
