"""Inputs and outputs of int16 and int32: readings as TFLM quantises them, in every form, on every backend."""

from __future__ import annotations

import json
import subprocess
from array import array
from pathlib import Path

import numpy as np
import pytest

import midge
import tflm
from midge_host import backends
from midge_host.backends import micropython
from midge_host.conversion import convert
from tflite_models import ModelBuilder

BACKENDS = ["numpy", "cpython", "portable", "micropython", "micropython-portable"]
SIZE = 64


def edges(scale: float, shape: tuple[int, ...] = (1, SIZE), first: str = "float32") -> bytes:
    """A model that only quantises to int16, and back to what it took."""
    m = ModelBuilder()
    x = m.tensor(shape, first, None if first == "float32" else (scale, 0))
    y = m.quantize(x, (scale, 0), "int16") if first == "float32" else x
    return m.build([x], [m.dequantize(y)])


@pytest.mark.parametrize("scale", [1e-4, 2.0**-15, 0.0123, 3.0, 1e-9])
@pytest.mark.parametrize("backend", BACKENDS)
def test_real_values(make_model, backend: str, scale: float) -> None:
    rng = np.random.default_rng(1)
    data = edges(scale)
    ties = (rng.integers(-40000, 40000, (20, SIZE)) + 0.5) * scale
    noise = rng.normal(0, 10000, (20, SIZE)) * scale
    ends = np.resize([0, -0.0, 1e30, -1e30, np.inf, -np.inf, 32767.4 * scale, -32769 * scale, 1e-40], (1, SIZE))
    inputs = [np.concatenate([ties, noise, ends]).astype(np.float32).reshape(-1, 1, SIZE)]
    # TFLM's result for values beyond int32 is undefined: here they are only limited.
    expected = tflm.run(data, [np.clip(inputs[0], -1e5 * scale, 1e5 * scale).astype(np.float32)])
    got = backends.run(backend, make_model(data), inputs).outputs
    np.testing.assert_array_equal(got[0], expected[0])


SCRIPT = """
import json, sys
from array import array
import midge

def attempt(run):
    try:
        return ["", run()]
    except Exception as error:
        return [type(error).__name__, str(error)]

def main(path, backend, readings, outs, q):
    model = midge.load(path, backend=backend)
    t = model.inputs[0]
    names = {"array": array, "q": q, "real": [v * t.scale for v in q], "nan": float("nan")}
    answers = {"tensor": [t.element, t.size, t.bytes, model.outputs[0].dtype]}
    answers["readings"] = [attempt(lambda: model.predict(eval(text, names))) for text in readings]
    answers["outs"] = []
    for text in outs:
        out = eval(text, names)
        answers["outs"].append(attempt(lambda: (model.predict_into(array("h", q), out), list(out))[1]))
    return answers
"""
READINGS = [
    "array('h', q)",
    "memoryview(array('h', q))",
    "memoryview(array('h', [1] + q + [2]))[1:9]",
    "real",
    "[real[:4], tuple(real[4:])]",
    "array('f', real)",
    "memoryview(array('f', real))",
    "array('d', real)",
]
BAD_READINGS = [
    ("bytes(8)", "TypeError", "input t0 takes numbers or int16 values; bytes holds bytes"),
    ("bytearray(16)", "TypeError", "bytearray holds bytes"),
    ("array('b', [1] * 8)", "TypeError", "array holds bytes"),
    ("memoryview(bytes(8))", "TypeError", "memoryview holds bytes"),
    ("array('h', [0] * 7)", "ValueError", "takes 8 values (1, 8), got 7"),
    ("array('f', [0] * 9)", "ValueError", "takes 8 values (1, 8), got 9"),
    ("b''", "ValueError", "takes 8 values (1, 8), got 0"),
    ("[0.5] * 9", "ValueError", "takes 8 values (1, 8), got 9"),
    ("[nan] * 8", "ValueError", "is NaN"),
    ("array('f', [nan] * 8)", "ValueError", "is NaN"),
    ("['a'] * 8", "TypeError", "value 0 is str, not a number"),
    ("'12345678'", "TypeError", "not str"),
]
OUTS = ["array('h', [0] * 8)", "memoryview(array('h', [0] * 8))", "array('f', [0] * 8)", "[0] * 8"]
BAD_OUTS = [
    ("bytearray(8)", "TypeError", "out is an array('f'), array('h') or list, not bytearray"),
    ("array('b', [0] * 8)", "TypeError", "not array"),
    ("array('i', [0] * 8)", "TypeError", "not array"),
    ("array('h', [0] * 7)", "ValueError", "has 8 values, out has 7"),
    ("array('f', [0] * 4)", "ValueError", "has 8 values, out has 4"),
]
Q = [0, 1, -1, 300, -300, 32767, -32768, 12345]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    (folder / "m.tflite").write_bytes(edges(2.0**-10, (1, 8), "int16"))
    convert(folder / "m.tflite", folder / "m.midge")
    return folder / "m.midge"


@pytest.mark.parametrize("backend", ["native", "portable"])
@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_forms_of_readings_and_results(path: Path, python: str, backend: str, tmp_path: Path) -> None:
    job = [[*READINGS, *(text for text, _, _ in BAD_READINGS)], [*OUTS, *(text for text, _, _ in BAD_OUTS)], Q]
    if python == "cpython":
        names: dict = {}
        exec(SCRIPT, names)
        seen = names["main"](str(path), backend, *job)
    else:
        micropython.lay_out(tmp_path, native=backend == "native")
        (tmp_path / "job.json").write_text(json.dumps(job))
        end = (
            "with open(sys.argv[3]) as file:\n    print(json.dumps(main(sys.argv[1], sys.argv[2], *json.load(file))))\n"
        )
        (tmp_path / "script.py").write_text(SCRIPT + end)
        command = [micropython.executable(), tmp_path / "script.py", path, backend, tmp_path / "job.json"]
        done = subprocess.run(command, env={"MICROPYPATH": str(tmp_path)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        seen = json.loads(done.stdout)
    real = [v * 2.0**-10 for v in Q]
    assert seen["tensor"] == ["int16", 8, 16, "float32"]
    for text, answer in zip(READINGS, seen["readings"], strict=False):
        assert answer == ["", real], text
    for text, answer in zip(OUTS, seen["outs"], strict=False):
        assert answer == ["", Q if "'h'" in text else real], text
    refused = seen["readings"][len(READINGS) :] + seen["outs"][len(OUTS) :]
    for (text, kind, words), (error, message) in zip([*BAD_READINGS, *BAD_OUTS], refused, strict=True):
        assert error == kind and words in str(message), f"{text}: {error}: {message}"


@pytest.mark.parametrize("backend", ["native", "portable"])
def test_int32(make_model, backend: str) -> None:
    """Numbers without a scale: as they are."""
    m = ModelBuilder()
    x = m.tensor((1, 4), "int32")
    y = m.tensor((1, 4, 1), "int32")
    m.op("EXPAND_DIMS", [x, m.constant(np.array(2, np.int32))], [y])
    model = midge.load(str(make_model(m.build([x], [y]))), backend=backend)
    values = [0, 1, -(1 << 31), (1 << 31) - 1]
    out = array("i", [0] * 4)
    for reading in (array("i", values), values, np.array(values, np.int32), array("q", values)):
        model.predict_into(reading, out)
        assert list(out) == values
    assert model.predict([5, 16777217, -3, 0]) == [5, 16777216, -3, 0]  # as float32
    for reading in (array("f", [0] * 4), [0.5] * 4):
        with pytest.raises(TypeError, match="value 0 is float, not a number"):
            model.predict(reading)
    with pytest.raises(ValueError, match="value 0 is too large"):
        model.predict([1 << 31] * 4)
