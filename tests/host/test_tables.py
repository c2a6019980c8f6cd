"""Tables of functions that TFLM does not have for int8: TensorFlow Lite is the measure, or the function itself."""

from __future__ import annotations

import numpy as np
import pytest

import tflm
from midge_host.conversion import build
from midge_host.device import reference
from midge_host.device.model_file import ModelFile
from midge_host.frontends import tflite
from midge_host.ir import operators as ir
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Edge, Graph, Quantization, Tensor
from tflite_models import ModelBuilder, Quant

EVERY = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)


def table_of(model: ModelFile) -> np.ndarray:
    assert [model.operator(i).name for i in range(len(model.records))] == ["LUT"]
    return reference.predict(model, reference.start(model), [EVERY])[0]


@pytest.mark.parametrize(
    ("code", "options", "x", "y"),
    [
        ("GELU", {"Approximate": False}, (0.03, 6), (0.017, -118)),
        ("GELU", {"Approximate": True}, (0.05, -20), (0.02, -120)),
        ("EXP", {}, (0.03, 6), (0.26, -128)),
        ("EXP", {}, (0.9, 20), (7.0, 3)),
        ("LOG", {}, (0.02, -128), (0.0067, -100)),
        ("LOG", {}, (0.02, 0), (0.02, 30)),
    ],
)
def test_tables_of_tensorflow_lite(code: str, options: dict[str, bool], x: Quant, y: Quant) -> None:
    m = ModelBuilder()
    pair = [m.tensor(EVERY.shape, quant=q) for q in (x, y)]
    m.op(code, pair[:1], pair[1:], options_table="GeluOptions" if options else "", **options)
    data = m.build(pair[:1], pair[1:])
    (expected,) = tflm.tensorflow_lite(data, EVERY[None])
    np.testing.assert_array_equal(table_of(build(tflite.load_tflite(data, "m.tflite"))), expected)


@pytest.mark.parametrize(
    "kind", [ir.Softplus, ir.Selu, ir.Mish, ir.Erf, ir.Sign, ir.Sqrt, ir.Square, ir.Neg, ir.Sin, ir.Cos, ir.ReluN1To1]
)
def test_tables_of_floats(kind: type[ir.Elementwise]) -> None:
    """The evaluator computes in float32: where its result lies between two steps, either is right."""

    def tensor(name: str, scale: float, zero_point: int) -> Tensor:
        quantization = Quantization(np.array([scale], np.float32), np.array([zero_point]))
        return Tensor(name, EVERY.shape, "int8", quantization=quantization)

    x, y = tensor("x", 0.031, -128 if kind is ir.Sqrt else 6), tensor("y", 0.0173, -11)
    graph = Graph("m", [kind(name="y", source=x, output=y)], [Edge.of(x)], [Edge.of(y)])
    (expected,) = Evaluator(graph).predict([EVERY])
    got = table_of(build(graph))
    assert np.abs(got.astype(int) - expected).max() <= 1 and np.count_nonzero(got != expected) <= 1


def test_what_is_computed_of_one_tensor_is_a_table(make_model) -> None:
    """x * sigmoid(x), |x| where x > 0.5, and a constant elsewhere."""
    m = ModelBuilder()
    x = m.tensor(EVERY.shape, quant=(0.05, 3))
    swish = m.mul(x, m.logistic(x), quant=(0.04, -120))
    large = m.compare(m.constant(np.array(10, np.int8), quant=(0.05, 0)), x, "LESS")
    y = m.select(large, m.abs(swish, quant=(0.04, -120)), m.constant(np.array(-7, np.int8), quant=(0.04, -120)))
    data = m.build([x], [y])
    (expected,) = tflm.run(data, [EVERY[None]])
    np.testing.assert_array_equal(table_of(build(tflite.load_tflite(data, "m.tflite"))), expected[0])
