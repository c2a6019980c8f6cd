"""The facts of the .midge format, defined once; its operators are in ops/.

Everything else that needs them is generated from here by `make generate`: the C header, the constants in the
device library and the tables in docs/FORMAT.md. tests/test_spec.py fails when one of them is out of date.
"""

from __future__ import annotations

from .layout import Layout

MAGIC = b"MIDG"
FORMAT_VERSION = 4
MAX_RANK = 6
MAX_DIM = 65535
WEIGHT_ALIGNMENT = 16  # of the weight section in the file
SECTION_ALIGNMENT = 4  # of the others
BLOCK_ALIGNMENT = 4  # of every weight block in the section, and of every tensor in the arena
BLOCK_TARGET_BYTES = 2048  # a weight block is kept below this where one output channel allows it
MAX_WINDOW_BYTES = 1 << 20
MAX_ARENA_BYTES = 1 << 28
MAX_SECTIONS = 64
MAX_RECORDS = 65535
SCALE_LIMITS = (1e-30, 1e30)  # of an input or output

HEADER = Layout(
    "header",
    "The first bytes of the file. The directory of sections follows: a `section` for each.",
    [
        ("4s", "magic", "`MIDG`"),
        ("H", "version", "format version"),
        ("H", "header_bytes", "size of this header"),
        ("I", "file_bytes", "length of the whole file"),
        ("I", "crc", "CRC-32 of what follows this field, up to the end of the directory"),
        ("I", "arena_bytes", "exact bytes of working memory"),
        ("I", "window_bytes", "RAM to stream weights: at least the largest weight block"),
        ("B", "input_count", "number of inputs"),
        ("B", "output_count", "number of outputs"),
        ("H", "section_count", "number of sections, 1 to 64"),
    ],
)

SECTION = Layout(
    "section",
    "A part of the file. Sections stand in the directory as in the file.",
    [
        ("4s", "tag", "what it holds, see above"),
        ("I", "flags", "1: a reader that does not know the tag refuses the file; 0: it leaves the section alone"),
        ("I", "offset", "where it begins, a multiple of 4; of the weights, a multiple of 16"),
        ("I", "bytes", "its length"),
        ("I", "crc", "CRC-32 of its bytes"),
    ],
)
REQUIRED = 1  # a flag of sections and of entries
CRC_FROM = HEADER.offsets["crc"] + 4

ENTRY = Layout(
    "entry",
    "Records that are run for one purpose.",
    [
        ("H", "kind", "1 init, 2 feed, 3 predict, 4 learn"),
        ("H", "flags", "1: a reader that cannot run this kind refuses the file; 0: it leaves the entry alone"),
        ("H", "first", "its first record"),
        ("H", "last", "the record behind its last"),
    ],
)
ENTRY_KINDS = {"init": 1, "predict": 3}  # those that this version runs

PIECE = Layout(
    "piece",
    "The weight blocks of an operator, as they are stored.",
    [
        ("I", "offset", "where they begin in WGHT, a multiple of 4"),
        ("I", "stored_bytes", "what they take there"),
        ("I", "bytes", "what they are when they are decoded, a multiple of 4"),
        ("I", "encoding", "0 raw"),
    ],
)
RAW = 0  # the encoding

CHANNELS = Layout(
    "channels",
    "Of an input whose readings have a scale for each channel; a `channel` for each follows.",
    [
        ("H", "input", "number of the input"),
        ("H", "count", "its last dimension"),
    ],
)

CHANNEL = Layout(
    "channel",
    "How real values of a channel become the input's: q = zero_point + round(value / scale).",
    [
        ("f", "scale", "above 1e-30, below 1e30"),
        ("i", "zero_point", "-2^22 to 2^22 - 1: it may lie outside the input's type"),
    ],
)
CHANNEL_ZEROS = 1 << 22

# Tag of a section, the files that have it, its flags, and what it holds.
SECTIONS = [
    ("TENS", "all", REQUIRED, "a `tensor` for each input, then for each output"),
    ("PROG", "all", REQUIRED, "operator records of 72 bytes"),
    ("ENTR", "all", REQUIRED, "an `entry` for each purpose that records serve"),
    ("WDIR", "all", REQUIRED, "a `piece` for each operator's weights"),
    ("CHAN", "some", REQUIRED, "`channels` of each input that has them, in the order of the inputs"),
    ("GOLD", "most", 0, "self-test: uint32 seed, then a CRC-32 for each record"),
    ("NAME", "most", 0, "UTF-8, a line for each input, output and record; without it, numbers are their names"),
    ("LABL", "some", 0, "UTF-8, a line for each class of the first output"),
    ("INFO", "most", 0, "provenance, a JSON object"),
    ("WGHT", "all", REQUIRED, "the weights, stored as WDIR says"),
]

TENSOR = Layout(
    "tensor",
    "A model input or output.",
    [
        ("I", "offset", "where it lies in the arena"),
        ("I", "bytes", "its length in the arena"),
        ("f", "scale", "real = scale * (q - zero_point)"),
        ("i", "zero_point", "the quantised value of 0.0"),
        ("i", "pixel_multiplier", "input from uint8 pixels: q = (pixel * multiplier + offset + 2^15) >> 16"),
        ("i", "pixel_offset", "see pixel_multiplier; both in 1/65536"),
        ("B", "dtype", "what the source model took or gave: 1 int8, 2 uint8, 3 float32, 4 int16, 5 int32"),
        ("B", "rank", "number of dimensions"),
        ("6H", "shape", "dimensions, unused ones 0"),
        ("B", "element", "what the arena holds: 1 int8, 3 float32, 4 int16, 5 int32"),
        (
            "B",
            "flags",
            "of an output, a function of its real values: 1 softmax, 2 log-softmax, 3 logistic; of an input "
            "of float32, 4: readings may hold NaN, for values that are missing",
        ),
    ],
)
# Functions that who runs a model computes of its real outputs: their numbers, from 1, in the flags of a tensor.
OUTPUT_FUNCTIONS = ("softmax", "log_softmax", "logistic")

FILE_LAYOUTS = [HEADER, SECTION, TENSOR, ENTRY, PIECE, CHANNELS, CHANNEL]

DTYPES = {1: "int8", 2: "uint8", 3: "float32", 4: "int16", 5: "int32"}
FUNCTION, TAKES_NAN = 3, 4  # bits of a tensor's flags
ELEMENT_BYTES = {"int8": 1, "int16": 2, "int32": 4, "float32": 4}  # of the types that the arena holds

RECORD_BYTES = 72

# Why a record or a reading was refused: name, and the words for it. The code is the place in this list, from 1.
# check() and run() return 0 or (operator index + 1) * 16 + code.
REASONS = [
    ("BAD_OPERATOR", "an unknown operator"),
    ("BAD_TENSOR", "a tensor outside the arena"),
    ("BAD_WEIGHTS", "weights outside the weight section"),
    ("BAD_PARAMETER", "an impossible parameter"),
    ("BAD_READING", "a value that is not a number"),
]


def align(value: int, unit: int) -> int:
    """The least multiple of `unit` that is not below `value`."""
    return -(-value // unit) * unit
