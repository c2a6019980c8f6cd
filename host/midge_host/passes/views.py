"""Parts of a tensor that lie together need no copies."""

from __future__ import annotations

from math import prod

from ..device import spec
from ..device.ops.copy import OUTPUT_HAS_STRIDES
from ..device.program import Program
from ..device.record import Step
from ..ir.graph import Tensor
from .words import count


def name_parts(program: Program) -> str:
    """A tensor that is only cut into parts, each of which lies together: the parts become names within its memory."""
    readers: dict[Tensor, list[Step]] = {}
    makers: dict[Tensor, int] = {}
    for step in program.steps:
        makers[step.output] = makers.get(step.output, 0) + 1
        for tensor in step.inputs:
            readers.setdefault(tensor, []).append(step)
    kept = set(program.kept)
    gone: set[int] = set()
    for source, steps in readers.items():
        if source in kept or makers.get(source, 0) != 1:
            continue
        if all(is_part(step) and step.output not in kept and makers[step.output] == 1 for step in steps):
            for step in steps:
                program.aliases[step.output] = source
                program.places[step.output] = step.fields["at"]
                gone.add(id(step))
    program.steps = [step for step in program.steps if id(step) not in gone]
    return count(len(gone), "copy left out", "copies left out")


def is_part(step: Step) -> bool:
    """Whether a step copies bytes that lie one behind the other, from where a tensor may begin."""
    if step.operator != "COPY" or step.fields["flags"] & OUTPUT_HAS_STRIDES or step.partial:
        return False
    shape, strides, run = (step.fields[name] for name in ("shape", "strides", "run"))
    together = all(
        n == 1 or stride == prod(shape[i + 1 :]) * run for i, (n, stride) in enumerate(zip(shape, strides, strict=True))
    )
    return together and step.fields["at"] % spec.BLOCK_ALIGNMENT == 0
