// CONV_2D, and FULLY_CONNECTED as a 1x1 convolution with a row per pixel.

#include "call.h"
#include "window.h"

#ifndef MIDGE_TUNED_CONV

// Output channels computed together, so that an input value is loaded once for all of them; and
// pixels where their windows lie within the image, so that a weight serves both (measured:
// docs/performance.md).
#define LANES 4
#define PIXELS MIDGE_PIXELS

typedef struct {
    const int8_t *row[LANES]; // a weight row [kernel_h][kernel_w][in_c] each
    uint32_t acc[PIXELS][LANES];
} lanes_t;

// acc[0] += w[at .. at + n - 1] . x
static void accumulate(lanes_t *lanes, uint32_t at, const int8_t *x, uint32_t n) {
    const int8_t *w0 = lanes->row[0] + at;
    const int8_t *w1 = lanes->row[1] + at;
    const int8_t *w2 = lanes->row[2] + at;
    const int8_t *w3 = lanes->row[3] + at;
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
    for (uint32_t i = 0; i < n; i++) {
        int32_t v = x[i];
        a0 += v * w0[i];
        a1 += v * w1[i];
        a2 += v * w2[i];
        a3 += v * w3[i];
    }
    lanes->acc[0][0] += a0;
    lanes->acc[0][1] += a1;
    lanes->acc[0][2] += a2;
    lanes->acc[0][3] += a3;
}

#if PIXELS == 2
// The same for two pixels, at x and y.
static void accumulate_both(lanes_t *lanes, uint32_t at, const int8_t *x, const int8_t *y,
    uint32_t n) {
    const int8_t *w0 = lanes->row[0] + at;
    const int8_t *w1 = lanes->row[1] + at;
    const int8_t *w2 = lanes->row[2] + at;
    const int8_t *w3 = lanes->row[3] + at;
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
    for (uint32_t i = 0; i < n; i++) {
        int32_t u = x[i], v = y[i];
        a0 += u * w0[i];
        b0 += v * w0[i];
        a1 += u * w1[i];
        b1 += v * w1[i];
        a2 += u * w2[i];
        b2 += v * w2[i];
        a3 += u * w3[i];
        b3 += v * w3[i];
    }
    uint32_t *acc = lanes->acc[0];
    acc[0] += a0;
    acc[1] += a1;
    acc[2] += a2;
    acc[3] += a3;
    acc = lanes->acc[1];
    acc[0] += b0;
    acc[1] += b1;
    acc[2] += b2;
    acc[3] += b3;
}
#endif

// The same where the window hangs over the border: every x is `zero`, the zero point of the input.
static void accumulate_padding(lanes_t *lanes, uint32_t at, int32_t zero, uint32_t n) {
    for (uint32_t lane = 0; lane < LANES; lane++) {
        const int8_t *w = lanes->row[lane] + at;
        uint32_t sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            sum += w[i];
        }
        lanes->acc[0][lane] += sum * zero;
    }
}

static void window(const midge_window_t *op, const int8_t *input, int32_t y, int32_t x,
    lanes_t *lanes) {
    const int32_t in_h = op->in_h, in_w = op->in_w;
    const uint32_t in_c = op->in_c, line = op->kernel_w * in_c;
    int32_t first, last;
    midge_taps(x, in_w, op->kernel_w, op->dilation_w, &first, &last);
    // A line of taps is one run of bytes when it lies within the image and has no gaps.
    int whole = first == 0 && last == op->kernel_w && op->dilation_w == 1;
    uint32_t at = 0;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h, at += line) {
        if (y < 0 || y >= in_h) {
            accumulate_padding(lanes, at, op->input_zero, line);
            continue;
        }
        const int8_t *image = input + (uint32_t)(y * in_w) * in_c;
        if (whole) {
            accumulate(lanes, at, image + (uint32_t)x * in_c, line);
            continue;
        }
        int32_t ix = x;
        for (int32_t kx = 0; kx < op->kernel_w; kx++, ix += op->dilation_w) {
            if (kx < first || kx >= last) {
                accumulate_padding(lanes, at + kx * in_c, op->input_zero, in_c);
            } else {
                accumulate(lanes, at + kx * in_c, image + (uint32_t)ix * in_c, in_c);
            }
        }
    }
}

// `count` (1 to LANES) channels of a block, rows `oy` to `end` - 1 of the image.
static void channels(const midge_window_t *op, const midge_call_t *call, const uint8_t *block,
    uint32_t index, uint32_t count, int32_t oy, int32_t end, int8_t *out) {
    const int8_t *input = call->arena + op->input;
    const int8_t *rows = (const int8_t *)block + midge_entries_bytes(op);
    uint32_t row_bytes = (uint32_t)op->kernel_h * op->kernel_w * op->in_c;
    midge_channel_t channel[LANES];
    lanes_t lanes;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        // Lanes to spare repeat the last channel; their result is dropped.
        uint32_t i = index + (lane < count ? lane : count - 1);
        midge_channel(op, block, i, &channel[lane]);
        lanes.row[lane] = rows + i * row_bytes;
    }
    const int32_t stride = op->stride_w;
    for (; oy < end; oy++) {
        const int32_t y = oy * op->stride_h - op->pad_top;
#if PIXELS == 2
        const int whole = y >= 0 && y + (op->kernel_h - 1) * op->dilation_h < op->in_h
            && op->dilation_w == 1;
#endif
        for (int32_t ox = 0; ox < op->out_w;) {
            const int32_t x = ox * stride - op->pad_left;
            for (uint32_t lane = 0; lane < LANES; lane++) {
                for (int pixel = 0; pixel < PIXELS; pixel++) {
                    lanes.acc[pixel][lane] = channel[lane].bias;
                }
            }
            int32_t pixels = 1;
#if PIXELS == 2
            if (whole && x >= 0 && x + stride + op->kernel_w <= op->in_w && ox + 1 < op->out_w) {
                pixels = 2;
                const int8_t *image = input + (uint32_t)(y * op->in_w + x) * op->in_c;
                const uint32_t pitch = (uint32_t)op->dilation_h * op->in_w * op->in_c;
                const uint32_t line = op->kernel_w * op->in_c;
                uint32_t at = 0;
                for (uint32_t ky = 0; ky < op->kernel_h; ky++, at += line, image += pitch) {
                    accumulate_both(&lanes, at, image, image + stride * op->in_c, line);
                }
            } else
#endif
            {
                window(op, input, y, x, &lanes);
            }
            for (int32_t pixel = 0; pixel < pixels; pixel++, ox++, out += op->out_c) {
                for (uint32_t lane = 0; lane < count; lane++) {
                    out[lane] = midge_output(op, &channel[lane], lanes.acc[pixel][lane]);
                }
            }
        }
    }
}

MIDGE_FALLBACK void midge_conv(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const int32_t rows = midge_rows_at_once(op), out_h = op->out_h;
    int8_t *row = call->arena + op->output;
    for (int32_t oy = 0; oy < out_h; oy += rows, row += (uint32_t)rows * op->out_w * op->out_c) {
        const int32_t end = rows < out_h - oy ? oy + rows : out_h;
        const uint8_t *block = call->weights;
        for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
            int8_t *out = row + b * op->block_channels;
            for (uint32_t i = 0; i < op->block_channels; i += LANES) {
                uint32_t left = op->block_channels - i;
                channels(op, call, block, i, left < LANES ? left : LANES, oy, end, out + i);
            }
        }
    }
}

#endif
