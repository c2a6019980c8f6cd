"""Models of several layers that tests make, so that they mean something without the reference models."""

from __future__ import annotations

import numpy as np

from tflite_models import ModelBuilder

SIZE = (13, 9, 3)


def residual(seed: int = 0, two_outputs: bool = False) -> bytes:
    """A small network with every operator: padding, convolutions, a residual, pools, a mean, dense, softmax."""
    rng = np.random.default_rng(seed)
    m = ModelBuilder()
    x = m.tensor((1, *SIZE), quant=(0.02, -5))

    def weights(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        channels = shape[3] if shape[0] == 1 else shape[0]
        return rng.integers(-127, 128, shape).astype(np.int8), rng.integers(-2000, 2000, channels).astype(np.int32)

    def scales(count: int) -> list[float]:
        return list(rng.uniform(0.001, 0.01, count))

    y = m.pad(x, [(0, 0), (1, 1), (2, 0), (0, 0)])
    y = m.conv_2d(y, *weights(8, 3, 3, SIZE[2]), weight_scales=scales(8), padding="VALID", quant=(0.05, -128))
    y = m.relu(y, quant=(0.05, -128))
    a = m.depthwise_conv_2d(y, *weights(1, 3, 3, 8), weight_scales=scales(8), padding="SAME", quant=(0.07, 3))
    b = m.conv_2d(y, *weights(8, 1, 1, 8), weight_scales=0.004, padding="SAME", quant=(0.06, -20))
    y = m.add(a, b, quant=(0.09, 10), activation="RELU")
    y = m.max_pool_2d(y, (2, 2))
    y = m.logistic(y)
    y = m.average_pool_2d(y, (2, 2), padding="SAME")
    pooled = m.mean(y, [1, 2], quant=(1 / 256, -128))
    y = m.fully_connected(pooled, *weights(5, 8), weight_scales=0.01, quant=(0.1, 0))
    y = m.softmax(y)
    return m.build([x], [y, pooled] if two_outputs else [y])


def residual_inputs(count: int, seed: int = 1) -> list[np.ndarray]:
    """`count` random int8 inputs for `residual`."""
    return [np.random.default_rng(seed).integers(-128, 128, (count, 1, *SIZE)).astype(np.int8)]


def dense(layers: int = 3, width: int = 10) -> bytes:
    """A chain of FULLY_CONNECTED layers from `width` to `width` values."""
    rng = np.random.default_rng(layers)
    m = ModelBuilder()
    x = y = m.tensor((1, width), quant=(0.05, 4))
    for _ in range(layers):
        w = rng.integers(-127, 128, (width, width)).astype(np.int8)
        y = m.fully_connected(y, w, np.zeros(width, np.int32), weight_scales=0.005, quant=(0.05, 4), activation="RELU")
    return m.build([x], [y])


def streaming(seed: int = 5) -> bytes:
    """Two layers that remember what they saw of a stream of (1, 3, 4) steps, as microWakeWord's models do."""
    rng = np.random.default_rng(seed)
    m = ModelBuilder()
    x = m.tensor((1, 3, 4), quant=(0.1, -20))
    y = x
    for kept, channels in ((2, 4), (3, 5)):
        quant = m.tensors[y].quant
        shape = (1, kept, channels)
        state = m.variable(rng.integers(-128, 128, shape).astype(np.int8), quant)
        window = m.concatenation(m.read_variable(state, shape, quant), y, axis=1)
        rows = m.tensors[window].shape[1]
        m.assign_variable(state, m.strided_slice(window, [0, rows - kept, 0], [1, rows, channels], [1, 1, 1]))
        image = m.reshape(window, (1, rows, 1, channels))
        weights = rng.integers(-127, 128, (5, 3, 1, channels)).astype(np.int8)
        bias = rng.integers(-900, 900, 5).astype(np.int32)
        y = m.conv_2d(image, weights, bias, weight_scales=0.004, padding="VALID", quant=(0.06, 4))
        y = m.reshape(y, (1, rows - 2, 5))
    return m.build([x], [m.logistic(y)])


def keyword(seed: int = 6, state: str = "int16") -> bytes:
    """SVDF and dense layers from int16 features to int16 probabilities, as in TFLM's keyword benchmark."""
    rng = np.random.default_rng(seed)
    m = ModelBuilder()
    x = m.tensor((1, 24), "int16", (0.0002, 0))
    y = m.quantize(x, (0.05, -20))
    depth = 24
    for units, rank, memory in ((16, 1, 8), (12, 2, 6)):
        filters = units * rank
        feature = rng.integers(-127, 128, (filters, depth)).astype(np.int8)
        largest = 127 if state == "int8" else 2000
        time = rng.integers(-largest, largest + 1, (filters, memory)).astype(state)
        scales = (0.004, 1 / largest, 0.1 if state == "int8" else 0.0005)
        y = m.svdf(y, feature, time, rng.integers(-50, 50, units), rank=rank, scales=scales, quant=(0.1, -128))
        weights = rng.integers(-127, 128, (10, units)).astype(np.int8)
        y = m.fully_connected(y, weights, np.zeros(10, np.int32), weight_scales=0.01, quant=(0.1, 3))
        y = m.quantize(y, (0.12, 0))
        depth = 10
    return m.build([x], [m.softmax(y, y_dtype="int16")])


def recurrent(seed: int = 7, dtype: str = "int8") -> bytes:
    """Two LSTM layers upon sequences of five rows, and a dense layer upon the last row of the second one."""
    rng = np.random.default_rng(seed)
    m = ModelBuilder()
    scale, zero = (0.02, 10) if dtype == "int8" else (0.0002, 0)
    x = y = m.tensor((1, 5, 6), dtype, (scale, zero))
    for cells in (9, 4):
        depth = m.tensors[y].shape[2]
        kernel, again = (rng.integers(-127, 128, (4, cells, n)).astype(np.int8) for n in (depth, cells))
        scales = {"input_scales": [0.01] * 4, "recurrent_scales": [0.008] * 4, "cell_scale": 2.0**-12}
        quant = (1 / 128, -2) if dtype == "int8" else (2.0**-15, 0)
        y = m.lstm(y, kernel, again, rng.integers(-500, 500, (4, cells)), **scales, quant=quant, cell_clip=10.0)
    y = m.strided_slice(y, [0, 4, 0], [1, 5, 4], [1, 1, 1], shrink_axis_mask=2)
    weights, bias = rng.integers(-127, 128, (3, 4)).astype(np.int8), np.zeros(3, np.int32)
    quant = (0.02, 5) if dtype == "int8" else (1e-4, 0)
    return m.build([x], [m.fully_connected(y, weights, bias, weight_scales=0.01, quant=quant)])
