"""How much a channel's error matters to the output: measured, channel by channel, on a few readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...ir import batch
from ...ir import operators as ir
from ...ir.evaluate import clamp
from ...ir.graph import Graph
from ..judge import before_saturation, sums_of
from ..rows import from_rows, places, read_at, to_rows
from . import rounding

READINGS = 24
TRIALS = 8  # readings for each channel
PLACES = 2048
_LEVELS = 3  # on either side of 0: coarse enough that what follows feels it
_ELEMENTS = 1 << 24  # of all values of trials that run together
_PRIOR = 12  # readings that the mean of a layer's channels counts as


def channel_effects(graph: Graph, readings: list[np.ndarray], index: int) -> np.ndarray:
    """(groups, channels) of layer `index` of the graph: the squared error of the outputs, as a part of their power,
    by the squared error of one channel's sums, as coarse weights make it."""
    node = graph.nodes[index]
    assert isinstance(node, ir.Weighted) and node.weights.data is not None
    count = min(READINGS, len(readings[0]))
    chosen = np.linspace(0, len(readings[0]) - 1, count).round().astype(int)
    inputs = [x[chosen] for x in readings]
    values = batch.run(graph, inputs)
    outputs = [before_saturation(graph, edge.tensor) for edge in graph.outputs]
    sums, wrong = sums_of(node, values, count), _noise(node, values, count)
    wrong -= wrong.mean((0, 1))  # the bias's matter
    strength = np.square(wrong).mean((0, 1), dtype=np.float64)
    felt = np.flatnonzero((clamp(node.activation, sums + wrong) != clamp(node.activation, sums)).any((0, 1)))
    trials, channels = min(TRIALS, count), sums.shape[2]
    channel, trial = felt.repeat(trials), np.tile(np.arange(trials), len(felt))
    reading = (channel + trial * (count // trials)) % count
    behind = _behind(graph, index)
    made = {id(t) for follower in [node, *behind] for t in follower.outputs}
    beside = {id(t) for follower in behind for t in follower.inputs if id(t) in values} - made
    size = max(1, _ELEMENTS // max(1, sum(t.size for n in [node, *behind] for t in n.outputs)))
    found = np.zeros(channels)
    for at in range(0, len(channel), size):
        rows, cols = reading[at : at + size], channel[at : at + size]
        changed = sums[rows]
        changed[np.arange(len(rows)), :, cols] += wrong[rows, :, cols]
        now = {key: values[key][rows] for key in beside}
        now[id(node.output)] = clamp(node.activation, changed).reshape(len(rows), *node.output.shape)
        for follower in behind:
            batch.run_node(follower, now, len(rows))
        for tensor in filter(lambda t: id(t) in now, outputs):
            was = values[id(tensor)]
            power = float(np.square(was - was.mean(), dtype=np.float64).mean()) or 1.0
            error = np.square(now[id(tensor)] - was[rows], dtype=np.float64).reshape(len(rows), -1).mean(1)
            np.add.at(found, cols, error / (power * len(outputs) * trials))
    effect = found / np.maximum(strength, 1e-30)
    if felt.size:
        # Few readings tell little of one channel, more of all.
        effect = (trials * effect + _PRIOR * effect[felt].mean()) / (trials + _PRIOR)
    return effect.reshape(to_rows(node, node.weights.data).shape[:2])


def _noise(node: ir.Weighted, values: batch.Values, count: int) -> np.ndarray:
    """(readings, places, channels): what coarse weights add to a layer's sums."""
    data = node.weights.data
    assert data is not None
    weights = to_rows(node, data).astype(np.float64)
    total = places(node, count)
    chosen = np.unique(np.linspace(0, total - 1, min(PLACES, total)).astype(int))
    moment = rounding.moments(read_at(node, values[id(node.source)], chosen))
    most = np.full(weights.shape[:2], float(_LEVELS))
    steps = np.maximum(np.abs(weights).max(2), 1e-12) / _LEVELS
    difference = rounding.rounded(weights, moment, steps, most) * steps[..., None] - weights
    coarse = replace(node.weights, data=from_rows(node, difference).astype(np.float32))
    return sums_of(replace(node, weights=coarse, bias=None), values, count)


def _behind(graph: Graph, index: int) -> list[ir.Node]:
    """The layers whose results change with those of one."""
    changed = {id(t) for t in graph.nodes[index].outputs}
    found = []
    for node in graph.nodes[index + 1 :]:
        if any(id(t) in changed for t in node.inputs):
            found.append(node)
            changed |= {id(t) for t in node.outputs}
    return found
