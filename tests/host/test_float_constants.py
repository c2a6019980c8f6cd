"""Constants of floats that a .tflite computes, and stores as integers in its middle: TFLM's bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tflm
from midge_host import backends
from tflite_models import ModelBuilder

SHAPE = (1, 4, 5)
X, Y = (0.05, -3), (0.03, 7)
VALUES = np.random.default_rng(2).normal(size=SHAPE).astype(np.float32)
HALVES = ((np.arange(20) - 9.5).reshape(SHAPE) * 0.25).astype(np.float32)

Constant = Callable[[ModelBuilder, int], int]  # of the model and its input as floats
CONSTANTS: dict[str, Constant] = {
    "stored": lambda m, x: m.constant(VALUES),
    "halves": lambda m, x: m.constant(HALVES),
    "zeros": lambda m, x: m.floats("ZEROS_LIKE", x),
    "exp": lambda m, x: m.floats("EXP", m.floats("ZEROS_LIKE", x)),
    "logistic": lambda m, x: m.floats("LOGISTIC", m.floats("ADD", m.constant(VALUES), 0.25, table="AddOptions")),
    "tanh": lambda m, x: m.floats("TANH", m.constant(VALUES)),
    "relu": lambda m, x: m.floats("RELU", m.constant(VALUES)),
    "floor": lambda m, x: m.floats("FLOOR", m.constant(VALUES)),
    "squares": lambda m, x: m.floats("SQUARED_DIFFERENCE", m.constant(VALUES), 0.3, table=""),
    "moved": lambda m, x: m.reshape(m.floats("NEG", m.constant(VALUES)), SHAPE),
}


def _add(m: ModelBuilder, x: int, constant: int) -> int:
    return m.add(x, constant, (0.1, 4))


def _mul(m: ModelBuilder, x: int, constant: int) -> int:
    return m.mul(x, constant, (0.05, -4))


def _concatenate(m: ModelBuilder, x: int, constant: int) -> int:
    return m.concatenation(m.quantize(x, Y), constant, axis=2)


USES = {"add": _add, "mul": _mul, "concatenation": _concatenate}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("constant", CONSTANTS)
def test_stored_as_integers(constant: str, use: str, make_shared_model) -> None:
    m = ModelBuilder()
    x = m.tensor(SHAPE, quant=X)
    made = m.quantize(CONSTANTS[constant](m, m.dequantize(x)), Y if use == "concatenation" else (0.25, 1))
    data = m.build([x], [USES[use](m, x, made)])
    readings = np.random.default_rng(0).integers(-128, 128, (4, *SHAPE)).astype(np.int8)
    (expected,) = tflm.run(data, [readings])
    for backend in ("cpython", "numpy"):
        np.testing.assert_array_equal(backends.run(backend, make_shared_model(data), [readings]).outputs[0], expected)
