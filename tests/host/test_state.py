"""Variables that are read after what would be their new value is known, in all the ways that a converter pass could
move a read behind the write or the write before the read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import models
import tflm
from midge_host import backends
from midge_host.device.model_file import read
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.passes.unused import drop_unused
from tflite_models import ModelBuilder

Q = (0.05, 3)
N = 8


class Model(ModelBuilder):
    """One input `x` and a variable, of the same shape."""

    def __init__(self, shape: tuple[int, ...] = (1, N), dtype: str = "int8") -> None:
        super().__init__()
        self.rng = np.random.default_rng(0)
        self.shape = shape
        self.x = self.tensor(shape, dtype, quant=None if dtype == "float32" else Q, name="x")
        self.state = self.variable(self.bytes(*shape), Q)

    def bytes(self, *shape: int) -> np.ndarray:
        return self.rng.integers(-127, 128, shape).astype(np.int8)

    def read(self) -> int:
        return self.read_variable(self.state, self.shape, Q)

    def assign(self, value: int) -> None:
        self.assign_variable(self.state, value)

    def dense(self, x: int, channels: int = N) -> int:
        """With one channel that does not depend on x."""
        weights = self.bytes(channels, self.tensors[x].shape[-1])
        weights[1] = 0
        bias = self.rng.integers(-3000, 3000, channels).astype(np.int32)
        return self.fully_connected(x, weights, bias, weight_scales=0.004, quant=Q)


def clamp(m: Model) -> list[int]:
    former, sums = m.read(), m.dense(m.x)
    y = m.add(former, m.x, quant=(0.1, 0))
    m.assign(m.relu(sums, Q))
    return [y]


def table_of_table(m: Model) -> list[int]:
    former, inner = m.read(), m.hard_swish(m.x, (0.06, 1))
    y = m.add(former, m.x, quant=(0.1, 0))
    m.assign(m.leaky_relu(inner, 0.3, Q))
    return [y]


def reshaped_output(m: Model) -> list[int]:
    y = m.reshape(m.read(), (2, N // 2))
    m.assign(m.add(m.x, m.x, quant=Q))
    return [y]


def reshaped(m: Model) -> list[int]:
    former = m.reshape(m.read(), (2, N // 2))
    m.assign(m.add(m.x, m.x, quant=Q))
    return [m.hard_swish(former, Q)]


def real_output(m: Model) -> list[int]:
    y = m.dequantize(m.read())
    m.assign(m.add(m.x, m.x, quant=Q))
    return [y]


def real_outputs_before_and_after(m: Model) -> list[int]:
    former = m.read()
    m.assign(m.add(former, m.x, quant=Q))
    return [m.dequantize(former), m.dequantize(m.read())]


def padding(m: Model) -> list[int]:
    image = m.pad(m.read(), [(0, 0), (1, 1), (1, 1), (0, 0)])
    m.assign(m.add(m.x, m.x, quant=Q))
    weights = m.bytes(3, 3, 3, 2)
    return [m.conv_2d(image, weights, np.zeros(3, np.int32), weight_scales=0.01, quant=(0.1, 0), padding="VALID")]


def float_function(m: Model) -> list[int]:
    real, negative = m.dequantize(m.read()), m.tensor((1, N), "float32")
    m.op("NEG", [real], [negative])
    m.assign(m.add(m.x, m.x, quant=Q))
    return [m.quantize(negative, Q)]


def real_input(m: Model) -> list[int]:
    y = m.hard_swish(m.read(), Q)
    m.assign(m.quantize(m.x, Q))
    return [y]


def dense(m: Model) -> list[int]:
    """A recurrent cell; nothing that comes later reads what the layer gives, not even its constant channel."""
    both = m.concatenation(m.read(), m.x, axis=1)
    y = m.dense(both, 4)
    m.assign(m.dense(both))
    return [y]


def delay(m: Model) -> list[int]:
    y = m.hard_swish(m.read(), Q)
    m.assign(m.dense(m.x))
    return [y]


def two_values(m: Model) -> list[int]:
    y = m.hard_swish(m.read(), Q)
    first, second = m.hard_swish(m.x, Q), m.add(m.x, m.x, quant=Q)
    m.assign(second)
    m.assign(first)
    return [y]


def chain(m: Model) -> list[int]:
    """One variable takes what another held, which then gets a new value."""
    older = m.variable(m.bytes(1, N), Q)
    y = m.hard_swish(m.read_variable(older, (1, N), Q), Q)
    m.assign_variable(older, m.read())
    m.assign(m.dense(m.x))
    return [y]


def folded_constant(m: Model) -> list[int]:
    y = m.add(m.read(), m.x, quant=(0.1, 0))
    half = m.constant(m.bytes(1, N // 2), quant=Q)
    m.assign(m.concatenation(half, half, axis=1))
    return [y]


def float_variable(m: Model) -> list[int]:
    """A variable of floats, as stateful Keras GRUs keep it: dequantised values, quantised anew when read."""
    variable, real = m.variable(np.zeros((1, N), np.float32), None), m.tensor((1, N), "float32")
    m.op("READ_VARIABLE", [variable], [real])
    total = m.add(m.quantize(real, (0.04, -2)), m.x, quant=Q)
    m.assign_variable(variable, m.dequantize(total))
    return [total, m.quantize(real, Q)]


CASES = [
    clamp,
    table_of_table,
    reshaped_output,
    reshaped,
    real_output,
    real_outputs_before_and_after,
    padding,
    float_function,
    real_input,
    dense,
    delay,
    two_values,
    chain,
    folded_constant,
    float_variable,
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_reads_come_before_the_write(make_model, case: Callable[[Model], list[int]]) -> None:
    m = Model((1, 4, 4, 2) if case is padding else (1, N), "float32" if case is real_input else "int8")
    data = m.build([m.x], case(m))
    readings = m.rng.integers(-128, 128, (6, *m.shape)).astype(np.int8)
    if case is real_input:
        readings = readings.astype(np.float32) / 16
    check(make_model(data), data, readings)


def check(path: Path, data: bytes, readings: np.ndarray) -> None:
    """The .midge file at `path` gives what TFLM makes of the .tflite `data`."""
    expected = tflm.run(data, [readings])
    for name in ("numpy", "cpython"):
        for got, wanted in zip(backends.run(name, path, [readings]).outputs, expected, strict=True):
            np.testing.assert_allclose(got.reshape(wanted.shape), wanted, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("backend", ["numpy", "cpython", "portable", "micropython", "micropython-portable", "wasm"])
def test_reset_before_each_reading(make_model, backend: str) -> None:
    """`reset` gives what each reading gives as the first one."""
    if why := backends.problem(backend):
        pytest.skip(why)
    path = make_model(models.streaming())
    readings = np.random.default_rng(9).integers(-128, 128, (4, *read(path).inputs[0].shape)).astype(np.int8)
    alone = [backends.run("numpy", path, [readings[i : i + 1]]).outputs[0] for i in range(4)]
    np.testing.assert_array_equal(backends.run(backend, path, [readings], reset=True).outputs[0], np.concatenate(alone))
    assert not np.array_equal(backends.run(backend, path, [readings]).outputs[0], np.concatenate(alone))


def random_layers(m: Model) -> list[int]:
    """Reads and assignments of three variables anywhere among layers that passes move or join."""
    rng = m.rng
    states = [m.state, *(m.variable(m.bytes(1, N), Q) for _ in range(2))]
    made = [m.x]

    def pick() -> int:
        return made[-1 - min(len(made) - 1, int(rng.exponential(2)))]

    def negative(x: int) -> int:
        real, result = m.dequantize(x), m.tensor((1, N), "float32")
        m.op("NEG", [real], [result])
        return m.quantize(result, Q)

    def moved(x: int) -> int:
        """Halves of the floats of x, the other way around."""
        real, whole = m.dequantize(x), m.tensor((1, N), "float32")
        halves = [m.tensor((1, N // 2), "float32") for _ in range(2)]
        m.op("SPLIT", [m.constant(np.array(1, np.int32)), real], halves, options_table="SplitOptions", NumSplits=2)
        m.op("CONCATENATION", halves[::-1], [whole], options_table="ConcatenationOptions", Axis=1)
        return m.quantize(whole, Q)

    layers = [
        lambda: m.relu(pick(), Q),
        lambda: m.hard_swish(pick(), Q),
        lambda: m.leaky_relu(pick(), 0.3, Q),
        lambda: m.add(pick(), pick(), quant=Q),
        lambda: m.maximum(pick(), pick()),
        lambda: m.dense(pick()),
        lambda: m.dense(m.concatenation(pick(), pick(), axis=1)),
        lambda: m.reshape(m.reshape(pick(), (2, N // 2)), (1, N)),
        lambda: m.concatenation(*reversed(m.split(pick(), 1, 2)), axis=1),
        lambda: negative(pick()),
        lambda: moved(pick()),
    ]
    for _ in range(rng.integers(4, 20)):
        state, kind = states[rng.integers(3)], rng.integers(17)
        if kind < 3:
            made.append(m.read_variable(state, (1, N), Q))
        elif kind < 6:
            m.assign_variable(state, pick())
        else:
            made.append(layers[kind - 6]())
    forms = [lambda t: t, m.dequantize, lambda t: m.reshape(t, (2, N // 2))]
    return [forms[rng.integers(3)](t) for t in dict.fromkeys([made[-1], pick(), pick()])]


@pytest.mark.parametrize("seed", range(60))
def test_random_layers(make_model, seed: int) -> None:
    m = Model()
    m.rng = np.random.default_rng(seed)
    data = m.build([m.x], random_layers(m))
    check(make_model(data), data, m.rng.integers(-128, 128, (5, *m.shape)).astype(np.int8))


def test_what_is_written_is_used_though_nobody_reads_it_now() -> None:
    builder = Builder("counter")
    source = builder.input("x", (1, N))
    builder.write("before", source)
    builder.output(builder.add(ir.Tanh, "tanh", source=builder.read("before", np.zeros((1, N), np.float32))))
    assert drop_unused(builder.graph) == ""
    assert [type(node) for node in builder.graph.nodes] == [ir.WriteVariable, ir.ReadVariable, ir.Tanh]
