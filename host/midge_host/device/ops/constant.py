"""CONSTANT: a tensor that the model holds itself, written into the arena."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...ir.graph import Tensor
from .. import spec
from ..banks import TENSOR
from ..definition import Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import Check, When, at_least, nonzero, product, weights

CONSTANT = record(
    "constant",
    "Fills the output from weight blocks, the last of which may be longer than needed, or with one value. types is "
    "int8 for every tensor.",
    [
        ("b", "value", "of every byte, where there are no blocks"),
        ("I", "count", "bytes"),
    ],
)


def fill(tensor: Tensor, values: np.ndarray) -> Step:
    """The step that writes `values` (of the tensor's dtype and size) into `tensor`."""
    raw = np.ascontiguousarray(values, tensor.dtype).tobytes()
    fields = {"count": len(raw), "value": int(np.frombuffer(raw[:1], np.int8)[0])}
    if raw == raw[:1] * len(raw):
        return Step("CONSTANT", tensor.name, [], tensor, fields)
    size = min(spec.align(len(raw), spec.BLOCK_ALIGNMENT), spec.BLOCK_TARGET_BYTES)
    blocks = [raw[i : i + size].ljust(size, b"\0") for i in range(0, len(raw), size)]
    return Step("CONSTANT", tensor.name, [], tensor, {**fields, "value": 0}, blocks)


def computed(tensor: Tensor, steps: list[Step]) -> Tensor:
    """`tensor`, or for a constant one that a step added to `steps` makes of it."""
    if tensor.data is None:
        return tensor
    made = replace(tensor, data=None)
    steps.append(fill(made, tensor.data))
    return made


def run(context: Context) -> None:
    op = context.op
    out = context.tensor((op["count"],), "output")
    if op["blocks"]:
        out[:] = np.concatenate([context.block(i) for i in range(op["blocks"])]).view(np.int8)[: op["count"]]
    else:
        out[:] = op["value"]


_OUTPUT = Operand("output", ("count",))

CHECK = Check(
    "constant",
    (When(nonzero("blocks"), (weights(at_least(product("blocks", "block_bytes"), "count")),)), fit(_OUTPUT)),
)

DEFINITIONS = (Operator(12, "CONSTANT", TENSOR, CONSTANT, "constant", CHECK, (_OUTPUT,), run, has_blocks=True),)
