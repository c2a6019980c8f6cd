"""Writes what other parts need to know of the definitions in device/: run it with `make generate`.

C gets banks.h, format.h, kernels.h and operators.h in native_modules/core. The device library, web/ and docs/ get the
parts of their files that stand between a `generated: NAME` marker and the next `generated: end`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..device.banks import BANKS, CORE
from . import catalogue, device_lib, docs, javascript, portable
from .c_header import c_headers
from .packages import ROOT, mip_packages

SECTIONS = {
    "device_lib/midge/_audio.py": {"sound": device_lib.python_sound},
    "device_lib/midge/_coded.py": {"coding": device_lib.python_coded},
    "device_lib/midge/_convert.py": {"reasons": device_lib.python_readings},
    "device_lib/midge/_detect.py": {"detect": device_lib.python_detect},
    "device_lib/midge/_feed.py": {"feed": device_lib.python_feed},
    "device_lib/midge/_flash.py": {"pointer": device_lib.python_pointer},
    "device_lib/midge/_functions.py": {"functions": device_lib.python_functions},
    "device_lib/midge/_image.py": {"frames": device_lib.python_frames},
    "device_lib/midge/_portable_image.py": {"frames": device_lib.python_pictures},
    "device_lib/midge/_learner.py": {"learning": device_lib.python_learner},
    "device_lib/midge/_learnt.py": {"learnt": device_lib.python_learnt},
    "device_lib/midge/_normal.py": {"normal": device_lib.python_normal},
    "device_lib/midge/_portable_learn.py": {"learning": device_lib.python_learning},
    "device_lib/midge/_portable_rows.py": {"rows": device_lib.python_turns},
    "device_lib/midge/_region.py": {"region": device_lib.python_region},
    "device_lib/midge/_rows.py": {"rows": device_lib.python_feeding},
    "device_lib/midge/_portable_packed.py": {"coding": device_lib.python_packed},
    "device_lib/midge/_portable_detect.py": {"detect": portable.detection_checks},
    "device_lib/midge/_sanity.py": {"frames": device_lib.python_frame_numbers},
    "device_lib/midge/_inspect.py": {"records": device_lib.python_outputs},
    "device_lib/midge/_modules.py": {"banks": device_lib.python_banks},
    "device_lib/midge/_native.py": {"architectures": device_lib.python_architectures},
    "device_lib/midge/_overlap.py": {"overlap": device_lib.python_overlap},
    "device_lib/midge/_cores.py": {"rows": device_lib.python_rows},
    "device_lib/midge/_errors.py": {"reasons": device_lib.python_texts},
    "device_lib/midge/_model.py": {"dtypes": device_lib.python_dtypes, "banks": device_lib.python_edges},
    "device_lib/midge/_loader.py": {"header": device_lib.python_header, "dtypes": device_lib.python_dtypes},
    "host/midge_host/web/midge.mjs": {"format": javascript.constants, "texts": javascript.texts},
    "docs/catalogue.md": {
        "boards": catalogue.doc_boards,
        "heaps": catalogue.doc_heaps,
        "cores": catalogue.doc_cores,
        "errors": catalogue.doc_errors,
        "published": catalogue.doc_published,
        "currents": catalogue.doc_currents,
        "batteries": catalogue.doc_batteries,
    },
    "docs/operators.md": {"fronts": docs.doc_fronts},
    "docs/FORMAT.md": {"sections": docs.doc_sections, "layouts": docs.doc_layouts, "operators": docs.doc_operators},
}


def fill(text: str, sections: dict[str, Callable[[], str]]) -> str:
    """`text` with what stands between its markers made anew."""
    for name, make in sections.items():
        pattern = rf"(?s)(generated: {name}\b[^\n]*\n).*?(\n?(?:#|//|<!--) generated: end)"
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
    for name in ("channelwise", "conv", "dense"):
        path = ROOT / f"device_lib/midge/_portable_{name}.py"
        files[path] = fill(path.read_text(), {"records": partial(portable.numbers, CORE, path)})
    for name, sections in SECTIONS.items():
        files[ROOT / name] = fill((ROOT / name).read_text(), sections)
    return files
