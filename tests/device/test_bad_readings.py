"""Readings and outputs as people hand them over: wrong ones are refused with what is needed and what came, right ones
give the same bytes in every form, on CPython and MicroPython, native and portable."""

from __future__ import annotations

import ctypes
import json
import re
import subprocess
from array import array
from pathlib import Path

import numpy as np
import pytest

import hostile
import midge
from midge_host.backends import micropython
from midge_host.conversion import convert
from tflite_models import one_operator

SIZE, OUTPUTS = 40, 3
EVERYWHERE = [(python, backend) for python in ("cpython", "micropython") for backend in ("native", "portable")]
KINDS = r"takes a list, tuple, array or bytes of 40 values, not "
COUNT = r"takes 40 values \(1, 4, 5, 2\), got "

# A reading, and what its refusal has to say. Evaluated where they are used, on MicroPython too.
BAD_READINGS = [
    ("None", "TypeError", KINDS + "NoneType"),
    ("5", "TypeError", KINDS + "int"),
    ("0.5", "TypeError", KINDS + "float"),
    ("True", "TypeError", KINDS + "bool"),
    ("'x' * 40", "TypeError", KINDS + "str"),
    ("''", "TypeError", KINDS + "str"),
    ("{}", "TypeError", KINDS + "dict"),
    ("{i: 0.5 for i in range(40)}", "TypeError", KINDS + "dict"),
    ("set(range(40))", "TypeError", KINDS + "set"),
    ("range(40)", "TypeError", KINDS + "range"),
    ("(0.5 for _ in range(40))", "TypeError", KINDS + "generator"),
    ("object()", "TypeError", KINDS + "object"),
    ("len", "TypeError", KINDS),
    ("[]", "ValueError", COUNT + "0"),
    ("()", "ValueError", COUNT + "0"),
    ("b''", "ValueError", COUNT + "0"),
    ("bytearray(0)", "ValueError", COUNT + "0"),
    ("array('f', [])", "ValueError", COUNT + "0"),
    ("array('b', [])", "ValueError", COUNT + "0"),
    ("[0.5] * 39", "ValueError", COUNT + "39"),
    ("[0.5] * 41", "ValueError", COUNT + "41"),
    ("[[0.5] * 20, [0.5] * 19]", "ValueError", COUNT + "39"),
    ("[0.5] * 10000", "ValueError", COUNT + "10000"),
    ("bytes(39)", "ValueError", COUNT + "39"),
    ("bytes(160)", "ValueError", COUNT + "160"),
    ("bytearray(41)", "ValueError", COUNT + "41"),
    ("memoryview(bytearray(41))", "ValueError", COUNT + "41"),
    ("array('b', [0] * 41)", "ValueError", COUNT + "41"),
    ("array('f', [0] * 10)", "ValueError", COUNT + "10"),
    ("array('f', [0] * 41)", "ValueError", COUNT + "41"),
    ("array('h', [0] * 20)", "ValueError", COUNT + "20"),
    ("array('i', [0] * 39)", "ValueError", COUNT + "39"),
    ("array('d', [0] * 5)", "ValueError", COUNT + "5"),
    ("['0.5'] * 40", "TypeError", "value 0 is str, not a number"),
    ("[0.5] * 39 + [None]", "TypeError", "value 39 is NoneType, not a number"),
    ("[0.5] * 3 + [{}]", "TypeError", "value 3 is dict, not a number"),
    ("[b'a'] * 40", "TypeError", "value 0 is bytes, not a number"),
    ("[[0.5] * 20, [bytes(20)]]", "TypeError", "value 20 is bytes, not a number"),
    ("[array('f', [0.5] * 20)] * 2", "TypeError", "value 0 is array, not a number"),
    ("[1j] * 40", "TypeError", "value 0 is complex, not a number"),
    ("nested([0.5] * 40, 20)", "ValueError", "nested more than 7 deep"),
    ("nested([0.5] * 40, 5000)", "ValueError", "nested more than 7 deep"),
    ("itself()", "ValueError", "nested more than 7 deep"),
    ("[nan] * 40", "ValueError", "a value is NaN; check the sensor"),
    ("[0.5] * 7 + [nan] * 33", "ValueError", "a value is NaN"),
    ("array('f', [0.5] * 39 + [nan])", "ValueError", "is NaN"),
    ("array('d', [0.5] * 39 + [nan])", "ValueError", "is NaN"),
    ("memoryview(array('f', [nan] * 40))", "ValueError", "is NaN"),
]

# Outputs for a model with three values.
BAD_OUTPUTS = [
    ("None", "TypeError", "out is an array.*, not NoneType"),
    ("5", "TypeError", "out is an array.*, not int"),
    ("'abc'", "TypeError", "out is an array.*, not str"),
    ("{}", "TypeError", "out is an array.*, not dict"),
    ("(0, 0, 0)", "TypeError", "out is an array.*, not tuple"),
    ("range(3)", "TypeError", "out is an array.*, not range"),
    ("bytes(3)", "TypeError", "out is an array.*, not bytes"),
    ("memoryview(bytes(3))", "TypeError", "out is an array.*, not memoryview"),
    ("array('h', [0] * 3)", "TypeError", "out is an array.*, not array"),
    ("array('d', [0] * 3)", "TypeError", "out is an array.*, not array"),
    ("array('i', [0] * 3)", "TypeError", "out is an array.*, not array"),
    ("[]", "ValueError", "has 3 values, out has 0"),
    ("[0] * 4", "ValueError", "has 3 values, out has 4"),
    ("array('f', [])", "ValueError", "has 3 values, out has 0"),
    ("array('f', [0] * 2)", "ValueError", "has 3 values, out has 2"),
    ("array('f', [0] * 12)", "ValueError", "has 3 values, out has 12"),
    ("array('b', [0] * 4)", "ValueError", "has 3 values, out has 4"),
    ("bytearray(12)", "ValueError", "has 3 values, out has 12"),
    ("memoryview(bytearray(2))", "ValueError", "has 3 values, out has 2"),
]

# One reading in every form: `q` are its int8 values, `real` what they stand for, `pixels` the bytes q + 128.
READINGS = [
    "array('b', q)",
    "memoryview(array('b', q))",
    "memoryview(array('b', [1, 2] + q + [3]))[2:42]",
    "real",
    "tuple(real)",
    "[real[i:i + 10] for i in range(0, 40, 10)]",
    "tuple(tuple(real[i:i + 8]) for i in range(0, 40, 8))",
    "[[[[r] for r in real]]]",
    "[real[0], [real[1], real[2]], tuple(real[3:])]",
    "array('f', real)",
    "array('d', real)",
    "memoryview(array('f', real))",
    "memoryview(array('f', [5.5] + real + [nan]))[1:41]",
    "pixels",
    "bytearray(pixels)",
    "memoryview(pixels)",
    "memoryview(bytearray(pixels))",
    "memoryview(b'abc' + pixels + b'd')[3:43]",
    "array('B', pixels)",
    "memoryview(array('B', pixels))",
]
WHOLE = [  # the same for a reading of whole real numbers, `whole`
    "[float(v) for v in whole]",
    "whole",
    "array('h', whole)",
    "array('i', whole)",
    "array('q', whole)",
    "array('f', whole)",
    "memoryview(array('h', whole))",
]
# Readings beyond what the input holds: they saturate. Expected: the input's least or largest value.
BEYOND = ["[x] * 40", "array('f', [x] * 40)", "array('d', [x] * 40)", "[[x] * 20] * 2"]
OUTPUTS_OF_EVERY_KIND = [
    "array('b', [0] * 3)",
    "bytearray(3)",
    "array('B', [0] * 3)",
    "array('f', [0] * 3)",
    "[0, 0, 0]",
    "memoryview(array('b', [0] * 3))",
    "memoryview(bytearray(3))",
    "memoryview(array('f', [0] * 3))",
    "memoryview(array('f', [0] * 5))[1:4]",
]

SCRIPT = """
import json, sys
from array import array
import midge

nan = float("nan")

def nested(values, depth):
    for _ in range(depth):
        values = [values]
    return values

def itself():
    values = []
    values.append(values)
    return values

def attempt(run):
    try:
        return ["", run()]
    except Exception as error:
        return [type(error).__name__, str(error)]

def main(path, backend, tables):
    names = {"array": array, "nan": nan, "nested": nested, "itself": itself}
    model = midge.load(path, backend=backend)
    t = model.inputs[0]
    names["q"] = q = [(i * 91 + 13) % 256 - 128 for i in range(40)]
    names["real"] = real = [(v - t.zero_point) * t.scale for v in q]
    names["pixels"] = pixels = bytes(v + 128 for v in q)
    names["whole"] = [i % 13 - 6 for i in range(40)]
    good = model.predict(pixels)
    answers = {"good": good}
    for table in ("bad_readings", "readings", "whole"):
        answers[table] = [attempt(lambda: model.predict(eval(text, names))) for text in tables[table]]
    answers["beyond"] = []
    for x in ("1e30", "-1e30", "float('inf')", "-float('inf')", "3e38", "-3e38"):
        names["x"] = eval(x)
        answers["beyond"] += [attempt(lambda: model.predict(eval(text, names))) for text in tables["beyond"]]
    answers["ends"] = [model.predict(array("b", [v] * 40)) for v in (127, -128)]
    for table in ("bad_outputs", "outputs"):
        answers[table] = []
        for text in tables[table]:
            out = eval(text, names)
            answers[table].append(attempt(lambda: (model.predict_into(pixels, out), list(out))[1]))
    mine = [array("b", q), bytearray(pixels), array("f", real)]
    for reading in mine:
        model.predict(memoryview(reading))
    answers["untouched"] = [list(reading) for reading in mine] == [q, list(pixels), list(array("f", real))]
    answers["still"] = model.predict(pixels) == good
    return answers
"""
TABLES = {
    "bad_readings": [text for text, _, _ in BAD_READINGS],
    "bad_outputs": [text for text, _, _ in BAD_OUTPUTS],
    "readings": READINGS,
    "whole": WHOLE,
    "beyond": BEYOND,
    "outputs": OUTPUTS_OF_EVERY_KIND,
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.tflite").write_bytes(hostile.network())
    convert(folder / "model.tflite", folder / "model.midge")
    return folder / "model.midge"


@pytest.fixture(scope="module", params=EVERYWHERE, ids=" ".join)
def seen(request: pytest.FixtureRequest, path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The results of all calls of SCRIPT on one of the four."""
    python, backend = request.param
    if python == "cpython":
        names: dict = {}
        exec(SCRIPT, names)
        return names["main"](str(path), backend, TABLES)
    folder = tmp_path_factory.mktemp("board")
    micropython.lay_out(folder, native=backend == "native")
    (folder / "tables.json").write_text(json.dumps(TABLES))
    end = "with open(sys.argv[3]) as file:\n    print(json.dumps(main(sys.argv[1], sys.argv[2], json.load(file))))\n"
    (folder / "script.py").write_text(SCRIPT + end)
    done = subprocess.run(
        [micropython.executable(), folder / "script.py", path, backend, folder / "tables.json"],
        env={"MICROPYPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def check_refusals(table: list[tuple[str, str, str]], answers: list) -> None:
    for (text, kind, words), (error, message) in zip(table, answers, strict=True):
        assert error == kind and re.search(words, str(message)), f"{text}: {error}: {message}"


def test_bad_readings(seen: dict) -> None:
    check_refusals(BAD_READINGS, seen["bad_readings"])
    assert seen["still"]


def test_bad_outputs(seen: dict) -> None:
    check_refusals(BAD_OUTPUTS, seen["bad_outputs"])


def test_every_form_of_a_reading_gives_the_same(seen: dict) -> None:
    assert len(set(seen["good"])) > 1
    for text, (error, values) in zip(READINGS, seen["readings"], strict=True):
        assert not error and values == seen["good"], f"{text}: {error} {values}"
    for text, (error, values) in zip(WHOLE, seen["whole"], strict=True):
        assert not error and values == seen["whole"][0][1], f"{text}: {error} {values}"
    assert seen["whole"][0][1] != seen["good"]
    assert seen["untouched"]


def test_values_beyond_the_input_saturate(seen: dict) -> None:
    for i, (error, values) in enumerate(seen["beyond"]):
        assert not error and values == seen["ends"][i // len(BEYOND) % 2], f"{i}: {error} {values}"


def test_every_kind_of_output(seen: dict, path: Path) -> None:
    tensor = midge.load(str(path)).outputs[0]
    q = [round(v / tensor.scale) + tensor.zero_point for v in seen["good"]]
    expected = {"b": q, "B": [v + 128 for v in q], "f": seen["good"]}
    for text, (error, values) in zip(OUTPUTS_OF_EVERY_KIND, seen["outputs"], strict=True):
        code = "b" if "'b'" in text else "B" if "bytearray" in text or "'B'" in text else "f"
        assert not error and values == expected[code], f"{text}: {error} {values}"


# Kinds of readings that only the PC has.


@pytest.fixture(params=["native", "portable"])
def model(request: pytest.FixtureRequest, path: Path) -> midge._model.Model:
    return midge.load(str(path), backend=request.param)


def numpy_readings() -> dict[str, list]:
    """Forms of a reading of whole numbers as real values, as int8 and as pixels."""
    real = (np.arange(SIZE) % 13 - 6).reshape(1, 4, 5, 2)
    q, floats = real.astype(np.int8), real.astype(np.float32)
    pixels = (real + 128).astype(np.uint8)
    wide = np.zeros((8, 10, 4))
    wide[::2, ::2, ::2] = real[0]
    flat = floats.reshape(-1)
    return {
        "real": [
            *[real.astype(d) for d in ("f2", "f4", "f8", ">f4", ">f8", "i2", "i4", "i8", ">i2", "O", "g")],
            *[floats.reshape(shape) for shape in ((40,), (4, 10), (2, 2, 2, 5), (1, 1, 1, 1, 40))],
            *[np.asfortranarray(floats), wide[::2, ::2, ::2], floats[::-1, ::-1][::-1, ::-1], floats.T.copy().T],
            *[list(real.reshape(-1)), list(flat), real.tolist(), [float(v) for v in real.reshape(-1)]],
            *[memoryview(floats), memoryview(real.astype("i4")), memoryview(wide[::2, ::2, ::2].copy())],
            *[(ctypes.c_float * SIZE)(*flat), np.ma.masked_array(floats)],
        ],
        "int8": [
            *[q, np.asfortranarray(q), np.repeat(q, 2, axis=3)[..., ::2], memoryview(q)],
            (ctypes.c_int8 * SIZE)(*q.flat),
        ],
        "pixels": [
            *[pixels, np.asfortranarray(pixels), np.repeat(pixels, 2, axis=3)[..., ::2], memoryview(pixels)],
            *[(ctypes.c_uint8 * SIZE)(*pixels.flat), memoryview(pixels.tobytes())],
        ],
    }


@pytest.mark.parametrize("kind", ["real", "int8", "pixels"])
def test_numpy_readings(model: midge._model.Model, kind: str) -> None:
    flat = [int(v) for v in (np.arange(SIZE) % 13 - 6)]
    expected = model.predict([float(v) for v in flat] if kind == "real" else array("b", flat))
    for reading in numpy_readings()[kind]:
        assert model.predict(reading) == expected, repr(reading)[:60]


NUMPY_BAD = [
    (lambda: np.zeros((4, 5, 3)), ValueError, COUNT + "60"),
    (lambda: np.zeros(0), ValueError, COUNT + "0"),
    (lambda: np.zeros(39, np.uint8), ValueError, COUNT + "39"),
    (lambda: np.full(SIZE, np.nan), ValueError, "NaN"),
    (lambda: np.full(SIZE, np.nan, np.float32), ValueError, "NaN"),
    (lambda: np.array(["a"] * SIZE), TypeError, "value 0 is str, not a number"),
    (lambda: np.array([None] * SIZE), TypeError, "value 0 is NoneType, not a number"),
    (lambda: np.float32(1), ValueError, COUNT + "1"),
    (lambda: np.zeros(SIZE, "M8[s]"), (TypeError, ValueError), "ndarray|dtype 'M'|datetime"),
    (lambda: [np.zeros(20), np.zeros(20)], TypeError, "value 0 is ndarray, not a number"),
    (lambda: [10**400] * SIZE, ValueError, "value 0 is too large"),
    (lambda: memoryview(bytes(80))[::2], TypeError, "not memoryview"),
    (lambda: memoryview((ctypes.c_double * SIZE)()), TypeError, "not memoryview"),
    (lambda: (ctypes.c_float * 39)(), ValueError, COUNT + "39"),
    (lambda: array("u", "a" * SIZE), TypeError, "value 0 is str"),
]


@pytest.mark.parametrize(("make", "error", "words"), NUMPY_BAD)
def test_bad_readings_of_the_pc(model: midge._model.Model, make, error, words: str) -> None:
    with pytest.raises(error, match=words):
        model.predict(make())


def test_numpy_outputs(model: midge._model.Model) -> None:
    reading = bytes(range(SIZE))
    expected = model.predict(reading)
    for shape in ((3,), (1, 3), (3, 1, 1)):
        out = np.zeros(shape, np.float32)
        model.predict_into(reading, out)
        assert out.reshape(-1).tolist() == expected
        bare = (ctypes.c_float * OUTPUTS)()
        model.predict_into(reading, bare)
        assert list(bare) == expected
        for dtype in (np.int8, np.uint8):
            small = np.zeros(shape, dtype)
            model.predict_into(reading, small)
            assert (small.reshape(-1) != 0).any()


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, ">f4", bool, object, "U3"])
def test_numpy_outputs_of_a_wrong_dtype(model: midge._model.Model, dtype: object) -> None:
    with pytest.raises(TypeError, match="out is an array"):
        model.predict_into(bytes(SIZE), np.zeros(OUTPUTS, dtype))


def test_numpy_outputs_that_cannot_be_written(model: midge._model.Model) -> None:
    frozen = np.zeros(OUTPUTS, np.float32)
    frozen.flags.writeable = False
    for out in (frozen, np.zeros(6, np.float32)[::2], np.zeros((3, 3), np.float32).T[:, 0:1].T[:, ::2]):
        with pytest.raises((TypeError, ValueError)):
            model.predict_into(bytes(SIZE), out)
    with pytest.raises(ValueError, match="has 3 values"):
        model.predict_into(bytes(SIZE), np.zeros((2, 3), np.float32))


@pytest.mark.parametrize("backend", ["native", "portable"])
def test_several_inputs(make_model, backend: str) -> None:
    model = midge.load(str(make_model(one_operator("add", (1, 4), (0.5, 0), second_quant=(0.5, 0)))), backend=backend)
    assert model.predict([[1.0, 2.0, 3.0, 4.0], (1, 1, 1, 1)]) == [2, 3, 4, 5]
    needed = "the model has 2 inputs: give a list of so many readings, not "
    for reading, what in (
        ([1.0, 2.0, 3.0, 4.0], "a list of 4"),
        ([[1.0] * 4], "a list of 1"),
        ([], "a list of 0"),
        (bytes(4), "bytes"),
        (None, "NoneType"),
        ("ab", "str"),
        (np.zeros((2, 4)), "ndarray"),
    ):
        with pytest.raises(ValueError, match=needed + what):
            model.predict(reading)
    with pytest.raises(ValueError, match=r"input t1 takes 4 values \(1, 4\), got 3"):
        model.predict([[1.0] * 4, [1.0] * 3])
    with pytest.raises(TypeError, match="input t0 takes a list"):
        model.predict([None, [1.0] * 4])
