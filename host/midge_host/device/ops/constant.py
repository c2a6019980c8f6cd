"""CONSTANT: a tensor that the model holds itself, written into the arena."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...ir.graph import Tensor
from .. import spec
from ..record import Context, Step


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
