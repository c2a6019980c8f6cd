"""Which heads a model has that finds things in pictures, as a board reads them: docs/detection.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, prod, sqrt

import numpy as np

from ..device import spec
from ..device.detection import Detection
from ..device.model_file import ModelFile, TensorInfo
from ..errors import MidgeError

Size = tuple[float, float]  # of an anchor, width and height in pixels of the input
Values = np.ndarray

INT8 = np.arange(-128, 128)
KINDS = ("auto", "blazeface", "yolo", "ssd", "fomo", "none")
MOST_SIDE = 2047  # of an input: places are int16 in 1/16 pixels
ONE = 1 << 15
# MediaPipe's anchors are of size 1, at the middle of each cell: stride and anchors a cell of each layer, by model.
BLAZE_LAYERS = (((8, 2), (16, 6)), ((4, 1),), ((16, 2), (32, 6)), ((8, 2), (16, 2), (32, 6)))
BLAZE_LABELS = {4: ["person"], 6: ["face"], 7: ["palm"]}  # by the number of keypoints
YOLO_STRIDES = (8, 16, 32)
SSD_LAYERS = 6  # of TensorFlow's object detection API: 16 pixels a cell in the first, half as many cells in each next
SSD_SCALES = (0.2, 0.95)  # of its anchors, first and last layer
SSD_CENTRE, SSD_SIZE = 10.0, 5.0  # by which it divides what the network says


@dataclass
class Heads:
    """A Detection that grows by grids."""

    made: Detection
    tables: dict[bytes, int] = field(default_factory=dict)
    classes: int = 1
    labels: list[str] = field(default_factory=list)  # where nobody names the classes

    def table(self, values: Values, shift: int) -> int:
        """The number of a table of real values, in 1/2^shift."""
        table = np.clip(np.round(values * (1 << shift)), -ONE, ONE - 1).astype(np.int16)
        number = self.tables.setdefault(table.tobytes(), len(self.tables))
        if number == len(self.made.tables):
            self.made.tables.append(table)
        return number

    def scores(self, tensor: TensorInfo) -> dict[str, int]:
        """Fields of a grid whose scores are a tensor's values."""
        values = probabilities(tensor)
        enough = INT8[values >= self.made.least]
        return {"score_table": self.table(values, 15), "threshold": int(enough[0]) if len(enough) else 128}

    def boxes(self, positions: Values, sizes: Values) -> dict[str, int]:
        """Fields of a grid whose boxes are functions of a tensor's values."""
        by_position, by_size = finest(positions), finest(sizes)
        return {
            "has_box": 1,
            "position_table": self.table(positions, by_position),
            "position_shift": by_position,
            "size_table": self.table(sizes, by_size),
            "size_shift": by_size,
        }

    def add(self, cells: tuple[int, int], anchors: Sequence[tuple[float, float, float, float]], **fields: int) -> None:
        """A grid of rows and columns."""
        if fields.get("last_class", 0) > 254:
            raise MidgeError(f"--detect: {fields['last_class'] + 1} classes, the limit is 255")
        rows, columns = cells
        self.made.grids.append(
            {
                "rows": rows,
                "columns": columns,
                "anchors": len(anchors),
                "first_anchor": len(self.made.anchors),
                "last": rows * columns * len(anchors) - 1,
                **fields,
            }
        )
        self.made.anchors += anchors
        self.classes = fields.get("last_class", 0) + 1


def real(tensor: TensorInfo) -> Values:
    """What each of int8's values means."""
    return (INT8 - tensor.zero_point) * np.float64(tensor.scale)


def sigmoid(values: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-values)))


def probabilities(tensor: TensorInfo) -> Values:
    """What each of int8's values means as a score: as it is, or where it can be negative behind a sigmoid."""
    values = real(tensor)
    if tensor.function in ("softmax", "log_softmax"):
        raise MidgeError(f"--detect: {tensor.name} ends in a {tensor.function} of floats; quantise it with the rest")
    return sigmoid(values) if tensor.function or values[0] < -0.01 else values


def finest(values: Values) -> int:
    """The most bits of a fraction with which values fit int16."""
    most = float(np.abs(values).max())
    return max([shift for shift in range(16) if most * (1 << shift) < ONE], default=0)


def cell(stride: tuple[float, float], middle: bool) -> dict[str, int]:
    """Fields of a grid whose cells are so many pixels high and wide; places are at their middle, or their corner."""
    y, x = (round(256 * value) for value in stride)
    half = {"origin_y": y // 2, "origin_x": x // 2} if middle else {}
    # Of a single cell there is no next one, and a stride may be too long for its field.
    return {"stride_y": min(y, 65535), "stride_x": min(x, 65535), **half}


def split(tensors: Iterable[TensorInfo], width: Callable[[TensorInfo], int], counts: Iterable[int]) -> Iterator:
    """For grids of so many candidates each the tensor that holds it, and the first candidate there: tensors may hold
    one grid each, or several."""
    rest = sorted(tensors, key=lambda tensor: -(tensor.size // width(tensor)))
    first = 0
    for count in counts:
        yield rest[0], first
        first += count
        if first == rest[0].size // width(rest[0]):
            rest, first = rest[1:], 0


def last(tensor: TensorInfo) -> int:
    return tensor.shape[-1] if tensor.shape else 1


def blazeface(heads: Heads, outputs: list[TensorInfo], side: tuple[int, int], anchors: Sequence[Size]) -> bool:
    """MediaPipe's detectors of faces, palms and persons: scores [N, 1]; boxes and keypoints [N, 4 + 2 K], in pixels."""
    scores = [tensor for tensor in outputs if last(tensor) == 1]
    boxes = [tensor for tensor in outputs if 4 < last(tensor) <= 4 + 2 * spec.DETECT_LIMITS["keypoints"]]
    if len(scores) + len(boxes) != len(outputs) or not scores or len({*map(last, boxes)}) != 1 or last(boxes[0]) % 2:
        return False
    count, values = sum(tensor.size for tensor in scores), last(boxes[0])
    for layers in BLAZE_LAYERS:
        cells = [(ceil(side[0] / stride), ceil(side[1] / stride)) for stride, _ in layers]
        counts = [rows * columns * n for (rows, columns), (_, n) in zip(cells, layers, strict=True)]
        if sum(counts) == count and sum(tensor.size for tensor in boxes) == count * values:
            break
    else:
        return False
    reach = max(side) + max(np.abs(real(box)).max() for box in boxes)
    if reach > MOST_SIDE:
        raise MidgeError(f"--detect: {boxes[0].name} may lie {reach:,.0f} pixels away, the limit is {MOST_SIDE:,}")
    heads.made.keypoints = (values - 4) // 2
    heads.made.mode, heads.labels = "average", BLAZE_LABELS.get(heads.made.keypoints, [])
    placed = zip(cells, layers, split(scores, last, counts), split(boxes, last, counts), strict=True)
    for (rows, columns), (_, n), (score, score_at), (box, box_at) in placed:
        at = box.offset + box_at * values
        heads.add(
            (rows, columns),
            [(1, 1, 1, 1)] * n,
            **cell((side[0] / rows, side[1] / columns), True),
            **heads.scores(score),
            **heads.boxes(real(box), real(box)),
            **places(at, 1),
            scores=score.offset + score_at,
            score_step=1,
            box_step=values,
            keypoint_x=at + 4,
            keypoint_y=at + 5,
            keypoint_step=2,
            last_keypoint=heads.made.keypoints - 1,
        )
    return True


def places(at: int, step: int, order: str = "xywh") -> dict[str, int]:
    """Fields of a grid whose boxes begin at `at`, with a value each `step` bytes."""
    names = {"x": "x", "y": "y", "w": "width", "h": "height"}
    return {names[letter]: at + i * step for i, letter in enumerate(order)}


def yolo(heads: Heads, outputs: list[TensorInfo], side: tuple[int, int], anchors: Sequence[Size]) -> bool:
    """Boxes as Ultralytics' models decode them, [4 + C, N] or [N, 4 + C], with objectness [N, 5 + C], or boxes and
    scores as two outputs; or, with anchors, what the heads of YOLO v2 and v3 say, [rows, columns, A (5 + C)] each."""
    if anchors:
        return yolo_grids(heads, outputs, side, anchors)
    grids = [(ceil(side[0] / stride), ceil(side[1] / stride)) for stride in YOLO_STRIDES]
    if len(outputs) > 1 and all(tensor.shape[1:-1] in grids for tensor in outputs):
        raise MidgeError(
            "--detect yolo: the outputs are heads as they are; of YOLO v2 and v3 name their --anchors, "
            "YOLOv5, v8 and v11 export with their boxes decoded (docs/detection.md)"
        )
    cells = sum(ceil(side[0] / stride) * ceil(side[1] / stride) for stride in YOLO_STRIDES)
    known = {cells: 0, 3 * cells: 1}  # candidates, and whether they have an objectness
    found = []  # of each output: its values, the bytes from one candidate to the next, and from one value to the next
    for tensor in outputs:
        shape = [n for n in tensor.shape if n != 1]
        count = next((count for count in known if count in shape), 0)
        if not count or len(shape) > 2 or count > spec.DETECT_LIMITS["candidates"]:
            return False
        values = tensor.size // count
        found.append((values, 1, count) if shape[-1] == count else (values, values, 1))
    has_objectness = known[count]
    if len(outputs) == 2:
        (box, box_layout), (score, score_layout) = sorted(
            zip(outputs, found, strict=True), key=lambda pair: (pair[1][0] != 4, outputs.index(pair[0]))
        )
        first = 0  # of the scores
    else:
        box, box_layout, score, score_layout = outputs[0], found[0], outputs[0], found[0]
        first = 4
    classes = score_layout[0] - first - has_objectness
    if len(outputs) > 2 or classes < 1 or (first == 0 and box_layout[0] != 4):
        return False
    if first and real(box)[-1] > 2:
        raise MidgeError(
            f"--detect yolo: {box.name} holds pixels and scores in one scale, {box.scale:.3g}: the scores are lost; "
            "export boxes as shares of the input, or boxes and scores as two outputs"
        )
    # Boxes are in pixels, or in shares of the input.
    unit: Size = (1, 1) if real(box)[-1] > 2 else (side[1], side[0])
    at, step = score.offset + first * score_layout[2], score_layout[2]
    heads.add(
        (1, count),
        [(*unit, *unit)],
        **heads.scores(score),
        **heads.boxes(real(box), real(box)),
        **places(box.offset, box_layout[2]),
        scores=at + has_objectness * step,
        objectness=at,
        has_objectness=has_objectness,
        last_class=classes - 1,
        score_step=score_layout[1],
        class_step=step,
        box_step=box_layout[1],
    )
    return True


def growth(values: Values, side: tuple[int, int], anchors: Sequence[Size]) -> Values:
    """By what anchors grow: e^value, up to four times the input, for which larger ones would cost the others bits."""
    return np.minimum(np.exp(np.minimum(values, 20)), 4 * max(side) / min(map(min, anchors)))


def yolo_grids(heads: Heads, outputs: list[TensorInfo], side: tuple[int, int], anchors: Sequence[Size]) -> bool:
    each, rest = divmod(len(anchors), len(outputs))
    if rest or not each:
        raise MidgeError(f"--anchors: {len(anchors)} for {len(outputs)} outputs; give as many for each")
    grids = sorted(outputs, key=lambda tensor: -tensor.size)
    for i, tensor in enumerate(grids):
        if len(tensor.shape) != 4 or last(tensor) % each or last(tensor) // each < 5:
            return False
        values, (rows, columns) = last(tensor) // each, tensor.shape[1:3]
        y, x = side[0] / rows, side[1] / columns
        at, has_classes = tensor.offset, values > 6  # the class of one is certain
        sizes = anchors[i * each : (i + 1) * each]
        heads.add(
            (rows, columns),
            [(x, y, *size) for size in sizes],
            **cell((y, x), False),
            **heads.scores(tensor),
            **heads.boxes(sigmoid(real(tensor)), growth(real(tensor), side, sizes)),
            **places(at, 1),
            scores=at + (5 if has_classes else 4),
            objectness=at + 4,
            has_objectness=int(has_classes),
            last_class=max(values - 6, 0),
            score_step=values,
            class_step=1,
            box_step=values,
        )
    return True


def ssd_anchors(layer: int) -> list[Size]:
    """Of a layer, in shares of the input, as multiple_grid_anchor_generator of TensorFlow's object detection API."""
    low, high = SSD_SCALES
    scales = [low + (high - low) * i / (SSD_LAYERS - 1) for i in range(SSD_LAYERS)] + [1.0]
    pairs = [(scales[layer], ratio) for ratio in (1.0, 2.0, 1 / 2, 3.0, 1 / 3)]
    pairs.append((sqrt(scales[layer] * scales[layer + 1]), 1.0))
    if layer == 0:
        pairs = [(low / 2, 1.0), (low, 2.0), (low, 1 / 2)]
    return [(scale * sqrt(ratio), scale / sqrt(ratio)) for scale, ratio in pairs]


def ssd(heads: Heads, outputs: list[TensorInfo], side: tuple[int, int], anchors: Sequence[Size]) -> bool:
    """TensorFlow's SSD without its last operator: boxes [N, 4], scores [N, 1 + C], the first of nothing."""
    boxes = [tensor for tensor in outputs if last(tensor) == 4]
    scores = [tensor for tensor in outputs if last(tensor) != 4]
    if not scores and len(boxes) == 2:  # of three classes
        boxes, scores = boxes[:1], boxes[1:]
    if len(scores) != len(boxes) or not boxes or len({*map(last, scores)}) != 1 or last(scores[0]) < 2:
        return False
    cells, size = [], (ceil(side[0] / 16), ceil(side[1] / 16))
    for _ in range(SSD_LAYERS):
        cells.append(size)
        size = ceil(size[0] / 2), ceil(size[1] / 2)
    layers = [ssd_anchors(layer) for layer in range(SSD_LAYERS)]
    counts = [rows * columns * len(sizes) for (rows, columns), sizes in zip(cells, layers, strict=True)]
    classes = last(scores[0])
    if sum(t.size for t in boxes) != 4 * sum(counts) or sum(t.size for t in scores) != classes * sum(counts):
        return False
    placed = zip(cells, layers, split(scores, last, counts), split(boxes, last, counts), strict=True)
    for (rows, columns), sizes, (score, score_at), (box, box_at) in placed:
        pixels = [(width * side[1], height * side[0]) for width, height in sizes]
        heads.add(
            (rows, columns),
            [(*size, *size) for size in pixels],
            **cell((side[0] / rows, side[1] / columns), True),
            **heads.scores(score),
            **heads.boxes(real(box) / SSD_CENTRE, growth(real(box) / SSD_SIZE, side, pixels)),
            **places(box.offset + 4 * box_at, 1, "yxhw"),
            scores=score.offset + classes * score_at + 1,
            last_class=classes - 2,
            score_step=classes,
            class_step=1,
            box_step=4,
        )
    return True


def fomo(heads: Heads, outputs: list[TensorInfo], side: tuple[int, int], anchors: Sequence[Size]) -> bool:
    """Edge Impulse's FOMO: a map of scores [rows, columns, 1 + C], the first of nothing; or [rows, columns, 1]."""
    if len(outputs) != 1 or len(outputs[0].shape) != 4:
        return False
    (tensor,) = outputs
    rows, columns, classes = tensor.shape[1:]
    if rows * columns > spec.DETECT_LIMITS["candidates"] or rows > 255:
        return False
    y, x = side[0] / rows, side[1] / columns
    background = int(classes > 1)
    heads.made.mode, heads.made.most = "merge", spec.DETECT_LIMITS["most"]
    heads.add(
        (rows, columns),
        [(0, 0, x, y)],
        **cell((y, x), True),
        **heads.scores(tensor),
        scores=tensor.offset + background,
        last_class=classes - background - 1,
        score_step=classes,
        class_step=1,
    )
    return True


# How heads are recognised; the score that is asked for if nothing is said, and the overlap.
READERS = {
    "blazeface": (blazeface, 0.5, 0.3),
    "ssd": (ssd, 0.5, 0.5),
    "yolo": (yolo, 0.25, 0.45),
    "fomo": (fomo, 0.5, 0),
}
UNMISTAKABLE = ("blazeface", "ssd", "yolo")


def heads_of(
    model: ModelFile, kind: str, score: float | None, anchors: Sequence[Size], tell: Callable[[str], None]
) -> Detection | None:
    """What the model's outputs say of things in its input, a picture. kind: of KINDS; "auto" takes what cannot be
    mistaken, or nothing. score: what a thing needs. anchors: of YOLO's heads, those of the largest grid first.

    Raises MidgeError where outputs are not of that kind, or labels do not fit.
    """
    if kind not in KINDS:
        raise MidgeError(f"--detect {kind}: there are {', '.join(KINDS)}")
    if kind == "none":
        return None
    why, shape = _no_picture(model), model.inputs[0].shape
    for name in (UNMISTAKABLE if kind == "auto" else (kind,)) if not why else ():
        reader, usual, overlap = READERS[name]
        heads = Heads(Detection([], [], least=usual if score is None else score, overlap=overlap))
        try:
            if reader(heads, model.outputs, (shape[1], shape[2]), anchors):
                break
        except MidgeError as error:
            if kind != "auto":
                raise
            tell(f"finds nothing: {error}")
    else:
        if kind == "auto" and score is None and not anchors:
            return None
        shapes = ", ".join("x".join(map(str, tensor.shape)) for tensor in model.outputs)
        raise MidgeError(f"--detect {kind}: {why or f'the outputs, {shapes}, are not those of such heads'}")
    if model.labels and len(model.labels) != heads.classes:
        raise MidgeError(f"{len(model.labels)} labels for heads of {heads.classes} classes; write one label per line")
    model.labels = model.labels or heads.labels
    candidates = sum(prod((grid["rows"], grid["columns"], grid["anchors"])) for grid in heads.made.grids)
    points = f", {heads.made.keypoints} keypoints each" if heads.made.keypoints else ""
    tell(f"finds things: heads of {name}, {candidates:,} candidates, classes: {heads.classes}{points}")
    return heads.made


def _no_picture(model: ModelFile) -> str:
    """Why a model cannot find things in pictures."""
    shape = model.inputs[0].shape
    if len(shape) != 4 or shape[3] not in (1, 3) or max(shape[1:3]) > MOST_SIDE:
        return f"the input, {'x'.join(map(str, shape))}, is no picture"
    wide = [tensor.name for tensor in model.outputs if tensor.element != "int8"]
    return f"output {wide[0]} is not of int8" if wide else ""
