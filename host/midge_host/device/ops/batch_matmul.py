"""BATCH_MATMUL: products of two tensors' matrices."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Graph, Node
from ..numerics import quantize_multiplier, rescale, wrap32
from ..record import Context, Step, repeated
from .constant import computed

MAX_DEPTH = 33025  # products of 255 * 255 that int32 holds
BATCH_DIMS = 3
FIRST_TRANSPOSED, SECOND_TRANSPOSED = 1, 2


def lower(graph: Graph, node: Node) -> list[Step]:
    steps: list[Step] = []
    first, second, output = computed(node.inputs[0], steps), computed(node.inputs[1], steps), node.outputs[0]
    (scale1, zero1), (scale2, zero2), (scale, zero) = (node.per_tensor(t) for t in (first, second, output))
    (batch1, rows, depth), (batch2, depth2, columns) = (
        (t.shape[:-2], *(t.shape[-2:][::-1] if node.options[adjoint] else t.shape[-2:]))
        for t, adjoint in ((first, "adj_x"), (second, "adj_y"))
    )
    batch = np.broadcast_shapes(batch1, batch2)
    if depth != depth2 or output.shape != (*batch, rows, columns):
        raise node.refuse(f"{first.shape} and {second.shape} do not make {output.shape}", "export the model again")
    if len(batch) > BATCH_DIMS or depth > MAX_DEPTH:
        reason = f"it has {len(batch)} batch dimensions and sums {depth} products"
        raise node.refuse(f"{reason}, the limits are {BATCH_DIMS} and {MAX_DEPTH}", "split the layer")
    multiplier, shift = quantize_multiplier(float(scale1) * float(scale2) / float(scale))
    batch = (1,) * (BATCH_DIMS - len(batch)) + batch
    fields = {
        "flags": FIRST_TRANSPOSED * node.options["adj_x"] + SECOND_TRANSPOSED * node.options["adj_y"],
        "batch": batch,
        "rows": rows,
        "depth": depth,
        "columns": columns,
        "repeat1": _repeats(batch1, batch),
        "repeat2": _repeats(batch2, batch),
        "multiplier": multiplier,
        "shift": shift,
        "zero1": zero1,
        "zero2": zero2,
        "output_zero": zero,
    }
    return [*steps, Step("BATCH_MATMUL", node.name, [first, second], output, fields)]


def _repeats(own: tuple[int, ...], batch: tuple[int, ...]) -> int:
    """A bit for each dimension of `batch` along which a tensor with batch dimensions `own` is repeated."""
    own = (1,) * (len(batch) - len(own)) + own
    return sum(1 << d for d, (n, whole) in enumerate(zip(own, batch, strict=True)) if n != whole)


def run(context: Context) -> None:
    op = context.op

    def factor(field: str, n: int, shape: tuple[int, int]) -> np.ndarray:
        transposed = op["flags"] & n
        own = (*repeated(op["batch"], op[f"repeat{n}"]), *(shape[::-1] if transposed else shape))
        x = context.tensor(own, field).astype(np.int64) - op[f"zero{n}"]
        return x.swapaxes(-1, -2) if transposed else x

    total = factor("input", 1, (op["rows"], op["depth"])) @ factor("input2", 2, (op["depth"], op["columns"]))
    out = wrap32(rescale(wrap32(total), np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"])
    context.tensor(out.shape, "output")[:] = np.clip(out, -128, 127)
