"""Channels that leave before a model is quantised: which belong together, what is made up for, what is refused."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from float_graphs import MAKERS, SAME, convolution, dense, graph, readings, weights
from midge_host.errors import MidgeError
from midge_host.ir import batch
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.graph import Graph
from midge_host.ir.verify import verify
from midge_host.quantize import Options, quantise, simplified
from midge_host.quantize.prune import prune
from midge_host.quantize.prune.fit import fitted
from midge_host.quantize.prune.tied import Tied, multiplications, narrow


def outputs(source: Graph, inputs: list[np.ndarray]) -> np.ndarray:
    return batch.run(source, inputs)[id(source.outputs[0].tensor)]


def decibels(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10(np.square(wanted).sum() / max(np.square(wanted - found).sum(), 1e-30)))


def work(source: Graph) -> int:
    return sum(multiplications(n) for n in source.nodes if isinstance(n, ir.Weighted))


def residual(unread: tuple[int, ...] = ()) -> Graph:
    """Two branches that are added, a depthwise layer, a factor for each channel, and a Dense layer that reads the
    flattened image, but not the channels `unread`."""
    b, rng = Builder("residual"), np.random.default_rng(3)
    x = convolution(b, b.input("x", (1, 6, 6, 3)), rng, 8)
    y = convolution(b, x, rng, 8, activation=ir.Activation.NONE)
    z = b.add(ir.Add, "add", first=x, second=y)
    z = b.add(ir.DepthwiseConv2D, "d", source=z, weights=weights(rng, 1, 3, 3, 8), strides=(2, 2), padding=SAME)
    z = b.add(ir.Mul, "mul", first=b.add(ir.Tanh, "tanh", source=z), second=rng.uniform(0.5, 1, 8))
    made = dense(b, b.add(ir.Reshape, "flat", source=z, shape=(1, 72)), rng, 4)
    b.output(made)
    reader = b.graph.producer(made)
    assert isinstance(reader, ir.Dense) and reader.weights.data is not None
    reader.weights.data.reshape(4, 9, 8)[:, :, list(unread)] = 0
    return b.graph


def test_branches_and_depthwise_layers_go_together() -> None:
    tied = Tied(residual())
    (channels,) = (c for c in tied.all() if c.may_go)
    assert channels.size == 8 and len(channels.makers) == 2 and len(channels.depthwise) == 1
    assert len(channels.constants) == 1 and [type(r) for r in channels.readers] == [ir.Conv2D, ir.Dense]


def test_what_nothing_reads_leaves_and_the_outputs_stay() -> None:
    source = residual(unread=(1, 5))
    for node in source.nodes[:2]:
        assert isinstance(node, ir.Conv2D) and node.weights.data is not None
        if node.weights.shape[3] == 8:
            node.weights.data[..., [1, 5]] = 0
    inputs = readings(source)
    wanted, before = outputs(source, inputs), work(source)
    assert "2 of 8 channels left out (2 of them without effect)" in prune(source, inputs, 1.0)
    verify(source)
    assert work(source) < before and decibels(wanted, outputs(source, inputs)) > 90


def test_what_depends_on_others_is_made_up_for() -> None:
    """A channel that is the sum of two others leaves without a loss: their weights take it over."""
    b, rng = Builder("sums"), np.random.default_rng(5)
    x = convolution(b, b.input("x", (1, 5, 5, 2)), rng, 4, activation=ir.Activation.NONE)
    b.output(convolution(b, x, rng, 3, activation=ir.Activation.NONE))
    first = b.graph.nodes[0]
    assert isinstance(first, ir.Conv2D) and first.bias is not None
    for data in (first.weights.data, first.bias.data):
        assert data is not None
        data[3] = data[1] + data[2]
    first.bias.data[:] = 0  # type: ignore[index]  # of the padding nothing is known
    inputs = readings(b.graph)
    wanted = outputs(b.graph, inputs)
    prune(b.graph, inputs, 0.8)
    assert first.weights.shape[0] == 3 and decibels(wanted, outputs(b.graph, inputs)) > 50


def test_least_squares_beat_leaving_out() -> None:
    rng = np.random.default_rng(1)
    read = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 8)) + 1
    first, kept = rng.normal(size=(3, 8)), np.array([0, 2, 3, 5, 6, 7])
    made, bias = fitted(kept, read, read, first)
    plain = np.zeros_like(first)
    plain[:, kept] = first[:, kept]
    wanted = read @ first.T
    assert not made[:, [1, 4]].any()
    assert np.square(read @ made.T + bias - wanted).sum() < 0.05 * np.square(read @ plain.T - wanted).sum()


@pytest.mark.parametrize("name", MAKERS)
def test_any_channels_may_leave(name: str) -> None:
    """Whatever leaves, the graph stays whole, and runs."""
    source = simplified(graph(name))
    inputs = readings(source, 4)
    for number, channels in enumerate(Tied(source).all()):
        if channels.may_go:
            changed = deepcopy(source)
            narrow(Tied(changed).all()[number], np.arange(1, channels.size))
            verify(changed)
            assert work(changed) < work(source)
            assert outputs(changed, inputs).shape == outputs(source, inputs).shape


def test_a_smaller_model_is_quantised() -> None:
    source = residual()
    inputs = readings(source, 64)
    made = quantise(source, inputs, Options(macs=0.8))
    assert "channels left out" in made.choices[0]
    assert work(made.reference) <= 0.8 * work(simplified(source))
    assert work(source) == work(residual())


def test_what_cannot_leave_is_said() -> None:
    b = Builder("one layer")
    b.output(dense(b, b.input("x", (1, 8)), np.random.default_rng(1), 4))
    source = b.graph
    with pytest.raises(MidgeError, match="100% of the multiplications stay at least"):
        prune(source, readings(source), 0.5)
    with pytest.raises(MidgeError, match="give the share of the multiplications"):
        prune(source, readings(source), 1.5)
    stream = graph("svdf")
    with pytest.raises(MidgeError, match="keep nothing from reading to reading"):
        prune(stream, readings(stream), 0.5)
