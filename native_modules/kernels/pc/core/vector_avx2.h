// What the kernels ask of a processor, by AVX2.

#ifndef MIDGE_VECTOR_AVX2_H
#define MIDGE_VECTOR_AVX2_H

#include <immintrin.h>

typedef __m256i words_t; // 8 int32
typedef __m256i halves_t; // 16 int16

static inline words_t load_words(const int32_t *p) {
    return _mm256_loadu_si256((const void *)p);
}

static inline halves_t load_halves(const int16_t *p) {
    return _mm256_loadu_si256((const void *)p);
}

static inline void store_halves(int16_t *p, halves_t x) {
    _mm256_storeu_si256((void *)p, x);
}

static inline halves_t widen(const int8_t *p) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)p));
}

static inline words_t all_words(int32_t x) {
    return _mm256_set1_epi32(x);
}

// The two int16 at p, eight times.
static inline halves_t repeat_pair(const int16_t *p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    return _mm256_set1_epi32(pair);
}

static inline words_t add_words(words_t a, words_t b) {
    return _mm256_add_epi32(a, b);
}

// acc + the sums of two neighbouring products.
static inline words_t add_products(words_t acc, halves_t a, halves_t b) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
}

// The sums of all words of each.
static inline void store_sums(int32_t *p, words_t a, words_t b, words_t c, words_t d) {
    const __m256i x = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    const __m128i upper = _mm256_extracti128_si256(x, 1);
    _mm_storeu_si128((void *)p, _mm_add_epi32(_mm256_castsi256_si128(x), upper));
}

// Pairs (a, b) of the elements in the places 0 to 3 and 8 to 11; of the others.
static inline halves_t pairs_low(halves_t a, halves_t b) {
    return _mm256_unpacklo_epi16(a, b);
}

static inline halves_t pairs_high(halves_t a, halves_t b) {
    return _mm256_unpackhi_epi16(a, b);
}

// x as words, in the same places.
static inline words_t words_low(halves_t x) {
    return _mm256_srai_epi32(_mm256_unpacklo_epi16(x, x), 16);
}

static inline words_t words_high(halves_t x) {
    return _mm256_srai_epi32(_mm256_unpackhi_epi16(x, x), 16);
}

// midge_rescale by multipliers and shifts, to the left and then to the right.
static inline words_t rescale(words_t x, words_t multiplier, words_t left, words_t right) {
    const __m256i round = _mm256_set1_epi64x(1 << 30), one = _mm256_set1_epi32(1);
    x = _mm256_sllv_epi32(x, left);
    __m256i even = _mm256_mul_epi32(x, multiplier);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(multiplier, 32));
    even = _mm256_srli_epi64(_mm256_add_epi64(even, round), 31);
    odd = _mm256_slli_epi64(_mm256_add_epi64(odd, round), 1);
    const __m256i high = _mm256_blend_epi32(even, odd, 0xaa);
    const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
    const __m256i threshold
        = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(high, 31));
    const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
    return _mm256_sub_epi32(_mm256_srav_epi32(high, right), up);
}

static inline words_t limit(words_t x, int32_t low, int32_t high) {
    x = _mm256_max_epi32(x, _mm256_set1_epi32(low));
    return _mm256_min_epi32(x, _mm256_set1_epi32(high));
}

// 16 int8, of words in the places of pairs_low and pairs_high.
static inline void store_bytes(int8_t *p, words_t low, words_t high) {
    const __m256i x = _mm256_packs_epi32(low, high);
    const __m128i upper = _mm256_extracti128_si256(x, 1);
    _mm_storeu_si128((void *)p, _mm_packs_epi16(_mm256_castsi256_si128(x), upper));
}

// Of 8 rows, 16 bytes each from `at` on: pair k of all rows to to[k * pitch], as int16.
static inline void pack_pairs(const int8_t *const *rows, uint32_t at, int16_t *to,
    uint32_t pitch) {
    __m128i a[8], b[8];
    for (int i = 0; i < 8; i++) {
        a[i] = _mm_loadu_si128((const void *)(rows[i] + at));
    }
    for (int i = 0; i < 4; i++) {
        b[i] = _mm_unpacklo_epi16(a[2 * i], a[2 * i + 1]);
        b[4 + i] = _mm_unpackhi_epi16(a[2 * i], a[2 * i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        a[i] = _mm_unpacklo_epi32(b[i], b[i + 1]);
        a[i + 1] = _mm_unpackhi_epi32(b[i], b[i + 1]);
        a[i + 2] = _mm_unpacklo_epi32(b[i + 2], b[i + 3]);
        a[i + 3] = _mm_unpackhi_epi32(b[i + 2], b[i + 3]);
    }
    for (int i = 0; i < 8; i += 4) {
        b[i] = _mm_unpacklo_epi64(a[i], a[i + 2]);
        b[i + 1] = _mm_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm_unpacklo_epi64(a[i + 1], a[i + 3]);
        b[i + 3] = _mm_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    for (uint32_t k = 0; k < 8; k++) {
        store_halves(to + k * pitch, _mm256_cvtepi8_epi16(b[k]));
    }
}

#endif
