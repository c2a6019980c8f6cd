"""The fuzz targets in Python: everything that reads files. Each has seeds, a way to change an input that keeps most of
it valid, and `run`, which raises where a file does what it must not."""

from __future__ import annotations

import contextlib
import io
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from onnx import ModelProto
from onnx_models import specimens

import hostile
import midge
from midge_host import backends  # noqa: F401
from midge_host.commands import info  # noqa: F401 - the CLI imports them late
from midge_host.commands import main as cli
from midge_host.conversion import GOLDEN_SEED, build, convert
from midge_host.device import model_file, reference, registry, spec
from midge_host.errors import MidgeError
from midge_host.frontends import onnx, tflite
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.verify import verify
from outcome import outcome
from tflite_models import ModelBuilder

WORK = 20_000  # runs that take longer are left out: a file may ask for much
MEMORY = 1 << 20  # so are those that take more, as files may up to spec.MAX_ARENA_BYTES
MODES = ("ram", "map", "stream")
FOLDER = Path(tempfile.mkdtemp(prefix="midge-fuzz-"))
Mutate = Callable[[bytes, int], bytes]  # atheris.Mutate: changes bytes at random, up to a length


@dataclass(frozen=True)
class Reader:
    """A fuzz target."""

    seeds: Callable[[], Iterator[bytes]]
    mutate: Callable[[bytes, np.random.Generator, Mutate], bytes]
    run: Callable[[bytes], None]


def mutate_midge(data: bytes, rng: np.random.Generator, more: Mutate) -> bytes:
    """A field or a few bytes of a .midge file changed; nearly always the checksums are right again."""
    if len(data) < spec.HEADER.size or rng.integers(20) == 0:
        return more(data, len(data) + 16)
    way = rng.integers(10)
    if way == 0:  # texts and weights
        at = int(rng.integers(spec.HEADER.size, len(data) + 1))
        end = min(len(data), at + int(rng.integers(1, 40)))
        data = data[:at] + more(data[at:end], end - at).ljust(end - at, b"\0") + data[end:]
    else:
        # Records as often as all the others.
        found = hostile.places(data)
        records = found.pop("PROG", [])
        others = [place for rows in found.values() for place in rows]
        for _ in range(1 + rng.integers(3)):
            chosen = records if records and rng.integers(2) else others
            layout, at = chosen[rng.integers(len(chosen))]
            if at + layout.size <= len(data):
                data = data[:at] + hostile.change(layout, data[at : at + layout.size], rng) + data[at + layout.size :]
    if way == 1:  # the size as it is
        fields = {**spec.HEADER.unpack(data), "file_bytes": len(data)}
        data = spec.HEADER.pack(**fields) + data[spec.HEADER.size :]
    return hostile.repaired(data) if rng.integers(20) else data


def _records(program: bytes) -> list[dict[str, object]]:
    raws = [bytes(program[at : at + spec.RECORD_BYTES]) for at in range(0, len(program), spec.RECORD_BYTES)]
    return [registry.of_bytes(raw).layout.unpack(raw) for raw in raws]


def affordable(model: midge.Model) -> bool:
    edges = sum(8 * tensor.bytes for tensor in model.inputs + model.outputs)
    return hostile.work(_records(model._program)) < WORK and model.arena_bytes + edges < MEMORY


# The device's loader: an input is a byte that says how the weights are read, and a .midge file.


def load_seeds() -> Iterator[bytes]:
    for i, model in enumerate([*hostile.specimens().values(), *hostile.regions()]):
        model.golden_seed = GOLDEN_SEED
        model.golden = reference.golden_values(model)
        yield bytes([i % 3]) + model.to_bytes()
    (FOLDER / "good.tflite").write_bytes(hostile.network())
    for i in range(3):
        convert(FOLDER / "good.tflite", FOLDER / "good.midge")
        yield bytes([i]) + (FOLDER / "good.midge").read_bytes()


def load_mutate(data: bytes, rng: np.random.Generator, more: Mutate) -> bytes:
    mode = data[:1] if rng.integers(10) else bytes([rng.integers(3)])
    return mode + mutate_midge(data[1:], rng, more)


def load_run(data: bytes) -> None:
    """ValueError or MemoryError, or a model that runs, with the same results natively and in plain Python; and the PC's
    tools accept what the device does."""
    mode, data = MODES[data[0] % 3] if data else "ram", data[1:]
    path = FOLDER / "m.midge"
    path.write_bytes(data)
    try:
        on_pc = model_file.from_bytes(data)
    except ValueError as error:
        on_pc = error
    answers = []
    for backend in ("native", "portable"):
        try:
            model = midge.load(str(path), mode, backend)
        except (ValueError, MemoryError) as error:
            assert str(error), "a refusal that says nothing"
            assert not isinstance(on_pc, model_file.ModelFile), f"the device says {error}"
            answers.append("refused")
            continue
        if not isinstance(on_pc, model_file.ModelFile):
            # The device does not look at the provenance, and at streamed weights only in the self-test.
            known = "provenance" in str(on_pc) or (mode != "ram" and "checksum of section 'WGHT'" in str(on_pc))
            assert known, f"the PC says {on_pc}"
        if not affordable(model):
            return
        said = outcome(model)
        records = _records(model._program)
        alike = all(hostile.has_one_meaning(op, model.arena_bytes) for op in records)
        if isinstance(on_pc, model_file.ModelFile):
            alike = alike and (on_pc.region is None or hostile.keeps_rows(on_pc))
            zeros = [np.zeros(tensor.shape, tensor.element) for tensor in on_pc.inputs]
            reference.predict(on_pc.whole, reference.start(on_pc.whole), zeros)
        answers.append(said if alike else "runs")
    assert answers[0] == answers[1], f"native {answers[0]}, portable {answers[1]}"


# The importer and the converter: an input is a .tflite file.

NUMBERS = [0, 1, 2, 3, 4, 7, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
NUMBERS += [struct.unpack("<I", struct.pack("<f", x))[0] for x in (1e-30, 1e30, 0.5, -1.0, float("inf"), float("nan"))]


def tflite_seeds() -> Iterator[bytes]:
    yield hostile.network()
    yield from hostile.sources().values()
    for weights in (np.ones((4, 6), np.float32), np.ones((4, 6), np.float16), np.ones((4, 6), np.int8)):
        m = ModelBuilder()
        x, y, z = m.tensor((1, 6), "float32"), m.tensor((1, 4), "float32"), m.tensor((2, 2), "float32")
        scale = (0.5, 0) if weights.dtype == np.int8 else None
        m.op("FULLY_CONNECTED", [x, m.constant(weights, quant=scale), -1], [y], options_table="FullyConnectedOptions")
        m.op("RESHAPE", [y, m.constant(np.array([2, -1], np.int32))], [z])
        yield tflite.to_tflite(tflite.load_tflite(m.build([x], [z]), "m.tflite"))
        yield m.build([x], [z])


def tflite_mutate(data: bytes, rng: np.random.Generator, more: Mutate) -> bytes:
    """Words, bytes and pieces changed at their places: offsets of all that follows stay right."""
    if len(data) < 16 or rng.integers(20) == 0:
        return more(data, len(data) + 16)
    changed = bytearray(data)
    for _ in range(1 + rng.integers(4)):
        size = (1, 2, 4, 4)[rng.integers(4)]
        at = int(rng.integers(len(data) // size)) * size
        now = int.from_bytes(changed[at : at + size], "little")
        other = int(rng.integers(len(data) // 4)) * 4
        near = (now - 1, now + 1, now - 4, now + 4, now ^ 1 << rng.integers(8 * size), now * 2)
        choice = (*near, int.from_bytes(data[other : other + 4], "little"), *NUMBERS, *NUMBERS)
        value = int(choice[rng.integers(len(choice))]) & (1 << 8 * size) - 1
        changed[at : at + size] = value.to_bytes(size, "little")
    return bytes(changed)


def affordable_tflite(data: bytes) -> bool:
    """Whether the file is refused, or becomes a model that NumPy runs soon."""
    try:
        model = build(tflite.load_tflite(data, "m.tflite"))
    except MidgeError as error:
        assert "\n" not in str(error) and len(str(error)) > 10, error
        return True
    return hostile.work(model.records) < 50 * WORK and model.arena_bytes < MEMORY


def tflite_run(data: bytes) -> None:
    """MidgeError, or a model that both the NumPy reference and the device library run alike."""
    if affordable_tflite(data):
        with contextlib.suppress(MidgeError):
            model = build(tflite.load_tflite(data, "m.tflite"))
            model.golden_seed = GOLDEN_SEED
            model.golden = reference.golden_values(model)
            path = FOLDER / "converted.midge"
            path.write_bytes(model.to_bytes())
            midge.load(str(path), "ram", "native").selftest()


# The importer of ONNX models: an input is an .onnx file.


def onnx_seeds() -> Iterator[bytes]:
    for model in specimens():
        yield model.SerializeToString()


def onnx_mutate(data: bytes, rng: np.random.Generator, more: Mutate) -> bytes:
    """Attributes, sizes, names and numbers changed in a file that stays a protobuf; sometimes its bytes."""
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        model = ModelProto()
    graph = model.graph
    if rng.integers(20) == 0 or not graph.node:
        return more(data, len(data) + 16)
    try:
        names = [name for node in graph.node for name in (*node.input, *node.output)]
    except UnicodeDecodeError:
        return more(data, len(data) + 16)
    for _ in range(1 + rng.integers(3)):
        way, number = rng.integers(7), int(rng.choice([-2, -1, 0, 1, 2, 3, 4, 5, 100, 1 << 31, 1 << 62]))
        node = graph.node[rng.integers(len(graph.node))]
        if way == 0 and node.attribute:
            attribute = node.attribute[rng.integers(len(node.attribute))]
            attribute.i = number
            if attribute.ints:
                attribute.ints[rng.integers(len(attribute.ints))] = number
        elif way == 1 and graph.initializer:
            dims = graph.initializer[rng.integers(len(graph.initializer))].dims
            if dims:
                dims[rng.integers(len(dims))] = number
        elif way == 2 and graph.initializer:
            constant = graph.initializer[rng.integers(len(graph.initializer))]
            raw = bytearray(constant.raw_data)
            raw[: len(raw) // 4 * 4] = np.full(len(raw) // 4, number, np.int64).astype(np.int32).tobytes()
            constant.raw_data = bytes(raw)
        elif way == 3 and node.input:
            node.input[rng.integers(len(node.input))] = names[rng.integers(len(names))]
        elif way == 4:
            node.op_type = graph.node[rng.integers(len(graph.node))].op_type
        elif way == 5 and graph.input:
            dims = graph.input[rng.integers(len(graph.input))].type.tensor_type.shape.dim
            if dims:
                dims[rng.integers(len(dims))].dim_value = number
        else:
            model.opset_import[0].version = int(rng.integers(5, 24))
    return bytes(model.SerializeToString())


def onnx_run(data: bytes) -> None:
    """MidgeError, or a sound graph that gives outputs of its shapes."""
    try:
        graph = onnx.load_onnx(data, "m.onnx").graph
        verify(graph)
    except MidgeError as error:
        assert "\n" not in str(error) and len(str(error)) > 10, error
        return
    if sum(t.size for node in graph.nodes for t in node.outputs) < WORK:
        with contextlib.suppress(MidgeError):
            outputs = Evaluator(graph).predict([np.zeros(e.tensor.shape, e.tensor.dtype) for e in graph.inputs])
            assert [y.shape for y in outputs] == [e.tensor.shape for e in graph.outputs]


# The command: an input is a byte that chooses, and a file.

COMMANDS = ["info m.midge", "info --json m.midge", "convert m.tflite -o out.midge", "run m.midge --inputs good.npz"]
COMMANDS += ["run good.midge --inputs m.npz", "convert good.tflite -o out.midge --labels m.txt"]


def cli_seeds() -> Iterator[bytes]:
    _shelf()
    good = {suffix: (FOLDER / f"good.{suffix}").read_bytes() for suffix in ("midge", "tflite", "npz")}
    for i, command in enumerate(COMMANDS):
        suffix = next(word for word in command.split() if word.startswith("m."))[2:]
        yield bytes([i]) + good.get(suffix, b"eins\nzwei\ndrei\n")


def _shelf() -> None:
    if not (FOLDER / "good.npz").exists():
        (FOLDER / "good.tflite").write_bytes(hostile.network())
        convert(FOLDER / "good.tflite", FOLDER / "good.midge")
        np.savez(FOLDER / "good.npz", inputs=np.zeros((2, 1, 4, 5, 2), np.int8))


def cli_mutate(data: bytes, rng: np.random.Generator, more: Mutate) -> bytes:
    command, data = data[:1] if rng.integers(20) else bytes([rng.integers(len(COMMANDS))]), data[1:]
    if data[4:8] == b"TFL3":
        return command + tflite_mutate(data, rng, more)
    if data[:4] == spec.MAGIC:
        return command + mutate_midge(data, rng, more)
    return command + more(data, len(data) + 16)


def cli_run(data: bytes) -> None:
    """Exit code 0, or 2 with one line on stderr."""
    _shelf()
    command = COMMANDS[data[0] % len(COMMANDS)] if data else COMMANDS[0]
    words = [str(FOLDER / word) if "." in word else word for word in command.split()]
    changed = next(Path(word) for word in words if "/m." in word)
    changed.write_bytes(data[1:])
    if changed.suffix == ".tflite" and not affordable_tflite(data[1:]):
        return
    if words[0] == "run":
        words += ["--outputs", str(FOLDER / "out.npz"), "--backend", "cpython"]
        if changed.suffix == ".midge":
            with contextlib.suppress(ValueError, MemoryError):
                if not affordable(midge.load(str(changed), "ram", "native")):
                    return
    out, err = io.StringIO(), io.StringIO()
    former = sys.argv
    try:
        sys.argv = ["midge", *words]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = former
    said = err.getvalue()
    assert code in (0, 2), f"exit code {code}: {said}"
    if code:
        assert out.getvalue() == "" and said.startswith("midge: ") and said.count("\n") == 1, said


READERS = {
    "load": Reader(load_seeds, load_mutate, load_run),
    "tflite": Reader(tflite_seeds, tflite_mutate, tflite_run),
    "onnx": Reader(onnx_seeds, onnx_mutate, onnx_run),
    "cli": Reader(cli_seeds, cli_mutate, cli_run),
}
