"""Writes the headers in native_modules/core: constants of the format, operators and their checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..device import detection, spec
from ..device.banks import BANKS, Bank
from ..device.definition import HEAD, Operator
from ..device.layout import Layout
from ..device.registry import LAYOUTS, NAMES, OPERATORS
from .c_checks import check_function, check_functions

C_TYPES = {
    "B": "uint8_t",
    "b": "int8_t",
    "H": "uint16_t",
    "h": "int16_t",
    "I": "uint32_t",
    "i": "int32_t",
    "f": "uint32_t",  # the core has no floating point: it works on the bits
}
TYPES = ("int8", "int16")  # of activations


def _header(guard: str, comment: Iterable[str], lines: Iterable[str]) -> str:
    top = ["// Generated from host/midge_host/device/ by `make generate`. Do not edit.", *comment, ""]
    top += [f"#ifndef MIDGE_{guard}_H", f"#define MIDGE_{guard}_H", ""]
    return "\n".join([*top, *lines, "", "#endif", ""])


def format_header() -> str:
    """format.h: numbers and records."""
    out = ["#include <stdint.h>", ""]
    out += [
        f"#define MIDGE_FORMAT_VERSION {spec.FORMAT_VERSION}",
        f"#define MIDGE_RECORD_BYTES {spec.RECORD_BYTES}",
        f"#define MIDGE_BLOCK_ALIGNMENT {spec.BLOCK_ALIGNMENT}",
        f"#define MIDGE_OVERLAPS {spec.OVERLAPS} // flag of any record: its output lies over its input",
        f"#define MIDGE_TOGETHER {spec.TOGETHER} // outputs over the input that may be written in any order",
        "",
    ]
    out += [f"#define MIDGE_{name} {code}" for name, code in NAMES.items()]
    constants = dict.fromkeys(constant for op in OPERATORS for constant in op.constants)
    out += ["", "// Flags, and parts of weight blocks."]
    out += [f"#define MIDGE_{c.name} {c.value} // {c.text}" for c in constants]
    out += ["", "// Types of values: of activations in a record, of inputs and outputs in a descriptor."]
    out += [f"#define MIDGE_DTYPE_{name.upper()} {code}" for code, name in spec.DTYPES.items()]
    out += [f"#define MIDGE_TAKES_NAN {spec.TAKES_NAN} // flag of a descriptor"]
    out += ["", "// Why a record or a reading was refused."]
    out += [f"#define MIDGE_{name} {code} // {text}" for code, (name, text) in enumerate(spec.REASONS, 1)]
    out += ["", "// Frames of cameras."]
    out += [f"#define MIDGE_FRAME_{name.upper()} {code}" for code, name in enumerate(spec.FRAME_FORMATS)]
    out += [f"#define MIDGE_FRAME_SIDE {spec.FRAME_SIDE}", f"#define MIDGE_TAP_BITS {spec.TAP_BITS}"]
    out += ["", "// Learning."]
    for title, numbers in (("METHOD", spec.LEARN_METHODS), ("FLAG", spec.LEARN_FLAGS), ("MOST", spec.LEARN_LIMITS)):
        out += [f"#define MIDGE_LEARN_{title}_{name.upper()} {number}" for name, number in numbers.items()]
    out += [f"#define MIDGE_LEARN_EXPONENTS {spec.LEARN_EXPONENTS}"]
    out += ["", "// Coded weights."]
    out += [f"#define MIDGE_CODE_MOST_{name.upper()} {number}" for name, number in spec.CODE_LIMITS.items()]
    out += [f"#define MIDGE_UNPACKING_{name.upper()} {number}" for name, number in spec.UNPACKING_PHASES.items()]
    out += [f"#define MIDGE_CODE_BITS {spec.CODE_BITS}", f"#define MIDGE_LOOKUP_BITS {spec.LOOKUP_BITS}"]
    out += [f"#define MIDGE_IS_TABLE {spec.IS_TABLE}"]
    out += ["", "// Finding things."]
    out += [f"#define MIDGE_DETECT_{name.upper()} {number}" for name, number in spec.DETECT_MODES.items()]
    out += [f"#define MIDGE_DETECT_MOST_{name.upper()} {number}" for name, number in spec.DETECT_LIMITS.items()]
    out += [f"#define MIDGE_DETECT_TABLE {spec.DETECT_TABLE}"]
    others = [spec.TENSOR, spec.VIEW, spec.LEARN, spec.CODING, spec.UNPACKING, *spec.DETECT_LAYOUTS]
    others += [spec.REGION, spec.RING]
    for layout in [HEAD, *LAYOUTS, *others]:
        out += ["", *_struct(layout)]
    return _header("FORMAT", ["// The records of a .midge file as the core reads them: docs/FORMAT.md."], out)


def _struct(layout: Layout) -> list[str]:
    out = [*_wrap(layout.text), "typedef struct {"]
    for field in layout.fields:
        count = f"[{int(field.code[:-1])}]" if len(field.code) > 1 else ""
        c_type = "uint8_t" if field.code[-1] == "s" else C_TYPES[field.code[-1]]
        out.append(f"    {c_type} {field.name}{count};")
    return [*out, f"}} midge_{layout.name}_t;"]


def banks_header() -> str:
    """banks.h: the banks' numbers, for C and assembly."""
    lines = [f"#define MIDGE_BANK_{bank.name.upper()} {bank.number} // {bank.text}" for bank in BANKS]
    return _header("BANKS", ["// The banks: native modules of their own."], lines)


def kernels_header() -> str:
    """kernels.h: the functions that are written by hand."""
    lines = [f"void midge_{name}(const midge_call_t *call);" for name in dict.fromkeys(op.kernel for op in OPERATORS)]
    customs: dict[str, None] = {}
    for bank in BANKS:
        customs |= dict.fromkeys(check_functions(_of(bank)).customs)
    lines += ["", "// Hand-written conditions of generated checks; 0 is no."]
    lines += [f"int midge_{name}(const void *record, uint32_t arena_bytes);" for name in customs]
    return _header("KERNELS", ["// The kernels, and parts of checks, in kernels/generic/."], lines)


def _of(bank: Bank) -> list[Operator]:
    return [op for op in OPERATORS if op.bank == bank]


def operators_header() -> str:
    """operators.h: what run.c knows of each bank's operators."""
    out = ['#include "bank.h"', '#include "fixed_point.h"', '#include "share.h"']
    for bank in BANKS:
        out += ["", f"#if MIDGE_HAS(MIDGE_BANK_{bank.name.upper()})", "", *_bank(bank), "", "#endif"]
    out += ["", "static inline const midge_bank_t *midge_bank(uint32_t number) {", "    switch (number) {"]
    for bank in BANKS:
        name = f"MIDGE_BANK_{bank.name.upper()}"
        out += [f"#if MIDGE_HAS({name})", f"    case {name}:", f"        return &{bank.name}_bank;", "#endif"]
    out += ["    default:", "        return 0;", "    }", "}"]
    return _header("OPERATORS", ["// The operators of each bank: checks and kernels. Of run.c alone."], out)


def _bank(bank: Bank) -> list[str]:
    operators = _of(bank)
    checks = check_functions(operators)
    first = min(op.code for op in operators)
    entries = {op.code: (op.name, checks.names[op.check], f"MIDGE_RUN_{op.kernel.upper()}") for op in operators}
    for op in operators:
        if entries[op.code][1:] != (checks.names[op.check], f"MIDGE_RUN_{op.kernel.upper()}"):
            raise ValueError(f"{op.name} has two kernels or checks in bank {bank.name}")
    out = list(checks.lines)
    for kernel in dict.fromkeys(op.kernel for op in operators):
        run = f"MIDGE_RUN_{kernel.upper()}"
        out += [
            f"#ifndef {run}",
            f"#define {run} midge_{kernel}",
            "#endif",
            f"void {run}(const midge_call_t *call);",
            "",
        ]
    out.append(f"static const midge_operator_t {bank.name}_operators[] = {{")
    out += [f"    [MIDGE_{name} - {first}] = {{{check}, {run}}}," for name, check, run in entries.values()]
    out += ["};", ""]

    rows = [op for op in operators if op.by_rows]
    if rows:
        out += [*_narrow(bank, rows), ""]

    def mask(wanted: Iterable[Operator]) -> str:
        return f"0x{sum({1 << (op.code - first) for op in wanted}):x}"

    masks = [mask(op for op in operators if op.dtype == dtype) for dtype in TYPES]
    masks += [mask(op for op in operators if op.has_blocks), mask(rows)]
    narrow = f"{bank.name}_narrow" if rows else "0"
    out += [f"static const midge_bank_t {bank.name}_bank = {{"]
    return [*out, f"    {bank.name}_operators, {first}, {', '.join(masks)}, {narrow},", "};"]


def _narrow(bank: Bank, operators: Sequence[Operator]) -> list[str]:
    """The function that leaves a share of the rows of a window's record."""
    (layout,) = dict.fromkeys(op.layout for op in operators)
    (unit,) = dict.fromkeys(op.operands[0].unit for op in operators)
    bytes_of = "" if unit == 1 else f" * {unit}"
    return [
        f"static int {bank.name}_narrow(void *record, uint32_t part, uint32_t parts) {{",
        f"    midge_{layout.name}_t *op = record;",
        "    const midge_image_t image = {",
        "        .in_h = &op->in_h,",
        "        .out_h = &op->out_h,",
        "        .pad_top = &op->pad_top,",
        "        .input = &op->input,",
        "        .output = &op->output,",
        "        .scratch = &op->scratch,",
        "        .scratch_bytes = &op->scratch_bytes,",
        "        .stride = op->stride_h,",
        f"        .in_row = (uint32_t)op->in_w * op->in_c{bytes_of},",
        f"        .out_row = (uint32_t)op->out_w * op->out_c{bytes_of},",
        "    };",
        "    return midge_narrow(image, part, parts);",
        "}",
    ]


def detection_header() -> str:
    """detection.h: checks of what a file says of heads."""
    out = ['#include "call.h"']
    for check, layout in detection.CHECKS.items():
        out += ["", *check_function(check, layout)]
    return _header("DETECTION", ["// Checks of the parts of a section DETE: docs/FORMAT.md."], out)


def c_headers() -> dict[str, str]:
    """Files of native_modules/core by their names."""
    return {
        "banks.h": banks_header(),
        "detection.h": detection_header(),
        "format.h": format_header(),
        "kernels.h": kernels_header(),
        "operators.h": operators_header(),
    }


def _wrap(text: str, width: int = 95) -> list[str]:
    lines, line = [], "//"
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = "//"
        line += " " + word
    return [*lines, line]
