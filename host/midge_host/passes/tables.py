"""Tables of tables."""

from __future__ import annotations

import numpy as np

from ..device.program import Program
from ..device.record import Step
from .words import count


def fuse_tables(program: Program) -> str:
    """A table of what a table gives is one table."""
    fused: list[Step] = []
    for step in program.steps:
        before = program.sole_source(step, fused) if step.operator == "LUT" else None
        if before and before.operator == "LUT":
            inner, outer = (np.frombuffer(s.blocks[0], np.int8) for s in (before, step))
            before.blocks = [outer[inner.astype(np.int64) + 128].tobytes()]
            before.output = step.output
        else:
            fused.append(step)
    done, program.steps = len(program.steps) - len(fused), fused
    return count(done, "table taken into another", "tables taken into others")
