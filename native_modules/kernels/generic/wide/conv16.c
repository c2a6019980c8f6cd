// CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED of int16 activations with int8 weights.

#include "bytes.h"
#include "fixed_point_wide.h"
#include "window.h"

#define PART 256 // products of int16 and int8 whose sum fits into 32 bits

typedef struct {
    int64_t bias;
    int32_t multiplier;
    int32_t shift;
} channel_t;

static int is_depthwise(const midge_window16_t *op) {
    return op->code == MIDGE_DEPTHWISE_CONV_2D;
}

static uint32_t row_bytes(const midge_window16_t *op) {
    uint32_t taps = (uint32_t)op->kernel_h * op->kernel_w;
    return is_depthwise(op) ? taps : midge_times(taps, op->in_c);
}

// Output channels for each input channel that one reads.
static uint32_t channel_multiplier(const midge_window16_t *op) {
    return is_depthwise(op) ? midge_divide(op->out_c, op->in_c) : op->out_c;
}

// A channel in a block: int48 bias, int16 shift, int32 multiplier.
static channel_t read_channel(const midge_window16_t *op, const uint8_t *p) {
    const int64_t upper = midge_int16_at(p + 4);
    const int32_t shift = midge_int16_at(p + 6), most = op->flags & MIDGE_NARROW ? 30 : 7;
    channel_t channel;
    channel.bias = upper * ((int64_t)1 << 32) + midge_uint32_at(p);
    channel.shift = shift < -31 ? -31 : shift > most ? most : shift;
    channel.multiplier = (int32_t)(midge_uint32_at(p + 8) & INT32_MAX);
    return channel;
}

// The sum of `n` products; from one x to the next it is `step` elements.
static int64_t dot(const int16_t *x, uint32_t step, const int8_t *w, uint32_t n) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < n;) {
        uint32_t end = n - i < PART ? n : i + PART;
        int32_t part = 0;
        for (; i < end; i++) {
            part += x[i * step] * w[i];
        }
        sum += part;
    }
    return sum;
}

// The window at row y and column x of an image that begins with the first channel to be read.
static int64_t window(const midge_window16_t *op, const int16_t *image, const int8_t *w, int32_t y,
    int32_t x) {
    const uint32_t depth = is_depthwise(op) ? 1 : op->in_c;
    const uint32_t step = (uint32_t)op->dilation_w * op->in_c; // from tap to tap
    int32_t top, bottom, left, right;
    midge_taps(y, op->in_h, op->kernel_h, op->dilation_h, &top, &bottom);
    midge_taps(x, op->in_w, op->kernel_w, op->dilation_w, &left, &right);
    const uint32_t taps = left < right ? (uint32_t)(right - left) : 0;
    int64_t sum = 0;
    for (int32_t ky = top; ky < bottom && taps; ky++) {
        const int32_t pixel = (y + ky * op->dilation_h) * op->in_w + x + left * op->dilation_w;
        const int16_t *p = image + (uint32_t)pixel * op->in_c;
        const int8_t *row = w + ((uint32_t)ky * op->kernel_w + (uint32_t)left) * depth;
        if (depth == 1) {
            sum += dot(p, step, row, taps);
        } else if (step == depth) { // taps without gaps
            sum += dot(p, 1, row, taps * depth);
        } else {
            for (uint32_t tap = 0; tap < taps; tap++) {
                sum += dot(p + tap * step, 1, row + tap * depth, depth);
            }
        }
    }
    return sum;
}

// One channel over the whole image.
static void channel_of(const midge_window16_t *op, channel_t channel, const int8_t *w,
    const int16_t *image, int16_t *out) {
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        for (int32_t ox = 0; ox < op->out_w; ox++, out += op->out_c) {
            int64_t sum = channel.bias
                + window(op, image, w, oy * op->stride_h - op->pad_top,
                    ox * op->stride_w - op->pad_left);
            int32_t q = op->flags & MIDGE_NARROW
                ? midge_rescale((int32_t)sum, channel.multiplier, channel.shift)
                : midge_rescale_wide(sum, channel.multiplier, channel.shift);
            *out = midge_clamp16(q, op->clamp_min, op->clamp_max);
        }
    }
}

void midge_conv16(const midge_call_t *call) {
    const midge_window16_t *op = call->op;
    const int16_t *image = (const int16_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    const uint32_t multiplier = channel_multiplier(op);
    const uint8_t *block = call->weights;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const int8_t *rows = (const int8_t *)block + op->block_channels * MIDGE_CHANNEL16_BYTES;
        for (uint32_t i = 0; i < op->block_channels; i++) {
            const uint32_t c = b * op->block_channels + i;
            const channel_t channel = read_channel(op, block + i * MIDGE_CHANNEL16_BYTES);
            channel_of(op, channel, rows + i * row_bytes(op),
                image + midge_divide(c, multiplier), out + c);
        }
    }
}
