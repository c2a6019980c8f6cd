"""device_lib/manifest.py freezes the library into firmware; tests/native/test_native_module.py builds one with it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "device_lib" / "manifest.py"
LIBRARY = sorted(f"midge/{path.name}" for path in (ROOT / "device_lib" / "midge").glob("*.py"))


@pytest.fixture
def manifestfile(micropython_source: Path) -> Any:
    """MicroPython's reader of manifests."""
    spec = importlib.util.spec_from_file_location("manifestfile", micropython_source / "tools" / "manifestfile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("mode", ["MODE_FREEZE", "MODE_COMPILE"])
def test_manifest(manifestfile: Any, mode: str) -> None:
    manifest = manifestfile.ManifestFile(getattr(manifestfile, mode), {"MPY_LIB_DIR": None})
    manifest.execute(str(MANIFEST))
    assert sorted(file.target_path for file in manifest.files()) == LIBRARY
    assert manifest.metadata().description
