// CONV_2D and FULLY_CONNECTED: pixels are packed in pairs as tiles.S wants them, a strip of tiles
// at a time, and each channel's weights run over the strip. They are expanded once where there is
// room for those of all channels, else for each strip anew.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "call.h"
#include "conv_armv6m.h"
#include "tiles.h"
#include "weight_rows.h"

typedef struct {
    const midge_window_t *op;
    const int8_t *input;
    uint32_t line; // bytes of a line of the window
    uint32_t depth; // bytes of the window: products for an output
    uint32_t pitch; // bytes from a line of the window to the next in the image
    int8_t *gathered[2]; // a line each, for windows that hang over the border
    const int8_t *padding; // a line of the zero point
    int side_by_side; // whether windows are single pixels, one behind the other
    uint32_t out_y, left; // the next pixel to pack, and those left in its row
    int32_t y, x; // its window's first tap
    uint32_t at; // and that one's offset
    int32_t last_x; // of windows that lie in the image
} image_t;

// The window of an output pixel: `at` is its first byte, or NULL where it hangs over the border.
typedef struct {
    const int8_t *at;
    int32_t y, x;
} spot_t;

static void go_to(image_t *image, uint32_t out_y, uint32_t out_x) {
    const midge_window_t *op = image->op;
    image->out_y = out_y;
    image->left = op->out_w - out_x;
    image->y = (int32_t)out_y * op->stride_h - op->pad_top;
    image->x = (int32_t)out_x * op->stride_w - op->pad_left;
    image->at = ((uint32_t)image->y * op->in_w + (uint32_t)image->x) * op->in_c;
    const int inside = op->dilation_w == 1 && image->y >= 0
        && image->y + (op->kernel_h - 1) * op->dilation_h < op->in_h;
    image->last_x = inside ? op->in_w - op->kernel_w : -1;
}

static void next_spot(image_t *image, spot_t *spot) {
    const int32_t x = image->x, stride = image->op->stride_w;
    spot->at = x >= 0 && x <= image->last_x ? image->input + image->at : 0;
    spot->y = image->y;
    spot->x = x;
    image->x = x + stride;
    image->at += (uint32_t)stride * image->op->in_c;
    if (!--image->left) {
        go_to(image, image->out_y + 1, 0);
    }
}

// Line `ky` of a window that hangs over the border, gathered in `to`.
static const int8_t *gather(const image_t *image, const spot_t *spot, int32_t ky, int8_t *to) {
    const midge_window_t *op = image->op;
    const int32_t y = spot->y + ky * op->dilation_h;
    if (y < 0 || y >= op->in_h) {
        return image->padding;
    }
    int8_t *end = to;
    int32_t x = spot->x;
    for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w) {
        const uint32_t tap = ((uint32_t)y * op->in_w + (uint32_t)x) * op->in_c;
        const int8_t *pixel = x >= 0 && x < op->in_w ? image->input + tap : image->padding;
        for (uint32_t c = 0; c < op->in_c; c++) {
            *end++ = pixel[c];
        }
    }
    return to;
}

// Packs the next tile; returns its end.
static uint32_t *pack_tile(image_t *image, uint32_t *to) {
    for (uint32_t pair = 0; pair < MIDGE_TILE / 2; pair++) {
        uint32_t *words = to + pair;
        if (image->side_by_side) {
            const int8_t *pixel = image->input + image->at;
            midge_pack(words, pixel, pixel + image->line, image->line);
            image->at += 2 * image->line;
            continue;
        }
        spot_t a, b;
        next_spot(image, &a);
        next_spot(image, &b);
        for (uint32_t ky = 0; ky < image->op->kernel_h; ky++, words += 3 * image->line) {
            const int8_t *line_a = a.at ? a.at : gather(image, &a, ky, image->gathered[0]);
            const int8_t *line_b = b.at ? b.at : gather(image, &b, ky, image->gathered[1]);
            midge_pack(words, line_a, line_b, image->line);
            a.at += a.at ? image->pitch : 0;
            b.at += b.at ? image->pitch : 0;
        }
    }
    return to + 3 * image->depth;
}

int midge_dense_conv(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t pixels = (uint32_t)op->out_h * op->out_w;
    if (pixels < MIDGE_TILE) {
        return 0;
    }
    const uint32_t line = (uint32_t)op->kernel_w * op->in_c, depth = op->kernel_h * line;
    const uint32_t line_bytes = (line + 3) & ~3u, lines_bytes = 3 * line_bytes;
    const uint32_t tile_bytes = 12 * depth;
    const uint32_t slot_bytes = MIDGE_SCALE_BYTES + 4 * (depth + depth / 2 + 4);
    if (depth > 0xFFFF || op->scratch_bytes < lines_bytes + tile_bytes + slot_bytes) {
        return 0;
    }

    // As much of the image packed as there is room for; for that, each channel's weights in turn.
    const uint32_t tiles = midge_divide(pixels + MIDGE_TILE - 1, MIDGE_TILE);
    const uint32_t room = op->scratch_bytes - lines_bytes - slot_bytes;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    const uint32_t all_bytes = midge_times(channels, slot_bytes);
    uint32_t strip = midge_divide(room, tile_bytes), step = 0;
    if (strip >= tiles) {
        strip = tiles;
    } else if (all_bytes < room) {
        const uint32_t shorter = midge_divide(room - all_bytes, tile_bytes);
        if (3 * shorter >= strip) {
            step = slot_bytes;
            strip = shorter;
        }
    }

    image_t image;
    image.op = op;
    image.input = call->arena + op->input;
    image.line = line;
    image.depth = depth;
    image.pitch = (uint32_t)op->dilation_h * op->in_w * op->in_c;
    image.side_by_side = depth == op->in_c && op->out_w == op->in_w && !op->pad_top
        && !op->pad_left && op->stride_w == 1 && op->stride_h == 1 && op->out_h <= op->in_h;
    go_to(&image, 0, 0);
    image.gathered[0] = call->arena + op->scratch;
    image.gathered[1] = image.gathered[0] + line_bytes;
    int8_t *padding = image.gathered[1] + line_bytes;
    for (uint32_t i = 0; i < line; i++) {
        padding[i] = op->input_zero;
    }
    image.padding = padding;
    uint32_t *packed = (uint32_t *)(void *)(padding + line_bytes);
    int8_t *slot = (int8_t *)packed + strip * tile_bytes;

    for (uint32_t first = 0; first < tiles; first += strip) {
        const uint32_t count = first + strip < tiles ? strip : tiles - first;
        const uint32_t from = first * MIDGE_TILE;
        // The last tile overlaps the one before it.
        const int32_t back = (int32_t)(pixels - tiles * MIDGE_TILE);
        const int ends = first + count == tiles;
        uint32_t *to = packed;
        for (uint32_t tile = 0; tile < count; tile++) {
            if (ends && tile == count - 1) {
                const uint32_t y = midge_divide(pixels - MIDGE_TILE, op->out_w);
                go_to(&image, y, pixels - MIDGE_TILE - y * op->out_w);
            }
            to = pack_tile(&image, to);
        }
        midge_tiles_t job = {count, op->out_c, ends ? back * op->out_c : 0};
        int8_t *out = call->arena + op->output + from * op->out_c;
        out += call->begin * op->block_channels;
        if (ends && count == 1) {
            out += job.last_step;
        }
        midge_place_t place;
        midge_begin_rows(&place, call, depth);
        int8_t *at = slot;
        for (uint32_t c = channels; c > 0; c--, at += step, out++) {
            midge_scale_t *scale = (void *)at;
            if (!first || !step) {
                const int8_t *row = midge_row(&place, 1, scale);
                if (!midge_expand((void *)(at + MIDGE_SCALE_BYTES), row, depth,
                        (void *)(at + slot_bytes))) {
                    return 0;
                }
            }
            midge_tiles(packed, scale, out, &job);
        }
    }
    return 1;
}

#endif
