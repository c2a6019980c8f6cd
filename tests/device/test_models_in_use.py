"""A model in use: calls in between, exceptions, thousands of reloads, a heap without room."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from array import array
from pathlib import Path

import numpy as np
import pytest

import midge
import models
import tflm
from midge_host.backends import micropython
from midge_host.device.model_file import read

SOURCE = models.residual()
READINGS = models.residual_inputs(2)[0]
# In the middle of a prediction, by way of the function that runs its operators.
MODES = [("native", "ram"), ("native", "stream"), ("portable", "ram"), ("portable", "stream")]


def reading(index: int) -> array:
    return array("b", READINGS[index].tobytes())


@pytest.fixture(scope="module")
def expected() -> list[array]:
    return [array("b", row.tobytes()) for row in tflm.run(SOURCE, [READINGS])[0]]


def result_of(model: midge._model.Model, index: int) -> array:
    out = array("b", bytes(model.outputs[0].size))
    model.predict_into(reading(index), out)
    return out


def interrupt(model: midge._model.Model, action) -> None:
    """Lets `action` happen once, when the next prediction has run its first operators."""
    real = model._runs[0]

    def run(*arguments):
        status = real(*arguments)
        model._run = model._runs[0] = real
        action()
        return status

    model._run = model._runs[0] = run


@pytest.mark.parametrize(("backend", "weights"), MODES)
@pytest.mark.parametrize("call", ["predict_into", "predict", "classify", "profile", "selftest"])
def test_a_call_in_the_middle_is_refused(make_model, expected, backend: str, weights: str, call: str) -> None:
    """As a timer's callback would make it; the prediction goes on as if nothing had happened."""
    model = midge.load(str(make_model(SOURCE)), weights, backend)
    refused = []

    def callback() -> None:
        arguments = {"predict_into": (reading(1), bytearray(5)), "selftest": ()}.get(call, (reading(1),))
        with pytest.raises(RuntimeError, match="a prediction of this model is running"):
            getattr(model, call)(*arguments)
        refused.append(call)

    interrupt(model, callback)
    assert result_of(model, 0) == expected[0]
    assert refused == [call]
    assert result_of(model, 1) == expected[1]


@pytest.mark.parametrize(("backend", "weights"), MODES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError, ValueError])
def test_an_exception_in_the_middle(make_model, expected, backend: str, weights: str, error: type) -> None:
    model = midge.load(str(make_model(SOURCE)), weights, backend)

    def fail() -> None:
        raise error

    interrupt(model, fail)
    with pytest.raises(error):
        result_of(model, 0)
    assert result_of(model, 0) == expected[0]
    assert model.selftest() is True


def test_bad_readings_and_outputs_in_between(make_model, expected) -> None:
    model = midge.load(str(make_model(SOURCE)))
    for bad in (None, 5, "text", [1], [float("nan")] * 351, [object()] * 351, bytes(3)):
        with pytest.raises((ValueError, TypeError)):
            model.predict(bad)
        with pytest.raises((ValueError, TypeError)):
            model.predict_into(reading(0), bad)
        assert result_of(model, 0) == expected[0]


def test_threads(make_model, expected) -> None:
    """The core runs without Python's lock: two threads are in it at once. Every result is right or refused."""
    model = midge.load(str(make_model(SOURCE)))
    done, wrong = [0, 0], []

    def work(index: int) -> None:
        while done[index] < 1000:
            try:
                if result_of(model, index) != expected[index]:
                    wrong.append(index)
                done[index] += 1
            except RuntimeError:
                time.sleep(0)  # for the other to end

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_lock_takes_no_memory(tmp_path: Path) -> None:
    """The one for boards without threads: not even the first prediction may take heap."""
    script = """
import micropython
from midge._lock import Lock

lock = Lock()
acquire, release = lock.acquire, lock.release
micropython.heap_lock()
results = acquire(0) and not acquire(0)
release()
results = results and acquire(0)
micropython.heap_unlock()
print(results)
"""
    assert on_micropython(tmp_path, script).strip() == "True"


def test_loading_in_the_middle_of_loading(make_model, expected, monkeypatch) -> None:
    """On a board, where the loader leaves memory when it is done: also while a callback's load is under way."""
    path = str(make_model(SOURCE))
    collect = midge._collect
    inner = []

    def interrupted() -> None:
        if not inner and "midge._loader" in sys.modules:
            inner.append(None)
            inner[0] = midge.load(path)
        collect()

    monkeypatch.setattr(gc, "mem_free", lambda: 1 << 30, raising=False)
    monkeypatch.delitem(sys.modules, "midge._loader", raising=False)
    monkeypatch.setattr(midge, "_collect", interrupted)
    for model in (midge.load(path), inner[0]):
        assert result_of(model, 0) == expected[0]


def test_reloading_leaks_no_files(make_model) -> None:
    path = str(make_model(SOURCE))
    midge.load(path, "stream")
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        midge.load(path, "stream")
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def on_micropython(folder: Path, script: str, heap: str = "1m") -> str:
    micropython.lay_out(folder, native=True)
    (folder / "script.py").write_text(script)
    done = subprocess.run(
        [micropython.executable(), "-X", f"heapsize={heap}", str(folder / "script.py")],
        cwd=folder,
        env={"MICROPYPATH": str(folder)},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


RELOAD = """
import gc, os
import midge

figures = [0, 0]
memory = files = 0  # names take memory when they are new

def used():
    gc.collect()
    figures[1] = len(os.listdir("/proc/self/fd"))
    gc.collect()
    figures[0] = gc.mem_alloc()

def once(mode):
    model = midge.load("model.midge", mode)
    model.predict(bytes(model.inputs[0].size))
    model.reset()

for mode in ("ram", "stream", "map"):
    for _ in range(3):
        try:
            once(mode)
        except ValueError:  # this file system maps nothing
            break
    used()
    memory, files = figures
    for _ in range(1000):
        try:
            once(mode)
        except ValueError:
            break
    used()
    print(mode, figures[0] - memory, figures[1] - files)
"""


@pytest.mark.parametrize("source", [SOURCE, models.streaming()], ids=["residual", "streaming"])
def test_a_thousand_reloads(make_model, tmp_path: Path, source: bytes) -> None:
    make_model(source)
    assert on_micropython(tmp_path, RELOAD).split("\n")[:3] == ["ram 0 0", "stream 0 0", "map 0 0"]


FLAT = """
import gc
from array import array
import midge

model = midge.load("model.midge", "WEIGHTS")
reading = array("b", bytes(model.inputs[0].size))
out = array("b", bytes(model.outputs[0].size))
model.predict_into(reading, out)
first = bytes(out)
model.reset()
gc.collect()
gc.disable()
full = [None] * 1000
size = 4096
i = before = after = free = 0  # names take memory when they are new
while size >= 16:
    try:
        full[i] = bytearray(size)
        i += 1
    except MemoryError:
        size //= 2
before = gc.mem_alloc()
free = gc.mem_free()
for i in range(100000):
    model.predict_into(reading, out)
after = gc.mem_alloc()
full = None
gc.collect()
print(free < 300, after - before)
model.reset()
model.predict_into(reading, out)
print(bytes(out) == first)
"""


@pytest.mark.parametrize("weights", ["ram", "stream"])
@pytest.mark.parametrize("source", [models.dense(2, 4), models.streaming()], ids=["dense", "streaming"])
def test_a_hundred_thousand_predictions_in_a_full_heap(make_model, tmp_path: Path, source: bytes, weights: str) -> None:
    make_model(source)
    assert on_micropython(tmp_path, FLAT.replace("WEIGHTS", weights), "128k").split() == ["True", "0", "True"]


MICROPYTHON_THREADS = """
import _thread, time
from array import array
import midge

model = midge.load("model.midge")
readings = [array("b", open("in%d.bin" % i, "rb").read()) for i in (0, 1)]
wanted = []
for r in readings:
    out = array("b", bytes(model.outputs[0].size))
    model.predict_into(r, out)
    wanted.append(out)
counts = [0, 0, 0, 0]  # right in each thread, wrong, threads at their end

def work(index):
    out = array("b", bytes(model.outputs[0].size))
    while counts[index] < 500:
        try:
            model.predict_into(readings[index], out)
            counts[index if out == wanted[index] else 2] += 1
        except RuntimeError:
            time.sleep_us(50)
    counts[3] += 1

_thread.start_new_thread(work, (0,))
work(1)
while counts[3] < 2:
    time.sleep_ms(1)
print(counts[2])
"""


def test_threads_on_micropython(make_model, tmp_path: Path) -> None:
    make_model(SOURCE)
    for i, row in enumerate(READINGS):
        (tmp_path / f"in{i}.bin").write_bytes(row.tobytes())
    assert on_micropython(tmp_path, MICROPYTHON_THREADS).split() == ["0"]


STATEFUL = {
    "streaming": models.streaming(),
    "keyword": models.keyword(),
    "keyword, int8 state": models.keyword(state="int8"),
    "recurrent": models.recurrent(),
    "recurrent, int16": models.recurrent(dtype="int16"),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_state_over_many_steps(make_model, name: str) -> None:
    """A model that remembers: reset() gives the first results again, and a new model is like a reset one."""
    source = STATEFUL[name]
    path = make_model(source)
    tensor = read(path).inputs[0]
    code = "h" if tensor.element == "int16" else "b"
    limits = np.iinfo(tensor.element)
    readings = np.random.default_rng(3).integers(limits.min, limits.max + 1, (40, *tensor.shape)).astype(tensor.element)
    path = str(path)
    wanted = [array("b" if row.dtype == np.int8 else "h", row.tobytes()) for row in tflm.run(source, [readings])[0]]
    assert len(set(map(bytes, wanted))) > 30
    for backend, weights in MODES:
        model = midge.load(path, weights, backend)
        for _ in range(2):
            for row, want in zip(readings, wanted, strict=True):
                out = array(want.typecode, bytes(want))
                model.predict_into(array(code, row.tobytes()), out)
                assert out == want
            model.selftest()
        model.predict(array(code, readings[5].tobytes()))
        model.reset()
        out = array(wanted[0].typecode, bytes(wanted[0]))
        model.predict_into(array(code, readings[0].tobytes()), out)
        assert out == wanted[0]
