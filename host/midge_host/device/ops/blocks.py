"""Weight blocks: the channel parameters and weight rows of a convolution (docs/FORMAT.md)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import spec
from ..numerics import INT32_MAX, INT32_MIN
from ..record import Rows
from ..rules import Ceil, evaluate, product, total
from .window import requantize

# Bytes of a block before its rows, by the record's fields: a stream of bits, padded so that the rows are aligned.
ENTRY_BITS = ("bias_bits", "shift_bits", "mult_bits")
ENTRIES = product(spec.BLOCK_ALIGNMENT, Ceil(product("block_channels", total(*ENTRY_BITS)), 8 * spec.BLOCK_ALIGNMENT))

MULTIPLIER_BITS = 30  # a multiplier is at least 2^30: bit 30 is always set and not stored
IDENTITY = (1 << 30, 1)  # rescale by exactly 1


def pack(rows: Rows, single: bool = False) -> tuple[dict[str, Any], list[bytes]]:
    """Record fields and weight blocks of canonical rows. single: all in one block, however large."""
    bias, multiplier, shift = rows.bias, rows.multiplier, rows.shift
    weights = rows.weights.reshape(len(bias), -1)
    channels, row_bytes = weights.shape
    base = max(-31, min(int(shift.min()), 30))
    delta = shift - base
    shift_bits = int(delta.max()).bit_length()
    bias_bits = max(int(v if v >= 0 else ~v).bit_length() for v in (bias.min(), bias.max())) + 1
    mult_bits = 0 if (multiplier == multiplier[0]).all() else MULTIPLIER_BITS
    entry_bits = bias_bits + shift_bits + mult_bits

    per_block = channels if single else channels_per_block(channels, row_bytes, (bias_bits, shift_bits, mult_bits))
    mask = (1 << bias_bits) - 1
    blocks = []
    for start in range(0, channels, per_block):
        entries = 0
        for i in range(per_block):
            c = start + i
            entry = (int(bias[c]) & mask) | int(delta[c]) << bias_bits
            if mult_bits:
                entry |= (int(multiplier[c]) & ((1 << 30) - 1)) << (bias_bits + shift_bits)
            entries |= entry << (i * entry_bits)
        head = entries.to_bytes(entries_bytes(per_block, bias_bits, shift_bits, mult_bits), "little")
        body = weights[start : start + per_block].tobytes()
        block = head + body
        blocks.append(block + bytes(-len(block) % spec.BLOCK_ALIGNMENT))
    fields = {
        "block_channels": per_block,
        "bias_bits": bias_bits,
        "shift_bits": shift_bits,
        "mult_bits": mult_bits,
        "shift": base,
        "multiplier": 0 if mult_bits else int(multiplier[0]),
    }
    return fields, blocks


def single_bytes(rows: Rows) -> int:
    """Bytes of a single block of canonical rows."""
    return len(pack(rows, single=True)[1][0])


def entries_bytes(channels: int, *bits: int) -> int:
    """Bytes of a block's channel entries."""
    return evaluate(ENTRIES, {"block_channels": channels, **dict(zip(ENTRY_BITS, bits, strict=True))})


def channels_per_block(channels: int, row_bytes: int, bits: tuple[int, int, int]) -> int:
    """The largest divisor of `channels` whose block stays within the target; blocks are all alike."""
    for count in range(1, channels + 1):
        if channels % count == 0:
            per_block = channels // count
            if entries_bytes(per_block, *bits) + per_block * row_bytes <= spec.BLOCK_TARGET_BYTES:
                return per_block
    return 1


def canonicalise(rows: Rows, fields: dict[str, Any]) -> Rows:
    """Exact and smaller: a channel that gives one and the same byte for every input gets weights of
    0 and parameters that need few bits. (Trained models hold many; their scales are extreme.)
    """
    weights, bias, multiplier, shift = (np.array(v) for v in vars(rows).values())
    wide = weights.astype(np.int64)
    low = bias + np.minimum(wide * -128, wide * 127).sum((1, 2, 3))
    high = bias + np.maximum(wide * -128, wide * 127).sum((1, 2, 3))
    limit = INT32_MAX >> np.maximum(shift, 0)
    fits = (low >= -limit) & (high <= limit)
    at_low = requantize(fields, low, multiplier, shift)
    constant = fits & (at_low == requantize(fields, high, multiplier, shift))
    live = np.flatnonzero(~constant)
    donor = (int(multiplier[live[0]]), int(shift[live[0]])) if live.size else IDENTITY
    for c in np.flatnonzero(constant):
        value = int(at_low[c])
        for candidate in (donor, IDENTITY):
            centre = (value - fields["output_zero"]) * 2.0 ** (31 - candidate[1]) / max(candidate[0], 1)
            if not INT32_MIN <= centre <= INT32_MAX:
                continue
            acc = np.int64(centre)
            if int(requantize(fields, acc, np.int64(candidate[0]), np.int64(candidate[1]))) == value:
                weights[c], bias[c] = 0, acc
                multiplier[c], shift[c] = candidate
                break
    return Rows(weights, bias, multiplier, shift)


def unpack(op: dict[str, Any], blocks: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """The reverse of `pack` from a record's fields: rows as (channels, bytes), bias, multiplier, shift."""
    channels, bits = op["block_channels"], [op["bias_bits"], op["shift_bits"], op["mult_bits"]]
    head = entries_bytes(channels, *bits)
    columns: list[list[np.ndarray]] = [[], [], []]
    rows = []
    for block in blocks:
        stream = np.unpackbits(block[:head], bitorder="little")[: channels * sum(bits)].reshape(channels, sum(bits))
        at = 0
        for column, count in zip(columns, bits, strict=True):
            weights = 1 << np.arange(count, dtype=np.int64)
            column.append(stream[:, at : at + count].astype(np.int64) @ weights)
            at += count
        rows.append(block[head:].view(np.int8))
    bias, delta, multiplier = (np.concatenate(c) for c in columns)
    bias = np.where(bias >> (bits[0] - 1), bias - (1 << bits[0]), bias)
    multiplier = multiplier + (1 << 30) if bits[2] else np.full(bias.shape, op["multiplier"], np.int64)
    return np.stack(rows), bias, multiplier, np.clip(op["shift"] + delta, -31, 30)
