// Part of a camera's frame, turned and scaled, as an input tensor: docs/NUMERICS.md, "Pictures".

#include "image/picture.h"

#include "io.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    ONE = 1 << MIDGE_TAP_BITS, // the weights of an output pixel's taps add up to it
    BITS = 2 * MIDGE_TAP_BITS, // of both directions together
    HALF = 1 << (BITS - 1),
    LEVELS = 256, // of a pixel
};

static int is_grey(uint32_t format) {
    return format == MIDGE_FRAME_GREY;
}

// Formats of two bytes with 5 bits of one colour, 6 of green and 5 of the other.
static int is_565(uint32_t format) {
    return format <= MIDGE_FRAME_BGR565;
}

static uint32_t bytes_of_pixel(uint32_t format) {
    return is_grey(format) ? 1 : format == MIDGE_FRAME_RGB888 ? 3 : 2;
}

// The taps of output pixel `o` of a line of n pixels that becomes one of m: the first one's place,
// how many, and their weights. Returns what is behind them: at most n / m + 4 numbers.
static uint16_t *put_taps(uint32_t n, uint32_t m, uint32_t o, uint16_t *to) {
    uint16_t *const head = to;
    to += 2;
    if (n < m) { // bilinear, by the centres of pixels
        const uint32_t centre = (2 * o + 1) * n;
        const uint32_t at = centre < m ? 0 : centre - m;
        const uint32_t first = at / (2 * m);
        const uint32_t weight = ((at - first * 2 * m) * ONE + m) / (2 * m);
        head[0] = (uint16_t)first;
        *to++ = (uint16_t)(first + 1 < n ? ONE - weight : ONE);
        if (first + 1 < n) {
            *to++ = (uint16_t)weight;
        }
    } else { // the average of the area; a pixel of the source is m long, one of the output n
        const uint32_t begin = o * n;
        const uint32_t first = begin / m;
        uint32_t end = first * m - begin; // of what is covered; before the first one below 0
        uint32_t before = 0;
        head[0] = (uint16_t)first;
        while (before < ONE) {
            end += m;
            const uint32_t covered = end < n ? end : n;
            const uint32_t sum = covered == n ? ONE : (covered * ONE + n / 2) / n;
            *to++ = (uint16_t)(sum - before);
            before = sum;
        }
    }
    head[1] = (uint16_t)(to - head - 2);
    return to;
}

static int32_t limited(int32_t x) {
    return x < 0 ? 0 : x > 255 ? 255 : x;
}

// A pixel, one or three channels of 0..255.
INLINE void read_pixel(const uint8_t *frame, uint32_t format, uint32_t index, uint32_t channels,
    uint32_t *to) {
    if (is_grey(format)) {
        to[0] = to[1] = to[2] = frame[index];
        return;
    }
    if (format == MIDGE_FRAME_YUV422) {
        // Two pixels of BT.601's limited range share their colour: Y0 U Y1 V.
        const uint8_t *pair = frame + 2 * (index & ~1u);
        const int32_t y = frame[2 * index];
        to[0] = (uint32_t)y;
        if (channels == 3) {
            const int32_t u = pair[1] - 128, v = pair[3] - 128;
            const int32_t light = (y < 16 ? 0 : y - 16) * 1220542 + (1 << 19);
            to[0] = (uint32_t)limited((light + 1673527 * v) >> 20);
            to[1] = (uint32_t)limited((light - 852492 * v - 409993 * u) >> 20);
            to[2] = (uint32_t)limited((light + 2116026 * u) >> 20);
        }
        return;
    }
    if (format == MIDGE_FRAME_RGB888) {
        to[0] = frame[3 * index];
        to[1] = frame[3 * index + 1];
        to[2] = frame[3 * index + 2];
    } else {
        const uint32_t high = format != MIDGE_FRAME_RGB565BE;
        const uint32_t pixel = (uint32_t)frame[2 * index + high] << 8 | frame[2 * index + !high];
        const uint32_t upper = pixel >> 11 << 3, lower = (pixel & 31) << 3;
        to[0] = format == MIDGE_FRAME_BGR565 ? lower : upper;
        to[1] = (pixel >> 5 & 63) << 2;
        to[2] = format == MIDGE_FRAME_BGR565 ? upper : lower;
    }
    if (channels == 1) {
        to[0] = (to[0] * 9798 + to[1] * 19235 + to[2] * 3735 + (1 << 14)) >> 15;
    }
}

// Adds a line of the frame, from pixel `index` on, to the sums of its columns.
INLINE void add_pixels(const uint8_t *frame, uint32_t format, uint32_t channels, uint32_t index,
    int32_t step, uint32_t weight, uint32_t *sums, const uint32_t *end) {
    for (; sums != end; index += (uint32_t)step) {
        uint32_t pixel[3];
        read_pixel(frame, format, index, channels, pixel);
        *sums++ += weight * pixel[0];
        if (channels == 3) {
            *sums++ += weight * pixel[1];
            *sums++ += weight * pixel[2];
        }
    }
}

// A loop for each format and number of channels.
#define ADD_LINE(format, channels) \
    case 4 * (format) + (channels): \
        add_pixels(frame, format, channels, index, step, weight, sums, end); \
        break

static void add_line(const uint8_t *frame, uint32_t format, uint32_t channels, uint32_t index,
    int32_t step, uint32_t weight, uint32_t *sums, const uint32_t *end) {
    switch (4 * format + channels) {
    ADD_LINE(MIDGE_FRAME_YUV422, 1);
    ADD_LINE(MIDGE_FRAME_YUV422, 3);
    ADD_LINE(MIDGE_FRAME_GREY, 1);
    ADD_LINE(MIDGE_FRAME_GREY, 3);
    ADD_LINE(MIDGE_FRAME_RGB888, 1);
    ADD_LINE(MIDGE_FRAME_RGB888, 3);
    default: // 16 bits
        if (channels == 1) {
            add_pixels(frame, format, 1, index, step, weight, sums, end);
        } else {
            add_pixels(frame, format, 3, index, step, weight, sums, end);
        }
    }
}

// Sums of columns become a row of pixels.
INLINE void put_pixels(const uint32_t *sums, uint32_t channels, const uint16_t *taps,
    const uint8_t *table, uint32_t each, uint8_t *out, const uint8_t *end) {
    while (out != end) {
        const uint32_t *from = sums + *taps++ * channels;
        uint32_t count = *taps++;
        uint32_t first = HALF, second = HALF, third = HALF;
        do {
            const uint32_t weight = *taps++;
            first += *from++ * weight;
            if (channels == 3) {
                second += *from++ * weight;
                third += *from++ * weight;
            }
        } while (--count);
        *out++ = table[first >> BITS];
        if (channels == 3) {
            *out++ = table[each + (second >> BITS)];
            *out++ = table[2 * each + (third >> BITS)];
        }
    }
}

static void put_row(const uint32_t *sums, uint32_t channels, const uint16_t *taps,
    const uint8_t *table, uint32_t each, uint8_t *out, const uint8_t *end) {
    if (channels == 1) {
        put_pixels(sums, 1, taps, table, 0, out, end);
    } else {
        put_pixels(sums, 3, taps, table, each, out, end);
    }
}

// The usual case in a third of the time: colours of halfwords, one or two taps in each direction,
// and pixels that become pixel - 128. Between the two steps lie two words for each column.
#ifndef MIDGE_TUNED_PICTURE

// Two lines of such a frame by their weights, which add up to ONE: the sums of green, and of the
// two other colours, 16 bits each, which hold 5 bits and the weights. What rounds later is in the
// sums already, and those of the two are signed, as their pixels are less 128.
INLINE void add_pair(const uint16_t *a, const uint16_t *b, int32_t step, uint32_t weights,
    int is_swapped, uint32_t *sums, const uint32_t *end) {
    const uint32_t weight_a = weights & 0xFFFF, weight_b = weights >> 16, both = 0x1F001F;
    for (;;) {
        uint32_t p = *a, q = *b;
        if (is_swapped) {
            p = (uint16_t)(p << 8 | p >> 8);
            q = (uint16_t)(q << 8 | q >> 8);
        }
        *sums++ = (p << 21 >> 26) * weight_a + (q << 21 >> 26) * weight_b + 0x100;
        const uint32_t two = ((p | p << 5) & both) * weight_a + ((q | q << 5) & both) * weight_b;
        *sums++ = (two + 0x800080) ^ 0x80008000;
        if (sums == end) {
            return;
        }
        a += step;
        b += step;
    }
}

// Functions of their own have registers enough.
__attribute__((noinline)) static void midge_add_rgb565(const uint16_t *a, const uint16_t *b,
    int32_t step, uint32_t weights, uint32_t *sums, const uint32_t *end) {
    add_pair(a, b, step, weights, 0, sums, end);
}

__attribute__((noinline)) static void midge_add_rgb565be(const uint16_t *a, const uint16_t *b,
    int32_t step, uint32_t weights, uint32_t *sums, const uint32_t *end) {
    add_pair(a, b, step, weights, 1, sums, end);
}

// Such sums become pixels. pairs: where the first of two columns is, in bytes, and its weight.
// swap: 2 where the upper bits are blue, else 0.
INLINE void put_pairs(const uint32_t *sums, const uint16_t *pairs, uint32_t swap, uint8_t *out,
    const uint8_t *end) {
    do {
        const uint32_t *from = (const void *)((const uint8_t *)sums + pairs[0]);
        const int32_t weight = pairs[1], other = ONE - weight;
        const uint32_t green = from[0] * (uint32_t)weight + from[2] * (uint32_t)other;
        const int32_t a = (int32_t)from[1], b = (int32_t)from[3];
        pairs += 2;
        out[1] = (uint8_t)((green >> (BITS - 2)) - 128);
        out[swap] = (uint8_t)(((a >> 16) * weight + (b >> 16) * other) >> (BITS - 3));
        out[2 - swap] = (uint8_t)(((int16_t)a * weight + (int16_t)b * other) >> (BITS - 3));
        out += 3;
    } while (out != end);
}

__attribute__((noinline)) static void midge_put_rgb(const uint32_t *sums, const uint16_t *pairs,
    uint8_t *out, const uint8_t *end) {
    put_pairs(sums, pairs, 0, out, end);
}

__attribute__((noinline)) static void midge_put_bgr(const uint32_t *sums, const uint16_t *pairs,
    uint8_t *out, const uint8_t *end) {
    put_pairs(sums, pairs, 2, out, end);
}

#else // kernels/armv6m/image/rows565.S
void midge_add_rgb565(const uint16_t *a, const uint16_t *b, int32_t step, uint32_t weights,
    uint32_t *sums, const uint32_t *end);
void midge_add_rgb565be(const uint16_t *a, const uint16_t *b, int32_t step, uint32_t weights,
    uint32_t *sums, const uint32_t *end);
void midge_put_rgb(const uint32_t *sums, const uint16_t *pairs, uint8_t *out, const uint8_t *end);
void midge_put_bgr(const uint32_t *sums, const uint16_t *pairs, uint8_t *out, const uint8_t *end);
#endif

// Whether no pixel of the view lies outside of a frame of so many; no sum leaves 32 bits.
static int is_inside(const midge_view_t *view, uint32_t pixels) {
    const int32_t side = MIDGE_FRAME_SIDE;
    if (view->width < 1 || view->width > side || view->height < 1 || view->height > side
        || view->across < -side || view->across > side || view->down < -side
        || view->down > side || view->first < 0 || view->first >= side * side) {
        return 0;
    }
    const int32_t across = (view->width - 1) * view->across;
    const int32_t down = (view->height - 1) * view->down;
    const int32_t lowest = view->first + (across < 0 ? across : 0) + (down < 0 ? down : 0);
    const int32_t highest = view->first + (across > 0 ? across : 0) + (down > 0 ? down : 0);
    return lowest >= 0 && (uint32_t)highest < pixels;
}

static int is_within(int32_t begin, int32_t size, uint32_t limit) {
    return begin >= 0 && size > 0 && (uint32_t)begin < limit && (uint32_t)size <= limit - begin;
}

uint32_t midge_picture(midge_bytes_t view_bytes, midge_bytes_t frame, midge_bytes_t descriptor,
    midge_bytes_t tables, midge_arena_t scratch, midge_arena_t arena) {
    const midge_tensor_t *tensor = midge_as_tensor(descriptor, arena.bytes, 128);
    if (!tensor || tensor->element != MIDGE_DTYPE_INT8 || tensor->rank != 4
        || tensor->shape[0] != 1 || (tensor->shape[3] != 1 && tensor->shape[3] != 3)
        || tensor->shape[1] > MIDGE_FRAME_SIDE || tensor->shape[2] > MIDGE_FRAME_SIDE
        || tensor->shape[2] < 1) {
        return MIDGE_BAD_TENSOR;
    }
    const uint32_t channels = tensor->shape[3], line = tensor->shape[2];
    const uint32_t lines = tensor->bytes / (line * channels); // from view->begin on
    if (lines > tensor->shape[1] || lines * line * channels != tensor->bytes) {
        return MIDGE_BAD_TENSOR;
    }
    const midge_view_t *view = (const void *)view_bytes.data;
    if (view_bytes.bytes != sizeof(*view) || ((uintptr_t)view_bytes.data & 3)
        || ((uintptr_t)scratch.data & 3) || (uint32_t)view->format > MIDGE_FRAME_RGB888) {
        return MIDGE_BAD_PARAMETER;
    }
    const uint32_t format = (uint32_t)view->format;
    uint32_t pixels = frame.bytes / bytes_of_pixel(format);
    if (format == MIDGE_FRAME_YUV422) {
        pixels &= ~1u;
    }
    const uint32_t each = tables.bytes ? LEVELS : 0;
    if (!is_inside(view, pixels) || !is_within(view->left, view->columns, line)
        || !is_within(view->top, view->rows, tensor->shape[1])
        || !is_within(view->begin, (int32_t)lines, tensor->shape[1])
        || tables.bytes != each * channels) {
        return MIDGE_BAD_PARAMETER;
    }
    const uint32_t width = (uint32_t)view->width, height = (uint32_t)view->height;
    const uint32_t columns = (uint32_t)view->columns, rows = (uint32_t)view->rows;
    const uint32_t row_taps = height / rows + 4, column_taps = 4 * columns + width;
    const uint32_t numbers = row_taps + column_taps + 2 * columns;
    if (scratch.bytes < 4 * width * channels + 2 * numbers + LEVELS) {
        return MIDGE_BAD_PARAMETER;
    }

    uint32_t *const sums = (void *)scratch.data;
    uint16_t *const across = (void *)(sums + width * channels);
    uint16_t *const down = across + column_taps;
    uint16_t *const pairs = down + row_taps;
    uint8_t *const mapping = (void *)(pairs + 2 * columns);
    const uint8_t *const table = each ? tables.data : mapping;
    for (uint32_t i = 0; i < LEVELS && !each; i++) {
        mapping[i] = (uint8_t)midge_clamp(midge_pixel(tensor, (int32_t)i), -128, 127);
    }
    // Whether columns allow what is usual, and the frame.
    int is_usual = channels == 3 && is_565(format) && !((uintptr_t)frame.data & 1) && !each
        && tensor->pixel_multiplier == 1 << 16 && tensor->pixel_offset == -(128 << 16)
        && width >= 2 && width < 0x2000;
    uint16_t *end = across;
    for (uint32_t x = 0; x < columns; x++) {
        const uint16_t *taps = end;
        end = put_taps(width, columns, x, end);
        is_usual = is_usual && taps[1] <= 2;
        // A single tap at the end is the second of a pair.
        const int is_last = taps[0] + 1u == width;
        pairs[2 * x] = (uint16_t)(8 * (taps[0] - is_last));
        pairs[2 * x + 1] = is_last ? 0 : taps[2];
    }
    // The picture's rows in this strip.
    const int32_t above = view->begin - view->top, below = above + (int32_t)lines;
    const uint32_t from = above < 0 ? 0 : (uint32_t)above;
    const uint32_t to = below < view->rows ? (uint32_t)(below < 0 ? 0 : below) : rows;
    uint8_t *const input = (uint8_t *)arena.data + tensor->offset;
    if (columns != line || from + lines != to) {
        for (uint32_t i = 0; i < tensor->bytes; i++) {
            input[i] = table[i % channels * each];
        }
    }
    for (uint32_t y = from; y < to; y++) {
        const uint32_t row = (uint32_t)((int32_t)y - above);
        uint8_t *const out = input + (row * line + (uint32_t)view->left) * channels;
        put_taps(height, rows, y, down);
        const uint16_t *weight = down + 2;
        const uint32_t count = down[1];
        int32_t index = view->first + down[0] * view->down;
        if (is_usual && count <= 2) {
            const uint16_t *a = (const void *)(frame.data + 2 * index);
            const uint16_t *b = count == 2 ? a + view->down : a;
            const uint32_t weights = weight[0] | (count == 2 ? (uint32_t)weight[1] << 16 : 0);
            uint32_t *const behind = sums + 2 * width;
            if (format == MIDGE_FRAME_RGB565BE) {
                midge_add_rgb565be(a, b, view->across, weights, sums, behind);
            } else {
                midge_add_rgb565(a, b, view->across, weights, sums, behind);
            }
            if (format == MIDGE_FRAME_BGR565) {
                midge_put_bgr(sums, pairs, out, out + 3 * columns);
            } else {
                midge_put_rgb(sums, pairs, out, out + 3 * columns);
            }
            continue;
        }
        uint32_t *const behind = sums + width * channels;
        for (uint32_t *sum = sums; sum != behind; sum++) {
            *sum = 0;
        }
        for (uint32_t i = 0; i < count; i++, index += view->down) {
            add_line(frame.data, format, channels, (uint32_t)index, view->across, weight[i], sums,
                behind);
        }
        put_row(sums, channels, across, table, each, out, out + columns * channels);
    }
    return MIDGE_OK;
}
