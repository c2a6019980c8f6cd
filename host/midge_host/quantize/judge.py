"""How far a graph in integers is from the graph of floats that it was made of; and biases that bring it closer."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..ir import batch
from ..ir import operators as ir
from ..ir.evaluate import clamp, dequantise, quantise
from ..ir.graph import Graph, Node, Tensor
from .calibrate import chunks, of_channels
from .integers import Integers
from .readings import encoded

# Gives a layer of integers other weights: (layer, that of floats, what the tensors of integers before it hold).
ChooseWeights = Callable[[ir.Weighted, ir.Weighted, batch.Values], None]


class Judge:
    """Compares the outputs for some readings. What enters a Softmax, LogSoftmax or Logistic at the end is compared
    instead of their results, which saturate: there an error shows before it changes a decision."""

    def __init__(self, reference: Graph, readings: list[np.ndarray], others: list[np.ndarray] | None = None) -> None:
        """readings: those that biases are settled by. others: those that outputs are compared for, if not the same."""
        self._readings, self._others = readings, others
        self._judged = [before_saturation(reference, edge.tensor) for edge in reference.outputs]
        self._means: dict[int, np.ndarray] = {}  # of a layer's sums for each channel, by its id
        rows: list[list[np.ndarray]] = [[] for _ in self._judged]
        weighted = with_weights_of_their_own(reference) if not batch.is_stream(reference) else []
        sums: dict[int, list[np.ndarray]] = {id(n): [] for n in weighted}
        for part in chunks(reference, readings):
            values = _run(reference, part, sums)
            for row, tensor in zip(rows, self._judged, strict=True):
                row.append(values[id(tensor)])
        if others is not None:
            runs = [batch.run(reference, part) for part in chunks(reference, others)]
            rows = [[values[id(tensor)] for values in runs] for tensor in self._judged]
        self._wanted = [np.concatenate(row) for row in rows]
        self._means = {key: np.sum(parts, axis=0) / len(readings[0]) for key, parts in sums.items()}

    @property
    def has_others(self) -> bool:
        return self._others is not None

    def settle(self, made: Integers, choose_weights: ChooseWeights | None = None) -> float:
        """Adds to the biases of `made` what its layers' sums miss on average, layer after layer, as each one gets what
        those before it give (Nagel et al., "Data-free quantization through weight equalization and bias correction",
        2019). choose_weights: makes other weights before. Returns the power of the differences that are left as a part
        of the power of the outputs, the mean of all outputs."""
        graph, count = made.graph, len(self._readings[0])
        inputs = encoded(graph, self._readings)
        if batch.is_stream(graph):
            values = batch.run(graph, inputs)
        else:
            values = {id(e.tensor): batch.stored(e.tensor, x) for e, x in zip(graph.inputs, inputs, strict=True)}
            for node in graph.nodes:
                source = made.layers.get(id(node))
                if isinstance(node, ir.Weighted) and isinstance(source, ir.Weighted) and id(source) in self._means:
                    if choose_weights:
                        choose_weights(node, source, values)
                    _settle(node, self._means[id(source)], values, count)
                else:
                    batch.run_node(node, values, count)
        if self._others is not None:
            values = batch.run(graph, encoded(graph, self._others))
        found = [made.tensors[id(t)] for t in self._judged]
        parts = [distance(a, dequantise(t, values[id(t)])) for a, t in zip(self._wanted, found, strict=True)]
        return math.fsum(parts) / len(parts)


def decibels(error: float) -> float:
    """A signal-to-noise ratio."""
    return -10 * math.log10(max(error, 1e-12))


def with_weights_of_their_own(graph: Graph) -> list[ir.Weighted]:
    """What steps of an unrolled layer share stays the same for all of them."""
    layers = [n for n in graph.nodes if isinstance(n, ir.Weighted)]
    readers = Counter(id(n.weights) for n in layers)
    return [n for n in layers if readers[id(n.weights)] == 1]


def _run(graph: Graph, part: list[np.ndarray], sums: dict[int, list[np.ndarray]]) -> batch.Values:
    """As batch.run. Appends to `sums`, by the id of a layer, what its channels add up to before the activation, the
    mean of all elements times the readings."""
    if batch.is_stream(graph):
        return batch.run(graph, part)
    count = len(part[0])
    values = {id(e.tensor): batch.stored(e.tensor, x) for e, x in zip(graph.inputs, part, strict=True)}
    for node in graph.nodes:
        if isinstance(node, ir.Weighted) and id(node) in sums:
            made = sums_of(node, values, count)
            sums[id(node)].append(_mean(made) * count)
            values[id(node.output)] = clamp(node.activation, made).reshape(count, *node.output.shape)
        else:
            batch.run_node(node, values, count)
    return values


def _mean(sums: np.ndarray) -> np.ndarray:
    """Of each channel."""
    return of_channels(lambda x, axis: x.mean(axis, dtype=np.float64), sums)


def sums_of(node: ir.Weighted, values: batch.Values, count: int) -> np.ndarray:
    """What a layer gives before its activation: (readings, positions, channels)."""
    channels = node.weights.shape[node.CHANNEL_AXIS]
    made = batch.real_results(replace(node, activation=ir.Activation.NONE), values, count)[0]
    return made.reshape(count, -1, channels)


def _settle(node: ir.Weighted, mean: np.ndarray, values: batch.Values, count: int) -> None:
    """Corrects the bias and runs the layer."""
    sums = sums_of(node, values, count)
    scales = np.resize(np.float64(node.source.scale[0]) * node.weights.scale, mean.size)
    change = np.rint((mean - _mean(sums)) / scales).astype(np.int64)
    if node.bias is not None and node.bias.data is not None:
        limits = np.iinfo(node.bias.dtype)
        bias = np.clip(node.bias.data.reshape(-1) + change, limits.min, limits.max)
        node.bias = replace(node.bias, data=bias.astype(node.bias.dtype).reshape(node.bias.shape))
        sums = sums + (change * scales).astype(np.float32)
    real = clamp(node.activation, sums)
    if node.output.dtype == "int8":
        steps = rounded(real, scales, float(node.output.scale[0]))
        steps += np.float32(node.output.zero_point[0])
        stored = np.clip(steps, -128, 127, out=steps).astype(np.int8)
    else:
        stored = quantise(node.output, real)
    values[id(node.output)] = stored.reshape(count, *node.output.shape)


def rounded(real: np.ndarray, scales: np.ndarray, step: float) -> np.ndarray:
    """Whole steps, rounded as a device does it, twice: the product of a sum and a multiplier to a whole number, and
    that one, shifted, to a step. Halves, of which the second has many, go away from zero. What that adds is little for
    one value, but all channels have it, so that the layers behind add it up."""
    parts = np.exp2(np.maximum(-np.frexp(scales / step)[1], 0)).astype(np.float32)
    made = real * (parts / np.float32(step))
    np.rint(made, out=made)
    made /= parts
    made += np.copysign(np.float32(0.5), made)
    return np.trunc(made, out=made)


def before_saturation(graph: Graph, tensor: Tensor) -> Tensor:
    maker: Node | None = graph.producer(tensor)
    if isinstance(maker, ir.Softmax | ir.LogSoftmax | ir.Logistic) and maker.source.data is None:
        return maker.source
    return before_saturation(graph, maker.source) if isinstance(maker, ir.Reshape) else tensor


def distance(wanted: np.ndarray, found: np.ndarray) -> float:
    power = float(np.square(wanted - wanted.mean(), dtype=np.float64).sum())
    noise = float(np.square(wanted - found, dtype=np.float64).sum())
    return noise / power if power else float(noise > 0)
