// What the kernels ask of a processor, in loops of a fixed length: compilers make vectors of them
// where there are some.

#ifndef MIDGE_VECTOR_PLAIN_H
#define MIDGE_VECTOR_PLAIN_H

typedef struct {
    int32_t at[8];
} words_t;

typedef struct {
    int16_t at[16];
} halves_t;

static inline words_t load_words(const int32_t *p) {
    words_t x;
    __builtin_memcpy(&x, p, sizeof(x));
    return x;
}

static inline halves_t load_halves(const int16_t *p) {
    halves_t x;
    __builtin_memcpy(&x, p, sizeof(x));
    return x;
}

static inline void store_halves(int16_t *p, halves_t x) {
    __builtin_memcpy(p, &x, sizeof(x));
}

static inline halves_t widen(const int8_t *p) {
    halves_t x;
    for (int i = 0; i < 16; i++) {
        x.at[i] = p[i];
    }
    return x;
}

static inline words_t all_words(int32_t x) {
    words_t all;
    for (int i = 0; i < 8; i++) {
        all.at[i] = x;
    }
    return all;
}

// The two int16 at p, eight times.
static inline halves_t repeat_pair(const int16_t *p) {
    halves_t x;
    for (int i = 0; i < 16; i += 2) {
        x.at[i] = p[0];
        x.at[i + 1] = p[1];
    }
    return x;
}

static inline words_t add_words(words_t a, words_t b) {
    for (int i = 0; i < 8; i++) {
        a.at[i] = (int32_t)((uint32_t)a.at[i] + (uint32_t)b.at[i]);
    }
    return a;
}

// acc + the sums of two neighbouring products.
static inline words_t add_products(words_t acc, halves_t a, halves_t b) {
    for (int i = 0; i < 8; i++) {
        const int32_t sum = a.at[2 * i] * b.at[2 * i] + a.at[2 * i + 1] * b.at[2 * i + 1];
        acc.at[i] = (int32_t)((uint32_t)acc.at[i] + (uint32_t)sum);
    }
    return acc;
}

// The sums of all words of each.
static inline void store_sums(int32_t *p, words_t a, words_t b, words_t c, words_t d) {
    uint32_t sums[4] = {0, 0, 0, 0};
    for (int i = 0; i < 8; i++) {
        sums[0] += (uint32_t)a.at[i];
        sums[1] += (uint32_t)b.at[i];
        sums[2] += (uint32_t)c.at[i];
        sums[3] += (uint32_t)d.at[i];
    }
    __builtin_memcpy(p, sums, sizeof(sums));
}

// Pairs (a, b) of the elements in the places 0 to 3 and 8 to 11; of the others.
static inline halves_t pairs_low(halves_t a, halves_t b) {
    halves_t x;
    for (int i = 0; i < 8; i++) {
        const int from = i < 4 ? i : i + 4;
        x.at[2 * i] = a.at[from];
        x.at[2 * i + 1] = b.at[from];
    }
    return x;
}

static inline halves_t pairs_high(halves_t a, halves_t b) {
    halves_t x;
    for (int i = 0; i < 8; i++) {
        const int from = i < 4 ? i + 4 : i + 8;
        x.at[2 * i] = a.at[from];
        x.at[2 * i + 1] = b.at[from];
    }
    return x;
}

// x as words, in the same places.
static inline words_t words_low(halves_t x) {
    words_t words;
    for (int i = 0; i < 8; i++) {
        words.at[i] = x.at[i < 4 ? i : i + 4];
    }
    return words;
}

static inline words_t words_high(halves_t x) {
    words_t words;
    for (int i = 0; i < 8; i++) {
        words.at[i] = x.at[i < 4 ? i + 4 : i + 8];
    }
    return words;
}

// midge_rescale by multipliers and shifts, to the left and then to the right.
static inline words_t rescale(words_t x, words_t multiplier, words_t left, words_t right) {
    for (int i = 0; i < 8; i++) {
        const int32_t shifted = (int32_t)((uint32_t)x.at[i] << left.at[i]);
        x.at[i] = midge_rounding_shift(midge_high_mul(shifted, multiplier.at[i]), right.at[i]);
    }
    return x;
}

static inline words_t limit(words_t x, int32_t low, int32_t high) {
    for (int i = 0; i < 8; i++) {
        x.at[i] = x.at[i] < low ? low : x.at[i] > high ? high : x.at[i];
    }
    return x;
}

// 16 int8, of words in the places of pairs_low and pairs_high.
static inline void store_bytes(int8_t *p, words_t low, words_t high) {
    for (int i = 0; i < 4; i++) {
        p[i] = (int8_t)low.at[i];
        p[4 + i] = (int8_t)high.at[i];
        p[8 + i] = (int8_t)low.at[4 + i];
        p[12 + i] = (int8_t)high.at[4 + i];
    }
}

// Of 8 rows, 16 bytes each from `at` on: pair k of all rows to to[k * pitch], as int16.
static inline void pack_pairs(const int8_t *const *rows, uint32_t at, int16_t *to,
    uint32_t pitch) {
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t k = 0; k < 16; k++) {
            to[k / 2 * pitch + 2 * i + k % 2] = rows[i][at + k];
        }
    }
}

#endif
