"""Writes the parts between `generated:` markers of host/midge_host/web/midge.mjs."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from ..device import spec
from ..device.banks import FRONTS
from ..device.definition import HEAD
from ..device.ops.window import WINDOW
from ..device.registry import NAMES
from .packages import ROOT

LIBRARY = ROOT / "host" / "midge_host" / "web" / "midge.mjs"
ERRORS = ROOT / "device_lib" / "midge" / "_errors.py"


def _consts(pairs: dict[str, Any]) -> str:
    return "".join(f"const {name} = {_literal(value)};\n" for name, value in pairs.items())


def _literal(value: Any) -> str:
    """A value as the formatter of JavaScript would write it; long ones over several lines."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) < 100 or not isinstance(value, (dict, list)):
        return line
    keys = [f"{json.dumps(key)}: " for key in value] if isinstance(value, dict) else [""] * len(value)
    items = value.values() if isinstance(value, dict) else value
    rows = "".join(f"  {key}{json.dumps(item, ensure_ascii=False)},\n" for key, item in zip(keys, items, strict=True))
    return f"{{\n{rows}}}" if isinstance(value, dict) else f"[\n{rows}]"


def constants() -> str:
    """Sizes, limits, codes and layouts of the file."""
    # A browser has memory enough for whole tensors: it takes no file with rows.
    layouts = [layout for layout in [*spec.FILE_LAYOUTS, HEAD, WINDOW] if layout not in (spec.REGION, spec.RING)]
    reasons = {name: code for code, (name, _) in enumerate(spec.REASONS, 1)}
    tags = {
        kind: [tag for tag, files, _, _ in spec.SECTIONS if (files == "all") == kind and tag != "ROWS"]
        for kind in (True, False)
    }
    codes = {name: code for code, name in spec.DTYPES.items()}
    pairs: dict[str, Any] = {
        "MAGIC": spec.MAGIC.decode(),
        "FORMAT": spec.FORMAT_VERSION,
        **{f"{layout.name.upper()}_BYTES": layout.size for layout in layouts if layout not in (HEAD, WINDOW)},
        "RECORD_BYTES": spec.RECORD_BYTES,
        "MAX_RANK": spec.MAX_RANK,
        "MAX_WINDOW": spec.MAX_WINDOW_BYTES,
        "MAX_ARENA": spec.MAX_ARENA_BYTES,
        "MAX_SECTIONS": spec.MAX_SECTIONS,
        "MAX_RECORDS": spec.MAX_RECORDS,
        "SECTION_ALIGNMENT": spec.SECTION_ALIGNMENT,
        "WEIGHT_ALIGNMENT": spec.WEIGHT_ALIGNMENT,
        "BLOCK_ALIGNMENT": spec.BLOCK_ALIGNMENT,
        "CRC_FROM": spec.CRC_FROM,
        "REQUIRED": spec.REQUIRED,
        "OVERLAPS": spec.OVERLAPS,
        "TOGETHER": spec.TOGETHER,
        "RAW": spec.RAW,
        "CODED": spec.CODED,
        "CODE_BITS": spec.CODE_BITS,
        "CODE_LIMITS": spec.CODE_LIMITS,
        "IS_TABLE": spec.IS_TABLE,
        "FEEDS": spec.FEEDS,
        **{name.upper(): code for name, code in spec.ENTRY_KINDS.items()},
        "CHANNEL_ZEROS": spec.CHANNEL_ZEROS,
        "SCALE_MIN": spec.SCALE_LIMITS[0],
        "SCALE_MAX": spec.SCALE_LIMITS[1],
        "NEEDED": tags[True],
        "OTHERS": tags[False],
        "DTYPES": list(spec.DTYPES.values()),
        **{name.upper(): codes[name] for name in ("int8", "int16", "float32")},
        "ELEMENT_BYTES": {codes[name]: size for name, size in spec.ELEMENT_BYTES.items()},
        "FUNCTION": spec.FUNCTION,
        "TAKES_NAN": spec.TAKES_NAN,
        **{name.upper(): code for code, name in enumerate(spec.OUTPUT_FUNCTIONS, 1) if name != "log_softmax"},
        **{name: code for name, code in reasons.items() if name != "BAD_WEIGHTS"},
        "REASONS": [words for _, words in spec.REASONS],
        "FRONTS": [bank.number for bank in FRONTS],
        "OPERATORS": {code: name for name, code in NAMES.items()},
        **{layout.name.upper(): [[field.code, field.name] for field in layout.fields] for layout in layouts},
    }
    return _consts(pairs)


def texts() -> str:
    """The words for errors: those of the device library that are used here."""
    (found,) = (
        node.value
        for node in ast.parse(ERRORS.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TEXTS"
    )
    words = ast.literal_eval(found)
    used = sorted(set(re.findall(r'"([\w -]+)"', LIBRARY.read_text().split("generated: end")[-1])) & set(words))
    return _consts({"TEXTS": {key: words[key] for key in used}})
