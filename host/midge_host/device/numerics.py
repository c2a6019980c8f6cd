"""TensorFlow Lite Micro's integer arithmetic in NumPy and Python: docs/NUMERICS.md in code.

`Integers` are int64 arrays that hold int32 values, or Python integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..ir import operators as ir
from ..ir.graph import Node

Integers: TypeAlias = Any
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def wrap32(x: Integers) -> Integers:
    """The int32 value that two's complement arithmetic leaves of `x`."""
    return ((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def high_mul(a: Integers, b: Integers) -> Integers:
    """SaturatingRoundingDoublingHighMul: round(a * b / 2^31), halves upwards."""
    return (a * b + (1 << 30)) >> 31


def rounding_shift(x: Integers, exponent: Integers) -> Integers:
    """RoundingDivideByPOT: round(x / 2^exponent), halves away from zero."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def rescale(x: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """MultiplyByQuantizedMultiplier: x * multiplier / 2^31 * 2^shift with two roundings."""
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    return rounding_shift(high_mul(wrap32(x << left), multiplier), right)


def rescale_wide(x: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """MultiplyByQuantizedMultiplier of int64 sums: a multiplier of 15 bits, one rounding; `shift` up to 7."""
    reduced = np.where(multiplier < 0x7FFF0000, (multiplier + (1 << 15)) >> 16, 0x7FFF)
    right = 15 - shift
    return wrap32((x * reduced + (1 << (right - 1))) >> right)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """QuantizeMultiplier: (multiplier in [2^30, 2^31), shift) with real = multiplier / 2^31 * 2^shift."""
    if real == 0 or not math.isfinite(real):
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = round_away(fraction * (1 << 31))
    if multiplier == 1 << 31:
        multiplier >>= 1
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return INT32_MAX, 30
    return multiplier, shift


def round_away(x: float) -> int:
    """C's round(): halves away from zero."""
    return math.floor(abs(x) + 0.5) * (1 if x >= 0 else -1)


def rounded_away(x: np.ndarray) -> np.ndarray:
    """The same of many, as float64."""
    real = np.asarray(x, np.float64)
    return np.sign(real) * np.floor(np.abs(real) + 0.5)


def quantize(real: float, scale: np.float32, zero_point: int) -> int:
    """zero_point + round(real / scale) with the quotient in float32, as TFLM quantises limits."""
    with np.errstate(over="ignore"):
        return zero_point + round_away(float(np.float32(real) / np.float32(scale)))


def clamp_limits(activation: str, scale: np.float32, zero_point: int, dtype: str = "int8") -> tuple[int, int]:
    """CalculateActivationRangeQuantized: least and largest output of a fused activation."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if activation in ("RELU", "RELU6"):
        low = max(low, quantize(0.0, scale, zero_point))
    if activation == "RELU6":
        high = min(high, quantize(6.0, scale, zero_point))
    if activation == "RELU_N1_TO_1":
        low = max(low, quantize(-1.0, scale, zero_point))
        high = min(high, quantize(1.0, scale, zero_point))
    return low, high


# gemmlowp's exp and reciprocal on int64 arrays. QI.F: I integer bits, F fractional bits.


def exp_on_negative(a: np.ndarray, integer_bits: int) -> np.ndarray:
    """exp(a) in Q0.31 for a <= 0 with `integer_bits` <= 5; gemmlowp's exp_on_negative_values."""
    quarter = 1 << (29 - integer_bits)
    fraction = (a & (quarter - 1)) - quarter
    remainder = fraction - a
    x = (fraction << integer_bits) + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4 = high_mul(x2, x2)
    tail = rounding_shift(x4, 2) + x3
    tail = rounding_shift(high_mul(tail, 715827883) + x2, 1)
    result = 1895147668 + high_mul(x + tail, 1895147668)
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for i, factor in enumerate(factors[: integer_bits + 2]):
        bit = remainder >> (29 - integer_bits + i) & 1
        result = np.where(bit, high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _twice_reciprocal(a: np.ndarray) -> np.ndarray:
    """2 / (1 + a) in Q2.29 for a in [0, 1) in Q0.31."""
    half = (a + INT32_MAX + 1) >> 1
    x = 1515870810 + high_mul(half, -1010580540)
    for _ in range(3):
        x = x + high_mul(x, (1 << 29) - high_mul(half, x)) * 4
    return x


def reciprocal(a: np.ndarray) -> np.ndarray:
    """1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31; gemmlowp's one_over_one_plus_x_for_x_in_0_1."""
    return np.minimum(_twice_reciprocal(a) * 2, INT32_MAX)


def tanh(a: np.ndarray, integer_bits: int) -> np.ndarray:
    """tanh(a) in Q0.31; gemmlowp's, with (1 - x) / (1 + x) of x = exp(-2 |a|)."""
    ratio = (_twice_reciprocal(exp_on_negative(-np.abs(a), integer_bits + 1)) - (1 << 29)) * 4
    return np.sign(a) * np.minimum(ratio, INT32_MAX)


def log_of_sum(x: np.ndarray) -> np.ndarray:
    """log(x) in Q5.26 for x >= 1 in Q12.19; TFLM's log_x_for_x_greater_than_or_equal_to_1."""
    root_half, fourth_root_half, quarter = 1518500250, 1805811301, 1 << 23
    zeros = 31 - np.floor(np.log2(x)).astype(np.int64)
    r = np.minimum(high_mul(x << (zeros - 1), root_half) * 2, INT32_MAX)
    power = (12 - zeros) * (1 << 25) + quarter
    zeros = 30 - np.floor(np.log2(high_mul(x, root_half))).astype(np.int64)
    r = np.minimum(r, x << zeros)
    power = np.maximum(power, (12 - zeros) * (1 << 25) - quarter)
    p = (r + fourth_root_half + 1) >> 1
    q = (r - fourth_root_half) * 2
    q2 = high_mul(q, q)
    numerator = high_mul(q, r) + high_mul(high_mul(q, q2), 117049297)
    denominator = high_mul(p, 1057819769 + q + high_mul(127690142, q2)) + high_mul(638450708, q)
    fraction = high_mul(rounding_shift(numerator, np.int64(6)), reciprocal(denominator))
    return (high_mul(power, 1488522236) + fraction) * 2


def inverse_square_root(x: int) -> tuple[int, int]:
    """GetInvSqrtQuantizedMultiplierExp: 1 / sqrt(x) as (multiplier, shift); 0 counts as 1."""
    if x <= 1:
        return INT32_MAX, 0
    right = 11
    while x >= 1 << 29:
        x //= 4
        right += 1
    pairs = (31 - x.bit_length()) // 2 - 1
    half = rounding_shift((x << 2 * pairs) >> 1, 1)
    root = 1 << 28  # Q3.28, as half; Newton's method from 1
    for _ in range(5):
        cube = high_mul(high_mul(root, root), root) << 6
        root = (high_mul(3 << 27, root) - high_mul(half, cube)) << 3
    right -= pairs
    return high_mul(root, 1518500250) << max(-right, 0), -max(right, 0)


def input_radius(integer_bits: int, left_shift: int) -> int:
    """CalculateInputRadius: the largest input that `left_shift` leaves within `integer_bits`."""
    return math.floor(((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / (1 << left_shift))


def softmax_parameters(beta: float, scale: np.float32) -> tuple[int, int, int]:
    """PreprocessSoftmaxScaling: multiplier, left shift and the least difference that counts."""
    real = min(float(np.float32(beta)) * float(scale) * (1 << 26), (1 << 31) - 1.0)
    multiplier, shift = quantize_multiplier(real)
    return multiplier, shift, -input_radius(5, shift)


def interpolated_table(function: Callable[[np.ndarray], np.ndarray], scale: np.float32, zero_point: int) -> np.ndarray:
    """LUTPopulate for int16: 513 values of a function of scale * (q - zero_point), in 2/65535, for straight lines
    between them. Each is moved by half of what the line misses in its middle. All in float32."""
    start, end = (scale * np.float32(q - zero_point) for q in (-32768, 32767))
    step = (end - start) / np.float32(512)
    out_scale = np.float32(2) / np.float32(65535)
    inverse = np.float32(65536) / (out_scale * np.float32(32767) - out_scale * np.float32(-32768))
    i = np.arange(513, dtype=np.float32)
    at, middle = function(start + i * step) * inverse, function(start + i * step + step / np.float32(2)) * inverse
    value = _round32(at)
    missed = _round32((at[1:] + value[:-1]) / np.float32(2)) - _round32(middle[:-1])
    value[:-1] -= _round32(missed / np.float32(2))
    value[-1:] = _round32(function(end[None]) * inverse)
    return np.clip(value, -32768, 32767).astype(np.int16)


def look_up(table: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The function of `interpolated_table` at int16 values."""
    index = (x >> 7) + 256
    base = table[index].astype(np.int64)
    slope = (table[index + 1] - table[index]).astype(np.int64)  # wraps as int16
    return (base + ((slope * (x & 127) + 64) >> 7)).astype(np.int16).astype(np.int64)


def _round32(x: np.ndarray) -> np.ndarray:
    """TfLiteRound of float32 values."""
    return rounded_away(x).astype(np.float32)


# Functions of one int8 value as tables: entry i is the output for q = i - 128.


def _table(out: np.ndarray) -> np.ndarray:
    return np.clip(out, -128, 127).astype(np.int8)


def _inputs(zero_point: int) -> np.ndarray:
    return np.arange(-128, 128, dtype=np.int64) - zero_point


def _scaled(x: np.ndarray, real: float) -> np.ndarray:
    multiplier, shift = quantize_multiplier(real)
    return rescale(x, np.int64(multiplier), np.int64(shift))


def _saturating_table(scale: np.float32, zero_point: int, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """LOGISTIC and TANH: `function` takes Q4.27, and gives the output; inputs that Q4.27 cannot hold saturate."""
    fraction, shift = math.frexp(float(scale) * (1 << 27))
    multiplier = round_away(fraction * (1 << 31))
    radius = input_radius(4, shift) if shift >= 0 else INT32_MAX
    x = _inputs(zero_point)
    out = function(rescale(np.clip(x, -radius, radius), np.int64(multiplier), np.int64(shift)))
    return _table(np.where(x <= -radius, -128, np.where(x >= radius, 127, out)))


def logistic_table(scale: np.float32, zero_point: int) -> np.ndarray:
    """LOGISTIC with output scale 1/256 and zero point -128."""

    def logistic(q4: np.ndarray) -> np.ndarray:
        positive = reciprocal(exp_on_negative(-np.abs(q4), 4))
        result = np.where(q4 > 0, positive, INT32_MAX - positive)
        return rounding_shift(np.where(q4 == 0, 1 << 30, result), np.int64(23)) - 128

    return _saturating_table(scale, zero_point, logistic)


def tanh_table(scale: np.float32, zero_point: int) -> np.ndarray:
    """TANH; the output's scale is 1/128, its zero point 0."""
    return _saturating_table(scale, zero_point, lambda q4: rounding_shift(tanh(q4, 4), np.int64(24)))


def requantize_table(scale: np.float32, zero_point: int, out_scale: np.float32, out_zero: int) -> np.ndarray:
    """QUANTIZE from int8 to int8."""
    return _table(_scaled(_inputs(zero_point), float(scale) / float(out_scale)) + out_zero)


def relu_table(
    low: float, high: float | None, scale: np.float32, zero_point: int, out_scale: np.float32, out_zero: int
) -> np.ndarray:
    """RELU as TFLM computes it: requantised, then clamped."""
    least = max(-128, quantize(low, out_scale, out_zero))
    largest = 127 if high is None else min(127, quantize(high, out_scale, out_zero))
    return np.clip(requantize_table(scale, zero_point, out_scale, out_zero), least, largest)


def relu6_table(scale: np.float32, zero_point: int) -> np.ndarray:
    """RELU6 as TFLM computes it: a clamp on the input's scale; the output's is not looked at."""
    six = max(-128, min(127, quantize(6.0, scale, zero_point)))
    return np.clip(np.arange(-128, 128), zero_point, six).astype(np.int8)


def leaky_relu_table(
    alpha: float, scale: np.float32, zero_point: int, out_scale: np.float32, out_zero: int
) -> np.ndarray:
    x = _inputs(zero_point)
    identity = float(scale) / float(out_scale)
    slope = float(scale) * alpha / float(out_scale)
    # Of a negative slope TFLM rounds the product with its amount, halves upwards, and then takes the sign.
    negative = _scaled(x, abs(slope)) * (1 if slope >= 0 else -1)
    return _table(np.where(x >= 0, _scaled(x, identity), negative) + out_zero)


def abs_table(scale: np.float32, zero_point: int, out_scale: np.float32, out_zero: int) -> np.ndarray:
    return _table(_scaled(np.abs(_inputs(zero_point)), float(scale) / float(out_scale)) + out_zero)


def rsqrt_table(scale: np.float32, out_scale: np.float32, out_zero: int) -> np.ndarray:
    """RSQRT with input zero point -128: TFLM takes no negative number."""
    multiplier, shift = quantize_multiplier(1.0 / (math.sqrt(float(scale)) * float(out_scale)))
    out = [127]
    for x in range(1, 256):
        inverse, exponent = inverse_square_root(x)
        root = rescale(np.int64(1), np.int64(inverse), np.int64(exponent + 20))
        out.append(int(rescale(root, np.int64(multiplier), np.int64(shift - 20))) + out_zero)
    return _table(np.array(out))


def elu_table(scale: np.float32, zero_point: int, out_scale: np.float32, out_zero: int) -> np.ndarray | None:
    """ELU as TFLM computes it, in float32; None where that overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        x = scale * _inputs(zero_point).astype(np.float32)
        real = np.where(x < 0, _in_double(np.exp, np.minimum(x, 0)) - np.float32(1), x) * (np.float32(1) / out_scale)
    return _rounded(real, out_zero)


def _in_double(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """The results of a float32 function of a good C library: the float64 result, rounded."""
    return function(x.astype(np.float64)).astype(np.float32)


def _rounded(real: np.ndarray, zero_point: int) -> np.ndarray | None:
    """int8 outputs of float32 quotients, halves away from zero; None if one is not finite."""
    if not np.isfinite(real).all():
        return None
    return _table(rounded_away(real) + zero_point)


def _logistic(x: np.ndarray) -> np.ndarray:
    """TFLM's of a float32: exp alone below -9, 1 above 16.62."""
    exp = _in_double(np.exp, np.minimum(x, 0))
    upper = np.float32(1) / (np.float32(1) + _in_double(np.exp, -x))
    return np.where(x > np.float32(16.619047), np.float32(1), np.where(x < -9, exp, upper))


def _gelu(node: ir.Gelu, x: np.ndarray) -> np.ndarray:
    """TensorFlow Lite's of a float32."""
    if node.is_approximate:
        inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
        return np.float32(0.5) * x * (np.float32(1) + _in_double(np.tanh, inner))
    return np.float32(0.5) * x * (np.float32(1) + _erf(x * np.float32(math.sqrt(0.5))))


def _erf(x: np.ndarray) -> np.ndarray:
    return np.vectorize(math.erf, otypes=[np.float32])(x)


def _in_double2(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda node, x, y: function(x.astype(np.float64), y.astype(np.float64)).astype(np.float32)


def _clamped(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    limits = {"NONE": (-np.inf, np.inf), "RELU": (0, np.inf), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}
    return lambda node, x, y: np.clip(function(x, y), *map(np.float32, limits[node.activation.value]))


def _floor_mod(node: ir.FloorMod, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    rest = np.fmod(x, y)
    return np.where((rest != 0) & ((y < 0) != (rest < 0)), rest + y, rest)


# Functions of float32 (or bool) arrays, of an operator and its operands: as TFLM computes them, in float32; those of
# the C library are the float64 result, rounded. What TFLM has not is as the evaluator's.
FLOAT_FUNCTIONS: dict[type[Node], Callable[..., np.ndarray]] = {
    ir.Logistic: lambda node, x: _logistic(x),
    ir.Tanh: lambda node, x: _in_double(np.tanh, x),
    ir.HardSwish: lambda node, x: x * np.clip(x + np.float32(3), 0, 6) / np.float32(6),
    ir.Elu: lambda node, x: np.where(x < 0, _in_double(np.expm1, np.minimum(x, 0)), x),
    ir.Relu: lambda node, x: np.maximum(x, 0),
    ir.Relu6: lambda node, x: np.clip(x, 0, 6),
    ir.ReluN1To1: lambda node, x: np.clip(x, -1, 1),
    ir.LeakyRelu: lambda node, x: np.where(x > 0, x, x * np.float32(node.alpha)),
    ir.Gelu: _gelu,
    ir.Softplus: lambda node, x: _in_double(lambda v: np.logaddexp(v, 0), x),
    ir.Selu: lambda node, x: _in_double(_selu, x),
    ir.Mish: lambda node, x: _in_double(lambda v: v * np.tanh(np.logaddexp(v, 0)), x),
    ir.Erf: lambda node, x: _erf(x),
    ir.Sign: lambda node, x: np.sign(x),
    ir.Abs: lambda node, x: np.abs(x),
    ir.Sqrt: lambda node, x: np.sqrt(x),
    ir.Rsqrt: lambda node, x: np.float32(1) / np.sqrt(x),
    ir.Exp: lambda node, x: _in_double(np.exp, x),
    ir.Log: lambda node, x: _in_double(np.log, x),
    ir.Sin: lambda node, x: _in_double(np.sin, x),
    ir.Cos: lambda node, x: _in_double(np.cos, x),
    ir.Neg: lambda node, x: np.negative(x),
    ir.Square: lambda node, x: np.square(x),
    ir.Floor: lambda node, x: np.floor(x),
    ir.Ceil: lambda node, x: np.ceil(x),
    ir.Round: lambda node, x: np.rint(x),
    ir.Cast: lambda node, x: x.astype(node.output.dtype),
    ir.LogicalNot: lambda node, x: ~x,
    ir.Add: _clamped(np.add),
    ir.Sub: _clamped(np.subtract),
    ir.Mul: _clamped(np.multiply),
    ir.Div: _clamped(np.divide),
    ir.FloorDiv: _in_double2(lambda x, y: np.floor(x / y)),
    ir.FloorMod: _floor_mod,
    ir.Pow: _in_double2(np.power),
    ir.Maximum: lambda node, x, y: np.maximum(x, y),
    ir.Minimum: lambda node, x, y: np.minimum(x, y),
    ir.SquaredDifference: lambda node, x, y: np.square(x - y),
    ir.PRelu: lambda node, x, y: np.where(x >= 0, x, x * y),
    ir.Equal: lambda node, x, y: x == y,
    ir.NotEqual: lambda node, x, y: x != y,
    ir.Greater: lambda node, x, y: x > y,
    ir.GreaterEqual: lambda node, x, y: x >= y,
    ir.Less: lambda node, x, y: x < y,
    ir.LessEqual: lambda node, x, y: x <= y,
    ir.LogicalAnd: lambda node, x, y: x & y,
    ir.LogicalOr: lambda node, x, y: x | y,
    ir.Select: lambda node, condition, x, y: np.asarray(np.where(condition, x, y)),
}


def _selu(x: np.ndarray) -> np.ndarray:
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def dequantized(scale: np.float32, zero_point: int) -> np.ndarray:
    """The float32 value of every int8."""
    return scale * _inputs(zero_point).astype(np.float32)


def quantized(real: np.ndarray, scale: np.float32, zero_point: int) -> np.ndarray:
    """QUANTIZE of float32 values to int8. Infinities give the limits, what is no number the least value."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _saturated(real / scale, zero_point)


def function_table(
    node: ir.Elementwise, scale: np.float32, zero_point: int, out_scale: np.float32, out_zero: int
) -> np.ndarray:
    """One of FLOAT_FUNCTIONS as TensorFlow Lite tabulates it (LUTPopulate): times 1 / output scale, all in float32."""
    with np.errstate(all="ignore"):
        real = FLOAT_FUNCTIONS[type(node)](node, dequantized(scale, zero_point)).astype(np.float32)
        return _saturated(real * (np.float32(1) / out_scale), out_zero)


def _saturated(quotient: np.ndarray, zero_point: int) -> np.ndarray:
    real = np.nan_to_num(quotient.astype(np.float64), nan=-np.inf, posinf=1e9, neginf=-1e9)
    return _table(np.clip(np.sign(real) * np.floor(np.abs(real) + 0.5) + zero_point, -1e9, 1e9))


def hard_swish_table(scale: np.float32, zero_point: int, out_scale: np.float32, out_zero: int) -> np.ndarray | None:
    """HARD_SWISH in int16; None for scales so far apart that TFLM's shifts lose their meaning."""
    fine = float(scale) / 128
    multiplier, shift = quantize_multiplier(fine / float(out_scale))
    relu_multiplier, relu_shift = quantize_multiplier(fine / (3 / 32768))
    if not -15 <= shift <= 0 or relu_shift < -15:
        return None
    x = _inputs(zero_point) << 7
    relu = x
    if relu_shift > 0:
        relu = _saturate16(relu << (relu_shift - 1))
    relu = _high_mul16(relu, _multiplier16(relu_multiplier))
    if relu_shift > 0:
        relu = _saturate16(relu << 1)
    relu = rounding_shift(relu, np.int64(max(-relu_shift, 0)))
    relu = (relu + (1 << 15)) >> 1
    product = relu * _high_mul16(x, _multiplier16(multiplier))
    out = np.sign(product) * (np.abs(product) >> 15)
    return _table(rounding_shift(out, np.int64(-shift)) + out_zero)


def _saturate16(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -(1 << 15), (1 << 15) - 1)


def _high_mul16(a: np.ndarray, b: int) -> np.ndarray:
    return (a * b + (1 << 14)) >> 15


def _multiplier16(multiplier: int) -> int:
    """DownScaleInt32ToInt16Multiplier."""
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1)
