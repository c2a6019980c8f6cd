"""SPECTRUM: samples under a window, scaled up to 16 bits, their real FFT in 16 bits, the energy of each bin."""

from __future__ import annotations

import math

import numpy as np

from ...ir.operators import Spectrum
from ..banks import AUDIO
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import (
    Ceil,
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

PEAK_WRAPS = 1
POINTS = tuple(1 << i for i in range(6, 12))  # complex points of the FFT: two samples each
MAX_SHIFT = 15
WORD = 4  # bytes: a complex number, an energy
ONE = 32767  # of a twiddle factor
GROUP = 8  # samples: four complex numbers, which stand a fourth of the FFT apart

SPECTRUM = record(
    "spectrum",
    "flags 1: a sample of -32768 ends the search for the peak, as it does in TensorFlow Lite Micro. The block: "
    "cosines of half a turn, int16, points + 1; the window, by second differences, two of 4 bits in a byte.",
    [
        ("H", "size", "samples, int16; a multiple of 8"),
        ("H", "points", "complex points of the FFT, a power of two from 64 to 2048: a half of its samples"),
        ("B", "window_shift", "bits that a sample times the window loses"),
    ],
)


def cosines(points: int) -> np.ndarray:
    """(points + 1,) of half a wave, from which all factors come."""
    return np.array([math.floor(0.5 + ONE * math.cos(math.pi * i / points)) for i in range(points + 1)], "<i2")


def lower(node: Spectrum) -> list[Step]:
    window, points = np.asarray(node.window, np.int32), node.fft_length // 2
    if points not in POINTS or window.size % GROUP or not 0 < window.size <= node.fft_length:
        reason = f"an FFT of {node.fft_length} over {window.size} samples"
        advice = f"it takes {2 * POINTS[0]} to {2 * POINTS[-1]}, a power of two, and samples by eights"
        raise node.refuse(reason, advice)
    if not 0 <= node.window_shift <= MAX_SHIFT or np.abs(window).max() > 1 << node.window_shift:
        raise node.refuse("its window makes samples larger", "use one of at most 1")
    bends = np.diff(window, 2, prepend=(0, 0))
    if bends.min() < -8 or bends.max() > 7:
        raise node.refuse("its window bends too much to be written in second differences of 4 bits", "use a longer one")
    fields = {
        "flags": PEAK_WRAPS * node.peak_wraps,
        "window_shift": node.window_shift,
        "size": window.size,
        "points": points,
    }
    block = cosines(points).tobytes() + (bends[::2] & 15 | (bends[1::2] & 15) << 4).astype(np.uint8).tobytes()
    block += bytes(-len(block) % WORD)
    return [Step("SPECTRUM", node.name, [node.source], node.output, fields, [block], dtype="int16")]


def wrap16(x: np.ndarray) -> np.ndarray:
    return (x + 32768 & 0xFFFF) - 32768


def _rounded(x: np.ndarray) -> np.ndarray:
    """The rest of a product with a factor of 15 bits, halves upwards."""
    return wrap16(x + 16384 >> 15)


def _factors(wave: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(..., 2): e^-ia for angles up to one and a half of the wave's, which is half a turn."""
    half = len(wave) - 1
    return np.stack([wave[half - np.abs(at - half)] for at in (angles, angles + half // 2)], -1)


def _turned(re: np.ndarray, im: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times the complex factors (..., 2)."""
    fr, fi = factors[..., 0], factors[..., 1]
    return _rounded(re * fr - im * fi), _rounded(re * fi + im * fr)


def places(points: int) -> list[int]:
    """Where the FFT wants its inputs: digits to base 4 in reverse, the last one to base 2 if it does not come out."""
    found, size = [0], points
    while size > 1:
        base = min(4, size)
        size //= base
        found = [at + digit * size for digit in range(base) for at in found]
    return found


def peak(samples: np.ndarray, wraps: bool) -> int:
    """The largest magnitude in 16 bits: that of -32768 does not count, or is the largest until the next sample."""
    if not wraps:
        return max(0, int(wrap16(np.abs(samples)).max()))
    largest = 0
    for value in samples.tolist():
        if value > largest:
            largest = value
        elif -value > largest:
            largest = -value if value != -32768 else value
    return largest


def fft(z: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """(points, 2) complex numbers in their `places`: a fourth is lost at each step of four, a half at a step of two."""
    points = len(z)
    re, im = z[:, 0].copy(), z[:, 1].copy()
    size = 1
    if points.bit_length() % 2 == 0:
        size = 2
        pairs = [_rounded(v * 16383).reshape(-1, 2) for v in (re, im)]
        re, im = (wrap16(np.stack([v[:, 0] + v[:, 1], v[:, 0] - v[:, 1]], 1)).reshape(-1) for v in pairs)
    while size < points:
        (ar, br, cr, dr), (ai, bi, ci, di) = (_rounded(v * 8191).reshape(-1, 4, size).swapaxes(0, 1) for v in (re, im))
        first = np.arange(size) * (points // (2 * size))  # angles; those of 0 turn nothing
        (br, bi), (cr, ci), (dr, di) = (
            np.where(first > 0, _turned(*pair, _factors(wave, n * first)), pair)
            for n, pair in enumerate(((br, bi), (cr, ci), (dr, di)), 1)
        )
        sums, differences = (ar + cr, ai + ci, br + dr, bi + di), (ar - cr, ai - ci, br - dr, bi - di)
        real = [sums[0] + sums[2], differences[0] + differences[3], sums[0] - sums[2], differences[0] - differences[3]]
        imag = [sums[1] + sums[3], differences[1] - differences[2], sums[1] - sums[3], differences[1] + differences[2]]
        re, im = (wrap16(np.stack(v, 1)).reshape(-1) for v in (real, imag))
        size *= 4
    return np.stack([re, im], 1)


def energies(z: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """(points + 1,) of the bins of real samples, from the FFT of pairs of them as complex numbers."""
    points = len(z)
    first, last = _rounded(z[0] * 16383)
    k = np.arange(1, points // 2 + 1)
    mirrored = wrap16(z[points - k] * (1, -1))
    p, q = _rounded(z[k] * 16383), _rounded(mirrored * 16383)
    sums, differences = p + q, wrap16(p - q)
    tr, ti = _turned(differences[:, 0], differences[:, 1], _factors(wave, k + points // 2))
    made = np.zeros((points + 1, 2), np.int64)
    made[0, 0], made[points, 0] = first + last, first - last
    made[k] = np.stack([sums[:, 0] + tr >> 1, sums[:, 1] + ti >> 1], 1)
    made[points - k] = np.stack([sums[:, 0] - tr >> 1, ti - sums[:, 1] >> 1], 1)
    return (wrap16(made) ** 2).sum(1)


def run(context: Context) -> None:
    op = context.op
    size, points = op["size"], op["points"]
    block = context.block(0)
    wave = block[: 2 * (points + 1)].view(np.int16).astype(np.int64)
    pairs = block[2 * (points + 1) :][: size // 2].view(np.uint8).astype(np.int64)
    bends = (np.stack([pairs, pairs >> 4], 1).reshape(-1) + 8 & 15) - 8
    products = context.tensor((size,), dtype=np.int16) * np.cumsum(np.cumsum(bends))
    samples = wrap16(products.astype(np.int32) >> op["window_shift"]).astype(np.int64)
    wraps = bool(op["flags"] & PEAK_WRAPS)
    largest = peak(samples, wraps)
    shift = 0 if wraps and largest <= 0 else 15 - largest.bit_length()
    z = np.zeros((points, 2), np.int64)
    z[places(points)[: size // 2]] = wrap16(samples << shift).reshape(-1, 2)
    output = context.tensor((points + 2,), "output", np.uint32)
    output[:-1] = energies(fft(z, wave), wave)
    output[-1] = shift


_SAMPLES = Operand("input", ("size",), 2)
_ENERGIES = Operand("output", (total("points", 2),), WORD)

CHECK = Check(
    "spectrum",
    (
        parameters(
            at_most("flags", PEAK_WRAPS),
            at_most("window_shift", MAX_SHIFT),
            OneOf("points", POINTS),
            nonzero("size"),
            MultipleOf("size", GROUP),
            at_most("size", product("points", 2)),
            aligned(WORD, "input", "output"),
            equal("blocks", 1),
        ),
        weights(Holds(product(2, total("points", 1)), Ceil("size", 2))),
        fit(_SAMPLES, _ENERGIES),
    ),
)

DEFINITIONS = (
    Operator(
        72,
        "SPECTRUM",
        AUDIO,
        SPECTRUM,
        "spectrum",
        CHECK,
        (_SAMPLES, _ENERGIES),
        run,
        dtype="int16",
        has_blocks=True,
        constants=(
            Constant("PEAK_WRAPS", PEAK_WRAPS, "flag of SPECTRUM: a sample of -32768 ends the search for the peak"),
        ),
    ),
)
