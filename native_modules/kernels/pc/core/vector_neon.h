// What the kernels ask of a processor, by the vectors that every AArch64 has.

#ifndef MIDGE_VECTOR_NEON_H
#define MIDGE_VECTOR_NEON_H

#include <arm_neon.h>

typedef int32x4x2_t words_t; // 8 int32
typedef int16x8x2_t halves_t; // 16 int16

static inline words_t load_words(const int32_t *p) {
    return vld1q_s32_x2(p);
}

static inline halves_t load_halves(const int16_t *p) {
    return vld1q_s16_x2(p);
}

static inline void store_halves(int16_t *p, halves_t x) {
    vst1q_s16_x2(p, x);
}

static inline halves_t widened(int8x16_t x) {
    return (halves_t){{vmovl_s8(vget_low_s8(x)), vmovl_high_s8(x)}};
}

static inline halves_t widen(const int8_t *p) {
    return widened(vld1q_s8(p));
}

static inline words_t all_words(int32_t x) {
    return (words_t){{vdupq_n_s32(x), vdupq_n_s32(x)}};
}

// The two int16 at p, eight times.
static inline halves_t repeat_pair(const int16_t *p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    const int16x8_t all = vreinterpretq_s16_s32(vdupq_n_s32(pair));
    return (halves_t){{all, all}};
}

static inline words_t add_words(words_t a, words_t b) {
    return (words_t){{vaddq_s32(a.val[0], b.val[0]), vaddq_s32(a.val[1], b.val[1])}};
}

static inline int32x4_t product_sums(int16x8_t a, int16x8_t b) {
    return vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b));
}

// acc + the sums of two neighbouring products.
static inline words_t add_products(words_t acc, halves_t a, halves_t b) {
    const words_t sums
        = {{product_sums(a.val[0], b.val[0]), product_sums(a.val[1], b.val[1])}};
    return add_words(acc, sums);
}

// The sums of all words of each.
static inline void store_sums(int32_t *p, words_t a, words_t b, words_t c, words_t d) {
    const int32x4_t ab = vpaddq_s32(
        vaddq_s32(a.val[0], a.val[1]), vaddq_s32(b.val[0], b.val[1]));
    const int32x4_t cd = vpaddq_s32(
        vaddq_s32(c.val[0], c.val[1]), vaddq_s32(d.val[0], d.val[1]));
    vst1q_s32(p, vpaddq_s32(ab, cd));
}

// Pairs (a, b) of the elements in the places 0 to 3 and 8 to 11; of the others.
static inline halves_t pairs_low(halves_t a, halves_t b) {
    return (halves_t){{vzip1q_s16(a.val[0], b.val[0]), vzip1q_s16(a.val[1], b.val[1])}};
}

static inline halves_t pairs_high(halves_t a, halves_t b) {
    return (halves_t){{vzip2q_s16(a.val[0], b.val[0]), vzip2q_s16(a.val[1], b.val[1])}};
}

// x as words, in the same places.
static inline words_t words_low(halves_t x) {
    return (words_t){{vmovl_s16(vget_low_s16(x.val[0])), vmovl_s16(vget_low_s16(x.val[1]))}};
}

static inline words_t words_high(halves_t x) {
    return (words_t){{vmovl_high_s16(x.val[0]), vmovl_high_s16(x.val[1])}};
}

// midge_rescale by multipliers and shifts, to the left and then to the right: halves are rounded
// away from zero, which for a negative number is 1 less before they are rounded up.
static inline int32x4_t rescale_four(int32x4_t x, int32x4_t multiplier, int32x4_t left,
    int32x4_t right) {
    const int32x4_t shift = vnegq_s32(right);
    x = vqrdmulhq_s32(vshlq_s32(x, left), multiplier);
    x = vqaddq_s32(x, vshrq_n_s32(vandq_s32(x, shift), 31));
    return vrshlq_s32(x, shift);
}

static inline words_t rescale(words_t x, words_t multiplier, words_t left, words_t right) {
    for (int i = 0; i < 2; i++) {
        x.val[i] = rescale_four(x.val[i], multiplier.val[i], left.val[i], right.val[i]);
    }
    return x;
}

static inline words_t limit(words_t x, int32_t low, int32_t high) {
    for (int i = 0; i < 2; i++) {
        x.val[i] = vminq_s32(vmaxq_s32(x.val[i], vdupq_n_s32(low)), vdupq_n_s32(high));
    }
    return x;
}

// 16 int8, of words in the places of pairs_low and pairs_high.
static inline void store_bytes(int8_t *p, words_t low, words_t high) {
    const int16x8_t first = vcombine_s16(vmovn_s32(low.val[0]), vmovn_s32(high.val[0]));
    const int16x8_t second = vcombine_s16(vmovn_s32(low.val[1]), vmovn_s32(high.val[1]));
    vst1q_s8(p, vcombine_s8(vmovn_s16(first), vmovn_s16(second)));
}

// Of 8 rows, 16 bytes each from `at` on: pair k of all rows to to[k * pitch], as int16.
static inline void pack_pairs(const int8_t *const *rows, uint32_t at, int16_t *to,
    uint32_t pitch) {
    int16x8_t a[8];
    int32x4_t b[8];
    for (int i = 0; i < 8; i++) {
        a[i] = vreinterpretq_s16_s8(vld1q_s8(rows[i] + at));
    }
    for (int i = 0; i < 4; i++) {
        b[i] = vreinterpretq_s32_s16(vzip1q_s16(a[2 * i], a[2 * i + 1]));
        b[4 + i] = vreinterpretq_s32_s16(vzip2q_s16(a[2 * i], a[2 * i + 1]));
    }
    for (int i = 0; i < 8; i += 4) {
        const int64x2_t x[4] = {
            vreinterpretq_s64_s32(vzip1q_s32(b[i], b[i + 1])),
            vreinterpretq_s64_s32(vzip1q_s32(b[i + 2], b[i + 3])),
            vreinterpretq_s64_s32(vzip2q_s32(b[i], b[i + 1])),
            vreinterpretq_s64_s32(vzip2q_s32(b[i + 2], b[i + 3])),
        };
        for (int k = 0; k < 4; k += 2) {
            int16_t *pair = to + (uint32_t)(i + k) * pitch;
            store_halves(pair, widened(vreinterpretq_s8_s64(vzip1q_s64(x[k], x[k + 1]))));
            store_halves(pair + pitch, widened(vreinterpretq_s8_s64(vzip2q_s64(x[k], x[k + 1]))));
        }
    }
}

#endif
