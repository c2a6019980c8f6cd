"""The C core under AddressSanitizer and UndefinedBehaviorSanitizer: thousands of crafted records, descriptors and
buffers, in one process. Whatever a file says, no byte outside its buffers is touched and nothing is undefined."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import hostile
from midge import _portable
from midge_host.device import spec
from midge_host.device.banks import BANKS, CORE
from midge_host.device.model_file import ModelFile
from midge_host.device.ops.window import WINDOW
from midge_host.device.registry import BY_TYPES, of_bytes, of_record

NATIVE = Path(__file__).resolve().parents[2] / "native_modules"
PARTS = (NATIVE / "core", NATIVE / "kernels" / "generic", NATIVE / "kernels" / "pc")
# The kernels of every processor; those of a PC, chosen by the processor here, without its vectors, and for AArch64.
NEON = "pc-neon"
KERNELS = {"generic": [], "pc": ["-DMIDGE_PC"], "pc-plain": ["-DMIDGE_PC", "-DMIDGE_PC_PLAIN"], NEON: ["-DMIDGE_PC"]}
# For tests of what all of them share.
once = pytest.mark.parametrize("driver", ["generic"], indirect=True)
# -O1 takes a minute for kernels/pc/core/plain.c, most of it to say where variables are.
SANITIZED = ["-g1", "-Og", "-fsanitize=address,undefined", "-fno-sanitize-recover"]
FLAGS = ["-std=c99", "-ffreestanding", "-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-Werror"]
# QEMU runs programs of another processor, but not with the sanitizers.
AARCH64, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
RUN, ENCODE, DECODE = range(3)
ALL = 0xFFFFFFFF
BAD_WEIGHTS = [name for name, _ in spec.REASONS].index("BAD_WEIGHTS") + 1
# Contents of the buffers; the driver repeats the last byte, the lowest weight there is.
PATTERN = np.random.default_rng(5).integers(0, 256, 1 << 13, dtype=np.uint8).tobytes() + b"\x80"


@dataclass
class Job:
    """One call of the core, as tests/native/driver.c reads it. `weights` is None for as many as are declared."""

    program: bytes
    arena: int
    declared: int = 0
    first: int = 0
    last: int = 1
    base: int = 0
    begin: int = 0
    end: int = ALL
    weights: int | None = None
    kind: int = RUN
    skew: int = 0
    name: str = ""
    parts: int = 1

    def pack(self) -> bytes:
        weights = self.declared if self.weights is None else self.weights
        numbers = (self.kind, self.skew, len(self.program), self.arena, weights, self.declared, self.first, self.last)
        return struct.pack("<12I", *numbers, self.base, self.begin, self.end, self.parts) + self.program


@dataclass
class Answer:
    check: int
    status: int
    crc: int


@dataclass
class Driver:
    """tests/native/driver.c with one kind of KERNELS, and the operators that it computes in its own way."""

    program: Path
    kernels: str

    @property
    def command(self) -> list[str | Path]:
        return [EMULATOR, self.program] if self.kernels == NEON else [self.program]

    def operators(self) -> Iterator[tuple[str, ModelFile, bytes]]:
        only_core = self.kernels != "generic"
        return (found for found in operators() if not only_core or found[2][1] == CORE.number)


@pytest.fixture(scope="module", params=KERNELS)
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Driver:
    if request.param == NEON:
        flags, tools = ["-O2", "-static"], [shutil.which(AARCH64), shutil.which(EMULATOR)]
    else:
        flags, tools = SANITIZED, [shutil.which("gcc") or shutil.which("cc")]
    if None in tools:
        pytest.skip(
            f"no compiler here for {request.param}, or nothing that runs it; as root on Debian: make toolchains"
        )
    program = tmp_path_factory.mktemp("native") / "driver"
    sources = [Path(__file__).with_name("driver.c"), *(path for part in PARTS for path in sorted(part.rglob("*.c")))]
    built = subprocess.run(
        [tools[0], *flags, *FLAGS, *KERNELS[request.param], *(f"-I{part}" for part in PARTS), *sources, "-o", program],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return Driver(program, request.param)


def run(driver: Driver, jobs: list[Job]) -> list[Answer]:
    """The driver's answers; fails with the sanitizers' report and the job that it is about."""
    path = driver.program.with_name("jobs")
    path.write_bytes(struct.pack("<I", len(PATTERN)) + PATTERN + b"".join(j.pack() for j in jobs))
    quiet = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}  # the core allocates nothing
    done = subprocess.run([*driver.command, path], env=quiet, capture_output=True, text=True, timeout=120)
    answers = [Answer(*map(int, line.split())) for line in done.stdout.splitlines()]
    if done.returncode or len(answers) < len(jobs):
        pytest.fail(f"at job {len(answers)}, {jobs[len(answers)].name}:\n{done.stderr[:3000]}")
    return answers


def filled(size: int) -> bytearray:
    """Contents of a buffer of the driver."""
    return bytearray(PATTERN[:size].ljust(size, PATTERN[-1:]))


def record(model: ModelFile) -> bytes:
    assert len(model.records) == 1
    return model.program()


def operators() -> Iterator[tuple[str, ModelFile, bytes]]:
    """Every record of the specimens."""
    for name, model in hostile.specimens().items():
        program = model.program()
        for at in range(0, len(program), spec.RECORD_BYTES):
            yield name, model, program[at : at + spec.RECORD_BYTES]


def test_every_operator_has_a_specimen() -> None:
    assert {(raw[0], raw[2]) for _, _, raw in operators()} == set(BY_TYPES)


PORTABLE = {bank.number: import_module(f"midge.{bank.portable}") for bank in BANKS}


def portable(raw: bytes):
    return PORTABLE.get(raw[1], _portable)


def mutants(driver: Driver, seed: int) -> Iterator[tuple[str, ModelFile, bytes]]:
    """Records in which fields have impossible and just possible values."""
    rng = np.random.default_rng(seed)
    for name, model, raw in driver.operators():
        layout = of_bytes(raw).layout
        for what, changed in hostile.field_mutants(layout, raw):
            yield f"{name}: {what}", model, changed
        for i in range(200):
            yield f"{name}: random {seed}.{i}", model, hostile.random_mutant(layout, raw, rng)


@pytest.fixture(scope="module")
def crafted(driver: Driver) -> list[tuple[Job, Answer]]:
    """Every mutant in an arena of the model's size and in one with room, with the weights that are declared."""
    jobs = []
    for name, model, raw in mutants(driver, 1):
        for room in (0, 2000):
            jobs.append(Job(raw, model.arena_bytes + room, len(model.weights) + room, name=f"{name}, room {room}"))
    return list(zip(jobs, run(driver, jobs), strict=True))


def test_crafted_records_stay_in_their_buffers(crafted) -> None:
    assert len(crafted) > 10_000
    for job, answer in crafted:
        # A record that the check has accepted is never refused when it runs.
        assert not (answer.check == 0 and answer.status), f"{job.name}: accepted, but running gives {answer.status}"
    accepted = sum(answer.check == 0 for _, answer in crafted)
    assert 1000 < accepted < len(crafted) - 1000


def test_portable_backend_refuses_the_same_records(crafted) -> None:
    for job, answer in crafted:
        status = portable(job.program).check(job.program, job.arena, job.declared)
        assert (status == 0) == (answer.check == 0), f"{job.name}: portable {status}, native {answer.check}"


def test_portable_backend_computes_the_same_bytes(crafted) -> None:
    compared = 0
    for job, answer in crafted[::3]:
        op = of_bytes(job.program).layout.unpack(job.program) if answer.check == 0 else None
        if op and hostile.work([op]) < 20_000 and hostile.has_one_meaning(op, job.arena):
            arena = filled(job.arena)
            assert portable(job.program).run(job.program, 0, 1, arena, filled(job.declared)) == 0
            assert zlib.crc32(arena) == answer.crc, job.name
            compared += 1
    assert compared > 400


def test_windows_of_weights(driver: Driver) -> None:
    """Streaming: any part of the blocks with any part of the weights gives a refusal or stays in its buffers."""
    rng = np.random.default_rng(2)
    jobs, expected = [], []
    for name, model, raw in driver.operators():
        op = of_bytes(raw).layout.unpack(raw)
        size = op["block_bytes"]
        numbers = [0, 1, op["blocks"], op["blocks"] + 1, 0xFFFF, ALL]
        for _ in range(150):
            begin, end = (int(rng.choice(numbers)) for _ in range(2))
            base = int(rng.choice([0, 1, size, op["weights"] + begin * size & ALL, ALL]))
            have = int(rng.choice([0, 1, size, 2 * size, len(model.weights)]))
            jobs.append(Job(raw, model.arena_bytes, len(model.weights), 0, 1, base, begin, end, have, name=name))
            upto = min(end, op["blocks"])
            first = op["weights"]
            inside = begin <= upto and base <= first + begin * size and first + upto * size <= base + have
            expected.append(inside or not op["blocks"])
    for job, answer, fine in zip(jobs, run(driver, jobs), expected, strict=True):
        assert (answer.status == 0) == fine, job


def test_weights_whose_offset_wraps(driver: Driver) -> None:
    """A block whose offset in the weight section goes beyond 32 bits does not begin at 0."""
    jobs = []
    for name, model, raw in driver.operators():
        layout = of_bytes(raw).layout
        op = layout.unpack(raw)
        if op["blocks"] > 1:
            raw = layout.pack(**{**op, "weights": ALL + 1 - op["block_bytes"]})
            jobs.append(Job(raw, model.arena_bytes, len(model.weights), 0, 1, 0, 1, 2, len(model.weights), name=name))
    assert jobs
    for job, answer in zip(jobs, run(driver, jobs), strict=True):
        assert answer.status == 16 + BAD_WEIGHTS, job


def test_streamed_blocks_make_the_same_bytes(driver: Driver) -> None:
    for name in ("conv_blocks", "dense_blocks"):
        model = hostile.specimens()[name]
        op = model.records[0]
        assert op["blocks"] > 2
        whole = run(driver, [Job(record(model), model.arena_bytes, len(model.weights))])[0]
        arena, size = filled(model.arena_bytes), op["block_bytes"]
        for i in range(op["blocks"]):
            window = filled(len(model.weights))[i * size : (i + 1) * size]
            assert _portable.run(record(model), 0, 1, arena, window, i * size, i, i + 1) == 0
        assert zlib.crc32(arena) == whole.crc


def is_operator(head: bytes) -> bool:
    """Of the first three bytes of a record."""
    operator = of_bytes(head)
    return operator is not None and operator.bank.number == head[1]


def test_parts(driver: Driver) -> None:
    """Every operator in parts, one after the other, makes the same bytes, also where there are more parts than rows."""
    jobs, whole = [], []
    for name, model, raw in driver.operators():
        size = len(model.weights)
        for parts in (2, 3, 7, 255):
            whole.append(Job(raw, model.arena_bytes, size, name=name))
            jobs.append(Job(raw, model.arena_bytes, size, parts=parts, name=f"{name} in {parts} parts"))
    for job, parted, one in zip(jobs, run(driver, jobs), run(driver, whole), strict=True):
        assert parted.status == one.status == 0 and parted.crc == one.crc, job.name
    for parts in (0, 256, ALL):
        (answer,) = run(driver, [Job(raw, model.arena_bytes, len(model.weights), parts=parts)])
        assert answer.status == 16 + 4


@once
def test_programs(driver: Driver) -> None:
    """Whatever first and last are, and programs that are empty, cut or not aligned."""
    model = hostile.specimens()["add"]
    one, arena = record(model), model.arena_bytes
    good = [Job(one * n, arena, first=a, last=b) for n in (1, 3) for a in range(n + 1) for b in range(a, n + 1)]
    good += [Job(b"", 0, last=0), Job(b"", 100, last=0), Job(one, arena, first=1, last=1)]
    ends = (0, 1, 2, 4, 0x3FFFFFF, 0x4000000, 0x4000001, 0x7FFFFFFF, 0x80000000, ALL)
    bad = [Job(one * 2, arena, first=a, last=b) for a in ends for b in ends if not a <= b <= 2]
    bad += [Job((one * 2)[:n], arena) for n in (1, 24, 63, 65, 127)]
    bad += [Job(one, arena, skew=n) for n in (1, 2, 3)]
    heads = [bytes([code]) + one[1:3] for code in range(256)] + [one[:1] + bytes([n]) + one[2:3] for n in range(256)]
    heads += [one[:2] + bytes([types]) for types in range(256)]
    bad += [Job(head + one[3:], arena) for head in heads if not is_operator(head)]
    bad += [Job(one, n) for n in range(arena)]
    for job, answer in zip(good + bad, run(driver, good + bad), strict=True):
        assert (answer.status == 0) == (job in good), job


def test_sums_of_millions_of_weights(driver: Driver) -> None:
    """Padding meets 2^24 weights of -128 and more: 32 bits are not enough for their sum."""
    wide = {"in_h": 1, "in_w": 1, "out_h": 1, "out_w": 1, "out_c": 1, "kernel_w": 65535, "dilation_h": 1}
    wide |= {
        "input": 0,
        "output": 260,
        "output_bytes": 1,
        "blocks": 1,
        "block_channels": 1,
        "scratch": 0,
        "scratch_bytes": 0,
    }
    jobs = []
    for name, sizes in (
        ("conv", {"in_c": 257, "kernel_h": 1, "pad_top": 1}),  # one line of padding
        ("depthwise", {"in_c": 1, "kernel_h": 257, "pad_top": 257}),
    ):
        model = hostile.specimens()[name]
        op = {**model.records[0], **wide, **sizes, "block_bytes": spec.align(257 * 65535 + 12, 4)}
        jobs.append(Job(WINDOW.pack(**op), 264, op["block_bytes"], name=name))
    for answer in run(driver, jobs):
        assert answer.check == 0 and answer.status == 0


# Fields of a record, the arena it needs, and whether it may run.
ONE_CHANNEL = {"out_c": 1, "blocks": 1, "block_channels": 1}
LIMITS = [
    ("dense", {**ONE_CHANNEL, "bias_bits": 32, "shift_bits": 6, "mult_bits": 30}, True),
    ("dense", {**ONE_CHANNEL, "bias_bits": 33}, False),
    ("dense", {**ONE_CHANNEL, "bias_bits": 0}, False),
    ("dense", {**ONE_CHANNEL, "shift_bits": 7}, False),
    ("dense", {**ONE_CHANNEL, "mult_bits": 31}, False),
    ("mean", {"reduce": 1 << 23, "outer": 1, "inner": 1, "input_zero": 127}, True),
    ("mean", {"reduce": (1 << 23) + 1, "outer": 1, "inner": 1, "input_zero": 127}, False),
    ("mean", {"reduce": 1 << 24, "outer": 1, "inner": 1, "input_zero": 127}, False),
    ("mean", {"reduce": 1, "outer": 0xFFFFFFFF, "inner": 0}, False),
    ("mean", {"reduce": 1, "outer": 0, "inner": 0xFFFFFFFF}, False),
    ("softmax", {"rows": 1, "depth": 4095}, True),
    ("softmax", {"rows": 1, "depth": 4096}, False),
    ("softmax", {"rows": 0xFFFFFFFF, "depth": 0}, False),
    ("softmax", {"rows": 0, "depth": 1}, True),
    ("average_pool", {"kernel_h": 256, "kernel_w": 32768}, True),
    ("average_pool", {"kernel_h": 256, "kernel_w": 32769}, False),
    ("max_pool", {"blocks": 1, "block_bytes": 4}, False),
    ("add", {"left_shift": 22, "zero1": -128, "zero2": 127}, True),
    ("add", {"left_shift": 23}, False),
    ("add", {"left_shift": -1}, False),
    ("conv", {"output_bytes": 0x10000000}, False),
    ("logistic", {"blocks": 2}, False),
    # 2^32 bytes of weights.
    (
        "dense",
        {"in_h": 1, "out_h": 1, "out_c": 4096, "blocks": 4096, "block_channels": 1, "block_bytes": 1 << 20},
        False,
    ),
]


@pytest.mark.parametrize(("name", "changes", "runs"), LIMITS, ids=lambda value: str(value))
def test_limits(driver: Driver, name: str, changes: dict, runs: bool) -> None:
    """Where a size is limited, and the operators that have none would work for ages on nothing."""
    model = hostile.specimens()[name]
    op = {**model.records[0], "input": len(PATTERN) + 3, "output": 0, **changes}
    raw = of_record(op).layout.pack(**op)
    job = Job(raw, (1 << 14) + changes.get("reduce", 0), len(model.weights) + 4)
    (answer,) = run(driver, [job])
    assert (answer.check == 0) == runs
    assert answer.status == 0 or not runs
    assert (_portable.check(raw, job.arena, job.declared) == 0) == runs


def descriptors() -> Iterator[tuple[str, bytes]]:
    tensor = spec.TENSOR.pack(offset=4, bytes=24, scale=0.05, zero_point=-3, dtype=1, rank=1, shape=(24, 0, 0, 0, 0, 0))
    pixels = {"pixel_multiplier": 1 << 16, "pixel_offset": -128 << 16}
    tensor = spec.TENSOR.pack(**{**spec.TENSOR.unpack(tensor), **pixels})
    yield "as it should be", tensor
    yield from hostile.field_mutants(spec.TENSOR, tensor)
    rng = np.random.default_rng(3)
    for i in range(300):
        yield f"random {i}", hostile.random_mutant(spec.TENSOR, tensor, rng)
    for size in (0, 1, 39):
        yield f"cut to {size}", tensor[:size]


@once
@pytest.mark.parametrize("kind", [ENCODE, DECODE])
def test_readings_and_results(driver: Driver, kind: int) -> None:
    """Descriptors, lengths and types of any kind; the reading is the pattern, so floats of every kind as well."""
    jobs = [
        Job(raw, arena, weights=size, first=code, kind=kind, skew=skew, name=f"{what}, {size} of {code}")
        for what, raw in descriptors()
        for arena, skew in ((28, 0), (28, 1), (40, 0), (0, 0))
        for size in (0, 1, 23, 24, 25, 92, 96)
        for code in map(ord, "bBf\0h?")
    ]
    answers = run(driver, jobs)
    units = {ord("b"): 1, ord("B"): 1, ord("f"): 4}
    for job, answer in zip(jobs, answers, strict=True):
        if job.first not in units:
            wanted = (4,)
        elif is_descriptor(job) and job.weights == units[job.first] * spec.TENSOR.unpack(job.program)["bytes"]:
            wanted = (0, 5) if (kind, job.first) == (ENCODE, ord("f")) else (0,)
        else:
            wanted = (2,)
        assert answer.status in wanted, job.name
    assert sum(answer.status == 0 for answer in answers) > 100


def is_descriptor(job: Job) -> bool:
    if len(job.program) < spec.TENSOR.size or job.skew:
        return False
    t = spec.TENSOR.unpack(job.program)
    normal = 2.0**-126 <= t["scale"] < np.inf
    return t["offset"] + t["bytes"] <= job.arena and -128 <= t["zero_point"] <= 127 and normal


def test_lines_are_no_longer_than_99_columns() -> None:
    sources = [
        path for part in ("core", "kernels", "bindings", "toolchains") for path in (NATIVE / part).rglob("*.[chS]")
    ]
    assert len(sources) > 60
    for path in sources:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert len(line) <= 99, f"{path.name}:{number}"
