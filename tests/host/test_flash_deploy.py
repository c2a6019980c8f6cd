"""`midge deploy --flash` on firmware of many kinds: where a model goes, and what is refused before it erases."""

from __future__ import annotations

import random
import struct
import sys
from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import models
from midge_host import deploy
from midge_host.commands import load
from midge_host.deploy import uf2
from midge_host.deploy.flash import SECTOR, Gap, place
from midge_host.device import spec
from midge_host.device.pointer import Pointer
from midge_host.errors import CheckFailed, MidgeError

PROGRAM = (files(deploy) / "board_flash.py").read_text(encoding="utf-8")
FILES, SIZE = 0xA0000, 0x200000  # where the file system begins in flash, and where it ends
FIRMWARE = 0x4CC10
TABLE, ENTRIES = 0x4000, 0x5002
KINDS = struct.pack("<HHII", 5, 0x5052, 0x68F465DE, spec.FLASH + FIRMWARE)


class Board:
    """A stand-in for MicroPython's modules on a board, with what the program there asks of them."""

    def __init__(self, machine: str = "Raspberry Pi Pico with RP2040") -> None:
        self.flash = bytearray(b"\xff" * SIZE)
        self.changed: list[tuple[int, int]] = []
        self.order = ("type", "base", "size", "spare")  # of the words of a device
        self.listens = True  # a device does as its words say
        self.translation = {0x400D0034 + 4 * i: 0x4000000 | i << 10 for i in range(4)}
        self.romfs: list[int] = []
        self.machine = machine
        self.entries([KINDS])

    def entries(self, entries: list[bytes], marks: tuple[int, int] = (0x7188EBF2, 0xE71AA390)) -> None:
        """Writes binary info; entries do not begin at whole words."""
        at = ENTRIES
        table = []
        for entry in entries:
            table.append(spec.FLASH + at)
            self.flash[at : at + len(entry)] = entry
            at += 30
        self.flash[TABLE : TABLE + 4 * len(table)] = struct.pack(f"<{len(table)}I", *table)
        first = spec.FLASH + TABLE
        head = struct.pack("<5I", marks[0], first, first + 4 * len(table), 0, marks[1])
        self.flash[0x1D4 : 0x1D4 + len(head)] = head

    def program(self, monkeypatch) -> dict[str, Any]:
        """The names that the program has defined on the board."""
        board = self

        class Flash:
            def __init__(self, start: int | None = None, len: int | None = None) -> None:
                self.words = {
                    "type": 77,
                    "spare": 0,
                    "base": FILES + (start or 0),
                    "size": SIZE - FILES if len is None else len,
                }
                self.kept = dict(self.words)

            @property
            def now(self) -> dict[str, int]:
                return self.words if board.listens else self.kept

            def ioctl(self, command: int, _: int) -> int:
                return {4: self.now["size"] // SECTOR, 5: SECTOR}[command]

            def readblocks(self, number: int, out: bytearray) -> None:
                at = self.now["base"] + number * SECTOR
                out[:] = board.flash[at : at + len(out)]

            def writeblocks(self, number: int, data: bytes) -> None:
                at = self.now["base"] + number * SECTOR
                board.changed.append((at, len(data)))
                board.flash[at : at + len(data)] = data

        devices: list[Flash] = []

        def identity(thing: object) -> int:
            if thing is Flash:
                return 77
            devices[:] = [thing]
            return 0x20000000

        class Words:
            def __getitem__(self, at: int) -> int:
                return board.translation[at] if at in board.translation else devices[0].words[self.name(at)]

            def __setitem__(self, at: int, value: int) -> None:
                devices[0].words[self.name(at)] = value

            def name(self, at: int) -> str:
                return board.order[(at - 0x20000000) // 4]

        def view(at: int, size: int) -> memoryview:
            start = at - spec.FLASH
            assert 0 <= start <= start + size <= SIZE, "reads outside of the flash"
            return memoryview(board.flash)[start : start + size]

        def address(thing: Any) -> int:
            return spec.FLASH + (thing.now["base"] if isinstance(thing, Flash) else thing)

        uctypes = SimpleNamespace(bytes_at=lambda *a: bytes(view(*a)), bytearray_at=view, addressof=address)
        rom = lambda command, *number: len(self.romfs) if command == 1 else self.romfs[number[0]]  # noqa: E731
        stubs = {"uctypes": uctypes, "rp2": SimpleNamespace(Flash=Flash), "machine": SimpleNamespace(mem32=Words())}
        stubs["vfs"] = SimpleNamespace(rom_ioctl=rom) if self.romfs else SimpleNamespace()
        for name, module in stubs.items():
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(sys, "implementation", SimpleNamespace(_machine=self.machine, name="micropython"))
        names: dict[str, Any] = {"id": identity, "memoryview": lambda device: range(device.now["size"])}
        exec(PROGRAM, names)
        return names


TOP = spec.FLASH + FILES


def test_the_gap_is_found(monkeypatch) -> None:
    assert Board().program(monkeypatch)["gap"]() == (spec.FLASH + FIRMWARE, TOP)


def test_it_ends_at_what_lies_before_the_files(monkeypatch) -> None:
    """A ROMFS is at the upper end of the firmware's part; other block devices may be declared in binary info."""
    board = Board()
    board.romfs = [0x80000]
    assert board.program(monkeypatch)["gap"]()[1] == spec.FLASH + 0x80000
    device = struct.pack("<HHIIIIH", 7, 0x504D, 0, spec.FLASH + 0x70000, 0x1000, 0, 3)
    board.entries([device, KINDS])
    assert board.program(monkeypatch)["gap"]()[1] == spec.FLASH + 0x70000


def test_a_sector_is_written_where_it_was_claimed(monkeypatch) -> None:
    board = Board()
    names = board.program(monkeypatch)
    before = bytes(board.flash)
    names["claim"](TOP - 3 * SECTOR, 3 * SECTOR)
    assert not board.changed and board.flash == before
    names["put"](1, b64encode(b"\5" * SECTOR))
    assert board.changed == [(FILES - 2 * SECTOR, SECTOR)]
    assert names["checksums"](TOP - 2 * SECTOR, SECTOR + 5)[1] == names["checksum"](TOP - SECTOR, 5)


def broken(change: str) -> Board:
    """A board whose firmware is not as it is known."""
    board = Board("Raspberry Pi Pico 2 with RP2350" if change == "translation" else "Raspberry Pi Pico with RP2040")
    end = lambda at: struct.pack("<HHII", 5, 0x5052, 0x68F465DE, at)  # noqa: E731
    if change == "no marks":
        board.entries([KINDS], marks=(0, 0))
    elif change == "one mark":
        board.entries([KINDS], marks=(0x7188EBF2, 0))
    elif change == "no end":
        board.entries([b"\6" + KINDS[1:]])
    elif change == "two ends":
        board.entries([KINDS, KINDS])
    elif change == "ends in its info":
        board.entries([end(spec.FLASH + TABLE)])
    elif change == "ends in the files":
        board.entries([end(TOP + SECTOR)])
    elif change == "table elsewhere":
        board.flash[0x1D8:0x1DC] = struct.pack("<I", 0x20000000)
    elif change == "other words":
        board.order = ("type", "size", "base", "spare")
    elif change == "further words":
        board.order = ("type", "spare", "base", "size")
    elif change == "does not listen":
        board.listens = False
    elif change == "translation":
        board.translation[0x400D0034] |= 256
    return board


@pytest.mark.parametrize(
    "change",
    [
        "no marks",
        "one mark",
        "no end",
        "two ends",
        "ends in its info",
        "ends in the files",
        "table elsewhere",
        "other words",
        "further words",
        "does not listen",
        "translation",
    ],
)
def test_unknown_firmware_is_refused_before_anything_is_erased(monkeypatch, change: str) -> None:
    board = broken(change)
    names = board.program(monkeypatch)
    before = bytes(board.flash)
    with pytest.raises(ValueError, match="this firmware is not known well enough"):
        names["claim"](TOP - SECTOR, SECTOR)
    assert not board.changed and board.flash == before


@pytest.mark.parametrize(
    ("at", "size"),
    [
        (TOP, SECTOR),
        (TOP - SECTOR, 2 * SECTOR),
        (TOP - SECTOR - 256, SECTOR),
        (TOP - SECTOR, SECTOR - 256),
        (TOP - SECTOR, 0),
        (spec.FLASH, SECTOR),
        (spec.FLASH + FIRMWARE // SECTOR * SECTOR, SECTOR),
    ],
)
def test_places_that_are_not_free_are_refused(monkeypatch, at: int, size: int) -> None:
    board = Board()
    names = board.program(monkeypatch)
    with pytest.raises(ValueError, match="place is not free"):
        names["claim"](at, size)
    assert not board.changed


def test_pico_2(monkeypatch) -> None:
    board = Board("Raspberry Pi Pico 2 with RP2350")
    board.program(monkeypatch)["claim"](TOP - SECTOR, SECTOR)
    assert not board.changed


def test_firmware_that_shows_no_flash(monkeypatch) -> None:
    names = Board().program(monkeypatch)

    def address(_: object) -> int:
        raise TypeError("object with buffer protocol required")

    monkeypatch.setattr(sys.modules["uctypes"], "addressof", address)
    with pytest.raises(ValueError, match=r"does not show its flash in memory: MicroPython does from 1\.25 on"):
        names["gap"]()


def gap(*taken: tuple[int, int]) -> Gap:
    """A gap of 100 sectors, and models in it."""
    found = {f"/{i}.midge": Pointer(spec.FLASH + at, size, i) for i, (at, size) in enumerate(taken)}
    return Gap(spec.FLASH + 0x10010, spec.FLASH + 0x75000, found)


@pytest.mark.parametrize(
    ("size", "taken", "expected"),
    [
        (1, [], 0x74000),
        (4096, [], 0x74000),
        (4097, [], 0x73000),
        (100 * SECTOR, [], 0x11000),
        (5, [(0x74000, 4096)], 0x73000),
        (5, [(0x74000, 1), (0x72000, 4000)], 0x73000),
        (5000, [(0x74000, 1), (0x72000, 4000)], 0x70000),
        (5, [(0x73010, 4096)], 0x72000),
        (5, [(0x11000, 4096)], 0x74000),
    ],
)
def test_a_model_lies_as_high_as_it_can(size: int, taken: list[tuple[int, int]], expected: int) -> None:
    assert place(gap(*taken), "m.midge", bytes(size)) == spec.FLASH + expected


def test_it_lies_over_no_other_one() -> None:
    draw = random.Random(7)
    placed = 0
    for _ in range(500):
        taken = [(draw.randrange(0x10010, 0x75000 - 60000), draw.randrange(1, 60000)) for _ in range(draw.randrange(5))]
        size = draw.randrange(1, 200000)
        free = gap(*taken)
        try:
            at = place(free, "m.midge", bytes(size))
        except CheckFailed:
            continue
        placed += 1
        end = at + spec.align(size, SECTOR)
        assert free.start <= at and end <= free.end and at % SECTOR == 0
        assert all(end <= p.address // SECTOR * SECTOR or p.end <= at for p in free.pointers.values())
    assert placed > 100


def test_one_that_is_there_stays() -> None:
    model = bytes(range(100))
    found = Pointer.to(model, spec.FLASH + 0x20000)
    assert place(Gap(spec.FLASH, spec.FLASH + 0x75000, {"/other.midge": found}), "m.midge", model) == found.address


@pytest.mark.parametrize(
    ("size", "taken", "says"),
    [
        (100 * SECTOR + 1, [], "leaves 409,600 bytes of flash below the file system and m.midge takes 413,696; deploy"),
        (53 * SECTOR, [(0x40000, 5)], r"models of /0\.midge lie there: delete one of these files first\. Nothing was"),
    ],
)
def test_no_room(size: int, taken: list[tuple[int, int]], says: str) -> None:
    with pytest.raises(CheckFailed, match=says):
        place(gap(*taken), "m.midge", bytes(size))


def blocks(data: bytes) -> list[tuple[int, ...]]:
    """Address, length, number, count and family of each block, as https://github.com/microsoft/uf2 lays them out."""
    found = []
    for at in range(0, len(data), 512):
        one, two, flags, address, length, number, count, family = struct.unpack_from("<8I", data, at)
        assert (one, two, flags) == (0x0A324655, 0x9E5D5157, 0x2000)
        assert data[at + 508 : at + 512] == struct.pack("<I", 0x0AB16F30)
        found.append((address, length, number, count, family))
    return found


@pytest.mark.parametrize(("chip", "family"), [("RP2040", 0xE48BFF56), ("RP2350", 0xE48BFF57)])
def test_uf2(chip: str, family: int) -> None:
    data = bytes(range(256)) * 32
    packed = uf2.pack(data, 0x10090000, chip)
    assert blocks(packed) == [(0x10090000 + 256 * i, 256, i, 32, family) for i in range(32)]
    assert b"".join(packed[at + 32 : at + 288] for at in range(0, len(packed), 512)) == data


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--uf2", "m.uf2"], "--uf2 is for --flash"),
        (["--flash", "--with", "ampy"], "--flash is not for --with ampy, but for mpremote"),
        (["--flash", "--drive", "."], "--flash is not for --with drive, but for mpremote"),
        (["--flash", "--uf2", "m.midge"], "the output would overwrite the input m.midge"),
    ],
)
def test_options(make_model, monkeypatch, arguments: list[str], says: str) -> None:
    path: Path = make_model(models.dense(layers=1))
    monkeypatch.chdir(path.parent)
    path.rename("m.midge")
    done = CliRunner().invoke(load("deploy"), ["m.midge", *arguments])
    assert isinstance(done.exception, MidgeError) and says in str(done.exception)
