"""Writes the library for all boards: python -m midge_host.deploy.bundle FOLDER (`make bundle`)."""

import sys
from pathlib import Path

from .library import both_runtimes

for name, data in both_runtimes().items():
    path = Path(sys.argv[1]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
