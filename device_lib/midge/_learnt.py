# Files of what a board has learnt: docs/FORMAT.md, "What was learnt".

import os
import struct
from binascii import crc32

from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: learnt (host/midge_host/device/spec.py, `make generate`)
_MAGIC = const(b"MIDL")
_VERSION = const(1)
_LEARNED_BYTES = const(20)
_LEARNED = const("<4sHBBIII")
# magic, version, kind, classes, model, bytes, crc
# generated: end


def write(path, kind, count, model, parts):
    """Writes buffers to a file, whole or not at all. kind: who learnt; count: of what, model: the checksum of the model's
    file, or 0."""
    size = crc = 0
    for part in parts:
        part = bytes(part)
        size += 4 + len(part)
        crc = crc32(part, crc32(struct.pack("<I", len(part)), crc))
    beside = "%s.new" % path
    with open(beside, "wb") as file:
        file.write(struct.pack(_LEARNED, _MAGIC, _VERSION, kind, count, model, size, crc & 0xFFFFFFFF))
        for part in parts:
            part = bytes(part)
            file.write(struct.pack("<I", len(part)))
            file.write(part)
    if hasattr(os, "sync"):
        os.sync()
    try:
        os.rename(beside, path)
    except OSError as error:  # FAT renames nothing over another file; read() finds the new one beside it
        try:
            os.remove(path)
        except OSError:
            raise error
        os.rename(beside, path)


def read(path, kind, model):
    """The buffers of a file. Raises ValueError for one that is damaged, or of another kind or model."""
    try:
        return _read(path, kind, model)
    except OSError as error:
        try:
            return _read("%s.new" % path, kind, model)
        except (OSError, ValueError):  # what a first save() left that was cut is as nothing
            raise error


def _read(path, kind, model):
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < _LEARNED_BYTES or data[: len(_MAGIC)] != _MAGIC:
        raise ValueError(text("not learning", path))
    _, version, found, _, crc_of_model, size, crc = struct.unpack_from(_LEARNED, data)
    if version != _VERSION:
        raise ValueError(text("version of learning", path, version))
    if found != kind or crc_of_model != model:
        raise ValueError(text("learning of another", path))
    if len(data) != _LEARNED_BYTES + size or crc32(data[_LEARNED_BYTES:]) & 0xFFFFFFFF != crc:
        raise ValueError(text("damaged learning", path))
    parts = []
    at = _LEARNED_BYTES
    while at < len(data):
        length = struct.unpack_from("<I", data, at)[0] if at + 4 <= len(data) else 0
        parts.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return parts
