"""Outputs over inputs: the bound holds for any order that kernels may have, plans keep to it, no byte changes, and
files that break it are refused."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.random import Generator

import midge
import midge_core
from midge import _cores, _overlap, _portable
from midge_host import backends
from midge_host.device import model_file, reference, spec
from midge_host.device.model_file import ModelFile, TensorInfo
from midge_host.device.ops.window import WINDOW, reaches_padding
from midge_host.device.record import Step
from midge_host.device.registry import BY_NAME
from midge_host.ir.graph import Tensor
from midge_host.plan import arena, layout, overlap
from midge_host.targets import EVERY_BOARD, Target
from random_layers import fields_of, generators, overlapping_layer, rows, size

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D")
TILE = 6
CHAINS = 25


def window(rng: Generator, kind: str, height: int, width: int, channels: int) -> dict[str, int]:
    """Fields of a random layer over an image of that size."""
    fields = {"in_h": height, "in_w": width, "in_c": channels}
    for name, length, pad in (("h", height, "pad_top"), ("w", width, "pad_left")):
        kernel, stride, dilation = (int(n) for n in (rng.integers(1, 5), rng.integers(1, 3), rng.integers(1, 3)))
        if kind.endswith("POOL_2D") or rng.integers(2):
            kernel, dilation = int(rng.integers(1, 4)), 1
        before = int(rng.integers(0, kernel)) if rng.integers(2) else 0
        fields |= {f"out_{name}": -(-length // stride), pad: before}
        fields |= {f"kernel_{name}": kernel, f"stride_{name}": stride, f"dilation_{name}": dilation}
    fields["out_c"] = int(rng.integers(1, 2 * channels + 1)) if kind == "CONV_2D" else channels
    return fields


def distance(kind: str, f: dict[str, int]) -> tuple[int, int] | None:
    sizes = ("stride_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_w", "pad_top")
    return _overlap.distance(BY_NAME[kind, "int8"].code, 1, *(f[name] for name in sizes))


def destroys(kind: str, f: dict[str, int], apart: int) -> bool:
    """Whether an output may be written before somebody reads what it overwrites. apart: bytes from the output's start
    to the input's.

    A kernel makes the pixels of a row in any order, or those of some rows, and the last TILE pixels again. Of a
    depthwise convolution it makes the channels in any order.
    """
    out_w, out_c, in_c = f["out_w"], f["out_c"], f["in_c"]
    pixels = f["out_h"] * out_w
    together = out_w * (-(-spec.TOGETHER // out_w) if kind == "CONV_2D" else 1)
    again = pixels - TILE if kind == "CONV_2D" else pixels
    read = np.full((f["in_h"] * f["in_w"], in_c), -1)  # the last pixel that reads a value
    for p in range(pixels):
        y, x = p // out_w * f["stride_h"] - f["pad_top"], p % out_w * f["stride_w"] - f["pad_left"]
        for ky, kx in product(range(f["kernel_h"]), range(f["kernel_w"])):
            row, column = y + ky * f["dilation_h"], x + kx * f["dilation_w"]
            if 0 <= row < f["in_h"] and 0 <= column < f["in_w"]:
                read[row * f["in_w"] + column] = p
    read = read.reshape(-1)
    for p in range(pixels):
        for c in range(out_c):
            at = p * out_c + c - apart
            if 0 <= at < read.size and read[at] >= 0:
                is_other = kind == "DEPTHWISE_CONV_2D" and at % in_c != c
                if is_other or read[at] // together >= p // together or min(read[at], p) >= again:
                    return True
    return False


def test_the_bound_holds_in_any_order() -> None:
    found = dict.fromkeys(KINDS, 0)
    tight = 0
    for i, rng in generators(400, 0):
        kind = KINDS[i % 4]
        f = window(rng, kind, *(int(n) for n in rng.integers(1, 9, 2)), int(rng.integers(1, 6)))
        bound = distance(kind, f)
        if bound is None:
            continue
        least, unit = bound
        assert least % unit == 0 and unit % 4 == 0
        for more in (0, unit, 3 * unit):
            assert not destroys(kind, f, least + more), (kind, f, least)
        tight += least > 0 and destroys(kind, f, least - f["in_w"] * f["in_c"] * f["stride_h"] - unit)
        found[kind] += 1
    assert min(found.values()) > 20
    assert tight > 50


@pytest.mark.parametrize("module", [midge_core, _portable])
def test_kernels_keep_the_order(module: object) -> None:
    """Whole, and if rows were to be shared between cores."""
    for i, rng in generators(80 if module is _portable else 400, 1):
        one = overlapping_layer(rng, i, 8000)
        for parts in (1, 2):
            memory = bytearray(one.arena)
            for part in range(parts):
                assert module.run(one.record, 0, 1, memory, one.weights, 0, 0, 0xFFFF, part, parts) == 0
            assert not one.wrong(bytes(memory[one.output : one.output + one.expected.size])), fields_of(one)


def chain(rng: Generator) -> list[Step]:
    """Layers one after the other."""
    height, width = size(rng, 6, 24), size(rng, 4, 24)
    channels = int(rng.integers(1, 9))
    tensor = Tensor("x", (1, height, width, channels), "int8")
    steps = []
    for number in range(int(rng.integers(3, 8))):
        kind = KINDS[rng.choice(4, p=[0.5, 0.4, 0.05, 0.05])]
        fields = window(rng, kind, *tensor.shape[1:])
        made = Tensor(f"t{number}", (1, fields["out_h"], fields["out_w"], fields["out_c"]), "int8")
        zeros = {"input_zero": int(rng.integers(-128, 128)), "output_zero": int(rng.integers(-128, 128))}
        fields |= {"clamp_min": -128, "clamp_max": 127, **zeros}
        step = Step(kind, f"layer {number}", [tensor], made, fields)
        if kind in KINDS[:2]:
            taps = fields["kernel_h"] * fields["kernel_w"] * (fields["in_c"] if kind == "CONV_2D" else 1)
            step.rows = rows(rng, fields, taps)
        steps.append(step)
        tensor = made
    return steps


ANY_TIME = Target(*EVERY_BOARD[:-2], slowdown=2)


def model_of(steps: list[Step]) -> ModelFile:
    source, output = steps[0].inputs[0], steps[-1].output
    plan = arena.plan(steps, [source], [output], {}, target=ANY_TIME)
    records, weights = layout.lay_out(steps, plan)
    edges = [[TensorInfo(t.name, plan.offset(t), t.shape, "int8", 1.0, 0)] for t in (source, output)]
    model = ModelFile(*edges, records, [s.name for s in steps], weights, plan.arena_bytes)
    model.check()
    return model


def over(model: ModelFile) -> list[int]:
    return [i for i, record in enumerate(model.records) if record["flags"] & spec.OVERLAPS]


def test_chains_of_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arenas become smaller, and all backends give the bytes of a plan without overlap, with streamed weights, too."""
    monkeypatch.setattr(model_file, "WINDOW_BYTES", 0)
    overlapping = 0
    path = tmp_path / "chain.midge"
    for _, rng in generators(CHAINS, 2):
        steps = chain(rng)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(overlap, "distance", lambda step: None)
            apart = model_of(steps)
        model = model_of(steps)
        assert not over(apart) and model.arena_bytes <= apart.arena_bytes
        if not over(model):
            continue
        overlapping += 1
        x = rng.integers(-128, 128, (1, *model.inputs[0].shape)).astype(np.int8)
        path.write_bytes(apart.to_bytes())
        (expected,) = backends.run("numpy", path, [x]).outputs
        path.write_bytes(model.to_bytes())
        assert over(model_file.read(path)) == over(model)
        for name, weights in [*product(("numpy", "cpython", "portable"), ("ram", "stream")), ("wasm", "ram")]:
            np.testing.assert_array_equal(backends.run(name, path, [x], weights).outputs[0], expected, err_msg=name)
    assert overlapping > CHAINS // 4


@pytest.fixture(scope="module")
def model() -> ModelFile:
    """A convolution whose output lies over its input, and one that has to wait."""
    rng = np.random.default_rng(3)
    fields = dict.fromkeys(("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
    fields |= {"in_h": 32, "in_w": 32, "out_h": 32, "out_w": 32, "pad_top": 0, "pad_left": 0, "input_zero": 0}
    fields |= {"in_c": 8, "out_c": 8, "output_zero": 0, "clamp_min": -128, "clamp_max": 127}
    tensors = [Tensor(f"t{i}", (1, 32, 32, 8), "int8") for i in range(3)]
    steps = []
    for i in range(2):
        made = rows(rng, fields, 8)
        made.weights[:] = np.maximum(made.weights, -127)
        steps.append(Step("CONV_2D", f"layer {i}", [tensors[i]], tensors[i + 1], fields, rows=made))
    model = model_of(steps)
    model.golden_seed = 1
    model.golden = reference.golden_values(model)
    assert over(model) == [0, 1]
    return model


def refusals(data: bytes, folder: Path) -> list[str]:
    """What the host and the device library say to a file."""
    path = folder / "m.midge"
    path.write_bytes(data)
    said = []
    for read in (lambda: model_file.from_bytes(data), lambda: midge.load(str(path))):
        with pytest.raises(ValueError) as caught:
            read()
        said.append(str(caught.value))
    return said


def test_a_file_that_breaks_the_bound_is_refused(model: ModelFile, tmp_path: Path) -> None:
    first, second = model.records
    for change in (
        {"output": first["output"] + 4},
        {"in_w": 31},
        {"code": 3},
        {"flags": spec.OVERLAPS | 1, "pad_top": 7, "input": first["input"] - 4},
    ):
        bad = replace(model, records=[first | change, second])
        for said in refusals(bad.to_bytes(), tmp_path):
            assert "operator 0 cannot run with its output over its input" in said, change
    # What no layer can be is refused before anything is divided by it.
    for change in ({"stride_h": 0}, {"code": 2, "in_c": 0, "out_c": 0, "kernel_w": 3}):
        bad = replace(model, records=[first | change, second])
        assert "operator 0" in refusals(bad.to_bytes(), tmp_path)[1], change
    # Each block of a convolution reads the whole input.
    blocks = b"".join(WINDOW.pack(**record | {"blocks": 2, "block_channels": 4}) for record in model.records)
    with pytest.raises(ValueError, match="operator 0 cannot run"):
        _overlap.check(b"\0\0\1\0", blocks)


def test_flags_and_section_say_the_same(model: ModelFile, tmp_path: Path) -> None:
    header, sections = model_file.unpack(model.to_bytes())
    edge = {name: header[name] for name in ("arena_bytes", "window_bytes", "input_count", "output_count")}
    flags = {tag: flag for tag, _, flag, _ in spec.SECTIONS}
    assert flags["OVER"] == spec.REQUIRED  # whoever does not know it refuses the file
    assert sections["OVER"] == struct.pack("<2H", 0, 1)
    for content in (b"", b"\0\0", b"\1\0\0\0", b"\0\0\0\0", b"\0\0\1\0\2\0", b"\0\0\1\0\0"):
        changed = [(tag, flags[tag], content if tag == "OVER" else data) for tag, data in sections.items()]
        refusals(model_file.pack(edge, [s for s in changed if s[2] or s[0] != "OVER"]), tmp_path)


def test_a_model_in_use(model: ModelFile, tmp_path: Path) -> None:
    """Self-test, profile, streamed weights; two cores leave the order alone."""
    path = tmp_path / "m.midge"
    path.write_bytes(model.to_bytes())
    for weights, backend in product(("ram", "map", "stream"), ("native", "portable")):
        loaded = midge.load(str(path), weights, backend)
        assert loaded.selftest()
    assert len(loaded.profile(bytes(8192))) == 2
    both, arena_bytes = _cores.split(model.program(), model.arena_bytes)
    assert both[: len(both) // 2] == both[len(both) // 2 :] == model.program()
    assert arena_bytes == spec.align(model.arena_bytes, 4)


def test_no_layer_loses_its_input_to_padding() -> None:
    """The layers that are drawn reach beyond the image: else the bound would not be put to the test."""
    drawn = [WINDOW.unpack(overlapping_layer(rng, i, 4000).record) for i, rng in generators(40, 3)]
    assert 10 < sum(map(reaches_padding, drawn)) < 40
