"""What stands between `generated:` markers in the device library."""

from __future__ import annotations

from ..device import spec


def consts(pairs: list[tuple[str, object]]) -> str:
    return "".join(f"_{name} = const({value})\n" for name, value in pairs)


def python_operators() -> str:
    """Operator codes, record size and the layouts of records for the portable kernels."""
    text = consts([("RECORD", spec.RECORD_BYTES), ("BLOCK_ALIGNMENT", spec.BLOCK_ALIGNMENT)])
    native = [op for op in spec.OPERATORS if op.code < spec.FIRST_EXTRA]
    return text + consts([(op.name, op.code) for op in native]) + python_reasons() + _layouts([spec.HEAD], native)


def python_extra_operators() -> str:
    """The same for the operators of midge_extra."""
    extra = [op for op in spec.OPERATORS if op.code >= spec.FIRST_EXTRA]
    text = consts([(op.name, op.code) for op in extra])
    text += consts([(f"KIND_{name}", i) for i, name in enumerate(spec.ARITHMETIC_KINDS)])
    codes = {name: code for code, name in spec.DTYPES.items()}
    text += consts([("ELEMENT_AT", spec.TENSOR.offsets["element"]), ("DTYPE_INT16", codes["int16"])])
    known = {op.layout for op in spec.OPERATORS if op.code < spec.FIRST_EXTRA}  # these stand in _portable.py
    layouts = _layouts([], [op for op in extra if op.layout not in known])
    return text + python_block_parts() + python_reasons() + layouts


def python_wide_operators() -> str:
    """Codes of operators on int16 activations."""
    codes = [(op.name, op.code) for op in spec.OPERATORS if op.name.endswith("_16")]
    return consts(codes) + python_block_parts()


def python_block_parts() -> str:
    """Bytes of what weight blocks hold beside weights."""
    return consts([(name, size) for name, size, _ in spec.BLOCK_PARTS])


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
    text = consts(
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
    return consts([(name, code) for code, (name, _) in enumerate(spec.REASONS, 1)])


def python_readings() -> str:
    """Facts for readings that are lists, and refusal codes."""
    return consts([("MAX_RANK", spec.MAX_RANK)]) + python_reasons()


def python_outputs() -> str:
    """Where a record's output lies, for the self-test."""
    pairs = [(name.upper() + "_AT", spec.HEAD.offsets[name]) for name in ("output", "output_bytes")]
    return python_records() + consts(pairs)


def python_records() -> str:
    """What is needed to tell whose operator a record is."""
    return consts([("RECORD", spec.RECORD_BYTES), ("FIRST_EXTRA", spec.FIRST_EXTRA)])


def python_texts() -> str:
    """The words for refusals."""
    return "_REASONS = (\n" + "".join(f'    "{words}",\n' for _, words in spec.REASONS) + ")\n"


def python_dtypes() -> str:
    """The names of dtypes."""
    return "_DTYPES = (" + ", ".join(f'"{d}"' for d in spec.DTYPES.values()) + ")\n"
