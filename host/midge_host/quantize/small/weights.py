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
        scale, spread, most = channel_steps(weights, moment, price, least)
        levels = rounding.rounded(weights, moment, scale * spread, most, price)
        stored = from_rows(source, levels * spread[..., None]).astype(np.int8)
        made = weights_and_bias(source, node.source, stored, scale.reshape(-1))
        node.weights, node.bias = made["weights"], made["bias"]


def channel_steps(
    weights: np.ndarray, moment: np.ndarray, price: rounding.Price, least: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scales of int8 weights, how many int8 steps apart levels are, and the most levels on either side of 0, all
    (groups, channels).

    The step of a channel is where another bit, that halves it, costs what it brings: step^2 = 12 price / (2 ln 2 effect
    variance). All steps are a power of two times that of another channel, and so are scales, so that one multiplier
    serves the layer: beside the best steps they cost 0.06 bits a weight, and a multiplier for each channel would cost 7
    bits and more. Levels are as far apart as int8 has room for, so that sums stay large. least: scales.
    """
    largest = np.maximum(np.abs(weights).max(2), 1e-30)
    variance = np.maximum(rounding.conditional_variance(moment), 1e-30)[:, None]
    cost = np.maximum(price.effects * variance, 1e-30)
    step = _FINER * np.sqrt(6 * price.of_bit / math.log(2) / cost)
    step = powers(np.clip(step, largest / 127, 2 * largest))
    most = np.clip(np.rint(largest / step), 1, 127)
    spread = np.exp2(np.floor(np.log2(127 / most)))
    finest = step / spread
    scale = finest * np.exp2(np.ceil(np.maximum(np.log2(least / finest), 0)))
    return scale, spread, np.floor(127 / spread)


def powers(values: np.ndarray) -> np.ndarray:
    """Powers of two, times a number that is the same for all, next to the values."""
    exponents = np.log2(values)
    turn = np.angle(np.exp(2j * np.pi * exponents).mean()) / (2 * np.pi)
    return np.exp2(np.rint(exponents - turn)) * np.exp2(turn)


def _sample(total: int, depth: int) -> np.ndarray:
    """Places among all of them, drawn, but always the same ones."""
    wanted = max(_PLACES, _PLACES_OF_DEPTH * depth)
    if total <= wanted:
        return np.arange(total)
    return np.sort(np.random.default_rng(0).choice(total, wanted, replace=False))
