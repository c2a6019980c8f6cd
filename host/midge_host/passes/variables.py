"""Variables of floats."""

from __future__ import annotations

import numpy as np

from ..device.numerics import dequantized, quantized
from ..ir.graph import Graph, Tensor
from ..ir.operators import Dequantize, ReadVariable, WriteVariable
from .words import count


def quantize_variables(graph: Graph) -> str:
    """A variable that holds dequantised values, as stateful Keras GRUs have it, holds their bytes."""
    names = [name for name in graph.variables if _quantize(graph, name)]
    return count(len(names), "variable of floats as bytes", "variables of floats as bytes")


def _quantize(graph: Graph, name: str) -> bool:
    writes = [n for n in graph.nodes if isinstance(n, WriteVariable) and n.variable == name]
    makers = [graph.producer(n.source) for n in writes]
    sources = [m.source for m in makers if isinstance(m, Dequantize) and m.source.dtype == "int8"]
    initial = graph.variables[name]
    if not sources or len(sources) < len(writes) or initial.dtype != np.float32:
        return False
    like = sources[0]
    if like.scale.size != 1 or not all(s.has_scale_of(like) for s in sources):
        return False
    scale, zero_point = like.scale[0], int(like.zero_point[0])
    stored = quantized(initial, scale, zero_point)
    if not np.array_equal(dequantized(scale, zero_point)[stored.astype(np.int64) + 128], initial):
        return False
    graph.variables[name] = stored
    for write, source in zip(writes, sources, strict=True):
        write.source = source
    for read in [n for n in graph.nodes if isinstance(n, ReadVariable) and n.variable == name]:
        real = read.output
        read.output = Tensor(f"{real.name}_bytes", real.shape, "int8", quantization=like.quantization)
        at = graph.nodes.index(read) + 1
        graph.nodes.insert(at, Dequantize(name=read.name, kind=read.kind, source=read.output, output=real))
    return True
