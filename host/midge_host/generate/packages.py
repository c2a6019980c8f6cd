"""package.json for mip: of the library, and of the native modules of each architecture."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..device.banks import CORES, MODULES

ROOT = Path(__file__).resolve().parents[3]


def mip_package(urls: dict[str, str]) -> str:
    """A package.json for mip: files on the board, and where they are relative to the package.json."""
    (version,) = re.findall(r'^__version__ = "(.*)"$', (ROOT / "device_lib/midge/__init__.py").read_text(), re.M)
    return json.dumps({"urls": list(map(list, urls.items())), "deps": [], "version": version}, indent=2) + "\n"


def mip_packages() -> dict[Path, str]:
    """package.json for the library; and one per architecture for the native modules, which mip cannot choose."""
    library = sorted(path.name for path in (ROOT / "device_lib/midge").glob("*.py"))
    packages = {ROOT / "package.json": mip_package({f"midge/{n}": f"device_lib/midge/{n}" for n in library})}
    modules = sorted((ROOT / "native_modules/prebuilt").glob("*.mpy"))
    for architecture in sorted({path.stem.split("-")[1] for path in modules}):
        urls = {f"{name}.mpy": f"{name}-{architecture}.mpy" for name in MODULES}
        if f"{CORES}-{architecture}.mpy" in (path.name for path in modules):
            urls[f"{CORES}.mpy"] = f"{CORES}-{architecture}.mpy"
        packages[ROOT / "native_modules/prebuilt" / f"{architecture}.json"] = mip_package(urls)
    return packages
