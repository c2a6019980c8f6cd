"""Layers of real numbers between DequantizeLinear and QuantizeLinear become quantised layers of the IR.

Where an integer of the result depends on one integer only (functions, changes of scale), a table holds what ONNX
defines. Sums of products have ONNX's integers before they are scaled; docs/onnx.md says how that rounding differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...ir import operators as ir
from ...ir.evaluate import FUNCTIONS, dequantise
from ...ir.graph import Graph, Node, Quantization, Tensor
from ...passes.unsigned import shift_unsigned
from ...passes.unused import drop_unused
from .quantised import quantised

# Operators that move elements of any type: they read integers as well as what these stand for.
_MOVES = (
    *(ir.Reshape, ir.Transpose, ir.Slice, ir.Copy, ir.Gather, ir.Split, ir.Unstack, ir.Broadcast, ir.Tile),
    *(ir.Reverse, ir.DepthToSpace, ir.SpaceToDepth, ir.MirrorPad),
)
# Operators whose result has their input's scale.
_SAME_SCALE = (ir.Pool, ir.ReduceMax, ir.ReduceMin, ir.Resize, ir.Pad)
# Operators whose result has a scale and zero point of TensorFlow Lite's.
_FIXED: dict[type[Node], tuple[float, int]] = {
    ir.Softmax: (1 / 256, -128),
    ir.LogSoftmax: (16 / 256, 127),
    ir.L2Normalize: (1 / 128, 0),
}


def fold_integers(graph: Graph, stored: dict[Tensor, Tensor]) -> None:
    """Rewrites a graph with Quantize and Dequantize nodes. stored: the integers of constants that the file holds
    quantised, by the constant of real numbers."""
    if not any(isinstance(node, ir.Dequantize | ir.Quantize) for node in graph.nodes):
        return
    shift_unsigned(graph)
    _fuse_activations(graph)
    _moves_before_dequantize(graph)
    _moves_behind_quantize(graph)
    folding = _Folding(graph, {key: _signed(tensor) for key, tensor in stored.items()})
    folding.run()
    drop_unused(graph)


def _signed(tensor: Tensor) -> Tensor:
    """uint8 as int8, and back where only that has a zero point that layers can take."""
    if tensor.data is None or tensor.quantization is None or tensor.dtype not in ("uint8", "int8"):
        return tensor
    shifted = tensor.zero_point + (-128 if tensor.dtype == "uint8" else 128)
    if (tensor.dtype == "uint8" and not shifted.any()) or (tensor.dtype == "int8" and tensor.zero_point.any()):
        other = np.int8 if tensor.dtype == "uint8" else np.uint8
        data = (tensor.data.view(np.uint8) ^ np.uint8(128)).view(other)
        return replace(
            tensor, dtype=data.dtype.name, data=data, quantization=tensor.quantization.with_zero_point(shifted)
        )
    return tensor


def _like(tensor: Tensor, quantity: Tensor, suffix: str) -> Tensor:
    """A tensor of a shape, with the type and scale of another."""
    return Tensor(f"{tensor.name}/{suffix}", tensor.shape, quantity.dtype, quantization=quantity.quantization)


def _moves_before_dequantize(graph: Graph) -> None:
    nodes: list[Node] = []
    real: dict[Tensor, Tensor] = {}  # the integers, by what they were dequantised to
    for node in graph.nodes:
        nodes.append(node)
        if isinstance(node, ir.Dequantize):
            real[node.output] = node.source
        elif isinstance(node, _MOVES) and node.inputs[0] in real:
            integers = real[node.inputs[0]]
            node.replace_input(node.inputs[0], integers)
            for output in node.outputs:
                made = _like(output, integers, "integers")
                node.replace_output(output, made)
                nodes.append(ir.Dequantize(name=output.name, source=made, output=output))
                real[output] = made
    graph.nodes = nodes


def _moves_behind_quantize(graph: Graph) -> None:
    for node in reversed(list(graph.nodes)):
        if not isinstance(node, ir.Quantize):
            continue
        maker = _sole_maker(graph, node.source)
        if not isinstance(maker, _MOVES) or len(maker.outputs) > 1 or maker.inputs[0].dtype != "float32":
            continue
        source = maker.inputs[0]
        made = _like(source, node.output, "integers")
        early = ir.Quantize(name=made.name, kind=node.kind, source=source, output=made)
        maker.replace_input(source, made)
        maker.replace_output(maker.outputs[0], node.output)
        graph.nodes.insert(graph.nodes.index(maker), early)
        graph.nodes.remove(node)


_CLAMPS = {ir.Relu: ir.Activation.RELU, ir.Relu6: ir.Activation.RELU6, ir.ReluN1To1: ir.Activation.RELU_N1_TO_1}


def _fuse_activations(graph: Graph) -> None:
    """Clamps behind a layer, or behind moves of its results, become the layer's activation."""
    for node in list(graph.nodes):
        if type(node) not in _CLAMPS or not isinstance(node, ir.Elementwise):
            continue
        last = maker = _sole_maker(graph, node.source)
        while isinstance(maker, ir.Reshape | ir.Transpose):
            maker = _sole_maker(graph, maker.source)
        if isinstance(maker, ir.Weighted | ir.Clamped) and maker.activation is ir.Activation.NONE and last is not None:
            maker.activation = _CLAMPS[type(node)]
            last.replace_output(node.source, node.output)
            last.name = node.name
            graph.nodes.remove(node)


def _sole_maker(graph: Graph, tensor: Tensor) -> Node | None:
    """What makes a tensor that one layer alone reads."""
    alone = len(graph.consumers(tensor)) == 1 and not graph.is_output(tensor)
    return graph.producer(tensor) if alone else None


class _Folding:
    """stored: the integers of constants; real: what dequantises a tensor, both by the tensor of real numbers."""

    def __init__(self, graph: Graph, stored: dict[Tensor, Tensor]) -> None:
        self.graph = graph
        self.stored = stored
        self.real = {n.output: n for n in graph.nodes if isinstance(n, ir.Dequantize)}
        self.nodes: list[Node] = []
        self.done: set[int] = set()  # Quantize nodes whose results a layer makes

    def run(self) -> None:
        for node in self.graph.nodes:
            if id(node) in self.done:
                continue
            if isinstance(node, ir.Quantize) and node.source in self.real:
                self._rescale(node)
            elif isinstance(node, ir.Quantize | ir.Dequantize) or not self._fold(node):
                self.nodes.append(node)
        self.graph.nodes = self.nodes

    def _rescale(self, node: ir.Quantize) -> None:
        """Integers of one scale as those of another."""
        source = self.real[node.source].source
        if source.dtype == node.output.dtype and source.has_scale_of(node.output):
            self.nodes.append(ir.Copy(name=node.name, kind=node.kind, source=source, output=node.output))
        else:
            self.nodes.append(_change(node.name, source, node.output))

    def _integers(self, tensor: Tensor) -> Tensor | None:
        return self.real[tensor].source if tensor in self.real else self.stored.get(tensor)

    def _fold(self, node: Node) -> bool:
        """Whether the layer could be quantised. A layer whose results have several scales is made several times."""
        sources = [t for t in node.inputs if t.data is None]
        if not sources or any(t not in self.real for t in sources) or len(node.outputs) != 1:
            return False
        if isinstance(node, ir.ArgMax | ir.ArgMin | ir.Comparison):
            return self._replace_operands(node) and self._append(node)
        output = node.outputs[0]
        readers = self.graph.consumers(output)
        if self.graph.is_output(output) or not readers or not all(isinstance(r, ir.Quantize) for r in readers):
            return False
        made: list[Node] = []
        for reader in readers:
            result = reader.outputs[0]
            same = next((n for n in made if n.outputs[0].has_scale_of(result)), None)
            if same is not None:
                self.graph.replace(result, same.outputs[0])
                continue
            layers = self._quantised(replace(node), result)
            if layers is None:
                return False
            made += layers
        self.nodes += made
        self.done |= set(map(id, readers))
        return True

    def _append(self, node: Node) -> bool:
        self.nodes.append(node)
        return True

    def _quantised(self, node: Any, result: Tensor) -> list[Node] | None:
        """The layers that make `result` of integers; None if the IR has none."""
        table = self._table(node, result)
        if table is not None:
            return [table]
        if isinstance(node, ir.Weighted):
            return self._weighted(node, result)
        if isinstance(node, ir.Concatenate):
            return self._concatenated(node, result)
        if not self._replace_operands(node):
            return None
        source = node.inputs[0]
        if isinstance(node, ir.Pad) and node.value is not None:
            node.value = float(quantised(np.array(node.value, np.float32), _quantity(source), source.dtype))
        if isinstance(node, _SAME_SCALE):
            return _then_changed(node, source.dtype, _quantity(source), result)
        fixed = _FIXED.get(type(node))
        if fixed is not None and result.dtype == "int8":
            scale, zero_point = fixed
            return _then_changed(
                node, "int8", Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64)), result
            )
        node.output = result
        return [node]

    def _replace_operands(self, node: Node) -> bool:
        for name in node.OPERANDS:
            for tensor in node.tensors(name):
                integers = self._integers(tensor)
                if integers is None and tensor.dtype == "float32":
                    return False
        for tensor in dict.fromkeys(node.inputs):
            integers = self._integers(tensor)
            if integers is not None:
                node.replace_input(tensor, integers)
        return True

    def _table(self, node: Node, result: Tensor) -> ir.Table | None:
        """A function of one integer of 8 bits."""
        sources = [t for t in node.inputs if t.data is None]
        constants = [t for t in node.inputs if t.data is not None]
        elementwise = isinstance(node, ir.Elementwise) or (
            isinstance(node, ir.Binary) and all(t.size == 1 for t in constants)
        )
        if not elementwise or len(sources) != 1 or sources[0].shape != node.outputs[0].shape:
            return None
        source = self.real[sources[0]].source
        if source.dtype != "int8" or result.dtype != "int8":
            return None
        values = dequantise(source, np.arange(-128, 128))
        operands = [values if t.data is None else t.data.reshape(()) for t in node.inputs]
        function = next(FUNCTIONS[kind] for kind in type(node).__mro__ if kind in FUNCTIONS)
        with np.errstate(all="ignore"):
            made = np.nan_to_num(np.asarray(function(node, *operands), np.float32))
        table = quantised(made, _quantity(result), "int8")
        return ir.Table(name=node.name, kind=node.kind, source=source, output=result, table=table)

    def _weighted(self, node: Any, result: Tensor) -> list[Node] | None:
        weights, source = self.stored.get(node.weights), self.real[node.source].source
        if weights is None or weights.quantization is None:
            return None
        weights.quantization = replace(weights.quantization, axis=node.CHANNEL_AXIS)
        if node.bias is not None:
            scale = source.scale.astype(np.float64) * weights.scale.astype(np.float64)
            known = self.stored.get(node.bias)
            if known is not None and known.data is not None and np.allclose(known.scale, scale, rtol=1e-3):
                data = known.data.astype(np.int32)
            else:
                data = np.rint(node.bias.data.astype(np.float64) / scale).astype(np.int32)
            node.bias = replace(node.bias, dtype="int32", data=data)
        node.source, node.weights, node.output = source, weights, result
        return [node]

    def _concatenated(self, node: ir.Concatenate, result: Tensor) -> list[Node] | None:
        layers: list[Node] = []
        sources = []
        for tensor in node.sources:
            integers = self._integers(tensor)
            if integers is None or integers.dtype != result.dtype:
                return None
            if not integers.has_scale_of(result):
                changed = _like(integers, result, "scaled")
                layers.append(_change(changed.name, integers, changed))
                integers = changed
            sources.append(integers)
        node.sources, node.output = sources, result
        return [*layers, node]


def _quantity(tensor: Tensor) -> Quantization:
    assert tensor.quantization is not None
    return tensor.quantization


def _change(name: str, source: Tensor, output: Tensor) -> Node:
    """Integers of one scale as those of another: of 8 bits by a table, with ONNX's rounding."""
    if source.dtype == output.dtype == "int8":
        values = dequantise(source, np.arange(-128, 128))
        table = quantised(values, _quantity(output), "int8")
        return ir.Table(name=name, source=source, output=output, table=table)
    return ir.Quantize(name=name, source=source, output=output)


def _then_changed(node: Any, dtype: str, quantization: Quantization, result: Tensor) -> list[Node]:
    """A layer whose result has a scale of its own, and the change to the one that is wanted."""
    own = Tensor(f"{node.name}/own_scale", result.shape, dtype, quantization=quantization)
    if result.dtype == dtype and own.has_scale_of(result):
        node.output = result
        return [node]
    node.output = own
    return [node, _change(result.name, own, result)]
