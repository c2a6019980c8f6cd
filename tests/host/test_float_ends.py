"""Models that end in a softmax, log-softmax or sigmoid of floats: the board gives what TFLM gives."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

import midge
import tflm
from midge_host import backends
from midge_host.conversion import build
from midge_host.errors import UnsupportedError
from midge_host.frontends import tflite
from tflite_models import ModelBuilder

BACKENDS = ["numpy", "cpython", "portable", "micropython", "micropython-portable", "wasm"]
SHAPE = (3, 10)
X = (0.07, -5)
FUNCTIONS = {"softmax": "SoftmaxOptions", "log_softmax": "", "logistic": ""}


def model_of(function: str, logits: bool = False, **options: object) -> bytes:
    """`logits`: also an output."""
    m = ModelBuilder()
    x = m.tensor(SHAPE, quant=X)
    y = m.leaky_relu(x, 0.5, quant=(0.1, 3))
    options = {"Beta": 1.0} if function == "softmax" and not options else options
    z = m.floats(function.upper(), m.dequantize(y), table=FUNCTIONS[function], **options)
    return m.build([x], [y, z] if logits else [z])


def readings() -> np.ndarray:
    rng = np.random.default_rng(4)
    ends = [np.full(SHAPE, -128), np.full(SHAPE, 127), np.where(np.arange(30).reshape(SHAPE) % 7, -128, 127)]
    return np.concatenate([rng.integers(-128, 128, (5, *SHAPE)), ends]).astype(np.int8)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_at_the_end(function: str, backend: str, make_shared_model) -> None:
    data, x = model_of(function), readings()
    (expected,) = tflm.run(data, [x])
    (got,) = backends.run(backend, make_shared_model(data), [x], "auto").outputs
    assert got.dtype == np.float32
    # The last bit of a C library's exp and log is its own: MicroPython's is not the PC's.
    np.testing.assert_array_max_ulp(got, expected, 0 if backend in ("numpy", "cpython", "portable", "wasm") else 4)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_script_gets(function: str, make_model) -> None:
    data, x = model_of(function, logits=True), readings()
    logits, expected = tflm.run(data, [x])
    model = midge.load(str(make_model(data)))
    got = model.predict(array("b", x[0].tobytes()))
    np.testing.assert_array_equal(np.float32(got[1]), expected[0].reshape(-1))
    np.testing.assert_allclose(got[0], (logits[0].reshape(-1).astype(float) - 3) * 0.1, rtol=1e-6)


def test_bytes_are_those_of_the_logits(make_model) -> None:
    model = midge.load(str(make_model(model_of("softmax"))))
    reading, out, real = array("b", readings()[0].tobytes()), array("b", bytes(30)), np.zeros(SHAPE, np.float32)
    model.predict_into(reading, out)
    assert len(set(out)) > 3
    model.predict_into(reading, real)
    np.testing.assert_allclose(real.sum(1), 1, rtol=1e-6)
    with pytest.raises(ValueError, match="values"):
        model.predict_into(reading, array("f", [0.0]))


def test_another_beta_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="float32"):
        build(tflite.load_tflite(model_of("softmax", Beta=2.0), "m.tflite"))
