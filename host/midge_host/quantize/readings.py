"""How readings become the model's numbers: a scale for each channel of an input.

A normalisation at an input (Normalization and Rescaling layers, mean and standard deviation) is no work for a board:
channel c of a reading is quantised with a scale and a zero point of its own, which the file describes. The same cures
channels of very different ranges, g beside degrees a second, where the first layers allow it: their weights take in the
factor that their channel is divided by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ir import operators as ir
from ..ir.graph import Edge, Graph, Node, Quantization, Tensor
from ..passes.factors import of_channels, of_readings, put_into, takes
from .calibrate import Calibration

_SHOWN = 6  # channels whose ranges are told
_ROOM = 1.2  # times what calibration saw: sensors give more, once in a while
_UNLIKE = 2  # channels differ if the largest one's range is so many times the smallest one's


@dataclass(eq=False)
class Normalisation:
    """What an input goes through: y = factor * x + offset by channel. nodes: the layers that do so, from the input on;
    result: what the last of them gives."""

    factor: np.ndarray
    offset: np.ndarray
    nodes: list[Node]
    result: Tensor

    def of_reading(self, quantization: Quantization) -> Quantization:
        """The scale of readings whose normalised values have `quantization`: one for all channels if they are alike."""
        scale, zero_point = float(quantization.scale[0]), int(quantization.zero_point[0])
        scales = (scale / self.factor).astype(np.float32)
        zero_points = zero_point + np.rint(self.offset / scale).astype(np.int64)
        if np.ptp(zero_points) == 0 and np.ptp(scales) == 0 and -128 <= zero_points[0] < 128:
            scales, zero_points = scales[:1], zero_points[:1]
        return Quantization(scales, zero_points, -1)


def normalisations(graph: Graph) -> dict[int, Normalisation]:
    """By the id of the input's tensor, of those inputs that have one."""
    found = {}
    for edge in graph.inputs:
        nodes = [n for n in of_readings(graph, edge.tensor)] if edge.tensor.dtype == "float32" else []
        steps = [(n, of_channels(n)) for n in nodes]
        if not any(step for _, step in steps):
            continue
        channels = edge.tensor.shape[-1]
        factor, offset = np.ones(channels), np.zeros(channels)
        for _, step in steps:
            if step:
                factor, offset = factor * step[0], offset * step[0] + step[1]
        found[id(edge.tensor)] = Normalisation(factor, offset, nodes, nodes[-1].outputs[0])
    return found


def spread_channels(graph: Graph, calibration: Calibration) -> list[str]:
    """Normalises the channels of inputs that differ, by a layer at the input and by the weights of those that read it.
    Says of which inputs."""
    said = []
    for edge in graph.inputs:
        tensor = edge.tensor
        if tensor.dtype != "float32" or not tensor.shape or of_readings_scale(graph, tensor):
            continue
        seen = calibration.of(tensor).channels
        low, high = seen * _ROOM
        readers, may_shift = _readers(graph, tensor)
        reach = np.maximum(np.abs(low), np.abs(high))
        used = reach > 0
        if not readers or len(low) < 2 or not used.any() or reach.max() < _UNLIKE * reach[used].min():
            continue
        factor, offset = np.where(used, 1 / np.where(used, reach, 1), 1.0), np.zeros(len(low))
        if may_shift and all(_takes(r, factor, np.ones(len(low))) for r in readers):
            wide = high > low
            factor = np.where(wide, 2 / np.where(wide, high - low, 1), factor)
            offset = np.where(wide, -(high + low) / 2 * factor, 0)
        if not all(_takes(r, factor, offset) for r in readers):
            continue
        changed: dict[tuple[int, ...], Node] = {}  # steps of an unrolled layer share what they are made of
        for reader in readers:
            parts = [name for name in ("weights", "bias", "kernels", "biases") if name in reader.OPERANDS]
            key = tuple(id(t) for name in parts for t in reader.tensors(name))
            if key not in changed:
                _put(reader, 1 / factor, -offset / factor)
                changed[key] = reader
            for name in parts:
                setattr(reader, name, getattr(changed[key], name))
        _normalise(graph, tensor, factor, offset)
        ranges = ", ".join(f"{a:.3g}..{b:.3g}" for a, b in list(zip(*seen, strict=True))[:_SHOWN])
        ranges += ", ..." if len(seen[0]) > _SHOWN else ""
        said.append(f"input {edge.name!r}: a scale for each channel, since their ranges differ: {ranges}")
    return said


def of_readings_scale(graph: Graph, tensor: Tensor) -> bool:
    """Whether layers at an input scale it."""
    return any(of_channels(node) for node in of_readings(graph, tensor))


def _readers(graph: Graph, tensor: Tensor) -> tuple[list[Node], bool]:
    """The layers with weights that read an input, maybe through layers that keep its channels apart; none where others
    read it too. Whether they may be told of an offset: not of what is padded with zeros."""
    channels, may_shift = tensor.shape[-1], True
    found: list[Node] = []
    waiting = [tensor]
    while waiting:
        part = waiting.pop()
        if graph.is_output(part):
            return [], False
        for node in graph.consumers(part):
            if isinstance(node, ir.Weighted | ir.Lstm) and node.source is part:
                found.append(node)
            elif _keeps_channels(node) and all(t.shape[-1:] == (channels,) for t in node.outputs):
                may_shift &= not isinstance(node, ir.Pad)
                waiting += node.outputs
            else:
                return [], False
    return found, may_shift


def _keeps_channels(node: Node) -> bool:
    last = len(node.inputs[0].shape) - 1
    if isinstance(node, ir.Transpose):
        return node.axes[-1] == last
    if isinstance(node, ir.Split | ir.Unstack):
        return node.axis != last
    if isinstance(node, ir.Pad):
        return node.paddings[-1] == (0, 0) and node.value in (None, 0)
    if isinstance(node, ir.Slice):
        return len(node.index) <= last and all(isinstance(i, slice | int) for i in node.index)
    return isinstance(node, ir.Reshape)


def _takes(reader: Node, factor: np.ndarray, offset: np.ndarray) -> bool:
    if isinstance(reader, ir.Weighted):
        return reader.weights.data is not None and takes(reader, factor, offset)
    assert isinstance(reader, ir.Lstm)
    return all(t.data is not None for t in [*reader.kernels, *reader.biases])


def _put(reader: Node, factor: np.ndarray, offset: np.ndarray) -> None:
    if isinstance(reader, ir.Weighted):
        put_into(reader, factor, offset)
        return
    assert isinstance(reader, ir.Lstm)
    kernels = [np.asarray(k.data, np.float64) for k in reader.kernels]
    biases = [np.asarray(b.data, np.float64) for b in reader.biases]
    for b, k in zip(biases, kernels, strict=True):
        b += (k @ offset).reshape(b.shape)
    reader.kernels = [
        replace(t, data=(k * factor).astype(np.float32)) for t, k in zip(reader.kernels, kernels, strict=True)
    ]
    reader.biases = [replace(t, data=b.astype(np.float32)) for t, b in zip(reader.biases, biases, strict=True)]


def _normalise(graph: Graph, tensor: Tensor, factor: np.ndarray, offset: np.ndarray) -> None:
    """Puts factor * x + offset between an input and its readers."""
    scaled, shifted = (Tensor(f"{tensor.name}/{name}", tensor.shape, "float32") for name in ("scaled", "normalised"))
    constants = [
        Tensor(f"{tensor.name}/{name}", v.shape, "float32", v.astype(np.float32))
        for name, v in (("factor", factor), ("offset", offset))
    ]
    for node in graph.consumers(tensor):
        node.replace_input(tensor, shifted)
    graph.nodes[:0] = [
        ir.Mul(name=scaled.name, first=tensor, second=constants[0], output=scaled),
        ir.Add(name=shifted.name, first=scaled, second=constants[1], output=shifted),
    ]


def encode(edge: Edge, values: np.ndarray) -> np.ndarray:
    """Readings (N, *shape) as the model's input stores them: docs/NUMERICS.md, "Readings"."""
    known = edge.reading or edge.tensor.quantization
    if known is None:
        return values
    limits = np.iinfo(edge.tensor.dtype)
    quotient = (values / known.scale).astype(np.float64)
    stored = np.trunc(quotient + np.copysign(0.5, quotient)) + known.zero_point
    return np.clip(stored, limits.min, limits.max).astype(edge.tensor.dtype)


def encoded(graph: Graph, readings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The same for each input; floats where the graph has them."""
    return [encode(edge, values) for edge, values in zip(graph.inputs, readings, strict=True)]
