"""midge.Image on emulated boards: the reference's bytes from the native module, and what a frame takes on a Pico."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest

import pictures
from midge import _portable
from midge_host import backends
from midge_host.backends import qemu as backend
from midge_host.boards import pico, qemu
from pictures import Case

CASES = [
    Case("rgb565", 40, 30, (24, 20, 3)),
    Case("rgb565be", 30, 40, (20, 24, 3), "fit", 90, True),
    Case("bgr565", 50, 20, (11, 13, 3), (1, 2, 40, 17), 270),
    Case("rgb565", 20, 20, (9, 9, 1)),
    Case("yuv422", 12, 9, (16, 10, 3), rotate=180),
    Case("grey", 24, 24, (20, 30, 1)),
    Case("rgb888", 9, 9, (9, 4, 3), "fit"),
]
SCRIPT = """
import json
import sys
from binascii import crc32

import midge
import midge._model
import midge_core

def check(path):
    with open(path + "cases.json") as file:
        cases = json.load(file)
    sums = []
    with open(path + "frames.bin", "rb") as file:
        for raw, size, frame, options in cases:
            tensor = midge._model.Tensor("image", bytes(raw), b"", [midge_core])
            arena = bytearray(size)
            midge.Image(file.read(frame), **options)._load(tensor, arena)
            sums.append(crc32(arena))
    print(json.dumps([sums, "midge_image" in sys.modules]))
"""
MOST_MS = 165  # of a prediction of VWW from a frame
LEAST_FREE = 55 << 10  # bytes of heap beside model and frame
PREDICTION = """
import gc
import json
from array import array
import midge
from cycles import mark

model = midge.load("/model.midge", "stream")
frame = bytearray(160 * 120 * 2)
with open("frame.bin", "rb") as file:
    file.readinto(frame)
image = midge.Image(frame, 160, 120, "rgb565be")
out = array("b", bytes(2))
model.predict_into(image, out)
gc.collect()
free = gc.mem_free()
mark(0)
model.predict_into(image, out)
mark(1)
print(json.dumps([list(out), free]))
"""


def files() -> dict[str, bytes]:
    job = [(list(pictures.descriptor(c.shape)), int(np.prod(c.shape)), len(c.frame()), c.options()) for c in CASES]
    return {"cases.json": json.dumps(job).encode(), "frames.bin": b"".join(case.frame() for case in CASES)}


def expected() -> list:
    made = [(pictures.reference(case, _portable).astype(np.int16) - 128).astype(np.int8) for case in CASES]
    return [[zlib.crc32(values.tobytes()) for values in made], True]


BOARDS = [pytest.param(name, marks=[pytest.mark.board(name), pytest.mark.xdist_group(name)]) for name in qemu.BOARDS]


@pytest.mark.parametrize("name", BOARDS)
def test_exact(name: str) -> None:
    if why := backend.problem(name):
        pytest.skip(why)
    with qemu.Qemu(name, files(), backend.library(name)) as board:
        board.exec(SCRIPT)
        assert json.loads(board.exec("check('/rom/')", 120)) == expected()


@pytest.mark.board("pico")
def test_exact_on_a_pico() -> None:
    if why := pico.problem():
        pytest.skip(why)
    main = SCRIPT + "\ncheck('')\n"
    done = pico.run(pico.library() | files() | {"main.py": main.encode()})
    assert json.loads(done.report) == expected()


@pytest.mark.board("pico")
def test_a_prediction_on_a_pico(converted, record_property) -> None:
    """The same answer as from the pixels that the reference makes of the frame."""
    if why := pico.problem():
        pytest.skip(why)
    path, _ = converted("vww_96_int8")
    case = Case("rgb565be", 160, 120, (96, 96, 3))
    disk = pico.library() | {"main.py": PREDICTION.encode(), "frame.bin": case.frame()}
    done = pico.run(*pico.with_model(disk, path, "stream"))
    out, free = json.loads(done.report)
    cycles = done.marks[1][1] - done.marks[0][1]
    record_property("measured", {"model": "vww_96_int8 from a frame", "weights": "stream", "cycles": cycles})
    assert cycles <= MOST_MS * pico.CLOCK_HZ // 1000
    assert free >= LEAST_FREE
    pixels = pictures.reference(case, _portable)[None]
    assert out == backends.run("cpython", path, [pixels]).outputs[0].reshape(-1).tolist()
