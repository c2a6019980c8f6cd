"""The committed figures, figures.json: what every layer took when `make bench-kernels` ran last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from midge_host.conversion import compiled
from midge_host.passes.channels import drop_channels

from . import armv6m, armv7emsp, layers, shapes
from .build import TOOLCHAINS, Program
from .counters import COUNTERS
from .layers import Layer

PATH = Path(__file__).with_name("figures.json")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "models"
SHAPES = "shapes"  # layers made here, as if they were a model
MODELS = (
    SHAPES,
    "vww_96_int8",
    "kws_ref_model",
    "pretrainedResnet_quant",
    "ad01_int8",
    "person_detect",
    "str_ww_ref_model",
    "mnist_cnn_int8",
)
OTHERS = ("ww_alexa_v2",)  # with records of other banks than the core; not in the figures
WHOLE = "vww_96_int8"  # also counted with all its channels
WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")
TOLERANCE = 0.02
DEPTHWISE = "48x48x8 → 48x48x8, 3x3"
CYCLES = "armv7emsp_cycles"  # estimated, beside instructions
REQUANTISE = "scale_row"  # of native_modules/kernels/armv6m/rows.S

# One layer: `operator`, `shape`, `macs`, `outputs`, and what it takes by architecture.
Figure = dict[str, Any]


@dataclass
class Figures:
    """`compilers` by architecture, layers by model; cycles of `requantisation` for an output, load and store included:
    what is spent in REQUANTISE for the layer DEPTHWISE; `all_channels`: cycles of the convolutions of WHOLE where no
    channel is dropped.
    """

    compilers: dict[str, str]
    models: dict[str, list[Figure]]
    requantisation: float = 0
    all_channels: int = 0


@dataclass
class Comparison:
    """Layers slower than their figures, faster ones, and those whose figures are of another layer."""

    slower: list[str] = field(default_factory=list)
    faster: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def load_layers(model: str) -> list[Layer]:
    return shapes.layers() if model == SHAPES else layers.load(SHARED / f"{model}.tflite")


def read() -> Figures:
    return Figures(**json.loads(PATH.read_text(encoding="utf-8")))


def write(figures: Figures) -> None:
    PATH.write_text(dump(figures), encoding="utf-8")


def dump(figures: Figures) -> str:
    """JSON with a line for every layer, for the sake of diffs."""
    models = []
    for name, rows in figures.models.items():
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        models.append(f"{json.dumps(name)}: [\n{lines}\n]")
    compilers = json.dumps(figures.compilers, indent=1)
    head = f'{{"compilers": {compilers},\n"requantisation": {figures.requantisation},\n'
    head += f'"all_channels": {figures.all_channels},\n"models": {{\n'
    return head + ",\n".join(models) + "\n}}\n"


def measure() -> Figures:
    """Counts everything anew."""
    figures = Figures({arch: TOOLCHAINS[arch].version() or "" for arch in COUNTERS}, {})
    programs = {arch: counter.assemble() for arch, counter in COUNTERS.items()}
    for model in MODELS:
        chosen = load_layers(model)
        rows = [describe(layer) for layer in chosen]
        for arch, counter in COUNTERS.items():
            for row, count in zip(rows, counter.count(programs[arch], chosen), strict=True):
                row[arch] = count
        for row, effort in zip(rows, armv7emsp.measure(programs["armv7emsp"], chosen), strict=True):
            row[CYCLES] = effort.cycles
        figures.models[model] = rows
    (layer,) = (layer for layer in shapes.layers() if layer.shape == DEPTHWISE)
    spent = armv6m.profile(programs["armv6m"], layer).by_symbol()[REQUANTISE]
    figures.requantisation = round(spent / layer.outputs, 2)
    figures.all_channels = count_all_channels(programs["armv6m"])
    return figures


def count_all_channels(program: Program) -> int:
    """Cycles of the convolutions of WHOLE with every channel that its source has."""
    others = [p for p in compiled.PROGRAM_PASSES if p is not drop_channels]
    with mock.patch.object(compiled, "PROGRAM_PASSES", others):
        chosen = [layer for layer in load_layers(WHOLE) if layer.operator in WINDOWED]
    return sum(armv6m.count(program, chosen))


def describe(layer: Layer) -> Figure:
    return {"operator": layer.operator, "shape": layer.shape, "macs": layer.macs, "outputs": layer.outputs}


def compare(known: Sequence[Figure], counted: Sequence[Layer], counts: Sequence[int], arch: str) -> Comparison:
    """Counts of a model's layers against its figures."""
    found = Comparison()
    if len(known) != len(counted):
        found.changed.append(f"{len(counted)} layers, {len(known)} in the figures")
        return found
    for row, layer, count in zip(known, counted, counts, strict=True):
        if describe(layer) != {key: row[key] for key in describe(layer)}:
            found.changed.append(f"{layer.title}: in the figures {row['operator']} {row['shape']}")
            continue
        change = count / row[arch] - 1
        text = f"{layer.title}: {row[arch]:,} became {count:,} ({change:+.1%})"
        if change > TOLERANCE:
            found.slower.append(text)
        elif change < -TOLERANCE:
            found.faster.append(text)
    return found
