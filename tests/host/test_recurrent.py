"""Recurrent layers of floats compute what Keras computes."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np
import pytest

from midge_host.frontends.recurrent import FUNCTIONS, Cell, Gru, Lstm, Rnn, recurrent
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.verify import verify

UNITS, DEPTH, STEPS = 5, 3, 4

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="no TensorFlow here: pip install tensorflow"
)


def cell_of(kind: str, weights: list[np.ndarray], config: dict[str, Any]) -> Cell:
    """The cell of a Keras layer, whose gates are i f g o, z r n."""
    kernel, recurrent_kernel, bias = weights
    gates = kernel.shape[1] // UNITS
    rows: dict[str, Any] = {
        "kernel": kernel.T.reshape(gates, UNITS, DEPTH),
        "recurrent": recurrent_kernel.T.reshape(gates, UNITS, UNITS),
        "bias": bias.reshape(-1, gates, UNITS)[0],
        "activation": FUNCTIONS[config.get("activation", "tanh")],
    }
    if kind == "SimpleRNN":
        return Rnn(**rows)
    rows["recurrent_activation"] = FUNCTIONS[config.get("recurrent_activation", "sigmoid")]
    if kind == "LSTM":
        return Lstm(**{k: v[[0, 1, 3, 2]] if isinstance(v, np.ndarray) else v for k, v in rows.items()})
    after = config.get("reset_after", True)
    second = bias.reshape(2, gates, UNITS)[1] if after else np.zeros((gates, UNITS), np.float32)
    return Gru(**rows, recurrent_bias=second, reset_after=after)


@needs_tensorflow
@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("SimpleRNN", {}),
        ("SimpleRNN", {"activation": "relu"}),
        ("GRU", {}),
        ("GRU", {"reset_after": False, "activation": "relu"}),
        ("GRU", {"recurrent_activation": "hard_sigmoid"}),
        ("LSTM", {}),
        ("LSTM", {"activation": "elu"}),
    ],
)
def test_is_kerass(kind: str, config: dict[str, Any], sequences: bool, reverse: bool, stateful: bool) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from keras import layers

    random = np.random.default_rng(1)
    layer = getattr(layers, kind)(
        UNITS, return_sequences=sequences, go_backwards=reverse, stateful=stateful, unroll=True, **config
    )
    layer.build((1, STEPS, DEPTH))
    weights = [random.normal(0, 0.5, w.shape).astype(np.float32) for w in layer.get_weights()[:3]]
    layer.set_weights([*weights, *layer.get_weights()[3:]])

    builder = Builder("model")
    source = builder.input("source", (1, STEPS, DEPTH))
    cell = cell_of(kind, weights, config)
    (output,) = recurrent(builder, "layer", cell, source, reverse=reverse, sequences=sequences, stateful=stateful)
    builder.output(output)
    verify(builder.graph)
    evaluator = Evaluator(builder.graph)
    for _ in range(2):
        reading = random.normal(0, 1, (1, STEPS, DEPTH)).astype(np.float32)
        expected = np.asarray(layer(reading))
        if reverse and sequences:  # Keras leaves the outputs in the order of the steps
            expected = expected[:, ::-1]
        np.testing.assert_allclose(evaluator.predict([reading])[0], expected, atol=1e-5)


def test_states_go_in_and_out() -> None:
    """Two halves of a sequence are the whole, if the second begins with the states of the first."""
    random = np.random.default_rng(1)
    for kind, gates in (("SimpleRNN", 1), ("GRU", 3), ("LSTM", 4)):
        weights = [random.normal(0, 0.5, (n, gates * UNITS)).astype(np.float32) for n in (DEPTH, UNITS, 2)]
        cell = cell_of(kind, [*weights[:2], weights[2] if kind == "GRU" else weights[2][0]], {})
        builder = Builder("model")
        source = builder.input("source", (2, 2 * STEPS, DEPTH))
        halves = [
            builder.add(ir.Slice, "half", source=source, index=(slice(None), slice(at, at + STEPS)))
            for at in (0, STEPS)
        ]
        (whole,) = recurrent(builder, "whole", cell, source)
        _, *states = recurrent(builder, "first", cell, halves[0], states=True)
        (last,) = recurrent(builder, "second", cell, halves[1], initial=states)
        builder.output(whole)
        builder.output(last)
        reading = random.normal(0, 1, source.shape).astype(np.float32)
        expected, got = Evaluator(builder.graph).predict([reading])
        np.testing.assert_allclose(got, expected, atol=1e-5)
