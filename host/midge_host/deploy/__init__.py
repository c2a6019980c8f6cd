"""`midge deploy`: library, native module and model onto a board.

Every file is written beside its place under another name, verified on the board, and only when all are there do they
take their places. A cable pulled at any moment leaves a board that works as before; running deploy again goes on
with what is still to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from ast import literal_eval
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ..device import model_file
from ..device.architectures import ARCHITECTURES, runs
from ..device.banks import Bank
from ..errors import CheckFailed, MidgeError
from . import board_side
from .board_side import script
from .library import ABI, library_files, native_files
from .links import BoardError, Link, Progress, open_link

BESIDE = ".new"  # what a file is called until it has been verified


@dataclass
class Board:
    """The board's description of itself."""

    implementation: str
    machine: str
    architecture: str | None
    abi: tuple[int, int]
    free_bytes: int | None
    library: str  # folder for libraries, "" for the root


@dataclass
class Report:
    """The files that deploy copied and skipped, and the result of the board's self-test."""

    board: Board
    native_module: str | None
    copied: list[str]
    skipped: list[str]
    backend: str
    weights_mode: str
    arena_bytes: int
    heap_bytes: int
    free_bytes: int


def deploy(
    model: Path, port: str, tool: str = "mpremote", library: bool = True, progress: Progress | None = None
) -> Report:
    """Copies what the board lacks, verifies it and runs the model's self-test there.

    progress: called with the bytes written so far. Raises MidgeError for a bad file or a connection that is lost,
    CheckFailed when the board has too little room or its self-test fails.
    """
    banks = model_file.read(model).banks  # refuses a damaged file before the board is touched
    link = open_link(tool, port)
    try:
        return _deploy(link, model, banks, library, progress or (lambda done: None))
    except BoardError as error:
        raise MidgeError(f"the board says: {error}; its former files are as they were") from None
    except (MidgeError, CheckFailed):
        raise
    except Exception as error:  # pyserial's errors and what the two tools make of them
        raise MidgeError(f"{port}: connection lost ({error}); the board keeps its former files; run it again") from None
    finally:
        with contextlib.suppress(Exception):  # a port that is gone cannot be closed properly
            link.close()


def describe(link: Link) -> Board:
    """Asks the board what it is."""
    name, mpy, free, path, machine = literal_eval(link.run(board_side.DESCRIBE))
    folder = next((p for p in path if p.rstrip("/").endswith("/lib")), "")
    return Board(name, machine, ARCHITECTURES.get(mpy >> 10 & 63), (mpy & 255, mpy >> 8 & 3), free, folder.strip("/"))


def native_modules(board: Board, banks: list[Bank]) -> tuple[str, dict[str, bytes]] | None:
    """The architecture and the .mpy files of banks for a board; None where there are none."""
    if board.abi != ABI:
        return None
    for architecture in runs(board.architecture):
        if modules := native_files(architecture, banks, board.implementation):
            return architecture, modules
    return None


def _deploy(link: Link, model: Path, banks: list[Bank], library: bool, progress: Progress) -> Report:
    board = describe(link)
    wanted, module = {model.name: model.read_bytes()}, None
    if library:
        module = native_modules(board, banks)
        folder = PurePosixPath(board.library)
        wanted |= {str(folder / name): data for name, data in library_files(board.implementation, board.abi).items()}
        if module:
            wanted |= {str(folder / name): data for name, data in module[1].items()}
    there = _differing(link, wanted)
    todo = {path: wanted[path] for path in wanted if path in there}
    _check_room(board, todo)
    _transfer(link, todo, progress)
    stale = [_twin(path) for path in wanted if _twin(path)]
    link.run(script(board_side.COMMIT, PAIRS=[(path + BESIDE, path) for path in todo], REMOVE=stale))
    try:
        result = literal_eval(link.run(script(board_side.SELFTEST, PATH=model.name)))
    except BoardError as error:
        raise CheckFailed(f"everything is on the board, but the self-test fails there: {error}") from None
    skipped = [path for path in wanted if path not in todo]
    return Report(board, module[0] if module else None, list(todo), skipped, *result)


def _twin(path: str) -> str | None:
    """The other form of a library file: a .py would be imported in place of its .mpy."""
    if path.endswith(".mpy"):
        return path[:-4] + ".py"
    return path[:-3] + ".mpy" if path.endswith(".py") else None


def _differing(link: Link, wanted: dict[str, bytes], suffix: str = "") -> set[str]:
    """Which of the files are not on the board as they should be."""
    paths = list(wanted)
    on_board = literal_eval(link.run(script(board_side.HASHES, PATHS=[p + suffix for p in paths])))
    return {path for path, found in zip(paths, on_board, strict=True) if not _same(wanted[path], found)}


def _same(data: bytes, found: tuple[int, str] | None) -> bool:
    if found is None or found[0] != len(data):
        return False
    return found[1] in (hashlib.sha256(data).hexdigest(), f"{zlib.crc32(data):08x}")


def _check_room(board: Board, todo: dict[str, bytes]) -> None:
    # Old and new files are there at the same time; a file takes whole blocks of 4 KB.
    need = sum(-(-len(data) // 4096) * 4096 for data in todo.values())
    if board.free_bytes is not None and need > board.free_bytes:
        raise CheckFailed(
            f"the board has {board.free_bytes:,} bytes free for files and deploy needs {need:,}; delete files there, "
            "or use a smaller model. Nothing was changed"
        )


def _further(progress: Progress, start: int, done: int) -> None:
    progress(start + done)


def _transfer(link: Link, todo: dict[str, bytes], progress: Progress) -> None:
    """Writes the files beside their places and verifies them; what an earlier, broken run left is used."""
    missing = _differing(link, todo, BESIDE) if todo else set()
    done = 0
    folders = sorted({str(parent) for path in todo for parent in PurePosixPath(path).parents if str(parent) != "."})
    link.run(script(board_side.MAKE_FOLDERS, PATHS=folders))
    try:
        for path, data in todo.items():
            if path in missing:
                link.write(path + BESIDE, data, partial(_further, progress, done))
            done += len(data)
            progress(done)
        bad = _differing(link, todo, BESIDE) if todo else set()
        if bad:
            raise BoardError(f"{', '.join(sorted(bad))} arrived damaged")
    except BoardError:
        # The board still answers: leave nothing half-written.
        link.run(script(board_side.REMOVE, PATHS=[path + BESIDE for path in todo]))
        raise
