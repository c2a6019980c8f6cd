"""Emulated boards: what tests and `midge run --backend` start on the PC.

Their firmware comes from the project's source tree (firmware/) and is kept in a cache.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]  # of the source tree; an installed package has none
SOURCES = Path(__file__).parent / "firmware"


def cache() -> Path:
    """Where firmware and emulators are kept: $MIDGE_BOARDS, else .cache/boards of the source tree."""
    return Path(os.environ.get("MIDGE_BOARDS") or ROOT / ".cache" / "boards")
