"""SPECTRUM: samples under a window, scaled up to 16 bits, their real FFT in 16 bits, the energy of each bin."""

from __future__ import annotations

import math

import numpy as np

from ...ir.operators import Spectrum
from ..banks import AUDIO
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import (
    Check,
    Choice,
    HasFlag,
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

SYMMETRIC, PEAK_WRAPS = 1, 2
POINTS = tuple(1 << i for i in range(4, 12))  # complex points of the FFT: two samples each
MAX_SHIFT = 15
WORD = 4  # bytes: a complex number, an energy, two values of the window
ONE = 32767  # of a twiddle factor

SPECTRUM = record(
    "spectrum",
    "flags 1: the window is symmetric, and the block holds its first half; 2: a sample of -32768 ends the search for "
    "the peak, as it does in TensorFlow Lite Micro.",
    [
        ("H", "size", "samples, int16; a multiple of 4"),
        ("H", "points", "complex points of the FFT, a power of two from 16 to 2048: a half of its samples"),
        ("B", "window_shift", "bits that a sample times the window loses"),
    ],
)


def twiddles(points: int) -> np.ndarray:
    """(points * 5 / 4, 2): for each j below points / 4 the three factors of a butterfly of four, at j, 2 j and 3 j of
    `points`; then those that make a spectrum of real samples of one of complex points. Real parts before imaginary
    ones."""
    turns = [j * n / points for j in range(points // 4) for n in (1, 2, 3)]
    turns += [((k + 1) / points + 0.5) / 2 for k in range(points // 2)]
    pairs = [(math.cos(-2 * math.pi * t), math.sin(-2 * math.pi * t)) for t in turns]
    return np.array([[math.floor(0.5 + ONE * v) for v in pair] for pair in pairs], "<i2")


def lower(node: Spectrum) -> list[Step]:
    window, points = np.asarray(node.window, "<i2"), node.fft_length // 2
    if points not in POINTS or window.size % 4 or not 0 < window.size <= node.fft_length:
        reason = f"an FFT of {node.fft_length} over {window.size} samples"
        raise node.refuse(reason, f"it takes {2 * POINTS[0]} to {2 * POINTS[-1]}, a power of two, and samples by fours")
    if not 0 <= node.window_shift <= MAX_SHIFT or np.abs(window.astype(np.int32)).max() > 1 << node.window_shift:
        raise node.refuse("its window makes samples larger", "use one of at most 1")
    symmetric = np.array_equal(window, window[::-1])
    block = twiddles(points).tobytes() + window[: window.size // (1 + symmetric)].tobytes()
    fields = {
        "flags": SYMMETRIC * symmetric | PEAK_WRAPS * node.peak_wraps,
        "window_shift": node.window_shift,
        "size": window.size,
        "points": points,
    }
    return [Step("SPECTRUM", node.name, [node.source], node.output, fields, [block], dtype="int16")]


def wrap16(x: np.ndarray) -> np.ndarray:
    return (x + 32768 & 0xFFFF) - 32768


def _rounded(x: np.ndarray) -> np.ndarray:
    """The rest of a product with a factor of 15 bits, halves upwards."""
    return wrap16(x + 16384 >> 15)


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


def fft(z: np.ndarray, factors: np.ndarray) -> np.ndarray:
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
        step = points // (4 * size)
        chosen = np.concatenate([np.full((1, 3, 2), (ONE, 0)), factors[step : size * step : step]])
        (br, bi), (cr, ci), (dr, di) = (
            _turned(*pair, chosen[:, i]) for i, pair in enumerate(((br, bi), (cr, ci), (dr, di)))
        )
        sums, differences = (ar + cr, ai + ci, br + dr, bi + di), (ar - cr, ai - ci, br - dr, bi - di)
        real = [sums[0] + sums[2], differences[0] + differences[3], sums[0] - sums[2], differences[0] - differences[3]]
        imag = [sums[1] + sums[3], differences[1] - differences[2], sums[1] - sums[3], differences[1] + differences[2]]
        re, im = (wrap16(np.stack(v, 1)).reshape(-1) for v in (real, imag))
        size *= 4
    return np.stack([re, im], 1)


def energies(z: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """(points + 1,) of the bins of real samples, from the FFT of pairs of them as complex numbers."""
    points = len(z)
    first, last = _rounded(z[0] * 16383)
    k = np.arange(1, points // 2 + 1)
    mirrored = wrap16(z[points - k] * (1, -1))
    p, q = _rounded(z[k] * 16383), _rounded(mirrored * 16383)
    sums, differences = p + q, wrap16(p - q)
    tr, ti = _turned(differences[:, 0], differences[:, 1], factors)
    made = np.zeros((points + 1, 2), np.int64)
    made[0, 0], made[points, 0] = first + last, first - last
    made[k] = np.stack([sums[:, 0] + tr >> 1, sums[:, 1] + ti >> 1], 1)
    made[points - k] = np.stack([sums[:, 0] - tr >> 1, ti - sums[:, 1] >> 1], 1)
    return (wrap16(made) ** 2).sum(1)


def run(context: Context) -> None:
    op = context.op
    size, points = op["size"], op["points"]
    words = points // 4 * 3
    block = context.block(0).view(np.int16)
    factors = block[: 2 * (words + points // 2)].reshape(-1, 2).astype(np.int64)
    halves = 1 + (op["flags"] & SYMMETRIC)
    window = block[factors.size : factors.size + size // halves].astype(np.int64)
    if halves == 2:
        window = np.concatenate([window, window[::-1]])
    samples = wrap16(context.tensor((size,), dtype=np.int16).astype(np.int64) * window >> op["window_shift"])
    wraps = bool(op["flags"] & PEAK_WRAPS)
    largest = peak(samples, wraps)
    shift = 0 if wraps and largest <= 0 else 15 - largest.bit_length()
    z = np.zeros((points, 2), np.int64)
    z[places(points)[: size // 2]] = wrap16(samples << shift).reshape(-1, 2)
    output = context.tensor((points + 2,), "output", np.uint32)
    output[:-1] = energies(fft(z, factors[:words].reshape(-1, 3, 2)), factors[words:])
    output[-1] = shift


_SAMPLES = Operand("input", ("size",), 2)
_ENERGIES = Operand("output", (total("points", 2),), WORD)

CHECK = Check(
    "spectrum",
    (
        parameters(
            at_most("flags", SYMMETRIC | PEAK_WRAPS),
            at_most("window_shift", MAX_SHIFT),
            OneOf("points", POINTS),
            nonzero("size"),
            MultipleOf("size", 4),
            at_most("size", product("points", 2)),
            aligned(2, "input"),
            aligned(WORD, "output"),
            equal("blocks", 1),
        ),
        weights(Holds(product("points", 5), product("size", Choice(HasFlag(SYMMETRIC), 1, 2)))),
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
            Constant("SYMMETRIC", SYMMETRIC, "flag of SPECTRUM: the block holds the first half of the window"),
            Constant("PEAK_WRAPS", PEAK_WRAPS, "flag of SPECTRUM: a sample of -32768 ends the search for the peak"),
        ),
    ),
)
