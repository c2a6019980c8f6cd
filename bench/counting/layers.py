"""Layers to count: a record, its weights, the arena before it, and what its output must be."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from midge_host import frontends
from midge_host.conversion import build
from midge_host.device import reference
from midge_host.device.banks import BANKS
from midge_host.device.model_file import ModelFile
from midge_host.device.ops.window import WINDOW
from midge_host.device.registry import macs, of_record, record_shapes
from midge_host.errors import MidgeError

# layer_t of layer.c: eleven words.
LAYER = struct.Struct("<11I")
ALIGNMENT = 16


@dataclass(frozen=True)
class Layer:
    """One operator of a model. `begin` and `end` are the weight blocks to run."""

    index: int
    name: str
    operator: str
    shape: str
    macs: int
    record: bytes
    weights: bytes
    weights_base: int
    arena: bytes
    output: int  # offset in the arena
    expected: np.ndarray  # (positions, channels) where there are weight blocks
    blocks: int
    begin: int
    end: int
    arena_at: int = 0  # beyond an aligned address
    weights_at: int = 0
    share: tuple[int, int] = (0, 1)  # part and parts of the rows of its output

    @property
    def title(self) -> str:
        return f"layer {self.index} ({self.operator} {self.shape})"

    @property
    def bank(self) -> str:
        """The native module that has its kernel."""
        return BANKS[self.record[1]].name

    @property
    def outputs(self) -> int:
        share = (self.end - self.begin, self.blocks) if self.blocks else (1, 1)
        return self.expected.size * share[0] // share[1]

    def part(self, begin: int, end: int) -> Layer:
        """The same with these weight blocks alone."""
        end = min(end, self.blocks)
        return replace(self, begin=begin, end=end, macs=self.macs * (end - begin) // self.blocks)

    def wrong(self, output: bytes) -> int:
        """How many bytes differ from the reference, in the channels that the weight blocks hold."""
        got = np.frombuffer(output, np.int8).reshape(self.expected.shape)
        if not self.blocks:
            return int((got != self.expected).sum())
        channels = self.expected.shape[1]
        first, last = (b * channels // self.blocks for b in (self.begin, self.end))
        return int((got[:, first:last] != self.expected[:, first:last]).sum())


@dataclass(frozen=True)
class Placed:
    """A layer in memory: `memory` belongs at the address `at`, where layer_t is. Addresses of its parts; the output's
    address and size."""

    memory: bytes
    at: int
    program: int
    weights: int
    arena: int
    output: tuple[int, int]


def place(layer: Layer, at: int) -> Placed:
    """Lays out layer_t, record, weights and arena from the address `at` (aligned) on."""
    memory = bytearray(LAYER.size)
    addresses = []
    for part, beyond in ((layer.record, 0), (layer.weights, layer.weights_at), (layer.arena, layer.arena_at)):
        memory += bytes(-len(memory) % ALIGNMENT + beyond)
        addresses.append(at + len(memory))
        memory += part
    program, weights, arena = addresses
    memory[: LAYER.size] = LAYER.pack(
        *(program, len(layer.record)),
        *(arena, len(layer.arena)),
        *(weights, len(layer.weights), layer.weights_base),
        *(layer.begin, layer.end, *layer.share),
    )
    return Placed(bytes(memory), at, program, weights, arena, (arena + layer.output, layer.expected.size))


def check(layer: Layer, status: int, output: bytes) -> None:
    """Raises MidgeError when a layer did not run, or computed something else than the reference."""
    if status:
        raise MidgeError(f"{layer.title}: refused with reason {status & 15}")
    if wrong := layer.wrong(output):
        raise MidgeError(f"{layer.title}: {wrong} of {layer.outputs} output bytes are wrong")


def model_layers(model: ModelFile, sample: np.ndarray | None = None) -> list[Layer]:
    """All layers of a model, each with the arena that the reference has before it, for an int8 sample or noise.

    The cycles of some kernels depend on what a layer reads, and noise is not what sensors give.
    """
    rng = np.random.default_rng(0)
    arena = np.zeros(model.arena_bytes, np.int8)
    for tensor in model.inputs:
        values = rng.integers(-128, 128, tensor.shape) if sample is None else sample.reshape(tensor.shape)
        reference.view(arena, tensor)[:] = values
    layers = []
    before = arena.tobytes()
    for index in reference.run_records(model, arena, model.predict):
        layers.append(_layer(model, index, before, arena))
        before = arena.tobytes()
    return layers


def load(path: Path) -> list[Layer]:
    """The layers of a .tflite file, for the first real sample beside it in a .npz file, or for a random input."""
    graph = frontends.load(path).graph
    sample = None
    if path.with_suffix(".npz").is_file():
        with np.load(path.with_suffix(".npz")) as samples:
            names = [n for n in samples.files if n.startswith("real_") and n.endswith("_inputs")]
            sample = samples[names[0]][0] if names else None
    return model_layers(build(graph), sample)


def _layer(model: ModelFile, index: int, before: bytes, after: np.ndarray) -> Layer:
    record = model.records[index]
    size = record["blocks"] * record["block_bytes"]
    output = after[record["output"] : record["output"] + record["output_bytes"]]
    channels = record_shapes(record)[1][-1] if record["blocks"] else 1
    return Layer(
        index,
        model.names[index],
        model.operator(index).name,
        describe(record),
        macs(record),
        of_record(record).layout.pack(**record),
        model.weights[record["weights"] : record["weights"] + size] if size else b"",
        record["weights"] if size else 0,
        before,
        record["output"],
        output.reshape(-1, channels).copy(),
        record["blocks"],
        0,
        record["blocks"],
    )


def describe(record: dict) -> str:
    """A record's shapes in words: `48x48x16 → 48x48x32, 3x3 /2`."""
    operator = of_record(record)
    if operator.name == "FULLY_CONNECTED" and record["in_h"] == record["in_w"] == 1:
        return f"{record['in_c']} → {record['out_c']}"
    text = " → ".join("x".join(map(str, shape)) for shape in record_shapes(record))
    if operator.layout is not WINDOW or operator.name == "FULLY_CONNECTED":
        return text
    strides = sorted({record["stride_h"], record["stride_w"]})
    stride = "" if strides == [1] else f" /{'x'.join(map(str, strides))}"
    return f"{text}, {record['kernel_h']}x{record['kernel_w']}{stride}"
