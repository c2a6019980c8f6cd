"""Working memory of the tuned kernels (native_modules/kernels): what they ask of the arena.

A kernel takes what its record grants and leaves layers to the plain core where that is too little, so these figures
decide speed and memory, never results.
"""

from __future__ import annotations

from typing import Any

from ..device import spec
from ..device.record import Step
from .scratch import Scratch

# Bytes that scratch may add to an arena, however small: with half of it at most, small models missed the fast kernels.
GROWTH_LIMIT = 8192

# Of native_modules/kernels/armv6m: midge_scale_t, and what tiles.S and sparse.S work on.
SCALE_BYTES = 44
TILE = 6  # pixels
GROUP = 6  # channels

TABLES_BYTES = 2048  # of add_tables.c

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
        return Scratch(TABLES_BYTES, TABLES_BYTES) if f["count"] >= TABLES_BYTES else Scratch(0, 0)
    is_conv = step.operator in ("CONV_2D", "FULLY_CONNECTED")
    if not is_conv and not (step.operator == "DEPTHWISE_CONV_2D" and f["in_c"] == 1):
        return Scratch(0, 0)
    if f["out_h"] * f["out_w"] < FEW_PIXELS:
        return Scratch(0, 0)
    depth = f["kernel_h"] * f["kernel_w"] * f["in_c"]
    dense, sparse = _dense(f, depth), _sparse(f, depth)
    least = sparse.least if is_sparse(depth, f["out_c"]) else dense.least
    return Scratch(least, max(dense.most, sparse.most))


def is_sparse(depth: int, channels: int) -> bool:
    """Whether sparse.S takes a layer of enough scratch memory, not tiles.S (measured; sparse_conv.c decides)."""
    return channels >= GROUP and depth * (channels - 11) >= 5 * channels + 80


def _dense(f: dict[str, Any], depth: int) -> Scratch:
    """dense_conv.c: lines of padding, tiles of packed pixels, expanded weights."""
    pixels = f["out_h"] * f["out_w"]
    if pixels < TILE:
        return Scratch(0, 0)
    lines = 3 * spec.align(f["kernel_w"] * f["in_c"], 4)
    slot = SCALE_BYTES + 4 * (depth + depth // 2 + 4)
    tile = 2 * TILE * depth
    tiles = -(-pixels // TILE)
    good = lines + f["out_c"] * slot + min(tiles, GOOD_TILES) * tile
    return Scratch(good, max(good, lines + slot + tiles * tile))


def _sparse(f: dict[str, Any], depth: int) -> Scratch:
    """sparse_conv.c: code of a pixel, groups of packed weights."""
    groups = -(-f["out_c"] // GROUP)
    group = GROUP * (2 * depth + SCALE_BYTES + 8)
    return Scratch(12 * depth + 256 + min(groups, GOOD_GROUPS) * group, 20 * depth + 512 + groups * group)
