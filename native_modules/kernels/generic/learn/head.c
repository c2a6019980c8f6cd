// A softmax head in integers, and its training by gradient descent.

#include "learn/facts.h"

enum {
    ONE = 1 << 15, // a probability of 1
    STEPS = 4, // the exponents' steps are of 2^-4
    MOST_RATE = 30, // so that half of a step fits beside a product
    WEIGHT_MOST = 16383,
    LEAST = 512, // of an error: a smaller one is not worth the time
};

typedef struct {
    const uint16_t *exponents;
    int16_t *weights;
    uint32_t size; // of a row of weights and of a vector
    uint32_t classes;
    int32_t shift; // from what a class sums up to the exponents' steps
    int32_t rate; // bits that a step is divided by
} head_t;

static int is_head(head_t *head, const midge_learn_t *facts, midge_bytes_t exponents,
    const void *weights, uint32_t weight_bytes, uint32_t vector_bytes, uint32_t sum_bytes) {
    if (!facts || facts->method != MIDGE_LEARN_METHOD_HEAD || facts->input_bits < 1
        || facts->flags & MIDGE_LEARN_FLAG_WHITENED
        || facts->input_bits > 8 || facts->fraction < 0 || facts->fraction > 15 || facts->rate < 0
        || facts->rate > 15) {
        return 0;
    }
    head->size = midge_vector_size(facts);
    head->classes = weight_bytes / 2 / head->size;
    head->shift = facts->fraction + facts->input_bits - STEPS;
    head->rate = facts->input_bits + 15 - facts->fraction + facts->rate;
    head->exponents = (const uint16_t *)(const void *)exponents.data;
    head->weights = (int16_t *)weights;
    return head->classes && head->classes <= MIDGE_LEARN_MOST_CLASSES
        && weight_bytes == 2 * head->size * head->classes && midge_is_aligned(weights, 2)
        && vector_bytes == 2 * head->size && sum_bytes == 4 * head->classes
        && exponents.bytes == 2 * MIDGE_LEARN_EXPONENTS
        && midge_is_aligned(exponents.data, 2) && head->shift >= 1 && head->rate >= 1
        && head->rate <= MOST_RATE;
}

// What two rows of weights sum up to, so that a vector is read once for both.
static __attribute__((noinline)) void sum_up(const int16_t *row, const int16_t *next,
    const int16_t *vector, uint32_t size, int32_t *sum, int32_t *next_sum) {
    uint32_t a = 0, b = 0;
    for (uint32_t i = 0; i < size; i++) {
        const int32_t x = vector[i];
        a += (uint32_t)(row[i] * x);
        b += (uint32_t)(next[i] * x);
    }
    *sum = (int32_t)a;
    *next_sum = (int32_t)b;
}

static void predict(const head_t *head, const int16_t *vector, int32_t *p) {
    const uint32_t size = head->size, last = head->classes - 1;
    for (uint32_t c = 0; c <= last; c += 2) { // without a next row the same one twice
        const uint32_t next = c < last ? c + 1 : c;
        sum_up(head->weights + c * size, head->weights + next * size, vector, size, &p[c],
            &p[next]);
    }
    int32_t most = INT32_MIN;
    for (uint32_t c = 0; c < head->classes; c++) {
        most = p[c] > most ? p[c] : most;
    }
    uint32_t total = 0;
    for (uint32_t c = 0; c < head->classes; c++) {
        const uint32_t below = (uint32_t)most - (uint32_t)p[c];
        const uint32_t step = ((below >> (head->shift - 1)) + 1) >> 1;
        p[c] = step < MIDGE_LEARN_EXPONENTS ? head->exponents[step] : 0;
        total += (uint32_t)p[c];
    }
    for (uint32_t c = 0; c < head->classes && total; c++) {
        p[c] = (int32_t)(((uint32_t)p[c] << 15) / total);
    }
}

static __attribute__((noinline)) void step(
    int16_t *row, const int16_t *vector, uint32_t size, int32_t error, int32_t rate) {
    const int32_t half = 1 << (rate - 1);
    for (uint32_t i = 0; i < size; i++) {
        const int32_t value = row[i] - ((error * vector[i] + half) >> rate);
        row[i] = (int16_t)(value > WEIGHT_MOST     ? WEIGHT_MOST
                : value < -WEIGHT_MOST ? -WEIGHT_MOST
                                       : value);
    }
}

static void learn(const head_t *head, const int16_t *vector, const int32_t *p, uint32_t class) {
    int16_t *row = head->weights;
    for (uint32_t c = 0; c < head->classes; c++, row += head->size) {
        const int32_t error = c == class ? p[c] - ONE : p[c];
        if (error >= LEAST || error <= -LEAST) {
            step(row, vector, head->size, error, head->rate);
        }
    }
}

// Fisher and Yates's, with the numbers of a linear congruential generator.
static void shuffle(uint16_t *order, uint32_t count, uint32_t *seed) {
    for (uint32_t i = count; i-- > 1;) {
        *seed = *seed * 1664525u + 1013904223u;
        const uint32_t j = ((*seed >> 16) * (i + 1)) >> 16;
        const uint16_t number = order[i];
        order[i] = order[j];
        order[j] = number;
    }
}

uint32_t midge_probabilities(midge_bytes_t learn, midge_bytes_t exponents, midge_bytes_t weights,
    midge_bytes_t vector, midge_arena_t probabilities) {
    head_t head;
    if (!is_head(&head, midge_learn_facts(learn), exponents, weights.data, weights.bytes,
            vector.bytes, probabilities.bytes)
        || !midge_is_aligned(vector.data, 2) || !midge_is_aligned(probabilities.data, 4)) {
        return MIDGE_BAD_PARAMETER;
    }
    predict(&head, (const int16_t *)(const void *)vector.data,
        (int32_t *)(void *)probabilities.data);
    return MIDGE_OK;
}

uint32_t midge_epoch(midge_bytes_t learn_facts, midge_bytes_t exponents, midge_bytes_t samples,
    midge_bytes_t classes, midge_arena_t weights, midge_arena_t order, midge_arena_t seed,
    midge_arena_t vector, midge_arena_t probabilities) {
    const midge_learn_t *facts = midge_learn_facts(learn_facts);
    head_t head;
    if (!is_head(&head, facts, exponents, weights.data, weights.bytes, vector.bytes,
            probabilities.bytes)
        || !midge_is_aligned(vector.data, 2) || !midge_is_aligned(probabilities.data, 4)
        || classes.bytes > MIDGE_LEARN_MOST_SAMPLES
        || samples.bytes != classes.bytes * (head.size - 1) || order.bytes != 2 * classes.bytes
        || !midge_is_aligned(order.data, 2) || seed.bytes != 4
        || !midge_is_aligned(seed.data, 4)) {
        return MIDGE_BAD_PARAMETER;
    }
    uint16_t *numbers = (uint16_t *)(void *)order.data;
    for (uint32_t i = 0; i < classes.bytes; i++) {
        if (numbers[i] >= classes.bytes || classes.data[i] >= head.classes) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    int16_t *const v = (int16_t *)(void *)vector.data;
    int32_t *const p = (int32_t *)(void *)probabilities.data;
    const midge_bytes_t none = {classes.data, 0};
    shuffle(numbers, classes.bytes, (uint32_t *)(void *)seed.data);
    for (uint32_t i = 0; i < classes.bytes; i++) {
        const midge_bytes_t x = {samples.data + numbers[i] * (head.size - 1), head.size - 1};
        // `none` may lie anywhere, and of whitening there is nothing for a head.
        if (midge_embed(learn_facts, none, (midge_bytes_t){NULL, 0}, x, vector)) {
            return MIDGE_BAD_PARAMETER;
        }
        predict(&head, v, p);
        learn(&head, v, p, classes.data[numbers[i]]);
    }
    return MIDGE_OK;
}
