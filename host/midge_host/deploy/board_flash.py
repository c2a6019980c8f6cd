# Runs on a board, for flash.py: finds the flash between firmware and file system, and writes into it.
#
# Writing goes through the firmware's own driver, a block device of rp2.Flash, whose object is told another place. So
# nothing is erased before claim() has seen that it is what ports/rp2/rp2_flash.c of MicroPython makes it.
import os
import struct
import sys
from binascii import a2b_base64, crc32

import rp2
import uctypes
from machine import mem32

FLASH = 0x10000000
SECTOR = 4096
# Binary info of the Pico SDK (pico/binary_info): between two marks stand where a table of entries begins and ends.
MARKS = 0x7188EBF2, 0xE71AA390
BINARY_END = b"\x05\x00RP\xde\x65\xf4\x68"  # begins the entry that says where the firmware ends
BLOCK_DEVICE = b"\x07\x00"
# The RP2350's flash can appear in memory elsewhere than it lies: four registers, a window of 4 MB each.
TRANSLATION = 0x400D0034


def word(at):
    return struct.unpack("<I", uctypes.bytes_at(at, 4))[0]  # an entry begins anywhere


def require(is_so, what):
    if not is_so:
        raise ValueError(what + "; this firmware is not known well enough")


def gap():
    # Addresses: where the firmware ends, and where begins what lies behind it, a ROMFS or the file system.
    try:
        files = uctypes.addressof(rp2.Flash())
    except TypeError:
        raise ValueError("the firmware does not show its flash in memory: MicroPython does from 1.25 on") from None
    head = 0
    for at in range(FLASH, FLASH + SECTOR, 4):
        if word(at) == MARKS[0] and word(at + 16) == MARKS[1]:
            head = at
            break
    require(head, "the firmware has no binary info")
    first, last = word(head + 4), word(head + 8)
    require(FLASH <= first <= last <= files, "its binary info lies elsewhere")
    ends, behind = [], [files]
    for at in range(first, last, 4):
        entry = word(at)
        if FLASH <= entry <= files - 16:
            if uctypes.bytes_at(entry, 8) == BINARY_END:
                ends.append(word(entry + 8))
            elif uctypes.bytes_at(entry, 2) == BLOCK_DEVICE:
                behind.append(word(entry + 8))
    require(len(ends) == 1 and last <= ends[0] <= files, "its binary info does not say where it ends")
    try:
        import vfs

        for number in range(vfs.rom_ioctl(1)):
            behind.append(uctypes.addressof(vfs.rom_ioctl(2, number)))
    except (ImportError, AttributeError):  # a firmware without ROMFS
        pass
    return ends[0], min([at for at in behind if at >= ends[0]])


def pointers(folder, size, magic):
    # (path, contents) of the files that point into flash.
    found = []
    for entry in os.ilistdir(folder):
        path = folder + entry[0]
        if entry[1] & 0x4000:
            found += pointers(path + "/", size, magic)
        elif (entry[3] if len(entry) > 3 else os.stat(path)[6]) == size:
            with open(path, "rb") as file:
                data = file.read()
            if data[: len(magic)] == magic:
                found.append((path, data))
    return found


def knows_pointers():
    try:
        __import__("midge._flash")
    except ImportError:
        return False
    return True


def checksum(at, size):
    return crc32(uctypes.bytearray_at(at, size)) & 0xFFFFFFFF


def checksums(start, size):
    # Of the sectors, up to the size.
    end = start + size
    return [checksum(at, min(SECTOR, end - at)) for at in range(start, end, SECTOR)]


def facts(device):
    return mem32[id(device)], mem32[id(device) + 4], mem32[id(device) + 8]


def claim(at, size):
    # Makes `device` of so much flash from there on.
    global device
    end, behind = gap()
    if not (end <= at < at + size <= behind and at % SECTOR == size % SECTOR == 0):
        raise ValueError("the model's place is not free")
    files = uctypes.addressof(rp2.Flash()) - FLASH
    for start, length in ((0, SECTOR), (2 * SECTOR, 3 * SECTOR)):
        device = rp2.Flash(start=start, len=length)
        require(facts(device) == (id(rp2.Flash), files + start, length), "its driver of the flash is another one")
    if "RP2350" in sys.implementation._machine:
        window = (at - FLASH) >> 22
        for number in range(window, ((at + size - 1 - FLASH) >> 22) + 1):
            is_there = mem32[TRANSLATION + 4 * number] & 0xFFF == number << 10
            require(is_there, "its flash appears elsewhere than it lies")
    device = rp2.Flash(start=0, len=SECTOR)
    mem32[id(device) + 4] = at - FLASH
    mem32[id(device) + 8] = size
    page = bytearray(SECTOR)
    device.readblocks(size // SECTOR - 1, page)
    is_ours = (
        uctypes.addressof(device) == at
        and len(memoryview(device)) == size
        and device.ioctl(4, 0) == size // SECTOR
        and device.ioctl(5, 0) == SECTOR
        and page == uctypes.bytes_at(at + size - SECTOR, SECTOR)
    )
    require(is_ours, "its driver of the flash does not do as it is told")


def put(number, text):
    # Erases and writes a sector of the device.
    device.writeblocks(number, a2b_base64(text))
