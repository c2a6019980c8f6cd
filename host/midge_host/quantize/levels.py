"""Weights that were trained to lie on few levels: whole multiples of a step, one for each output channel.

They are quantised such that int8 holds them exactly, as multiples of a whole number: nothing of the training is lost,
and coded weights (docs/FORMAT.md) take as few bits as there are levels.
"""

from __future__ import annotations

import numpy as np

from ..ir import operators as ir

_MOST = 15  # levels on either side of 0: 5 bits
_EXACT = 1e-4  # of a step: folding factors into weights of float32 leaves errors of a hundredth of that


def levels_of(weights: np.ndarray, axis: int) -> np.ndarray | None:
    """The largest multiple of each channel, int64 (channels,); None where a channel's weights lie on no levels, or on
    more than 15 on either side of 0."""
    rows = np.moveaxis(weights.astype(np.float64), axis, 0).reshape(weights.shape[axis], -1)
    largest = np.abs(rows).max(1, keepdims=True)
    shares = rows / np.where(largest > 0, largest, 1)
    found = np.zeros(len(rows), np.int64)
    for most in range(1, _MOST + 1):
        on = np.abs(shares * most - np.rint(shares * most)).max(1) < _EXACT
        found[on & (found == 0)] = most
    return found if found.all() else None


def spacing(levels: np.ndarray) -> np.ndarray:
    """How far apart levels lie in int8, as far as there is room."""
    return 127 // levels


def would_lose_levels(node: ir.Weighted) -> bool:
    """Whether a factor for each channel that a layer reads would take its weights off their levels. Those of a
    depthwise layer stay on them: what it reads are its own channels."""
    if node.weights.data is None or isinstance(node, ir.DepthwiseConv2D):
        return False
    return levels_of(node.weights.data, node.CHANNEL_AXIS) is not None
