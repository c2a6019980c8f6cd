"""Functions of one value, spelt in several operators, become one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from midge_host.conversion import build
from midge_host.device import reference
from midge_host.device.registry import of_record
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Node, Tensor
from midge_host.ir.verify import verify
from midge_host.passes.functions import fuse_functions
from midge_host.quantize import quantise

Make = Callable[[Builder, Tensor], Tensor]


def _silu(b: Builder, x: Tensor) -> Tensor:
    return b.add(ir.Mul, "silu", first=x, second=b.add(ir.Logistic, "gate", source=x))


def _shrink(b: Builder, x: Tensor) -> Tensor:
    big = b.add(ir.Greater, "big", first=b.add(ir.Abs, "abs", source=x), second=0.5)
    less = b.add(
        ir.Sub, "less", first=x, second=b.add(ir.Mul, "half", first=b.add(ir.Sign, "sign", source=x), second=0.5)
    )
    return b.add(ir.Select, "shrink", condition=big, first=less, second=0.0)


def _two_results(b: Builder, x: Tensor) -> Tensor:
    inner = b.add(ir.Add, "inner", first=x, second=1.0)
    b.output(b.add(ir.Softmax, "other", source=inner))
    return b.add(ir.Mul, "outer", first=inner, second=inner)


def _nested(b: Builder, x: Tensor) -> Tensor:
    """What a function gives is read, and a part of another."""
    gate = _silu(b, x)
    b.output(b.add(ir.Softmax, "other", source=gate))
    return b.add(ir.Mul, "outer", first=b.add(ir.Abs, "abs", source=gate), second=x)


def _of_two(b: Builder, x: Tensor) -> Tensor:
    half = b.add(ir.Slice, "half", source=x, index=(slice(None), slice(0, 3)))
    rest = b.add(ir.Slice, "rest", source=x, index=(slice(None), slice(3, 6)))
    return b.add(ir.Mul, "both", first=half, second=rest)


def _by_channel(b: Builder, x: Tensor) -> Tensor:
    scaled = b.add(ir.Mul, "scaled", first=x, second=np.arange(6, dtype=np.float32))
    return b.add(ir.Tanh, "tanh", source=scaled)


CASES: dict[str, tuple[Make, list[type[Node]]]] = {
    "silu": (_silu, [ir.Composite]),
    "shrink": (_shrink, [ir.Composite]),
    "an inner value is read": (_two_results, [ir.Add, ir.Softmax, ir.Composite]),
    "a function within another": (_nested, [ir.Composite, ir.Softmax, ir.Composite]),
    "of two tensors": (_of_two, [ir.Slice, ir.Slice, ir.Mul]),
    "a constant for each channel": (_by_channel, [ir.Mul, ir.Tanh]),
}


@pytest.mark.parametrize("name", CASES)
def test_functions_are_found(name: str) -> None:
    make, kinds = CASES[name]
    builder = Builder("m")
    builder.output(make(builder, builder.input("x", (1, 6))))
    graph = builder.graph
    readings = np.random.default_rng(1).normal(0, 2, (4, 1, 6)).astype(np.float32)
    before = [Evaluator(graph).predict([x]) for x in readings]
    said = fuse_functions(graph)
    verify(graph)
    assert [type(n) for n in graph.nodes] == kinds
    assert bool(said) == (ir.Composite in kinds)
    for x, outputs in zip(readings, before, strict=True):
        for want, got in zip(outputs, Evaluator(graph).predict([x]), strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", CASES)
def test_functions_leave_no_composite_in_integers(name: str) -> None:
    builder = Builder("m")
    builder.output(CASES[name][0](builder, builder.input("x", (1, 6))))
    readings = np.random.default_rng(1).normal(0, 2, (16, 6)).astype(np.float32)
    graph = quantise(builder.graph, [readings]).graph
    verify(graph)
    assert not any(isinstance(node, ir.Composite) for node in graph.nodes)


def test_a_function_is_one_table() -> None:
    """Quantised, it is one record; halves may be rounded otherwise."""
    builder = Builder("m")
    x = builder.input("x", (1, 64))
    builder.output(_silu(builder, x))
    readings = np.random.default_rng(2).uniform(-4, 4, (16, 64)).astype(np.float32)
    made = quantise(builder.graph, [readings])
    model = build(made.graph)
    assert [of_record(r).name for r in model.records] == ["LUT"]
    source, output = model.inputs[0], model.outputs[0]
    for reading in readings:
        stored = np.clip(np.rint(reading / source.scale) + source.zero_point, -128, 127)
        real = (stored - source.zero_point) * source.scale
        want = np.rint(real / (1 + np.exp(-real)) / output.scale) + output.zero_point
        (got,) = reference.predict(model, reference.start(model), [stored.astype(np.int8).reshape(1, 64)])
        np.testing.assert_allclose(got.reshape(-1), np.clip(want, -128, 127), atol=1)
