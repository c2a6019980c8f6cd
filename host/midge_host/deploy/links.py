"""A board on a serial port, through mpremote or through ampy: run code, write a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..errors import MidgeError, install

Progress = Callable[[int], None]  # called with the bytes written so far


class BoardError(Exception):
    """The board raised an exception; the message is its last line."""


class Link(Protocol):
    """The operations on a board that deploy is made of."""

    def run(self, code: str) -> str:
        """Runs Python code; returns what it printed. Raises BoardError."""

    def write(self, path: str, data: bytes, progress: Progress) -> None:
        """Writes a whole file. Raises BoardError."""

    def close(self) -> None: ...


def open_link(tool: str, port: str) -> Link:
    """Connects to the board on `port`; raises MidgeError when that cannot be."""
    tools: dict[str, Callable[[str], Link]] = {"mpremote": Mpremote, "ampy": Ampy}
    if tool not in tools:
        raise MidgeError(f"--with {tool}: choose mpremote or ampy")
    try:
        return tools[tool](port)
    except ImportError:
        raise MidgeError(f"{tool} is not installed; {install('deploy')}") from None
    except Exception as error:  # both tools let pyserial's and their own errors through
        raise MidgeError(
            f"{port}: no MicroPython board answers ({error}); check cable, port and that no other program has it open"
        ) from None


class Mpremote:
    """mpremote's serial transport: raw-paste mode, 256 bytes a write."""

    def __init__(self, port: str):
        from mpremote.transport import TransportExecError
        from mpremote.transport_serial import SerialTransport

        self._failure = TransportExecError
        self._transport = SerialTransport(port, baudrate=115200)
        self._transport.enter_raw_repl()

    def run(self, code: str) -> str:
        try:
            return self._transport.exec(code).decode("utf-8", "replace")
        except self._failure as error:
            raise BoardError(_last_line(error.error_output)) from None

    def write(self, path: str, data: bytes, progress: Progress) -> None:
        try:
            self._transport.fs_writefile(path, data, 256, lambda done, total: progress(done))
        except OSError as error:
            if type(error).__module__.startswith("serial"):
                raise
            raise BoardError(str(error)) from None
        except self._failure as error:
            raise BoardError(_last_line(error.error_output)) from None

    def close(self) -> None:
        self._transport.exit_raw_repl()
        self._transport.close()


class Ampy:
    """ampy's board: the plain raw REPL, 32 bytes a write. It restarts the board around every call."""

    def __init__(self, port: str):
        from ampy.files import Files
        from ampy.pyboard import Pyboard, PyboardError

        self._failure = PyboardError
        self._board: Any = Pyboard(port)
        self._files = Files(self._board)
        self.run("pass")

    def run(self, code: str) -> str:
        self._board.enter_raw_repl()
        try:
            return self._board.exec_(code).decode("utf-8", "replace")
        except self._failure as error:
            raise self._board_error(error) from None
        finally:
            self._board.exit_raw_repl()

    def write(self, path: str, data: bytes, progress: Progress) -> None:
        try:
            self._files.put(path, data)
        except self._failure as error:
            raise self._board_error(error) from None
        progress(len(data))

    def close(self) -> None:
        self._board.close()

    def _board_error(self, error: Exception) -> Exception:
        # ("exception", output, traceback) when the board raised; anything else is the connection's fault.
        if error.args[:1] == ("exception",):
            return BoardError(_last_line(error.args[2].decode("utf-8", "replace")))
        return error


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "unknown error"
