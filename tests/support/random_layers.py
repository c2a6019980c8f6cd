"""Random layers for tuned kernels: shapes, numbers and memory as no model would have them, but as a record may."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from math import exp, log
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.random import Generator

import hostile
from counting.layers import Layer, describe
from midge import _overlap as overlap
from midge import _portable
from midge_host.device import spec
from midge_host.device.layout import Field
from midge_host.device.numerics import quantize_multiplier
from midge_host.device.ops import blocks
from midge_host.device.ops.arithmetic import LEFT_SHIFTS
from midge_host.device.ops.conv import load_rows
from midge_host.device.ops.window import WINDOW
from midge_host.device.record import Context, Rows, Step
from midge_host.device.registry import BY_NAME, macs, of_record, record_shapes
from midge_host.ir.graph import Tensor
from midge_host.plan.overlap import is_plain
from midge_host.targets import armv6m

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD")
MAX_MACS = 60_000
LONG_ROW = 64  # outputs: what rows.S has room for
MAX_BYTES = 40_000  # of an input, or of scratch memory

WEIGHTS = ("normal", "uniform", "small", "127", "-127", "-128", "alternating", "sparse", "limits", "mixed", "any")
INPUTS = ("uniform", "mostly zero", "-128", "127", "zero", "natural", "sparse large", "few channels", "half")

SEED = int(os.environ.get("MIDGE_KERNEL_SEED", 1))

Fields = dict[str, Any]


def generators(count: int, what: int) -> Iterator[tuple[int, Generator]]:
    """Numbers, each with random numbers of its own. what: another one for each test."""
    for i in range(count):
        yield i, np.random.default_rng((SEED, what, i))


def size(rng: Generator, least: int, most: int) -> int:
    """Small ones and large ones."""
    if rng.integers(4):
        return int(exp(rng.uniform(log(least), log(most + 1))))
    return int(rng.integers(least, most + 1))


def pick(rng: Generator, *choices: Any) -> Any:
    return choices[rng.integers(len(choices))]


def axis(rng: Generator, fields: Fields, name: str, kernel: int, stride: int, dilation: int, most: int) -> None:
    """One axis of an image, with the paddings of a converter or any other."""
    reach = (kernel - 1) * dilation + 1
    mode = pick(rng, "SAME", "SAME", "VALID", "explicit")
    length = size(rng, reach if mode == "VALID" else 1, max(most, reach))
    if most > 40 and rng.integers(4) == 0:
        length = LONG_ROW * stride + int(rng.integers(-2, 5))
    before = 0
    out = -(-length // stride)
    if mode == "VALID":
        out = (length - reach) // stride + 1
    elif mode == "SAME":
        before = max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - length) // 2
    else:
        before, after = (int(n) for n in rng.integers(0, reach + 1, 2))
        out = max(1, (length + before + after - reach) // stride + 1)
    fields |= {f"in_{name}": length, f"out_{name}": out, f"pad_{'top' if name == 'h' else 'left'}": before}
    fields |= {f"kernel_{name}": kernel, f"stride_{name}": stride, f"dilation_{name}": dilation}


def shape(rng: Generator, kind: str) -> Fields:
    fields: Fields = {}
    if kind == "FULLY_CONNECTED":
        rows = pick(rng, 1, 1, size(rng, 2, 20))
        for name, length in (("h", rows), ("w", 1)):
            fields |= {f"in_{name}": length, f"out_{name}": length, f"pad_{'top' if name == 'h' else 'left'}": 0}
            fields |= {f"kernel_{name}": 1, f"stride_{name}": 1, f"dilation_{name}": 1}
        return fields | {"in_c": size(rng, 1, 700), "out_c": size(rng, 1, 130)}
    side = size(rng, 1, 7)
    if kind == "CONV_2D":
        kernels = [(1, 1), (3, 3), (side, side), (1, side), (side, 1), (10, 4), (side, size(rng, 1, 7))]
        dilations, most = [(1, 1)] * 4 + [tuple(rng.integers(1, 4, 2))], 40
        fields |= {"in_c": size(rng, 1, 130), "out_c": size(rng, 1, 70)}
    else:
        kernels = [(3, 3)] * 8 + [(side, side), (1, side), (side, 1), (2, 2), (21, 1)]
        dilations, most = [(1, 1)] * 12 + [tuple(rng.integers(1, 4, 2))], 66
        fields["in_c"] = size(rng, 1, 40)
        fields["out_c"] = fields["in_c"] * pick(rng, 1, 1, 1, 2, 3, 4)
    strides = pick(rng, (1, 1), (1, 1), (2, 2), (2, 2), tuple(rng.integers(1, 4, 2)))
    kernel, dilation = pick(rng, *kernels), pick(rng, *dilations)
    for i, name in enumerate("hw"):
        axis(rng, fields, name, int(kernel[i]), int(strides[i]), int(dilation[i]), most)
    return fields


def weights(rng: Generator, kind: str, channels: int, row: int) -> np.ndarray:
    match kind:
        case "normal":
            values = np.rint(rng.normal(0, rng.uniform(5, 50), (channels, row)))
        case "uniform":
            values = rng.integers(-127, 128, (channels, row))
        case "any":
            values = rng.integers(-128, 128, (channels, row))
        case "small":
            values = rng.integers(-1, 2, (channels, row))
        case "alternating":
            values = np.where(np.arange(channels * row) % 2, pick(rng, 127, -128), -127).reshape(channels, row)
        case "sparse":
            values = rng.integers(-128, 128, (channels, row)) * (rng.random((channels, row)) < 0.2)
        case "limits":  # of runs whose sum is 255: 5 * 51, 3 * 85, 2 * 127 + 1
            values = rng.choice([-1, 1], (channels, 1)) * rng.choice([51, 52, 85, 86, 127], (channels, 1))
            values = values + (rng.random((channels, row)) < 0.1)
        case "mixed":
            kinds = [WEIGHTS[i] for i in rng.integers(0, WEIGHTS.index("mixed"), channels)]
            return np.concatenate([weights(rng, kind, 1, row) for kind in kinds])
        case _:
            values = np.full((channels, row), int(kind))
    return np.clip(values, -128, 127).astype(np.int8)


def image(rng: Generator, kind: str, count: int, zero: int, channels: int) -> np.ndarray:
    uniform = rng.integers(-128, 128, count)
    match kind:
        case "uniform":
            values = uniform
        case "mostly zero":
            values = np.where(rng.random(count) < rng.uniform(0, 0.5), uniform, zero)
        case "sparse large":
            values = np.where(rng.random(count) < 0.3, 127 if zero < 0 else -128, zero)
        case "few channels":
            values = np.where((np.arange(count) % channels) % 5 == 0, uniform, zero)
        case "half":
            values = np.where(np.arange(count) < count // 2, zero, uniform)
        case "zero":
            values = np.full(count, zero)
        case "natural":
            values = np.maximum(zero, np.rint(np.cumsum(rng.normal(0, 6, count)) % 200 - 100))
        case _:
            values = np.full(count, int(kind))
    return np.clip(values, -128, 127).astype(np.int8)


def rows(rng: Generator, fields: Fields, row: int) -> Rows:
    """Weights, biases and scales. Most outputs lie within the range of int8, others anywhere."""
    channels = fields["out_c"]
    values = weights(rng, pick(rng, *WEIGHTS), channels, row)
    wide = values.astype(np.int64)
    spread = 50 * np.sqrt((wide**2).sum(1)) + 1  # of sums
    scales = rng.uniform(5, 200, channels) / spread  # the usual ones
    match pick(rng, "usual", "usual", "usual", "any", "one"):
        case "any":
            scales = 2.0 ** rng.uniform(-16, 3, channels)
        case "one":
            scales = np.full(channels, 2.0 ** rng.uniform(-15, 2))
    fraction, shift = np.frexp(scales)
    multiplier = np.clip(np.rint(fraction * (1 << 31)), 1 << 30, (1 << 31) - 1).astype(np.int64)
    if rng.integers(4) == 0:
        multiplier[:] = pick(rng, multiplier[0], 1 << 30, (1 << 31) - 1)
    # Sums of the image's values, relative to its zero point, and the bias make these outputs.
    centre = rng.normal(0, 60, channels) - fields["output_zero"] / 2
    bias = np.rint(centre / scales)
    match pick(rng, "usual", "usual", "usual", "ties", "extreme", "none"):
        case "ties":
            bias = np.rint((rng.integers(-128, 128, channels) + 0.5) / scales) + rng.integers(-1, 2, channels)
        case "extreme":
            bias = np.where(rng.random(channels) < 0.5, 1, -1) * 2.0 ** rng.uniform(10, 29, channels)
        case "none":
            bias = np.zeros(channels)
    bias = np.clip(bias, -(1 << 29), 1 << 29).astype(np.int64) - fields["input_zero"] * wide.sum(1)
    return Rows(values.reshape(channels, fields["kernel_h"], fields["kernel_w"], -1), bias, multiplier, shift)


def clamps(rng: Generator) -> tuple[int, int]:
    return (-128, 127) if rng.integers(5) else tuple(sorted(int(n) for n in rng.integers(-128, 128, 2)))


def zero_point(rng: Generator) -> int:
    return pick(rng, -128, -128, 127, 0, int(rng.integers(-128, 128)))


def sparse_sizes(depth: int) -> tuple[int, int]:
    """Bytes of the least code and of a group's weights, in sparse_conv.c."""
    return 12 * depth + 256 if depth < 160 else 2176 + depth // 5, 12 * depth + 312


def scratch_size(rng: Generator, fields: Fields) -> int:
    """From nothing to plenty; often what a kernel's modes need, a little more or less."""
    depth = fields["kernel_h"] * fields["kernel_w"] * fields["in_c"]
    channels = fields["out_c"]
    pixels = fields["out_h"] * fields["out_w"]
    lines, tile, slot = 3 * spec.align(fields["kernel_w"] * fields["in_c"], 4), 12 * depth, 60 + 6 * depth
    code, group = sparse_sizes(depth)
    some = int(rng.integers(1, 8))
    wanted = pick(
        rng,
        0,
        int(rng.integers(0, 600)),
        lines + slot + some * tile,
        lines + channels * slot + some * tile,
        lines + slot + -(-pixels // 6) * tile,
        code + some * group,
        code + -(-channels // 6) * group,
        code + -(-channels // 6) * group + some * depth,
        MAX_BYTES,
    )
    return max(0, min(MAX_BYTES, wanted + pick(rng, 0, 0, int(rng.integers(-9, 10)), int(rng.integers(0, 400)))))


def lay_out(rng: Generator, sizes: Mapping[str, int]) -> tuple[Fields, int]:
    """Offsets of input, output and scratch in any order, and the arena's bytes."""
    offsets, at = {}, 0
    for name in rng.permutation(list(sizes)):
        at += int(pick(rng, 0, 0, rng.integers(0, 9)))
        if name == "scratch" or rng.integers(2):
            at = spec.align(at, 4)
        offsets[str(name)] = at
        at += sizes[name]
    return offsets, at + int(rng.integers(0, 5))


def random_layer(rng: Generator, index: int, kind: str, max_macs: int = MAX_MACS) -> Layer:
    if kind == "ADD":
        return _add(rng, index)
    while True:
        fields = shape(rng, kind) | {"code": BY_NAME[kind, "int8"].code, "types": BY_NAME[kind, "int8"].types}
        fields["output_bytes"] = fields["out_h"] * fields["out_w"] * fields["out_c"]
        in_bytes = fields["in_h"] * fields["in_w"] * fields["in_c"]
        if macs(fields) <= max_macs and in_bytes <= MAX_BYTES:
            break
    fields["clamp_min"], fields["clamp_max"] = clamps(rng)
    fields["input_zero"], fields["output_zero"] = zero_point(rng), zero_point(rng)
    row = fields["kernel_h"] * fields["kernel_w"] * (1 if kind == "DEPTHWISE_CONV_2D" else fields["in_c"])
    with patch.object(spec, "BLOCK_TARGET_BYTES", pick(rng, 2048, 2048, 1, size(rng, 16, 2048))):
        packed, parts = blocks.pack(rows(rng, fields, row))
    fields |= {**packed, "blocks": len(parts), "block_bytes": len(parts[0])}
    fields["scratch_bytes"] = scratch_size(rng, fields)
    sizes = {"input": in_bytes, "output": fields["output_bytes"], "scratch": fields["scratch_bytes"]}
    offsets, arena_bytes = lay_out(rng, sizes)
    fields |= offsets
    arena = rng.integers(-128, 128, arena_bytes).astype(np.int8)
    pixels = image(rng, pick(rng, *INPUTS), in_bytes, fields["input_zero"], fields["in_c"])
    arena[fields["input"] : fields["input"] + in_bytes] = pixels
    return layer(index, fields, b"".join(parts), arena)


def _add(rng: Generator, index: int) -> Layer:
    count = size(rng, 1, 3000)
    scales = np.exp(rng.uniform(-5, 0, 3))
    if rng.integers(3) == 0:
        scales[2] = np.exp(rng.uniform(-12, 12))
    twice = 2 * max(scales[:2])
    ratios = {"1": scales[0] / twice, "2": scales[1] / twice, "": twice / (1 << LEFT_SHIFTS["int8"]) / scales[2]}
    add = BY_NAME["ADD", "int8"]
    fields: Fields = {"code": add.code, "types": add.types, "count": count, "output_bytes": count}
    for name, ratio in ratios.items():
        fields[f"multiplier{name}"], fields[f"shift{name}"] = quantize_multiplier(float(ratio))
    fields |= {name: zero_point(rng) for name in ("zero1", "zero2", "output_zero")} | {
        "left_shift": LEFT_SHIFTS["int8"]
    }
    if rng.integers(6) == 0:  # as no converter would have them
        fields |= {name: int(rng.integers(-31, 31)) for name in ("shift1", "shift2", "shift")}
        fields["left_shift"] = int(rng.integers(0, 23))
    fields["clamp_min"], fields["clamp_max"] = clamps(rng)
    fields["scratch_bytes"] = pick(rng, 0, 2047, 2048, 2048, int(rng.integers(0, 4096)))
    names = ("input", "input2", "output")
    sizes = dict.fromkeys(names, count) | {"scratch": fields["scratch_bytes"]}
    offsets, arena_bytes = lay_out(rng, sizes)
    offsets["output"] = offsets[pick(rng, "output", "output", "input", "input2")]  # in place
    arena = rng.integers(-128, 128, arena_bytes).astype(np.int8)
    return layer(index, fields | offsets, b"", arena)


def layer(index: int, fields: Fields, weight_section: bytes, arena: np.ndarray) -> Layer:
    """A record as a layer; the NumPy reference says what it must give."""
    operator = of_record(fields)
    record = operator.layout.pack(**fields)
    fields = operator.layout.unpack(record)
    after = arena.copy()
    operator.run(Context(fields, after, np.frombuffer(weight_section, np.uint8)))
    output = after[fields["output"] : fields["output"] + fields["output_bytes"]]
    return Layer(
        index,
        f"random {index}",
        operator.name,
        describe(fields),
        macs(fields),
        record,
        weight_section,
        0,
        arena.tobytes(),
        fields["output"],
        output.reshape(-1, record_shapes(fields)[1][-1]),
        fields.get("blocks", 0),
        0,
        fields.get("blocks", 0),
    )


def overlapping_layer(rng: Generator, index: int, max_macs: int = MAX_MACS, least: int | None = 0) -> Layer:
    """A layer whose output lies over its input: as close as it may, or further away. least: the least scratch memory
    that it gets; None for what a plan gives."""
    while True:
        kind = pick(rng, "CONV_2D", "DEPTHWISE_CONV_2D")
        one = random_layer(rng, index, kind, max_macs)
        op = fields_of(one)
        sizes = (op[name] for name in ("stride_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_w", "pad_top"))
        bound = overlap.distance(op["code"], op["blocks"], *sizes)
        if bound is None:
            continue
        if is_plain(kind, Rows(*load_rows(Context(op, np.zeros(0, np.int8), np.frombuffer(one.weights, np.uint8))))):
            break
    size = op["in_h"] * op["in_w"] * op["in_c"]
    at = pick(rng, 0, 4 * int(rng.integers(0, 20)))
    start = at + bound[0] + bound[1] * pick(rng, 0, 0, 1, int(rng.integers(0, 40)))
    needed = pick(rng, *armv6m.needed(Step(kind, "", [], Tensor("", (), "int8"), op)))
    scratch = needed if least is None else pick(rng, least, least + 4 * int(rng.integers(0, 600)), needed)
    scratch += pick(rng, 0, 0, 4 * int(rng.integers(0, 300)), MAX_BYTES)
    end = spec.align(max(start + size, at + op["output_bytes"]), 4)
    arena = rng.integers(-128, 128, end + scratch).astype(np.int8)
    arena[start : start + size] = np.frombuffer(one.arena, np.int8)[op["input"] :][:size]
    places = {"input": start, "output": at, "scratch": end, "scratch_bytes": scratch, "flags": spec.OVERLAPS}
    return layer(index, op | places, one.weights, arena)


def fields_of(layer: Layer) -> Fields:
    return BY_NAME[layer.operator, "int8"].layout.unpack(layer.record)


def crafted_layer(rng: Generator, index: int, max_macs: int = 40_000) -> Layer:
    """A convolution whose record has been changed at random, but is accepted. Its output is nowhere said."""
    while True:
        base = random_layer(rng, index, pick(rng, *KINDS[:3]), 5000)
        fields = fields_of(base)
        for field in rng.choice(WINDOW.fields, rng.integers(1, 5)):
            if field.name not in ("code", "bank", "types"):
                fields[field.name] = _some_value(rng, field, fields[field.name])
        if rng.integers(2):
            fields["block_channels"] = int(pick(rng, *divisors(fields["out_c"])))
            fields["blocks"] = fields["out_c"] // fields["block_channels"]
        taps = fields["kernel_h"] * fields["kernel_w"]
        row = taps * (1 if base.operator == "DEPTHWISE_CONV_2D" else fields["in_c"])
        outputs = fields["out_h"] * fields["out_w"] * fields["out_c"]
        inputs = fields["in_h"] * fields["in_w"] * fields["in_c"]
        if outputs * (row + 2 * taps) > max_macs or inputs > MAX_BYTES:
            continue
        if rng.integers(2):
            head = blocks.entries_bytes(
                *(fields[n] for n in ("block_channels", "bias_bits", "shift_bits", "mult_bits"))
            )
            fields["block_bytes"] = spec.align(head + fields["block_channels"] * row, spec.BLOCK_ALIGNMENT)
        arena_bytes = _place_crafted(rng, fields, inputs, outputs)
        weights_bytes = fields["weights"] + fields["blocks"] * fields["block_bytes"]
        if max(arena_bytes, weights_bytes) > 2 * MAX_BYTES or max(fields.values()) >> 32:
            continue
        record = WINDOW.pack(**fields)
        if _portable.check(record, arena_bytes, weights_bytes):
            continue
        begin, end = (0, fields["blocks"]) if rng.integers(3) else sorted(rng.integers(0, fields["blocks"] + 1, 2))
        arena = rng.integers(-128, 128, arena_bytes)
        if rng.integers(2):
            arena[rng.random(arena_bytes) < rng.uniform(0.3, 1)] = fields["input_zero"]
        kind = pick(rng, "any", "any", "-128", "alternating", "small")
        crafted = replace(
            base,
            record=record,
            weights=weights(rng, kind, 1, weights_bytes).tobytes(),
            arena=arena.astype(np.int8).tobytes(),
            shape=describe(fields),
            blocks=fields["blocks"],
            output=fields["output"],
            expected=np.zeros((outputs // fields["out_c"], fields["out_c"]), np.int8),
        )
        return weight_window(crafted, int(begin), int(end))


def with_scratch(one: Layer, size: int) -> Layer:
    """The same with other scratch memory, at the end of the arena."""
    at = -(-len(one.arena) // 4) * 4
    arena = one.arena.ljust(at, b"\xa5") + b"\xa5" * size
    op = {**fields_of(one), "scratch": at, "scratch_bytes": size}
    return layer(size, op, one.weights, np.frombuffer(arena, np.int8))


def is_apart(one: Layer) -> bool:
    """Whether input, output and scratch memory of a convolution do not overlap."""
    op = fields_of(one)
    inputs = op["in_h"] * op["in_w"] * op["in_c"]
    spans = [(op["input"], inputs), (op["output"], one.expected.size), (op["scratch"], op["scratch_bytes"])]
    spans = sorted((start, size) for start, size in spans if size)
    return all(start + size <= after for (start, size), (after, _) in pairwise(spans))


def keeps_to_its_memory(one: Layer, before: bytes, after: bytes, arena: int) -> bool:
    """Whether nothing but output and scratch memory has changed. arena: where the arena is in `before` and `after`."""
    op = fields_of(one)
    kept = bytearray(after)
    for offset, size in ((op["output"], one.expected.size), (op["scratch"], op["scratch_bytes"])):
        part = slice(arena + offset, arena + offset + size)
        kept[part] = before[part]
    return kept == before


def weight_window(layer: Layer, begin: int, end: int) -> Layer:
    """The layer with these weight blocks alone, and no other weights in memory."""
    fields = fields_of(layer)
    first, last = (fields["weights"] + b * fields["block_bytes"] for b in (begin, end))
    return replace(layer, begin=begin, end=end, weights=layer.weights[first:last], weights_base=first)


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0] or [1]


def _some_value(rng: Generator, field: Field, now: int) -> int:
    if rng.integers(2):
        return pick(rng, *hostile.values(field.code, now))
    low, high = (0, min(2 * now + 8, 255)) if field.code.isupper() else (-128, 127)
    return int(rng.integers(low, high + 1))


def _place_crafted(rng: Generator, fields: Fields, inputs: int, outputs: int) -> int:
    """Offsets: some as a planner would have them, others upon each other. Returns the arena's bytes."""
    match rng.integers(3):
        case 0:
            fields["input"], fields["output"] = 0, spec.align(inputs, 4)
        case 1:
            fields["input"], fields["output"] = (int(n) for n in rng.integers(0, 60, 2))
    if rng.integers(2):
        fields["output_bytes"] = outputs
    end = max(fields["input"] + inputs, fields["output"] + max(outputs, fields["output_bytes"]))
    match rng.integers(3):
        case 0:
            fields["scratch"] = int(rng.integers(0, end + 1)) & pick(rng, -1, -4)
        case 1:
            fields["scratch"], fields["scratch_bytes"] = spec.align(end, 4), scratch_size(rng, fields)
    if rng.integers(2):
        end = max(end, fields["scratch"] + fields["scratch_bytes"])
    elif rng.integers(2):
        fields["scratch_bytes"] = max(0, end - fields["scratch"])
    return end + int(rng.integers(0, 3))
