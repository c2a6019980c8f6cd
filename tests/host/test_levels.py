"""Weights that were trained to few levels a channel are in the file on these very levels, in few bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import float_graphs
from midge_host.conversion import convert
from midge_host.device import coding, model_file
from midge_host.frontends.tflite import to_tflite
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.graph import Graph, Node
from midge_host.ir.operators import NO_PADDING, Activation
from midge_host.quantize import quantise
from midge_host.quantize.levels import levels_of


def trained(bits: int, seed: int = 1) -> Graph:
    """Layers whose weights are whole multiples of a step, of channels far apart in size, so that equalising tempts."""
    b, rng = Builder("trained"), np.random.default_rng(seed)
    most = 2 ** (bits - 1) - 1

    def levels(*shape: int, axis: int = 0) -> np.ndarray:
        steps = np.exp(rng.normal(size=shape[axis])).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        return (rng.integers(-most, most + 1, shape) * steps / most).astype(np.float32)

    def layer(kind: type[Node], x, weights: np.ndarray, **fields: object):
        bias = rng.normal(size=weights.shape[3 if kind is ir.DepthwiseConv2D else 0])
        return b.add(kind, "layer", source=x, weights=weights, bias=bias, activation=Activation.RELU, **fields)

    x = layer(ir.Conv2D, b.input("x", (1, 8, 8, 2)), levels(8, 3, 3, 2), strides=(1, 1), padding=NO_PADDING)
    x = layer(ir.DepthwiseConv2D, x, levels(1, 3, 3, 8, axis=3), strides=(1, 1), padding=NO_PADDING)
    x = layer(ir.Conv2D, x, levels(24, 1, 1, 8), strides=(1, 1), padding=NO_PADDING)
    x = b.add(ir.Reshape, "flat", source=x, shape=(1, x.size))
    b.output(layer(ir.Dense, x, levels(5, x.size)))
    return b.graph


def rows(graph: Graph) -> list[np.ndarray]:
    """Of each layer with weights: [channels][weights]."""
    weighted = [n for n in graph.nodes if isinstance(n, ir.Weighted)]
    return [
        np.moveaxis(np.asarray(n.weights.data, np.float64), n.CHANNEL_AXIS, 0).reshape(
            n.weights.shape[n.CHANNEL_AXIS], -1
        )
        for n in weighted
    ]


@pytest.mark.parametrize("bits", [2, 3, 4, 5])
def test_levels_are_kept_exactly(bits: int) -> None:
    """Each int8 weight is the same multiple of its channel's step as the float was of its own."""
    graph = trained(bits)
    made = quantise(graph, float_graphs.readings(graph)).graph
    for before, after in zip(rows(graph), rows(made), strict=True):
        assert max(len(np.unique(row)) for row in after) <= 2**bits
        scaled = before / np.abs(before).max(1, keepdims=True)
        assert np.allclose(after / np.abs(after).max(1, keepdims=True), scaled, rtol=0, atol=1e-6)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_a_file_stores_them_in_few_bits(bits: int, tmp_path: Path) -> None:
    """By the ordinary door, its weights decoded again."""
    graph = trained(bits)
    source, path = tmp_path / "trained.tflite", tmp_path / "trained.midge"
    source.write_bytes(to_tflite(graph))
    calibration = float_graphs.readings(graph)[0]
    raw = convert(source, path, calibration=calibration, allow_loss=True).weights
    convert(source, path, calibration=calibration, allow_loss=True, pack=True)
    model = model_file.read(path)
    assert model.coded and coding.decode(model.coded) == raw == model.weights
    weights = sum(x.size for x in rows(graph))
    channels = sum(len(x) for x in rows(graph))
    assert model.stored_bytes <= weights * bits / 8 + 9 * channels


def test_weights_on_no_levels_are_quantised_as_ever() -> None:
    weights = np.random.default_rng(2).normal(size=(6, 40)).astype(np.float32)
    assert levels_of(weights, 0) is None
    assert levels_of(np.round(weights * 40), 0) is None  # on too many


def test_levels_of_each_channel() -> None:
    weights = np.float32([[0.3, -0.2, 0.1], [0, 0, 0], [5, 0, -5], [0.7, 0.6, 0.2]])
    assert list(levels_of(weights, 0)) == [3, 1, 1, 7]
    assert list(levels_of(weights.T, 1)) == [3, 1, 1, 7]
