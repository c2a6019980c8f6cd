"""The fuzz targets in C: how they are built, for libFuzzer or to replay files, and the inputs that they begin with."""

from __future__ import annotations

import itertools
import json
import os
import random
import struct
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import detections
import numpy as np

import hostile
import pictures
from midge import _portable
from midge_host.conversion import build as build_model
from midge_host.device import coding, registry, spec
from midge_host.device.layout import Layout
from midge_host.device.model_file import ModelFile
from midge_host.frontends import tflite

HERE = Path(__file__).parent
NATIVE = HERE.parents[1] / "native_modules"
PARTS = (NATIVE / "core", NATIVE / "kernels" / "generic")
SOURCES = [path for part in PARTS for path in sorted(part.rglob("*.c"))]
INCLUDES = [f"-I{part}" for part in PARTS]
JOB = Layout(
    "job",
    "job.h",
    [
        *[("I", name, "") for name in ("arena_bytes", "weights_bytes", "declared", "base")],
        *[("H", name, "") for name in ("first", "last", "begin", "end")],
        ("I", "seed", ""),
        *[("B", name, "") for name in ("records", "arena_skew", "weights_skew", "parts")],
    ],
)
MAX_RECORDS, MAX_BYTES = 8, 1 << 15  # of job.h
FLAGS = ["-g", "-O2", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fno-sanitize-recover=all"]


@dataclass(frozen=True)
class Target:
    """A program to compile: the file that calls the core, files for libFuzzer only, and the core."""

    program: str
    mutator: tuple[str, ...] = ()

    def sources(self, fuzzer: bool) -> list[Path]:
        own = [HERE / name for name in (self.program, *(self.mutator if fuzzer else ["replay.c"]))]
        return own + SOURCES


TARGETS = {
    "core": Target("core.c", ("mutate.c",)),
    "edge": Target("edges.c"),
    "picture": Target("pictures.c"),
    "learn": Target("learning.c"),
    "packed": Target("packed.c"),
    "detect": Target("detecting.c"),
    "rows": Target("turning.c"),
}


def fields_header() -> str:
    """fields.h: where the numbers of every operator's record lie."""
    out = [
        "#include <stdint.h>",
        "typedef struct { uint8_t offset, bytes; } field_t;",
        "typedef struct { uint8_t code, bank, types; uint32_t count; field_t fields[64]; } layout_t;",
        "static const layout_t layouts[] = {",
    ]
    for op in registry.OPERATORS:
        places = []
        for field in op.layout.fields:
            if field.code[-1] != "s":
                unit = struct.calcsize(field.code[-1])
                at = op.layout.offsets[field.name]
                places += [f"{{{at + i}, {unit}}}" for i in range(0, field.size, unit)]
        head = f"{op.code}, {op.bank.number}, {op.types}, {len(places)}"
        out.append(f"    {{{head}, {{{', '.join(places)}}}}},")
    return "\n".join([*out, "};", ""])


def build(name: str, folder: Path, fuzzer: bool = False, coverage: bool = False) -> Path:
    """The target's program: with libFuzzer (clang), or with a main() that replays the files it is given (gcc), under
    sanitizers or counting what it executes."""
    folder = folder.resolve()  # the compiler runs in it
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fields.h").write_text(fields_header())
    program = folder / f"{name}{'' if fuzzer else '-replay'}"
    kind = ["clang", "-fsanitize=fuzzer,address,undefined"] if fuzzer else ["gcc", "-fsanitize=address,undefined"]
    if coverage:
        kind = ["gcc", "--coverage"]
    command = [*kind, *FLAGS, *INCLUDES, f"-I{folder}", *map(str, TARGETS[name].sources(fuzzer))]
    if coverage:
        command.append("-O0")
    done = subprocess.run([*command, "-lm", "-o", str(program)], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return program


def replay(
    name: str, folder: Path, inputs: Iterable[tuple[str, bytes]], coverage: bool = False
) -> subprocess.CompletedProcess:
    """Runs the target on inputs; it prints the name of each before it begins with it."""
    program = build(name, folder, coverage=coverage)
    files = []
    for file, data in inputs:
        (folder / file).write_bytes(data)
        files.append(file)
    quiet = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    return subprocess.run([program, *files], cwd=folder, env=quiet, capture_output=True, text=True, timeout=300)


def coverage(folder: Path) -> dict[Path, tuple[int, int]]:
    """How many of each file's lines of the core the programs built in folders of `folder` have executed, and of how
    many."""
    counts: dict[Path, dict[int, int]] = {}
    for data in folder.glob("*/*.gcda"):
        command = ["gcov", "--json-format", "--stdout", data.name]
        done = subprocess.run(command, cwd=data.parent, capture_output=True, check=True)
        for file in json.loads(done.stdout)["files"]:
            path = Path(file["file"]).resolve()
            if any(path.is_relative_to(part) for part in PARTS):
                lines = counts.setdefault(path.relative_to(NATIVE), {})
                for line in file["lines"]:
                    lines[line["line_number"]] = lines.get(line["line_number"], 0) + line["count"]
    return {path: (sum(n > 0 for n in lines.values()), len(lines)) for path, lines in sorted(counts.items())}


def pack_job(model: ModelFile, records: bytes, **changes: int) -> bytes:
    """An input of core.c that runs a model's records in buffers that just hold them."""
    count = len(records) // spec.RECORD_BYTES
    sizes = {"arena_bytes": model.arena_bytes, "weights_bytes": len(model.weights), "declared": len(model.weights)}
    job = {**sizes, "last": count, "end": 0xFFFF, "seed": 1, "records": count, **changes}
    return JOB.pack(**job) + records


def core_seeds() -> Iterator[bytes]:
    """Every specimen with its own weights and with others, and a network in parts."""
    network = build_model(tflite.load_tflite(hostile.network(), "network.tflite"))
    for model in [*hostile.specimens().values(), network]:
        if model.arena_bytes > MAX_BYTES or len(model.weights) > MAX_BYTES:
            continue
        parts = range(0, len(model.records), MAX_RECORDS)
        for part in parts:
            records = model.program()[part * spec.RECORD_BYTES :][: MAX_RECORDS * spec.RECORD_BYTES]
            yield pack_job(model, records) + model.weights[:4096]
            for seed in (4, 5, 6, 7, 1000):
                yield pack_job(model, records, seed=seed, weights_skew=1, arena_skew=seed & 3)


def edge_seeds() -> Iterator[bytes]:
    pixels = {"pixel_multiplier": 1 << 16, "pixel_offset": -128 << 16}
    fields = {"offset": 4, "bytes": 24, "scale": 0.05, "zero_point": -3, "dtype": 1, "rank": 1, **pixels}
    reading = struct.pack("<12f", 0, 1, -1, 0.024999, 0.025, 6.4, -6.4, 1e9, -1e30, 1e-40, float("inf"), float("-inf"))
    for element, call, kind in itertools.product((1, 4, 5), range(4), range(7)):
        tensor = spec.TENSOR.pack(**fields, shape=(24, 0, 0, 0, 0, 0), element=element)
        yield tensor + struct.pack("<HBBbBH", 28, call, kind, 0, kind & 3, 0) + reading
        if kind == 2:
            yield tensor + struct.pack("<HBBbBH", 28, call, 2, 0, 0, 0) + struct.pack("<f", float("nan"))


def picture_seeds() -> Iterator[bytes]:
    """Cases of midge.Image in buffers that just hold them, and with a byte less for one of them."""
    few = [case for case in pictures.CASES if case.width * case.height < 5000]
    for case, has_tables in itertools.product([*few, *pictures.random_cases(30)], (False, True)):
        view, scratch = pictures.prepared(case, _portable)
        sizes = [len(case.frame()), scratch, int(np.prod(case.shape))]
        for lengths in [sizes, *([n - (i == k) for i, n in enumerate(sizes)] for k in range(3))]:
            count = case.shape[2] if has_tables else 0
            head = spec.VIEW.pack(**view) + pictures.descriptor(case.shape)
            yield head + struct.pack("<3H2B", *lengths, count, case.odd) + case.frame()[:64]
        strip = bytearray(pictures.descriptor(case.shape))
        row = case.shape[1] * case.shape[2]
        for begin, rows in ((0, 1), (case.shape[0] - 1, 1), (1, case.shape[0])):
            struct.pack_into("<I", strip, spec.TENSOR.offsets["bytes"], rows * row)
            lengths = struct.pack("<3H2B", *sizes[:2], rows * row, 0, case.odd)
            yield spec.VIEW.pack(**{**view, "begin": begin}) + strip + lengths + case.frame()[:64]


def learning_seeds() -> Iterator[bytes]:
    """Every function of midge_learn in buffers that just hold what it takes, with a byte less for one of them, and with
    facts at their ends."""
    size, classes, samples = 6, 3, 4
    usual = {"size": size, "method": 1, "shift": 5, "input_bits": 5, "fraction": 9, "zero_point": -3}
    head, row = {"method": spec.LEARN_METHODS["head"]}, 2 * (size + 1)
    table, weights, p = 2 * spec.LEARN_EXPONENTS, row * classes, 4 * classes
    angular, whitened = spec.LEARN_FLAGS["angular"], spec.LEARN_FLAGS["whitened"]
    for function, sizes, facts in (
        (0, (0, 0, size, 2 * size), {}),
        (0, (0, 0, size, 2 * size), {"flags": angular}),
        (0, (size * size, 4 * size, size, 2 * size), {"flags": angular | whitened}),
        (0, (0, 0, size, row), head),
        (1, (4 * size + 4, 2 * size), {}),
        (1, (4 * size + 4, 2 * size), {"flags": angular}),
        (2, (6 * size, 2 * size, 12), {}),
        (3, (table, weights, row, p), head),
        (4, (table, samples * size, samples, weights, 2 * samples, 4, row, p), head),
    ):
        ends = [{}, {"size": 0}, {"shift": 31}, {"input_bits": 9}, {"fraction": 16}, {"rate": 15}, {"zero_point": 128}]
        for changed in ends:
            for small in (None, *range(len(sizes))):
                fields = {field.name: 0 for field in spec.LEARN.fields} | usual | facts | changed
                lengths = [n - (i == small) for i, n in enumerate(sizes)]
                job = struct.pack("<8H2B2x", *[max(n, 0) for n in lengths], *[0] * (8 - len(sizes)), function, 0)
                for filling in (b"", b"\0\1\0\0", bytes([1, 0, 0, 0, 2, 0, 0, 0]), bytes(range(4))):
                    yield spec.LEARN.pack(**fields) + job + filling


def packed_seeds() -> Iterator[bytes]:
    """A small model's pieces and random ones, some in codes of Huffman's: whole and in parts, with bytes changed."""
    draw = random.Random(3)
    made = [coding.encode(*hostile.coded_program()), *(hostile.random_piece(draw)[0] for _ in range(40))]
    for coded, piece in [(one, piece) for one in made if one for piece in one.pieces]:
        data = coded.data[piece["offset"] :][: piece["stored_bytes"]]
        for part, skew in ((len(data), 0), (len(data) // 2, 1), (7, 0)):
            head = struct.pack("<4H2BH", len(coded.code), part, piece["bytes"], 0, skew, piece["encoding"] == 0, 0)
            yield head + coded.code + data
            for at in range(0, min(len(coded.code) + 24, len(coded.code + data)), 3):
                changed = bytearray(coded.code + data)
                changed[at] ^= 1 << at % 8
                yield head + changed


def detecting_seeds() -> Iterator[bytes]:
    """Heads of every kind in buffers that just hold what they take, with a byte less for one of them, and with every
    field at extremes."""
    for case in detections.CASES.values():
        made, arena = case.detection(), case.arena(1).tobytes()
        section = made.to_bytes()
        sizes = [len(section), len(arena), 2 * made.most * (6 + 2 * made.keypoints), 1 + made.most]
        for small in (None, *range(len(sizes))):
            lengths = [n - (i == small) for i, n in enumerate(sizes)]
            yield struct.pack("<4I", *lengths) + section + arena
        for hostile_one in detections.hostile_sections(section):
            yield struct.pack("<4I", len(hostile_one), *sizes[1:]) + hostile_one + arena[:256]


def turning_seeds() -> Iterator[bytes]:
    """Regions in buffers that just hold them, with a byte less for one of them, from any turn on, and with every field
    of the section at extremes."""
    for model in hostile.regions():
        region = model.region
        assert region
        section, program = region.to_bytes(), model.program()
        fresh = bytearray(4 * len(region.rings))
        if not region.is_fed:
            struct.pack_into("<H", fresh, 2, region.rings[0].height)
        sizes = [len(section), len(program), len(fresh), model.arena_bytes]
        jobs = [(section, sizes, turn, 0) for turn in range(0, len(region.turns), 3)]
        jobs += [(section, sizes, 0, skew) for skew in (1, 1 << 2, 1 << 4, 1 << 6, 1 << 8)]
        for small in range(len(sizes)):
            fewer = [n - (i == small) for i, n in enumerate(sizes)]
            jobs.append((section[: fewer[0]], fewer, 0, 0))
        for layout, at in hostile.region_places(section)[:4]:
            for _, changed in hostile.field_mutants(layout, section[at : at + layout.size]):
                jobs.append((section[:at] + changed + section[at + layout.size :], sizes, 0, 0))
        for one, lengths, turn, skew in jobs:
            yield struct.pack("<8H", *lengths, model.predict.start, turn, 0xFFFF, skew) + one + program + fresh


def asks_for_work(path: Path) -> bool:
    """Whether the records of an input of core.c, which takes long, really have much to do."""
    data = path.read_bytes()
    job = JOB.unpack(data.ljust(JOB.size, b"\0"))
    total = 0
    for i in range(min(job["records"], MAX_RECORDS)):
        raw = data[JOB.size + i * spec.RECORD_BYTES :][: spec.RECORD_BYTES].ljust(spec.RECORD_BYTES, b"\0")
        operator = registry.of_bytes(raw)
        if operator:
            op = operator.layout.unpack(raw)
            # midge_run does not look at these as midge_check does.
            loose = {"output_bytes": 0, "weights": 0, "block_bytes": spec.align(op["block_bytes"], 4) & 0xFFFFFFFF}
            if hostile.check({**op, **loose}, MAX_BYTES) == 0:
                total += hostile.work([op])
    return total > 20_000


def seeds(name: str) -> list[bytes]:
    programs = {
        "core.c": core_seeds,
        "edges.c": edge_seeds,
        "pictures.c": picture_seeds,
        "learning.c": learning_seeds,
        "packed.c": packed_seeds,
        "detecting.c": detecting_seeds,
        "turning.c": turning_seeds,
    }
    return list(programs[TARGETS[name].program]())
