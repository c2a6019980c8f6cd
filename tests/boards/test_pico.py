"""An emulated Raspberry Pi Pico with stock MicroPython: TFLM's bytes from models larger than its memory, what they
take of the heap, and `midge bench`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import little_heap
import numpy as np
import pytest
from allocations import ALLOCATIONS

import audio_graphs
import models
import tflm
from midge_host import backends
from midge_host.boards import pico, romfs
from midge_host.commands import bench
from midge_host.conversion import convert
from midge_host.device import model_file
from midge_host.errors import MidgeError
from tflite_models import one_operator

pytestmark = pytest.mark.board("pico")

WEIGHTS = ["ram", "stream", "map"]
EXACT = [
    ("kws_ref_model", "ram"),
    ("pretrainedResnet_quant", "stream"),
    ("ad01_int8", "stream"),
    ("mnist_cnn_int8", "ram"),
    ("person_detect", "stream"),
    ("person_detect", "map"),
]
# Heap above an idle board: library, core (12.4 KB), model, arena and weights. VWW took 88,512 bytes streamed
# and 81,152 mapped.
LIMITS = {"stream": 88 << 10, "map": 80 << 10}
ROWS_RAM = 24_576  # of VWW's arena by rows
IMPORT_LIMIT = 19_000
# Limits of the cycles that MicroPython, the library and the file system add to the native module's.
AROUND = 12_500  # a prediction with weights in memory: 100 us at 125 MHz
PER_WEIGHT_BYTE = 6.5  # of streamed weights
PUSH_CYCLES = 7_500  # 60 us at 125 MHz
SHARE = 0.05  # of a prediction of VWW
AROUND_A_FRAME = 52_000  # the same of a frame of sound
HEAP_OF_SOUND = 46 << 10  # library, three banks, the model


@pytest.fixture(scope="module", autouse=True)
def here() -> None:
    why = pico.problem()
    if why:
        pytest.skip(why)


@pytest.fixture(scope="module")
def reference(converted):
    """reference(name) -> (converted model, its first recorded input, TFLM's output)."""

    def get(name: str):
        path, data = converted(name)
        return path, data["inputs"][:1], data["tflm"][:1]

    return get


@pytest.mark.parametrize(("name", "weights"), EXACT)
def test_reference_models_are_exact(reference, name: str, weights: str, record_property) -> None:
    path, inputs, expected = reference(name)
    result = backends.run("pico", path, [inputs], weights)
    np.testing.assert_array_equal(result.outputs[0], expected.reshape(result.outputs[0].shape))
    measured = {"model": name, "weights": weights, "heap": result.heap_bytes, "cycles": result.cycles}
    record_property("measured", measured)


@pytest.mark.parametrize("weights", LIMITS)
def test_vww_in_little_memory(reference, weights: str, record_property) -> None:
    """91 KB of weights and activations: exact where all but one free piece of the heap is taken."""
    path, inputs, expected = reference("vww_96_int8")
    done = bench.start("pico_heap.py", path, weights, [inputs], leave=LIMITS[weights], predict=True)
    np.testing.assert_array_equal(json.loads(done.report), expected.reshape(1, -1))
    record_property("measured", {"model": "vww_96_int8", "weights": weights, "heap": f"in {LIMITS[weights]}"})


@pytest.mark.parametrize(("weights", "leave"), [("map", 60 << 10), ("stream", 64 << 10)])
def test_vww_by_rows(shared_data: Path, tmp_path: Path, weights: str, leave: int, record_property) -> None:
    """Library, modules, model, arena and the rows of a frame: all that there is of the heap."""
    path = tmp_path / "m.midge"
    convert(shared_data / "models" / "vww_96_int8.tflite", path, ram=ROWS_RAM)
    data = np.load(shared_data / "models" / "vww_96_int8.npz")
    main = little_heap.script(leave, pico.model_path(weights), weights, "in.bin", 96 * 3)
    files = {**pico.library(), "main.py": main.encode(), "in.bin": data["inputs"][0].tobytes()}
    done = pico.run(*pico.with_model(files, path, weights))
    assert json.loads(done.console.partition("\nMicroPython ")[0]) == data["tflm"][0].reshape(-1).tolist()
    record_property("measured", {"model": "VWW by rows", "weights": weights, "heap": f"in {leave}"})


@pytest.mark.parametrize(("name", "ram", "share"), [("vww_96_int8", 30_000, 0.12), ("person_detect", 30_720, 0.1)])
def test_rows_cost_little_time(shared_data: Path, tmp_path: Path, reference, name: str, ram: int, share: float) -> None:
    whole, inputs, expected = reference(name)
    convert(shared_data / "models" / f"{name}.tflite", tmp_path / "m.midge", ram=ram)
    cycles = []
    for path in (whole, tmp_path / "m.midge"):
        result = backends.run("pico", path, [inputs], "map")
        np.testing.assert_array_equal(result.outputs[0], expected.reshape(result.outputs[0].shape))
        cycles.append(result.cycles)
    assert cycles[1] <= (1 + share) * cycles[0]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_every_operator(make_model, weights: str) -> None:
    data, inputs = models.residual(two_outputs=True), models.residual_inputs(3)
    got = backends.run("pico", make_model(data), inputs, weights).outputs
    for mine, expected in zip(got, tflm.run(data, inputs), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_a_mapped_file_may_begin_anywhere(make_model, monkeypatch) -> None:
    """`mpremote romfs build` aligns nothing: the records are copied then, and the weights stay where they are."""
    monkeypatch.setattr(romfs, "ALIGNMENT", 1)
    model, inputs = make_model(models.residual()), models.residual_inputs(1)
    main = """
import uctypes
from array import array
import midge
PATH = "/rom/model.midge"
print(uctypes.addressof(memoryview(open(PATH, "rb"))) % 4)
with open("in.bin", "rb") as file:
    print(midge.load(PATH).predict(array("b", file.read())))
"""
    files = {**pico.library(), "main.py": main.encode(), "in.bin": inputs[0].tobytes()}
    done = pico.run(files, {"a": b"1", "model.midge": model.read_bytes()})
    address, result = done.console.partition("\nMicroPython ")[0].split("\r\n")[:2]
    assert int(address) == 1
    output = model_file.read(model).outputs[0]
    expected = (tflm.run(models.residual(), inputs)[0].reshape(-1) - float(output.zero_point)) * output.scale
    assert json.loads(result) == pytest.approx(list(expected), abs=1e-6)


def on_board(script: str, model: Path, weights: str = "ram") -> str:
    """The output of a script, which finds the model as PATH."""
    # Names that a script uses later, so that none makes its dictionary grow while memory is measured.
    main = f"PATH = {pico.model_path(weights)!r}\nWEIGHTS = {weights!r}\n_ = before = None\n{script}"
    done = pico.run(*pico.with_model(pico.library() | {"main.py": main.encode()}, model, weights))
    return done.console.partition("\nMicroPython ")[0].strip()


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that remembers, and takes sound."""
    return audio_graphs.hearing(tmp_path_factory.mktemp("hearing"), audio_graphs.stream())


LISTEN = """
import gc
from array import array
from cycles import mark
import midge

model = midge.load(PATH, WEIGHTS)
samples, out = array("h", bytes(2 * model.hop)), array("f", bytes(4))
minute = array("h", bytes(2 * 7 * model.hop + 90))
for reading in (minute, samples, samples, samples):
    model.predict_into(reading, out)
readings = (minute, samples, samples, samples)
gc.collect()
gc.disable()
before = gc.mem_alloc()
for reading in readings:
    model.predict_into(reading, out)
print("allocated", gc.mem_alloc() - before)
gc.enable()
mark(0)
mark(1)
model.predict_into(samples, out)
mark(2)
print(model.selftest())
"""


@pytest.mark.parametrize("weights", WEIGHTS)
def test_listening_allocates_nothing(hearing: Path, weights: str, record_property) -> None:
    main = f"PATH = {pico.model_path(weights)!r}\nWEIGHTS = {weights!r}\n{LISTEN}"
    done = pico.run(*pico.with_model(pico.library() | {"main.py": main.encode()}, hearing, weights))
    assert done.console.partition("\nMicroPython ")[0].split() == ["allocated", "0", "True"]
    a, b, c = (cycle for _, cycle in done.marks)
    record_property("measured", {"model": "a frame of sound", "weights": weights, "cycles": (c - b) - (b - a)})
    around = (c - b) - (b - a) - (done.in_ram[2] - done.in_ram[1])
    assert around <= (AROUND_A_FRAME if weights != "stream" else AROUND_A_FRAME + PER_WEIGHT_BYTE * 4096)


def test_sound_on_a_board(hearing: Path) -> None:
    """Every score as on the PC, in less memory than the model alone would take with the bank of 16 bits."""
    speech = audio_graphs.signals()["speech"][None, :3000]
    result = backends.run("pico", hearing, [speech])
    expected = backends.run("numpy", hearing, [speech])
    np.testing.assert_array_equal(result.outputs[0], expected.outputs[0])
    assert len(result.outputs[0]) > 4 and result.heap_bytes <= HEAP_OF_SOUND


@pytest.mark.parametrize("weights", WEIGHTS)
def test_predict_into_allocates_nothing(make_model, weights: str) -> None:
    script = ALLOCATIONS.replace('"model.midge"', "PATH")
    assert on_board(script, make_model(models.dense()), weights) == "allocated 0"


PREDICT = """
from array import array
from cycles import mark
from midge import load

def main():
    model = load(PATH, WEIGHTS)
    reading = array("b", bytes(model.inputs[0].bytes))
    out = array("b", bytes(model.outputs[0].bytes))
    model.predict_into(reading, out)
    mark(0)
    mark(1)
    model.predict_into(reading, out)
    mark(2)

main()
"""


def cycles_around(model: Path, weights: str) -> tuple[int, int]:
    """Cycles of a predict_into outside the native module and inside."""
    main = PREDICT.replace("PATH", repr(pico.model_path(weights))).replace("WEIGHTS", repr(weights))
    done = pico.run(*pico.with_model(pico.library() | {"main.py": main.encode()}, model, weights))
    a, b, c = (cycle for _, cycle in done.marks)
    inside = done.in_ram[2] - done.in_ram[1]
    return (c - b) - (b - a) - inside, inside


@pytest.mark.parametrize("weights", WEIGHTS)
def test_little_python_around_a_prediction(make_model, weights: str, record_property) -> None:
    """Streamed too: what such a model has fits the RAM for streaming and is read when it is loaded."""
    model = make_model(models.dense(layers=3, width=16), window=model_file.WINDOW_BYTES)
    cycles, _ = cycles_around(model, weights)
    record_property("measured", {"model": "around 3 dense layers", "weights": weights, "cycles": cycles})
    assert cycles <= AROUND


PUSH = """
from cycles import mark
from midge import Window, load

def main():
    window = Window(load("/model.midge"), 8)
    sample = (0.5, -1.25, 2.0)
    for _ in range(33):
        window.push(sample)
    mark(0)
    mark(1)
    window.push(sample)
    mark(2)

main()
"""


def test_pushing_a_sample_costs_little(make_model, record_property) -> None:
    """Of an accelerometer: 60 us of 10 ms."""
    path = make_model(one_operator("max_pool_2d", (1, 32, 1, 3), (0.05, -3), window=(1, 1), strides=(1, 1)))
    done = pico.run(*pico.with_model(pico.library() | {"main.py": PUSH.encode()}, path, "ram"))
    a, b, c = (cycle for _, cycle in done.marks)
    cycles = (c - b) - (b - a)
    record_property("measured", {"model": "a sample of three values", "weights": "Window.push", "cycles": cycles})
    assert cycles <= PUSH_CYCLES


LISTS = """
import gc
from array import array
from cycles import mark
from midge import load

def main():
    model = load("/model.midge")
    values = array("f", (0.03125 * (i % 61 - 30) for i in range(model.inputs[0].size)))
    flat = list(values)
    nested = [flat[i : i + 3] for i in range(0, len(flat), 3)]
    out = array("b", bytes(model.outputs[0].size))
    expected = None
    for again in (0, 1):
        for reading in (values, flat, nested):
            gc.collect()
            if again:
                mark(0)
            model.predict_into(reading, out)
            if again:
                mark(1)
            expected = expected or bytes(out)
            print(bytes(out) == expected)

main()
"""


def test_lists_cost_little_more_than_an_array(make_model, record_property) -> None:
    """783 values; a piece of the heap for 64 of them."""
    path = make_model(one_operator("max_pool_2d", (1, 261, 1, 3), (0.05, -3), window=(1, 1), strides=(1, 1)))
    done = pico.run(*pico.with_model(pico.library() | {"main.py": LISTS.encode()}, path, "ram"))
    assert done.console.count("True") == 6
    marks = [cycle for _, cycle in done.marks]
    values, flat, nested = (b - a for a, b in zip(marks[::2], marks[1::2], strict=True))
    record_property("measured", {"model": "783 values in a list", "weights": "predict_into", "cycles": flat})
    assert flat <= 3 * values and nested <= 5 * values, (values, flat, nested)


def test_profile_adds_little_to_a_layer(make_model) -> None:
    """Layers of some thousand cycles; 5,000 of MicroPython's, 40 us, come with each."""
    script = """
import midge
model = midge.load(PATH, WEIGHTS)
reading = bytes(model.inputs[0].bytes)
model.profile(reading)
print([time for _, time in model.profile(reading)])
"""
    times = json.loads(on_board(script, make_model(models.dense(layers=3, width=16))))
    assert len(times) == 3 and max(times) < 200, times


def test_streaming_costs_few_cycles(make_model, record_property) -> None:
    path = make_model(models.dense(layers=3, width=200), window=model_file.WINDOW_BYTES)
    weights = len(model_file.read(path).weights)
    streamed, mapped = (cycles_around(path, mode)[0] for mode in ("stream", "map"))
    cycles = (streamed - mapped) / weights
    record_property("measured", {"model": "a byte of weights", "weights": "stream", "cycles": round(cycles, 2)})
    assert cycles <= PER_WEIGHT_BYTE


@pytest.mark.parametrize("weights", LIMITS)
def test_little_is_added_to_vww(converted, weights: str, record_property) -> None:
    around, kernels = cycles_around(converted("vww_96_int8")[0], weights)
    record_property("measured", {"model": "around vww_96_int8", "weights": weights, "cycles": around})
    assert around <= SHARE * kernels


def test_importing_costs_little_heap_and_map_copies_no_weights(make_model) -> None:
    """300 KB of weights would not even fit the heap."""
    model = make_model(models.dense(layers=3, width=320))
    heap = json.loads(bench.start("pico_bench.py", model, "map").report)["heap"]
    assert heap["library"] <= IMPORT_LIMIT
    assert len(model_file.read(model).weights) > heap["idle_free"]
    assert heap["loaded"] - heap["library"] < 3 << 10


REFUSAL = """
import gc
import midge

def refused(weights):
    try:
        midge.load(PATH, weights)
    except MemoryError as error:
        print(error)

def main(leave):
    refused(WEIGHTS)
    gc.collect()
    ballast = bytearray(gc.mem_free() - leave) if leave else None
    for _ in range(2):  # then the words for it are in memory, and all names
        refused(WEIGHTS)
        gc.collect()
    before = gc.mem_alloc()
    refused(WEIGHTS)
    gc.collect()
    print(gc.mem_alloc() - before)
    return ballast

main(LEAVE)
"""


def test_a_model_that_does_not_fit_is_refused_before_anything_is_allocated(make_model) -> None:
    path = make_model(models.dense(layers=3, width=320))
    model = model_file.read(path)
    said = on_board(REFUSAL.replace("LEAVE", "0"), path).splitlines()
    need = model.arena_bytes + len(model.weights)
    words = rf"/model\.midge needs {need} bytes \({model.arena_bytes} for activations\), (\d+) are free; load it with "
    have = re.fullmatch(words + 'weights="stream"', said[-2])
    assert have and 200_000 < int(have[1]) < need
    assert said[-1] == "0"


def test_too_little_even_for_streaming(make_model) -> None:
    """Streamed, the model needs an arena of 2 KB and a window of 17 KB: 18600 bytes are not enough."""
    path = make_model(models.dense(layers=1, width=1000), window=17 << 10)
    said = on_board(REFUSAL.replace("LEAVE", "18600"), path, "stream").splitlines()
    assert said[-2].endswith("are free; free memory first, use a smaller model or a board with more RAM")
    assert said[-1] == "0"


def run_midge(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from midge_host.commands.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_bench(make_model) -> None:
    model = make_model(models.residual())
    first, second = (bench.start("pico_bench.py", model, "ram") for _ in range(2))
    assert first.marks == second.marks, "cycles are not repeatable"

    done = run_midge("bench", str(model), "--weights", "stream", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    description = model_file.read(model)
    assert [layer["name"] for layer in found["layers"]] == description.names
    assert found["weights"] == "stream" and found["board"] == "pico" and found["clock_hz"] == 125_000_000
    parts = [found["reading"], found["micropython"], *found["layers"]]
    # Layer by layer each has a call of its own; in one go the result is copied out.
    assert sum(part["cycles"] for part in parts) == pytest.approx(found["cycles"], rel=0.05)
    assert found["milliseconds"] == found["cycles"] / 125_000
    heap = found["heap"]
    assert heap["library"] < heap["loaded"] < heap["peak"] < heap["idle_free"]
    assert heap["loaded"] - heap["library"] > found["arena_bytes"]


def test_bench_table(make_model) -> None:
    done = run_midge("bench", str(make_model(models.dense(layers=1))))
    assert done.returncode == 0, done.stderr
    for text in ("FULLY_CONNECTED", "MicroPython", "one prediction", "ms at 125 MHz"):
        assert text in done.stdout


def test_bench_of_a_model_that_does_not_fit(make_model) -> None:
    done = run_midge("bench", str(make_model(models.dense(layers=3, width=320))), "--weights", "ram")
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(r"midge: .*MemoryError: /model\.midge needs \d+ bytes .* load it with .*\n", done.stderr)


def test_errors_are_reported() -> None:
    with pytest.raises(MidgeError, match="the emulated Pico: ValueError: this and that"):
        pico.run({"main.py": b"raise ValueError('this and that')"})
    with pytest.raises(MidgeError, match="HardFault: access to unmapped address 0x30000000"):
        pico.run({"main.py": b"import machine\nmachine.mem32[0x30000000]"})
    with pytest.raises(MidgeError, match="HardFault: unaligned access to 0x20000002"):
        pico.run({"main.py": UNALIGNED})
    with pytest.raises(MidgeError, match="still running after 2 seconds"):
        pico.run({"main.py": b"while True:\n    pass"}, seconds=2)
    with pytest.raises(MidgeError, match=r"2,000,000 bytes do not fit the Pico's file system"):
        pico.run({"large.bin": bytes(2_000_000)})
    with pytest.raises(MidgeError, match="ROMFS partition"):
        pico.run({}, {"large.bin": bytes(600_000)})


UNALIGNED = b"""
import micropython
@micropython.viper
def peek(address: int) -> int:
    p = ptr32(address)
    return p[0]
peek(0x20000002)
"""


def test_files_come_back_and_marks_are_counted() -> None:
    main = """
from cycles import mark
with open("out/a.txt", "w") as file:
    file.write("written")
mark(7)
mark(8)
print("café")
"""
    done = pico.run({**pico.library(), "main.py": main.encode(), "out/b.txt": b"x"}, collect=["out/a.txt", "out/b.txt"])
    assert done.files == {"out/a.txt": b"written", "out/b.txt": b"x"}
    assert [value for value, _ in done.marks] == [7, 8]
    assert done.report == "café"


# A timer interrupts the predictions, between any two of MicroPython's instructions.
TIMER = """
import json
from array import array
from machine import Timer
import midge

model = midge.load("model.midge", "stream")
readings = []
with open("in.bin", "rb") as file:
    for _ in range(2):
        readings.append(array("b", bytes(model.inputs[0].size)))
        file.readinto(readings[-1])
outs = [array("b", bytes(model.outputs[0].size)) for _ in range(2)]
wanted = []
for reading in readings:
    model.predict_into(reading, outs[0])
    wanted.append(bytes(outs[0]))
counts = [0, 0, 0]  # callbacks that were refused, that were not, wrong results


def tick(timer):
    try:
        model.predict_into(readings[1], outs[1])
        counts[1] += 1
        counts[2] += bytes(outs[1]) != wanted[1]
    except RuntimeError:
        counts[0] += 1


timer = Timer(mode=Timer.PERIODIC, freq=331, callback=tick)
for _ in range(40):
    model.predict_into(readings[0], outs[0])
    counts[2] += bytes(outs[0]) != wanted[0]
timer.deinit()
print(json.dumps(counts))
"""


def test_callbacks_of_a_timer(make_model) -> None:
    inputs = models.residual_inputs(2)[0]
    path = make_model(models.residual())
    files, _ = pico.with_model(pico.library(), path, "stream")
    done = pico.run({**files, "main.py": TIMER.encode(), "in.bin": inputs.tobytes()})
    refused, computed, wrong = json.loads(done.report)
    assert refused > 10 and wrong == 0, (refused, computed, wrong)
