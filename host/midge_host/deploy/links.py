"""A board on a serial port, through mpremote or through ampy: run code, write a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Protocol

from ..errors import MidgeError, install

Progress = Callable[[int], None]  # called with the bytes written so far
BAUD = 115200
SILENCE = 0.1  # seconds
LONGEST = 10_000  # bytes of a line
END = b"\x04"  # in the raw REPL, behind what a program prints and behind its traceback


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
        raise MidgeError(f"--with {tool}: choose mpremote, ampy, drive or web")
    try:
        return tools[tool](port)
    except ImportError:
        raise MidgeError(f"{tool} is not installed; {install('deploy')}") from None
    except Exception as error:  # both tools let pyserial's and their own errors through
        from .ports import hindrance  # which knows drives, and these links

        raise MidgeError(f"{port}: no MicroPython board answers ({error}): {hindrance(port)}") from None


def open_mpremote(port: str) -> Mpremote:
    """The same with mpremote, whose board can be asked for more."""
    link = open_link("mpremote", port)
    assert isinstance(link, Mpremote)
    return link


def listen(port: str, restart: bool = False) -> Iterator[str | None]:
    """Lines that the program on a board prints, without an end, and None where it is silent for a moment. The program
    runs on; restart: is started anew before. Raises MidgeError where the port cannot be opened, or is gone."""
    try:
        import serial
    except ImportError:
        raise MidgeError(f"pyserial is not installed; {install('deploy')}") from None
    try:
        opened = serial.Serial(port, BAUD, timeout=SILENCE, exclusive=True)
    except (OSError, ValueError) as error:  # SerialException is an OSError
        from .ports import hindrance

        raise MidgeError(f"{port}: cannot be opened ({error}): {hindrance(port)}") from None
    received = b""
    try:
        with opened:
            if restart:
                opened.write(b"\r\x03\x03\x02\x04")  # stop, leave the raw REPL, soft reset
            while True:
                data = opened.read(max(1, opened.in_waiting))
                *lines, received = (received + data).split(b"\n")
                for line in lines:
                    yield line.decode("utf-8", "replace").rstrip("\r")
                if len(received) > LONGEST:
                    received = b""  # no text
                if not data:
                    yield None
    except OSError as error:
        raise MidgeError(f"{port}: connection lost ({error}); plug the board in and run it again") from None


class Mpremote:
    """mpremote's serial transport: raw-paste mode, 256 bytes a write."""

    def __init__(self, port: str):
        from mpremote.transport import TransportExecError
        from mpremote.transport_serial import SerialTransport

        self._failure = TransportExecError
        self._transport = SerialTransport(port, baudrate=BAUD)
        try:
            with redirect_stdout(StringIO()):  # where it prints what came instead
                self._transport.enter_raw_repl()
        except BaseException:
            self._transport.close()
            raise

    def run(self, code: str, seconds: float = 10) -> str:
        """`seconds` may pass without a sign from the board."""
        output, error = self._transport.exec_raw(code, timeout=seconds)
        if error:
            raise BoardError(_last_line(error.decode("utf-8", "replace")))
        return output.decode("utf-8", "replace")

    def lines(self, code: str, seconds: float = 10) -> Iterator[str]:
        """Runs Python code; yields each line that it prints, as it comes. Raises BoardError, and TimeoutError after so
        many seconds of silence."""
        self._transport.exec_raw_no_follow(code)
        port = self._transport.serial
        received, limit = b"", time.monotonic() + seconds
        former, port.timeout = port.timeout, 0.1
        try:
            while received.count(END) < 2:
                byte = port.read(1)  # no more: the prompt behind it all is for the next call
                if byte:
                    limit = time.monotonic() + seconds
                elif time.monotonic() > limit:
                    raise TimeoutError(f"the board has been silent for {seconds:g} seconds")
                received += byte
                if byte == b"\n" and END not in received:
                    yield received.decode("utf-8", "replace").rstrip("\r\n")
                    received = b""
        finally:
            port.timeout = former
        output, error, _ = received.split(END)
        yield from output.decode("utf-8", "replace").splitlines()
        if error:
            raise BoardError(_last_line(error.decode("utf-8", "replace")))

    def write(self, path: str, data: bytes, progress: Progress) -> None:
        try:
            self._transport.fs_writefile(path, data, 256, lambda done, total: progress(done))
        except OSError as error:
            if type(error).__module__.startswith("serial"):
                raise
            raise BoardError(str(error)) from None
        except self._failure as error:
            raise BoardError(_last_line(error.error_output)) from None

    def reset(self) -> None:
        """A soft reset: the board's memory is as after a start, and it sees files that came over USB."""
        self._transport.enter_raw_repl()

    def restart(self) -> None:
        """Leaves the board to its own program."""
        self._transport.exit_raw_repl()
        self._transport.serial.write(b"\x04")

    def close(self) -> None:
        if self._transport.in_raw_repl:
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
        try:
            self.run("pass")
        except BaseException:
            self._board.close()
            raise

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
