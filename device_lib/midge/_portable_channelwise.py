# Of the portable core bank: the kernels that keep channels apart. Loaded when the first of them runs.

from array import array

from ._portable import _channels, _clamp, _lanes, _requantized, _rescale, _signed, _signs, _starts, _windows

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_DEPTHWISE_CONV_2D = const(2)
_AVERAGE_POOL_2D = const(4)
_MEAN = const(6)
_ADD = const(7)
_CODE = const(0)
_INPUT = const(-7)
_OUTPUT = const(-6)
_WINDOW_STRIDE_H = const(5)
_WINDOW_DILATION_H = const(7)
_WINDOW_DILATION_W = const(8)
_WINDOW_CLAMP_MIN = const(11)
_WINDOW_CLAMP_MAX = const(12)
_WINDOW_BIAS_BITS = const(13)
_WINDOW_IN_H = const(17)
_WINDOW_IN_C = const(19)
_WINDOW_OUT_H = const(20)
_WINDOW_OUT_W = const(21)
_WINDOW_KERNEL_H = const(23)
_WINDOW_KERNEL_W = const(24)
_WINDOW_PAD_TOP = const(25)
_WINDOW_MULTIPLIER = const(28)
_REDUCE_INPUT_ZERO = const(5)
_REDUCE_OUTPUT_ZERO = const(6)
_REDUCE_CLAMP_MIN = const(7)
_REDUCE_CLAMP_MAX = const(8)
_REDUCE_OUTER = const(9)
_REDUCE_REDUCE = const(10)
_REDUCE_INNER = const(11)
_REDUCE_MULTIPLIER = const(12)
_REDUCE_SHIFT = const(13)
_ADD_SHIFT1 = const(5)
_ADD_SHIFT2 = const(6)
_ADD_SHIFT = const(7)
_ADD_LEFT_SHIFT = const(8)
_ADD_ZERO1 = const(9)
_ADD_ZERO2 = const(10)
_ADD_OUTPUT_ZERO = const(11)
_ADD_CLAMP_MIN = const(12)
_ADD_CLAMP_MAX = const(13)
_ADD_INPUT2 = const(14)
_ADD_COUNT = const(15)
_ADD_MULTIPLIER1 = const(16)
_ADD_MULTIPLIER2 = const(17)
_ADD_MULTIPLIER = const(18)
# generated: end

_PIXELS = const(1024)  # of all channels of an image at a time


def kernel(op, *rest):
    """Runs a record as the kernels of _portable.py do."""
    code = op[_CODE]
    run = _depthwise_conv if code == _DEPTHWISE_CONV_2D else _mean if code == _MEAN else _add if code == _ADD else _pool
    run(op, *rest)


def _depthwise_conv(op, arena, weights, block, begin, end):
    # Lanes are the pixels of a channel, as x + 128, rows of the padded image behind one another: a tap is a shift.
    stride_h, stride_w, dilation_h, dilation_w, in_zero, zero, low, high = op[_WINDOW_STRIDE_H:_WINDOW_BIAS_BITS]
    _, _, in_c, out_h, out_w, out_c, kernel_h, kernel_w, _, _, channels = op[_WINDOW_IN_H:_WINDOW_MULTIPLIER]
    taps = kernel_h * kernel_w
    code, size = _lanes(taps)
    op = list(op)
    op[_WINDOW_DILATION_H] = op[_WINDOW_DILATION_W] = 1
    op[_WINDOW_KERNEL_W] = width = (out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1
    rows = max(1, _PIXELS // (width * stride_h * in_c))
    for first in range(0, out_h, rows):
        last = min(first + rows, out_h)
        op[_WINDOW_KERNEL_H] = (last - first - 1) * stride_h + (kernel_h - 1) * dilation_h + 1
        image, _ = next(_windows(op, arena, 0, 1, in_zero))
        op[_WINDOW_PAD_TOP] -= rows * stride_h
        count = len(image) // in_c
        signs = _signs(size, count)
        c = begin * channels
        starts = _starts(op, block, c, end * channels, taps)
        for start, (bias, multiplier, shift) in zip(starts, _channels(op, weights, block, c, end * channels)):
            w = _signed(weights, start, taps)
            bias -= 128 * sum(w)
            x = array(code, [image[i] ^ 128 for i in range(c * in_c // out_c, len(image), in_c)])
            x = int.from_bytes(x, "little")
            total = signs
            for i in range(taps):
                total += w[i] * (x >> 8 * size * (i // kernel_w * dilation_h * width + i % kernel_w * dilation_w))
            x = array(code, (total ^ signs).to_bytes(size * count, "little"))
            out = op[_OUTPUT] + first * out_w * out_c + c
            for i in range((last - first) * out_w):
                acc = x[i // out_w * stride_h * width + i % out_w * stride_w]
                arena[out] = _requantized(acc + bias, multiplier, shift, zero, low, high)
                out += out_c
            c += 1


def _pool(op, arena, weights, block, begin, end):
    average = op[_CODE] == _AVERAGE_POOL_2D
    in_c, out = op[_WINDOW_IN_C], op[_OUTPUT]
    op = list(op)
    op[_WINDOW_DILATION_H] = op[_WINDOW_DILATION_W] = 1
    for x, count in _windows(op, arena, 0, op[_WINDOW_OUT_H] * op[_WINDOW_OUT_W], -128):
        for c in range(in_c):
            best = 0
            if count:
                values = [x[i] ^ 128 for i in range(c, len(x), in_c)]
                if average:  # halves away from zero
                    total = sum(values) - 128 * count
                    best = (abs(total) + count // 2) // count
                    if total < 0:
                        best = -best
                else:
                    best = max(values) - 128
            arena[out] = _clamp(best, op[_WINDOW_CLAMP_MIN], op[_WINDOW_CLAMP_MAX]) & 255
            out += 1


def _mean(op, arena, weights, block, begin, end):
    outer, count, inner = op[_REDUCE_OUTER], op[_REDUCE_REDUCE], op[_REDUCE_INNER]
    multiplier, shift = op[_REDUCE_MULTIPLIER], op[_REDUCE_SHIFT]
    in_zero, out_zero = op[_REDUCE_INPUT_ZERO], op[_REDUCE_OUTPUT_ZERO]
    low, high = op[_REDUCE_CLAMP_MIN], op[_REDUCE_CLAMP_MAX]
    x = _signed(arena, op[_INPUT], outer * count * inner)
    out = op[_OUTPUT]
    for o in range(outer):
        for i in range(inner):
            at = o * count * inner + i
            total = sum([x[k] for k in range(at, at + count * inner, inner)]) - count * in_zero
            arena[out] = _requantized(total, multiplier, shift, out_zero, low, high)
            out += 1


def _add(op, arena, weights, block, begin, end):
    count, left = op[_ADD_COUNT], op[_ADD_LEFT_SHIFT]
    m1, m2, m = op[_ADD_MULTIPLIER1], op[_ADD_MULTIPLIER2], op[_ADD_MULTIPLIER]
    s1, s2, s = op[_ADD_SHIFT1], op[_ADD_SHIFT2], op[_ADD_SHIFT]
    zero1, zero2, out_zero = op[_ADD_ZERO1], op[_ADD_ZERO2], op[_ADD_OUTPUT_ZERO]
    low, high = op[_ADD_CLAMP_MIN], op[_ADD_CLAMP_MAX]
    a = _signed(arena, op[_INPUT], count)
    b = _signed(arena, op[_ADD_INPUT2], count)
    out = op[_OUTPUT]
    for i in range(count):
        total = _rescale((a[i] - zero1) << left, m1, s1) + _rescale((b[i] - zero2) << left, m2, s2)
        arena[out + i] = _requantized(total, m, s, out_zero, low, high)
