"""The native modules that are kept with the sources: what they are, and that the sources give them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from midge_host.deploy.circuitpython import convert
from midge_host.device.banks import BANKS, MODULES
from midge_host.targets.catalogue import verdicts

ROOT = Path(__file__).resolve().parents[2]
PREBUILT = ROOT / "native_modules" / "prebuilt"
MANIFEST = json.loads((PREBUILT / "manifest.json").read_text())
WASM = MANIFEST.pop("wasm")  # no module of MicroPython's

# MP_NATIVE_ARCH_... of MicroPython's py/persistentcode.h.
ARCHES = {"x64": 2, "armv6m": 4, "armv7emsp": 7, "xtensawin": 10, "rv32imc": 11}
# Of chips with two cores that MicroPython lends.
TWO_CORES = {f"midge_cores-{arch}" for arch in ("armv6m", "armv7emsp")}


def build(source: Path, output: Path, *arguments: str, folder: Path = ROOT / "native_modules", **options):
    command = [sys.executable, folder / "build.py", "--micropython", source, "--output", output, *arguments]
    return subprocess.run(command, capture_output=True, text=True, **options)


@pytest.fixture
def changed(tmp_path: Path):
    """changed(text) -> a copy of native_modules with the text at the end of kernels/generic/core/lut.c."""

    def make(text: str) -> Path:
        shutil.copytree(ROOT / "native_modules", tmp_path / "native", ignore=shutil.ignore_patterns("__pycache__"))
        with open(tmp_path / "native" / "kernels" / "generic" / "core" / "lut.c", "a") as source:
            source.write(text)
        return tmp_path / "native"

    return make


def test_every_architecture_is_there() -> None:
    names = {f"{module}-{arch}" for module in MODULES for arch in ARCHES} | TWO_CORES
    assert set(MANIFEST) == names
    assert {path.stem for path in PREBUILT.glob("*.mpy")} == names


@pytest.mark.parametrize("name", MANIFEST)
def test_header(name: str) -> None:
    """'M', format 6, architecture and sub-version 3, small integers of 31 bits at least."""
    data = (PREBUILT / f"{name}.mpy").read_bytes()
    assert data[:3] == bytes([ord("M"), 6, ARCHES[name.partition("-")[2]] << 2 | 3])
    assert data[3] == 31
    assert MANIFEST[name]["abi"] == "6.3"
    assert MANIFEST[name]["bytes"] == len(data)


@pytest.mark.parametrize("name", MANIFEST)
def test_converted_for_circuitpython(name: str) -> None:
    """The same bytes as those that a linker with CircuitPython's numbers gives."""
    data = (PREBUILT / f"{name}.mpy").read_bytes()
    assert hashlib.sha256(convert(name, data)).hexdigest() == MANIFEST[name]["circuitpython"]


def test_info_counts_with_their_size() -> None:
    assert set(verdicts.BANK_BYTES) == {bank.name for bank in BANKS[1:]}
    for name, most in (verdicts.BANK_BYTES | {"packed": verdicts.PACKED_BYTES}).items():
        sizes = [MANIFEST[f"midge_{name}-{arch}"]["text"] for arch in ARCHES if arch != "x64"]
        assert 0.9 * most < max(sizes) <= most, name


LIMITS = {
    "midge_core": 14,
    "midge_tensor": 5,
    "midge_wide": 10,
    "midge_recurrent": 5,
    "midge_math": 9,
    "midge_trees": 11,
    "midge_cores": 1,
    "midge_core-armv6m": 12,  # on the smallest boards
    "midge_audio": 6,
    "midge_mel": 6.25,
    "midge_image": 4.25,
    "midge_series": 4,
    "midge_learn": 3.5,
    "midge_learn-armv6m": 4.25,  # unrolled
    "midge_packed": 3.5,
    "midge_packed-armv6m": 4,  # loops of its own
    "midge_detect": 3.75,
    "midge_detect-armv6m": 4.25,  # unrolled
    "midge_rows": 1.5,
}  # KB


@pytest.mark.parametrize("name", [name for name in MANIFEST if not name.endswith("-x64")])
def test_size(name: str) -> None:
    """The modules sit in RAM."""
    limit = LIMITS.get(name) or LIMITS[name.partition("-")[0]]
    assert MANIFEST[name]["text"] + MANIFEST[name].get("rodata", 0) <= limit * 1024


def test_size_for_browsers() -> None:
    """A page waits for it."""
    assert (PREBUILT / "wasm.wasm").stat().st_size == WASM["bytes"] <= 45 * 1024


@pytest.mark.parametrize("arch", [*ARCHES, "wasm"])
def test_prebuilt_is_what_its_sources_give(arch: str, micropython_source: Path) -> None:
    done = build(micropython_source, PREBUILT, "--check", arch)
    assert done.returncode == 0, done.stdout + done.stderr
    if "not compared" in done.stdout:
        pytest.skip(done.stdout.strip())


@pytest.mark.parametrize("arch", ["x64", "rv32imc"])
def test_zeroed_statics_are_refused(arch: str, micropython_source: Path, changed, tmp_path: Path) -> None:
    """MicroPython's linker refuses them on x64 only."""
    folder = changed("\nstatic int counter;\nint midge_count(void) {\n    return ++counter;\n}\n")
    done = build(micropython_source, tmp_path, arch, folder=folder)
    if "not installed" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 1
    said = "bss variables can't be static" if arch == "x64" else "rv32imc: lut.c has writable statics: counter"
    assert said in done.stderr
    assert not list(tmp_path.glob("*.mpy"))


def test_check_says_what_it_could_not_compare(micropython_source: Path, tmp_path: Path) -> None:
    nothing_installed = {"env": {"PATH": str(tmp_path)}}
    for require, code in (("none", 0), ("all", 1)):
        done = build(micropython_source, PREBUILT, "--check", "--require", require, "armv6m", **nothing_installed)
        assert done.returncode == code
        assert "armv6m: not compared: arm-none-eabi-gcc is not installed" in done.stdout
    done = build(micropython_source, tmp_path, "armv6m", "xtensawin", **nothing_installed)
    assert done.returncode == 1
    assert "not installed: arm-none-eabi-gcc (armv6m), xtensa-esp32-elf-gcc (xtensawin)" in done.stdout


def test_check_compares_with_the_same_compiler_only(micropython_source: Path, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    for module in MODULES:
        shutil.copy(PREBUILT / f"{module}-x64.mpy", tmp_path)
    manifest = {f"{module}-x64": {**MANIFEST[f"{module}-x64"], "compiler": "gcc 1.0"} for module in MODULES}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for require, code in (("none", 0), ("all", 1)):
        done = build(micropython_source, tmp_path, "--check", "--require", require, "x64")
        assert done.returncode == code
        assert "x64: not compared: it was built with compiler gcc 1.0, here is gcc" in done.stdout


def test_check_finds_what_is_out_of_date(micropython_source: Path, changed, tmp_path: Path) -> None:
    folder = changed("// changed\n")
    prebuilt = folder / "prebuilt"
    done = build(micropython_source, prebuilt, "--check", "armv6m", folder=folder, env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "armv6m: the sources have changed since it was built; run `make natmods`" in done.stdout
    module = prebuilt / "midge_core-armv6m.mpy"
    module.write_bytes(module.read_bytes()[:-1] + b"?")
    done = build(micropython_source, prebuilt, "--check", "armv6m", folder=folder)
    assert "midge_core-armv6m.mpy is not what the manifest says" in done.stdout
    module.unlink()
    done = build(micropython_source, prebuilt, "--check", "armv6m", folder=folder)
    assert done.returncode == 1 and "armv6m: there is no module" in done.stdout
