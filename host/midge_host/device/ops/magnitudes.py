"""MAGNITUDES: samples under a window, their real FFT in 32 bits, the magnitude or the power of each bin."""

from __future__ import annotations

import math

import numpy as np

from ...ir.operators import Magnitudes
from ..banks import MEL
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import high_mul, wrap32
from ..record import Context, Step
from ..rules import (
    Check,
    Holds,
    MultipleOf,
    OneOf,
    aligned,
    at_most,
    equal,
    nonzero,
    parameters,
    product,
    total,
    weights,
)

POINTS = tuple(1 << i for i in range(4, 12))  # complex points of the FFT: two samples each
WORD = 4  # bytes
SAMPLE_BITS = 15  # of the largest sample when it has grown
GUARD_BITS = 14  # that a sample gets below
VALUE_BITS = SAMPLE_BITS + GUARD_BITS  # of the largest value when it has grown
SPARE_BITS = 31 - GUARD_BITS  # of a sample times the window
MOST_GROWN = 31  # bits that values are scaled up by
POWER_BITS = 12  # of a power that are not kept: so the sum of all is of 64 bits
ONE = (1 << 31) - 1  # of a factor

MAGNITUDES = record(
    "magnitudes",
    "Behind the magnitudes the bits that samples were scaled up by; then zeros, as many as the FFT needs.",
    [
        ("H", "size", "samples, int16; even"),
        ("H", "points", "complex points of the FFT, a power of two from 16 to 2048: a half of its samples"),
        ("H", "bins", "magnitudes, from bin 0 on"),
        ("B", "is_power", "1: powers, uint64; 0: magnitudes, uint32"),
    ],
)


def cosines(points: int) -> np.ndarray:
    """(points / 2 + 1,) int32: a quarter of a wave of 2 points samples."""
    return np.array([math.floor(0.5 + ONE * math.cos(math.pi * k / points)) for k in range(points // 2 + 1)], "<i4")


def lower(node: Magnitudes) -> list[Step]:
    window, points = np.asarray(node.window, np.float64), node.fft_length // 2
    if points not in POINTS or window.size % 2 or not 0 < window.size <= node.fft_length:
        reason = f"an FFT of {node.fft_length} over {window.size} samples"
        raise node.refuse(reason, f"it takes {2 * POINTS[0]} to {2 * POINTS[-1]}, a power of two, and an even number")
    if np.abs(window).max() > 1:
        raise node.refuse("its window makes samples larger", "use one of at most 1")
    block = cosines(points).tobytes() + np.floor(0.5 + ONE * window).astype("<i4").tobytes()
    fields = {"size": window.size, "points": points, "bins": node.bins, "is_power": int(node.is_power)}
    return [Step("MAGNITUDES", node.name, [node.source], node.output, fields, [block], dtype="int16")]


def grown_bits(samples: np.ndarray) -> int:
    """By which the samples can grow."""
    largest = int(np.abs(samples.astype(np.int64)).max())
    return SAMPLE_BITS - min(SAMPLE_BITS, max(1, largest).bit_length())


def room(values: np.ndarray) -> int:
    """By which values can grow; below 0 where they are too large."""
    return VALUE_BITS - int(np.maximum(values, ~values).max()).bit_length()


def factors(quarter: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and negative sines of k / (2 points) of a turn, k up to `points`."""
    half = points // 2
    cosine = np.concatenate([quarter, -quarter[half - 1 :: -1]])
    sine = np.concatenate([quarter[::-1], quarter[1:]])
    return cosine, -sine


def _turned(re: np.ndarray, im: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (
        wrap32(high_mul(re, cosine) - high_mul(im, sine)),
        wrap32(high_mul(re, sine) + high_mul(im, cosine)),
    )


def grow(z: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """Values scaled up as far as they have room, by `most` bits at most; and by how many bits."""
    bits = min(max(0, room(z)), most)
    return z << bits, bits


def fft(z: np.ndarray, cosine: np.ndarray, sine: np.ndarray, grown: int, most: int) -> tuple[np.ndarray, int]:
    """Of (points, 2) complex numbers in the order of their bits reversed, half of which is lost at every step; and
    the bits that they are scaled up by: `grown` before, and again before each step and after the last, up to `most`."""
    points = len(z)
    size = 1
    while size < points:
        z, bits = grow(z, most - grown)
        grown += bits
        re, im = z.T
        (ar, br), (ai, bi) = (v.reshape(-1, 2, size).swapaxes(0, 1) for v in (re, im))
        step = points // size
        br, bi = _turned(br, bi, cosine[:points:step], sine[:points:step])
        re, im = (
            np.stack([wrap32(a + b + 1) >> 1, wrap32(a - b + 1) >> 1], 1).reshape(-1) for a, b in ((ar, br), (ai, bi))
        )
        z = np.stack([re, im], 1)
        size *= 2
    z, bits = grow(z, most - grown)
    return z, grown + bits


def reversed_bits(points: int) -> np.ndarray:
    bits = points.bit_length() - 1
    return np.array([int(f"{i:0{bits}b}"[::-1], 2) for i in range(points)])


def run(context: Context) -> None:
    op = context.op
    size, points, bins = op["size"], op["points"], op["bins"]
    table = context.block(0).view(np.int32).astype(np.int64)
    quarter = table[: points // 2 + 1]
    cosine, sine = factors(quarter, points)
    samples = context.tensor((size,), dtype=np.int16).astype(np.int64)
    products = samples * table[points // 2 + 1 : points // 2 + 1 + size]
    grown = max(0, SPARE_BITS + min(0, room(products))) if op["is_power"] else grown_bits(samples)
    shift = SPARE_BITS - grown
    windowed = np.zeros(2 * points, np.int64)
    windowed[:size] = products + (1 << shift >> 1) >> shift
    most = MOST_GROWN if op["is_power"] else grown
    z, grown = fft(windowed.reshape(-1, 2)[reversed_bits(points)], cosine, sine, grown, most)
    k = np.arange(points + 1)
    (re, im), (mirrored_re, mirrored_im) = z[k % points].T, z[-k % points].T
    tr, ti = _turned(wrap32(im + mirrored_im), wrap32(mirrored_re - re), cosine, sine)
    re, im = wrap32(re + mirrored_re + tr) >> 1, wrap32(im - mirrored_im + ti) >> 1
    powers = [int(x) ** 2 + int(y) ** 2 for x, y in zip(re[:bins], im[:bins], strict=True)]
    if op["is_power"]:
        words = np.array([power >> POWER_BITS for power in powers], "<u8").view("<u4")
    else:
        words = np.array([math.isqrt(power) for power in powers], "<u4")
    output = context.tensor((2 * points + 3 * op["is_power"],), "output", np.uint32)
    output[:] = 0
    output[: len(words)] = words
    output[len(words)] = grown


_SAMPLES = Operand("input", ("size",), 2)
_MAGNITUDES = Operand("output", (total(product("points", 2), product("is_power", 3)),), WORD)

CHECK = Check(
    "magnitudes",
    (
        parameters(
            OneOf("points", POINTS),
            nonzero("size", "bins"),
            MultipleOf("size", 2),
            at_most("size", product("points", 2)),
            at_most("bins", total("points", 1)),
            at_most("is_power", 1),
            aligned(2, "input"),
            aligned(WORD, "output"),
            equal("blocks", 1),
        ),
        weights(Holds(product("points", 2), total(product("size", WORD), WORD))),
        fit(_SAMPLES, _MAGNITUDES),
    ),
)

DEFINITIONS = (
    Operator(
        80,
        "MAGNITUDES",
        MEL,
        MAGNITUDES,
        "magnitudes",
        CHECK,
        (_SAMPLES, _MAGNITUDES),
        run,
        dtype="int16",
        has_blocks=True,
        constants=(
            Constant("SAMPLE_BITS", SAMPLE_BITS, "of the largest sample of MAGNITUDES when it has grown"),
            Constant("GUARD_BITS", GUARD_BITS, "that samples of MAGNITUDES get below"),
            Constant("SPARE_BITS", SPARE_BITS, "of a sample times the window"),
            Constant("MOST_GROWN", MOST_GROWN, "bits that values of powers are scaled up by"),
            Constant("POWER_BITS", POWER_BITS, "of a power that are not kept"),
        ),
    ),
)
