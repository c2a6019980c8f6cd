"""Writes what other parts need to know of spec.py: run it with `make generate`.

C gets native_modules/core/format.h. The device library and docs/FORMAT.md get the parts of their files that stand
between a `generated: NAME` marker and the next `generated: end`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from . import spec
from .operators import FOLDED, FRONTS, Front

ROOT = Path(__file__).resolve().parents[2]
C_TYPES = {
    "B": "uint8_t",
    "b": "int8_t",
    "H": "uint16_t",
    "h": "int16_t",
    "I": "uint32_t",
    "i": "int32_t",
    "f": "uint32_t",  # the core has no floating point: it works on the bits
}


def c_header() -> str:
    """native_modules/core/format.h."""
    out = [
        "// Generated from host/midge_host/spec.py by `make generate`. Do not edit.",
        "// The records of a .midge file as the core reads them: docs/FORMAT.md.",
        "",
        "#ifndef MIDGE_FORMAT_H",
        "#define MIDGE_FORMAT_H",
        "",
        "#include <stdint.h>",
        "",
        f"#define MIDGE_FORMAT_VERSION {spec.FORMAT_VERSION}",
        f"#define MIDGE_RECORD_BYTES {spec.RECORD_BYTES}",
        f"#define MIDGE_BLOCK_ALIGNMENT {spec.BLOCK_ALIGNMENT}",
        f"#define MIDGE_FIRST_EXTRA {spec.FIRST_EXTRA}  // operators from here on are midge_extra's",
        "",
    ]
    out += [f"#define MIDGE_{op.name} {op.code}" for op in spec.OPERATORS]
    out += ["", "// Parts of weight blocks."]
    out += [f"#define MIDGE_{name} {size}  // {text}" for name, size, text in spec.BLOCK_PARTS]
    out += ["", "// What ARITHMETIC computes."]
    out += [f"#define MIDGE_KIND_{name} {i}" for i, name in enumerate(spec.ARITHMETIC_KINDS)]
    out += ["", "// What the source model has at an input or output, and what the arena holds of it."]
    out += [f"#define MIDGE_DTYPE_{name.upper()} {code}" for code, name in spec.DTYPES.items()]
    out += ["", "// Why a record or a reading was refused."]
    out += [f"#define MIDGE_{name} {code}  // {text}" for code, (name, text) in enumerate(spec.REASONS, 1)]
    out.append("")
    for layout in [spec.HEAD, *spec.RECORD_LAYOUTS, spec.TENSOR]:
        out += [f"// {layout.text}" if len(layout.text) < 95 else _wrap(layout.text), "typedef struct {"]
        for field in layout.fields:
            count = f"[{int(field.code[:-1])}]" if len(field.code) > 1 else ""
            c_type = "uint8_t" if field.code[-1] == "s" else C_TYPES[field.code[-1]]
            out.append(f"    {c_type} {field.name}{count};")
        out += [f"}} midge_{layout.name}_t;", ""]
    out += ["#endif", ""]
    return "\n".join(out)


def _wrap(text: str, width: int = 95) -> str:
    lines, line = [], "//"
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = "//"
        line += " " + word
    return "\n".join([*lines, line])


def _consts(pairs: list[tuple[str, object]]) -> str:
    return "".join(f"_{name} = const({value})\n" for name, value in pairs)


def python_operators() -> str:
    """Operator codes, record size and the layouts of records for the portable kernels."""
    text = _consts([("RECORD", spec.RECORD_BYTES), ("BLOCK_ALIGNMENT", spec.BLOCK_ALIGNMENT)])
    native = [op for op in spec.OPERATORS if op.code < spec.FIRST_EXTRA]
    return text + _consts([(op.name, op.code) for op in native]) + python_reasons() + _layouts([spec.HEAD], native)


def python_extra_operators() -> str:
    """The same for the operators of midge_extra."""
    extra = [op for op in spec.OPERATORS if op.code >= spec.FIRST_EXTRA]
    text = _consts([(op.name, op.code) for op in extra])
    text += _consts([(f"KIND_{name}", i) for i, name in enumerate(spec.ARITHMETIC_KINDS)])
    codes = {name: code for code, name in spec.DTYPES.items()}
    text += _consts([("ELEMENT_AT", spec.TENSOR.offsets["element"]), ("DTYPE_INT16", codes["int16"])])
    known = {op.layout for op in spec.OPERATORS if op.code < spec.FIRST_EXTRA}  # these stand in _portable.py
    layouts = _layouts([], [op for op in extra if op.layout not in known])
    return text + python_block_parts() + python_reasons() + layouts


def python_wide_operators() -> str:
    """Codes of operators on int16 activations."""
    codes = [(op.name, op.code) for op in spec.OPERATORS if op.name.endswith("_16")]
    return _consts(codes) + python_block_parts()


def python_block_parts() -> str:
    """Bytes of what weight blocks hold beside weights."""
    return _consts([(name, size) for name, size, _ in spec.BLOCK_PARTS])


def _layouts(first: list[spec.Layout], operators: list[spec.Operator]) -> str:
    text = ""
    for layout in dict.fromkeys([*first, *(op.layout for op in operators)]):
        fields = [f for f in layout.fields if f.code[-1] != "s"]
        code = "<" + "".join(f.code.replace("s", "x") for f in layout.fields)
        text += f'_{layout.name.upper()}_LAYOUT = "{code}"\n# ' + ", ".join(f.name for f in fields) + "\n"
    return text


def python_header() -> str:
    """Sizes, struct formats and offsets for the device's loader."""
    header = "<" + "".join(f.code for f in spec.HEADER.fields)
    names = ", ".join(f.name for f in spec.HEADER.fields)
    tensor = "<" + "".join(f.code for f in spec.TENSOR.fields)
    head = spec.HEAD
    text = _consts(
        [
            ("HEADER_BYTES", spec.HEADER.size),
            ("TENSOR_BYTES", spec.TENSOR.size),
            ("RECORD", spec.RECORD_BYTES),
            ("MAX_RANK", spec.MAX_RANK),
            ("MAX_WINDOW", spec.MAX_WINDOW_BYTES),
            ("MAX_ARENA", spec.MAX_ARENA_BYTES),
            ("WEIGHT_ALIGNMENT", spec.WEIGHT_ALIGNMENT),
            ("CRC_FROM", spec.HEADER.offsets["program_crc"] + 4),
            ("FIRST_EXTRA", spec.FIRST_EXTRA),
        ]
        + [(name.upper() + "_AT", head.offsets[name]) for name in ("blocks", "weights", "block_bytes")]
        + [("ELEMENT_AT", spec.TENSOR.offsets["element"])]
    )
    text = f"FORMAT = {spec.FORMAT_VERSION}\n" + text
    codes = {name: code for code, name in spec.DTYPES.items()}
    pairs = ", ".join(f"{codes[name]}: {size}" for name, size in spec.ELEMENT_BYTES.items())
    text += f"_ELEMENT_BYTES = {{{pairs}}}\n"
    low, high = (repr(limit).replace("e+", "e") for limit in spec.SCALE_LIMITS)
    text += f"_SCALE_MIN = {low}\n_SCALE_MAX = {high}\n"
    text += f'_HEADER = "{header}"\n# {names}\n'
    text += f'_TENSOR = "{tensor}"\n# ' + ", ".join(f.name for f in spec.TENSOR.fields) + "\n"
    return text


def python_reasons() -> str:
    """Refusal codes."""
    return _consts([(name, code) for code, (name, _) in enumerate(spec.REASONS, 1)])


def python_seldom() -> str:
    """Facts for readings that are lists, for the self-test, and refusal codes."""
    head = spec.HEAD
    pairs = [("RECORD", spec.RECORD_BYTES), ("MAX_RANK", spec.MAX_RANK), ("FIRST_EXTRA", spec.FIRST_EXTRA)]
    pairs += [(name.upper() + "_AT", head.offsets[name]) for name in ("output", "output_bytes")]
    return _consts(pairs) + python_reasons()


def python_records() -> str:
    """What is needed to tell whose operator a record is."""
    return _consts([("RECORD", spec.RECORD_BYTES), ("FIRST_EXTRA", spec.FIRST_EXTRA)])


def python_texts() -> str:
    """The words for refusals."""
    return "_REASONS = (\n" + "".join(f'    "{words}",\n' for _, words in spec.REASONS) + ")\n"


def python_dtypes() -> str:
    """The names of dtypes."""
    return "_DTYPES = (" + ", ".join(f'"{d}"' for d in spec.DTYPES.values()) + ")\n"


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


SECTIONS = {
    "device_lib/midge/_seldom.py": {"seldom": python_seldom},
    "device_lib/midge/_second.py": {"records": python_records},
    "device_lib/midge/_texts.py": {"reasons": python_texts},
    "device_lib/midge/_portable.py": {"operators": python_operators},
    "device_lib/midge/_portable_extra.py": {"extra operators": python_extra_operators},
    "device_lib/midge/_portable_wide.py": {"wide operators": python_wide_operators},
    "device_lib/midge/_portable_recurrent.py": {"block parts": python_block_parts},
    "device_lib/midge/_model.py": {"dtypes": python_dtypes},
    "device_lib/midge/_file.py": {"header": python_header, "dtypes": python_dtypes},
    "docs/operators.md": {"fronts": doc_fronts},
    "docs/FORMAT.md": {"layouts": doc_layouts, "operators": doc_operators},
}


def fill(text: str, sections: dict) -> str:
    """`text` with what stands between its markers made anew."""
    for name, make in sections.items():
        pattern = rf"(?s)(generated: {name}\b[^\n]*\n).*?(\n?(?:#|<!--) generated: end)"
        text, count = re.subn(pattern, lambda m, make=make: m[1] + make().rstrip("\n") + "\n" + m[2].lstrip("\n"), text)
        if count != 1:
            raise ValueError(f"marker 'generated: {name}' found {count} times")
    return text


def mip_package(urls: dict[str, str]) -> str:
    """A package.json for mip: files on the board, and where they are relative to the package.json."""
    version = re.search(r'__version__ = "(.*)"', (ROOT / "device_lib/midge/__init__.py").read_text())[1]
    return json.dumps({"urls": list(map(list, urls.items())), "deps": [], "version": version}, indent=2) + "\n"


def mip_packages() -> dict[Path, str]:
    """package.json for the library; and one per architecture for the native module, which mip cannot choose."""
    library = sorted(path.name for path in (ROOT / "device_lib/midge").glob("*.py"))
    packages = {ROOT / "package.json": mip_package({f"midge/{n}": f"device_lib/midge/{n}" for n in library})}
    modules = sorted((ROOT / "native_modules/prebuilt").glob("*.mpy"))
    for architecture in sorted({path.stem.split("-")[1] for path in modules}):
        urls = {f"{name}.mpy": f"{name}-{architecture}.mpy" for name in ("midge_native", "midge_extra")}
        packages[ROOT / "native_modules/prebuilt" / f"{architecture}.json"] = mip_package(urls)
    return packages


def outputs() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    files = {ROOT / "native_modules/core/format.h": c_header(), **mip_packages()}
    for name, sections in SECTIONS.items():
        files[ROOT / name] = fill((ROOT / name).read_text(), sections)
    return files


if __name__ == "__main__":
    for path, text in outputs().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print("wrote", path.relative_to(ROOT))
