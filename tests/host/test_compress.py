"""examples/compress: what a kernel is held to while it learns, it is in the end."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "examples" / "compress"))

keras = pytest.importorskip("keras", reason="no Keras here: pip install tensorflow")
recipes = pytest.importorskip("recipes")


def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.DepthwiseConv2D(3),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def test_kernels_end_on_levels_and_pruned() -> None:
    bits = 3
    model, rng = network(), np.random.default_rng(1)
    readings, labels = rng.normal(size=(128, 6, 6, 1)).astype(np.float32), rng.integers(0, 3, 128)
    held, axes = [], []
    for kernel in recipes.kernels(model):
        axes.append(recipes.channel_axis(kernel))
        prune, level = recipes.pruned(kernel.numpy(), 0.5), recipes.levels(axes[-1], bits)
        held.append(lambda values, prune=prune, level=level: level(prune(values)))
    before = [kernel.numpy() for kernel in recipes.kernels(model)]
    told = np.full((128, 3), 1 / 3, np.float32)
    recipes.fit(model, readings, labels, 2, 1e-2, told, held)
    assert axes == [3, 2, 1]
    for kernel, own, axis in zip(recipes.kernels(model), before, axes, strict=True):
        after = kernel.numpy()
        assert (after == 0).mean() >= 0.5
        assert not np.array_equal(after, own)
        channels = np.moveaxis(after, axis, 0).reshape(after.shape[axis], -1)
        assert max(len(np.unique(channel)) for channel in channels) <= 2**bits - 1


def test_zero_channels_stay_zero() -> None:
    assert not recipes.levels(1, 3)(np.zeros((4, 2), np.float32)).numpy().any()
