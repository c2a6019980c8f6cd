"""LSTM, GRU and RNN of ONNX: every direction and output, as ONNX's reference computes them one way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_models import Maker, evaluated, loaded, reference

STEPS, DEPTH, UNITS = 5, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def parameters(kind: str, directions: int, seed: int = 3) -> list[np.ndarray]:
    """Weights, recurrent weights and biases."""
    rng = np.random.default_rng(seed)
    rows = GATES[kind] * UNITS
    shapes = [(directions, rows, DEPTH), (directions, rows, UNITS), (directions, 2 * rows)]
    return [rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]


def model(kind: str, weights: list[np.ndarray], direction: str, initial: list[np.ndarray], **more: Any) -> Any:
    maker = Maker()
    x = maker.input((1, STEPS, DEPTH) if more.get("layout") else (STEPS, 1, DEPTH))
    states = [maker.constant(s) for s in initial]
    names = [x, *map(maker.constant, weights), "", *states]
    count = 3 if kind == "LSTM" else 2
    made = maker.add(kind, *names, count=count, hidden_size=UNITS, direction=direction, **more)
    return maker.model(*made)


def wanted(
    kind: str, weights: list[np.ndarray], way: int, x: np.ndarray, initial: list[np.ndarray], **more: Any
) -> Any:
    """The outputs of one direction, by a forward layer of its own over the steps in its order."""
    own = [w[way : way + 1] for w in weights]
    made = reference(model(kind, own, "forward", [s[way : way + 1] for s in initial]), [x[::-1] if way else x])
    return [made[0][::-1] if way else made[0], *made[1:]]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("has_initial", [False, True])
def test_directions(kind: str, direction: str, has_initial: bool) -> None:
    ways = {"forward": [0], "reverse": [1], "bidirectional": [0, 1]}[direction]
    weights = parameters(kind, 2)
    rng = np.random.default_rng(5)
    count = 2 if kind == "LSTM" else 1
    initial = [rng.normal(0, 1, (2, 1, UNITS)).astype(np.float32) for _ in range(count)] if has_initial else []
    x = rng.normal(0, 1, (STEPS, 1, DEPTH)).astype(np.float32)
    own = [w[ways] for w in weights]
    made = evaluated(loaded(model(kind, own, direction, [s[ways] for s in initial])), [x])
    each = [wanted(kind, weights, way, x, initial) for way in ways]
    golden = [np.concatenate([e[i] for e in each], 1 if i == 0 else 0) for i in range(len(made))]
    for g, m in zip(golden, made, strict=True):
        np.testing.assert_allclose(m, g.reshape(m.shape), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("GRU", {"linear_before_reset": 1}),
        ("RNN", {"activations": ["Relu"]}),
        ("LSTM", {"activations": ["HardSigmoid", "Relu", "Relu"]}),
        ("LSTM", {"layout": 1}),
    ],
)
def test_attributes(kind: str, more: dict[str, Any]) -> None:
    weights = parameters(kind, 1)
    x = np.random.default_rng(6).normal(0, 1, (STEPS, 1, DEPTH)).astype(np.float32)
    x = x.transpose(1, 0, 2) if more.get("layout") else x
    source = model(kind, weights, "forward", [], **more)
    if kind == "RNN":
        golden = relu_rnn(x, weights)
    elif "activations" in more:
        golden = lstm_with_hard_gates(x, weights)
    else:
        golden = reference(source, [x])
    for g, m in zip(golden, evaluated(loaded(source), [x]), strict=True):
        np.testing.assert_allclose(m, g.reshape(m.shape), rtol=1e-5, atol=1e-5)


def relu_rnn(x: np.ndarray, weights: list[np.ndarray]) -> list[np.ndarray]:
    """By ONNX's equations, as the LSTM below: the reference has few activations."""
    kernel, recurrent, bias = (w[0] for w in weights)
    hidden, outputs = np.zeros((1, UNITS), np.float32), []
    for step in x:
        hidden = np.maximum(step @ kernel.T + hidden @ recurrent.T + bias[:UNITS] + bias[UNITS:], 0)
        outputs.append(hidden)
    return [np.stack(outputs)[:, None], hidden[None]]


def lstm_with_hard_gates(x: np.ndarray, weights: list[np.ndarray]) -> list[np.ndarray]:
    kernel, recurrent, bias = (w[0] for w in weights)
    offset = bias[: len(bias) // 2] + bias[len(bias) // 2 :]
    hidden = cell = np.zeros((1, UNITS), np.float32)
    outputs = []
    for step in x:
        gates = np.split(step @ kernel.T + hidden @ recurrent.T + offset, 4, 1)
        enter, leave, forget = (np.clip(0.2 * g + 0.5, 0, 1) for g in gates[:3])
        cell = forget * cell + enter * np.maximum(gates[3], 0)
        hidden = leave * np.maximum(cell, 0)
        outputs.append(hidden)
    return [np.stack(outputs)[:, None], hidden[None], cell[None]]


def test_only_the_last_state() -> None:
    """As PyTorch's classifiers read it: one ir.Lstm, without its sequence."""
    maker = Maker()
    x = maker.input((STEPS, 1, DEPTH))
    _, last, _ = maker.add("LSTM", x, *map(maker.constant, parameters("LSTM", 1)), count=3, hidden_size=UNITS)
    row = maker.add("Squeeze", last, maker.constant(np.array([0])))
    source = maker.model(maker.add("Gemm", row, maker.constant((UNITS, 2))))
    value = np.random.default_rng(7).normal(0, 1, (STEPS, 1, DEPTH)).astype(np.float32)
    made = loaded(source)
    np.testing.assert_allclose(evaluated(made, [value])[0], reference(source, [value])[0], rtol=1e-5, atol=1e-5)
    assert [type(node).__name__ for node in made.graph.nodes].count("Lstm") == 1
