"""Emulated boards of every architecture: real MicroPython, the native module as it is deployed, TFLM's bytes.

All models lie in the ROMFS of a board; for weights in RAM and for streamed ones, the model is copied to the board's
LittleFS disk first, as it would be on a stock board.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import little_heap
import numpy as np
import pytest
from allocations import ALLOCATIONS
from reference_models import MODELS, STREAMING, sets_of

import models
import tflm
from midge_host import backends
from midge_host.backends import RunResult
from midge_host.backends import qemu as backend
from midge_host.backends.micropython import input_bytes, job
from midge_host.boards import qemu
from midge_host.boards.repl import BoardError, BoardTimeout
from midge_host.conversion import convert
from midge_host.device import model_file
from midge_host.errors import MidgeError
from operator_cases import CASES

BOARDS = [pytest.param(name, marks=[pytest.mark.board(name), pytest.mark.xdist_group(name)]) for name in qemu.BOARDS]
WEIGHTS = ["ram", "stream", "map"]
ROWS = 3  # inputs of each operator
# Every other of the table, which MicroPython on the PC runs whole. Functions of 16 bits are tried with all values there
# are: too many for the memory of a board.
TABLE = [case for case in CASES if sum(values[:ROWS].nbytes for values in case.inputs) < 1 << 15][::2]
SEEDED, REAL = 4, 2  # inputs of a reference model: of the seeded ones, and of each set of real ones
SAME_MODULES = {"qemu-m3": 5}  # of operators, only one in five: the native modules are those of another board
SCRIPT = (files("midge_host.backends") / "board_script.py").read_text()

# Weights and activations that exceed a heap of 220 KB; the other boards have 480 KB.
TOO_LARGE = {("qemu-m0", "person_detect"), ("qemu-m0", "ad01_int8")}


@dataclass
class Case:
    """A converted model with inputs, and what TensorFlow Lite Micro makes of them."""

    model: Path
    inputs: list[np.ndarray]
    expected: list[np.ndarray]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("models")


def convert_bytes(folder: Path, name: str, tflite: bytes) -> Path:
    (folder / f"{name}.tflite").write_bytes(tflite)
    convert(folder / f"{name}.tflite", folder / f"{name}.midge")
    return folder / f"{name}.midge"


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, Case]:
    """Models that the tests make."""
    rng = np.random.default_rng(5)
    sources = {
        "residual": (models.residual(), models.residual_inputs(10)),
        "two_outputs": (models.residual(two_outputs=True), models.residual_inputs(3)),
        "dense": (models.dense(3, 128), [rng.integers(-128, 128, (3, 1, 128)).astype(np.int8)]),
    }
    return {
        name: Case(convert_bytes(folder, name, tflite), inputs, tflm.run(tflite, inputs))
        for name, (tflite, inputs) in sources.items()
    }


@pytest.fixture(scope="module")
def reference(folder: Path, shared_data: Path) -> dict[str, Case]:
    """Real models, with recorded inputs and outputs."""
    cases = {}
    for name in MODELS:
        convert(shared_data / "models" / f"{name}.tflite", folder / f"{name}.midge")
        data = np.load(shared_data / "models" / f"{name}.npz")
        sets = [] if name in STREAMING else sets_of(data)
        parts = [("", SEEDED), *((f"real_{s}_", REAL) for s in sets)]
        inputs, expected = (
            np.concatenate([data[f"{prefix}{key}"][:count] for prefix, count in parts]) for key in ("inputs", "tflm")
        )
        cases[name] = Case(folder / f"{name}.midge", [inputs], [expected])
    return cases


@pytest.fixture(scope="module")
def operators(folder: Path) -> list[Case]:
    """Every single operator of the table, with its first inputs: a board has room for some megabytes."""
    cases = []
    for i, case in enumerate(TABLE):
        inputs = [values[:ROWS] for values in case.inputs]
        expected = [values[:ROWS] for values in case.expected()]
        cases.append(Case(convert_bytes(folder, f"operator{i}", case.tflite), inputs, expected))
    return cases


@pytest.fixture(scope="module")
def rom(made: dict[str, Case], operators: list[Case], request) -> dict[str, bytes]:
    """Files for the ROMFS of every board."""
    everything = {}
    cases = dict(made)
    with contextlib.suppress(pytest.skip.Exception):  # without the reference models
        cases |= request.getfixturevalue("reference")
    for name, case in cases.items():
        everything[f"models/{name}.midge"] = case.model.read_bytes()
        everything[f"models/{name}.bin"] = input_bytes(case.inputs)
    for i, case in enumerate(operators):
        path = f"operators/{i}"
        description = model_file.read(case.model)
        todo = job(f"/rom/{path}.midge", description, case.inputs, "", True, f"/rom/{path}.bin", "/out.bin")
        everything[f"{path}.midge"] = case.model.read_bytes()
        everything[f"{path}.bin"] = input_bytes(case.inputs)
        everything[f"{path}.json"] = json.dumps(todo).encode()
    return everything


@pytest.fixture(scope="module", params=BOARDS)
def running(request):
    """A board that serves all tests of this file."""
    why = backend.problem(request.param)
    if why:
        pytest.skip(why)
    with qemu.Qemu(request.param, request.getfixturevalue("rom"), backend.library(request.param)) as board:
        yield board


@pytest.fixture
def board(running: qemu.Qemu) -> qemu.Qemu:
    """The board as after power-on."""
    running.repl.soft_reset()
    return running


def place(board: qemu.Qemu, name: str, weights: str) -> str:
    """Path of a model on the board."""
    if weights == "map":
        return f"/rom/models/{name}.midge"
    board.copy(f"/rom/models/{name}.midge", "/model.midge")
    return "/model.midge"


def run(board: qemu.Qemu, name: str, case: Case, weights: str, native: bool = True) -> RunResult:
    path = place(board, name, weights)
    return backend.predict(board, path, case.model, case.inputs, weights, f"/rom/models/{name}.bin", native)


def check(result: RunResult, case: Case) -> None:
    for got, want in zip(result.outputs, case.expected, strict=True):
        np.testing.assert_array_equal(got, want.reshape(got.shape))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", ["residual", "two_outputs", "dense"])
def test_model(board, made, name: str, weights: str) -> None:
    check(run(board, name, made[name], weights), made[name])


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", MODELS)
def test_reference_model(board, reference, name: str, weights: str, record_property) -> None:
    facts = {"model": name, "weights": weights}
    case = reference[name]
    if weights == "ram" and (board.name, name) in TOO_LARGE:
        with pytest.raises(MidgeError, match=r"MemoryError: .* needs \d+ bytes .* are free; load it with .*stream"):
            run(board, name, case, weights)
        record_property("measured", {**facts, "heap": "refused"})
        return
    result = run(board, name, case, weights)
    check(result, case)
    record_property("measured", {**facts, "heap": result.heap_bytes})


@pytest.mark.board("qemu-m0")
@pytest.mark.parametrize(("weights", "path"), [("map", "/rom/model.midge"), ("stream", "/model.midge")])
def test_rows_in_the_heap_of_a_microbit(shared_data: Path, tmp_path: Path, weights: str, path: str) -> None:
    """VWW, whose tensors alone are 55 KB, in a heap of 64 KB."""
    why = backend.problem("qemu-m0")
    if why:
        pytest.skip(why)
    model = tmp_path / "m.midge"
    convert(shared_data / "models" / "vww_96_int8.tflite", model, ram=20_480)
    data = np.load(shared_data / "models" / "vww_96_int8.npz")
    files = {"model.midge": model.read_bytes()}
    rom = {"in.bin": data["inputs"][0].tobytes()} | (files if weights == "map" else {})
    disk = backend.library("qemu-m0") | (files if weights == "stream" else {})
    with qemu.Qemu("qemu-m0", rom, disk) as board:
        said = board.exec(little_heap.script(64 << 10, path, weights, "/rom/in.bin", 96 * 3))
    assert json.loads(said) == data["tflm"][0].reshape(-1).tolist()


def row_by_row(outputs: list[np.ndarray]) -> bytes:
    """As board_script.py writes them: all outputs of the first input, then those of the second..."""
    return b"".join(values.tobytes() for rows in zip(*outputs, strict=True) for values in rows)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_operators(board, operators, weights: str) -> None:
    """Every third of them in each mode: all of them run on every board that has modules of its own."""
    numbers = range(WEIGHTS.index(weights), len(operators), len(WEIGHTS) * SAME_MODULES.get(board.name, 1))
    code = f"""
from binascii import crc32
for i in {numbers}:
    with open("/rom/operators/%d.json" % i) as file:
        job = json.load(file)
    job["weights"] = {weights!r}
    main(job)
    with open(job["sink"], "rb") as file:
        print("crc", crc32(file.read()))
"""
    board.exec(SCRIPT)
    lines = [line for line in board.exec(code, 600).splitlines() if line.startswith("crc")]
    expected = [zlib.crc32(row_by_row(operators[i].expected)) for i in numbers]
    differ = [TABLE[i].name for i, line, crc in zip(numbers, lines, expected, strict=True) if line != f"crc {crc}"]
    assert not differ


def test_portable_kernels(board, made) -> None:
    check(run(board, "residual", made["residual"], "ram", native=False), made["residual"])


@pytest.mark.parametrize("weights", WEIGHTS)
def test_predict_into_allocates_nothing(board, made, weights: str) -> None:
    path = place(board, "residual", weights)
    script = ALLOCATIONS.replace('"model.midge"', repr(path)).replace("WEIGHTS", repr(weights))
    assert board.exec(script).strip() == "allocated 0"


def test_mapped_weights_are_not_copied(board, made) -> None:
    model = model_file.read(made["dense"].model)
    heap = {}
    for weights in WEIGHTS:
        board.repl.soft_reset()
        heap[weights] = run(board, "dense", made["dense"], weights).heap_bytes
    assert heap["ram"] - heap["map"] > 0.95 * len(model.weights)
    assert heap["stream"] - heap["map"] < model.window_bytes + 2048


def test_auto_streams_where_free_memory_is_in_pieces(board, made) -> None:
    """More than enough is free for the weights, but no piece is as large as they are."""
    assert len(model_file.read(made["dense"].model).weights) > 48000
    code = f"""
import gc
pieces = []
while gc.mem_free() > 40000:
    pieces.append(bytearray(1000))
for i in range(len(pieces) - 1):
    if i % 30:
        pieces[i] = None
import midge
model = midge.load({place(board, "dense", "auto")!r})
print(model.weights_mode, model.selftest(), gc.mem_free() > 100000)
"""
    assert board.exec(code).strip() == "stream True True"


def test_selftest(board, made) -> None:
    path = place(board, "residual", "stream")
    assert board.exec(f"import midge\nprint(midge.load({path!r}, 'stream').selftest())").strip() == "True"


@pytest.mark.parametrize("arch", ["x64", "armv6m"])
def test_another_native_module(board, made, arch: str) -> None:
    """A module of another architecture is refused in words; every larger Cortex-M core runs the smallest one's."""
    module = files("midge_host.prebuilt") / f"midge_core-{arch}.mpy"
    if not module.is_file():
        pytest.skip(f"the native module for {arch} is not built; run: make natmods")
    path = place(board, "residual", "ram")
    board.repl.put("/midge_core.mpy", module.read_bytes())  # before /lib in sys.path
    try:
        said = board.exec(f"import midge\nprint(midge.load({path!r}).backend)")
    finally:
        board.exec("os.remove('/midge_core.mpy')")
    if arch == "armv6m" and qemu.BOARDS[board.name].arch.startswith("arm"):
        assert said.strip() == "native"
    else:
        assert said.startswith("midge: midge_core does not fit this board") and said.strip().endswith("portable")


def test_files_and_errors(board) -> None:
    data = np.random.default_rng(1).bytes(5000)
    board.repl.put("/some.bin", data)
    assert board.repl.get("/some.bin") == data
    board.exec("os.remove('/some.bin')")
    with pytest.raises(BoardError, match="ZeroDivisionError: divide by zero") as error:
        board.exec("print('before')\n1 // 0")
    assert "line 2" in error.value.traceback
    with pytest.raises(BoardError, match="SyntaxError"):
        board.exec("if" + " " * 20000)
    assert board.exec("print('and on')") == "and on\r\n"


def test_romfs(board) -> None:
    """Folders in folders, and files at multiples of 16."""
    code = """
import uctypes
print({uctypes.addressof(memoryview(open(f"/rom/operators/{i}.json", "rb"))) % 16 for i in range(50)})
"""
    assert board.exec(code).strip() == "{0}"
    assert "_model.mpy" in board.exec("print(os.listdir('/rom/disk/lib/midge'))")


@pytest.mark.parametrize("name", BOARDS[:1])
def test_a_board_that_hangs_is_ended(name: str) -> None:
    if qemu.problem(name):
        pytest.skip(qemu.problem(name))
    with qemu.Qemu(name) as board:
        with pytest.raises(BoardTimeout, match="does not answer"):
            board.exec("while True: pass", 0.2)
        process = board._process
    assert process.poll() is not None


@pytest.mark.parametrize("name", BOARDS)
def test_backend(name: str, made) -> None:
    """As `midge run --backend` does it: a board of its own."""
    if backends.problem(name):
        pytest.skip(backends.problem(name))
    result = backends.run(name, made["residual"].model, made["residual"].inputs)
    check(result, made["residual"])
    assert result.heap_bytes and bool(result.instructions) == bool(qemu.BOARDS[name].counter)
