"""An input whose real values have a scale for each channel: an accelerometer's g beside a gyroscope's degrees a second,
and a thermometer whose zero lies far outside int8. Every backend encodes them to the same bytes."""

from __future__ import annotations

import json
import subprocess
from array import array
from pathlib import Path

import numpy as np
import pytest

import midge
from midge_host import backends
from midge_host.backends import micropython
from midge_host.commands import info
from midge_host.device import model_file
from tflite_models import ModelBuilder, one_operator

ROWS = 8
# g, degrees a second, degrees Celsius from 20 to 30.
SCALES = (4 / 127, 500 / 127, 10 / 255)
ZEROS = (0, -1, -638)
EVERYWHERE = [(python, backend) for python in ("cpython", "micropython") for backend in ("native", "portable")]


def wanted(values: np.ndarray, limits: tuple[int, int] = (-128, 127)) -> np.ndarray:
    """docs/NUMERICS.md, word for word; halves away from zero."""
    with np.errstate(over="ignore"):
        q = (values.astype(np.float32) / np.float32(SCALES)).astype(np.float64)
    return np.clip(np.trunc(q + np.copysign(0.5, q)) + ZEROS, *limits).astype(int)


def readings() -> np.ndarray:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(ROWS, 3)) * (2, 200, 3) + (0, 0, 25)
    values[0] = 0
    values[1] = np.multiply(SCALES, (0.5, -0.5, 638.5))
    values[2] = (1e30, -1e30, 3e38)
    values[3] = (np.inf, -np.inf, 1e-40)
    return values.astype(np.float32)


@pytest.fixture(params=["int8", "int16"])
def path(request: pytest.FixtureRequest, make_model) -> Path:
    """A model that gives back what its input holds."""
    if request.param == "int8":
        file = make_model(one_operator("max_pool_2d", (1, ROWS, 1, 3), (0.05, -3), window=(1, 1), strides=(1, 1)))
    else:
        m = ModelBuilder()
        x = m.tensor((1, ROWS, 1, 3), "int16", (2e-3, 0))
        file = make_model(m.build([x], [m.max_pool_2d(x, (1, 1), strides=(1, 1))]))
    model = model_file.read(file)
    model.inputs[0].channel_scales, model.inputs[0].channel_zero_points = SCALES, ZEROS
    file.write_bytes(model.to_bytes())
    return file


def limits(path: Path) -> tuple[int, int]:
    held = np.iinfo(model_file.read(path).inputs[0].element)
    return held.min, held.max


@pytest.mark.parametrize("backend", ["numpy", "cpython", "portable", "micropython", "micropython-portable", "wasm"])
def test_every_backend(path: Path, backend: str) -> None:
    values = readings().reshape(1, 1, ROWS, 1, 3)[0]
    if why := backends.problem(backend):
        pytest.skip(why)
    got = backends.run(backend, path, [values]).outputs[0]
    np.testing.assert_array_equal(got.reshape(ROWS, 3), wanted(readings(), limits(path)))


# Every form of real values, and what is taken as it is: one script for CPython and MicroPython.
SCRIPT = """
import json, sys
from array import array
import midge

def main(path, backend, values):
    model = midge.load(path, backend=backend)
    t = model.inputs[0]
    code = "b" if t.element == "int8" else "h"
    out = array(code, [0] * t.size)

    def q(reading):
        model.predict_into(reading, out)
        return list(out)

    seen = {"channels": [[round(s * 1000000), z] for s, z in t.channels], "forms": []}
    forms = [values, tuple(values), [values[i : i + 3] for i in range(0, len(values), 3)], array("f", values)]
    forms += [memoryview(array("f", values)), array("d", values), memoryview(array("f", [5.5] + values))[1:]]
    for form in forms:
        seen["forms"].append(q(form))
    seen["own"] = q(array(code, range(t.size)))
    seen["whole"] = q(array("i", [v % 5 for v in range(t.size)])), q([v % 5 for v in range(t.size)])
    seen["pixels"] = q(bytes(range(t.size))) if code == "b" else None
    seen["errors"] = []
    for bad in (values[1:], array("f", values[1:]), array("f", []), [float("nan")] * t.size, "x" * t.size, None):
        try:
            seen["errors"].append(q(bad))
        except (ValueError, TypeError) as error:
            seen["errors"].append(str(error))
    return seen
"""


@pytest.mark.parametrize(("python", "backend"), EVERYWHERE)
def test_every_form_of_a_reading(path: Path, tmp_path: Path, python: str, backend: str) -> None:
    values = [float(v) for v in np.where(np.isfinite(readings()), readings(), 7).reshape(-1)]
    if python == "cpython":
        names: dict = {}
        exec(SCRIPT, names)
        seen = names["main"](str(path), backend, values)
    else:
        micropython.lay_out(tmp_path, native=backend == "native")
        (tmp_path / "values.json").write_text(json.dumps(values))
        end = (
            "with open(sys.argv[3]) as file:\n    print(json.dumps(main(sys.argv[1], sys.argv[2], json.load(file))))\n"
        )
        (tmp_path / "script.py").write_text(SCRIPT + end)
        command = [micropython.executable(), tmp_path / "script.py", path, backend, tmp_path / "values.json"]
        done = subprocess.run(command, env={"MICROPYPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        seen = json.loads(done.stdout)
    expected = wanted(np.array(values, np.float32).reshape(ROWS, 3), limits(path)).reshape(-1).tolist()
    assert seen["channels"] == [[round(float(np.float32(s)) * 1e6), z] for s, z in zip(SCALES, ZEROS, strict=True)]
    assert all(form == expected for form in seen["forms"])
    assert seen["own"] == list(range(ROWS * 3))
    whole = wanted(np.arange(ROWS * 3).reshape(ROWS, 3) % 5, limits(path)).reshape(-1).tolist()
    assert list(seen["whole"]) == [whole, whole]
    if seen["pixels"]:
        assert seen["pixels"] == [v - 128 for v in range(ROWS * 3)]
    few, floats, none, nan, text, nothing = seen["errors"]
    assert "got 23" in few and "got 23" in floats and "got 0" in none
    assert "is NaN" in nan and "not str" in text and "not NoneType" in nothing


def test_arrays_of_numpy(path: Path) -> None:
    model = midge.load(str(path))
    values = readings()
    expected = wanted(values, limits(path)).reshape(-1).tolist()
    out = array("b" if model.inputs[0].element == "int8" else "h", [0] * values.size)
    strided = np.zeros((ROWS, 6), np.float32)
    strided[:, ::2] = values
    for form in (values, values.astype(np.float64), values[None, :, None], strided[:, ::2], memoryview(values.copy())):
        model.predict_into(form, out)
        assert out.tolist() == expected


def test_beside_another_input(make_model) -> None:
    """Each input by its own description."""
    path = make_model(one_operator("add", (1, 4, 2), (0.5, 0), second_quant=(0.5, 0)))
    description = model_file.read(path)
    description.inputs[1].channel_scales, description.inputs[1].channel_zero_points = (0.1, 10.0), (1, 2)
    path.write_bytes(description.to_bytes())
    rows = [np.full((1, 1, 4, 2), 1.0, np.float32), np.full((1, 1, 4, 2), 1.0, np.float32)]
    results = [backends.run(name, path, rows).outputs[0] for name in ("numpy", "cpython", "portable")]
    q = np.array(results[0]).reshape(4, 2)
    assert (q[:, 0] - q[:, 1] == 9).all()  # 1.0 is 11 steps in one channel, 2 in the other, of 0.5
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_it_is_in_the_file_and_in_what_info_says(path: Path, capsys: pytest.CaptureFixture) -> None:
    tensor = model_file.read(path).inputs[0]
    assert tensor.channel_scales == tuple(map(float, np.float32(SCALES))) and tensor.channel_zero_points == ZEROS
    found = info.facts(path)
    assert found["inputs"][0]["channel_zero_points"] == list(ZEROS)
    assert found["outputs"][0]["channel_scales"] == []
    info.show(found, None, False)
    said = " ".join(capsys.readouterr().out.split())  # it is wrapped
    assert "a scale for each of 3 channels: 0.0314960629 (zero point 0), 3.9370079 (-1), 0.0392156877 (-638)" in said
