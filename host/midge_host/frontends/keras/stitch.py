"""A model that was cut at its recurrent layers becomes one graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import operators as ir
from ...ir.builder import Builder
from ...ir.graph import Edge, Graph, Tensor, in_order
from ..recurrent import FUNCTIONS, Cell, Gru, Lstm, Rnn, recurrent
from ..tflite import load_tflite
from .exported import Exported, Layer, Place


def stitch(exported: Exported, name: str) -> Graph:
    """The whole model, of floats."""
    builder = Builder(name)
    if exported.tflite:
        graph = load_tflite(exported.tflite, name)
        tensors = [edge.tensor for edge in graph.inputs]
        made = [edge.tensor for edge in graph.outputs]
    else:
        graph = Graph(name, [], [], [])
        tensors, made = [Tensor(n, shape, "float32") for n, shape in exported.inputs], []
        tensors += [Tensor("result", (), "float32") for layer in exported.layers for _ in layer.results]

    def at(place: Place) -> Tensor:
        return (tensors if place.edge == "input" else made)[place.number]

    for node in graph.nodes:
        if isinstance(node, ir.Lstm):
            node.stateful = False  # the layer of a SavedModel

    for layer in exported.layers:
        results = _results(builder, layer, [at(place) for place in layer.sources])
        for index, result in zip(layer.results, results, strict=True):
            graph.replace(tensors[index], result)
            made = [result if tensor is tensors[index] else tensor for tensor in made]
            tensors[index] = result
    count = len(exported.inputs)
    graph.inputs = [
        Edge(tensor, tensor.dtype, n) for tensor, (n, _) in zip(tensors[:count], exported.inputs, strict=True)
    ]
    graph.outputs = [Edge(t, t.dtype, t.name) for t in map(at, exported.outputs)]
    graph.nodes = in_order(graph.nodes + builder.graph.nodes)
    graph.variables |= builder.graph.variables
    graph.alike += builder.graph.alike
    return graph


def _results(builder: Builder, layer: Layer, sources: list[Tensor]) -> list[Tensor]:
    source, *initial = sources
    if layer.backwards:
        index = (slice(None), slice(None, None, -1))
        source = builder.add(ir.Slice, f"{layer.name}/backwards", source=source, index=index)
    return recurrent(
        builder,
        layer.name,
        _cell(layer),
        source,
        initial=initial,
        stateful=layer.stateful,
        sequences=layer.sequences,
        states=len(layer.results) > 1,
    )


def _cell(layer: Layer) -> Cell:
    """Keras's gates stand side by side: input, forget, cell, output; update, reset, new."""
    kernel, recurrent_kernel, bias = layer.weights
    units = recurrent_kernel.shape[0]
    rows: dict[str, Any] = {
        "kernel": kernel.T.reshape(-1, units, kernel.shape[0]),
        "recurrent": recurrent_kernel.T.reshape(-1, units, units),
    }
    activation, biases = FUNCTIONS[layer.activation], bias.reshape(-1, len(rows["kernel"]), units)
    if layer.kind == "SimpleRNN":
        return Rnn(**rows, bias=biases[0], activation=activation)
    gates: dict[str, Any] = {"activation": activation, "recurrent_activation": FUNCTIONS[layer.recurrent_activation]}
    if layer.kind == "GRU":
        second = biases[1] if len(biases) > 1 else np.zeros_like(biases[0])
        return Gru(**rows, **gates, bias=biases[0], recurrent_bias=second, reset_after=layer.reset_after)
    order = [0, 1, 3, 2]
    return Lstm(**{name: array[order] for name, array in rows.items()}, **gates, bias=biases[0][order])
