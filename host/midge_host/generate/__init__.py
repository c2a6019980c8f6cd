"""Writes what other parts need to know of the definitions in device/: run it with `make generate`.

C gets banks.h, format.h, kernels.h and operators.h in native_modules/core. The device library and docs/ get the parts
of their files that stand between a `generated: NAME` marker and the next `generated: end`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ..device.banks import BANKS
from . import device_lib, docs, portable
from .c_header import c_headers
from .packages import ROOT, mip_packages

SECTIONS = {
    "device_lib/midge/_convert.py": {"reasons": device_lib.python_readings},
    "device_lib/midge/_functions.py": {"functions": device_lib.python_functions},
    "device_lib/midge/_inspect.py": {"records": device_lib.python_outputs},
    "device_lib/midge/_modules.py": {"banks": device_lib.python_banks},
    "device_lib/midge/_native.py": {"architectures": device_lib.python_architectures},
    "device_lib/midge/_cores.py": {"rows": device_lib.python_rows},
    "device_lib/midge/_errors.py": {"reasons": device_lib.python_texts},
    "device_lib/midge/_model.py": {"dtypes": device_lib.python_dtypes, "banks": device_lib.python_edges},
    "device_lib/midge/_loader.py": {"header": device_lib.python_header, "dtypes": device_lib.python_dtypes},
    "docs/operators.md": {"fronts": docs.doc_fronts},
    "docs/FORMAT.md": {"sections": docs.doc_sections, "layouts": docs.doc_layouts, "operators": docs.doc_operators},
}


def fill(text: str, sections: dict[str, Callable[[], str]]) -> str:
    """`text` with what stands between its markers made anew."""
    for name, make in sections.items():
        pattern = rf"(?s)(generated: {name}\b[^\n]*\n).*?(\n?(?:#|<!--) generated: end)"
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            raise ValueError(f"marker 'generated: {name}' found {len(found)} times")
        start, end = found[0].span()
        begin, finish = found[0].groups()
        text = text[:start] + begin + make().rstrip("\n") + "\n" + finish.lstrip("\n") + text[end:]
    return text


def outputs() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    files = {ROOT / "native_modules/core" / name: text for name, text in c_headers().items()} | mip_packages()
    portables = {f"device_lib/midge/{bank.portable}.py": bank for bank in BANKS}
    for name, bank in portables.items():
        files[ROOT / name] = fill((ROOT / name).read_text(), portable.sections(bank, ROOT / name))
    for name, sections in SECTIONS.items():
        files[ROOT / name] = fill((ROOT / name).read_text(), sections)
    return files
