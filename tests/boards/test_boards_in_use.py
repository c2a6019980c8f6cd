"""A board in use: soft resets and reloads, callbacks of a timer, power that fails while a model is being replaced."""

from __future__ import annotations

import pytest

import models
from midge_host.backends import qemu as backend
from midge_host.boards import qemu
from midge_host.conversion import convert
from midge_host.deploy import board_side

BOARD = "qemu-m3"
pytestmark = [pytest.mark.board(BOARD), pytest.mark.xdist_group(BOARD)]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    why = backend.problem(BOARD)
    if why:
        pytest.skip(f"{BOARD}: {why}")
    folder = tmp_path_factory.mktemp("models")
    files = backend.library(BOARD)
    for name, data in {"old": models.dense(2, 6), "new": models.streaming()}.items():
        (folder / "m.tflite").write_bytes(data)
        convert(folder / "m.tflite", folder / "m.midge")
        files[f"{name}.midge"] = (folder / "m.midge").read_bytes()
    with qemu.Qemu(BOARD, {}, files) as running:
        yield running


RELOAD = """
import gc, midge
def once():
    model = midge.load("new.midge")
    model.predict(bytes(12))
once()
gc.collect()
"""

THOUSAND = """
a = b = i = 0  # names take memory when they are new
for n in (3, 1000):
    gc.collect()
    a = gc.mem_alloc()
    for i in range(n):
        once()
    gc.collect()
    b = gc.mem_alloc()
print(b - a)
"""


def test_soft_resets_and_reloads(board) -> None:
    """The heap is what it was after a thousand loads, and after fifty soft resets."""
    found = set()
    for _ in range(50):
        board.repl.soft_reset()
        found.add(board.exec(f"{RELOAD}print(gc.mem_alloc())", 60).strip())
    assert len(found) == 1
    said = board.exec(f"{RELOAD}{THOUSAND}", 600)
    assert int(said) <= 0


# A disk in memory, whose power fails after so many writes: this one is torn in the middle, and all later ones are lost.
CUT = """
import os, vfs
class Disk:
    def __init__(self, data):
        self.data = data
        self.left = 1 << 30
    def readblocks(self, n, buf, off=0):
        at = n * 512 + off
        buf[:] = self.data[at : at + len(buf)]
    def writeblocks(self, n, buf, off=None):
        if off is None:
            off = 0
            self.erase(n)
        self.left -= 1
        if self.left < 0:
            raise OSError(5)
        size = len(buf) // 2 if self.left == 0 else len(buf)
        at = n * 512 + off
        self.data[at : at + size] = buf[:size]
        if self.left == 0:
            raise OSError(5)
    def erase(self, n):
        pass
    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // 512
        if op == 5:
            return 512
        if op == 6:
            return 0
def mounted(data, left):
    disk = Disk(data)
    vfs.mount(vfs.VfsLfs2(disk, progsize=32, readsize=32, lookahead=32), '/cut')
    disk.left = left
    return disk
def read(path):
    with open(path, 'rb') as file:
        return file.read()
OLD, NEW = read('/old.midge'), read('/new.midge')
image = bytearray(32 * 512)
vfs.VfsLfs2.mkfs(Disk(image), progsize=32, readsize=32, lookahead=32)
mounted(image, 1 << 30)
with open('/cut/m.midge', 'wb') as file:
    file.write(OLD)
vfs.umount('/cut')
PAIRS, REMOVE = [('/cut/m.midge.new', '/cut/m.midge')], []
def attempt(left):
    data = bytearray(image)
    disk = mounted(data, left)
    done = True
    try:
        with open('/cut/m.midge.new', 'wb') as file:
            file.write(NEW)
        exec(COMMIT)
    except OSError:
        done = False
    disk.left = -1
    try:
        vfs.umount('/cut')
    except OSError:
        pass
    mounted(data, 1 << 30)
    found = read('/cut/m.midge')
    vfs.umount('/cut')
    return done, 1 if found == OLD else 2 if found == NEW else 0
import midge
"""


def test_power_fails_while_a_model_is_replaced(board) -> None:
    """After a cut at every single write there is the old model or the new one, whole."""
    board.repl.soft_reset()
    board.exec(f"COMMIT = {board_side.COMMIT!r}\n{CUT}", 60)
    outcomes = (
        board.exec(
            """
seen = []
for left in range(1, 1000):
    done, which = attempt(left)
    seen.append(which)
    if done:
        break
print(done, seen.count(0), seen.count(1), seen.count(2), len(seen))
""",
            600,
        )
        .splitlines()[-1]
        .split()
    )  # before it, MicroPython's word of every file that could not be closed
    assert outcomes[:2] == ["True", "0"], outcomes
    assert int(outcomes[2]) > 5 and int(outcomes[3]) >= 1
