"""Activations that only clamp."""

from __future__ import annotations

import numpy as np

from ..device.program import Program
from ..device.record import Step
from .words import count


def fuse_clamps(program: Program) -> str:
    """A table that only clamps (RELU, RELU6 on one scale) becomes the clamp limits of the step before it."""
    fused: list[Step] = []
    for step in program.steps:
        limits = _clamp_of(step)
        before = program.sole_source(step, fused) if limits else None
        if limits and before and "clamp_min" in before.fields:
            low, high = (max(before.fields["clamp_min"], limits[0]), min(before.fields["clamp_max"], limits[1]))
            if low <= high:
                before.fields |= {"clamp_min": low, "clamp_max": high}
                before.output = step.output
                continue
        fused.append(step)
    done, program.steps = len(program.steps) - len(fused), fused
    return count(done, "activation as the limits of the layer before", "activations as the limits of the layers before")


def _clamp_of(step: Step) -> tuple[int, int] | None:
    if step.operator != "LUT":
        return None
    table = np.frombuffer(step.blocks[0], np.int8)
    low, high = int(table[0]), int(table[-1])
    return (low, high) if np.array_equal(table, np.clip(np.arange(-128, 128), low, high)) else None
