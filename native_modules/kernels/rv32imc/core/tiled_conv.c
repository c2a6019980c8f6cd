// CONV_2D and FULLY_CONNECTED: four pixels' windows are gathered, value by value, and meet all
// channels, four at a time. Single pixels meet eight channels at a time.

#include "target.h"

#ifdef MIDGE_KERNELS_RV32IMC

#include "conv_rv32imc.h"
#include "lanes.h"
#include "tiles.h"

typedef struct {
    const midge_window_t *op;
    const int8_t *input;
    int32_t x, y; // of the output pixel that comes next
} image_t;

// to[4 * i] = from[i] for i < count
static int8_t *spread(int8_t *to, const int8_t *from, uint32_t count) {
    for (; count >= 4; count -= 4, from += 4, to += 16) {
        const int8_t a = from[0], b = from[1], c = from[2], d = from[3];
        to[0] = a;
        to[4] = b;
        to[8] = c;
        to[12] = d;
    }
    for (; count > 0; count--, to += MIDGE_TILE_PIXELS) {
        *to = *from++;
    }
    return to;
}

static int8_t *fill(int8_t *to, int8_t value, uint32_t count) {
    for (; count > 0; count--, to += MIDGE_TILE_PIXELS) {
        *to = value;
    }
    return to;
}

// The next output pixel's window, every fourth byte from `to` on.
static void gather(image_t *image, int8_t *to) {
    const midge_window_t *op = image->op;
    const int8_t zero = (int8_t)op->input_zero;
    const uint32_t in_c = op->in_c, line = op->kernel_w * in_c;
    int32_t y = image->y * op->stride_h - op->pad_top;
    const int32_t x = image->x * op->stride_w - op->pad_left;
    int32_t first, last;
    midge_taps(x, op->in_w, op->kernel_w, op->dilation_w, &first, &last);
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
        if (y < 0 || y >= op->in_h || first >= last) {
            to = fill(to, zero, line);
            continue;
        }
        to = fill(to, zero, (uint32_t)first * in_c);
        const int32_t pixel = y * op->in_w + x + first * op->dilation_w;
        const int8_t *from = image->input + (uint32_t)pixel * in_c;
        if (op->dilation_w == 1) {
            to = spread(to, from, (uint32_t)(last - first) * in_c);
        } else {
            for (int32_t kx = first; kx < last; kx++, from += op->dilation_w * in_c) {
                to = spread(to, from, in_c);
            }
        }
        to = fill(to, zero, line - (uint32_t)last * in_c);
    }
    if (++image->x == op->out_w) {
        image->x = 0;
        image->y++;
    }
}

// Of the pixels of `tile` the first `pixels` are wanted, of its channels the first `channels`.
static void run_part(midge_tile_t *tile, uint32_t pixels, uint32_t channels) {
    int8_t outputs[MIDGE_TILE_PIXELS * MIDGE_TILE_CHANNELS];
    int8_t *to = tile->out;
    const uint32_t step = tile->out_step;
    tile->out = outputs;
    tile->out_step = MIDGE_TILE_CHANNELS;
    tile->groups = 1;
    midge_tile(tile);
    for (uint32_t p = 0; p < pixels; p++) {
        for (uint32_t c = 0; c < channels; c++) {
            to[p * step + c] = outputs[MIDGE_TILE_CHANNELS * p + c];
        }
    }
    tile->out = to + channels;
    tile->out_step = step;
}

// Of four pixels the first `pixels`, and all channels of the strip.
static void run_tile(midge_tile_t *tile, uint32_t pixels, uint32_t channels) {
    if (pixels == MIDGE_TILE_PIXELS && channels >= MIDGE_TILE_CHANNELS) {
        tile->groups = channels / MIDGE_TILE_CHANNELS;
        channels %= MIDGE_TILE_CHANNELS;
        midge_tile(tile);
    }
    while (channels > 0) {
        const uint32_t some = channels < MIDGE_TILE_CHANNELS ? channels : MIDGE_TILE_CHANNELS;
        run_part(tile, pixels, some);
        channels -= some;
    }
}

static int run_tiles(const midge_call_t *call, uint32_t depth, uint32_t pixels) {
    const midge_window_t *op = call->op;
    const uint32_t window_bytes = MIDGE_TILE_PIXELS * depth;
    const uint32_t out_bytes = pixels * op->out_c;
    const int apart = op->scratch + op->scratch_bytes <= op->output
        || op->output + out_bytes <= op->scratch;
    if (!apart || ((uintptr_t)(call->arena + op->scratch) & 3)
        || op->scratch_bytes < window_bytes + MIDGE_TILE_CHANNELS * sizeof(midge_lane_t)) {
        return 0;
    }
    midge_lane_t *lanes = (void *)(call->arena + op->scratch);
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    uint32_t strip = (op->scratch_bytes - window_bytes) / sizeof(midge_lane_t);
    strip &= ~(MIDGE_TILE_CHANNELS - 1u);
    if (strip < channels && midge_overlaps(op)) {
        return 0;
    }
    int8_t *windows = (int8_t *)(lanes + strip);
    midge_tile_t tile;
    tile.pixels = windows;
    tile.end = windows + window_bytes;
    tile.whole = tile.end - MIDGE_TILE_PIXELS * (depth % MIDGE_TILE_STEPS);
    tile.out_step = op->out_c;
    tile.zero = op->output_zero;
    tile.low = op->clamp_min;
    tile.high = op->clamp_max;
    int8_t *out = call->arena + op->output + call->begin * op->block_channels;
    for (uint32_t first = 0; first < channels; first += strip) {
        const uint32_t left = channels - first, count = left < strip ? left : strip;
        if (!midge_lanes(call, depth, first, count, lanes)) {
            return 0;
        }
        for (uint32_t c = count; c % MIDGE_TILE_CHANNELS; c++) {
            lanes[c] = lanes[0];
        }
        image_t image = {op, call->arena + op->input, 0, 0};
        int8_t *to = out + first;
        for (uint32_t at = 0; at < pixels; at += MIDGE_TILE_PIXELS) {
            uint32_t some = pixels - at;
            some = some < MIDGE_TILE_PIXELS ? some : MIDGE_TILE_PIXELS;
            for (uint32_t p = 0; p < some; p++) {
                gather(&image, windows + p);
            }
            tile.lanes = lanes;
            tile.out = to;
            run_tile(&tile, some, count);
            to += MIDGE_TILE_PIXELS * op->out_c;
        }
    }
    return 1;
}

// Windows of one pixel each, one after the other.
static int run_dense(const midge_call_t *call, uint32_t depth, uint32_t pixels) {
    const midge_window_t *op = call->op;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    // Few channels would do most of the work for nothing.
    if (depth != op->in_c || op->pad_top || op->pad_left || op->stride_h != 1
        || op->stride_w != 1 || op->out_w != op->in_w || op->out_h > op->in_h
        || channels < MIDGE_DENSE_CHANNELS / 2 || midge_overlaps(op)) {
        return 0;
    }
    midge_lane_t lanes[MIDGE_DENSE_CHANNELS];
    const int8_t *rows[MIDGE_DENSE_CHANNELS];
    uint32_t sums[MIDGE_DENSE_CHANNELS];
    int8_t *out = call->arena + op->output + call->begin * op->block_channels;
    for (uint32_t first = 0; first < channels; first += MIDGE_DENSE_CHANNELS) {
        uint32_t some = channels - first;
        some = some < MIDGE_DENSE_CHANNELS ? some : MIDGE_DENSE_CHANNELS;
        if (!midge_lanes(call, depth, first, some, lanes)) {
            return 0;
        }
        for (uint32_t i = 0; i < MIDGE_DENSE_CHANNELS; i++) {
            rows[i] = lanes[i < some ? i : 0].row;
        }
        const int8_t *x = call->arena + op->input;
        int8_t *to = out + first;
        for (uint32_t p = 0; p < pixels; p++, x += depth, to += op->out_c) {
            midge_dense(x, rows, depth, sums);
            for (uint32_t i = 0; i < some; i++) {
                to[i] = midge_scaled(op, &lanes[i], sums[i]);
            }
        }
    }
    return 1;
}

void midge_conv_rv32imc(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t window = midge_times((uint32_t)op->kernel_h * op->kernel_w, op->in_c);
    const uint32_t pixels = (uint32_t)op->out_h * op->out_w;
    const int fits = window <= MIDGE_MOST_DEPTH;
    if (!fits || ((pixels < MIDGE_TILE_PIXELS || !run_tiles(call, window, pixels))
            && !run_dense(call, window, pixels))) {
        midge_conv(call);
    }
}

#endif
