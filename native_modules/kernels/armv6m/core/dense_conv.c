// CONV_2D and FULLY_CONNECTED: pixels are packed in pairs as tiles.S wants them, a strip of tiles
// at a time, and each channel's weights run over the strip.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "call.h"
#include "conv_armv6m.h"
#include "tiles.h"

typedef struct {
    const midge_window_t *op;
    const int8_t *input;
    uint32_t line; // bytes of a line of the window
    uint32_t depth; // bytes of the window: products for an output
    uint32_t pitch; // bytes from a line of the window to the next in the image
    int8_t *gathered[2]; // a line each, for windows that hang over the border
    const int8_t *padding; // a line of the zero point
    int32_t out_x; // of the next pixel to pack
    int32_t y, x; // of its window's first tap
    const int8_t *next; // its value where windows are single pixels, side by side; otherwise NULL
} image_t;

// The window of an output pixel: `at` is its first byte, or NULL where it hangs over the border.
typedef struct {
    const int8_t *at;
    int32_t y, x;
} spot_t;

static void go_to(image_t *image, uint32_t pixel) {
    const midge_window_t *op = image->op;
    const uint32_t out_y = midge_divide(pixel, op->out_w);
    image->out_x = (int32_t)(pixel - out_y * op->out_w);
    image->y = (int32_t)out_y * op->stride_h - op->pad_top;
    image->x = image->out_x * op->stride_w - op->pad_left;
    const int side_by_side = image->depth == op->in_c && op->out_w == op->in_w && !op->pad_top
        && !op->pad_left && op->stride_w == 1 && op->stride_h == 1 && op->out_h <= op->in_h;
    image->next = side_by_side ? image->input + pixel * op->in_c : 0;
}

static const int8_t *tap(const image_t *image, int32_t y, int32_t x) {
    return image->input + ((uint32_t)y * image->op->in_w + (uint32_t)x) * image->op->in_c;
}

static spot_t next_spot(image_t *image) {
    const midge_window_t *op = image->op;
    spot_t spot = {image->next, image->y, image->x};
    if (image->next) {
        image->next += op->in_c;
        return spot;
    }
    if (spot.x >= 0 && spot.x + op->kernel_w <= op->in_w && op->dilation_w == 1 && spot.y >= 0
        && spot.y + (op->kernel_h - 1) * op->dilation_h < op->in_h) {
        spot.at = tap(image, spot.y, spot.x);
    }
    image->x += op->stride_w;
    if (++image->out_x == op->out_w) {
        image->out_x = 0;
        image->x = -op->pad_left;
        image->y += op->stride_h;
    }
    return spot;
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
        const int8_t *pixel = x >= 0 && x < op->in_w ? tap(image, y, x) : image->padding;
        for (uint32_t c = 0; c < op->in_c; c++) {
            *end++ = pixel[c];
        }
    }
    return to;
}

// Packs the next tile; returns its end.
static uint32_t *pack_tile(image_t *image, uint32_t *to) {
    for (uint32_t pair = 0; pair < MIDGE_TILE / 2; pair++) {
        spot_t a = next_spot(image), b = next_spot(image);
        uint32_t *words = to + pair;
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

    // Memory: the whole image packed; or all channels' weights expanded; or as much of the image
    // as fits, and each channel's weights expanded again for it.
    const uint32_t room = op->scratch_bytes - lines_bytes;
    const uint32_t tiles = midge_divide(pixels + MIDGE_TILE - 1, MIDGE_TILE);
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    uint32_t slots = 1, strip = midge_divide(room - slot_bytes, tile_bytes);
    if (strip >= tiles) {
        strip = tiles;
    } else if (midge_divide(room - tile_bytes, slot_bytes) >= channels) {
        slots = channels;
        strip = midge_divide(room - slots * slot_bytes, tile_bytes);
    }

    image_t image;
    image.op = op;
    image.input = call->arena + op->input;
    image.line = line;
    image.depth = depth;
    image.pitch = (uint32_t)op->dilation_h * op->in_w * op->in_c;
    go_to(&image, 0);
    image.gathered[0] = call->arena + op->scratch;
    image.gathered[1] = image.gathered[0] + line_bytes;
    int8_t *padding = image.gathered[1] + line_bytes;
    for (uint32_t i = 0; i < line; i++) {
        padding[i] = op->input_zero;
    }
    image.padding = padding;
    uint32_t *packed = (uint32_t *)(void *)(padding + line_bytes);
    int8_t *slot = (int8_t *)packed + strip * tile_bytes;

    const uint32_t rows_at = midge_entries_bytes(op);
    for (uint32_t first = 0; first < tiles; first += strip) {
        const uint32_t count = first + strip < tiles ? strip : tiles - first;
        const uint32_t from = first * MIDGE_TILE;
        // The last tile overlaps the one before it.
        const int32_t back = (int32_t)(pixels - tiles * MIDGE_TILE);
        const int ends = first + count == tiles;
        uint32_t *to = packed;
        for (uint32_t tile = 0; tile < count; tile++) {
            if (ends && tile == count - 1) {
                go_to(&image, pixels - MIDGE_TILE);
            }
            to = pack_tile(&image, to);
        }
        midge_tiles_t job = {count, op->out_c, ends ? back * op->out_c : 0};
        int8_t *out = call->arena + op->output + from * op->out_c;
        out += call->begin * op->block_channels;
        if (ends && count == 1) {
            out += job.last_step;
        }
        const uint8_t *block = call->weights;
        midge_scale_t *scale = (void *)slot;
        for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
            const int8_t *row = (const int8_t *)block + rows_at;
            for (uint32_t i = 0; i < op->block_channels; i++, row += depth, out++) {
                if (first == 0 || slots == 1) {
                    midge_scale(op, block, i, scale);
                    uint32_t *limit = (uint32_t *)(void *)((int8_t *)scale + slot_bytes);
                    uint32_t *stream = (uint32_t *)(void *)((int8_t *)scale + MIDGE_SCALE_BYTES);
                    if (!midge_expand(stream, row, depth, limit)) {
                        return 0;
                    }
                }
                midge_tiles(packed, scale, out, &job);
                if (slots > 1) {
                    scale = (void *)((int8_t *)scale + slot_bytes);
                }
            }
        }
    }
    return 1;
}

#endif
