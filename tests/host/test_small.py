"""Weights of few bits: rounding never does worse than the nearest step, what is made keeps to what it promises, and
`midge convert --small` refuses what loses too much."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_proof import classifier, midge, pictures

import float_graphs
from midge_host import backends
from midge_host.conversion import Wanted, build, convert, small
from midge_host.conversion.compiled import compile_graph
from midge_host.conversion.small import shrunk
from midge_host.errors import CheckFailed, MidgeError
from midge_host.frontends.tflite import to_tflite
from midge_host.ir import batch
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.quantize import quantise
from midge_host.quantize.judge import sums_of
from midge_host.quantize.rows import from_rows, places, read_at, to_rows
from midge_host.quantize.small import channel_effects, coarse, rounding, shrinkable
from midge_host.quantize.small.biases import shorten
from small import kept_at_4_bits


@pytest.fixture(autouse=True)
def in_this_process():
    with joblib.parallel_config(backend="sequential"):
        yield


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 12)),
    st.integers(1, 31),
    st.floats(0.2, 1.2),
    st.integers(0, 2**32 - 1),
)
def test_no_channel_is_worse_than_rounded_to_the_nearest(shape, most: int, reach: float, seed: int) -> None:
    """reach: of the levels, by the largest weight; below 1 some are cut off."""
    groups, channels, depth = shape
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(groups, depth, depth))
    read = rng.normal(size=(groups, 40, depth)) @ mixed * rng.integers(0, 2, (groups, 1, depth))
    weights, limits = rng.normal(size=shape), np.full((groups, channels), float(most))
    steps = np.abs(weights).max(2) * reach / most
    moment = rounding.moments(read.astype(np.float32))
    plain, made = (
        f(*a)
        for f, a in (
            (rounding.nearest, (weights, steps, limits)),
            (rounding.rounded, (weights, moment, steps, limits)),
        )
    )
    losses = [rounding.errors(q * steps[..., None] - weights, moment) for q in (plain, made)]
    assert (losses[1] <= losses[0] * (1 + 1e-9) + 1e-12).all()
    assert (made == np.rint(made)).all() and np.abs(made).max() <= most


def test_dearer_bits_make_rarer_levels() -> None:
    rng = np.random.default_rng(0)
    weights, read = rng.normal(size=(1, 16, 32)), rng.normal(size=(1, 200, 32)).astype(np.float32)
    moment, limits = rounding.moments(read), np.full((1, 16), 31.0)
    steps = np.abs(weights).max(2) / 31
    sizes = []
    for of_bit in (0.0, 1e-3, 1e-2, 1e-1):
        price = rounding.Price(of_bit, np.ones((1, 16)))
        levels = rounding.rounded(weights, moment, steps, limits, price).astype(int)
        sizes.append(rounding.level_bits(levels, 31)[levels + 31].sum())
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 0.85 * sizes[0]


def grouped(b: Builder, rng: np.random.Generator) -> None:
    fields = {"strides": (2, 1), "padding": ((1, 0), (0, 1)), "dilations": (1, 2)}
    x = b.input("x", (1, 7, 9, 4))
    w = rng.normal(size=(6, 2, 3, 2)).astype(np.float32)
    y = b.add(ir.Conv2D, "groups", source=x, weights=w, **fields)
    fields["dilations"] = (1, 1)
    w = rng.normal(size=(1, 2, 3, 12)).astype(np.float32)
    y = b.add(ir.DepthwiseConv2D, "depthwise", source=y, weights=w, **fields)
    w = rng.normal(size=(5, y.shape[3])).astype(np.float32)
    b.output(b.add(ir.Dense, "dense", source=y, weights=w))


def test_rows_make_a_layers_sums() -> None:
    rng = np.random.default_rng(0)
    b = Builder("net")
    grouped(b, rng)
    values = batch.run(b.graph, [rng.normal(size=(3, 1, 7, 9, 4)).astype(np.float32)])
    for node in b.graph.nodes:
        weights = node.weights.data
        rows = to_rows(node, weights)
        np.testing.assert_array_equal(from_rows(node, rows), weights)
        chosen = np.arange(places(node, 3))
        made = read_at(node, values[id(node.source)], chosen) @ rows.swapaxes(1, 2)
        wanted = sums_of(node, values, 3).reshape(len(chosen), -1)
        np.testing.assert_allclose(made.transpose(1, 0, 2).reshape(wanted.shape), wanted, atol=1e-4)


def test_a_channel_matters_as_much_as_what_reads_it() -> None:
    rng = np.random.default_rng(0)
    b = Builder("net")
    x = b.input("x", (1, 16))
    y = b.add(ir.Dense, "first", source=x, weights=rng.normal(size=(4, 16)).astype(np.float32))
    factors = np.array([0, 1, 2, 8], np.float32)
    b.output(b.add(ir.Dense, "second", source=y, weights=rng.choice([-1, 1], (6, 4)).astype(np.float32) * factors))
    effects = channel_effects(b.graph, [rng.normal(size=(100, 1, 16)).astype(np.float32)], 0)
    assert effects.shape == (1, 4) and (np.diff(effects[0]) > 0).all()


def test_what_is_made(tmp_path: Path) -> None:
    """Levels far apart and never -128, a multiplier for each layer, biases of few bits, and one result whoever
    computes it."""
    graph, draw = float_graphs.classifier(0)
    quantised = quantise(graph, [draw(64, 1)])
    reference, readings = quantised.reference, quantised.calibration.readings
    effects = {i: channel_effects(reference, readings, i) for i in shrinkable(reference)}
    compiled = compile_graph(coarse(reference, readings, None, quantised.activations, effects, 0.03)[0].graph)
    rows = [step.rows for step in compiled.program.steps if step.rows]
    exact = [each.bias.copy() for each in rows]
    shorten(compiled.program)
    for each, before in zip(rows, exact, strict=True):
        weights = each.weights.reshape(len(each.weights), -1).astype(int)
        largest = np.abs(weights).max(1)
        assert weights.min() >= -127 and largest[largest > 0].min() >= 32
        assert (each.multiplier == each.multiplier[0]).all()
        moved = np.abs(each.bias - before) * each.multiplier * np.exp2(each.shift - 31)
        assert moved.max() <= 1 / 16 and not (each.bias % 4).any()
    model = compiled.model()
    model.pack()
    assert model.stored_bytes < 0.7 * len(model.weights)
    path = tmp_path / "model.midge"
    path.write_bytes(model.to_bytes())
    inputs = [draw(3, 2)]
    found = [backends.run(backend, path, inputs).outputs[0] for backend in ("numpy", "cpython", "portable")]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_random_nets_keep_their_decisions_at_4_bits() -> None:
    """bench/small.py takes fifty."""
    assert np.mean([kept_at_4_bits(seed) for seed in (0, 2)]) >= 0.98


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("small")
    (at / "bars.tflite").write_bytes(to_tflite(classifier()))
    x, y = pictures(120, 2)
    np.savez(at / "good.npz", inputs=x)
    np.savez(at / "shown.npz", inputs=x, labels=y)
    (at / "int8.tflite").write_bytes(to_tflite(quantise(classifier(), [x]).graph))
    return at


def test_smaller_as_asked_for(shelf: Path, monkeypatch, capsys) -> None:
    code, out, err = midge(shelf, monkeypatch, capsys, "convert bars.tflite --calibration good.npz --small --json")
    assert code == 0, err
    found = json.loads(out)["small"]
    assert found["bytes"] == (shelf / "bars.midge").stat().st_size
    sizes = [point["bytes"] for point in found["curve"]]
    assert sizes[0] == max(sizes) and sizes[-1] == min(sizes)
    assert found["chosen"]["agreement"] >= found["curve"][0]["agreement"] - 0.01 and found["bytes"] < sizes[0] - 50
    size = sizes[3]
    command = f"convert bars.tflite --calibration good.npz --small --bytes {size} --json"
    code, out, err = midge(shelf, monkeypatch, capsys, command)
    assert code == 0 and json.loads(out)["small"]["bytes"] == (shelf / "bars.midge").stat().st_size <= size, err
    code, out, _ = midge(shelf, monkeypatch, capsys, "compare bars.tflite bars.midge --test good.npz")
    assert code == 0 and "tells nothing of its layers: it was made by --small" in out
    (shelf / "bars.midge").unlink()
    code, _, err = midge(shelf, monkeypatch, capsys, f"{command} --learn auto --exemplars shown.npz")
    assert code == 2 and "bytes with what it learns; allow more" in err and not (shelf / "bars.midge").exists(), err


def test_the_nearest_of_several_files_is_taken(monkeypatch) -> None:
    quantised = quantise(classifier(), [pictures(60, 2)[0]])
    made: list[small.Try] = []
    one = small.attempt

    def recorded(*given) -> small.Try:
        made.append(one(*given))
        return made[-1]

    monkeypatch.setattr(small, "attempt", recorded)
    monkeypatch.setattr(small, "PRICES", (0.0, 0.01, 0.06))
    monkeypatch.setattr(small, "_CLOSER", 0)
    size = shrunk(quantised, Wanted(), "net", build).curve[1].bytes - 1
    found = shrunk(quantised, Wanted(bytes=size), "net", build)
    fitting = [(graph, point) for graph, point in made[-small.TRIES :] if point.bytes <= size]
    graph, point = min(fitting, key=lambda pair: pair[1].kept.error)
    assert found.quantised.graph is graph and found.bytes == point.bytes
    assert point.kept.error < fitting[0][1].kept.error


REFUSED = [
    ("bars.tflite --small --bytes 10", "no file of 10 bytes; the smallest has"),
    ("bars.tflite --bytes 10", "give --small, too"),
    ("bars.tflite --small --bytes 900 --loss 1", "give one of them"),
    ("bars.tflite --small --to tflite", "--small is of .midge files"),
    ("int8.tflite --small", "--small rounds the weights of models of floats"),
]


@pytest.mark.parametrize(("command", "words"), REFUSED)
def test_refused(shelf: Path, monkeypatch, capsys, command: str, words: str) -> None:
    code, _, err = midge(shelf, monkeypatch, capsys, f"convert {command} --calibration good.npz -o none.midge")
    assert code and words in err and not (shelf / "none.midge").exists(), err


def test_what_loses_too_much_is_not_written(tmp_path: Path) -> None:
    """Classes that lie as near to each other as int8 can tell apart, in as few bytes as there are."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1, 32)).astype(np.float32)
    b = Builder("net")
    y = b.input("x", (1, 32))
    for i, units in enumerate((48, 48, 10)):
        w = rng.normal(size=(units, y.shape[1])).astype(np.float32) / 3
        y = b.add(
            ir.Dense, f"dense{i}", source=y, weights=w, activation=ir.Activation.RELU if i < 2 else ir.Activation.NONE
        )
    b.output(b.add(ir.Softmax, "scores", source=y))
    source = tmp_path / "net.tflite"
    source.write_bytes(to_tflite(b.graph))
    curve: dict = {}
    out = tmp_path / "net.midge"
    convert(source, out, calibration=x, small=Wanted(), show=curve.__setitem__)
    assert out.exists()
    out.unlink()
    least = curve["small"]["curve"][-1]["bytes"]
    with pytest.raises(CheckFailed, match=r"answers are those before quantising.*allow more bytes or less loss"):
        convert(source, out, calibration=x, small=Wanted(bytes=least + 40))
    assert not out.exists()


def test_models_that_remember_are_refused() -> None:
    graph = float_graphs.graph("svdf")
    quantised = quantise(graph, float_graphs.readings(graph))
    with pytest.raises(MidgeError, match="keeps a state"):
        shrunk(quantised, Wanted(), "svdf", build)


def test_nothing_to_round() -> None:
    b = Builder("net")
    b.output(b.add(ir.Softmax, "scores", source=b.input("x", (1, 8))))
    quantised = quantise(b.graph, float_graphs.readings(b.graph))
    with pytest.raises(MidgeError, match="no convolution and no Dense layer"):
        shrunk(quantised, Wanted(), "net", build)
