"""Working memory of the tuned kernels (native_modules/arch): what they ask of the arena.

A kernel takes what its record grants and leaves layers to the plain core where that is too little, so these figures
decide speed and memory, never results.
"""

from __future__ import annotations

from typing import NamedTuple

from . import spec
from .program import Step

# Of native_modules/arch/armv6m/tiles.h: pixels of a tile, and bytes before a channel's weights.
TILE = 6
SLOT_HEAD = 44

MAX_GROWTH = 8192  # bytes that scratch may add to an arena
GOOD_TILES = 4  # from so many tiles in a strip on, expanding the weights for each strip is cheap
CACHE = 2048  # so much for expanded weights that are kept


class Scratch(NamedTuple):
    """Bytes for a layer: below `least` it is slow, above `most` there is nothing to gain."""

    least: int
    most: int


def wanted(step: Step) -> Scratch:
    """What the kernel of a step can use."""
    f = step.fields
    if step.operator not in ("CONV_2D", "FULLY_CONNECTED") or f["out_h"] * f["out_w"] < TILE:
        return Scratch(0, 0)
    line = f["kernel_w"] * f["in_c"]
    depth = f["kernel_h"] * line
    lines = 3 * spec.align(line, 4)
    slot = SLOT_HEAD + 4 * (depth + depth // 2 + 4)
    tile = 4 * (TILE // 2) * depth
    tiles = -(-f["out_h"] * f["out_w"] // TILE)
    cached = min(f["out_c"] * slot, CACHE)
    most = lines + max(slot + tiles * tile, f["out_c"] * slot + GOOD_TILES * tile)
    least = lines + max(slot + min(tiles, GOOD_TILES) * tile, cached + tile)
    if least > MAX_GROWTH:
        least = lines + slot + tile
    return Scratch(min(least, most), most)
