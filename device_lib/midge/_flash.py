# A model in the flash of an RP2040 or RP2350, outside of file systems, and the file that points to it: docs/FORMAT.md,
# "Pointers". In memory only while such a model is loaded (_borrow in __init__.py).

import struct
from binascii import crc32

from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: pointer (host/midge_host/device/spec.py, `make generate`)
_POINTER_BYTES = const(24)
_VERSION = const(1)
_FLASH = const(0x10000000)
_SUMMED = const(20)
_ALIGNMENT = const(16)
_POINTER = const("<4sH2sIIII")
# magic, version, spare, address, bytes, crc, own_crc
# generated: end


def follow(path, file):
    """The model that a file points to, as a file of its own. ValueError where the pointer is not sound, or not to flash
    below this board's file system."""
    file.seek(0)
    data = file.read(_POINTER_BYTES + 1)
    fields = struct.unpack(_POINTER, data) if len(data) == _POINTER_BYTES else (0,) * 7
    _, version, _, address, size, crc, own_crc = fields
    if version != _VERSION or address % _ALIGNMENT or crc32(data[:_SUMMED]) & 0xFFFFFFFF != own_crc:
        raise ValueError(text("flash pointer", path))
    try:
        import uctypes
        from rp2 import Flash

        end = uctypes.addressof(Flash())
    except (ImportError, TypeError):
        raise ValueError(text("flash elsewhere", path))
    if not _FLASH <= address <= address + size <= end:
        raise ValueError(text("flash overwritten", path))
    return Memory(path, memoryview(uctypes.bytearray_at(address, size)), crc)


class Memory:
    """A file that is in memory, as far as _loader.py reads it."""

    def __init__(self, path, view, crc):
        self._path = path
        self._view = view
        self._crc = crc
        self._at = 0

    def whole(self):
        """A view of the model, whose checksum is right; ValueError if it is not."""
        if crc32(self._view) & 0xFFFFFFFF != self._crc:
            raise ValueError(text("flash overwritten", self._path))
        return self._view

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        pass

    def seek(self, at, whence=0):
        self._at = at + (len(self._view) if whence else 0)
        return self._at

    def read(self, size):
        start = self._at
        self._at = min(start + size, len(self._view))
        return bytes(self._view[start : self._at])

    def readinto(self, out):
        data = self._view[self._at : self._at + len(out)]
        out[: len(data)] = data
        self._at += len(data)
        return len(data)
