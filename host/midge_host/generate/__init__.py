"""Writes what other parts need to know of the definitions in device/: run it with `make generate`.

C gets native_modules/core/format.h. The device library and docs/ get the parts of their files that stand between a
`generated: NAME` marker and the next `generated: end`.
"""

from __future__ import annotations

import re
from pathlib import Path

from . import device_lib, docs
from .c_header import c_header
from .packages import ROOT, mip_packages

SECTIONS = {
    "device_lib/midge/_convert.py": {"reasons": device_lib.python_readings},
    "device_lib/midge/_inspect.py": {"records": device_lib.python_outputs},
    "device_lib/midge/_modules.py": {"records": device_lib.python_records},
    "device_lib/midge/_errors.py": {"reasons": device_lib.python_texts},
    "device_lib/midge/_portable.py": {"operators": device_lib.python_operators},
    "device_lib/midge/_portable_extra.py": {"extra operators": device_lib.python_extra_operators},
    "device_lib/midge/_portable_wide.py": {"wide operators": device_lib.python_wide_operators},
    "device_lib/midge/_portable_recurrent.py": {"block parts": device_lib.python_block_parts},
    "device_lib/midge/_model.py": {"dtypes": device_lib.python_dtypes},
    "device_lib/midge/_loader.py": {"header": device_lib.python_header, "dtypes": device_lib.python_dtypes},
    "docs/operators.md": {"fronts": docs.doc_fronts},
    "docs/FORMAT.md": {"layouts": docs.doc_layouts, "operators": docs.doc_operators},
}


def fill(text: str, sections: dict) -> str:
    """`text` with what stands between its markers made anew."""
    for name, make in sections.items():
        pattern = rf"(?s)(generated: {name}\b[^\n]*\n).*?(\n?(?:#|<!--) generated: end)"
        text, count = re.subn(pattern, lambda m, make=make: m[1] + make().rstrip("\n") + "\n" + m[2].lstrip("\n"), text)
        if count != 1:
            raise ValueError(f"marker 'generated: {name}' found {count} times")
    return text


def outputs() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    files = {ROOT / "native_modules/core/format.h": c_header(), **mip_packages()}
    for name, sections in SECTIONS.items():
        files[ROOT / name] = fill((ROOT / name).read_text(), sections)
    return files
