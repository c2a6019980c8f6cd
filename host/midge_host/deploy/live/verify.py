"""Whether midge works on a board: its operators' and networks' self-tests there, memory and time, in one report."""

from __future__ import annotations

import contextlib
from ast import literal_eval
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import midge

from ...device.banks import MODULES
from ...device.model_file import read
from ...errors import MidgeError
from .. import Board, install_library
from ..board_side import REMOVE, script
from ..links import BoardError, Mpremote
from . import SECONDS, Facts, board_on, facts, program
from .nets import models

BESIDE = "midge-verify.midge"  # on the board, for a moment


@dataclass(frozen=True)
class Result:
    """Of one network's self-test. problem: "" where it passed. milliseconds: of a prediction, with the portable kernels
    too where they were asked for. heap_bytes: of model, library and native modules."""

    name: str
    operators: list[str]
    backend: str
    problem: str = ""
    milliseconds: float | None = None
    heap_bytes: int | None = None


@dataclass(frozen=True)
class Report:
    board: Board
    firmware: Facts
    native_module: str | None
    midge: str
    results: list[Result]

    @property
    def passed(self) -> bool:
        return not any(result.problem for result in self.results)

    def facts(self) -> dict[str, Any]:
        """Plain data for --json."""
        return asdict(self) | {"passed": self.passed}


def verify(port: str, portable: bool = False, tell: Callable[[str, int, int], None] = lambda *_: None) -> Report:
    """Runs everything on the board on a serial port. The library and all native modules are copied there, as deploy
    does; the networks go one by one and leave again.

    portable: runs the portable kernels as well, where there are native ones. tell: hears the name of what runs, how
    many are done, and of how many. Raises MidgeError where the board cannot be worked with.
    """
    files = models()
    with board_on(port) as (link, board):
        native = install_library(link, board, MODULES)
        link.reset()
        known = facts(link)
        backends = ["native", *(["portable"] if portable else [])] if native else ["portable"]
        jobs = [(name, backend) for backend in backends for name in files]
        results = []
        with _gone_after(link):
            for i, (name, backend) in enumerate(jobs):
                tell(name, i, len(jobs))
                results.append(_run(link, name, files[name], backend))
    return Report(board, known, native, midge.__version__, results)


@contextlib.contextmanager
def _gone_after(link: Mpremote):
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # a board that is gone
            link.run(script(REMOVE, PATHS=[BESIDE]))


def _run(link: Mpremote, name: str, data: bytes, backend: str) -> Result:
    """Each in a memory as after a start."""
    with TemporaryDirectory(prefix="midge-") as folder:
        (Path(folder) / BESIDE).write_bytes(data)
        model = read(Path(folder) / BESIDE)
    operators = list(dict.fromkeys(model.operator(i).name for i in range(len(model.records))))
    link.reset()
    link.write(BESIDE, data, lambda done: None)
    try:
        *_, line = link.lines(program("verify", PATH=BESIDE, BACKEND=backend), SECONDS)
    except BoardError as error:
        return Result(name, operators, backend, str(error).replace(BESIDE, name))
    except TimeoutError as error:
        raise MidgeError(f"{name}: {error}") from None
    heap, times = literal_eval(line)
    return Result(name, operators, backend, "", median(times) / 1e3 if times else None, heap)
