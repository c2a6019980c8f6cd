"""The graph in integers: each layer of floats as TensorFlow Lite Micro computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..ir import operators as ir
from ..ir.graph import Edge, Graph, Node, Quantization, State, Tensor
from .calibrate import Histogram
from .groups import Group, Groups, activation_operands, is_island, is_real
from .levels import levels_of, spacing
from .ranges import one_scale, power_of_two
from .readings import Normalisation

_MAX_BIAS = 1 << 30  # of an int32 bias: it leaves room for the sum
_MIN_FACTOR = 2.0**-24  # of a sum on its way to the output's scale: smaller ones lose the bias


class Integers:
    """Translates one graph. tensors: those of integers, by the id of those of floats. layers: those of floats, by the
    id of those of integers."""

    def __init__(
        self,
        graph: Graph,
        groups: Groups,
        scales: Mapping[int, Quantization],
        histograms: Mapping[int, Histogram],
        normalisations: Mapping[int, Normalisation],
    ) -> None:
        """scales: by the id of a group."""
        self._groups, self._scales, self._histograms = groups, scales, histograms
        self._normalisations = normalisations
        self._source = graph
        self.tensors: dict[int, Tensor] = {}
        self.layers: dict[int, Node] = {}
        self._read: dict[tuple[int, int], Tensor] = {}  # a tensor as a group has it
        self.graph = Graph(graph.name, [], [], [])

    def translate(self) -> Graph:
        source, graph = self._source, self.graph
        graph.inputs = [self._input(edge) for edge in source.inputs]
        graph.state = [State(self._result(s.tensor), self._stored(s.tensor, s.initial)) for s in source.state]
        for node in source.nodes:
            if isinstance(node, ir.ReadVariable | ir.WriteVariable) and node.variable not in graph.variables:
                value = node.output if isinstance(node, ir.ReadVariable) else node.source
                initial = source.variables[node.variable]
                graph.variables[node.variable] = (
                    _integers(initial, self._scales[id(self._group(node, value))], self._group(node, value).dtype)
                    if is_real(value)
                    else initial
                )
            if not (isinstance(node, ir.Mul | ir.Add) and self._is_of_reading(node)):
                graph.nodes += self._layer(node)
        graph.outputs = [self._edge(edge) for edge in source.outputs]
        return graph

    def _group(self, node: Node, tensor: Tensor) -> Group:
        return self._groups.operand(node, tensor)

    def _is_of_reading(self, node: ir.Mul | ir.Add) -> bool:
        """Whether readings are quantised such that nothing is left to do: then the result is what it was made of."""
        if not any(node is known for n in self._normalisations.values() for known in n.nodes):
            return False
        self.tensors[id(node.output)] = self._result(node.first)
        return True

    def _input(self, edge: Edge) -> Edge:
        made, known = self._edge(edge), self._normalisations.get(id(edge.tensor))
        if known:
            made.reading = known.of_reading(self._scales[id(self._groups.of(edge.tensor))])
        return made

    def _edge(self, edge: Edge) -> Edge:
        tensor = self._result(edge.tensor)
        return replace(edge, tensor=tensor, dtype=tensor.dtype)

    def _result(self, tensor: Tensor) -> Tensor:
        """A tensor that a layer or the caller computes."""
        if id(tensor) not in self.tensors:
            made = replace(tensor)
            if is_real(tensor) and tensor.data is None and id(tensor) not in self._groups.floats:
                group = self._groups.of(tensor)
                made.dtype, made.quantization = group.dtype, self._scales[id(group)]
            self.tensors[id(tensor)] = made
        return self.tensors[id(tensor)]

    def _stored(self, tensor: Tensor, value: np.ndarray) -> np.ndarray:
        if not is_real(tensor):
            return value
        group = self._groups.of(tensor)
        return _integers(value, self._scales[id(group)], group.dtype)

    def _operand(self, node: Node, tensor: Tensor) -> Tensor:
        """What a layer reads: a Quantize before it where it needs another scale than the tensor has."""
        if not is_real(tensor):
            return self._result(tensor)
        group = self._group(node, tensor)
        if tensor.data is None and group is self._groups.of(tensor):
            return self._result(tensor)
        key = (id(tensor), id(group))
        if key not in self._read:
            scale = self._scales[id(group)]
            made = Tensor(f"{tensor.name}/{group.dtype}", tensor.shape, group.dtype, quantization=scale)
            if tensor.data is not None:
                made.data = _integers(tensor.data, scale, group.dtype)
            else:
                made.name = f"{tensor.name}/{node.name}"
                self.graph.nodes.append(ir.Quantize(name=made.name, source=self._result(tensor), output=made))
            self._read[key] = made
        return self._read[key]

    def _layer(self, node: Node) -> list[Node]:
        if is_island(node):
            return self._island(node)
        fields: dict[str, Any] = {}
        for name in activation_operands(node):
            fields[name] = _like(getattr(node, name), [self._operand(node, t) for t in node.tensors(name)])
        for name in node.RESULTS:
            fields[name] = _like(getattr(node, name), [self._result(t) for t in node.tensors(name)])
        if isinstance(node, ir.Weighted):
            fields |= self._weights(node, fields)
        elif isinstance(node, ir.Lstm):
            fields |= self._lstm(node, fields)
        elif isinstance(node, ir.Svdf):
            fields |= self._svdf(node, fields)
        elif isinstance(node, ir.Pad) and node.value is not None and is_real(node.output):
            output = fields["output"]
            fields["value"] = int(_integers(np.array(node.value), output.quantization, output.dtype))
        made = replace(node, **fields)
        self.layers[id(made)] = node
        return [made]

    def _island(self, node: Node) -> list[Node]:
        """Dequantize, the function in floats, Quantize: the first and the last where integers are beside it."""
        assert isinstance(node, ir.Elementwise)
        source, output = node.source, node.output
        made: list[Node] = []
        if id(source) in self._groups.floats:
            before = self._result(source)
        else:
            before = Tensor(f"{node.name}/dequantized", source.shape, "float32")
            made.append(ir.Dequantize(name=before.name, source=self._operand(node, source), output=before))
        if id(output) in self._groups.floats:
            return [*made, *_functions(node, before, self._result(output))]
        behind = Tensor(f"{node.name}/real", output.shape, "float32")
        made += _functions(node, before, behind)
        return [*made, ir.Quantize(name=node.name, source=behind, output=self._result(output))]

    def _weights(self, node: ir.Weighted, fields: dict[str, Any]) -> dict[str, Any]:
        """int8 weights with a scale for each channel, on the levels that they were trained to, if any; and a bias on
        the scale of their products."""
        if node.weights.data is None:
            raise node.refuse("its weights are computed by the model", "only constant weights can be quantised")
        source, output, data = fields["source"], fields["output"], node.weights.data.astype(np.float64)
        axis, bias = node.CHANNEL_AXIS, real_bias(node)
        channels = data.shape[axis]
        largest = np.abs(data).max(tuple(a for a in range(data.ndim) if a != axis))
        levels = levels_of(data, axis)
        used = 127 if levels is None else levels * spacing(levels)
        scale = np.maximum(largest / used, least_scale(bias, source, output)).astype(np.float32)
        along = [1] * data.ndim
        along[axis] = channels
        stored = np.clip(np.rint(data / scale.astype(np.float64).reshape(along)), -127, 127).astype(np.int8)
        changes: dict[str, Any] = weights_and_bias(node, source, stored, scale)
        if isinstance(node, ir.TransposeConv2D):
            # TFLM's has no activation; the range of the output, which begins at 0, is one.
            changes["activation"] = ir.Activation.NONE
        return changes

    def _lstm(self, node: ir.Lstm, fields: dict[str, Any]) -> dict[str, Any]:
        source, output = fields["source"], fields["output"]
        kernels, recurrent = ([_per_tensor(node, t) for t in group] for group in (node.kernels, node.recurrent))
        biases = [
            _bias(b, _constant(node, b).reshape(-1), np.float64(source.scale[0]) * k.scale, source.dtype)
            for b, k in zip(node.biases, kernels, strict=True)
        ]
        known = self._histograms[id(node.cell)]
        cell = replace(node.cell, dtype="int16", quantization=power_of_two(max(-known.low, known.high)))
        hidden = replace(node.hidden, dtype=output.dtype, quantization=output.quantization)
        self.tensors |= {id(node.cell): cell, id(node.hidden): hidden}
        return {"kernels": kernels, "recurrent": recurrent, "biases": biases, "hidden": hidden, "cell": cell}

    def _svdf(self, node: ir.Svdf, fields: dict[str, Any]) -> dict[str, Any]:
        """A state of int16, and weights of time of int16 beside it."""
        known = self._histograms[id(node.state)]
        scale = one_scale(max(-known.low, known.high) / 32767, 0)
        state = replace(node.state, dtype="int16", quantization=scale)
        self.tensors[id(node.state)] = state
        time = _constant(node, node.time_weights)
        time_scale = one_scale(float(np.abs(time).max()) / 32767, 0)
        time_weights = replace(
            node.time_weights, dtype="int16", data=_integers(time, time_scale, "int16"), quantization=time_scale
        )
        made: dict[str, Any] = {
            "feature_weights": _per_tensor(node, node.feature_weights),
            "time_weights": time_weights,
            "state": state,
            "activation": ir.Activation.NONE,  # TFLM's has none: the output's range is one
        }
        if node.bias is not None:
            scales = np.float64(scale.scale) * time_scale.scale
            made["bias"] = _bias(node.bias, _constant(node, node.bias).reshape(-1), scales, "int8")
        return made


def real_bias(node: ir.Weighted) -> np.ndarray:
    """(channels,) of a layer of floats."""
    channels = node.weights.shape[node.CHANNEL_AXIS]
    return np.zeros(channels) if node.bias is None else _constant(node, node.bias).reshape(-1)


def least_scale(bias: np.ndarray, source: Tensor, output: Tensor) -> np.ndarray:
    """(channels,) the least scale of weights whose products an int32 can hold beside the bias."""
    in_scale = float(source.scale[0])
    least = np.full(bias.size, float(output.scale[0]) / in_scale * _MIN_FACTOR)
    return np.maximum(least, np.abs(bias) / (in_scale * _MAX_BIAS)) if source.dtype == "int8" else least


def weights_and_bias(node: ir.Weighted, source: Tensor, stored: np.ndarray, scale: np.ndarray) -> dict[str, Tensor]:
    """Integers for a layer of floats that reads `source`, which is of integers: weights `stored`, (channels,) `scale`
    of them, and the bias on the scale of their products."""
    known = Quantization(scale, np.zeros(scale.size, np.int64), node.CHANNEL_AXIS)
    weights = replace(node.weights, dtype="int8", data=stored, quantization=known)
    bias = real_bias(node)
    tensor = node.bias or Tensor(f"{node.weights.name}/bias", bias.shape, "float32")
    return {"weights": weights, "bias": _bias(tensor, bias, np.float64(source.scale[0]) * scale, source.dtype)}


def _functions(node: ir.Elementwise, source: Tensor, output: Tensor) -> list[Node]:
    """The operators of floats that a function stands for, of other tensors."""
    if not isinstance(node, ir.Composite):
        return [replace(node, name=output.name, source=source, output=output)]
    made: list[Node] = []
    tensors = {id(node.argument): source}  # those of the Composite here: it may stand in several places
    for inner in node.nodes:
        copy, former = replace(inner), inner.outputs[0]
        for tensor in inner.inputs:
            copy.replace_input(tensor, tensors.get(id(tensor), tensor))
        result = output if inner is node.nodes[-1] else replace(former, name=f"{output.name}/{len(made)}")
        tensors[id(former)] = result
        if isinstance(copy, ir.Composite):
            made += _functions(copy, copy.source, result)
        else:
            copy.replace_output(former, result)
            made.append(copy)
    return made


def _like(value: Any, tensors: list[Tensor]) -> Any:
    return tensors if isinstance(value, list) else tensors[0] if tensors else None


def _integers(values: np.ndarray, quantization: Quantization, dtype: str) -> np.ndarray:
    limits = np.iinfo(dtype)
    stored = np.rint(values.astype(np.float64) / float(quantization.scale[0])) + int(quantization.zero_point[0])
    return np.clip(stored, limits.min, limits.max).astype(dtype)


def _constant(node: Node, tensor: Tensor) -> np.ndarray:
    if tensor.data is None:
        raise node.refuse(f"its parameter {tensor.name!r} is computed by the model", "only constants can be quantised")
    return tensor.data.astype(np.float64)


def _symmetric(scale: np.ndarray, axis: int = 0) -> Quantization:
    return Quantization(scale.astype(np.float32), np.zeros(scale.size, np.int64), axis)


def _per_tensor(node: Node, tensor: Tensor) -> Tensor:
    """int8 weights of one scale."""
    data = _constant(node, tensor)
    scale = one_scale(float(np.abs(data).max()) / 127, 0)
    return replace(tensor, dtype="int8", data=_integers(data, scale, "int8"), quantization=scale)


def _bias(bias: Tensor, values: np.ndarray, scales: np.ndarray, activations: str) -> Tensor:
    """On the scale of the products: int32, or int64 beside int16 activations."""
    dtype = "int64" if activations == "int16" else "int32"
    limits = np.iinfo("int32") if dtype == "int32" else np.iinfo(np.int64)
    stored = np.clip(np.rint(values / scales), limits.min, float(limits.max) if dtype == "int32" else 2.0**46)
    return replace(bias, dtype=dtype, data=stored.astype(dtype).reshape(bias.shape), quantization=_symmetric(scales))
