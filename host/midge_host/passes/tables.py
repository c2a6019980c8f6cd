"""Tables of tables."""

from __future__ import annotations

import numpy as np

from ..device import registry
from ..device.program import Program
from ..device.record import Context, Step
from ..ir.graph import Tensor
from .words import count

_INPUTS = ("input", "input2", "input3")


def fuse_tables(program: Program) -> str:
    """A table of what a table gives is one table, and so is what operators compute of the elements of one tensor and
    of tables of it: x * sigmoid(x)."""
    before = len(program.steps)
    made = _of_one_source(program)
    fused: list[Step] = []
    for step in program.steps:
        source = program.sole_source(step, fused) if step.operator == "LUT" else None
        if source and source.operator == "LUT":
            source.blocks = [_table(step)[_index(_table(source))].tobytes()]
            source.output = step.output
        else:
            fused.append(step)
    program.steps = fused
    return count(before - len(fused) + made, "table taken into another", "tables taken into others")


def _table(step: Step) -> np.ndarray:
    return np.frombuffer(step.blocks[0], np.int8)


def _index(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int64) + 128


def _of_one_source(program: Program) -> int:
    """Makes tables of steps with several inputs, and drops the tables and constants that nobody reads any more; how
    many it made."""
    tables: dict[Tensor, tuple[Tensor, np.ndarray]] = {}  # of which tensor it is a table
    constants: dict[Tensor, int] = {}
    made = 0
    for i, step in enumerate(program.steps[program.init_count :], program.init_count):
        if len(step.inputs) > 1:
            table = _computed(program, step, tables, constants)
            if table:
                root, values = table
                fields = {"count": step.output.size}
                step = program.steps[i] = Step("LUT", step.name, [root], step.output, fields, [values.tobytes()])
                made += 1
        if step.operator == "LUT":
            root, inner = tables.get(step.inputs[0], (step.inputs[0], np.arange(-128, 128)))
            if not {root, step.output} & set(program.state):
                tables[step.output] = root, _table(step)[_index(inner)]
        elif step.operator == "CONSTANT" and step.output.bytes == 1:
            constants[step.output] = int(_table(step)[0]) if step.blocks else step.fields["value"]
    if made:
        read, kept = set(program.kept), []
        for step in reversed(program.steps):
            if step.operator not in ("LUT", "CONSTANT") or step.output in read:
                read |= set(step.inputs)
                kept.append(step)
        program.steps = kept[::-1]
    return made


def _computed(
    program: Program,
    step: Step,
    tables: dict[Tensor, tuple[Tensor, np.ndarray]],
    constants: dict[Tensor, int],
) -> tuple[Tensor, np.ndarray] | None:
    """The tensor of which the output of `step` is a table, and the table."""
    operator = registry.of_step(step)
    if not operator.elementwise or step.dtype != "int8":
        return None
    roots: set[Tensor] = set()
    arena = np.zeros((4, 256), np.int8)
    fields = {**step.fields, "types": operator.types, "shape": (1, 1, 1, 1, 256), "count": 256, "output": 3 * 256}
    for i, (field, tensor) in enumerate(zip(_INPUTS, step.inputs, strict=False)):
        fields[field], fields[f"repeat{i + 1}"] = i * 256, 0
        if tensor in constants:
            fields[f"repeat{i + 1}"] = 1 << 4
            arena[i] = constants[tensor]
        elif tensor.size != step.output.size or tensor in program.state:
            return None
        else:
            root, values = tables.get(tensor, (tensor, np.arange(-128, 128)))
            roots.add(root)
            arena[i] = values
    if len(roots) != 1 or roots & set(program.state):
        return None
    flat = arena.reshape(-1)
    operator.run(
        Context({"flags": 0, **dict.fromkeys(operator.layout.offsets, 0), **fields}, flat, np.zeros(0, np.uint8))
    )
    return roots.pop(), arena[3].copy()
