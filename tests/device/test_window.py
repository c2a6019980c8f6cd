"""midge.Window: samples one by one give what `predict` gives of the last ones, under CPython and MicroPython."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import midge
import tree_graphs
from midge_host.backends import micropython
from midge_host.conversion import build
from midge_host.device import model_file, reference
from midge_host.ir.graph import Graph
from tflite_models import ModelBuilder, one_operator

STEPS = 8
SCALES, ZEROS = (4 / 127, 500 / 127, 10 / 255), (0, -1, -638)
EVERYWHERE = [(python, backend) for python in ("cpython", "micropython") for backend in ("native", "portable")]


def _pool(dtype: str) -> bytes:
    """A model that gives back what its input holds."""
    if dtype == "int8":
        return one_operator("max_pool_2d", (1, STEPS, 1, 3), (0.05, -3), window=(1, 1), strides=(1, 1))
    m = ModelBuilder()
    x = m.tensor((1, STEPS, 1, 3), dtype, (2e-3, 0))
    return m.build([x], [m.max_pool_2d(x, (1, 1), strides=(1, 1))])


def _forest(folder: Path) -> Path:
    graph: Graph = tree_graphs.graphs()["forest"]
    model = build(graph)
    model.golden_seed = 1
    model.golden = reference.golden_values(model)
    path = folder / "forest.midge"
    path.write_bytes(model.to_bytes())
    return path


@pytest.fixture(params=["int8", "int8 channels", "int16", "int16 channels", "flat channels", "float32"])
def path(request: pytest.FixtureRequest, make_model, tmp_path: Path) -> Path:
    if request.param == "float32":
        return _forest(tmp_path)
    if request.param == "flat channels":
        file = make_model(one_operator("relu", (1, STEPS * 3), (0.05, -3)))
    else:
        file = make_model(_pool(request.param.split()[0]))
    if "channels" in request.param:
        model = model_file.read(file)
        times = STEPS if "flat" in request.param else 1
        model.inputs[0].channel_scales, model.inputs[0].channel_zero_points = SCALES * times, ZEROS * times
        file.write_bytes(model.to_bytes())
    return file


# The same under CPython and MicroPython: samples in several forms, and what predict() says of each window.
SCRIPT = """
import json, sys
from array import array
import midge

def main(path, backend, values, hop):
    model = midge.load(path, backend=backend)
    size = model.inputs[0].size
    channels = 3 if size % 3 == 0 else 1
    window = midge.Window(model, hop, channels)
    length = size // channels
    samples = [values[i : i + channels] for i in range(0, len(values), channels)]
    forms = [tuple, list, lambda sample: array("f", sample)]
    seen = []
    for i, sample in enumerate(samples):
        scores = window.push(forms[i % 3](sample))
        due = i + 1 >= length and (i + 1 - length) % hop == 0
        wanted = model.predict(array("f", values[(i + 1 - length) * channels : (i + 1) * channels])) if due else None
        if scores is not None:
            scores = list(scores)
            best = window.best()
            if best[1] != max(scores) or scores.index(best[1]) != best[0]:
                seen.append(["best", i, best[0]])
        if scores != wanted:
            seen.append(["differs", i, scores, wanted])
    window.reset()
    if window.push(samples[0]) is not None and length > 1:
        seen.append(["reset"])
    return [window.length, window.channels, seen]
"""
MAIN = """
with open(sys.argv[4]) as file:
    print(json.dumps(main(sys.argv[1], sys.argv[2], json.load(file), int(sys.argv[3]))))
"""


@pytest.mark.parametrize("hop", [1, 3, STEPS, STEPS + 2])
@pytest.mark.parametrize(("python", "backend"), EVERYWHERE)
def test_windows(path: Path, tmp_path: Path, python: str, backend: str, hop: int) -> None:
    size = model_file.read(path).inputs[0].size
    channels = 3 if size % 3 == 0 else 1
    rng = np.random.default_rng(hop)
    values = rng.normal(size=(size // channels * 3 + 5, channels)) * (2, 200, 3)[:channels] + (0, 0, 25)[:channels]
    values = values.astype(np.float32).reshape(-1).tolist()
    if python == "cpython":
        names: dict = {}
        exec(SCRIPT, names)
        length, width, wrong = names["main"](str(path), backend, values, hop)
    else:
        micropython.lay_out(tmp_path, native=backend == "native")
        (tmp_path / "script.py").write_text(SCRIPT + MAIN)
        (tmp_path / "values.json").write_text(json.dumps(values))
        command = [micropython.executable(), tmp_path / "script.py", path, backend, str(hop), tmp_path / "values.json"]
        done = subprocess.run(command, env={"MICROPYPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        length, width, wrong = json.loads(done.stdout)
    assert (length, width, wrong) == (size // channels, channels, [])


# What is wrong, what it says, on MicroPython too. `model` has an input of (1, 8, 1, 3).
MISTAKES = [
    ("Window(model, 0)", "ValueError", "hop is the number of samples between predictions, 1 or more, not 0"),
    ("Window(model, 2.5)", "ValueError", "hop is the number of samples between predictions, 1 or more, not 2.5"),
    ("Window(model, 4, 5)", "ValueError", "channels is the number of values of a sample, not 5; input t0 has shape"),
    ("Window(model, 4, 0)", "ValueError", "channels is the number of values of a sample, not 0"),
    ("Window(two, 4)", "ValueError", "a Window is for models with one input; this one has 2"),
    ("window.push((1, 2))", "ValueError", "a sample of input t0 has 3 values, got 2"),
    ("window.push((1, 2, 3, 4))", "ValueError", "a sample of input t0 has 3 values, got 4"),
    ("window.push((1, 2, None))", "TypeError", ""),
    ("window.push((1, 2, 'x'))", "TypeError", ""),
    ("window.push('xyz')", "TypeError", ""),
    ("window.push(5)", "TypeError", ""),
    ("window.push(None)", "TypeError", ""),
]
MISTAKEN = """
import json, sys
import midge
from midge import Window

def main(path, second, backend):
    model, two = midge.load(path, backend=backend), midge.load(second, backend=backend)
    names = {"model": model, "two": two, "Window": Window, "window": Window(model, 8)}
    said = []
    for expression, kind, words in MISTAKES:
        try:
            said.append(["", "nothing", str(eval(expression, names))])
        except (ValueError, TypeError) as error:
            said.append([expression, type(error).__name__, str(error)])
    # None of them counted. With a NaN the window begins anew; while the model is busy it is left out, once.
    window = names["window"]
    pushed = [window.push((1, 2, i)) is not None for i in range(8)]
    try:
        for i in range(8):
            window.push((1, float("nan"), 1))
        pushed.append("NaN was taken")
    except ValueError as error:
        said.append(["NaN", "", str(error)])
    pushed += [window.push((1, 2, i)) is not None for i in range(8)]
    model._acquire()
    try:
        for i in range(8):
            window.push((1, 2, i))
    except RuntimeError as error:
        said.append(["busy", "", str(error)])
    model._release()
    pushed += [window.push((1, 2, i)) is not None for i in range(8)]
    # A first part that is shorter than the others holds nothing of a NaN that came before.
    window = Window(model, 3)
    refused = 0
    for i in range(30):
        try:
            window.push((float("nan") if i == 2 else 1, 2, i))
        except ValueError:
            refused += 1
    pushed.append(refused)
    return [said, pushed]

print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3])))
"""


@pytest.mark.parametrize(("python", "backend"), EVERYWHERE)
def test_mistakes(make_model, tmp_path: Path, python: str, backend: str) -> None:
    path = make_model(_pool("int8"))
    second = make_model(one_operator("add", (1, 4, 2), (0.5, 0), second_quant=(0.5, 0)), "two")
    (tmp_path / "script.py").write_text(f"MISTAKES = {MISTAKES}\n{MISTAKEN}")
    micropython.lay_out(tmp_path, native=backend == "native")
    executable = sys.executable if python == "cpython" else micropython.executable()
    command = [executable, tmp_path / "script.py", path, second, backend]
    environment = None if python == "cpython" else {"MICROPYPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    said, pushed = json.loads(done.stdout)
    for (expression, kind, words), (tried, raised, error) in zip(MISTAKES, said[: len(MISTAKES)], strict=True):
        assert (tried, raised) == (expression, kind), (expression, error)
        assert words in error, (expression, error)
    (_, _, nan), (_, _, busy) = said[len(MISTAKES) :]
    assert "a value is NaN; check the sensor" in nan and "is running" in busy
    assert pushed == [*3 * (7 * [False] + [True]), 1]


def test_steps_with_scales_of_their_own(make_model) -> None:
    """Of a flat input each value may have its own; those of a channel have to agree."""
    file = make_model(one_operator("relu", (1, STEPS * 3), (0.05, -3)))
    model = model_file.read(file)
    model.inputs[0].channel_scales = tuple(0.1 + 0.01 * i for i in range(STEPS * 3))
    model.inputs[0].channel_zero_points = (0,) * STEPS * 3
    file.write_bytes(model.to_bytes())
    with pytest.raises(ValueError, match="input t0: values 3 and 0 have scales of their own, though they are of one"):
        midge.Window(midge.load(str(file)), 1, 3)


# `SCALES` of channels take no heap either.
ALLOCATIONS = """
import gc
import midge

window = midge.Window(midge.load("model.midge", backend="native"), 3)
sample = (0.5, -20.5, 25.0)
for _ in range(20):
    window.push(sample)
gc.collect()
gc.disable()
before = gc.mem_alloc()
for _ in range(20):
    window.push(sample)
print(gc.mem_alloc() - before)
"""


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_push_allocates_nothing(make_model, tmp_path: Path, dtype: str) -> None:
    file = make_model(_pool(dtype))
    model = model_file.read(file)
    model.inputs[0].channel_scales, model.inputs[0].channel_zero_points = SCALES, ZEROS
    file.write_bytes(model.to_bytes())
    micropython.lay_out(tmp_path, native=True)
    (tmp_path / "script.py").write_text(ALLOCATIONS)
    command = [micropython.executable(), "script.py"]
    environment = {"MICROPYPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0", done.stdout + done.stderr
