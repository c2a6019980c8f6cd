"""What the tests share: models to convert, and where the reference data lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from midge_host.convert import convert

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference models with TFLM's outputs. They are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("reference models (../shared/data) are not here")
    return SHARED


@pytest.fixture
def make_model(tmp_path: Path):
    """make_model(tflite_bytes) -> path of the converted .midge file."""

    def make(data: bytes, name: str = "model") -> Path:
        source = tmp_path / f"{name}.tflite"
        source.write_bytes(data)
        output = tmp_path / f"{name}.midge"
        convert(source, output)
        return output

    return make
