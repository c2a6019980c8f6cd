"""Heads of networks that find things, with what they say of pictures, and what reference decoders make of that."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from midge_host.conversion.detection import heads_of
from midge_host.device.detection import Detection
from midge_host.device.model_file import ModelFile, TensorInfo

SIDE = (96, 128)  # of most pictures, rows and columns
Boxes = list[tuple[int, float, float, float, float, float, np.ndarray]]  # class, score, x, y, w, h, keypoints

LOGITS, SHARES, PIXELS = (0.125, 20), (1 / 256, -128), (1.5, -7)  # scale and zero point of outputs


@dataclass(frozen=True)
class Case:
    """outputs: shape, scale and zero point of each. decode: of their real values, boxes [N, 4] by centre and size in
    pixels, scores [N, classes], keypoints [N, K, 2]."""

    kind: str
    outputs: tuple[tuple[tuple[int, ...], tuple[float, int]], ...]
    decode: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]
    side: tuple[int, int] = SIDE
    anchors: tuple[tuple[float, float], ...] = ()

    def model(self) -> ModelFile:
        """A file that has nothing but edges."""
        tensors, at = [], 0
        for i, (shape, (scale, zero_point)) in enumerate(self.outputs):
            tensors.append(TensorInfo(f"out{i}", at, shape, "int8", scale, zero_point))
            at += tensors[-1].size + 3
        source = TensorInfo("frame", 0, (1, *self.side, 3), "int8", 1 / 255, -128)
        return ModelFile([source], tensors, [], [], b"", at)

    def detection(self, score: float | None = None) -> Detection:
        made = heads_of(self.model(), self.kind, score, self.anchors, lambda text: None)
        assert made
        return made

    def arena(self, seed: int) -> np.ndarray:
        """int8, what the network says: mostly nothing, and some things that several candidates see."""
        model, draw = self.model(), np.random.default_rng(seed)
        arena = np.zeros(model.arena_bytes, np.int8)
        for tensor in model.outputs:
            values = arena[tensor.offset : tensor.offset + tensor.size]
            values[:] = np.clip(draw.normal(tensor.zero_point, 18, tensor.size), -128, 127)
        self.say(arena, model, draw)
        return arena

    def say(self, arena: np.ndarray, model: ModelFile, draw: np.random.Generator) -> None:
        """Lets some candidates be sure, neighbours that see the same thing."""
        made = self.detection()
        scores = draw.permutation(np.arange(-30, 60)).tolist()
        for grid in made.grids:
            count, step, box_step = grid["last"] + 1, grid["score_step"], grid.get("box_step", 0)
            classes = [grid["scores"] + c * grid.get("class_step", 0) for c in range(grid.get("last_class", 0) + 1)]
            sure = grid["objectness"] if grid.get("has_objectness") else None
            for at in classes if sure is None else [sure]:
                arena[at + step * np.arange(count)] = -128
            for first in draw.integers(0, count, 2):
                x, y = draw.uniform(0.2, 0.8, 2) * self.side[::-1]
                width, height, c = *draw.uniform(12, 60, 2), draw.integers(len(classes))
                for n in range(first, min(first + 4, count)):
                    arena[classes[c] + n * step] = scores.pop() if sure is None else draw.integers(60, 127)
                    if sure is not None:
                        arena[sure + n * step] = scores.pop()
                    if not grid.get("has_box"):
                        continue
                    unit_x, unit_y, *anchor = made.anchors[grid["first_anchor"] + n % grid["anchors"]]
                    row, column = divmod(n // grid["anchors"], grid["columns"])
                    left = x - (column * grid.get("stride_x", 0) + grid.get("origin_x", 0)) / 256
                    top = y - (row * grid.get("stride_y", 0) + grid.get("origin_y", 0)) / 256
                    for name, kind, target in (
                        ("x", "position", left / unit_x),
                        ("y", "position", top / unit_y),
                        ("width", "size", width / anchor[0]),
                        ("height", "size", height / anchor[1]),
                    ):
                        table = made.tables[grid[f"{kind}_table"]] / 2.0 ** grid[f"{kind}_shift"]
                        value = np.abs(table - target).argmin() - 128 + draw.integers(-1, 2)
                        arena[grid[name] + n * box_step] = np.clip(value, -128, 127)

    def expected(self, arena: np.ndarray, score: float | None = None) -> Boxes:
        """What the reference makes of it. score: what a thing needs, if not the usual one."""
        model, made = self.model(), self.detection(score)
        real = [
            (arena[t.offset : t.offset + t.size].astype(np.float64).reshape(t.shape) - t.zero_point) * t.scale
            for t in model.outputs
        ]
        boxes, scores, points = self.decode(self, *real)
        best = scores.argmax(1)
        score = scores[np.arange(len(best)), best]
        chosen = np.flatnonzero(score >= made.least - 1e-6)
        found = [(int(best[i]), float(score[i]), *corner(boxes[i]), points[i]) for i in chosen]
        found.sort(key=lambda thing: -thing[1])
        return JOINS[made.mode](found[: made.most], made.overlap)


def corner(box: np.ndarray) -> tuple[float, float, float, float]:
    x, y, w, h = map(float, box)
    return x - w / 2, y - h / 2, w, h


def suppressed(found: Boxes, overlap: float) -> Boxes:
    """OpenCV's, for each class."""
    import cv2

    kept: Boxes = []
    for c in sorted({thing[0] for thing in found}):
        those = [thing for thing in found if thing[0] == c]
        numbers = cv2.dnn.NMSBoxes([thing[2:6] for thing in those], [thing[1] for thing in those], 0.0, overlap)
        kept += [those[int(i)] for i in np.ravel(numbers)]
    return sorted(kept, key=lambda thing: -thing[1])


def shared(a: Any, b: Any) -> float:
    width = min(a[2] + a[4], b[2] + b[4]) - max(a[2], b[2])
    height = min(a[3] + a[5], b[3] + b[5]) - max(a[3], b[3])
    both = max(width, 0) * max(height, 0)
    return float(both / (a[4] * a[5] + b[4] * b[5] - both)) if both else 0.0


def averaged(found: Boxes, overlap: float) -> Boxes:
    """MediaPipe's WeightedNonMaxSuppression (non_max_suppression_calculator.cc)."""
    kept, rest = [], list(found)
    while rest:
        first = rest[0]
        of_it = [thing for thing in rest if thing is first or shared(thing, first) > overlap]
        rest = [thing for thing in rest if not any(thing is other for other in of_it)]
        weights = np.array([thing[1] for thing in of_it])
        box = np.average([thing[2:6] for thing in of_it], 0, weights)
        points = np.average([thing[6] for thing in of_it], 0, weights)
        kept.append((first[0], first[1], *map(float, box), points))
    return kept


def merged(found: Boxes, overlap: float) -> Boxes:
    """Cells that touch, of a class, as scipy labels them."""
    from scipy import ndimage

    kept: Boxes = []
    for c in sorted({thing[0] for thing in found}):
        those = [thing for thing in found if thing[0] == c]
        cells = np.zeros((64, 64))
        for thing in those:
            cells[round(thing[3] / thing[5]), round(thing[2] / thing[4])] = thing[1]
        labels, _ = ndimage.label(cells, np.ones((3, 3)))
        for rows, columns in ndimage.find_objects(labels):
            score = cells[rows, columns][labels[rows, columns] > 0].max()
            w, h = those[0][4:6]
            place = (
                columns.start * w,
                rows.start * h,
                (columns.stop - columns.start) * w,
                (rows.stop - rows.start) * h,
            )
            kept.append((c, float(score), *place, np.zeros((0, 2))))
    return sorted(kept, key=lambda thing: -thing[1])


JOINS: dict[str, Callable[[Boxes, float], Boxes]] = {"suppress": suppressed, "average": averaged, "merge": merged}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def centres(rows: int, columns: int, each: int, side: Sequence[int]) -> np.ndarray:
    """[N, 2]: x and y of the middle of each cell, in pixels."""
    y, x = np.mgrid[:rows, :columns]
    middle = np.stack([(x + 0.5) * side[1] / columns, (y + 0.5) * side[0] / rows], -1).reshape(-1, 2)
    return np.repeat(middle, each, 0)


def of_blazeface(case: Case, *real: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """tensors_to_detections_calculator.cc, with scales of 128 for 128 pixels."""
    values = np.concatenate([x.reshape(-1, x.shape[-1]) for x in real if x.shape[-1] > 1])
    logits = np.concatenate([x.reshape(-1, 1) for x in real if x.shape[-1] == 1])
    height, width = case.side
    grids = ((height // stride, width // stride, each) for stride, each in ((8, 2), (16, 6)))
    middle = np.concatenate([centres(*grid, case.side) for grid in grids])
    boxes = np.concatenate([values[:, :2] + middle, values[:, 2:4]], 1)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 0)
    return boxes, sigmoid(logits), values[:, 4:].reshape(len(values), -1, 2) + middle[:, None]


def of_yolo(case: Case, *real: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ultralytics' exported models: x, y, w, h and scores, decoded in the model."""
    parts = [x[0].T if x.shape[1] < x.shape[2] else x[0] for x in real]
    unit = np.array([case.side[1], case.side[0]] * 2) if len(real) == 1 else 1
    x = np.concatenate(parts, 1)
    scores = x[:, 5:] * x[:, 4:5] if len(x) > 300 else x[:, 4:]
    boxes = x[:, :4] * unit
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 0)
    return boxes, scores, np.zeros((len(x), 0, 2))


def of_grids(case: Case, *real: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The region layers of Darknet (yolo_layer.c): boxes by anchors, sigmoids of places and scores."""
    boxes, scores = [], []
    each = len(case.anchors) // len(real)
    for i, x in enumerate(sorted(real, key=lambda x: -x.size)):
        rows, columns = x.shape[1:3]
        values = x.reshape(rows, columns, each, -1)
        stride = np.array([case.side[1] / columns, case.side[0] / rows])
        row, column = np.mgrid[:rows, :columns]
        places = (sigmoid(values[..., :2]) + np.stack([column, row], -1)[:, :, None]) * stride
        sizes = np.exp(values[..., 2:4]) * np.array(case.anchors[i * each : (i + 1) * each])
        boxes.append(np.concatenate([places, sizes], -1).reshape(-1, 4))
        sure = sigmoid(values[..., 4:5])
        sure = sure * sigmoid(values[..., 5:]) if values.shape[-1] > 6 else sure
        scores.append(sure.reshape(-1, sure.shape[-1]))
    return np.concatenate(boxes), np.concatenate(scores), np.zeros((sum(map(len, boxes)), 0, 2))


def of_ssd(case: Case, *real: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """TensorFlow's SSD: anchors of ssd_anchor_generator, FasterRcnnBoxCoder with 10, 10, 5, 5."""
    values, scores = real[0].reshape(-1, 4), real[1].reshape(len(real[0].reshape(-1, 4)), -1)
    anchors = []
    scales = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0]
    rows, columns = case.side[0] // 16, case.side[1] // 16
    for layer in range(6):
        ratios = [(scales[layer], r) for r in (1, 2, 0.5, 3, 1 / 3)] + [(np.sqrt(scales[layer] * scales[layer + 1]), 1)]
        ratios = ratios if layer else [(0.1, 1), (0.2, 2), (0.2, 0.5)]
        for x, y in centres(rows, columns, 1, case.side):
            for scale, ratio in ratios:
                anchors.append((x, y, scale * np.sqrt(ratio) * case.side[1], scale / np.sqrt(ratio) * case.side[0]))
        rows, columns = -(-rows // 2), -(-columns // 2)
    a = np.array(anchors)
    y, x, h, w = values.T
    boxes = [x / 10 * a[:, 2] + a[:, 0], y / 10 * a[:, 3] + a[:, 1], np.exp(w / 5) * a[:, 2], np.exp(h / 5) * a[:, 3]]
    return np.stack(boxes, 1), scores[:, 1:], np.zeros((len(a), 0, 2))


def of_fomo(case: Case, *real: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, columns, classes = real[0].shape[1:]
    middle = centres(rows, columns, 1, case.side)
    sizes = np.tile([case.side[1] / columns, case.side[0] / rows], (len(middle), 1))
    scores = real[0].reshape(-1, classes)
    return np.concatenate([middle, sizes], 1), scores[:, 1:], np.zeros((len(middle), 0, 2))


CASES = {
    "faces": Case("blazeface", (((1, 672, 16), (0.7, 3)), ((1, 672, 1), LOGITS)), of_blazeface),
    "faces in four": Case(
        "blazeface",
        (((1, 384, 1), LOGITS), ((1, 384, 16), PIXELS), ((1, 288, 1), LOGITS), ((1, 288, 16), PIXELS)),
        of_blazeface,
    ),
    "palms": Case("blazeface", (((1, 2016, 18), (1.1, 9)), ((1, 2016, 1), LOGITS)), of_blazeface, (192, 192)),
    "v8": Case("yolo", (((1, 7, 252), SHARES),), of_yolo),
    "v8, two outputs in pixels": Case("yolo", (((1, 4, 252), (0.55, -128)), ((1, 2, 252), SHARES)), of_yolo),
    "v5": Case("yolo", (((1, 756, 8), SHARES),), of_yolo),
    "grids": Case(
        "yolo", (((1, 6, 8, 30), LOGITS),), of_grids, anchors=((9, 11), (20, 14), (31, 40), (60, 50), (80, 90))
    ),
    "two grids": Case(
        "yolo",
        (((1, 3, 4, 24), (0.1, -3)), ((1, 6, 8, 24), LOGITS)),
        of_grids,
        anchors=((9, 11), (20, 14), (31, 40), (60, 50), (80, 90), (70, 40)),
    ),
    "ssd": Case("ssd", (((1, 258, 4), (0.09, 4)), ((1, 258, 5), SHARES)), of_ssd),
    "fomo": Case("fomo", (((1, 12, 16, 3), SHARES),), of_fomo),
}


def found(find: Callable, section: bytes, arena: np.ndarray, most: int, keypoints: int) -> Any:
    """What find() returns: a status that is not 0, or (candidates, their order)."""
    size = 6 + 2 * keypoints
    candidates, order = array("h", bytes(2 * size * most)), bytearray(1 + most)
    status = find(bytearray(section), bytearray(arena.tobytes()), candidates, order)
    return status or (candidates.tobytes(), bytes(order[: 1 + order[0]]), size)


def things(result: tuple[bytes, bytes, int]) -> Boxes:
    """The same as boxes."""
    candidates, order, size = result
    rows = np.frombuffer(candidates, "<i2").reshape(-1, size).astype(float)
    return [
        (int(row[1]), row[0] / 32768, *(row[2:6] / 16), row[6:].reshape(-1, 2) / 16) for row in rows[list(order[1:])]
    ]


def hostile_sections(section: bytes) -> Iterator[bytes]:
    """A section with every field at extremes, and of other lengths."""
    from midge_host.device import spec
    from midge_host.device.rules import LIMITS

    for cut in (0, 3, spec.DETECT.size - 1, spec.DETECT.size, len(section) - 1):
        yield section[:cut]
    yield section + bytes(1)
    yield section + bytes(2 * spec.DETECT_TABLE)
    for layout, start in ((spec.DETECT, 0), (spec.GRID, spec.DETECT.size)):
        fields = layout.unpack(section, start)
        for field in layout.fields:
            most = LIMITS[field.code]
            least = -most - 1 if field.code.islower() else 0
            near = [fields[field.name] + step for step in (-1, 1)]
            for value in {least, most, most // 2, 1, *near}:
                if least <= value <= most and value != fields[field.name]:
                    changed = layout.pack(**(fields | {field.name: value}))
                    yield section[:start] + changed + section[start + layout.size :]
