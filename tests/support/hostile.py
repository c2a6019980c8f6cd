"""Parts of crafted files: a small model of every operator, extreme values of every field, new checksums."""

from __future__ import annotations

import functools
import itertools
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from math import prod
from unittest.mock import patch

import numpy as np

import audio_graphs
import series_graphs
import tree_graphs
from midge_host.conversion import build, compiled
from midge_host.device import coding, registry, spec
from midge_host.device.layout import Layout
from midge_host.device.model_file import BACKEND, ModelFile
from midge_host.device.ops import blocks
from midge_host.device.registry import macs, record_shapes
from midge_host.frontends import tflite
from midge_host.plan.regions import cut
from tflite_models import ModelBuilder, Quant, one_operator

X = (0.05, -3)
Y = (0.1, 7)
WIDE = ("int16", (2e-3, 0))
# Sections that consist of layouts, and which.
TABLES = {"TENS": spec.TENSOR, "ENTR": spec.ENTRY, "WDIR": spec.PIECE, "AUDI": spec.AUDIO}


def _layer(operator: str, image: tuple[int, ...], weights: tuple[int, ...], **options: object) -> bytes:
    rng = np.random.default_rng(sum(weights))
    channels = weights[-1] if operator == "depthwise_conv_2d" else weights[0]
    return one_operator(
        operator,
        (1, *image),
        X,
        weights=rng.integers(-127, 128, weights).astype(np.int8),
        bias=rng.integers(-500, 500, channels).astype(np.int32),
        weight_scales=list(rng.uniform(0.001, 0.01, channels)),
        quant=Y,
        **options,
    )


def _layer16(operator: str, image: tuple[int, ...], weights: tuple[int, ...], **options: object) -> bytes:
    """The same for int16; a bias of int64, or as `options` say."""
    rng = np.random.default_rng(sum(weights))
    channels = weights[-1] if operator == "depthwise_conv_2d" else weights[0]
    bias = rng.integers(-50_000, 50_000, channels).astype(options.pop("bias_dtype", np.int64))
    w = rng.integers(-127, 128, weights).astype(np.int8)
    m = ModelBuilder()
    x = m.tensor((1, *image), "int16", (2e-4, 0))
    scales = list(rng.uniform(0.001, 0.01, channels))
    return m.build([x], [getattr(m, operator)(x, w, bias, weight_scales=scales, quant=(4e-4, 0), **options)])


def _add16() -> bytes:
    m = ModelBuilder()
    pair = [m.tensor((1, n, 5, 4), "int16", (2e-4, 0)) for n in (3, 1)]
    return m.build(pair, [m.add(*pair, quant=(3e-4, 0))])


def _layers(
    make: Callable[[ModelBuilder, int], int], shape: tuple[int, ...], dtype: str = "int8", quant: Quant = X
) -> bytes:
    """The model that `make` builds upon an input."""
    m = ModelBuilder()
    x = m.tensor(shape, dtype, quant)
    return m.build([x], [make(m, x)])


def _broadcast(kind: str) -> bytes:
    """One of ARITHMETIC's kinds, of an input and a constant that is repeated along two axes."""
    second = np.random.default_rng(9).integers(-128, 128, (3, 1, 4)).astype(np.int8)

    def make(m: ModelBuilder, x: int) -> int:
        options = {} if kind in ("maximum", "minimum") else {"quant": Y}
        y = m.constant(second, quant=X if not options else (0.03, 2))
        return getattr(m, kind)(x, y, **options)

    return _layers(make, (1, 3, 5, 4))


def _compare() -> bytes:
    m = ModelBuilder()
    pair = [m.tensor((1, 3, n, 4), quant=(0.05, n)) for n in (5, 1)]
    return m.build(pair, [m.compare(*pair, "GREATER_EQUAL")])


def _select(dtype: str) -> bytes:
    m = ModelBuilder()
    quant = X if dtype == "int8" else WIDE[1]
    condition, pair = m.tensor((1, 3, 1, 4), "bool"), [m.tensor((1, n, 5, 4), dtype, quant) for n in (3, 1)]
    return m.build([condition, *pair], [m.select(condition, *pair)])


def _svdf(depth: int, units: int, state: str, batch: int = 1) -> bytes:
    """Filters of rank 2 that remember five results."""
    rng = np.random.default_rng(depth)
    m = ModelBuilder()
    x = m.tensor((batch, depth), quant=X)
    feature = rng.integers(-127, 128, (2 * units, depth)).astype(np.int8)
    time = rng.integers(-127, 128, (2 * units, 5)).astype(state)
    bias = rng.integers(-500, 500, units)
    return m.build([x], [m.svdf(x, feature, time, bias, rank=2, scales=(0.003, 0.01, 0.1), quant=Y)])


def _lstm(dtype: str, **options: object) -> bytes:
    """A sequence of three rows of two values, four cells."""
    rng = np.random.default_rng(4)
    m = ModelBuilder()
    x = m.tensor((1, 3, 2), dtype, (0.01, -3 if dtype == "int8" else 0))
    kernel, recurrent = (rng.integers(-127, 128, (4, 4, depth)).astype(np.int8) for depth in (2, 4))
    scales = {"input_scales": [0.01] * 4, "recurrent_scales": [0.02] * 4, "cell_scale": 2.0**-11}
    quant = (1 / 128, 5) if dtype == "int8" else (2.0**-15, 0)
    return m.build(
        [x], [m.lstm(x, kernel, recurrent, rng.integers(-500, 500, (4, 4)), **scales, quant=quant, **options)]
    )


def _products() -> bytes:
    m = ModelBuilder()
    a, b = m.tensor((2, 3, 4), quant=X), m.tensor((1, 5, 4), quant=(0.03, 2))
    return m.build([a, b], [m.batch_matmul(a, b, quant=Y, adj_y=True)])


def _products16() -> bytes:
    m = ModelBuilder()
    a, b = (m.tensor(shape, "int16", (2e-4, 0)) for shape in ((2, 3, 4), (1, 4, 5)))
    return m.build([a, b], [m.batch_matmul(a, b, quant=(3e-4, 0))])


def _dense_computed() -> bytes:
    """A FULLY_CONNECTED whose weights are an input, with a bias."""
    m = ModelBuilder()
    x, weights = m.tensor((3, 4), quant=X), m.tensor((5, 4), quant=(0.03, 2))
    return m.build([x, weights], [m.fully_connected_of(x, weights, np.arange(-500, 500, 200), quant=Y)])


def _gather(rows: int, constant: bool) -> bytes:
    """Two of `rows` rows of 20 values by indices that are an input."""
    m = ModelBuilder()
    values = np.random.default_rng(rows).integers(-128, 128, (rows, 20)).astype(np.int8)
    x = m.constant(values, quant=X) if constant else m.tensor(values.shape, quant=X)
    indices = m.tensor((2,), "int32")
    return m.build([indices] if constant else [x, indices], [m.gather(x, indices, 0)])


@functools.cache
def sources() -> dict[str, bytes]:
    """A small .tflite for every device operator, of one record or few; where there are weights, also of several blocks.

    Whoever adds an operator adds one here: its records are then mutated on every backend, and fuzzed."""
    window = {"strides": (2, 1), "dilations": (1, 2), "padding": "VALID"}
    return {
        "conv": _layer("conv_2d", (5, 6, 3), (6, 3, 3, 3)),
        "conv_dilated": _layer("conv_2d", (7, 8, 2), (3, 2, 3, 2), **window),
        "conv_blocks": _layer("conv_2d", (3, 3, 40), (12, 3, 3, 40)),
        "depthwise": _layer("depthwise_conv_2d", (5, 6, 3), (1, 3, 2, 6)),
        "depthwise_dilated": _layer("depthwise_conv_2d", (7, 8, 2), (1, 2, 3, 2), **window),
        "dense": _layer("fully_connected", (3, 9), (5, 9)),
        "dense_blocks": _layer("fully_connected", (500,), (9, 500)),
        "average_pool": one_operator("average_pool_2d", (1, 5, 6, 3), X, window=(3, 2), strides=(2, 1), padding="SAME"),
        "max_pool": one_operator("max_pool_2d", (1, 5, 6, 3), X, window=(3, 2), strides=(1, 2), padding="SAME"),
        "mean": one_operator("mean", (1, 4, 5, 3), X, axes=(1, 2), quant=Y),
        "add": one_operator("add", (1, 30), X, second_quant=Y, quant=(0.12, 1)),
        "softmax": one_operator("softmax", (3, 10), X),
        "logistic": one_operator("logistic", (1, 30), X),
        "pad": one_operator("pad", (1, 3, 4, 2), X, paddings=[(0, 1), (1, 2), (0, 3), (1, 0)]),
        "arg_max": one_operator("arg_max", (2, 5, 3), X, axis=1),
        "resize_nearest": one_operator("resize_nearest_neighbor", (1, 4, 3, 2), X, size=(5, 7)),
        "resize_bilinear": one_operator("resize_bilinear", (1, 4, 3, 2), X, size=(5, 7), half_pixel_centers=True),
        "l2_normalization": one_operator("l2_normalization", (3, 10), X),
        "batch_matmul": _products(),
        "batch_matmul16": _products16(),
        "dense_computed": _dense_computed(),
        "gather": _gather(5, constant=False),
        "gather_blocks": _gather(400, constant=True),
        "log_softmax": one_operator("log_softmax", (3, 10), X),
        "transpose": one_operator("transpose", (1, 3, 4, 5), X, permutation=(0, 3, 1, 2)),
        "concatenation": _layers(lambda m, x: m.concatenation(x, m.relu(x), axis=2), (1, 3, 4, 2)),
        "conv16": _layer16("conv_2d", (5, 6, 3), (6, 3, 2, 3)),
        "conv16_dilated": _layer16("conv_2d", (7, 8, 2), (3, 2, 3, 2), **window),
        "conv16_blocks": _layer16("conv_2d", (3, 3, 40), (12, 3, 3, 40)),
        "depthwise16": _layer16("depthwise_conv_2d", (5, 6, 3), (1, 3, 2, 6)),
        "dense16": _layer16("fully_connected", (3, 9), (5, 9)),
        "dense16_narrow": _layer16("fully_connected", (3, 9), (5, 9), bias_dtype=np.int32),
        "add16": _add16(),
        "average_pool16": _layers(lambda m, x: m.average_pool_2d(x, (3, 2), padding="SAME"), (1, 5, 6, 3), *WIDE),
        "max_pool16": _layers(lambda m, x: m.max_pool_2d(x, (3, 2), strides=(1, 2)), (1, 5, 6, 3), *WIDE),
        "mean16": _layers(lambda m, x: m.mean(x, (1, 2), quant=(1e-3, 0)), (1, 4, 5, 3), *WIDE),
        "softmax_from16": _layers(lambda m, x: m.softmax(x), (3, 10), *WIDE),
        "logistic16": _layers(lambda m, x: m.logistic(x), (1, 30), *WIDE),
        "tanh16": _layers(lambda m, x: m.tanh(x), (1, 30), *WIDE),
        "leaky_relu16": _layers(lambda m, x: m.leaky_relu(x, 0.3, quant=(1e-3, 0)), (1, 30), *WIDE),
        **{f"arithmetic_{kind}": _broadcast(kind) for kind in ("add", "sub", "mul", "maximum", "prelu")},
        **{f"arithmetic_{kind}": _broadcast(kind) for kind in ("squared_difference", "div")},
        "compare": _compare(),
        "select": _select("int8"),
        "select16": _select("int16"),
        "cumsum": _layers(lambda m, x: m.cumsum(x, 1, reverse=True, quant=(0.1, 7)), (2, 5, 3)),
        "add_n": _layers(lambda m, x: m.add_n(x, m.relu6(x), x, quant=(0.3, 7)), (1, 7, 3)),
        "requantize_int32": one_operator("quantize", (1, 30), X, quant=(0.001, 0), dtype="int32"),
        "requantize_from32": _layers(lambda m, x: m.quantize(x, Y), (1, 30), "int32", (0.001, 0)),
        "requantize": one_operator("quantize", (1, 30), X, quant=(0.001, 0), dtype="int16"),
        "requantize_int16": _layers(lambda m, x: m.quantize(x, Y), (1, 30), "int16", (0.001, 0)),
        "softmax_16": one_operator("softmax", (3, 10), X, y_dtype="int16"),
        "svdf": _svdf(7, 3, "int16", batch=2),
        "svdf_int8": _svdf(7, 3, "int8"),
        "svdf_blocks": _svdf(300, 6, "int16"),
        "lstm": _lstm("int8"),
        "lstm_int16": _lstm("int16", time_major=True, cell_clip=3.0),
    }


@functools.cache
def specimens() -> dict[str, ModelFile]:
    """The `sources`, converted, models of float32 readings, and features of sound and series."""
    models = {name: tflite.load_tflite(data, f"{name}.tflite") for name, data in sources().items()}
    return {
        name: build(graph)
        for name, graph in {**models, **tree_graphs.graphs(), **audio_graphs.graphs(), **series_graphs.graphs()}.items()
    }


def values(code: str, now: int | float) -> list[int | float]:
    """Values to put into a field of a `struct` type code that holds `now`: extremes, neighbours, common sizes."""
    if code == "f":
        bits = [0, 1, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x80000000, 0xBF800000, 0xFFFFFFFF]
        return [struct.unpack("<f", struct.pack("<I", b))[0] for b in bits]
    size = 8 * struct.calcsize(code)
    low, high = (0, (1 << size) - 1) if code.isupper() else (-1 << (size - 1), (1 << (size - 1)) - 1)
    wanted = [0, 1, 2, 3, 7, 31, 32, 33, 255, 256, 4096, 65535, low, high, high - 1, high // 2, high // 2 + 1]
    wanted += [now - 1, now + 1, now * 2, now // 2, now + 4, now - 4]
    return sorted({int(v) for v in wanted if low <= v <= high} - {now})


def field_mutants(layout: Layout, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Every field of `layout` set to each of its `values`, one at a time: (what was done, the bytes)."""
    fields = layout.unpack(raw)
    for field in layout.fields:
        if field.code[-1] == "s":
            continue
        array = fields[field.name] if field.is_array else (fields[field.name],)
        for i, now in enumerate(array):
            for value in values(field.code[-1], now):
                changed = (*array[:i], value, *array[i + 1 :]) if field.is_array else value
                yield f"{layout.name}.{field.name}[{i}] = {value}", layout.pack(**{**fields, field.name: changed})


def change(layout: Layout, raw: bytes, rng: np.random.Generator) -> bytes:
    """One field changed."""
    fields = layout.unpack(raw)
    field = layout.fields[rng.integers(len(layout.fields))]
    if field.code[-1] == "s":
        return raw
    array = list(fields[field.name]) if field.is_array else [fields[field.name]]
    i = rng.integers(len(array))
    choice = values(field.code[-1], array[i])
    array[i] = choice[rng.integers(len(choice))]
    return layout.pack(**{**fields, field.name: tuple(array) if field.is_array else array[0]})


def random_mutant(layout: Layout, raw: bytes, rng: np.random.Generator) -> bytes:
    """Two to four fields changed together."""
    for _ in range(rng.integers(2, 5)):
        raw = change(layout, raw, rng)
    return raw


def directory(data: bytes) -> list[tuple[int, dict[str, object]]]:
    """Where the directory's entries lie in a file, and what they say; as much as there is of it."""
    end = min(len(data), spec.HEADER.size + spec.HEADER.unpack(data)["section_count"] * spec.SECTION.size)
    places = range(spec.HEADER.size, end - spec.SECTION.size + 1, spec.SECTION.size)
    return [(at, spec.SECTION.unpack(data, at)) for at in places]


def places(data: bytes) -> dict[str, list[tuple[Layout, int]]]:
    """Where the layouts of a file lie, by their section: "" for the header, the directory's entries in "DIR"."""
    found = {"": [(spec.HEADER, 0)], "DIR": [(spec.SECTION, at) for at, _ in directory(data)]}
    for _, section in directory(data):
        tag, first, size = section["tag"].decode("latin-1"), section["offset"], section["bytes"]
        rows: list[tuple[Layout, int]] = []
        last = min(first + size, len(data))
        if tag == "PROG":
            starts = range(first, last - spec.RECORD_BYTES + 1, spec.RECORD_BYTES)
            found_operators = [(registry.of_bytes(data[at : at + spec.RECORD_BYTES]), at) for at in starts]
            rows = [(operator.layout, at) for operator, at in found_operators if operator]
        elif tag == "ROWS":
            rows = [(layout, first + at) for layout, at in region_places(data[first:last])]
        elif tag in TABLES:
            rows = [(TABLES[tag], at) for at in range(first, last - TABLES[tag].size + 1, TABLES[tag].size)]
        elif tag == "CHAN" and first + spec.CHANNELS.size <= last:
            first_channel = first + spec.CHANNELS.size
            channels = range(first_channel, last - spec.CHANNEL.size + 1, spec.CHANNEL.size)
            rows = [(spec.CHANNELS, first), *((spec.CHANNEL, at) for at in channels)]
        found[tag] = rows
    return found


def region_places(section: bytes) -> list[tuple[Layout, int]]:
    """Where the layouts of a section ROWS lie; as many rings as there is room for."""
    if len(section) < spec.REGION.size:
        return []
    end = min(len(section), spec.REGION.size + (spec.REGION.unpack(section)["records"] + 1) * spec.RING.size)
    rings = range(spec.REGION.size, end - spec.RING.size + 1, spec.RING.size)
    return [(spec.REGION, 0), *((spec.RING, at) for at in rings)]


def weights_at(data: bytes) -> int:
    """Where the weights of a sound file begin."""
    return next(section["offset"] for _, section in directory(data) if section["tag"] == b"WGHT")


def repaired(data: bytes) -> bytes:
    """`data` with the checksums that its directory asks for, so that a loader goes on to what they cover."""
    fixed = bytearray(data)
    end = spec.HEADER.size
    for at, section in directory(data):
        first = section["offset"]
        crc = zlib.crc32(fixed[first : first + section["bytes"]])
        fixed[at : at + spec.SECTION.size] = spec.SECTION.pack(**{**section, "crc": crc})
        end = at + spec.SECTION.size
    header = spec.HEADER.unpack(fixed)
    header["crc"] = zlib.crc32(fixed[spec.CRC_FROM : end])
    fixed[: spec.HEADER.size] = spec.HEADER.pack(**header)
    return bytes(fixed)


@functools.cache
def regions() -> list[ModelFile]:
    """`network()` with its first layers in strips of rows, in some ways."""
    made = compiled.compile_graph(tflite.load_tflite(network(), "network.tflite"))
    made.target = made.target._replace(ram=1)
    program, found = made.program, []
    for count, is_fed, pixels in ((2, False, 1), (3, True, 1), (4, True, 10), (5, False, 5), (5, True, 1)):
        one = cut(program, program.outputs, count, is_fed, pixels)
        assert one
        arena = one.plan(program.outputs, made.target._replace(ram=0))
        with patch.object(compiled, "choose", lambda *_, found=(arena, one): found):
            found.append(made.model())
    return found


def coded_program() -> tuple[list[dict], list[dict[str, int]], bytes]:
    """What coding.encode takes of `network()`, its weights rounded to levels of 2 to 5 bits."""
    model = build(tflite.load_tflite(network(), "network.tflite"))
    return model.records, model.pieces(), rounded(model, np.random.default_rng(3))


def random_piece(draw: random.Random) -> tuple[coding.Coded | None, bytes]:
    """A piece of convolutions' or other blocks, at any step and with any table."""
    rng = np.random.default_rng(draw.randrange(1 << 30))
    rows, row_bytes, count = draw.randrange(1, 9), draw.choice([1, 2, 9, 64, 333]), draw.randrange(1, 4)
    first, zero, last = draw.choice([(0, 0, 0), (17, 22, 8), (1, 0, 0), (38, 30, 0), (96, 0, 0)])
    shape = coding.Shape(rows, row_bytes, first, zero, last)
    spread = draw.choice([0.1, 0.7, 3.0, 30.0])
    table = np.zeros((count, shape.block_bytes), np.uint8)
    for block in table:
        bits = rng.integers(0, 2, (rows, shape.entry_bits), np.uint8)
        bits[:, first : first + zero] = 0
        head = np.packbits(bits.reshape(-1), bitorder="little")
        block[: len(head)] = head
        steps = rng.choice([1, 1, 5, 18, 127], rows)[:, None]
        values = np.round(rng.normal(0, spread, (rows, row_bytes)))
        start = shape.entries_bytes
        block[start : start + rows * row_bytes] = (
            (np.clip(values, -128 // steps + (128 % steps > 0), 127 // steps) * steps).astype(np.int8).reshape(-1)
        ).view(np.uint8)
    raw = table.tobytes()
    piece = coding.rows_of(raw, shape)
    tables = coding.tables_of([piece], draw.randrange(5))
    where = [{"offset": 0, "stored_bytes": len(raw), "bytes": len(raw), "encoding": spec.RAW}]
    return coding.stored([piece], tables, raw, where), raw


def rounded(model: ModelFile, rng: np.random.Generator, bits: tuple[int, ...] = (2, 3, 4, 5)) -> bytes:
    """The weights of a model of int8 convolutions, those of each channel rounded to multiples of a step, and their
    multipliers to 8 bits: another model."""
    weights = bytearray(model.weights)
    for record in model.records:
        if "mult_bits" not in record:
            continue
        entry = [record[name] for name in ("bias_bits", "shift_bits", "mult_bits")]
        head = blocks.entries_bytes(record["block_channels"], *entry)
        for block in range(record["blocks"]):
            at = record["weights"] + block * record["block_bytes"]
            end = at + record["block_bytes"]
            rows = np.frombuffer(weights[at + head : end], np.int8).astype(int)
            row_bytes = len(rows) // record["block_channels"]
            most = np.repeat(1 << rng.choice(bits, len(rows) // row_bytes + 1) - 1, row_bytes)[: len(rows)] - 1
            weights[at + head : end] = (np.round(rows * most / 127) * (127 // most)).astype(np.int8).tobytes()
            if record["mult_bits"]:
                stream = np.unpackbits(np.frombuffer(weights[at : at + head], np.uint8), bitorder="little")
                entries = stream[: record["block_channels"] * sum(entry)].reshape(-1, sum(entry))
                entries[:, entry[0] + entry[1] : -8] = 0
                weights[at : at + head] = np.packbits(stream, bitorder="little").tobytes()
    return bytes(weights)


def network() -> bytes:
    """A .tflite with every operator of the core, small enough for thousands of runs in Python."""
    rng = np.random.default_rng(8)
    m = ModelBuilder()

    def layer(*shape: int) -> dict[str, object]:
        channels = shape[-1] if shape[0] == 1 else shape[0]
        weights = rng.integers(-127, 128, shape).astype(np.int8)
        bias = rng.integers(-500, 500, channels).astype(np.int32)
        return {"weights": weights, "bias": bias, "weight_scales": list(rng.uniform(0.005, 0.02, channels))}

    x = m.tensor((1, 4, 5, 2), quant=X, name="image")
    y = m.conv_2d(x, **layer(4, 2, 3, 2), padding="SAME", quant=Y)
    a = m.depthwise_conv_2d(y, **layer(1, 3, 2, 4), padding="SAME", quant=(0.07, 3))
    y = m.add(a, y, quant=(0.09, 10), activation="RELU")
    y = m.max_pool_2d(y, (2, 1))
    y = m.average_pool_2d(y, (1, 2), padding="SAME")
    y = m.logistic(y)
    y = m.mean(y, [1, 2], quant=(1 / 256, -128))
    y = m.fully_connected(y, **layer(3, 4), quant=(0.1, 0))
    return m.build([x], [m.softmax(y)])


def check(op: dict[str, object], arena_bytes: int, weights_bytes: int = 1 << 30) -> int:
    """The portable kernels' status of a record."""
    operator = registry.of_record(op)
    return BACKEND[operator.bank.number].check(operator.layout.pack(**op), arena_bytes, weights_bytes)


def spans(op: dict[str, object], arena_bytes: int) -> list[range]:
    """The parts of the arena that a record reads and writes, to the next multiple of 4. Found by trying: how far up
    each may lie."""
    found = []
    for name in ("input", "input2", "input3", "output"):
        if name in op:
            low, high = 0, arena_bytes // 4
            while low < high:
                middle = (low + high + 1) // 2
                if check({**op, name: 4 * middle}, arena_bytes):
                    high = middle - 1
                else:
                    low = middle
            found.append(range(op[name], op[name] + arena_bytes - 4 * low))
    return [*found, range(op["scratch"], op["scratch"] + op["scratch_bytes"])]


def has_one_meaning(op: dict[str, object], arena_bytes: int) -> bool:
    """False where a record's tensors may lie upon each other, so that the order of work shows."""
    parts = sorted(filter(len, spans(op, arena_bytes)), key=lambda part: part.start)
    return all(a.stop <= b.start for a, b in itertools.pairwise(parts))


def keeps_rows(model: ModelFile) -> bool:
    """False where a region's rings lie upon each other, or upon scratch memory of its records."""
    assert model.region
    parts = [range(ring.offset, ring.offset + ring.bytes) for ring in model.region.rings]
    records = model.records[model.predict.start :][: model.region.count]
    work = [range(op["scratch"], op["scratch"] + op["scratch_bytes"]) for op in records]
    ordered = sorted(parts, key=lambda part: part.start)
    return all(a.stop <= b.start for a, b in itertools.pairwise(ordered)) and not any(
        a.start < b.stop and b.start < a.stop for a in parts for b in work
    )


def work(records: list[dict[str, object]]) -> int:
    """About how many steps of its innermost loops a program takes, of which the longest may be long in Python."""
    total = 0
    for op in records:
        source, output = (prod(shape) for shape in record_shapes(op))
        if "depth" in op and macs(op):  # products of whole rows
            total += source + macs(op)
            continue
        taps = [op[f"kernel_{a}"] for a in "hw"] if "kernel_h" in op else [1]
        if "blocks" in op and not op["blocks"]:  # pools look at the image only
            taps = [min(source, prod(taps))]
        total += source + output * prod(taps) * op.get("in_c", 1)
    return total
