"""The facts of the .midge format, defined once.

Everything else that needs them is generated from here by `make generate`: the C header, the constants in the
device library and the tables in docs/FORMAT.md. tests/test_spec.py fails when one of them is out of date.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"MIDG"
FORMAT_VERSION = 3
MAX_RANK = 6
MAX_DIM = 65535
WEIGHT_ALIGNMENT = 16  # of the weight section in the file
BLOCK_ALIGNMENT = 4  # of every weight block in the section, and of every tensor in the arena
BLOCK_TARGET_BYTES = 2048  # a weight block is kept below this where one output channel allows it
MAX_WINDOW_BYTES = 1 << 20
MAX_ARENA_BYTES = 1 << 28
SCALE_LIMITS = (1e-30, 1e30)  # of an input or output


@dataclass(frozen=True)
class Field:
    """One little-endian field: a `struct` type code, a name and what it means."""

    code: str
    name: str
    text: str

    @property
    def size(self) -> int:
        return struct.calcsize("<" + self.code)

    @property
    def is_array(self) -> bool:
        return len(self.code) > 1 and self.code[-1] != "s"


class Layout:
    """An ordered list of naturally aligned fields."""

    def __init__(self, name: str, text: str, fields: list[tuple[str, str, str]]):
        self.name = name
        self.text = text
        self.fields = [Field(*f) for f in fields]
        self.struct = struct.Struct("<" + "".join(f.code for f in self.fields))
        self.offsets: dict[str, int] = {}
        at = 0
        for field in self.fields:
            unit = struct.calcsize("<" + field.code[-1])
            if field.code[-1] != "s" and at % unit:
                raise AssertionError(f"{name}.{field.name} is not aligned")
            self.offsets[field.name] = at
            at += field.size

    @property
    def size(self) -> int:
        return self.struct.size

    def pack(self, **values: object) -> bytes:
        """Bytes of the layout; fields not named are zero, unknown names are an error."""
        flat: list[object] = []
        for field in self.fields:
            if field.is_array:
                flat.extend(values.pop(field.name))
            else:
                flat.append(values.pop(field.name, b"" if field.code[-1] == "s" else 0))
        if values:
            raise KeyError(f"{self.name} has no field {sorted(values)}")
        return self.struct.pack(*flat)

    def unpack(self, data: bytes, offset: int = 0) -> dict[str, object]:
        """Field values by name; a repeated field (`4H`) is a tuple."""
        flat = list(self.struct.unpack_from(data, offset))
        values: dict[str, object] = {}
        for field in self.fields:
            if field.is_array:
                count = int(field.code[:-1])
                values[field.name] = tuple(flat[:count])
                del flat[:count]
            else:
                values[field.name] = flat.pop(0)
        return values


HEADER = Layout(
    "header",
    "The first bytes of the file.",
    [
        ("4s", "magic", "`MIDG`"),
        ("H", "version", "format version"),
        ("H", "header_bytes", "size of this header"),
        ("I", "file_bytes", "length of the whole file"),
        ("I", "program_crc", "CRC-32 of bytes 16 up to weights_offset"),
        ("I", "weights_crc", "CRC-32 of the weight section"),
        ("I", "weights_offset", "start of the weight section, a multiple of 16"),
        ("I", "weights_bytes", "its length; it ends the file"),
        ("I", "program_offset", "start of the operator records"),
        ("I", "tensors_offset", "start of the tensor descriptors: inputs, then outputs"),
        ("I", "names_offset", "UTF-8 lines: a name per input, output and operator"),
        ("I", "names_bytes", "length of the names"),
        ("I", "labels_offset", "UTF-8 lines: a label per output class"),
        ("I", "labels_bytes", "length of the labels; 0 when there are none"),
        ("I", "info_offset", "provenance, a JSON object"),
        ("I", "info_bytes", "length of the provenance"),
        ("I", "golden_offset", "self-test: input seed, then a CRC-32 per operator; 0 when there is none"),
        ("I", "arena_bytes", "exact bytes of working memory"),
        ("I", "window_bytes", "RAM to stream weights: at least the largest weight block"),
        ("H", "op_count", "number of operator records"),
        ("B", "input_count", "number of inputs"),
        ("B", "output_count", "number of outputs"),
        ("H", "init_count", "records that come first and only set the state: run by load() and reset()"),
        ("H", "reserved", "0"),
    ],
)

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
        ("B", "element", "what the arena holds: 1 int8, 4 int16, 5 int32"),
        ("B", "reserved", "0"),
    ],
)

DTYPES = {1: "int8", 2: "uint8", 3: "float32", 4: "int16", 5: "int32"}
ELEMENT_BYTES = {"int8": 1, "int16": 2, "int32": 4}  # of the types that the arena holds

# Small fields stand first in a record: the load and store instructions of small cores reach them without detours.
HEAD_FIELDS = [
    ("B", "code", "operator code"),
    ("B", "flags", "0"),
    ("H", "blocks", "number of weight blocks; 0 for an operator without weights"),
]
TAIL_FIELDS = [
    ("I", "input", "arena offset of the input"),
    ("I", "output", "arena offset of the output"),
    ("I", "output_bytes", "its length: what the self-test sums; kernels work from the fields above"),
    ("I", "weights", "offset of the first weight block in the weight section"),
    ("I", "block_bytes", "bytes of a weight block"),
    ("I", "scratch", "arena offset of memory that the operator may overwrite while it runs"),
    ("I", "scratch_bytes", "its length; tuned kernels need some, the plain core none"),
]
RECORD_BYTES = 72


def _size(fields: list[tuple[str, str, str]]) -> int:
    return struct.calcsize("<" + "".join(f[0] for f in fields))


FIELDS_BYTES = RECORD_BYTES - _size(HEAD_FIELDS) - _size(TAIL_FIELDS)


def _record(name: str, text: str, fields: list[tuple[str, str, str]]) -> Layout:
    spare = FIELDS_BYTES - _size(fields)
    return Layout(name, text, HEAD_FIELDS + fields + ([(f"{spare}s", "spare", "0")] if spare else []) + TAIL_FIELDS)


HEAD = _record("head", "What all records have in common.", [(f"{FIELDS_BYTES}s", "fields", "of the operator")])

# Of every window over an image.
_STEPS = [
    ("B", "stride_h", "vertical stride"),
    ("B", "stride_w", "horizontal stride"),
    ("B", "dilation_h", "vertical dilation"),
    ("B", "dilation_w", "horizontal dilation"),
]
_SIZES = [
    ("H", "in_h", "input height"),
    ("H", "in_w", "input width"),
    ("H", "in_c", "input channels"),
    ("H", "out_h", "output height"),
    ("H", "out_w", "output width"),
    ("H", "out_c", "output channels"),
    ("H", "kernel_h", "window height"),
    ("H", "kernel_w", "window width"),
    ("H", "pad_top", "rows of padding above"),
    ("H", "pad_left", "columns of padding at the left"),
]

WINDOW = _record(
    "window",
    "Operators that slide a window over an NHWC image (batch 1). FULLY_CONNECTED is a 1x1 window: one row per `in_h`.",
    [
        *_STEPS,
        ("b", "input_zero", "zero point of the input: the value of padding"),
        ("b", "output_zero", "zero point of the output"),
        ("b", "clamp_min", "least output value"),
        ("b", "clamp_max", "largest output value"),
        ("B", "bias_bits", "bits of a channel's bias, 1 to 32"),
        ("B", "shift_bits", "bits of a channel's shift, 0 to 6"),
        ("B", "mult_bits", "bits of a channel's multiplier, 0 or 30"),
        ("b", "shift", "added to every channel's shift"),
        *_SIZES,
        ("H", "block_channels", "output channels in a weight block"),
        ("H", "reserved", "0"),
        ("i", "multiplier", "multiplier of every channel where mult_bits is 0"),
    ],
)

REDUCE = _record(
    "reduce",
    "Over the middle axis of [outer, reduce, inner]: a sum, or of ARG_MAX an int32 index, for which the sizes suffice.",
    [
        ("I", "outer", "elements before the reduced axes"),
        ("I", "reduce", "elements summed"),
        ("I", "inner", "elements after the reduced axes"),
        ("i", "multiplier", "of the sum of (q - input_zero)"),
        ("i", "shift", "of the sum"),
        ("b", "input_zero", "zero point of the input"),
        ("b", "output_zero", "zero point of the output"),
        ("b", "clamp_min", "least output value"),
        ("b", "clamp_max", "largest output value"),
    ],
)

ADD = _record(
    "add",
    "Element by element; the output may be in the place of either input.",
    [
        ("I", "input2", "arena offset of the second input"),
        ("I", "count", "elements"),
        ("i", "multiplier1", "of the first input"),
        ("i", "multiplier2", "of the second input"),
        ("i", "multiplier", "of the sum"),
        ("b", "shift1", "of the first input"),
        ("b", "shift2", "of the second input"),
        ("b", "shift", "of the sum"),
        ("b", "left_shift", "applied to both inputs first"),
        ("b", "zero1", "zero point of the first input"),
        ("b", "zero2", "zero point of the second input"),
        ("b", "output_zero", "zero point of the output"),
        ("b", "clamp_min", "least output value"),
        ("b", "clamp_max", "largest output value"),
        ("b", "reserved", "0"),
    ],
)

SOFTMAX = _record(
    "softmax",
    "SOFTMAX and LOG_SOFTMAX, over the last axis; may be in place.",
    [
        ("I", "rows", "number of rows"),
        ("I", "depth", "elements of a row"),
        ("i", "multiplier", "beta * scale as Q5.26"),
        ("i", "shift", "left shift of a difference"),
        ("i", "diff_min", "differences below this count as 0"),
    ],
)

LUT = _record(
    "lut",
    "q becomes table[q + 128]; may be in place. The 256-byte table is the operator's one weight block.",
    [("I", "count", "elements")],
)

PAD = _record(
    "pad",
    "Copies a 4-D tensor into a larger one filled with a value.",
    [
        ("4H", "in_shape", "input dimensions"),
        ("4H", "before", "elements of padding before each dimension"),
        ("4H", "out_shape", "output dimensions"),
        ("b", "value", "what the padding holds"),
    ],
)


COPY = _record(
    "copy",
    "Copies runs of bytes between a dense tensor and one with strides. flags 0: the input has strides; 1: the output.",
    [
        ("5i", "strides", "bytes between neighbours along each dimension, on the side that has strides"),
        ("I", "at", "where the first run lies within the tensor that has strides"),
        ("5H", "shape", "dimensions, unused ones 1"),
        ("H", "run", "bytes that lie together on both sides"),
    ],
)

CONSTANT = _record(
    "constant",
    "Fills the output from weight blocks, the last of which may be longer than needed, or with one value.",
    [
        ("I", "count", "bytes"),
        ("b", "value", "of every byte, where there are no blocks"),
    ],
)

ARITHMETIC_KINDS = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU")

ARITHMETIC = _record(
    "arithmetic",
    "Two inputs element by element, each repeated along the dimensions in which it has one element. flags 1: int16.",
    [
        ("I", "input2", "arena offset of the second input"),
        ("i", "multiplier1", "of the first input"),
        ("i", "multiplier2", "of the second input"),
        ("i", "multiplier", "of the result"),
        ("5H", "shape", "dimensions of the output, unused ones 1"),
        ("h", "clamp_min", "least output value"),
        ("h", "clamp_max", "largest output value"),
        ("b", "shift1", "of the first input"),
        ("b", "shift2", "of the second input"),
        ("b", "shift", "of the result"),
        ("b", "zero1", "zero point of the first input"),
        ("b", "zero2", "zero point of the second input"),
        ("b", "output_zero", "zero point of the output"),
        ("B", "repeat1", "a bit for each dimension, from the first, along which the first input is repeated"),
        ("B", "repeat2", "of the second input"),
        ("B", "kind", ", ".join(f"{i} {kind}" for i, kind in enumerate(ARITHMETIC_KINDS))),
        ("b", "left_shift", "applied to both inputs of a sum first"),
    ],
)

SVDF = _record(
    "svdf",
    "Filters over the input whose last results are remembered, and weighted sums of those. flags 1: these are int16.",
    [
        ("I", "input2", "arena offset of the state: [batch][units * rank][memory]"),
        ("i", "multiplier1", "of a filter's sum over the input"),
        ("i", "multiplier2", "of a unit's sum over time"),
        ("H", "batch", "rows of the input"),
        ("H", "depth", "elements of a row"),
        ("H", "units", "outputs of a row"),
        ("H", "rank", "filters of a unit"),
        ("H", "memory", "results of a filter that are remembered, the latest one included"),
        ("H", "block_units", "units in a weight block"),
        ("b", "shift1", "of a filter's sum over the input"),
        ("b", "shift2", "of a unit's sum over time"),
        ("b", "state_zero", "zero point of the state"),
        ("b", "output_zero", "zero point of the output"),
    ],
)

WINDOW16 = _record(
    "window16",
    "A window over an image of int16 values, whose zero points are 0. flags 1: sums of 32 bits, as TFLM has them where "
    "the bias is int32; else of 64.",
    [
        *_STEPS,
        ("h", "clamp_min", "least output value"),
        ("h", "clamp_max", "largest output value"),
        *_SIZES,
        ("H", "block_channels", "output channels in a weight block"),
    ],
)

REQUANTIZE = _record(
    "requantize",
    "Every value times a factor, or another one where it is negative. flags 1: the input is int16; 2: the output.",
    [
        ("I", "count", "elements"),
        ("i", "multiplier", "of values from 0 on"),
        ("i", "negative_multiplier", "of values below 0"),
        ("h", "clamp_min", "least output value"),
        ("h", "clamp_max", "largest output value"),
        ("b", "shift", "of values from 0 on"),
        ("b", "negative_shift", "of values below 0"),
        ("b", "input_zero", "zero point of the input"),
        ("b", "output_zero", "zero point of the output"),
    ],
)

FUNCTION16 = _record(
    "function16",
    "A function of every int16 value; may be in place. The sigmoid's 256 uint16 values are the one weight block.",
    [
        ("I", "count", "elements"),
        ("i", "multiplier", "of a value, 0 to 32767"),
        ("B", "shift", "right shift of the product, 0 to 31: on a scale of 2^-12 / 3"),
    ],
)

# Of a channel in a weight block of 16-bit activations, before the rows: bias, shift, multiplier.
CHANNEL16_BITS = (48, 16, 32)

# Bytes of what weight blocks hold beside weights: name, bytes, what it is.
BLOCK_PARTS = [
    ("CHANNEL16_BYTES", sum(CHANNEL16_BITS) // 8, "of a channel of 16-bit activations"),
    ("EXP_TABLE_BYTES", 513 * 2, "each of the two tables of SOFTMAX_FROM_16"),
    ("SIGMOID_BYTES", 256 * 2, "the sigmoid's table"),
    ("GATES_BYTES", 8 * 4, "multipliers of an LSTM's gates, behind that table"),
]
PART_BYTES = {name: size for name, size, _ in BLOCK_PARTS}

LSTM = _record(
    "lstm",
    "A long short-term memory over sequences. flags: 1 input, hidden state and output are int16; 2 time first.",
    [
        ("I", "input2", "arena offset of the hidden state: [batch][cells]"),
        ("I", "input3", "arena offset of the cell state: [batch][cells] int16"),
        ("i", "multiplier", "of the output"),
        ("H", "batch", "sequences"),
        ("H", "steps", "rows of a sequence"),
        ("H", "depth", "elements of a row"),
        ("H", "cells", "outputs of a row"),
        ("H", "cell_clip", "largest magnitude of the cell state; 32768 for no limit"),
        ("b", "shift", "of the output"),
        ("8b", "shifts", "of each gate's sums over input and hidden state: forget, input, cell, output gate"),
        ("b", "cell_power", "the scale of the cell state is 2^cell_power; -27 to 0"),
        ("b", "output_zero", "zero point of hidden state and output"),
    ],
)

RESIZE = _record(
    "resize",
    "Images [batch, height, width, channels]. RESIZE_NEAREST_NEIGHBOR has a block of uint16: the input's row for each "
    "row of the output, then its column for each column. RESIZE_BILINEAR steps through the input.",
    [
        ("i", "step_h", "from one row of the output to the next, in 1/1024 rows of the input"),
        ("i", "step_w", "from one column to the next"),
        ("i", "start_h", "where the first row lies in the input"),
        ("i", "start_w", "where the first column lies"),
        ("H", "batch", "images"),
        ("H", "in_h", "input height"),
        ("H", "in_w", "input width"),
        ("H", "in_c", "channels"),
        ("H", "out_h", "output height"),
        ("H", "out_w", "output width"),
    ],
)

NORMALIZE = _record(
    "normalize",
    "Over the last axis; may be in place.",
    [
        ("I", "rows", "number of rows"),
        ("I", "depth", "elements of a row"),
        ("b", "input_zero", "zero point of the input"),
    ],
)

MATMUL = _record(
    "matmul",
    "Matrices [rows, depth] times matrices [depth, columns]. flags 1: the first is stored as [depth, rows]; 2: the "
    "second as [columns, depth]; 3: both.",
    [
        ("I", "input2", "arena offset of the second input"),
        ("i", "multiplier", "of a sum"),
        ("3H", "batch", "dimensions of the output before its last two, unused ones 1"),
        ("H", "rows", "rows of the output"),
        ("H", "depth", "products in a sum"),
        ("H", "columns", "columns of the output"),
        ("b", "shift", "of a sum"),
        ("b", "zero1", "zero point of the first input"),
        ("b", "zero2", "zero point of the second input"),
        ("b", "output_zero", "zero point of the output"),
        ("B", "repeat1", "a bit for each dimension of batch, from the first, along which the first input is repeated"),
        ("B", "repeat2", "of the second input"),
    ],
)


@dataclass(frozen=True)
class Operator:
    """A device operator: its code in the file and the layout of its record."""

    code: int
    name: str
    layout: Layout


OPERATORS = [
    Operator(1, "CONV_2D", WINDOW),
    Operator(2, "DEPTHWISE_CONV_2D", WINDOW),
    Operator(3, "FULLY_CONNECTED", WINDOW),
    Operator(4, "AVERAGE_POOL_2D", WINDOW),
    Operator(5, "MAX_POOL_2D", WINDOW),
    Operator(6, "MEAN", REDUCE),
    Operator(7, "ADD", ADD),
    Operator(8, "SOFTMAX", SOFTMAX),
    Operator(9, "LUT", LUT),
    Operator(10, "PAD", PAD),
    Operator(32, "COPY", COPY),
    Operator(33, "CONSTANT", CONSTANT),
    Operator(34, "ARITHMETIC", ARITHMETIC),
    Operator(35, "CONV_2D_16", WINDOW16),
    Operator(36, "DEPTHWISE_CONV_2D_16", WINDOW16),
    Operator(37, "FULLY_CONNECTED_16", WINDOW16),
    Operator(38, "LOG_SOFTMAX", SOFTMAX),
    Operator(39, "ARG_MAX", REDUCE),
    Operator(40, "RESIZE_NEAREST_NEIGHBOR", RESIZE),
    Operator(41, "RESIZE_BILINEAR", RESIZE),
    Operator(42, "L2_NORMALIZATION", NORMALIZE),
    Operator(43, "BATCH_MATMUL", MATMUL),
    Operator(44, "SVDF", SVDF),
    Operator(45, "LSTM", LSTM),
    Operator(46, "REQUANTIZE", REQUANTIZE),
    Operator(47, "SOFTMAX_16", SOFTMAX),
    Operator(48, "AVERAGE_POOL_2D_16", WINDOW16),
    Operator(49, "MAX_POOL_2D_16", WINDOW16),
    Operator(50, "MEAN_16", REDUCE),
    Operator(51, "SOFTMAX_FROM_16", SOFTMAX),
    Operator(52, "LOGISTIC_16", FUNCTION16),
    Operator(53, "TANH_16", FUNCTION16),
]
# Operators from here on live in a native module of their own, midge_extra: a board loads it for models that need it.
FIRST_EXTRA = 32
BY_CODE = {op.code: op for op in OPERATORS}
BY_NAME = {op.name: op for op in OPERATORS}
RECORD_LAYOUTS = [
    *[WINDOW, REDUCE, ADD, SOFTMAX, LUT, PAD],
    *[COPY, CONSTANT, ARITHMETIC, SVDF, WINDOW16, LSTM, RESIZE, NORMALIZE, MATMUL, REQUANTIZE, FUNCTION16],
]

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


def entries_bytes(channels: int, bias_bits: int, shift_bits: int, mult_bits: int) -> int:
    """Bytes of a block's channel entries, padded so that the weight rows behind them are aligned."""
    bits = channels * (bias_bits + shift_bits + mult_bits)
    return align(-(-bits // 8), BLOCK_ALIGNMENT)
