"""Files that are damaged or made to harm: refused with a sentence, or run; never anything else.

Checksums stop accidents. Behind them come files whose checksums are right and whose fields are not: every field of
the header, the tensors and the records, set to extremes, on CPython and on MicroPython, native and portable.
"""

from __future__ import annotations

import functools
import gc
import json
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import audio_graphs
import hostile
import midge
from midge_host import backends
from midge_host.backends import micropython, wasm
from midge_host.conversion import convert
from midge_host.device import model_file, reference, registry, spec
from midge_host.device.banks import CORE
from midge_host.device.layout import Layout
from outcome import outcome

REFUSALS = (ValueError, MemoryError, OSError)
MODES = ("ram", "map", "stream")
WORK = 20_000  # runs of files that ask for more are left out; most of the good file's takes 2,000


SUPPORT = Path(__file__).resolve().parents[1] / "support"


@pytest.fixture(scope="module", autouse=True)
def quick_collections():
    """midge.load() collects garbage, for boards; here it need not look through all of NumPy thousands of times."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")
    (folder / "good.tflite").write_bytes(hostile.network())
    (folder / "labels.txt").write_text("a\nb\nc\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_file, "WINDOW_BYTES", 0)  # or all weights would be read at once
        convert(folder / "good.tflite", folder / "good.midge", labels=folder / "labels.txt")
    model = model_file.read(folder / "good.midge")
    model.inputs[0].channel_scales, model.inputs[0].channel_zero_points = (0.05, 0.2), (-3, 3000)
    model.entries["init"] = range(2)
    return model.to_bytes()


@pytest.fixture
def load(tmp_path: Path):
    """load(bytes, weights, backend) -> the model."""

    def load(data: bytes, weights: str = "ram", backend: str = "native") -> midge._model.Model:
        (tmp_path / "m.midge").write_bytes(data)
        return midge.load(str(tmp_path / "m.midge"), weights, backend)

    return load


@pytest.fixture
def no_hang():
    """Fails a test that takes minutes: a file must not keep a loader busy."""

    def alarm(*_: object) -> None:
        raise AssertionError("hangs")

    former = signal.signal(signal.SIGALRM, alarm)
    signal.alarm(200)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


def refusal(load, data: bytes, *how: str) -> str:
    """The message of the ValueError that the device library and the PC's tools must give."""
    with pytest.raises(ValueError) as host:
        model_file.from_bytes(data)
    assert str(host.value)
    with pytest.raises(ValueError) as device:
        load(data, *how)
    message = str(device.value)
    assert message.startswith(f"{message.split(': ')[0]}: ") and "m.midge: " in message
    return message


def test_good_file(load, good: bytes) -> None:
    """The file from which the others are made: it has every operator of the core, every section but those of
    another kind of model."""
    model = load(good)
    assert model.selftest() and model.labels == ["a", "b", "c"]
    tags = {section["tag"].decode() for _, section in hostile.directory(good)}
    assert tags == {tag for tag, *_ in spec.SECTIONS} - {"AUDI", "CODE", "LERN", "DETE", "OVER", "ROWS"}
    records = model_file.from_bytes(good).records
    assert {r["code"] for r in records} == {op.code for op in registry.OPERATORS if op.bank is CORE}
    assert hostile.repaired(good) == good


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\2\0\0\0" + bytes(range(200))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a .midge file"),
        (b"M", "not a .midge file"),
        (b"MIDG", "not a .midge file"),
        (bytes(500), "not a .midge file"),
        (PNG, "not a .midge file"),
        (b"MIDG" + PNG, "format 20617"),
        (b"MIDG" + struct.pack("<H", spec.FORMAT_VERSION) + bytes(200), "impossible|bytes long"),
        (b"TFL3" * 50, "not a .midge file"),
        (b"\xff" * 500, "not a .midge file"),
        ("modèle".encode() * 50, "not a .midge file"),
    ],
    ids=["empty", "M", "magic", "zeros", "png", "png with magic", "header of zeros", "tflite", "ones", "text"],
)
@pytest.mark.parametrize("mode", MODES)
def test_something_else(load, data: bytes, words: str, mode: str) -> None:
    with pytest.raises(ValueError, match=words):
        load(data, mode)
    with pytest.raises(ValueError):
        model_file.from_bytes(data)


def test_other_versions(load, good: bytes) -> None:
    for version in (0, 1, spec.FORMAT_VERSION - 1, spec.FORMAT_VERSION + 1, 255, 65535):
        data = good[:4] + struct.pack("<H", version) + good[6:]
        words = f"format {version}, this midge reads {spec.FORMAT_VERSION}; "
        older = version < spec.FORMAT_VERSION
        assert words + ("convert the model again" if older else "deploy the library") in refusal(load, data)
        with pytest.raises(ValueError, match=words + ("convert" if older else "install the midge that made it")):
            model_file.from_bytes(data)


@pytest.mark.parametrize("mode", MODES)
def test_truncated_and_extended(load, good: bytes, mode: str) -> None:
    for size in [*range(0, len(good), 3), len(good) - 2, len(good) - 1]:
        refusal(load, good[:size], mode)
    for tail in (b"\0", bytes(16), good):
        assert "bytes long" in refusal(load, good + tail, mode)


def bytes_of_sections(good: bytes) -> list[int]:
    """All bytes of a file but those between sections, which nobody reads."""
    found = list(hostile.directory(good))
    last = found[-1][0] + spec.SECTION.size
    ends = [(0, last), *((section["offset"], section["offset"] + section["bytes"]) for _, section in found)]
    assert ends[-1][1] == len(good)
    return [at for first, end in ends for at in range(first, end)]


@pytest.mark.parametrize("mode", MODES)
def test_flipped_bits(load, good: bytes, mode: str) -> None:
    """Every bit of the file: a checksum tells, that of the weights at the latest in the self-test."""
    start = hostile.weights_at(good)
    for at in bytes_of_sections(good):
        for bit in range(8) if at < spec.HEADER.size else (at % 8, at % 7):
            data = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
            if at < start or mode == "ram":
                with pytest.raises(ValueError):
                    load(data, mode)
            else:
                with pytest.raises(ValueError, match="damaged weights"):
                    load(data, mode).selftest()


def test_flipped_bits_on_the_pc(good: bytes) -> None:
    for at in bytes_of_sections(good):
        with pytest.raises(ValueError):
            model_file.from_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])


def test_a_file_that_shrinks_while_it_is_streamed(load, good: bytes, tmp_path: Path) -> None:
    description = model_file.from_bytes(good)
    del description.entries["init"]  # or loading it would read the file, which is so small that CPython keeps it
    model = load(description.to_bytes(), "stream")
    (tmp_path / "m.midge").write_bytes(good[:-200])
    with pytest.raises(OSError, match="cannot be read any more"):
        model.predict(bytes(40))


def test_a_file_that_is_replaced(load, good: bytes, tmp_path: Path) -> None:
    """Names are read when they are needed: from another file, they are not taken for this one's."""
    for data in (b"", bytes(len(good)), good.replace(b"\n", b"_"), good[:100]):
        model = load(good)
        (tmp_path / "m.midge").write_bytes(data)
        with pytest.raises(ValueError, match=r"changed|to its end"):
            model.profile(bytes(40))


# Files with right checksums and wrong fields.


def sections(good: bytes) -> dict[str, list[tuple[Layout, int]]]:
    """Where the layouts lie in the file, in parts of about the same work."""
    found = hostile.places(good)
    records = found.pop("PROG")
    half = len(records) // 2
    return {
        "header": found.pop("") + found.pop("DIR"),
        "tensors": [place for rows in found.values() for place in rows],
        "first records": records[:half],
        "last records": records[half:],
    }


def crafted(good: bytes, part: str) -> Iterator[tuple[str, bytes]]:
    """Every field of a part of the file with every extreme value, and random combinations; checksums repaired."""
    rng = np.random.default_rng(len(part))
    for layout, at in sections(good)[part]:
        raw = good[at : at + layout.size]
        changes = list(hostile.field_mutants(layout, raw))
        changes += [(f"{layout.name} random {i}", hostile.random_mutant(layout, raw, rng)) for i in range(100)]
        for what, changed in changes:
            yield f"at {at}: {what}", hostile.repaired(good[:at] + changed + good[at + layout.size :])


@functools.cache
def mutants(good: bytes, part: str) -> list[tuple[str, bytes, bool]]:
    """The crafted files of a part, and whether each takes a time that a test has."""
    return [(what, data, not too_long(data)) for what, data in crafted(good, part)]


def too_long(data: bytes) -> bool:
    try:
        return hostile.work(model_file.from_bytes(data).records) > WORK
    except ValueError:
        return False  # refused, or its records are the good ones


PARTS = ["header", "tensors", "first records", "last records"]


def on_cpython(load, files: list[tuple[str, bytes, bool]], backend: str) -> list[str]:
    answers = []
    for i, (what, data, runs) in enumerate(files):
        try:
            model = load(data, MODES[i % 3], backend)
            answers.append(outcome(model) if runs else "long")
        except REFUSALS as error:
            assert str(error), f"{what}: {error!r} says nothing"
            answers.append(type(error).__name__)
        except Exception as error:
            raise AssertionError(f"{what} ({MODES[i % 3]}, {backend}): {error!r}") from error
    return answers


@pytest.mark.parametrize("part", PARTS)
def test_crafted_files_on_the_pc(load, good: bytes, part: str, no_hang: None) -> None:
    """The tools read the file with the same eyes: what they accept, a device loads and NumPy runs; what they refuse,
    it refuses, but for the provenance, at which it does not look."""
    for what, data, runs in mutants(good, part):
        try:
            model = model_file.from_bytes(data)
        except ValueError as error:
            if "provenance" not in str(error):
                try:
                    load(data)
                except ValueError:
                    continue
                raise AssertionError(f"{what}: on the PC {error}") from error
            continue
        load(data)
        if runs:
            reference.predict(model, reference.start(model), [np.zeros(t.shape, t.element) for t in model.inputs])


@pytest.mark.parametrize("edges", ["inputs", "outputs"])
def test_a_model_without_inputs_or_outputs(load, good: bytes, edges: str) -> None:
    model = model_file.from_bytes(good)
    setattr(model, edges, [])
    refusal(load, model.to_bytes())


NO_SHAPE = (0, 5, 0, 0, 0, 0)
IMPOSSIBLE_TENSORS = [
    {"bytes": 0, "shape": NO_SHAPE, "rank": 2},
    {"bytes": 1 << 28, "shape": (1 << 14, 1 << 14, 0, 0, 0, 0), "rank": 2},
    {"bytes": 0, "shape": (65535,) * 6, "rank": 6},
    {"bytes": 1, "shape": (1,) * 6, "rank": 7, "flags": 1},
    {"flags": 4},
    {"flags": 8},
    {"flags": 1, "rank": 0, "bytes": 1},
    {"offset": 0xFFFFFFFF, "bytes": 40},
    {"scale": 0.0},
    {"scale": -1.0},
    {"scale": float("inf")},
    {"scale": float("nan")},
    {"scale": 1e-35},
    {"zero_point": 128},
    {"zero_point": -129},
    {"dtype": 0},
    {"dtype": 6},
    {"element": 0},
    {"element": 2},
    {"element": 3},
    {"element": 4},
]


@pytest.mark.parametrize("changes", IMPOSSIBLE_TENSORS, ids=str)
@pytest.mark.parametrize("backend", ["native", "portable"])
def test_impossible_tensors(load, good: bytes, changes: dict, backend: str) -> None:
    for _, at in hostile.places(good)["TENS"]:
        fields = {**spec.TENSOR.unpack(good, at), **changes}
        data = hostile.repaired(good[:at] + spec.TENSOR.pack(**fields) + good[at + spec.TENSOR.size :])
        assert "tensor " in refusal(load, data, "ram", backend)


# The same files on MicroPython, thousands in one process.
SCRIPT = """
import json, struct, sys
import midge
from outcome import outcome

def main(folder, backend):
    answers = []
    with open(folder + "/files", "rb") as files:
        count, = struct.unpack("<I", files.read(4))
        for i in range(count):
            size, runs = struct.unpack("<IB", files.read(5))
            with open(folder + "/m.midge", "wb") as file:
                file.write(files.read(size))
            try:
                model = midge.load(folder + "/m.midge", ("ram", "auto", "stream")[i % 3], backend)
                answers.append(outcome(model) if runs else "long")
            except (ValueError, MemoryError, OSError) as error:
                answers.append(type(error).__name__)
            except Exception as error:
                sys.print_exception(error)
                answers.append("at %d: %r" % (i, error))
    with open(folder + "/answers", "w") as file:
        json.dump(answers, file)

main(sys.argv[1], sys.argv[2])
"""


def on_micropython(folder: Path, files: list[tuple[str, bytes, bool]], backend: str) -> list[str]:
    with open(folder / "files", "wb") as file:
        file.write(struct.pack("<I", len(files)))
        for _, data, runs in files:
            file.write(struct.pack("<IB", len(data), runs) + data)
    (folder / "script.py").write_text(SCRIPT)
    (folder / "outcome.py").write_bytes((SUPPORT / "outcome.py").read_bytes())
    micropython.lay_out(folder, native=backend == "native")
    done = subprocess.run(
        [micropython.executable(), "-X", "heapsize=2m", str(folder / "script.py"), str(folder), backend],
        env={"MICROPYPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"died with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return json.loads((folder / "answers").read_text())


def writes_over_its_input(data: bytes) -> bool:
    """Whether the output of a record lies over values that it reads: kernels, which are others on a PC, read and write
    in orders of their own."""
    model = model_file.from_bytes(data)
    for op in model.records:
        *read, written, _ = hostile.spans(op, model.arena_bytes)
        in_place = "kernel_h" not in op  # value by value, from the first to the last
        for one in read:
            shared = max(one.start, written.start) < min(one.stop, written.stop)
            if shared and not (in_place and one.start == written.start):
                return True
    return False


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("backend", "first"), [("native", 0), ("portable", 1)])
def test_crafted_files(load, good: bytes, part: str, backend: str, first: int, tmp_path: Path, no_hang: None) -> None:
    """CPython and MicroPython refuse or run every third file, and give the same answer; MicroPython has less memory."""
    files = mutants(good, part)[first::3]
    expected = on_cpython(load, files, backend)
    refused = sum(answer in ("ValueError", "MemoryError", "OSError") for answer in expected)
    assert len(files) > 150 and len(files) // 4 < refused < len(files)
    answers = on_micropython(tmp_path, files, backend)
    for (what, data, _), mine, wanted in zip(files, answers, expected, strict=True):
        if mine.startswith("differs") and wanted.startswith("differs") and writes_over_its_input(data):
            continue
        assert mine == wanted or mine == "MemoryError", f"{what}: {mine}, on CPython {wanted}"


def on_javascript(files: list[tuple[str, bytes, bool]]) -> list[str]:
    if why := backends.problem("wasm"):
        pytest.skip(why)
    packed = b"".join(struct.pack("<IB", len(data), runs) + data for _, data, runs in files)
    command = ["node", str(SUPPORT / "outcome.mjs"), str(wasm.LIBRARY), str(wasm.CORE)]
    done = subprocess.run(command, input=packed, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model that takes sound."""
    folder = tmp_path_factory.mktemp("hearing")
    (folder / "m.tflite").write_bytes(audio_graphs.window(3))
    return convert(folder / "m.tflite", folder / "m.midge", audio="micro:10ms").to_bytes()


@pytest.mark.parametrize("part", [*PARTS, "truncated", "sound"])
def test_crafted_files_in_javascript(load, good: bytes, hearing: bytes, part: str, no_hang: None) -> None:
    """JavaScript runs or refuses every third file as CPython does, and says why in the same words."""
    if part == "truncated":
        files = [(f"{size} bytes", good[:size], False) for size in range(0, len(good), 11)]
    elif part == "sound":
        files = []
        for layout, at in [place for tag in ("AUDI", "ENTR", "TENS") for place in hostile.places(hearing)[tag]]:
            for what, raw in hostile.field_mutants(layout, hearing[at : at + layout.size]):
                data = hearing[:at] + raw + hearing[at + layout.size :]
                files.append((what, hostile.repaired(data), False))
    else:
        files = mutants(good, part)[2::3]
    for (what, data, runs), mine in zip(files, on_javascript(files), strict=True):
        try:
            model = load(data)
            wanted = outcome(model) if runs else "long"
        except ValueError as error:
            # Its path is longer; tags of sections are bytes.
            wanted = re.sub(r"^.*m\.midge: ", "m.midge: ", str(error)).replace(" b'", " '")
        if mine.startswith("differs") and wanted.startswith("differs") and writes_over_its_input(data):
            continue
        assert mine == wanted, what


# A native module that is not for this board.

PREBUILT = Path(__file__).resolve().parents[2] / "native_modules" / "prebuilt"
NATIVE = (PREBUILT / "midge_core-x64.mpy").read_bytes()
ARMV6M, XTENSAWIN = 4, 10


def for_arch(arch: int) -> bytes:
    return NATIVE[:2] + bytes([NATIVE[2] & 3 | arch << 2]) + NATIVE[3:]


OTHER_MODULES = [
    ("midge_core.mpy", for_arch(ARMV6M), "does not fit .*mpy arch"),
    ("midge_core.mpy", for_arch(XTENSAWIN), "does not fit .*mpy arch"),
    ("midge_core.mpy", NATIVE[:1] + b"\5" + NATIVE[2:], "does not fit"),
    ("midge_core.mpy", PNG, "does not fit"),
    ("midge_core.mpy", b"", "does not fit"),
    ("midge_core.py", b"FORMAT = 9\n", "of another version"),
    ("midge_core.py", b"\n", "of another version"),
]
LOADS = """
import sys
import midge
model = midge.load(sys.argv[1])
print(model.backend, len(model.predict(bytes(40))))
try:
    midge.load(sys.argv[1], backend="native")
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(("name", "module", "words"), OTHER_MODULES)
def test_native_module_for_another_board(good: bytes, tmp_path: Path, name: str, module: bytes, words: str) -> None:
    """The portable kernels stand in, and one line says why."""
    micropython.lay_out(tmp_path, native=False)
    (tmp_path / name).write_bytes(module)
    (tmp_path / "script.py").write_text(LOADS)
    (tmp_path / "m.midge").write_bytes(good)
    done = subprocess.run(
        [micropython.executable(), tmp_path / "script.py", tmp_path / "m.midge"],
        env={"MICROPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    notice, backend, refusal = done.stdout.splitlines()
    assert re.fullmatch(rf"midge: midge_core .*{words}.*; using the slow portable kernels", notice)
    assert backend == "portable 3"
    assert re.search(words, refusal)


@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_a_file_that_is_not_there(tmp_path, python: str) -> None:
    """The error says which."""
    script = (
        "import midge\ntry:\n    midge.load('gone.midge')\nexcept OSError as error:\n    print(error.errno, error)\n"
    )
    command, folder = [sys.executable, "-c", script], None
    if python == "micropython":
        if micropython.problem("micropython-portable"):
            pytest.skip("MicroPython is not installed")
        command, folder = [micropython.executable(), "-c", script], {"MICROPYPATH": str(micropython.LIBRARY.parent)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=folder)
    assert done.stdout.startswith("2 ") and "gone.midge" in done.stdout, done.stderr
