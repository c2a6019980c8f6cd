"""MicroPython's .mpy files, native or compiled, made into CircuitPython's.

Both write version 6.3 (py/persistentcode.c). CircuitPython's files begin with another letter. In a native module the
flags before the relocations sit one bit higher, because its functions have one more property there; and relocations to
the table of functions lead one entry further from the 67th on, because it has put one in. Nothing else differs: a
linker with CircuitPython's numbers gives the same file from the same objects (native_modules/build.py, which notes its
hash in the manifest of prebuilt modules).

A file is read to its end; one with anything unknown in it is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import MidgeError

VERSION = 6
SUB_VERSION = 3  # of native code
ARCHITECTURES = range(1, 12)  # MP_NATIVE_ARCH_..., up to rv32imc
MAX_NUMBER = (1 << 32) - 1
BYTECODE, VIPER = 0, 2  # kinds of code, MP_CODE_... - MP_CODE_BYTECODE; a linker's native modules are of the latter
RELOCATED, RODATA, BSS = 0x10, 0x20, 0x40  # MP_SCOPE_FLAG_VIPER...
# Where a relocation leads: below COUNTED to the module's own memory; to one of three tables; to entries of the last.
COUNTED, ENTRIES, END = 6, 9, 0xFF
ENTRY_COUNT = 87  # of MicroPython's table of functions
ADDED = 67  # the entry that CircuitPython has put in


def convert(name: str, data: bytes) -> bytes:
    """The file for CircuitPython. Raises MidgeError for one that is damaged, or holds what is not known here."""
    file = _Reader(name, data)
    head = file.take(4)
    if head[:2] != bytes([ord("M"), VERSION]):
        raise file.error(f"no .mpy file of MicroPython, version {VERSION}")
    is_native = head[2] != 0
    if is_native and (head[2] >> 2 not in ARCHITECTURES or head[2] & 3 != SUB_VERSION):
        raise file.error(f"native code of an unknown kind, {head[2]}")
    names, objects = file.number(), file.number()
    file.repeat(names, _read_name)
    file.repeat(objects, _read_object)
    if is_native:
        converted = _native_code(file)
    else:
        _read_bytecode(file)
        converted = data[4:]
    if file.at != len(data):
        raise file.error(f"{len(data) - file.at:,} bytes too many")
    return b"C" + head[1:] + converted


class _Reader:
    def __init__(self, name: str, data: bytes):
        self.name, self.data, self.at = name, data, 0

    def error(self, problem: str) -> MidgeError:
        return MidgeError(f"{self.name} cannot be converted for CircuitPython: {problem}")

    def take(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.data):
            raise self.error(f"it is cut short, at {len(self.data):,} bytes")
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Seven bits a byte, the highest first."""
        value, byte = 0, 128
        while byte & 128:
            byte = self.byte()
            value = value << 7 | byte & 127
            if value > MAX_NUMBER:
                raise self.error(f"a number before byte {self.at:,} is too large")
        return value

    def repeat(self, count: int, read: Callable[[_Reader], None]) -> None:
        for _ in range(count):  # each takes a byte at least
            read(self)


def _read_name(file: _Reader) -> None:
    value = file.number()
    if not value & 1:  # else one that every firmware has
        _read_text(file, value >> 1)


def _read_text(file: _Reader, size: int) -> None:
    if file.take(size + 1)[size]:
        raise file.error(f"a text without a zero behind it, before byte {file.at:,}")


def _read_object(file: _Reader) -> None:
    """A constant, MP_PERSISTENT_OBJ_..."""
    kind = file.byte()
    if kind in (5, 6):  # str, bytes
        _read_text(file, file.number())
    elif kind in (7, 8, 9):  # int, float, complex: their text
        file.take(file.number())
    elif kind == 10:  # tuple
        file.repeat(file.number(), _read_object)
    elif not 1 <= kind <= 4:  # None, False, True, ...
        raise file.error(f"a constant of an unknown kind, {kind}")


def _read_bytecode(file: _Reader) -> None:
    """A function, and those in it."""
    value = file.number()
    if value & 3 != BYTECODE:
        raise file.error("compiled code with native functions in it")
    file.take(value >> 3)
    if value & 4:
        file.repeat(file.number(), _read_bytecode)


def _native_code(file: _Reader) -> bytes:
    """Reads the rest of a native module, and returns the file from byte 4 on with CircuitPython's numbers."""
    value = file.number()
    if value & 7 != VIPER:
        raise file.error(f"native code of an unknown kind, {value & 7}")
    file.take(value >> 3)
    converted = bytearray(file.data[4 : file.at])
    flags = file.number()
    if not flags & RELOCATED or flags & ~(RELOCATED | RODATA | BSS):
        raise file.error(f"native code with unknown flags, {flags:#x}")
    converted += _number(flags << 1)
    start = file.at
    rodata = file.number() if flags & RODATA else 0
    if flags & BSS:
        file.number()
    file.take(rodata)
    converted += file.data[start : file.at]
    while (operation := file.byte()) != END:
        start = file.at
        destination = operation >> 1
        if operation & 1:
            file.number()  # where it is; else behind the former
        if destination < COUNTED:
            if destination & 1:
                file.number()  # of words
        elif destination >= ENTRIES + ENTRY_COUNT:
            raise file.error(f"entry {destination - ENTRIES} of the table of functions, which has {ENTRY_COUNT}")
        elif destination >= ENTRIES + ADDED:
            operation += 2
        converted.append(operation)
        converted += file.data[start : file.at]
    converted.append(END)
    return bytes(converted)


def _number(value: int) -> bytes:
    digits = [value & 127]
    while value := value >> 7:
        digits.insert(0, value & 127 | 128)
    return bytes(digits)
