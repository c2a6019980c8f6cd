"""The API that scripts use, under CPython (both backends) and MicroPython (both backends)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import midge
import models
from midge import _cores
from midge_host import backends
from midge_host.backends import micropython
from midge_host.conversion import convert
from midge_host.device import model_file, registry, spec

LABELS = ["nought", "one", "two", "three", "four"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(model_file, "WINDOW_BYTES", 0)  # or all weights would be read at once
    (tmp_path / "model.tflite").write_bytes(models.residual())
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    convert(tmp_path / "model.tflite", tmp_path / "model.midge", labels=tmp_path / "labels.txt")
    return tmp_path / "model.midge"


# Runs unchanged under CPython and MicroPython and prints what it saw; the expected answers are worked out below.
SCRIPT = """
import json, sys
from array import array
import midge

def main(path, backend, weights, reading):
    model = midge.load(path, weights, backend)
    pixels = bytes((v + 128) & 255 for v in reading)
    t = model.inputs[0]
    out = array("f", bytes(4 * model.outputs[0].bytes))
    model.predict_into(array("b", reading), out)
    seen = {
        "backend": model.backend,
        "weights": model.weights_mode,
        "arena": model.arena_bytes,
        "labels": model.labels,
        "input": [t.name, list(t.shape), t.dtype, t.zero_point, t.bytes, round(t.scale * 1000000)],
        "predict": model.predict(array("b", reading)),
        "into": list(out),
        "from_pixels": model.predict(pixels),
        "from_reals": model.predict([(v - t.zero_point) * t.scale for v in reading]),
        "classify": list(model.classify(pixels)),
        "profile": [[name, us >= 0] for name, us in model.profile(pixels)],
        "selftest": model.selftest(),
        "text": str(model),
        "after_selftest": model.predict(pixels),
    }
    model.reset()
    seen["after_reset"] = model.predict(pixels)
    print(json.dumps(seen))

with open(sys.argv[4]) as file:
    main(sys.argv[1], sys.argv[2], sys.argv[3], json.load(file))
"""


def run_script(python: str, path: Path, backend: str, weights: str, reading: np.ndarray) -> dict:
    folder = path.parent
    (folder / "script.py").write_text(SCRIPT)
    if not (folder / "midge").exists():
        micropython.lay_out(folder, native=True)
    (folder / "reading.json").write_text(json.dumps(reading.reshape(-1).tolist()))
    executable, environment = sys.executable, None
    if python == "micropython":
        executable, environment = micropython.executable(), {"MICROPYPATH": str(folder)}
    done = subprocess.run(
        [executable, folder / "script.py", path, backend, weights, folder / "reading.json"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("weights", ["ram", "stream"])
@pytest.mark.parametrize("backend", ["native", "portable"])
@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_api(path: Path, python: str, backend: str, weights: str) -> None:
    reading = models.residual_inputs(1)[0]
    model = model_file.read(path)
    output = model.outputs[0]
    q = backends.run("numpy", path, [reading]).outputs[0].reshape(-1).astype(np.float64)
    expected = [float(v) for v in (q - output.zero_point) * output.scale]
    best = int(np.argmax(q))

    seen = run_script(python, path, backend, weights, reading)
    assert seen["backend"] == backend and seen["weights"] == weights
    assert seen["arena"] == model.arena_bytes and seen["labels"] == LABELS
    source = model.inputs[0]
    assert seen["input"] == [source.name, [1, *models.SIZE], "int8", -5, source.bytes, 20000]
    for key in ("predict", "into", "from_pixels", "from_reals", "after_selftest", "after_reset"):
        assert seen[key] == pytest.approx(expected, abs=1e-7), key
    assert seen["classify"] == [LABELS[best], pytest.approx(expected[best])]
    assert seen["profile"] == [[name, True] for name in model.names]
    assert seen["selftest"] is True
    edges = f"{source.name} int8 {source.shape} -> {output.name} int8 {output.shape}, 5 labels"
    assert seen["text"] == f"Model({path}: {edges}; arena {model.arena_bytes} bytes, weights {weights}, {backend})"


def test_several_outputs(make_model) -> None:
    path, reading = make_model(models.residual(two_outputs=True)), models.residual_inputs(1)
    first, second = backends.run("numpy", path, reading).outputs
    model = midge.load(str(path))
    results = model.predict(reading[0][0])
    assert [len(r) for r in results] == [first.size, second.size]
    outs = [np.zeros(first.size, np.int8), np.zeros(second.size, np.int8)]
    model.predict_into(reading[0][0], outs)
    np.testing.assert_array_equal(outs[0], first.reshape(-1))
    np.testing.assert_array_equal(outs[1], second.reshape(-1))
    with pytest.raises(ValueError, match="2 outputs"):
        model.predict_into(reading[0][0], outs[:1])


def test_classify_without_labels_gives_numbers(make_model) -> None:
    model = midge.load(str(make_model(models.residual())))
    label, score = model.classify(models.residual_inputs(1)[0])
    assert label == int(np.argmax(model.predict(models.residual_inputs(1)[0])))
    assert 0 <= score <= 1


@pytest.mark.parametrize("backend", ["native", "portable"])
def test_selftest_names_the_operator_that_differs(path: Path, backend: str) -> None:
    """A file whose weights and checksums are right but whose golden value is not: operator 2 is named."""
    model = model_file.read(path)
    model.golden[2] ^= 1
    path.write_bytes(model.to_bytes())
    loaded = midge.load(str(path), backend=backend)
    with pytest.raises(ValueError, match=rf"operator 2 \({model.names[2]}\)"):
        loaded.selftest()


def test_map_uses_the_file_in_place(path: Path) -> None:
    assert midge.load(str(path), "map").weights_mode == "map"


@pytest.mark.parametrize("window", [0, 300, 500])
def test_streaming_gives_the_same_bytes_with_any_window(make_model, window: int) -> None:
    """Several operators at once, blocks of one in pieces of which the last is smaller, operators without weights."""
    path, reading = make_model(models.residual(), window=window), models.residual_inputs(1)[0]
    expected = midge.load(str(path), "map").predict(reading[0])
    model = midge.load(str(path), "stream")
    size = model_file.read(path).window_bytes
    assert all(len(memory) <= size for _, memory, *_ in model._steps)
    for _ in range(2):
        assert model.predict(reading[0]) == expected
    assert [name for name, _ in model.profile(reading[0])] == model_file.read(path).names
    assert model.selftest()


def test_weights_that_fit_the_window_are_read_once(make_model) -> None:
    path, reading = make_model(models.residual(), window=1 << 20), models.residual_inputs(1)[0]
    model = midge.load(str(path), "stream")
    expected = model.predict(reading[0])
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert model.weights_mode == "stream" and model.predict(reading[0]) == expected
    with pytest.raises(ValueError, match=r"damaged weights"):
        midge.load(str(path), "stream")


def test_unknown_modes(path: Path) -> None:
    with pytest.raises(ValueError, match="weights is"):
        midge.load(str(path), "fast")
    with pytest.raises(ValueError, match="backend is"):
        midge.load(str(path), backend="gpu")


MEMORY = """
import gc, sys
import midge
try:
    model = midge.load(sys.argv[1], sys.argv[2])
    print("loaded", model.weights_mode)
except MemoryError as error:
    print(error)
"""


def load_with_heap(path: Path, heap: str, weights: str) -> str:
    folder = path.parent
    (folder / "script.py").write_text(MEMORY)
    if not (folder / "midge").exists():
        micropython.lay_out(folder, native=True)
    command = [micropython.executable(), "-X", f"heapsize={heap}", str(folder / "script.py"), str(path), weights]
    done = subprocess.run(command, env={"MICROPYPATH": str(folder)}, capture_output=True, text=True)
    return done.stdout.strip() + done.stderr.strip()


def test_too_little_memory_is_refused_with_need_and_have(tmp_path: Path) -> None:
    (tmp_path / "big.tflite").write_bytes(models.dense(layers=4, width=320))  # 410 KB of weights
    convert(tmp_path / "big.tflite", tmp_path / "big.midge")
    path = tmp_path / "big.midge"
    assert load_with_heap(path, "2m", "auto") == "loaded ram"
    assert load_with_heap(path, "200k", "auto") == "loaded stream"
    message = load_with_heap(path, "200k", "ram")
    assert "needs 4" in message and "are free" in message and 'weights="stream"' in message


def test_two_cores(make_model) -> None:
    """Where there is no second core to be had, one does it all."""
    path = str(make_model(models.residual()))
    model = midge.load(path, cores=2)
    assert model.cores == 1 and model.selftest()
    with pytest.raises(ValueError, match="cores is 1 or 2, not 3"):
        midge.load(path, cores=3)


@pytest.mark.parametrize("last", [0, 1])
def test_records_for_two_cores(make_model, last: int) -> None:
    """Whichever core is the later one, both make the bytes of one."""
    model = midge.load(str(make_model(models.residual())), "ram")
    program, size = _cores.split(model._program, model.arena_bytes)
    count = len(model._program) // spec.RECORD_BYTES
    run, weights = model._runs[0], model._weights
    whole = bytearray(i * 89 >> 3 & 255 for i in range(size))
    parts = bytearray(whole)
    shared = 0
    for i in range(count):
        a, b = (program[k * spec.RECORD_BYTES : (k + 1) * spec.RECORD_BYTES] for k in (i, count + i))
        assert run(model._program, i, i + 1, whole, weights) == 0
        for k in sorted({i, count + i if a != b else i}, reverse=bool(last)):
            assert run(program, k, k + 1, parts, weights) == 0
        shared += a != b
        output = registry.of_bytes(bytes(a)).layout.unpack(bytes(a))
        at = slice(output["output"], output["output"] + output["output_bytes"])
        assert whole[at] == parts[at]
    assert shared > 1
