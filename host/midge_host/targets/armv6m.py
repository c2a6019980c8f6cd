"""Working memory of the tuned kernels (native_modules/kernels): what they ask of the arena.

A kernel takes what its record grants and leaves layers to the plain core where that is too little, so these figures
decide speed and memory, never results.
"""

from __future__ import annotations

from typing import Any

from ..device import registry, spec
from ..device.record import Step
from .scratch import Scratch

# Bytes that scratch may add to an arena, however small: with half of it at most, small models missed the fast kernels.
GROWTH_LIMIT = 8192

# Of native_modules/kernels/armv6m: midge_scale_t, and what tiles.S and sparse.S work on.
SCALE_BYTES = 40
TILE = 6  # pixels
GROUP = 6  # channels

TABLES_BYTES = 2048  # of add_tables.c

DEPTHWISE_CYCLES, PLAIN_CYCLES = 6, 8  # a multiply-accumulate
CHANNEL_CYCLES = 450  # to prepare a channel's scale, in each call
FILTER_CYCLES = 550  # and a depthwise one's filter
TAP_CYCLES = 45  # of the plain kernel besides, for each pixel of a window
OUTPUT_CYCLES = 40  # to scale a sum
ADD_CYCLES, ADD_PLAIN_CYCLES = 64, 225  # with tables and without
TABLES_CYCLES = 49_000  # to make them
TABLES_OUTPUTS = 512  # of an ADD that gains by them

FEW_PIXELS = 4  # too few for weights to be packed

# From here on more of it gains little.
GOOD_TILES = 16  # in a strip, beside the weights of all channels
GOOD_GROUPS = 6


def wanted(step: Step) -> Scratch:
    """The scratch memory that the kernels of a step can use."""
    f = step.fields
    if step.dtype != "int8":
        return Scratch(0, 0)
    if step.operator == "ADD":
        gains = f["count"] >= TABLES_OUTPUTS
        return Scratch(TABLES_BYTES if f["count"] >= TABLES_BYTES else 0, TABLES_BYTES if gains else 0)
    is_conv = step.operator in ("CONV_2D", "FULLY_CONNECTED")
    if not is_conv and not (step.operator == "DEPTHWISE_CONV_2D" and f["in_c"] == 1):
        return Scratch(0, 0)
    if f["out_h"] * f["out_w"] < FEW_PIXELS:
        return Scratch(0, 0)
    depth = f["kernel_h"] * f["kernel_w"] * f["in_c"]
    dense, sparse = _dense(f, depth), _sparse(f, depth)
    least = sparse.least if is_sparse(depth, f["out_c"]) else dense.least
    return Scratch(least, max(dense.most, sparse.most))


def cycles(step: Step, scratch_bytes: int, overlaps: bool = False) -> float:
    """Roughly what a step takes with so much scratch memory, if half of what a convolution reads is zero. overlaps:
    whether its output lies over its input."""
    fields = registry.fields(step)
    macs = registry.macs(fields)
    if step.operator == "ADD" and step.dtype == "int8":
        if scratch_bytes >= wanted(step).most > 0:
            return fields["count"] * ADD_CYCLES + TABLES_CYCLES
        return fields["count"] * ADD_PLAIN_CYCLES
    if step.operator != "CONV_2D" or step.dtype != "int8":
        channels = fields["out_c"] if step.operator == "DEPTHWISE_CONV_2D" else 0
        return DEPTHWISE_CYCLES * macs + step.output.bytes + (CHANNEL_CYCLES + FILTER_CYCLES) * channels
    outputs = fields["out_h"] * fields["out_w"] * fields["out_c"]  # of a strip fewer than there is memory for
    return _conv_cycles(fields, macs, scratch_bytes, overlaps) + OUTPUT_CYCLES * outputs


def _conv_cycles(fields: dict[str, Any], macs: int, scratch_bytes: int, overlaps: bool) -> float:
    pixels, channels = fields["out_h"] * fields["out_w"], fields["out_c"]
    depth = macs // (pixels * channels)
    groups = -(-channels // GROUP)
    room = scratch_bytes - _tile(fields, depth) + 2 * TILE * depth
    strip = room // (2 * TILE * depth)
    plain = (PLAIN_CYCLES + TAP_CYCLES / fields["in_c"]) * macs
    if pixels < TILE or strip < 1:
        dense = plain
    else:
        tiles = -(-pixels // TILE)
        shorter = (room - channels * _slot(depth)) // (2 * TILE * depth)
        expansions = 1 if strip >= tiles or 3 * shorter >= strip else -(-tiles // strip)
        dense = 15 * pixels * groups * depth + expansions * channels * (13 * depth + CHANNEL_CYCLES)
    fitting = (scratch_bytes - 12 * depth - 256) // _group(depth)
    if not is_sparse(depth, channels) or fitting < (groups if overlaps else 1):
        return dense
    packing = channels * (CHANNEL_CYCLES + 5 * depth)
    return min(dense, pixels * depth * (6.5 * groups + 24 * -(-groups // fitting)) + packing)


def needed(step: Step) -> Scratch:
    """Scratch memory for an output over its input: with less than the least the plain kernel would make channels one
    after the other; with the most, the kernels of this core and of others make all channels of a pixel together."""
    if step.operator != "CONV_2D":
        return Scratch(0, 0)
    f = step.fields
    depth = f["kernel_h"] * f["kernel_w"] * f["in_c"]
    least = _tile(f, depth)
    return Scratch(least, max(least, 12 * depth + 256 + -(-f["out_c"] // GROUP) * _group(depth)))


def _group(depth: int) -> int:
    """A group of channels' scales, sums and packed weights."""
    return GROUP * (2 * depth + SCALE_BYTES + 8)


def is_sparse(depth: int, channels: int) -> bool:
    """Whether sparse.S takes a layer of enough scratch memory, not tiles.S (measured; sparse_conv.c decides)."""
    return channels >= GROUP and depth * (channels - 11) >= 5 * channels + 80


def _dense(f: dict[str, Any], depth: int) -> Scratch:
    """dense_conv.c: lines of padding, tiles of packed pixels, expanded weights."""
    pixels = f["out_h"] * f["out_w"]
    if pixels < TILE:
        return Scratch(0, 0)
    slot, tile = _slot(depth), 2 * TILE * depth
    tiles = -(-pixels // TILE)
    least = _tile(f, depth)
    good = least + (f["out_c"] - 1) * slot + (min(tiles, GOOD_TILES) - 1) * tile
    return Scratch(good, max(good, least + (tiles - 1) * tile))


def _slot(depth: int) -> int:
    """A channel's scale and expanded weights."""
    return SCALE_BYTES + 4 * (depth + depth // 2 + 4)


def _tile(f: dict[str, Any], depth: int) -> int:
    """The least with which dense_conv.c works: lines of padding, a tile, a channel."""
    return 3 * spec.align(f["kernel_w"] * f["in_c"], 4) + _slot(depth) + 2 * TILE * depth


def _sparse(f: dict[str, Any], depth: int) -> Scratch:
    """sparse_conv.c: code of a pixel, groups of packed weights."""
    groups = -(-f["out_c"] // GROUP)
    group = _group(depth)
    return Scratch(12 * depth + 256 + min(groups, GOOD_GROUPS) * group, 20 * depth + 512 + groups * group)
