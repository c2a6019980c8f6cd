"""Channels that cannot matter: which ones go, and that TensorFlow Lite Micro's bytes stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import tflm
from midge_host import backends
from midge_host.commands.info import facts
from tflite_models import ModelBuilder

SCALE, ZERO = 0.05, -7  # of every tensor: a constant channel holds ZERO + bias / 100
SIZE = (5, 4, 3)


class Net(ModelBuilder):
    """Layers with random weights, of which some are 0."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.x = self.tensor((1, *SIZE), quant=(SCALE, ZERO))

    def _random(self, *shape: int) -> np.ndarray:
        return self.rng.integers(1, 128, shape).astype(np.int8) * self.rng.choice([-1, 1], shape).astype(np.int8)

    def _biases(self, count: int, constant: Sequence[int], bias: int) -> np.ndarray:
        biases = self.rng.integers(-3000, 3000, count)
        biases[list(constant)] = bias
        return biases

    def conv(
        self,
        x: int,
        count: int,
        dead: Sequence[int] = (),
        constant: Sequence[int] = (),
        bias: int = 0,
        kernel: int = 1,
        **options,
    ) -> int:
        """Reads nothing of the `dead` channels of x; its `constant` ones always hold ZERO + bias / 100."""
        weights = self._random(count, kernel, kernel, self.tensors[x].shape[3])
        weights[..., list(dead)] = 0
        weights[list(constant)] = 0
        return self.conv_2d(x, weights, self._biases(count, constant, bias), weight_scales=0.01, **options)

    def depthwise(self, x: int, multiplier: int = 1, **options) -> int:
        count = self.tensors[x].shape[3] * multiplier
        weights = self._random(1, 3, 3, count)
        return self.depthwise_conv_2d(x, weights, self._biases(count, (), 0), weight_scales=0.01, **options)

    def dense(self, x: int, count: int, dead: Sequence[int] = (), channels: int = 0) -> int:
        """Reads nothing of the `dead` ones of `channels` (the last dimension of x if not given)."""
        shape = self.tensors[x].shape
        depth = int(np.prod(shape))
        weights = self._random(count, depth)
        weights.reshape(count, -1, channels or shape[-1])[..., list(dead)] = 0
        return self.fully_connected(x, weights, weight_scales=0.01)


def dead_chain(m: Net) -> list[int]:
    return [m.conv(m.depthwise(m.conv(m.x, 6, kernel=3)), 5, dead=[1, 4])]


def constant_and_padded(bias: int, padding: str) -> Callable[[Net], list[int]]:
    """A constant channel, a depthwise convolution of it, and a reader."""
    return lambda m: [m.conv(m.depthwise(m.conv(m.x, 6, constant=[2], bias=bias), padding=padding), 5)]


def constant_before_convolution(m: Net) -> list[int]:
    return [m.conv(m.conv(m.x, 6, constant=[0, 5], bias=9000), 5)]


def constant_before_padded_convolution(m: Net) -> list[int]:
    return [m.conv(m.conv(m.x, 6, constant=[0, 5], bias=9000), 5, kernel=3)]


def constant_of_constants(m: Net) -> list[int]:
    y = m.conv(m.x, 6, constant=[2], bias=500)
    weights = m._random(5, 1, 1, 6)
    weights[3, ..., [0, 1, 3, 4, 5]] = 0
    return [m.conv(m.conv_2d(y, weights, weight_scales=0.01), 4)]


def constant_through_everything(m: Net) -> list[int]:
    y = m.conv(m.x, 6, constant=[2, 3], bias=3000)
    y = m.relu(m.average_pool_2d(y, (2, 2), padding="SAME"), quant=(0.03, -128))
    return [m.dense(m.mean(m.max_pool_2d(y, (2, 1)), [1, 2], quant=(0.04, -100)), 3)]


def several_readers(m: Net) -> list[int]:
    y = m.conv(m.x, 6)
    return [m.conv(y, 5, dead=[0, 1]), m.conv(m.logistic(y), 4, dead=[1, 2])]


def mean_and_dense(m: Net) -> list[int]:
    return [m.softmax(m.dense(m.mean(m.conv(m.x, 6), [1, 2]), 3, dead=[0, 5]))]


def pool_and_dense(m: Net) -> list[int]:
    y = m.average_pool_2d(m.conv(m.x, 6), (5, 4))
    return [m.dense(m.reshape(y, (1, 6)), 3, dead=[4])]


def flattened_image(m: Net) -> list[int]:
    y = m.max_pool_2d(m.conv(m.x, 6), (2, 2))
    return [m.dense(m.reshape(y, (1, 24)), 3, dead=[3], channels=6)]


def everything_constant(m: Net) -> list[int]:
    return [m.conv(m.depthwise(m.conv(m.x, 6)), 5, constant=range(5), bias=100)]


def output_of_the_model(m: Net) -> list[int]:
    y = m.conv(m.x, 6, constant=[3])
    return [m.conv(y, 5, dead=[1]), m.reshape(y, (1, 120))]


def one_channel_spread(m: Net) -> list[int]:
    return [m.conv(m.depthwise(m.conv(m.x, 1), multiplier=6), 5, dead=[0, 3])]


def several_channels_spread(m: Net) -> list[int]:
    return [m.conv(m.depthwise(m.conv(m.x, 2), multiplier=3), 5, dead=[0, 3])]


def residual(m: Net) -> list[int]:
    y = m.conv(m.x, 6)
    return [m.conv(m.add(y, m.conv(m.conv(y, 9, constant=[2]), 6)), 5, dead=[1])]


def softmax_of_channels(m: Net) -> list[int]:
    return [m.conv(m.softmax(m.conv(m.x, 6, constant=[2])), 5, dead=[1])]


def reshape_that_splits_channels(m: Net) -> list[int]:
    return [m.conv(m.reshape(m.dense(m.x, 8), (1, 2, 2, 2)), 5, dead=[1])]


# The graph, and the last dimension of every layer's output.
CASES: dict[str, tuple[Callable[[Net], list[int]], list[int]]] = {
    "dead chain": (dead_chain, [4, 4, 5]),
    "constant at the zero point, SAME": (constant_and_padded(0, "SAME"), [5, 5, 5]),
    "constant elsewhere, SAME": (constant_and_padded(2000, "SAME"), [6, 6, 5]),
    "constant elsewhere, VALID": (constant_and_padded(2000, "VALID"), [5, 5, 5]),
    "constant before convolution": (constant_before_convolution, [4, 5]),
    "constant before padded convolution": (constant_before_padded_convolution, [6, 5]),
    "constant of constants": (constant_of_constants, [5, 4, 4]),
    "constant through everything": (constant_through_everything, [4, 4, 3 * 2 * 4, 4, 4, 3]),
    "several readers": (several_readers, [5, 5, 5 * 4 * 5, 4]),
    "mean and dense": (mean_and_dense, [4, 4, 3, 3]),
    "pool and dense": (pool_and_dense, [5, 5, 3]),
    "flattened image": (flattened_image, [5, 5, 3]),
    "everything constant": (everything_constant, [1, 1, 5]),
    "output of the model": (output_of_the_model, [6, 5]),
    "one channel spread": (one_channel_spread, [1, 4, 5]),
    "several channels spread": (several_channels_spread, [2, 6, 5]),
    "residual": (residual, [6, 8, 6, 5 * 4 * 6, 5]),
    "softmax of channels": (softmax_of_channels, [6, 6, 5]),
    "reshape that splits channels": (reshape_that_splits_channels, [8, 5]),
}


def check(path: Path, data: bytes, names: Sequence[str]) -> None:
    """Every backend gives TFLM's bytes for random and extreme inputs."""
    rows = np.random.default_rng(1).integers(-128, 128, (8, 1, *SIZE)).astype(np.int8)
    rows[0], rows[1] = -128, 127
    expected = tflm.run(data, [rows])
    for name in names:
        for got, want in zip(backends.run(name, path, [rows]).outputs, expected, strict=True):
            np.testing.assert_array_equal(got, want, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_what_goes_and_what_stays(make_model, case: str) -> None:
    graph, widths = CASES[case]
    m = Net()
    data = m.build([m.x], graph(m))
    path = make_model(data)
    assert [layer["output_shape"][-1] for layer in facts(path)["layers"]] == widths
    check(path, data, ["numpy", "cpython", "portable"])


def test_random_networks(make_model) -> None:
    narrower = 0
    for seed in range(60):
        m = Net(seed)
        y = m.x
        for _ in range(m.rng.integers(2, 6)):
            channels = m.tensors[y].shape[3]
            padding = "VALID" if m.rng.random() < 0.5 and min(m.tensors[y].shape[1:3]) > 2 else "SAME"
            match m.rng.integers(5):
                case 0:
                    y = m.depthwise(y, strides=(1, int(m.rng.integers(1, 3))), padding=padding)
                case 1:
                    y = m.max_pool_2d(y, (2, 2), strides=(1, 1), padding=padding)
                case 2:
                    y = m.relu(y, quant=(SCALE, ZERO))
                case _:
                    count = int(m.rng.integers(1, 9))
                    y = m.conv(
                        y,
                        count,
                        dead=np.flatnonzero(m.rng.random(channels) < 0.4),
                        constant=np.flatnonzero(m.rng.random(count) < 0.4),
                        bias=int(m.rng.choice([0, 1000])),
                        kernel=int(m.rng.choice([1, 2])),
                        activation=str(m.rng.choice(["NONE", "RELU"])),
                        padding=padding,
                    )
        data = m.build([m.x], [m.dense(y, 3, dead=[0]), m.softmax(m.mean(y, [2]))][: m.rng.integers(1, 3)])
        path = make_model(data)
        report = facts(path)
        narrower += report["macs"] < report["source_macs"]
        check(path, data, ["numpy", "cpython"])
    assert narrower > 20


def test_half_of_vww_goes(converted) -> None:
    report = facts(converted("vww_96_int8")[0])
    assert report["source_macs"] == 7_489_664
    assert report["macs"] == 3_729_221
    assert report["file_bytes"] < 40_000
