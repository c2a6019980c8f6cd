"""What the C core knows of the format: native_modules/core/format.h."""

from __future__ import annotations

from ..device import spec

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
        "// Generated from host/midge_host/device/spec.py by `make generate`. Do not edit.",
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
