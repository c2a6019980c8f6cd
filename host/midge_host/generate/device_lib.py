"""Writes the parts between `generated:` markers of the device library."""

from __future__ import annotations

from collections.abc import Iterable

from ..device import architectures, banks, spec
from ..device.definition import HEAD, Operator
from ..device.layout import Layout
from ..device.registry import BY_NAME, OPERATORS


def consts(pairs: Iterable[tuple[str, object]]) -> str:
    return "".join(f"_{name} = const({value})\n" for name, value in pairs)


def python_header() -> str:
    """Sizes, struct formats and offsets for the device's loader."""
    # What _feed.py and _region.py read, and what decodes weights.
    elsewhere = (spec.AUDIO, spec.CODING, spec.CODED_PIECE, spec.REGION, spec.RING)
    layouts = [layout for layout in spec.FILE_LAYOUTS if layout not in elsewhere]
    sizes = [(layout.name.upper() + "_BYTES", layout.size) for layout in layouts]
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
            ("OVERLAPS", spec.OVERLAPS),
            ("RAW", spec.RAW),
            ("CODED", spec.CODED),
            *((name.upper(), code) for name, code in spec.ENTRY_KINDS.items()),
            ("CHANNEL_ZEROS", spec.CHANNEL_ZEROS),
            *((name.upper(), code) for code, name in spec.DTYPES.items() if name in ("int8", "int16", "float32")),
            ("BANK_COUNT", len(banks.BANKS)),
            ("CORE", banks.CORE.number),
            ("WIDE", banks.WIDE.number),
            ("TREES", banks.TREES.number),
            ("BAD_OPERATOR", [name for name, _ in spec.REASONS].index("BAD_OPERATOR") + 1),
        ]
        + [(name.upper() + "_AT", HEAD.offsets[name]) for name in ("bank", "flags", "blocks", "weights", "block_bytes")]
        + [("ELEMENT_AT", spec.TENSOR.offsets["element"])]
    )
    magic = str(spec.POINTER_MAGIC).replace("'", '"')
    text = f"FORMAT = {spec.FORMAT_VERSION}\n_POINTER_MAGIC = const({magic})\n" + text
    needed = ", ".join(f'b"{tag}"' for tag, files, _, _ in spec.SECTIONS if files == "all")
    others = ", ".join(f'b"{tag}"' for tag, files, _, _ in spec.SECTIONS if files != "all")
    text += f"_NEEDED = const(({needed}))\n_OTHERS = const(({others}))\n"
    codes = {name: code for code, name in spec.DTYPES.items()}
    pairs = ", ".join(f"{codes[name]}: {size}" for name, size in spec.ELEMENT_BYTES.items())
    text += f"_FUNCTION = const({spec.FUNCTION})\n_TAKES_NAN = const({spec.TAKES_NAN})\n"
    text += f"_ELEMENT_BYTES = {{{pairs}}}\n"
    low, high = (repr(limit).replace("e+", "e") for limit in spec.SCALE_LIMITS)
    text += f"_SCALE_MIN = const({low})\n_SCALE_MAX = const({high})\n"
    for layout in layouts:
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
    return python_records() + consts([*pairs, ("FEEDS", spec.FEEDS)])


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


def _windows() -> tuple[list[Operator], Layout]:
    """The operators of the core that slide a window over an image, and their record."""
    operators = [op for op in OPERATORS if op.by_rows and op.bank is banks.CORE]
    (layout,) = {op.layout for op in operators}
    return operators, layout


def python_overlap() -> str:
    """The operators whose output may lie over its input, and where a record's fields are."""
    operators, layout = _windows()
    names = [field.name for field in layout.fields]
    facts = [("RECORD", spec.RECORD_BYTES), ("CORE", banks.CORE.number)]
    facts += [("INT8", next(code for code, name in spec.DTYPES.items() if name == "int8"))]
    facts += [("OVERLAPS", spec.OVERLAPS), ("TOGETHER", spec.TOGETHER)]
    facts += [(op.name, op.code) for op in operators if op.name != "FULLY_CONNECTED"]
    wanted = ("code", "bank", "types", "flags", "blocks", "stride_h", "in_w", "kernel_h", "kernel_w", "pad_top")
    facts += [(name.upper(), names.index(name)) for name in (*wanted, "input", "output")]
    return consts(facts) + f'_LAYOUT = const("{layout.struct.format}")\n'


def python_rows() -> str:
    """The records of the core's operators whose rows cores can share, and where their fields are."""
    operators, layout = _windows()
    names = [field.name for field in layout.fields]
    wanted = ("bank", "stride_h", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_h", "pad_top")
    facts = [("RECORD", spec.RECORD_BYTES), ("CORE", banks.CORE.number), ("LAST", max(op.code for op in operators))]
    facts += [(name.upper(), names.index(name)) for name in wanted]
    facts += [
        (name.upper(), names.index(name)) for name in ("input", "output", "output_bytes", "scratch", "scratch_bytes")
    ]
    return consts(facts) + f'_LAYOUT = const("{layout.struct.format}")\n'


def python_turns() -> str:
    """What a file says of a region's rows, and where the fields of its records are."""
    _, window = _windows()
    add = BY_NAME["ADD", "int8"]
    facts = [("RECORD", spec.RECORD_BYTES), ("REGION_BYTES", spec.REGION.size), ("RING_BYTES", spec.RING.size)]
    facts += [("TURNS_AT", spec.REGION.offsets["turns"]), ("ADD", add.code)]
    facts += [(f"{name.upper()}_AT", spec.RING.offsets[name]) for name in ("height", "step")]
    names = ("stride_h", "dilation_h", "in_h", "out_h", "kernel_h", "pad_top", "input")
    facts += [(f"{name.upper()}_AT", window.offsets[name]) for name in names]
    facts += [(f"{name.upper()}_AT", add.layout.offsets[name]) for name in ("input2", "count")]
    facts += [(name, code) for code, (name, _) in enumerate(spec.REASONS, 1) if name == "BAD_PARAMETER"]
    return consts(facts) + _row_layouts()


def python_region() -> str:
    """The same, to check a file."""
    operators, window = _windows()
    add = BY_NAME["ADD", "int8"]
    facts = [("RECORD", spec.RECORD_BYTES), ("REGION_BYTES", spec.REGION.size), ("RING_BYTES", spec.RING.size)]
    facts += [("MOST_RINGS", spec.MOST_RINGS), ("CORE", banks.CORE.number), ("INT8", add.types), ("ADD", add.code)]
    facts += [("OVERLAPS", spec.OVERLAPS)]
    codes = bytes(op.code for op in operators if op.name != "FULLY_CONNECTED")
    places = [*(HEAD.offsets[name] for name in ("bank", "types", "flags", "blocks", "weights", "block_bytes"))]
    names = ("BANK", "TYPES", "FLAGS", "BLOCKS", "WEIGHTS", "BLOCK_BYTES")
    facts += [(f"{name}_AT", place) for name, place in zip(names, places, strict=True)]
    facts += [(f"{name.upper()}_AT", window.offsets[name]) for name in ("in_w", "in_c", "out_w", "out_c")]
    facts += [("ELEMENT_AT", spec.TENSOR.offsets["element"])]
    text = consts(facts) + '_WINDOWS = const(b"' + "".join(f"\\x{code:02x}" for code in codes) + '")\n'
    return text + f'_REGION = const("{spec.REGION.struct.format}")\n# records, turns\n' + _row_layouts()


def python_feeding() -> str:
    """Where a region says how rows come in."""
    facts = [("CORE", banks.CORE.number), ("RECORD", spec.RECORD_BYTES), ("REGION_BYTES", spec.REGION.size)]
    facts += [("TURNS_AT", spec.REGION.offsets["turns"])]
    return consts(facts + [(f"{name.upper()}_AT", spec.RING.offsets[name]) for name in ("height", "step")])


def _row_layouts() -> str:
    names = ", ".join(f.name for f in spec.RING.fields)
    return f'_RING = const("{spec.RING.struct.format}")\n# {names}\n'


def python_edges() -> str:
    """The banks that encode readings and decode results, and where a descriptor says that an output has a function."""
    facts = [("CORE", banks.CORE.number), ("WIDE", banks.WIDE.number), ("TREES", banks.TREES.number)]
    return consts([*facts, ("FLAGS_AT", spec.TENSOR.offsets["flags"]), ("FUNCTION", spec.FUNCTION)])


def python_sound() -> str:
    """The banks that take samples, and what a file says of sound."""
    facts = [("WIDE", banks.WIDE.number), ("AUDIO", banks.AUDIO.number), ("MEL", banks.MEL.number)]
    names = ", ".join(f.name for f in spec.AUDIO.fields)
    return consts(facts) + f'_LAYOUT = const("{spec.AUDIO.struct.format}")\n# {names}\n'


def python_feed() -> str:
    """What a file says of sound, to check it."""
    codes = {name: code for code, name in spec.DTYPES.items()}
    places = [("RECORD", spec.RECORD_BYTES), ("BANK_AT", HEAD.offsets["bank"])]
    text = consts([("INT16", codes["int16"]), ("AUDIO_BYTES", spec.AUDIO.size), *places])
    text += f"_FRONTS = {bytes(bank.number for bank in banks.FRONTS)!r}\n".replace("'", '"')
    for layout in (spec.TENSOR, spec.AUDIO):
        names = ", ".join(f.name for f in layout.fields)
        text += f'_{layout.name.upper()} = const("{layout.struct.format}")\n# {names}\n'
    return text


def python_learner() -> str:
    """How a model learns."""
    numbers = {**spec.LEARN_METHODS, **{f"most_{name}": most for name, most in spec.LEARN_LIMITS.items()}}
    facts = [("EXPONENTS", spec.LEARN_EXPONENTS), ("WHITENED", spec.LEARN_FLAGS["whitened"])]
    text = consts([(name.upper(), number) for name, number in numbers.items()] + facts)
    text += consts([(field.name.upper() + "_IN", place) for place, field in enumerate(spec.LEARN.fields)])
    return text + consts([("LEARN_BYTES", spec.LEARN.size), ("LEARNER", spec.LEARNED_KINDS["learner"])])


def python_detect() -> str:
    """What is read of a section DETE before midge_detect takes it."""
    places = {field.name: place for place, field in enumerate(spec.DETECT.fields)}
    facts = [("DETECT_BYTES", spec.DETECT.size)]
    return consts(facts + [(f"{name.upper()}_IN", places[name]) for name in ("most", "keypoints")])


def python_learnt() -> str:
    """The layout of files of what was learnt."""
    names = ", ".join(f.name for f in spec.LEARNED.fields)
    magic = str(spec.LEARNED_MAGIC).replace("'", '"')
    text = f"_MAGIC = const({magic})\n_VERSION = const({spec.LEARNED_VERSION})\n"
    text += consts([("LEARNED_BYTES", spec.LEARNED.size)])
    return text + f'_LEARNED = const("{spec.LEARNED.struct.format}")\n# {names}\n'


def python_pointer() -> str:
    """The layout of files that point into flash."""
    names = ", ".join(f.name for f in spec.POINTER.fields)
    text = consts([("POINTER_BYTES", spec.POINTER.size), ("VERSION", spec.POINTER_VERSION), ("FLASH", hex(spec.FLASH))])
    text += consts([("SUMMED", spec.POINTER.offsets["own_crc"]), ("ALIGNMENT", spec.WEIGHT_ALIGNMENT)])
    return text + f'_POINTER = const("{spec.POINTER.struct.format}")\n# {names}\n'


def python_normal() -> str:
    """The kind of such a file, and where a model's input lies."""
    return consts([("NORMAL", spec.LEARNED_KINDS["normal"])])


def python_learning() -> str:
    """The same for the portable twin of midge_learn."""
    wanted = ("size", "zero_point", "method", "flags", "shift", "input_bits", "fraction", "rate")
    facts = [("HEAD", spec.LEARN_METHODS["head"]), ("MOST_SAMPLES", spec.LEARN_LIMITS["samples"])]
    facts += [(name, code) for code, (name, _) in enumerate(spec.REASONS, 1) if name == "BAD_PARAMETER"]
    facts += [(name.upper(), number) for name, number in spec.LEARN_FLAGS.items()]
    places = {field.name: place for place, field in enumerate(spec.LEARN.fields)}
    return consts([*facts, *((f"{name.upper()}_IN", places[name]) for name in wanted)])


def python_coded() -> str:
    """What reads the weights of a file with coded pieces."""
    facts = [("RAW", spec.RAW), ("LOOKUPS", spec.LOOKUP_ENTRIES), ("READ_BYTES", spec.READ_BYTES)]
    words = [field.name for field in spec.PIECE.fields]
    facts += [("PIECE", len(words))]
    facts += [(name.upper() + "_IN", words.index(name)) for name in ("stored_bytes", "bytes", "encoding")]
    facts += [("TABLES_AT", spec.CODING.offsets["tables"])]
    facts += [(name.upper(), spec.UNPACKING_PHASES[name]) for name in ("head", "copy", "kinds")]
    places = [field.name for field in spec.UNPACKING.fields]
    facts += [
        (f"{name.upper()}_IN", places.index(name))
        for name in ("phase", "taken", "bits", "have", "field", "rows", "row")
    ]
    return consts([*facts, ("STATE", len(places))])


def python_packed() -> str:
    """The same for the portable twin of midge_packed."""
    facts = [(f"MOST_{name.upper()}", number) for name, number in spec.CODE_LIMITS.items()]
    facts += [("CODING_BYTES", spec.CODING.size), ("CODE_BITS", spec.CODE_BITS), ("LOOKUP_BITS", spec.LOOKUP_BITS)]
    facts += [("IS_TABLE", spec.IS_TABLE), ("LOOKUPS", spec.LOOKUP_ENTRIES)]
    facts += [("BAD_PARAMETER", [name for name, _ in spec.REASONS].index("BAD_PARAMETER") + 1)]
    facts += [(name.upper(), number) for name, number in spec.UNPACKING_PHASES.items()]
    return consts([*facts, *((f"{field.name.upper()}_IN", i) for i, field in enumerate(spec.UNPACKING.fields))])


def python_texts() -> str:
    """The words for refusals."""
    return "_REASONS = (\n" + "".join(f'    "{words}",\n' for _, words in spec.REASONS) + ")\n"


def python_dtypes() -> str:
    """The names of dtypes."""
    return "_DTYPES = (" + ", ".join(f'"{d}"' for d in spec.DTYPES.values()) + ")\n"


def python_frames() -> str:
    """Formats of frames for midge.Image."""
    names = ", ".join(f'"{name}"' for name in spec.FRAME_FORMATS)
    return f"_FORMATS = const(({names}))\n" + _frame_facts(("yuv422",))


def python_pictures() -> str:
    """The same for the portable twin of midge_image, and its refusals."""
    facts = [("TAP_BITS", spec.TAP_BITS), ("INT8", next(code for code, name in spec.DTYPES.items() if name == "int8"))]
    facts += [(name, code) for code, (name, _) in enumerate(spec.REASONS, 1) if name in ("BAD_TENSOR", "BAD_PARAMETER")]
    text = _frame_facts(("rgb565be", "bgr565", "yuv422", "grey", "rgb888")) + consts(facts)
    return text + f'_TENSOR = const("{spec.TENSOR.struct.format}")\n'


def python_frame_numbers() -> str:
    """Numbers of formats of frames."""
    return _frame_numbers(("rgb565", "rgb565be", "bgr565", "yuv422", "grey"))


def _frame_numbers(names: Iterable[str]) -> str:
    return consts((name.upper(), list(spec.FRAME_FORMATS).index(name)) for name in names)


def _frame_facts(names: Iterable[str]) -> str:
    sizes = "".join(f"\\x{size:02x}" for size in spec.FRAME_FORMATS.values())
    return f'_BYTES = const(b"{sizes}")\n' + _frame_numbers(names) + consts([("SIDE", spec.FRAME_SIDE)])
