"""model.learner() on emulated boards: the same bytes as on the PC, and what learning takes on a Pico."""

from __future__ import annotations

import json
from pathlib import Path

import learners
import pytest

from midge_host.backends import qemu as backend
from midge_host.boards import pico, qemu
from midge_host.device import spec
from midge_host.device.learning import exponents

MOST_STEP = 12_000  # cycles of a head of 12 classes and 64 inputs
MOST_TRAINING = 0.1  # seconds, of 60 samples and 20 epochs
LIVES = [("prototypes by distance, whitened", 50), ("a softmax head", learners.ACTIONS)]

# A head's epochs of 60 samples, and the distances from 12 rows, on random numbers. Weights begin at 0, where no error
# is so small that it is left out.
COSTS = """
import json
from array import array
from cycles import mark
import midge_learn

SIZE, CLASSES, SAMPLES = 64, 12, 60
x = 1
def draw():
    global x
    x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
    return x >> 24

learn = array("i", LEARN)
table = array("H", TABLE)
samples = bytes([draw() & 127 for _ in range(SIZE * SAMPLES)])
classes = bytes([i % CLASSES for i in range(SAMPLES)])
weights = array("h", bytes(2 * CLASSES * (SIZE + 1)))
order = array("H", range(SAMPLES))
seed, vector, p = array("I", [1]), array("h", bytes(2 * SIZE + 2)), array("i", bytes(4 * CLASSES))
mark(0)
midge_learn.epoch(learn, table, samples, classes, weights, order, seed, vector, p)
mark(1)
for _ in range(19):
    midge_learn.epoch(learn, table, samples, classes, weights, order, seed, vector, p)
mark(2)
rows, squares, vector = array("h", bytes(2 * SIZE * CLASSES)), array("I", bytes(4 * CLASSES)), vector[:SIZE]
mark(3)
midge_learn.distances(rows, vector, squares)
mark(4)
print(json.dumps(list(seed)))
"""

# Boards whose files are read only have a disk in memory.
DISK = """
import os

class Memory:
    def __init__(self):
        self.data = bytearray(64 * 512)

    def readblocks(self, block, buffer, offset=0):
        at = block * 512 + offset
        buffer[:] = self.data[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * 512 + offset
        self.data[at : at + len(buffer)] = buffer

    def ioctl(self, what, argument):
        return {4: 64, 5: 512}.get(what, 0)

disk = Memory()
os.VfsLfs2.mkfs(disk)
os.mount(os.VfsLfs2(disk), "/ram")
"""


def life(path: str, saved: str, actions: int) -> str:
    return learners.LIFE + f"\nprint(json.dumps(live({path!r}, 'native', {actions}, {saved!r})))\n"


@pytest.mark.board("pico")
@pytest.mark.parametrize("method,actions", LIVES)
def test_the_same_on_a_pico(method: str, actions: int, tmp_path: Path) -> None:
    if why := pico.problem():
        pytest.skip(why)
    learners.model(tmp_path, method)
    path = tmp_path / "learns.midge"
    main = life("learns.midge", "saved", actions)
    disk = pico.library() | {"main.py": main.encode(), "learns.midge": path.read_bytes()}
    assert json.loads(pico.run(disk).report) == learners.lived(path, "native", tmp_path / "saved", actions)


@pytest.mark.board("pico")
def test_costs_on_a_pico(record_property) -> None:
    if why := pico.problem():
        pytest.skip(why)
    numbers = {"size": 64, "method": 3, "shift": 1, "input_bits": 6, "fraction": 11}
    learn = [numbers.get(field.name, 0) for field in spec.LEARN.fields]
    main = COSTS.replace("LEARN", repr(learn)).replace("TABLE", repr(exponents().astype(int).tolist()))
    done = pico.run(pico.library() | {"main.py": main.encode()})
    times = [cycles for _, cycles in done.marks]
    step, training, nearest = (times[1] - times[0]) // 60, times[2] - times[0], times[4] - times[3]
    for what, cycles in (("a step of a head", step), ("12 distances", nearest)):
        record_property("measured", {"model": what, "weights": "ram", "cycles": cycles})
    assert step <= MOST_STEP
    assert training <= MOST_TRAINING * pico.CLOCK_HZ


NAMES = [pytest.param(name, marks=[pytest.mark.board(name), pytest.mark.xdist_group(name)]) for name in qemu.BOARDS]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_in_qemu(name: str, tmp_path: Path) -> None:
    """Its files are read only: what was learnt is saved to a disk in memory."""
    if why := backend.problem(name):
        pytest.skip(why)
    learners.model(tmp_path, "a softmax head")
    path = tmp_path / "learns.midge"
    with qemu.Qemu(name, {"learns.midge": path.read_bytes()}, backend.library(name)) as board:
        report = board.exec(DISK + life("/rom/learns.midge", "/ram/saved", 50), 120)
    assert json.loads(report) == learners.lived(path, "native", tmp_path / "saved", 50)
