"""Tables in docs/."""

from __future__ import annotations

from ..device import registry, spec
from ..device.banks import BANKS
from ..device.ops import LOWERINGS, Entry
from ..device.registry import OPERATORS
from ..frontends import tflite
from .c_header import C_TYPES


def doc_layouts() -> str:
    """Field tables for docs/FORMAT.md."""
    out = []
    others = [*spec.LEARN_LAYOUTS, *spec.DETECT_LAYOUTS, *spec.OTHER_LAYOUTS]
    for layout in [*spec.FILE_LAYOUTS, *others, *registry.LAYOUTS]:
        out.append(f"### {layout.name} ({layout.size} bytes)\n\n{layout.text}\n")
        out.append("| offset | type | field | meaning |\n| --- | --- | --- | --- |")
        for field in layout.fields:
            c_type = f"{field.code}" if field.code[-1] == "s" else C_TYPES[field.code[-1]].replace("_t", "")
            c_type = "float32" if field.code == "f" else c_type
            count = f" x {field.code[:-1]}" if field.is_array else ""
            out.append(f"| {layout.offsets[field.name]} | {c_type}{count} | {field.name} | {field.text} |")
        out.append("")
    return "\n".join(out)


def doc_sections() -> str:
    """The table of sections for docs/FORMAT.md."""
    rows = [f"| {tag} | {files} | {flags} | {text} |" for tag, files, flags, text in spec.SECTIONS]
    return "\n".join(["| tag | files that have it | flags | content |", "| --- | --- | --- | --- |", *rows, ""])


def doc_operators() -> str:
    """The table of banks and operators for docs/FORMAT.md."""
    rows = [f"| {bank.number} | `{bank.module}` | {bank.text} |" for bank in BANKS]
    text = "\n".join(["| bank | native module | holds |", "| --- | --- | --- |", *rows, "", ""])
    rows = [
        f"| {op.code} | {op.name} | {op.types} {op.dtype} | {op.bank.number} {op.bank.name} | {op.layout.name} |"
        for op in sorted(OPERATORS, key=lambda op: (op.code, op.types))
    ]
    head = "| code | operator | types | bank | record |"
    return text + "\n".join([head, "| --- | --- | --- | --- | --- |", *rows, ""])


def doc_fronts() -> str:
    """The table of TensorFlow Lite operators for docs/operators.md."""
    entries = {name: LOWERINGS[op.cls] for name, op in tflite.OPERATORS.items() if op.cls in LOWERINGS}
    rows = [
        f"| {name} | {entry.types} | {entry.becomes} | {_banks(entry)} | {entry.limits} |"
        for name, entry in entries.items()
    ]
    rows += [f"| {name} | any | - | - | {text} |" for name, text in tflite.WITHOUT_CODE.items()]
    head = "| TensorFlow Lite | types | on the device | bank | limits |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *rows, ""])


def _banks(entry: Entry) -> str:
    """The banks of the device operator for the types of activations that it has."""
    return ", ".join(
        dict.fromkeys(
            op.bank.name
            for op in OPERATORS
            if op.name == entry.becomes and op.dtype in entry.types.replace("bool", "int8")
        )
    )
