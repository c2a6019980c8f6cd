"""A terminal behind which answers what answers on the serial port of a board with CircuitPython."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from collections.abc import Callable

Run = Callable[[str], tuple[str, str]]  # code -> what it printed, and the traceback
BANNER = b"raw REPL; CTRL-B to exit\r\n>"


class Console:
    """`state`: "program" while code.py runs, "done" behind its end, "friendly" or "raw" in the REPL. Use it in a with
    statement; `port` is the terminal. It goes dead once `lives` snippets have run."""

    def __init__(self, run: Run, lives: int = 1000):
        self.state, self.starts = "program", 1  # of code.py
        self._run, self._lives = run, lives
        self._line = b""
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        self.port = os.ttyname(self._far)
        self._open = True
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Console:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._thread.join()

    def _serve(self) -> None:
        while self._open and self._lives > 0:
            if select.select([self._near], [], [], 0.05)[0]:
                for byte in os.read(self._near, 4096):
                    os.write(self._near, self._answer(bytes([byte])))
        os.close(self._far)
        os.close(self._near)

    def _answer(self, byte: bytes) -> bytes:
        if self.state == "program":
            if byte == b"\x03":
                self.state = "done"
                return b"\r\nCode done running.\r\n\r\nPress any key to enter the REPL. Use CTRL-D to reload.\r\n"
            return b""
        if self.state == "done":
            self.state = "friendly"
            return b"\r\nAdafruit CircuitPython\r\n>>> "
        if self.state == "friendly":
            return self._friendly(byte)
        return self._raw(byte)

    def _friendly(self, byte: bytes) -> bytes:
        if byte == b"\x01":
            self.state = "raw"
            return BANNER
        if byte == b"\x04":
            self.state, self.starts = "program", self.starts + 1
            return b"\r\nsoft reboot\r\n"
        return b"\r\n>>> " if byte in b"\r\x03" else byte

    def _raw(self, byte: bytes) -> bytes:
        self._line += byte
        if self._line == b"\x05A\x01":  # raw-paste mode, which it has not
            self._line = b""
            return b"R\x00"
        if self._line[:1] == b"\x05":
            return b""
        if byte not in b"\x01\x02\x03\x04":
            return b""
        code, self._line = self._line[:-1].decode(), b""
        if byte == b"\x02":
            self.state = "friendly"
            return b"\r\n>>> "
        if byte != b"\x04":
            return BANNER if byte == b"\x01" else b""
        if not code.strip():
            return b"OK\r\nsoft reboot\r\n" + BANNER
        output, error = self._run(code)
        self._lives -= 1
        return b"OK" + output.encode() + b"\x04" + error.encode() + b"\x04>"
