"""Model.detect() on an emulated Pico: the same bytes as on the PC, and what it takes."""

from __future__ import annotations

import base64
import json
from array import array

import detections
import midge_detect
import numpy as np
import pytest

from midge_host.boards import pico

# Of 896 scores and 30 candidates: boxes alone, and with six keypoints each and the mean of all.
MOST_BOXES, MOST_FACES = 36_000, 50_000
SIDE = (128, 128)

FIND = """
import json
from array import array
from binascii import a2b_base64, crc32
from cycles import mark
import midge_detect

sums = []
for i, text in enumerate(SECTIONS):
    section, SIZE = bytearray(a2b_base64(text)), SIZES[i]
    found, order = array("h", bytes(2 * SIZE * 100)), bytearray(101)
    arena = bytearray(open("arena%d" % i, "rb").read())
    mark(2 * i)
    status = midge_detect.find(section, arena, found, order)
    mark(2 * i + 1)
    sums.append([status, list(order[: order[0] + 1]), [found[k * SIZE] for k in order[1 : order[0] + 1]], crc32(found)])
print(json.dumps(sums))
"""


def faces(candidates: int) -> np.ndarray:
    """What a BlazeFace of 896 candidates says of a picture: `candidates` sure ones, of ten faces."""
    outputs = (((1, 896, 16), (0.7, 3)), ((1, 896, 1), detections.LOGITS))
    case = detections.Case("blazeface", outputs, detections.of_blazeface, SIDE)
    draw, model = np.random.default_rng(candidates), case.model()
    arena = np.zeros(model.arena_bytes, np.int8)
    box, score = model.outputs
    arena[score.offset : score.offset + score.size] = -128
    rows = 2 * (16 * draw.integers(1, 15, 10) + draw.integers(1, 15, 10))  # two candidates a cell
    sure = np.unique((rows[:, None] + np.arange(8)).reshape(-1))[:candidates]
    arena[score.offset + sure] = draw.integers(25, 90, len(sure))
    for n in sure:
        arena[box.offset + 16 * n : box.offset + 16 * n + 16] = draw.integers(-6, 12, 16)
        arena[box.offset + 16 * n + 2 : box.offset + 16 * n + 4] = draw.integers(25, 45, 2)
    assert len(sure) == candidates
    return arena


@pytest.mark.board("pico")
def test_costs_on_a_pico(record_property) -> None:
    if why := pico.problem():
        pytest.skip(why)
    outputs = (((1, 896, 16), (0.7, 3)), ((1, 896, 1), detections.LOGITS))
    case = detections.Case("blazeface", outputs, detections.of_blazeface, SIDE)
    made, plain = case.detection(), case.detection()
    plain.keypoints, plain.mode = 0, "suppress"
    jobs = [(made, faces(0)), (made, faces(30)), (plain, faces(30))]
    sections = [bytearray(kind.to_bytes()) for kind, _ in jobs]
    sizes = [6 + 2 * kind.keypoints for kind, _ in jobs]
    main = FIND.replace("SECTIONS", repr([base64.b64encode(section).decode() for section in sections]))
    main = main.replace("SIZES", repr(sizes))
    files = {f"arena{i}": arena.tobytes() for i, (_, arena) in enumerate(jobs)}
    done = pico.run(pico.library() | files | {"main.py": main.encode()})
    for section, size, (_, said), told in zip(sections, sizes, jobs, json.loads(done.report), strict=True):
        found, order, arena = array("h", bytes(2 * size * 100)), bytearray(101), bytearray(said.tobytes())
        assert midge_detect.find(section, arena, found, order) == told[0] == 0
        assert list(order[: order[0] + 1]) == told[1] and [found[k * size] for k in order[1 : order[0] + 1]] == told[2]
    times = [cycles for _, cycles in done.marks]
    scan, all_of_faces, all_of_boxes = (times[i + 1] - times[i] for i in (0, 2, 4))
    for what, cycles in (("scan", scan), ("30 faces", all_of_faces), ("30 boxes", all_of_boxes)):
        record_property("measured", {"model": what, "weights": "ram", "cycles": cycles})
    assert all_of_boxes <= MOST_BOXES and all_of_faces <= MOST_FACES
