"""QUANTIZE between quantised tensors: int8 to int8 is a table, the others REQUANTIZE."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Node
from ..numerics import quantize_multiplier, rescale, wrap32
from ..program import Context, Step
from . import lut

DTYPES = ("int8", "int16")
INPUT_INT16, OUTPUT_INT16 = 1, 2


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    (scale, zero), (out_scale, out_zero) = node.per_tensor(source, DTYPES), node.per_tensor(output, DTYPES)
    if source.dtype == output.dtype == "int8":
        return lut.lower_requantize(graph, node)
    multiplier, shift = quantize_multiplier(float(scale) / float(out_scale))
    fields = {
        "flags": INPUT_INT16 * (source.dtype == "int16") | OUTPUT_INT16 * (output.dtype == "int16"),
        "count": source.size,
        "multiplier": multiplier,
        "shift": shift,
        "input_zero": zero,
        "output_zero": out_zero,
    }
    if output.size != source.size:
        raise node.refuse(f"it makes {output.size} values of {source.size}", "export the model again")
    return [Step("REQUANTIZE", node.name, [source], output, fields)]


def run(context: Context) -> None:
    op = context.op
    dtypes = [np.int16 if op["flags"] & flag else np.int8 for flag in (INPUT_INT16, OUTPUT_INT16)]
    x = context.tensor((op["count"],), "input", dtypes[0]).astype(np.int64) - op["input_zero"]
    out = wrap32(rescale(x, np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"])
    limits = np.iinfo(dtypes[1])
    context.tensor(x.shape, "output", dtypes[1])[:] = np.clip(out, limits.min, limits.max)
