# Runs at boot on a board that QEMU emulates, from its ROMFS: makes a LittleFS disk of RAM that the firmware does not
# use. The first boot copies /rom/STAGE to it. The host puts DISK_ADDRESS, DISK_BYTES and STAGE in front.
import os
import sys

import micropython
import uctypes
import vfs

BLOCK = 4096


@micropython.viper
def copy(target: ptr8, to: int, source: ptr8, start: int, count: int):  # noqa: F821
    a = int(target) + to
    b = int(source) + start
    if (a | b | count) & 3:
        for i in range(count):
            target[to + i] = source[start + i]
    else:
        words, others = ptr32(a), ptr32(b)  # noqa: F821
        for i in range(count >> 2):
            words[i] = others[i]


class Disk:
    def __init__(self, memory):
        self.memory = memory

    def readblocks(self, block, buffer, offset=0):
        copy(buffer, 0, self.memory, block * BLOCK + offset, len(buffer))

    def writeblocks(self, block, buffer, offset=0):
        copy(self.memory, block * BLOCK + offset, buffer, 0, len(buffer))

    def ioctl(self, operation, argument):
        if operation == 4:
            return len(self.memory) // BLOCK
        return BLOCK if operation == 5 else 0


def copy_file(source, target):
    buffer = bytearray(BLOCK)
    with open(source, "rb") as a, open(target, "wb") as b:
        while n := a.readinto(buffer):
            b.write(memoryview(buffer)[:n])


def copy_folder(source, target):
    for name, kind, _, *_ in os.ilistdir(source):
        if kind == 0x4000:
            os.mkdir(target + "/" + name)
            copy_folder(source + "/" + name, target + "/" + name)
        else:
            copy_file(source + "/" + name, target + "/" + name)


def mount():
    disk = Disk(uctypes.bytearray_at(DISK_ADDRESS, DISK_BYTES))  # noqa: F821
    try:
        first = False
        files = vfs.VfsLfs2(disk, progsize=256)
    except OSError:
        first = True
        vfs.VfsLfs2.mkfs(disk, progsize=256)
        files = vfs.VfsLfs2(disk, progsize=256)
    vfs.mount(files, "/")
    os.chdir("/")
    sys.path += ["/lib", "/rom/lib"]
    if first and STAGE in os.listdir("/rom"):  # noqa: F821
        copy_folder("/rom/" + STAGE, "")  # noqa: F821


mount()
