"""Files that point to a model in a board's flash: docs/FORMAT.md, "Pointers"."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from . import spec


@dataclass(frozen=True)
class Pointer:
    """Where in a board's memory a model's file begins, its length in bytes and its CRC-32."""

    address: int
    size: int
    crc: int

    @classmethod
    def to(cls, model: bytes, address: int) -> Pointer:
        """To a model's file, once it lies there."""
        return cls(address, len(model), zlib.crc32(model))

    @property
    def end(self) -> int:
        """The address behind the model."""
        return self.address + self.size

    def pack(self) -> bytes:
        """The file."""
        fields: dict[str, Any] = {"magic": spec.POINTER_MAGIC, "version": spec.POINTER_VERSION}
        fields |= {"address": self.address, "bytes": self.size, "crc": self.crc}
        own_crc = zlib.crc32(spec.POINTER.pack(**fields)[: spec.POINTER.offsets["own_crc"]])
        return spec.POINTER.pack(**fields, own_crc=own_crc)

    @classmethod
    def unpack(cls, data: bytes) -> Pointer | None:
        """What a file says; None where it is no pointer, or damaged."""
        if len(data) != spec.POINTER.size:
            return None
        fields = spec.POINTER.unpack(data)
        found = cls(fields["address"], fields["bytes"], fields["crc"])
        return found if found.pack() == data else None
