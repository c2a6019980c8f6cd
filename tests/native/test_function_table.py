"""What native modules take from the firmware's table of functions, which CircuitPython has in another layout from
entry 67 on: in C nothing from there, and a module that finds other types of functions than its own is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from midge_host.backends import micropython
from midge_host.deploy.circuitpython import convert
from midge_host.deploy.library import native_files
from midge_host.device.banks import BANKS

BINDING = Path(__file__).resolve().parents[2] / "native_modules" / "bindings" / "micropython"
FUN_BUILTIN_VAR = 9 + 81  # where a relocation to it leads
IMPORT = """
import sys
for name in sys.argv[1:]:
    try:
        __import__(name)
    except ValueError as error:
        print(name, error, hasattr(sys.modules.get(name), "FORMAT"))
"""


@pytest.mark.parametrize("source", ["native_module.c", "cores.c", "image.c"])
def test_c_uses_no_entry_from_67_on(micropython_source: Path, source: str, tmp_path: Path) -> None:
    """An entry more, in the preprocessed source, changes nothing in the machine code, which it would otherwise."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    banks = [[f"-DMIDGE_BANK={bank.number}"] for bank in BANKS] if source == "native_module.c" else [[]]
    config = tmp_path / "config.h"
    linker = [sys.executable, BINDING.parents[1] / "mpy_ld.py", micropython_source, "--arch", "x64"]
    subprocess.run([*linker, "--preprocess", "-o", config, BINDING / source], check=True)
    options = ["-I", BINDING, "-I", micropython_source, "-I", BINDING.parents[1] / "core", "-Os", "-std=c99", "-fpic"]
    options += ["-I", BINDING.parents[1] / "kernels" / "generic"]
    options += [f'-DMP_CONFIGFILE="{config}"', "-DMICROPY_ENABLE_DYNRUNTIME", "-DNO_QSTR", "-DNDEBUG", "-P"]

    def compiled(text: str) -> str:
        # cores.c has an instruction in it that this processor has not: not assembled, therefore.
        command = ["gcc", "-x", "c", "-S", "-Os", "-std=c99", "-fpic", "-", "-o", "-"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    for bank in banks:
        command = ["gcc", "-E", *options, *bank, BINDING / source]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        here = compiled(text)
        for entry, same in (("arg_parse_all", True), ("get_buffer", False)):
            more, found = re.subn(rf"\w+ \(\*{entry}\)\(", r"void *added; \g<0>", text)
            assert found == 1
            assert (compiled(more) == here) == same, (bank, entry)


@pytest.mark.parametrize("moved", ["all", "one"])
def test_a_module_for_another_table_is_refused(moved: str, tmp_path: Path) -> None:
    """By every bank itself, in MicroPython, before it has anything in it."""
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    modules = native_files(micropython.ARCHITECTURE) or {}
    for name, data in modules.items():
        other = convert(name, data)
        # After the first byte and the flags come the relocations from entry 67 on.
        places = [i for i, (a, b) in enumerate(zip(data, other, strict=True)) if a != b][2:]
        if moved == "one":
            places = [i for i in places if data[i] >> 1 == FUN_BUILTIN_VAR]
            assert places
        changed = bytearray(data)
        for i in places:
            changed[i] = other[i]
        (tmp_path / name).write_bytes(changed)
    names = [name.removesuffix(".mpy") for name in modules]
    command = [micropython.executable(), "-c", IMPORT, *names]
    done = subprocess.run(command, env={"MICROPYPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [f"{name} other firmware False" for name in names], done.stderr
