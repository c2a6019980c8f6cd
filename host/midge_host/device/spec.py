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
OVERLAPS = 128  # flag of any record: its output lies over its input
TOGETHER = 16  # outputs over the input that a kernel may write in any order, or a row if that is more
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
ENTRY_KINDS = {"init": 1, "feed": 2, "predict": 3}  # those that this version runs

PIECE = Layout(
    "piece",
    "The weight blocks of an operator, as they are stored.",
    [
        ("I", "offset", "where they begin in WGHT, a multiple of 4"),
        ("I", "stored_bytes", "what they take there"),
        ("I", "bytes", "what they are when they are decoded, a multiple of 4"),
        ("I", "encoding", "0 raw, 1 coded"),
    ],
)
RAW, CODED = 0, 1  # encodings

CODING = Layout(
    "coding",
    'The first bytes of CODE: docs/FORMAT.md, "Coded weights".',
    [
        ("H", "kinds", "of rows, 1 to 256"),
        ("H", "tables", "of Huffman codes, 0 to 8"),
    ],
)
CODED_PIECE = Layout(
    "coded_piece",
    "The first bytes of a coded piece.",
    [
        ("H", "rows", "of a block, not 0"),
        ("H", "row_bytes", "bytes of a row, not 0"),
        ("B", "first_bits", "of a row's entry, before the bits that are left out; 128 at most"),
        ("B", "zero_bits", "that are left out, since they are 0 in all entries; 128 at most"),
        ("B", "last_bits", "behind them; 128 at most"),
        ("B", "kind", "of rows whose number is 0"),
        ("B", "kind_bits", "of a row's number, 8 at most"),
    ],
)
CODE_LIMITS = {"kinds": 256, "tables": 8, "entry_bits": 128, "kind_bits": 8, "row_bits": 8}
CODE_BITS = 12  # of the longest Huffman code
LOOKUP_BITS = 7  # of the longest Huffman code that midge_packed looks up at once
READ_BYTES = 512  # of coded weights that a board reads at a time
LOOKUP_ENTRIES = 3 + (1 << LOOKUP_BITS)  # uint16 that midge_packed makes of a table
IS_TABLE = 128  # in a kind: the number of a table, no number of bits

UNPACKING = Layout(
    "unpacking",
    "Where midge_packed stands in a piece.",
    [
        *(("I", name, "") for name in ("phase", "taken", "bits", "have", "field")),
        *(("I", field.name, "") for field in CODED_PIECE.fields),
        *(("I", name, "") for name in ("row", "left", "step", "how", "put", "put_bits", "place")),
    ],
)
UNPACKING_PHASES = {"head": 0, "copy": 1, "entries": 2, "kinds": 3, "values": 4}

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

AUDIO = Layout(
    "audio",
    "Of a file with a feed entry: how sound becomes what the model predicts from.",
    [
        ("I", "rate", "samples a second, not 0"),
        ("H", "hop", "samples from one frame to the next, 1 to the input's size"),
        ("H", "first", "frames before the first prediction, not 0"),
        ("H", "every", "frames from one prediction to the next, not 0"),
        ("H", "window", "predictions whose mean score is compared with the cutoff, not 0"),
        ("f", "cutoff", "a mean score above it is an event, 0 to 1; 0 where nothing is known"),
        ("8s", "front", "name of the front end, ASCII, filled up with zero bytes: `micro`, `mfcc` or `logmel`"),
    ],
)
FEEDS = 4  # runs of the feed entry in the self-test

REGION = Layout(
    "region",
    "At the beginning of ROWS. A `ring` for the source and one for each record follow, then turns.",
    [
        ("H", "records", "how many the region has, the first ones of predict, 1 to 254"),
        ("H", "turns", "uint8 numbers of rings, of what is made one after the other"),
    ],
)

RING = Layout(
    "ring",
    "The memory of a region's source, or of what a record makes: some rows of it.",
    [
        ("I", "offset", "where it begins in the arena, a multiple of 4"),
        ("I", "row_bytes", "of a row"),
        ("H", "height", "rows of the whole tensor"),
        ("H", "rows", "that there is memory for, 1 to height"),
        ("H", "step", "rows that are made in a turn, 1 to rows; of a source that is there from the start, 0"),
        ("B", "source", "number of the ring that the record reads; of the source itself, 0"),
        ("B", "source2", "of an ADD, the other one; else 0"),
    ],
)
MOST_RINGS = 255

LEARN = Layout(
    "learn",
    'How a board learns, at the beginning of LERN: docs/FORMAT.md, "Learning".',
    [
        ("i", "offset", "where the embedding, int8, lies in the arena behind a prediction"),
        ("i", "size", "its values, 1 to 1024; with a head 1 to 512"),
        ("i", "zero_point", "of its values, those of int8"),
        ("i", "method", "1 prototypes, 2 neighbours, 3 head"),
        ("i", "flags", "1: vectors have one length, so that distances are those of angles; 2: they are whitened"),
        ("i", "shift", "of whitening, 1 to 30"),
        ("i", "neighbours", "how many of the nearest vote, 1 to 15"),
        ("i", "input_bits", "of a head: the bias's input is 2^(input_bits - 1), 1 to 8"),
        ("i", "fraction", "of a head: bits of the weights' fraction, 0 to 15, with input_bits at least 5"),
        ("i", "rate", "of a head: the rate is 2^-rate, 0 to 15; input_bits + rate - fraction is 15 at most"),
        ("i", "epochs", "of a head: how often it is trained with all samples"),
        ("i", "limit", "a class counts up to this distance, squared; of a head, from this probability on, in 1/2^15"),
        ("i", "classes", "of the exemplars, 0 to 64"),
        ("i", "exemplars", "how many there are, 0 to 65,535"),
    ],
)
LEARN_METHODS = {"prototypes": 1, "neighbours": 2, "head": 3}
LEARN_FLAGS = {"angular": 1, "whitened": 2}
LEARN_LIMITS = {"size": 1024, "head_size": 512, "classes": 64, "neighbours": 15, "samples": 65535}
LEARN_FAR = (1 << 31) - 1  # a limit that nothing is beyond
LEARN_EXPONENTS = 256  # e^(-i / 16) in 1 / 65535, of a head's softmax

LEARNED = Layout(
    "learned",
    'The first bytes of a file of what a board has learnt: docs/FORMAT.md, "What was learnt".',
    [
        ("4s", "magic", "`MIDL`"),
        ("H", "version", "1"),
        ("B", "kind", "who learnt: 1 a learner, 2 what knows the normal"),
        ("B", "classes", "how many there are, 0 to 64"),
        ("I", "model", "the header's crc of the model that it belongs to; 0 if to none"),
        ("I", "bytes", "what follows"),
        ("I", "crc", "CRC-32 of what follows"),
    ],
)
LEARNED_MAGIC, LEARNED_VERSION = b"MIDL", 1
LEARNED_KINDS = {"learner": 1, "normal": 2}

DETECT = Layout(
    "detect",
    'How a model finds things, at the beginning of DETE: docs/FORMAT.md, "Finding things".',
    [
        ("H", "grids", "how many there are, 1 to 16"),
        ("H", "anchors", "of all grids, 1 to 256"),
        ("H", "tables", "how many there are, 1 to 48"),
        ("H", "most", "candidates that are kept, those of the highest scores, 1 to 255"),
        ("H", "keypoints", "of each candidate, 0 to 32"),
        ("H", "mode", "what becomes of boxes of one thing: 1 suppress, 2 average, 3 merge"),
        ("H", "apart", "1: boxes of two classes are never of one thing; 0: they are compared, too"),
        ("H", "overlap", "boxes are of one thing beyond this share of their union, in 1/2^15, 0 to 2^15"),
        ("H", "least", "score that a candidate needs, in 1/2^15, not 0"),
        ("H", "reserved", ""),
    ],
)
DETECT_MODES = {"suppress": 1, "average": 2, "merge": 3}
DETECT_LIMITS = {"grids": 16, "anchors": 256, "tables": 48, "most": 255, "keypoints": 32, "candidates": 16384}
DETECT_TABLE = 256  # values of a table: one for each of int8

GRID = Layout(
    "grid",
    "Candidates of a head: rows x columns x anchors of them, the anchor varying fastest. Offsets are of the first "
    "one's values, int8, in the arena behind a prediction; steps are bytes.",
    [
        ("I", "scores", "of its first class"),
        ("I", "objectness", "where there is one"),
        ("I", "x", "of the box's centre"),
        ("I", "y", ""),
        ("I", "width", "of the box"),
        ("I", "height", ""),
        ("I", "keypoint_x", "of the first keypoint"),
        ("I", "keypoint_y", ""),
        ("I", "origin_x", "where the first column is, in 1/256 pixels of the input, up to 2^24"),
        ("I", "origin_y", "where the first row is"),
        ("H", "stride_x", "from one column to the next, in 1/256 pixels; columns x this is 2^24 at most"),
        ("H", "stride_y", "from one row to the next"),
        ("H", "score_step", "from one candidate's scores, or objectness, to the next one's"),
        ("H", "class_step", "from one class to the next"),
        ("H", "box_step", "from one candidate's box and keypoints to the next one's"),
        ("H", "keypoint_step", "from one keypoint to the next"),
        ("H", "columns", ""),
        ("H", "last", "number of its last candidate, 0 to 16,383"),
        ("H", "first_anchor", "of the file's anchors, the first one of this grid"),
        ("h", "threshold", "of int8: what the objectness, or else the best class, needs to be looked at"),
        ("B", "rows", ""),
        ("B", "anchors", ""),
        ("B", "last_class", "number of the last class, 0 to 254"),
        ("B", "last_keypoint", "number of the last keypoint; 0 where there are none"),
        ("B", "has_objectness", "1: a score is objectness x that of the class"),
        ("B", "has_box", "0: a candidate's box is its anchor's"),
        ("B", "score_table", "number of the table of scores, in 1/2^15"),
        ("B", "position_table", "of the table of positions"),
        ("B", "size_table", "of the table of sizes"),
        ("B", "position_shift", "0 to 15"),
        ("B", "size_shift", "0 to 15"),
        ("B", "reserved", ""),
    ],
)

ANCHOR = Layout(
    "anchor",
    "What a candidate's values are multiplied with, in 1/16 pixels of the input; without boxes, these.",
    [
        ("h", "unit_x", "of positions"),
        ("h", "unit_y", ""),
        ("h", "width", "of sizes"),
        ("h", "height", ""),
    ],
)

POINTER = Layout(
    "pointer",
    'A whole file, of a model that lies in the flash of an RP2040 or RP2350: docs/FORMAT.md, "Pointers".',
    [
        ("4s", "magic", "`MIDP`"),
        ("H", "version", "1"),
        ("2s", "spare", "0"),
        ("I", "address", "where in the board's memory the model's file begins, a multiple of 16"),
        ("I", "bytes", "its length"),
        ("I", "crc", "CRC-32 of the model's file"),
        ("I", "own_crc", "CRC-32 of the fields before"),
    ],
)
POINTER_MAGIC, POINTER_VERSION = b"MIDP", 1
FLASH = 0x10000000  # where an RP2040 and an RP2350 have their flash in memory

# Tag of a section, the files that have it, its flags, and what it holds.
SECTIONS = [
    ("TENS", "all", REQUIRED, "a `tensor` for each input, then for each output"),
    ("PROG", "all", REQUIRED, "operator records of 72 bytes"),
    ("ENTR", "all", REQUIRED, "an `entry` for each purpose that records serve"),
    ("WDIR", "all", REQUIRED, "a `piece` for each operator's weights"),
    ("CHAN", "some", REQUIRED, "`channels` of each input that has them, in the order of the inputs"),
    ("AUDI", "some", REQUIRED, "`audio`, of a file with a feed entry"),
    ("LERN", "some", 0, "`learn`, of a model that learns on the board, and what goes with it"),
    ("DETE", "some", 0, "`detect`, of a model that finds things in pictures, and what goes with it"),
    ("CODE", "some", REQUIRED, "a `coding`, and what goes with it, of a file with coded pieces"),
    ("OVER", "some", REQUIRED, "uint16 numbers of the records whose output lies over their input, in order"),
    ("ROWS", "some", REQUIRED, "`region`, of a model whose first layers are made in strips of rows"),
    ("GOLD", "most", 0, "self-test: uint32 seed, then a CRC-32 for each record"),
    ("NAME", "most", 0, "UTF-8, a line for each input, output and record; without it, numbers are their names"),
    ("LABL", "some", 0, "UTF-8, a line for each class of the first output, or of what the model finds"),
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

FILE_LAYOUTS = [HEADER, SECTION, TENSOR, ENTRY, PIECE, CODING, CODED_PIECE, CHANNELS, CHANNEL, AUDIO, REGION, RING]
LEARN_LAYOUTS = [LEARN, LEARNED]
OTHER_LAYOUTS = [POINTER]
DETECT_LAYOUTS = [DETECT, GRID, ANCHOR]

# What a camera's frame is made of, by the names of midge.Image: bytes of a pixel. Their numbers are their places here.
FRAME_FORMATS = {"rgb565": 2, "rgb565be": 2, "bgr565": 2, "yuv422": 2, "grey": 1, "rgb888": 3}
FRAME_SIDE = 16384  # the largest width and height of a frame, and of the input that it goes into
TAP_BITS = 11  # weights of a picture's pixels are in 1 / 2^11

VIEW = Layout(
    "view",
    "Which pixels of a frame go where in an input of height x width x channels.",
    [
        ("i", "format", "a number of FRAME_..."),
        ("i", "first", "the frame's pixel that is the first of the picture, turned as it is wanted"),
        ("i", "across", "pixels of the frame to the next one of a row"),
        ("i", "down", "pixels of the frame to the next row"),
        ("i", "width", "of the picture"),
        ("i", "height", ""),
        ("i", "left", "where the picture begins in the input; around it, pixels are 0"),
        ("i", "top", ""),
        ("i", "columns", "what its width becomes"),
        ("i", "rows", "what its height becomes"),
        ("i", "begin", "the input's row that comes first; of a strip there are as many as the tensor's bytes say"),
    ],
)

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
