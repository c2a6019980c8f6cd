"""ROMFS images: MicroPython's read-only file system, whose files can be used where they lie in memory.

The format is described in MicroPython's extmod/vfs_rom.c. `mpremote romfs build` makes such images too; here every
file begins at a multiple of ALIGNMENT, so that weights can be read in words.
"""

from __future__ import annotations

from collections.abc import Mapping

ALIGNMENT = 16
PADDING, POINTER, DIRECTORY, FILE = 1, 3, 4, 5
FILE_SYSTEM = 0x14A6B1


def image(files: Mapping[str, bytes]) -> bytes:
    """The image of files by their paths: {"midge/__init__.mpy": b"..."}."""
    # All contents come first, in one record of the kind that readers skip; the folders point into it. Lengths of a
    # fixed size make its header, and the one of the file system, 8 bytes each.
    data = bytearray()
    tree: dict = {}
    for path, content in files.items():
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = (len(content), 8 + len(data))
        data += content + bytes(-len(content) % ALIGNMENT)
    payload = _number(PADDING) + _number(len(data), 7) + bytes(data) + _folder(tree)
    if len(payload) % 2:
        payload += _record(PADDING, b"\0")
    return _number(FILE_SYSTEM) + _number(len(payload), 5) + payload


def _folder(tree: dict) -> bytes:
    records = b""
    for name, item in tree.items():
        head = _number(len(name.encode())) + name.encode()
        if isinstance(item, dict):
            records += _record(DIRECTORY, head + _folder(item))
        else:
            size, offset = item
            records += _record(FILE, head + _record(POINTER, _number(size) + _number(offset)))
    return records


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _number(value: int, size: int = 1) -> bytes:
    """Seven bits a byte, the most significant first, bit 7 set in all but the last; at least `size` bytes."""
    groups = [value & 127]
    while value > 127 or len(groups) < size:
        value >>= 7
        groups.append(value & 127 | 128)
    return bytes(reversed(groups))
