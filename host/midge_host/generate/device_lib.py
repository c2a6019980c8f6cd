"""Writes the parts between `generated:` markers of the device library."""

from __future__ import annotations

from collections.abc import Iterable

from ..device import architectures, banks, spec
from ..device.definition import HEAD
from ..device.registry import OPERATORS


def consts(pairs: Iterable[tuple[str, object]]) -> str:
    return "".join(f"_{name} = const({value})\n" for name, value in pairs)


def python_header() -> str:
    """Sizes, struct formats and offsets for the device's loader."""
    sizes = [(layout.name.upper() + "_BYTES", layout.size) for layout in spec.FILE_LAYOUTS]
    text = consts(
        [
            *sizes,
            ("RECORD", spec.RECORD_BYTES),
            ("MAX_RANK", spec.MAX_RANK),
            ("MAX_WINDOW", spec.MAX_WINDOW_BYTES),
            ("MAX_ARENA", spec.MAX_ARENA_BYTES),
            ("MAX_SECTIONS", spec.MAX_SECTIONS),
            ("MAX_RECORDS", spec.MAX_RECORDS),
            ("SECTION_ALIGNMENT", spec.SECTION_ALIGNMENT),
            ("WEIGHT_ALIGNMENT", spec.WEIGHT_ALIGNMENT),
            ("BLOCK_ALIGNMENT", spec.BLOCK_ALIGNMENT),
            ("CRC_FROM", spec.CRC_FROM),
            ("REQUIRED", spec.REQUIRED),
            ("RAW", spec.RAW),
            *((name.upper(), code) for name, code in spec.ENTRY_KINDS.items()),
            ("CHANNEL_ZEROS", spec.CHANNEL_ZEROS),
            *((name.upper(), code) for code, name in spec.DTYPES.items() if name in ("int8", "int16", "float32")),
            ("BANK_COUNT", len(banks.BANKS)),
            ("CORE", banks.CORE.number),
            ("WIDE", banks.WIDE.number),
            ("TREES", banks.TREES.number),
            ("BAD_OPERATOR", [name for name, _ in spec.REASONS].index("BAD_OPERATOR") + 1),
        ]
        + [(name.upper() + "_AT", HEAD.offsets[name]) for name in ("bank", "blocks", "weights", "block_bytes")]
        + [("ELEMENT_AT", spec.TENSOR.offsets["element"])]
    )
    text = f"FORMAT = {spec.FORMAT_VERSION}\n" + text
    needed = ", ".join(f'b"{tag}"' for tag, files, _, _ in spec.SECTIONS if files == "all")
    others = ", ".join(f'b"{tag}"' for tag, files, _, _ in spec.SECTIONS if files != "all")
    text += f"_NEEDED = const(({needed}))\n_OTHERS = const(({others}))\n"
    codes = {name: code for code, name in spec.DTYPES.items()}
    pairs = ", ".join(f"{codes[name]}: {size}" for name, size in spec.ELEMENT_BYTES.items())
    text += f"_FUNCTION = const({spec.FUNCTION})\n_TAKES_NAN = const({spec.TAKES_NAN})\n"
    text += f"_ELEMENT_BYTES = {{{pairs}}}\n"
    low, high = (repr(limit).replace("e+", "e") for limit in spec.SCALE_LIMITS)
    text += f"_SCALE_MIN = const({low})\n_SCALE_MAX = const({high})\n"
    for layout in spec.FILE_LAYOUTS:
        names = ", ".join(f.name for f in layout.fields)
        text += f'_{layout.name.upper()} = const("{layout.struct.format}")\n# {names}\n'
    return text


def python_reasons() -> str:
    """Refusal codes."""
    return consts([(name, code) for code, (name, _) in enumerate(spec.REASONS, 1)])


def python_readings() -> str:
    """Facts for readings that are lists, and refusal codes."""
    facts = [("MAX_RANK", spec.MAX_RANK), ("FLAGS_AT", spec.TENSOR.offsets["flags"]), ("TAKES_NAN", spec.TAKES_NAN)]
    facts.append(("FUNCTION", spec.FUNCTION))
    return consts(facts) + python_reasons()


def python_functions() -> str:
    """Numbers of the functions of real outputs."""
    return consts([(name.upper(), code) for code, name in enumerate(spec.OUTPUT_FUNCTIONS, 1)])


def python_outputs() -> str:
    """Where a record's output lies, for the self-test."""
    pairs = [(name.upper() + "_AT", HEAD.offsets[name]) for name in ("output", "output_bytes")]
    return python_records() + consts(pairs)


def python_records() -> str:
    """Constants to tell which bank a record belongs to."""
    return consts([("RECORD", spec.RECORD_BYTES), ("BANK_AT", HEAD.offsets["bank"])])


def python_banks() -> str:
    """The code that loads native modules and their portable twins."""
    names = ", ".join(f'"{bank.name}"' for bank in banks.BANKS)
    return python_records() + f"_BANKS = const(({names}))\n"


def python_architectures() -> str:
    """The native modules that a firmware's architecture runs, by its number, the best first."""
    text = "_ARCHITECTURES = {\n"
    for number, architecture in architectures.ARCHITECTURES.items():
        if names := architectures.runs(architecture):
            listed = ", ".join(f'"{name}"' for name in names)
            text += f"    {number}: ({listed}{',' * (len(names) == 1)}),\n"
    return text + "}\n"


def python_rows() -> str:
    """The records of the core's operators whose rows cores can share, and where their fields are."""
    operators = [op for op in OPERATORS if op.by_rows and op.bank is banks.CORE]
    (layout,) = {op.layout for op in operators}
    names = [field.name for field in layout.fields]
    wanted = ("bank", "stride_h", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_h", "pad_top")
    facts = [("RECORD", spec.RECORD_BYTES), ("CORE", banks.CORE.number), ("LAST", max(op.code for op in operators))]
    facts += [(name.upper(), names.index(name)) for name in wanted]
    facts += [
        (name.upper(), names.index(name)) for name in ("input", "output", "output_bytes", "scratch", "scratch_bytes")
    ]
    return consts(facts) + f'_LAYOUT = const("{layout.struct.format}")\n'


def python_edges() -> str:
    """The banks that encode readings and decode results, and where a descriptor says that an output has a function."""
    facts = [("CORE", banks.CORE.number), ("WIDE", banks.WIDE.number), ("TREES", banks.TREES.number)]
    return consts([*facts, ("FLAGS_AT", spec.TENSOR.offsets["flags"]), ("FUNCTION", spec.FUNCTION)])


def python_texts() -> str:
    """The words for refusals."""
    return "_REASONS = (\n" + "".join(f'    "{words}",\n' for _, words in spec.REASONS) + ")\n"


def python_dtypes() -> str:
    """The names of dtypes."""
    return "_DTYPES = (" + ", ".join(f'"{d}"' for d in spec.DTYPES.values()) + ")\n"
