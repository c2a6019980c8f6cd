"""Layouts of records, headers and descriptors: ordered little-endian fields."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """One little-endian field: a `struct` type code, a name and what it means."""

    code: str
    name: str
    text: str

    @property
    def size(self) -> int:
        return struct.calcsize("<" + self.code)

    @property
    def is_array(self) -> bool:
        return len(self.code) > 1 and self.code[-1] != "s"


class Layout:
    """An ordered list of naturally aligned fields."""

    def __init__(self, name: str, text: str, fields: list[tuple[str, str, str]]):
        self.name = name
        self.text = text
        self.fields = [Field(*f) for f in fields]
        self.struct = struct.Struct("<" + "".join(f.code for f in self.fields))
        self.offsets: dict[str, int] = {}
        at = 0
        for field in self.fields:
            unit = struct.calcsize("<" + field.code[-1])
            if field.code[-1] != "s" and at % unit:
                raise AssertionError(f"{name}.{field.name} is not aligned")
            self.offsets[field.name] = at
            at += field.size

    @property
    def size(self) -> int:
        return self.struct.size

    def pack(self, **values: Any) -> bytes:
        """Bytes of the layout; fields not named are zero, unknown names are an error."""
        flat: list[object] = []
        for field in self.fields:
            if field.is_array:
                flat.extend(values.pop(field.name))
            else:
                flat.append(values.pop(field.name, b"" if field.code[-1] == "s" else 0))
        if values:
            raise KeyError(f"{self.name} has no field {sorted(values)}")
        return self.struct.pack(*flat)

    def unpack(self, data: bytes, offset: int = 0) -> dict[str, Any]:
        """Field values by name; a repeated field (`4H`) is a tuple."""
        flat = list(self.struct.unpack_from(data, offset))
        values: dict[str, Any] = {}
        for field in self.fields:
            if field.is_array:
                count = int(field.code[:-1])
                values[field.name] = tuple(flat[:count])
                del flat[:count]
            else:
                values[field.name] = flat.pop(0)
        return values
