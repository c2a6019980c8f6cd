"""Where lines, boxes and bars of the page's drawings stand, in SVG's units; page.html draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from ..device.model_file import ModelFile, TensorInfo
from .lifetimes import START, Lifetimes, Tensor

BOX, ROW, GAP, LANE = 290, 36, 16, 12  # of the graph: width and height of a box, what lies between boxes and lines
COLUMN, LEAST_WIDTH, PLOT_HEIGHT, AXIS = 24, 640, 320, 64  # of the arena over time
LEAST = 1.5  # of a block that would be too small to see
LETTER = 6.2  # width of one in a block's name


@dataclass(frozen=True)
class Box:
    """A layer, an input or an output, with two lines of text."""

    x: float
    y: float
    width: float
    height: float
    name: str
    text: str
    kind: str


@dataclass(frozen=True)
class Drawing:
    """boxes, and the paths of the lines between them."""

    width: float
    height: float
    boxes: list[Box]
    lines: list[str]


def graph(model: ModelFile, lives: Lifetimes, layers: Sequence[dict[str, Any]]) -> Drawing:
    """Layers from top to bottom as they run. layers: those of `midge info`. Lines that pass by others run in lanes to
    the right."""
    count = len(model.inputs)
    texts = [("input", t.name, f"input {_shape(t.shape)} {t.dtype}") for t in model.inputs]
    for index in lives.steps:
        layer = layers[index]
        texts.append(("layer", layer["name"], f"{layer['operator']} {_shape(layer['output_shape'])}"))
    texts += [("output", t.name, f"output {_shape(t.shape)} {t.dtype}") for t in model.outputs]
    boxes = [Box(1, 1 + row * (ROW + GAP), BOX, ROW, name, text, kind) for row, (kind, name, text) in enumerate(texts)]
    pairs = sorted(set(_edges(model, lives, count)))
    lines, lanes = [], _lanes([pair for pair in pairs if pair[1] - pair[0] > 1])
    for pair in pairs:
        top, bottom = boxes[pair[0]], boxes[pair[1]]
        if pair in lanes:
            x, lane = top.x + top.width, top.x + top.width + LANE * (1 + lanes[pair])
            start, end = top.y + ROW * 0.6, bottom.y + ROW * 0.4
            lines.append(f"M{x} {start}H{lane - 5}q5 0 5 5V{end - 5}q0 5 -5 5H{x + 2}")
        else:
            lines.append(f"M{top.x + BOX / 2} {top.y + ROW}V{bottom.y - 1}")
    width = BOX + 2 + LANE * (1 + max(lanes.values(), default=-1)) + LANE
    return Drawing(width, len(boxes) * (ROW + GAP) - GAP + 2, boxes, lines)


def _edges(model: ModelFile, lives: Lifetimes, inputs: int) -> list[tuple[int, int]]:
    """Pairs of rows: inputs, steps, outputs."""
    edges = []
    for tensor in lives.tensors:
        if tensor.maker is None and tensor.kind != "input":
            continue
        top = inputs + tensor.maker if tensor.maker is not None else _row(model.inputs, tensor)
        for reader in tensor.readers:
            if reader < len(lives.steps):
                edges.append((top, inputs + reader))
                continue
            for i, output in enumerate(model.outputs):
                if output.offset < tensor.offset + tensor.bytes and tensor.offset < output.offset + output.bytes:
                    edges.append((top, inputs + len(lives.steps) + i))
    return edges


def _row(inputs: Sequence[TensorInfo], tensor: Tensor) -> int:
    return next(i for i, t in enumerate(inputs) if (t.name, t.offset) == (tensor.name, tensor.offset))


def _lanes(pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """A lane for each pair of rows, short lines first, so that none runs over another."""
    found: dict[tuple[int, int], int] = {}
    for first, last in sorted(pairs, key=lambda pair: pair[1] - pair[0]):
        taken = {lane for (start, end), lane in found.items() if start < last and first < end}
        found[first, last] = next(lane for lane in range(len(pairs)) if lane not in taken)
    return found


@dataclass(frozen=True)
class Plot:
    """The arena over time: a column for each step, the first byte at the bottom. rows, columns: places and texts at the
    axes."""

    width: float
    height: float
    left: float
    blocks: list[Box]
    rows: list[tuple[float, str]]
    columns: list[tuple[float, str]]


def arena(model: ModelFile, lives: Lifetimes) -> Plot:
    """Tensors as blocks as long as they live, and the scratch memory of kernels. The inputs have a column before the
    steps, the outputs one behind them."""
    columns = len(lives.steps) + 2
    column = max(COLUMN, (LEAST_WIDTH - AXIS) / columns)
    scale = PLOT_HEIGHT / max(model.arena_bytes, 1)

    def block(first: int, end: int, offset: int, size: int, name: str, text: str, kind: str) -> Box:
        x, height = AXIS + (first - START) * column, max(size * scale, LEAST)
        return Box(x, PLOT_HEIGHT - offset * scale - height, (end - first) * column, height, name, text, kind)

    blocks = []
    for t in lives.tensors:
        text = f"{t.name}: {t.bytes:,} bytes from {t.offset:,} on, {_when(t, len(lives.steps))}"
        box = block(t.first, t.end, t.offset, t.bytes, t.name, text, t.kind)
        letters = int((box.width - 6) / LETTER) if box.height >= 12 else 0
        name = t.name if len(t.name) <= letters else f"{t.name[: letters - 1]}…" if letters > 4 else ""
        blocks.append(Box(box.x, box.y, box.width, box.height, name, text, t.kind))
    for step, index in enumerate(lives.steps):
        record = model.records[index]
        if record["scratch_bytes"]:
            text = f"scratch of {model.names[index]}: {record['scratch_bytes']:,} bytes from {record['scratch']:,} on"
            blocks.append(block(step, step + 1, record["scratch"], record["scratch_bytes"], "", text, "scratch"))
    rows = [(PLOT_HEIGHT * (1 - i / 4), f"{model.arena_bytes * i // 4:,}") for i in range(5)]
    middle = AXIS + 1.5 * column
    ticks = [(middle + step * column, str(index)) for step, index in enumerate(lives.steps)]
    ends = [(AXIS + column / 2, "in"), (middle + len(lives.steps) * column, "out")]
    return Plot(AXIS + columns * column + 1, PLOT_HEIGHT + 34, AXIS, blocks, rows, [*ends, *ticks])


def _when(tensor: Tensor, count: int) -> str:
    if tensor.first == START and tensor.last == count:
        return "kept"
    start = "from the start" if tensor.first == START else f"from step {tensor.first}"
    return f"{start} to {'the end' if tensor.last == count else f'step {tensor.last}'}"


def bars(counts: Sequence[int], width: float, height: float) -> str:
    """The path of a histogram's outline. Heights are the roots of counts, so that few beside many are seen."""
    most, step = max(max(counts), 1), width / len(counts)
    found, level = [f"M0 {height:g}"], height
    for i, count in enumerate(counts):
        y = round(min(height * (1 - sqrt(count / most)), height - 1), 1) if count else height
        if y != level:
            found.append(f"H{i * step:g}V{y:g}")
            level = y
    return "".join(found) + f"H{width:g}V{height:g}Z"


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
