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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ..device import model_file
from ..device.architectures import ARCHITECTURES, runs
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
    memory_bytes: int | None = None  # free


@dataclass
class Report:
    """The files that deploy copied and skipped, and the result of the board's self-test."""

    board: Board
    native_module: str | None
    copied: list[str]
    skipped: list[str]
    selftest: SelfTest


@dataclass
class SelfTest:
    """What a model tells of itself after its self-test: bytes of its arena, of the board's heap in use and free.
    has_run: not of a bare model, which was loaded only."""

    has_run: bool
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
    modules = model_file.read(model).modules  # refuses a damaged file before the board is touched
    link = open_link(tool, port)
    with connection(link, port):
        return _deploy(link, model, modules, library, progress or (lambda done: None))


@contextlib.contextmanager
def connection(
    link: Link,
    name: str,
    left: str = "the board keeps its former files",
    kept: str = "its former files are as they were",
) -> Iterator[None]:
    """Closes the link behind what is done with it, and raises MidgeError for what goes wrong on the way; left: what a
    lost connection leaves behind, kept: what an error on the board does."""
    try:
        yield
    except BoardError as error:
        raise MidgeError(f"the board says: {error}; {kept}") from None
    except (MidgeError, CheckFailed):
        raise
    except Exception as error:  # pyserial's errors and what the two tools make of them
        raise MidgeError(f"{name}: connection lost ({error}); {left}; run it again") from None
    finally:
        with contextlib.suppress(Exception):  # a port that is gone cannot be closed properly
            link.close()


def describe(link: Link) -> Board:
    """Asks the board what it is."""
    name, mpy, free, path, machine, memory = literal_eval(link.run(board_side.DESCRIBE))
    folder = next((p for p in path if p.rstrip("/").endswith("/lib")), "")
    architecture = ARCHITECTURES.get(mpy >> 10 & 63)
    return Board(name, machine, architecture, (mpy & 255, mpy >> 8 & 3), free, folder.strip("/"), memory)


def selftest(link: Link, model: Path) -> SelfTest:
    """Runs the self-test of a model on the board, which has it by the same name; CheckFailed when it fails."""
    has_test = bool(model_file.read(model).golden)
    try:
        told = literal_eval(link.run(script(board_side.SELFTEST, PATH=model.name, TEST=has_test)))
        return SelfTest(has_test, *told)
    except BoardError as error:
        raise CheckFailed(f"everything is on the board, but the self-test fails there: {error}") from None


def native_modules(board: Board, names: Sequence[str]) -> tuple[str, dict[str, bytes]] | None:
    """The architecture and the .mpy files of native modules for a board; None where there are none."""
    if board.abi != ABI:
        return None
    for architecture in runs(board.architecture):
        if modules := native_files(architecture, names, board.implementation):
            return architecture, modules
    return None


def install_library(
    link: Link, board: Board, modules: Sequence[str], progress: Progress = lambda done: None
) -> str | None:
    """Copies what the board lacks of the library and of these native modules; returns their architecture, None where
    there are none for this board."""
    wanted, native = library_for(board, modules)
    copy(link, wanted, lacking(link, board, wanted), progress)
    return native


def _deploy(link: Link, model: Path, modules: Sequence[str], library: bool, progress: Progress) -> Report:
    board = describe(link)
    wanted, native = {model.name: model.read_bytes()}, None
    if library:
        files, native = library_for(board, modules)
        wanted |= files
    todo = lacking(link, board, wanted)
    copy(link, wanted, todo, progress)
    skipped = [path for path in wanted if path not in todo]
    return Report(board, native, list(todo), skipped, selftest(link, model))


def library_for(board: Board, modules: Sequence[str]) -> tuple[dict[str, bytes], str | None]:
    """The library's files for a board by their paths there, and the architecture of the native modules among them."""
    module = native_modules(board, modules)
    files = library_files(board.implementation, board.abi) | (module[1] if module else {})
    return {str(PurePosixPath(board.library) / name): data for name, data in files.items()}, module and module[0]


def lacking(link: Link, board: Board, wanted: dict[str, bytes]) -> dict[str, bytes]:
    """The files that are not on the board as they should be; CheckFailed where it has no room for them."""
    there = differing(link, wanted)
    todo = {path: wanted[path] for path in wanted if path in there}
    _check_room(link, board, todo)
    return todo


def copy(link: Link, wanted: dict[str, bytes], todo: dict[str, bytes], progress: Progress) -> None:
    """Puts those files onto the board that it lacks, of all that it should have."""
    _transfer(link, todo, progress)
    stale = [_twin(path) for path in wanted if _twin(path)]
    link.run(script(board_side.COMMIT, PAIRS=[(path + BESIDE, path) for path in todo], REMOVE=stale))


def _twin(path: str) -> str | None:
    """The other form of a library file: a .py would be imported in place of its .mpy."""
    if path.endswith(".mpy"):
        return path[:-4] + ".py"
    return path[:-3] + ".mpy" if path.endswith(".py") else None


def differing(link: Link, wanted: dict[str, bytes], suffix: str = "") -> set[str]:
    """Which of the files are not on the board as they should be."""
    paths = list(wanted)
    on_board = _hashes(link, [path + suffix for path in paths])
    return {path for path, found in zip(paths, on_board, strict=True) if not _same(wanted[path], found)}


def _hashes(link: Link, paths: Sequence[str]) -> list[tuple[int, str] | None]:
    """Bytes and digest of each file, None where there is none."""
    return literal_eval(link.run(script(board_side.HASHES, PATHS=list(paths))))


def _same(data: bytes, found: tuple[int, str] | None) -> bool:
    if found is None or found[0] != len(data):
        return False
    return found[1] in (hashlib.sha256(data).hexdigest(), f"{zlib.crc32(data):08x}")


def _check_room(link: Link, board: Board, todo: dict[str, bytes]) -> None:
    # Old and new files are there at the same time; what an earlier, broken run left goes first.
    need = sum(_room(len(data)) for data in todo.values())
    if board.free_bytes is None or need <= board.free_bytes:
        return
    left = _hashes(link, [path + BESIDE for path in todo])
    free = board.free_bytes + sum(_room(found[0]) for found in left if found)
    if need > free:
        raise CheckFailed(
            f"the board has {free:,} bytes free for files and deploy needs {need:,}; delete files there, or use a "
            "smaller model. Nothing was changed"
        )


def _room(size: int) -> int:
    """A file takes whole blocks of 4 KB."""
    return -(-size // 4096) * 4096


def _further(progress: Progress, start: int, done: int) -> None:
    progress(start + done)


def _transfer(link: Link, todo: dict[str, bytes], progress: Progress) -> None:
    """Writes the files beside their places and verifies them; what an earlier, broken run left is used."""
    missing = differing(link, todo, BESIDE) if todo else set()
    done = 0
    folders = sorted({str(parent) for path in todo for parent in PurePosixPath(path).parents if str(parent) != "."})
    link.run(script(board_side.MAKE_FOLDERS, PATHS=folders))
    # LittleFS keeps what a file held until what is written over it is whole.
    link.run(script(board_side.REMOVE, PATHS=[path + BESIDE for path in missing]))
    try:
        for path, data in todo.items():
            if path in missing:
                link.write(path + BESIDE, data, partial(_further, progress, done))
            done += len(data)
            progress(done)
        bad = differing(link, todo, BESIDE) if todo else set()
        if bad:
            raise BoardError(f"{', '.join(sorted(bad))} arrived damaged")
    except BoardError:
        # The board still answers: leave nothing half-written.
        link.run(script(board_side.REMOVE, PATHS=[path + BESIDE for path in todo]))
        raise
