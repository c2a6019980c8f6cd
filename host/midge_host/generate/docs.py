"""Tables in docs/."""

from __future__ import annotations

from ..device import spec
from ..device.ops import FOLDED, FRONTS, Front
from .c_header import C_TYPES


def doc_layouts() -> str:
    """Field tables for docs/FORMAT.md."""
    out = []
    for layout in [spec.HEADER, spec.TENSOR, *spec.RECORD_LAYOUTS]:
        out.append(f"### {layout.name} ({layout.size} bytes)\n\n{layout.text}\n")
        out.append("| offset | type | field | meaning |\n| --- | --- | --- | --- |")
        for field in layout.fields:
            c_type = f"{field.code}" if field.code[-1] == "s" else C_TYPES[field.code[-1]].replace("_t", "")
            c_type = "float32" if field.code == "f" else c_type
            count = f" x {field.code[:-1]}" if field.is_array else ""
            out.append(f"| {layout.offsets[field.name]} | {c_type}{count} | {field.name} | {field.text} |")
        out.append("")
    return "\n".join(out)


def doc_operators() -> str:
    """The operator table for docs/FORMAT.md."""
    rows = [f"| {op.code} | {op.name} | {op.layout.name} |" for op in spec.OPERATORS]
    return "\n".join(["| code | operator | record |", "| --- | --- | --- |", *rows, ""])


def doc_fronts() -> str:
    """The table of TensorFlow Lite operators for docs/operators.md."""
    rows = [
        f"| {name} | {front.types} | {front.becomes} | {_modules(front)} | {front.limits} |"
        for name, front in FRONTS.items()
    ]
    rows += [f"| {name} | any | - | - | {text} |" for name, text in FOLDED.items()]
    head = "| TensorFlow Lite | types | on the device | module | limits |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *rows, ""])


def _modules(front: Front) -> str:
    if spec.BY_NAME[front.becomes].code >= spec.FIRST_EXTRA:
        return "midge_extra"
    return "midge_native; int16: midge_extra" if "int16" in front.types and front.becomes != "PAD" else "midge_native"
