"""midge.load(cores=2) on both cores of an emulated Pico: the bytes of one core, and whatever else wants core 1."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hostile
import models
import tflm
from midge_host import backends
from midge_host.boards import pico
from midge_host.device import reference

pytestmark = pytest.mark.board("pico")

REFERENCE = {"vww_96_int8": 0.6, "kws_ref_model": 0.6}  # of the cycles of one core, at most


@pytest.fixture(scope="module", autouse=True)
def here() -> None:
    why = pico.problem()
    if why:
        pytest.skip(why)


COMPARE = """
from array import array
from cycles import mark
import midge

with open("in.bin", "rb") as file:
    reading = file.read()
for cores in (1, 2):
    model = None
    model = midge.load(PATH, WEIGHTS, cores=cores)
    out = array("b", bytes(model.outputs[0].bytes))
    mark(0)
    model.predict_into(array("b", reading), out)
    mark(1)
    print(list(out), model.cores, model.selftest())
"""


def compare(model: Path, reading: bytes, weights: str) -> tuple[list[int], float]:
    """The output of both cores, which is that of one, and what they take of the cycles of one."""
    main = COMPARE.replace("PATH", repr(pico.model_path(weights))).replace("WEIGHTS", repr(weights))
    files = pico.library() | {"main.py": main.encode(), "in.bin": reading}
    done = pico.run(*pico.with_model(files, model, weights))
    one, two = done.console.partition("\nMicroPython ")[0].strip().splitlines()
    assert one.endswith(" 1 True") and two.endswith(" 2 True")
    output = json.loads(two.removesuffix(" 2 True"))
    assert output == json.loads(one.removesuffix(" 1 True"))
    a, b, c, d = (cycle for _, cycle in done.marks)
    return output, (d - c) / (b - a)


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_models(converted, name: str, record_property) -> None:
    path, data = converted(name, cores=2)
    output, share = compare(path, data["inputs"][0].astype(np.int8).tobytes(), "ram")
    assert output == data["tflm"][0].reshape(-1).tolist()
    record_property("measured", {"model": name, "share": round(share, 3)})
    assert share <= REFERENCE[name]


def test_outputs_over_inputs(converted) -> None:
    """Of a model for one core the second one leaves some layers alone."""
    path, data = converted("vww_96_int8")
    output, share = compare(path, data["inputs"][0].astype(np.int8).tobytes(), "stream")
    assert output == data["tflm"][0].reshape(-1).tolist()
    assert share < 0.8


@pytest.mark.parametrize("weights", ["stream", "map"])
def test_weights(make_model, weights: str) -> None:
    inputs = models.residual_inputs(1)
    output, _ = compare(make_model(models.residual()), inputs[0].tobytes(), weights)
    assert output == tflm.run(models.residual(), inputs)[0].reshape(-1).tolist()


@pytest.mark.parametrize("number", [0, 1])
def test_rows(tmp_path: Path, number: int) -> None:
    """Strips are one core's work, the layers behind them that of both."""
    model, path = hostile.regions()[number], tmp_path / "m.midge"
    model.golden_seed = 5
    model.golden = reference.golden_values(model)
    path.write_bytes(model.to_bytes())
    inputs = [np.random.default_rng(number).integers(-128, 128, (1, *model.inputs[0].shape[1:])).astype(np.int8)]
    output, _ = compare(path, inputs[0].tobytes(), "stream")
    assert output == backends.run("numpy", path, inputs).outputs[0].reshape(-1).tolist()


def on_board(script: str, model: Path) -> list[str]:
    """What a script prints, soft resets included."""
    files, _ = pico.with_model(pico.library() | {"main.py": script.encode()}, model, "ram")
    done = pico.run(files)
    return done.console.rpartition("\nMicroPython ")[0].replace("\r", "").strip().splitlines()


@pytest.fixture
def small(make_model) -> Path:
    return make_model(models.residual())


TAKEN = """
import _thread, time
import midge
end = []

def other():
    while not end:
        time.sleep_ms(1)

_thread.start_new_thread(other, ())
model = midge.load("model.midge", cores=2)
print(model.cores, model.selftest())
end.append(1)
time.sleep_ms(5)
model = midge.load("model.midge", cores=2)
print(model.cores, model.selftest())
try:
    _thread.start_new_thread(other, ())
except OSError as error:
    print(error)
"""


def test_core_1_is_taken(small) -> None:
    assert on_board(TAKEN, small) == ["1 True", "2 True", "core1 in use"]


RESETS = """
import machine, os
import midge
model = midge.load("model.midge", cores=2)
print(model.cores, model.selftest())
try:
    os.stat("again")
except OSError:
    with open("again", "w") as file:
        file.write("x" * 5000)
    print(model.selftest())
    machine.soft_reset()
"""


def test_writing_to_flash_and_soft_reset(small) -> None:
    """MicroPython stops core 1 by an interrupt, where the worker waits, and resets it."""
    assert [line for line in on_board(RESETS, small) if "MPY" not in line] == ["2 True", "True", "2 True"]


EXCEPTIONS = """
from array import array
import gc
import machine
import midge
model = midge.load("model.midge", cores=2)
other = midge.load("model.midge", cores=2)
wanted = model.predict(bytes(model.inputs[0].size))
reading, out = bytes(model.inputs[0].size), array("f", bytes(4 * model.outputs[0].size))
for wrong in (b"", None, [float("nan")] * model.inputs[0].size):
    try:
        model.predict(wrong)
    except (ValueError, TypeError) as error:
        print(type(error).__name__)
weights, model._weights = model._weights, None
try:
    model.predict_into(reading, out)
except TypeError as error:
    print("no weights")
model._weights = weights
count = [0, 0]

def tick(timer):
    count[0] += 1
    other.predict_into(reading, out)
    count[1] += list(out) != wanted

timer = machine.Timer(freq=300, callback=tick)
bad = 0
while count[0] < 10:
    bad += model.predict(reading) != wanted
    gc.collect()
timer.deinit()
print(count[0] >= 10, count[1], bad, model.predict(reading) == wanted)
"""


def test_exceptions_and_callbacks(small) -> None:
    said = on_board(EXCEPTIONS, small)
    assert said == ["ValueError", "TypeError", "ValueError", "no weights", "True 0 0 True"]
