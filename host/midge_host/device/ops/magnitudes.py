"""MAGNITUDES: samples under a window, their real FFT, the magnitude of each bin in 32 bits or its power in 48."""

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
LOW_BITS = 16  # lower ones of a number of 48
HEAD_BITS = 2  # of a sample times the window that are not kept where powers are wanted
WIDE_BITS = 28  # upper ones of the largest number of 48 bits when it has grown
POWER_BITS = 4  # of a power that are not kept: so the sum of all is of 64 bits
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


def split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The upper 32 bits and the lower 16, both with a sign, of numbers of 48."""
    upper = wrap32(x + (1 << LOW_BITS - 1) >> LOW_BITS)
    return upper, (x & 0xFFFF ^ 0x8000) - 0x8000


def wrap48(x: np.ndarray) -> np.ndarray:
    upper, lower = split(x)
    return (upper << LOW_BITS) + lower


def _half_turned(re: np.ndarray, im: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half of a product, of 48 bits."""
    (re, low_re), (im, low_im) = split(re), split(im)
    low_cosine, low_sine = (x + (1 << LOW_BITS - 1) >> LOW_BITS for x in (cosine, sine))
    return (
        (re * cosine - im * sine >> LOW_BITS) + (low_re * low_cosine - low_im * low_sine >> LOW_BITS) + 1,
        (re * sine + im * cosine >> LOW_BITS) + (low_re * low_sine + low_im * low_cosine >> LOW_BITS) + 1,
    )


def grow(z: np.ndarray) -> tuple[np.ndarray, int]:
    """Numbers of 48 bits scaled up as far as they have room, by 16 bits at most; and by how many bits."""
    upper = split(z)[0]
    bits = min(max(0, WIDE_BITS - int(np.maximum(upper, ~upper).max()).bit_length()), LOW_BITS)
    return wrap48(z << bits), bits


def fft(z: np.ndarray, cosine: np.ndarray, sine: np.ndarray, is_wide: bool = False) -> np.ndarray:
    """Of (points, 2) complex numbers in the order of their bits reversed, half of which is lost at every step; of 32
    bits, or of 48 if is_wide."""
    points = len(z)
    size = 1
    while size < points:
        re, im = z.T
        (ar, br), (ai, bi) = (v.reshape(-1, 2, size).swapaxes(0, 1) for v in (re, im))
        step = points // size
        by = cosine[:points:step], sine[:points:step]
        if is_wide:
            turned = _half_turned(br, bi, *by)
            parts = [(wrap48((a >> 1) + b), wrap48((a >> 1) - b)) for a, b in zip((ar, ai), turned, strict=True)]
        else:
            turned = _turned(br, bi, *by)
            parts = [(wrap32(a + b + 1) >> 1, wrap32(a - b + 1) >> 1) for a, b in zip((ar, ai), turned, strict=True)]
        z = np.stack([np.stack(part, 1).reshape(-1) for part in parts], 1)
        size *= 2
    return z


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
    products = np.concatenate([products, np.zeros(2 * points - size, np.int64)])
    places = reversed_bits(points)
    if op["is_power"]:
        z, grown = grow((products >> HEAD_BITS).reshape(-1, 2)[places])
        z, more = grow(fft(z, cosine, sine, is_wide=True))
        found = np.array(_powers(z, cosine, sine)[:bins], "<u8").view("<u4")
        grown += more
    else:
        grown = grown_bits(samples)
        shift = SPARE_BITS - grown
        z = fft((products + (1 << shift - 1) >> shift).reshape(-1, 2)[places], cosine, sine)
        found = np.array(_magnitudes(z, cosine, sine)[:bins], "<u4")
    output = context.tensor(((2 + op["is_power"]) * points,), "output", np.uint32)
    output[:] = 0
    output[: len(found)] = found
    output[len(found)] = grown


def _magnitudes(z: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> list[int]:
    """Of real samples, from the FFT of pairs of them as complex numbers."""
    k = np.arange(len(z) + 1)
    (re, im), (mirrored_re, mirrored_im) = z[k % len(z)].T, z[-k % len(z)].T
    tr, ti = _turned(wrap32(im + mirrored_im), wrap32(mirrored_re - re), cosine, sine)
    re, im = wrap32(re + mirrored_re + tr) >> 1, wrap32(im - mirrored_im + ti) >> 1
    return [math.isqrt(int(x) ** 2 + int(y) ** 2) for x, y in zip(re, im, strict=True)]


def _powers(z: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> list[int]:
    """The same of numbers of 48 bits: bin k and bin points - k are of the sum and of the difference of two numbers."""
    half = len(z) // 2
    k = np.arange(half + 1)
    (re, im), (mirrored_re, mirrored_im) = z[k].T, z[-k].T
    tr, ti = _half_turned(wrap48(im + mirrored_im), wrap48(mirrored_re - re), cosine[k], sine[k])
    re, im = wrap48(re + mirrored_re) >> 1, wrap48(im - mirrored_im) >> 1
    sums, differences = _squares(re + tr, im + ti), _squares(re - tr, im - ti)
    return sums[:half] + differences[::-1]


def _squares(re: np.ndarray, im: np.ndarray) -> list[int]:
    parts = [zip(*(part.tolist() for part in split(x)), strict=True) for x in (re, im)]
    squares = [[x * x + (x * low >> LOW_BITS - 1) for x, low in part] for part in parts]
    return [a + b >> POWER_BITS for a, b in zip(*squares, strict=True)]


_SAMPLES = Operand("input", ("size",), 2)
_MAGNITUDES = Operand("output", (product("points", total("is_power", 2)),), WORD)

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
            Constant("SPARE_BITS", SPARE_BITS, "of a sample times the window"),
            Constant("HEAD_BITS", HEAD_BITS, "of a sample times the window that powers are made without"),
            Constant("WIDE_BITS", WIDE_BITS, "upper ones of the largest number of 48 bits when it has grown"),
            Constant("POWER_BITS", POWER_BITS, "of a power that are not kept"),
        ),
    ),
)
