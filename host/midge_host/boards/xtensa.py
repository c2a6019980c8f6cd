"""The ESP32's native module, executed by qemu-system-xtensa.

QEMU has no ESP32, so no MicroPython runs here: the module's own machine code does, loaded and relocated as
MicroPython does it, on a bare simulated core with the functions of MicroPython that the module calls
(firmware/xtensa). `NativeModule` stands in for one of them.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
import tempfile
import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..device import spec
from ..errors import MidgeError
from . import ROOT, SOURCES, cache

QEMU = "qemu-system-xtensa"
COMPILER = "xtensa-lx106-elf-gcc"
WRAPPER = ROOT / "native_modules" / "toolchains" / "xtensa" / "xtensa-esp32-elf-gcc"

# With -icount shift=8 an instruction takes 256 ns, and the core's clock ticks every 100 ns: more than twice in each, so
# that a difference of ticks gives the exact number of instructions.
SHIFT, TICK_NS = 8, 100

# The .mpy format: py/persistentcode.c and tools/mpy_ld.py in MicroPython's source.
ARCH_XTENSAWIN = 10
KIND_NATIVE_VIPER = 2
FLAG_RELOCATIONS, FLAG_RODATA, FLAG_BSS = 0x10, 0x20, 0x40
# firmware.c's number for the type of a function with any number of arguments.
ANY_NUMBER = 4


def problem() -> str | None:
    """Why the module cannot run here; None if it can."""
    if not WRAPPER.is_file():
        return "needs midge's source tree"
    for tool in (QEMU, COMPILER):
        if shutil.which(tool) is None:
            return f"{tool} is not installed; as root on Debian: make toolchains"
    return None


def firmware() -> Path:
    """The program that runs in QEMU, built if it is not there for these sources and this compiler."""
    version = subprocess.run([COMPILER, "--version"], capture_output=True, check=True).stdout
    sources = sorted((SOURCES / "xtensa").iterdir())
    toolchain = sorted(path for path in WRAPPER.parent.iterdir() if path.is_file())
    inputs = version + b"".join(path.read_bytes() for path in (*sources, *toolchain, Path(__file__)))
    output = cache() / "xtensa" / f"firmware-{hashlib.sha256(inputs).hexdigest()[:12]}.elf"
    if not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent) as temporary:
            new = Path(temporary) / output.name
            command = [str(WRAPPER), "-std=c99", "-O2", "-Wall", "-Werror", "-ffreestanding", "-nostdlib", "-static"]
            # The loop in memset is not to become a call of memset.
            command += ["-fno-tree-loop-distribute-patterns", "-Wl,--no-warn-rwx-segments"]
            command += ["-T", str(SOURCES / "xtensa" / "memory.ld"), "-o", str(new)]
            command += [str(path) for path in sources if path.suffix in (".S", ".c")]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise MidgeError(f"{SOURCES / 'xtensa'} does not build: {done.stderr.strip()}")
            new.replace(output)
    return output


class Reader:
    """Bytes and MicroPython's variable-length numbers, in order."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        value = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value = value << 7 | byte & 127
            if byte < 128:
                return value


@dataclass
class NativeCode:
    """A native .mpy file: machine code, constants, the names it uses, and which words take which address."""

    text: bytes
    rodata: bytes
    names: list[str]
    relocations: Reader


def parse(mpy: bytes) -> NativeCode:
    """Takes the .mpy file of a native module for xtensawin apart; ValueError for another file."""
    if mpy[:2] != b"M\x06" or mpy[2] >> 2 != ARCH_XTENSAWIN:
        raise ValueError("no .mpy file for xtensawin")
    reader = Reader(mpy)
    reader.take(4)
    name_count, object_count = reader.number(), reader.number()
    names = []
    for _ in range(name_count):
        size = reader.number()
        # Odd: one of MicroPython's own names, by its index.
        names.append(f"#{size >> 1}" if size & 1 else reader.take((size >> 1) + 1)[:-1].decode())
    size = reader.number()
    if object_count or size & 7 != KIND_NATIVE_VIPER:
        raise ValueError("no native module")
    text = reader.take(size >> 3)
    flags = reader.number()
    if flags & FLAG_BSS or not flags & FLAG_RELOCATIONS:
        raise ValueError("a native module with writable statics or without relocations")
    rodata = reader.take(reader.number()) if flags & FLAG_RODATA else b""
    return NativeCode(text, rodata, names, reader)


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


class Machine:
    """A running QEMU with the program of firmware/xtensa: memory to read and write, addresses to call.

    counting: instructions are counted. On a busy computer QEMU 7.2 then computes wrongly in hardware loops, once in
    some hundred million instructions; without it never.
    """

    def __init__(self, counting: bool = False) -> None:
        command = [QEMU, "-M", "sim", "-cpu", "dc233c", "-display", "none", "-monitor", "none", "-serial", "none"]
        # Without a console the program's standard input and output are QEMU's own.
        command += ["-icount", f"shift={SHIFT}"] if counting else []
        command += ["-semihosting", "-kernel", str(firmware())]
        self._counting = counting
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        weakref.finalize(self, _end, self._process)  # also when this Python ends
        self.fun_table, self.globals, self.heap = struct.unpack("<3I", self._receive(12))

    def write(self, address: int, data: bytes) -> None:
        self._send("W", address, len(data))
        self._pipe(data)

    def read(self, address: int, size: int) -> bytes:
        self._send("R", address, size)
        return self._receive(size)

    def words(self, address: int, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self.read(address, 4 * count))

    def call(self, address: int, *arguments: int, read: Sequence[tuple[int, int]] = ()) -> tuple[int, int, list[bytes]]:
        """Calls a function with up to four words. Returns its result, how many instructions it executed (0 if they
        are not counted), and the memory to read then: addresses and sizes. All commands go out together, for the sake
        of speed."""
        self._send("C", address, *arguments)
        for place in read:
            self._send("R", *place)
        result, ticks = struct.unpack("<2I", self._receive(8))
        instructions = round(ticks * TICK_NS / (1 << SHIFT)) if self._counting else 0
        return result, instructions, [self._receive(size) for _, size in read]

    def _send(self, command: str, *words: int) -> None:
        self._pipe(struct.pack("<6I", ord(command), *words, *[0] * (5 - len(words))))

    def _pipe(self, data: bytes) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(data)
        except BrokenPipeError:
            self._stopped()

    def _receive(self, size: int) -> bytes:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.flush()
        except BrokenPipeError:
            self._stopped()
        data = self._process.stdout.read(size)
        if len(data) < size:
            self._stopped()
        return data

    def _stopped(self) -> None:
        code = self._process.wait()
        why = f"exception {code - 100}" if code >= 100 else f"code {code}"
        raise MidgeError(f"the emulated core stopped with {why}")


NO_BUFFER = [name for name, _ in spec.REASONS].index("BAD_PARAMETER") + 1  # what encode and decode say of a list


def _is_buffer(value: Any) -> bool:
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


class NativeModule:
    """A native module on the emulated core: check, run, and in some encode, decode or take. Every call copies its
    buffers into the core's memory, and the writable ones back. `instructions` counts, by function, what the module has
    executed; see Machine."""

    def __init__(self, mpy: bytes, counting: bool = False):
        self.machine = Machine(counting)
        self.instructions: Counter[str] = Counter()
        self._next = self.machine.heap
        stored = self._load(parse(mpy))
        self.FORMAT = stored["FORMAT"] >> 1
        # A function's object: its type, which here says how many arguments it takes, then its address.
        names = [name for name in ("check", "run", "encode", "decode", "take") if name in stored]
        self._functions: dict[str, tuple[int, ...]] = {name: self.machine.words(stored[name], 3) for name in names}
        self._free = self._next  # what every call uses anew

    def check(self, *arguments: Any) -> int:
        return self._call("check", arguments)

    def run(self, *arguments: Any) -> int:
        return self._call("run", arguments)

    def encode(self, tensor: Any, reading: Any, arena: Any) -> int:
        return self._call("encode", (tensor, reading, arena)) if _is_buffer(reading) else NO_BUFFER

    def decode(self, tensor: Any, arena: Any, out: Any) -> int:
        return self._call("decode", (tensor, arena, out)) if _is_buffer(out) else NO_BUFFER

    def take(self, arena: Any, to: int, end: int, reading: Any, at: int) -> int:
        taken = self._call("take", (arena, to, end, reading, at)) if _is_buffer(reading) else -1
        return -1 if taken >> 30 else taken  # a small integer has 31 bits

    def _allocate(self, size: int) -> int:
        """An address, aligned as in MicroPython's heap."""
        address = self._next
        self._next += (size + 15) & ~15
        return address

    def _place(self, data: bytes) -> int:
        """Copies bytes into free memory; returns the address."""
        address = self._allocate(len(data))
        self.machine.write(address, data)
        return address

    def _load(self, code: NativeCode) -> dict[str, int]:
        """Brings the module into memory and initialises it; returns the objects that it stores, by name."""
        machine = self.machine
        count = len(code.names)
        text, rodata = self._allocate(len(code.text)), self._allocate(len(code.rodata))
        names = self._place(struct.pack(f"<{count}H", *range(count)))
        for address, data in zip((text, rodata), self._relocate(code, text, rodata, names), strict=True):
            machine.write(address, data)
        # mpy_init(self, 0, 0, NULL); the second word of `self` points to the module's context.
        context = self._place(bytes(16))
        machine.call(text, self._place(struct.pack("<2I", 0, context)))
        return dict(zip(code.names, machine.words(machine.globals, count), strict=True))

    def _relocate(self, code: NativeCode, text: int, rodata: int, names: int) -> list[bytes]:
        """Text and rodata as they are in memory: mp_native_relocate of py/persistentcode.c."""
        parts = [bytearray(code.text), bytearray(code.rodata)]
        reader = code.relocations
        part, at = parts[0], 0
        while (op := reader.take(1)[0]) != 0xFF:
            if op & 1:
                place = reader.number()
                part, at = parts[place & 1], (place >> 1) * 4
            op >>= 1
            count = 1
            if op <= 5:
                count = reader.number() if op & 1 else 1
                target = (text, rodata)[op >> 1]
            elif op == 6:
                target = names
            elif op == 8:
                target = self.machine.fun_table
            else:
                target = self.machine.words(self.machine.fun_table + 4 * (op - 9), 1)[0]
            for _ in range(count):
                (word,) = struct.unpack_from("<I", part, at)
                struct.pack_into("<I", part, at, (word + target) & 0xFFFFFFFF)
                at += 4
        return [bytes(p) for p in parts]

    def _call(self, name: str, arguments: tuple[Any, ...]) -> int:
        self._next = self._free
        objects: list[int] = []
        written: list[tuple[memoryview, int]] = []
        for argument in arguments:
            if isinstance(argument, int):
                if not -(1 << 30) <= argument < 1 << 30:
                    raise OverflowError("a small integer is needed")
                objects.append((argument << 1 | 1) & 0xFFFFFFFF)
                continue
            view = memoryview(argument)
            address = self._place(view.tobytes())
            # MicroPython's type code of a bytearray is 1.
            typecode = 1 if isinstance(argument, bytearray) else ord(view.format[-1])
            objects.append(self._place(struct.pack("<4I", 0, address, view.nbytes, typecode)))
            if not view.readonly:
                written.append((view.cast("B"), address))
        kind, *words = self._functions[name]
        if kind == ANY_NUMBER:  # a signature comes before the function; it takes their number and an array
            objects = [len(objects), self._place(struct.pack(f"<{len(objects)}I", *objects))]
            words = words[1:]
        places = [(address, len(view)) for view, address in written]
        result, instructions, contents = self.machine.call(words[0], *objects, read=places)
        for (view, _), content in zip(written, contents, strict=True):
            view[:] = content
        self.instructions[name] += instructions
        return result >> 1
