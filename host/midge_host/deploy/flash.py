"""`midge deploy --flash`: a model into the flash that lies unused between firmware and file system of a board with an
RP2040 or RP2350, and a file that points to it (docs/FORMAT.md, "Pointers").

Where that flash begins and ends the board finds out itself (board_flash.py). The model lies at the upper end, as a new
firmware grows from the lower one, and over no other model that a file on the board points to: so that the files work
as before until the new pointer takes its place.
"""

from __future__ import annotations

import zlib
from ast import literal_eval
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..device import model_file, spec
from ..device.pointer import Pointer
from ..errors import CheckFailed, MidgeError
from ..files import write_whole
from . import BESIDE, Board, SelfTest, connection, copy, describe, lacking, library_for, selftest, uf2
from .links import BoardError, Link, Mpremote, Progress, open_mpremote

SECTOR = 4096
SECONDS = 60  # for what the board does between two answers


@dataclass(frozen=True)
class Gap:
    """What of a board's flash its firmware leaves: from one address in its memory to another. `pointers`: by their
    paths on the board, those whose models are there."""

    start: int
    end: int
    pointers: dict[str, Pointer]


@dataclass(frozen=True)
class Report:
    """`pointer`: to where the model lies. `sectors`: how many of its sectors were written. `uf2`: the file that has to
    be copied to the boot drive before the rest can be done, else None; then `selftest` is there."""

    board: Board
    gap: Gap
    pointer: Pointer
    sectors: int
    copied: list[str]
    skipped: int
    uf2: Path | None = None
    selftest: SelfTest | None = None


def deploy_to_flash(
    model: Path, port: str, library: bool = True, output: Path | None = None, progress: Progress = lambda done: None
) -> Report:
    """Puts a model into a board's flash, and what the board lacks into its file system, as deploy() does.

    output: the model does not go to the board but into this UF2 file, unless it is in the flash already.
    progress: called with the bytes written so far. Raises MidgeError for a bad file, another kind of board, a firmware
    that is not as it is known, or a connection that is lost; CheckFailed when there is too little room or the self-test
    fails. Until all has been checked, nothing is erased.
    """
    modules = model_file.read(model).modules
    data = model.read_bytes()
    link = open_mpremote(port)
    with connection(link, port):
        board = describe(link)
        chip = _chip(board)
        link.run((files(__package__) / "board_flash.py").read_text(encoding="utf-8"))
        gap = _gap(link)
        pointer = Pointer.to(data, place(gap, model.name, data))
        wanted: dict[str, bytes] = {}
        if library:
            wanted, _ = library_for(board, modules)
        elif not _ask(link, "knows_pointers()"):
            raise MidgeError("the board's midge is missing, or older than pointers; deploy without --no-library")
        wanted |= {model.name: pointer.pack()}
        todo = lacking(link, board, wanted)
        sectors = [data[at : at + SECTOR] for at in range(0, len(data), SECTOR)]
        there = _ask(link, f"checksums({pointer.address}, {pointer.size})")
        missing = [n for n, (sector, crc) in enumerate(zip(sectors, there, strict=True)) if zlib.crc32(sector) != crc]
        if missing and output:
            write_whole(output, uf2.pack(b"".join(map(_padded, sectors)), pointer.address, chip))
            return Report(board, gap, pointer, 0, [], 0, output)
        if missing:
            _write(link, pointer, sectors, missing, progress)
        copy(link, wanted, todo, lambda done: progress(len(missing) * SECTOR + done))
        link.reset()  # leaves no program of this in memory
        skipped = len(wanted) - len(todo)
        return Report(board, gap, pointer, len(missing), list(todo), skipped, None, selftest(link, model))


def place(gap: Gap, name: str, model: bytes) -> int:
    """The address for a model's file: where it is already, else the highest at which it lies over no other one.
    CheckFailed where there is no room. name: of the file that will point to it."""
    for found in gap.pointers.values():
        if found == Pointer.to(model, found.address) and found.address % SECTOR == 0:
            return found.address
    size = spec.align(len(model), SECTOR)
    start, end = spec.align(gap.start, SECTOR), gap.end // SECTOR * SECTOR
    highest = end
    for other in sorted(gap.pointers.values(), key=lambda pointer: pointer.end, reverse=True):
        if spec.align(other.end, SECTOR) + size <= highest:
            break
        highest = min(highest, other.address // SECTOR * SECTOR)
    if highest - size >= start:
        return highest - size
    there = f"; models of {', '.join(gap.pointers)} lie there: delete one of these files first" if gap.pointers else ""
    raise CheckFailed(
        f"the firmware leaves {max(0, end - start):,} bytes of flash below the file system and {name} takes "
        f"{size:,}{there or '; deploy it without --flash, or use a smaller model'}. Nothing was changed"
    )


def points_to(link: Link, path: str, model: bytes) -> bool:
    """Whether a file on the board is a pointer to this model. Whether the model is there who loads it will see."""
    try:
        found = Pointer.unpack(literal_eval(link.run(f"print(open({path!r}, 'rb').read({spec.POINTER.size + 1}))")))
    except BoardError:  # no such file
        return False
    return found is not None and found == Pointer.to(model, found.address)


def _padded(sector: bytes) -> bytes:
    return sector.ljust(SECTOR, b"\xff")


def _chip(board: Board) -> str:
    chip = next((chip for chip in uf2.FAMILIES if chip in board.machine), None)
    if board.implementation != "micropython" or chip is None:
        raise MidgeError(
            f"--flash is for MicroPython on an RP2040 or RP2350; the board is {board.machine} with "
            f"{board.implementation}. Deploy without it"
        )
    return chip


def _ask(link: Mpremote, expression: str):
    return literal_eval(link.run(f"print(repr({expression}))", SECONDS))


def _gap(link: Mpremote) -> Gap:
    start, end = _ask(link, "gap()")
    found = _ask(link, f"pointers('/', {spec.POINTER.size}, {spec.POINTER_MAGIC!r})")
    pointers = {path: Pointer.unpack(data) for path, data in found if not path.endswith(BESIDE)}
    return Gap(start, end, {path: p for path, p in pointers.items() if p and _is_whole(link, p, start, end)})


def _is_whole(link: Mpremote, pointer: Pointer, start: int, end: int) -> bool:
    """Whether its model is still there."""
    is_inside = start <= pointer.address <= pointer.end <= end
    return is_inside and _ask(link, f"checksum({pointer.address}, {pointer.size})") == pointer.crc


def _write(link: Mpremote, pointer: Pointer, sectors: list[bytes], missing: Iterable[int], progress: Progress) -> None:
    """Writes these sectors of a model, and looks whether all are there."""
    link.run(f"claim({pointer.address}, {len(sectors) * SECTOR})")
    for done, number in enumerate(missing):
        progress(done * SECTOR)
        link.run(f"put({number}, {b64encode(_padded(sectors[number]))!r})", SECONDS)
    if _ask(link, f"checksum({pointer.address}, {pointer.size})") != pointer.crc:
        raise MidgeError("what was written into the flash is not what is there; its former files are as they were")
