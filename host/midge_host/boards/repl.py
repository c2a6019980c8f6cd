"""MicroPython's raw REPL over any byte stream: https://docs.micropython.org/en/latest/reference/repl.html"""

from __future__ import annotations

import os
import select
import time
from binascii import hexlify, unhexlify
from pathlib import Path
from typing import Protocol

from ..errors import MidgeError

INTERRUPT, RAW, END = b"\x03", b"\x01", b"\x04"
PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
CHUNK = 1024  # bytes of a file in one piece of code


class BoardError(MidgeError):
    """An exception on the board. str() is its last line, `traceback` all of it."""

    def __init__(self, traceback: str) -> None:
        self.traceback = traceback.strip()
        super().__init__(self.traceback.splitlines()[-1] if self.traceback else "the board stopped")


class BoardTimeout(MidgeError):
    """The board has not answered in time."""


class Stream(Protocol):
    def read(self, seconds: float) -> bytes:
        """Bytes that have arrived, at least one; none when none came within `seconds`. EOFError at the end."""

    def write(self, data: bytes) -> None: ...


class FileStream:
    """A pipe, a terminal or a serial port by its file descriptors."""

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink

    def read(self, seconds: float) -> bytes:
        if not select.select([self._source], [], [], seconds)[0]:
            return b""
        data = os.read(self._source, 65536)
        if not data:
            raise EOFError
        return data

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._sink, data) :]


class Repl:
    """Runs code on a board. `timeout`: seconds that any answer may take."""

    def __init__(self, stream: Stream, timeout: float = 60) -> None:
        self._stream, self.timeout = stream, timeout
        self._received = bytearray()

    def wait_for_prompt(self) -> str:
        """Waits until a board that boots is ready; returns what it said."""
        return self._until(b">>> ", self.timeout).decode(errors="replace")

    def enter(self) -> None:
        """Interrupts what runs and enters the raw REPL."""
        self._stream.write(b"\r" + INTERRUPT + INTERRUPT + b"\r" + RAW)
        self._until(PROMPT, self.timeout)

    def soft_reset(self) -> None:
        """Restarts MicroPython: heap and modules are gone, files stay, boot.py runs, main.py does not."""
        self._stream.write(END)
        self._until(PROMPT, self.timeout)

    def exec(self, code: str, timeout: float | None = None) -> str:
        """Runs code, returns what it printed. Raises BoardError with what the board raised."""
        timeout = timeout or self.timeout
        self._paste(code.encode())
        output = self._until(END, timeout)
        error = self._until(END + b">", self.timeout)
        if error:
            raise BoardError((output + error).decode(errors="replace"))
        return output.decode(errors="replace")

    def put(self, path: str, data: bytes) -> None:
        """Writes a file on the board."""
        self.exec(f"from binascii import unhexlify\nfile = open({path!r}, 'wb')")
        for at in range(0, len(data), CHUNK):
            self.exec(f"file.write(unhexlify({hexlify(data[at : at + CHUNK])!r}))")
        self.exec("file.close()")

    def get(self, path: str) -> bytes:
        """Reads a file on the board."""
        return unhexlify(
            self.exec(
                f"from binascii import hexlify\nwith open({path!r}, 'rb') as file:\n"
                f"    while chunk := file.read({CHUNK}):\n        print(end=str(hexlify(chunk), 'utf-8'))\n"
            )
        )

    def _paste(self, code: bytes) -> None:
        """Raw-paste mode: the board says how much it can take."""
        self._stream.write(b"\x05A\x01")
        if self._take(2, self.timeout) != b"R\x01":
            raise MidgeError("the board's firmware has no raw-paste mode; MicroPython 1.14 or later is needed")
        room = window = int.from_bytes(self._take(2, self.timeout), "little")
        while code:
            while room == 0 or self._received:
                if self._take(1, self.timeout) == END:  # it takes no more; _until reads why
                    self._stream.write(END)
                    return
                room += window
            self._stream.write(code[:room])
            code, room = code[room:], max(0, room - len(code))
        self._stream.write(END)
        self._until(END, self.timeout)  # more room, then the acknowledgement

    def _take(self, count: int, timeout: float) -> bytes:
        limit = time.monotonic() + timeout
        while len(self._received) < count:
            self._receive(limit)
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    def _until(self, mark: bytes, timeout: float) -> bytes:
        """Everything up to `mark`, which is taken too."""
        limit = time.monotonic() + timeout
        start = 0
        while (at := self._received.find(mark, start)) < 0:
            start = max(0, len(self._received) - len(mark) + 1)
            self._receive(limit)
        data = bytes(self._received[:at])
        del self._received[: at + len(mark)]
        return data

    def _receive(self, limit: float) -> None:
        try:
            data = self._stream.read(max(0.0, limit - time.monotonic()))
        except (EOFError, OSError):
            text = self._received.decode(errors="replace").strip()
            raise MidgeError(f"the board has gone{': ' + text if text else ''}") from None
        if not data:
            text = self._received[-200:].decode(errors="replace").strip()
            raise BoardTimeout(f"the board does not answer; its last words: {text or 'none'}")
        self._received += data


def open_port(path: str | Path) -> FileStream:
    """A serial port, or the pty of an emulated board."""
    import tty

    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    return FileStream(port, port)
