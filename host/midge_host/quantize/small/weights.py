"""The weights of every layer on steps of its channels: whole multiples of them that fit the bits' price."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...ir import batch
from ...ir import operators as ir
from ...ir.evaluate import dequantise
from ...ir.graph import Graph
from ..integers import least_scale, real_bias, weights_and_bias
from ..readings import encoded
from ..rows import LAYERS, from_rows, places, read_at, to_rows
from . import rounding

MULTIPLIER_BITS = 8  # of a channel's multiplier, its first one included
_PLACES = 4096  # of a layer that are looked at, or so many times its depth
_PLACES_OF_DEPTH = 16
_FINER = 0.7  # than the step that a price asks for: dear levels lie far out, and fewer weights take them


@dataclass
class Weights:
    """Chooses those of one layer after the other, for the readings that biases are settled by.

    reference: the graph of floats. effects: (groups, channels) of its layers, by their numbers. price: of a bit, as a
    part of the outputs' power.
    """

    reference: Graph
    readings: Sequence[np.ndarray]
    effects: Mapping[int, np.ndarray]
    price: float

    def __post_init__(self) -> None:
        self._floats = batch.run(self.reference, encoded(self.reference, self.readings))
        self._numbers = {id(node): i for i, node in enumerate(self.reference.nodes)}

    def __call__(self, node: ir.Weighted, source: ir.Weighted, values: batch.Values) -> None:
        if not isinstance(source, LAYERS) or source.weights.data is None:
            return
        weights = to_rows(source, source.weights.data).astype(np.float64)
        chosen = _sample(places(node, len(self.readings[0])), weights.shape[2])
        read = read_at(node, dequantise(node.source, values[id(node.source)]), chosen)
        moment = rounding.moments(read)
        # What the layers before do to the values that are read, these weights make up for.
        wanted = rounding.covariance(read_at(source, self._floats[id(source.source)], chosen), read)
        weights = rounding.made_up_for(weights, wanted, moment)
        price = rounding.Price(self.price, self.effects[self._numbers[id(source)]])
        shape = weights.shape[:2]
        least = least_scale(real_bias(source), node.source, node.output).reshape(shape)
        ratio = float(node.output.scale[0]) / float(node.source.scale[0])
        scale, spread, most = channel_steps(weights, moment, price, least, ratio)
        levels = rounding.rounded(weights, moment, scale * spread, most, price)
        stored = from_rows(source, levels * spread[..., None]).astype(np.int8)
        made = weights_and_bias(source, node.source, stored, scale.reshape(-1))
        node.weights, node.bias = made["weights"], made["bias"]


def channel_steps(
    weights: np.ndarray, moment: np.ndarray, price: rounding.Price, least: np.ndarray, ratio: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scales of int8 weights, how many int8 steps apart levels are, and the most levels on either side of 0, all
    (groups, channels).

    The step of a channel is where another bit, that halves it, costs what it brings: step^2 = 12 price / (2 ln 2 effect
    variance). Levels are as far apart as int8 has room for, so that sums stay large. least: scales; ratio: the
    output's scale by the input's, in which multipliers get few bits.
    """
    largest = np.maximum(np.abs(weights).max(2), 1e-30)
    variance = np.maximum(rounding.conditional_variance(moment), 1e-30)[:, None]
    cost = np.maximum(price.effects * variance, 1e-30)
    step = _FINER * np.sqrt(6 * price.of_bit / math.log(2) / cost)
    step = np.clip(step, largest / 127, 2 * largest)
    most = np.clip(np.rint(largest / step), 1, 127)
    spread = np.floor(127 / most)
    scale = short(np.maximum(step / spread, least) / ratio) * ratio
    return scale, spread, np.floor(127 / spread)


def short(values: np.ndarray) -> np.ndarray:
    """The nearest numbers of MULTIPLIER_BITS bits."""
    fraction, exponent = np.frexp(values)
    return np.ldexp(np.rint(fraction * (1 << MULTIPLIER_BITS)), exponent - MULTIPLIER_BITS)


def _sample(total: int, depth: int) -> np.ndarray:
    """Places among all of them, drawn, but always the same ones."""
    wanted = max(_PLACES, _PLACES_OF_DEPTH * depth)
    if total <= wanted:
        return np.arange(total)
    return np.sort(np.random.default_rng(0).choice(total, wanted, replace=False))
