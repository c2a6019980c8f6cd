"""Biases of few bits: multiples of a power of two, whose zeros a coded file leaves out."""

from __future__ import annotations

import numpy as np

from ...device.program import Program

_SHARE = 1 / 8  # of an output's step, between two biases of the channel that has the largest ones


def shorten(program: Program) -> None:
    """Rounds the biases of a program's layers, each by 1/16 of a step of its outputs at most."""
    for step in program.steps:
        if step.rows is None or step.dtype != "int8":
            continue
        rows = step.rows
        unit = np.ldexp(1.0, 31 - rows.shift) / rows.multiplier  # sums in a step of the output
        varies = rows.weights.reshape(len(unit), -1).any(1)
        apart = np.exp2(np.floor(np.log2(np.maximum((unit[varies] if varies.any() else unit).min() * _SHARE, 1))))
        limit = (1 << 31) - int(apart)
        rows.bias = np.clip(np.rint(rows.bias / apart) * apart, -limit, limit).astype(np.int64)
