"""Fixtures of all tests: models to convert, and where the reference data lie."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from board_summary import pytest_collection_modifyitems, pytest_configure, pytest_terminal_summary  # noqa: F401
from midge_host.conversion import convert
from midge_host.device import model_file

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference models with TFLM's outputs. They are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("reference models (../shared/data) are not here")
    return SHARED


@pytest.fixture(scope="session")
def converted(shared_data: Path, tmp_path_factory):
    """converted(name, cores) -> (path of a reference model's .midge file, arrays of its .npz)."""
    folder = tmp_path_factory.mktemp("models")

    def get(name: str, cores: int = 1):
        path = folder / (f"{name}.midge" if cores == 1 else f"{name}_{cores}.midge")
        if not path.exists():
            convert(shared_data / "models" / f"{name}.tflite", path, cores=cores)
        return path, np.load(shared_data / "models" / f"{name}.npz")

    return get


@pytest.fixture(scope="session")
def micropython_source() -> Path:
    """MicroPython's source tree: MPY_DIR, or the copy that the Makefile fetches on Debian machines."""
    path = Path(os.environ.get("MPY_DIR", ROOT / ".cache" / "micropython"))
    if not (path / "py" / "dynruntime.mk").exists():
        pytest.skip("MicroPython's source is not here; `make natmods` fetches it on Debian, MPY_DIR names a copy")
    return path


def _make_model(folder: Path, data: bytes, name: str = "model", window: int = 0) -> Path:
    source = folder / f"{name}.tflite"
    source.write_bytes(data)
    output = folder / f"{name}.midge"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_file, "WINDOW_BYTES", window)
        convert(source, output)
    return output


@pytest.fixture
def make_model(tmp_path: Path):
    """make_model(tflite_bytes) -> path of the converted .midge file.

    window: the RAM to stream weights. The usual one would hold all that a small model has; with none, which stands
    for that of the largest weight block, they come in many pieces.
    """
    return partial(_make_model, tmp_path)


@pytest.fixture(scope="module")
def make_shared_model(tmp_path_factory: pytest.TempPathFactory):
    """make_model for what several tests of a module share. A further model takes the place of the one before."""
    return partial(_make_model, tmp_path_factory.mktemp("model"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Where MIDGE_NO_SKIPS is set, as in CI, a test that would be skipped fails: nothing is left out unnoticed."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("MIDGE_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and MIDGE_NO_SKIPS is set: {report.longrepr}"
