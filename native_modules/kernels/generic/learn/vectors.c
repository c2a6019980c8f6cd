// Vectors of embeddings, rows of classes, and how far one is from the other.

#include "learn/facts.h"
#include "root.h"

enum {
    LENGTH = 1023, // of vectors whose distances are those of angles
    ROW_SCALE = 4, // a row is in quarters of a vector's steps
    WHITE_MOST = 255, // of a whitened value
};

// a / b, b > 0, halves away from zero.
static int32_t divide(int32_t a, int32_t b) {
    return (a < 0 ? a - b / 2 : a + b / 2) / b;
}

static void scale_to(int16_t *vector, uint32_t size, int32_t length) {
    uint32_t squares = 0, rest;
    for (uint32_t i = 0; i < size; i++) {
        squares += (uint32_t)(vector[i] * vector[i]);
    }
    const int32_t norm = (int32_t)midge_root(squares, &rest);
    for (uint32_t i = 0; i < size && norm; i++) {
        vector[i] = (int16_t)divide(vector[i] * length, norm);
    }
}

static int16_t whitened(
    const int8_t *row, int32_t sum, const int8_t *x, uint32_t size, int32_t shift) {
    uint32_t total = (uint32_t)sum;
    for (uint32_t i = 0; i < size; i++) {
        total += (uint32_t)(row[i] * x[i]);
    }
    const int32_t value = (int32_t)(total + (1u << (shift - 1))) >> shift;
    return (int16_t)(value > WHITE_MOST ? WHITE_MOST : value < -WHITE_MOST ? -WHITE_MOST : value);
}

uint32_t midge_embed(midge_bytes_t learn, midge_bytes_t matrix, midge_bytes_t centre,
    midge_bytes_t x, midge_arena_t vector) {
    const midge_learn_t *facts = midge_learn_facts(learn);
    if (!facts) {
        return MIDGE_BAD_PARAMETER;
    }
    const uint32_t size = (uint32_t)facts->size;
    const int is_head = facts->method == MIDGE_LEARN_METHOD_HEAD;
    const int is_white = facts->flags & MIDGE_LEARN_FLAG_WHITENED;
    if (x.bytes != size || vector.bytes != 2 * midge_vector_size(facts)
        || !midge_is_aligned(vector.data, 2) || matrix.bytes != (is_white ? size * size : 0)
        || centre.bytes != (is_white ? 4 * size : 0)
        || (is_white && !midge_is_aligned(centre.data, 4))
        || (is_head && (facts->input_bits < 1 || facts->input_bits > 8))) {
        return MIDGE_BAD_PARAMETER;
    }
    const int8_t *values = (const int8_t *)x.data;
    const int8_t *row = (const int8_t *)matrix.data;
    const int32_t *sums = (const int32_t *)(const void *)centre.data;
    int16_t *to = (int16_t *)(void *)vector.data;
    const int32_t zero_point = facts->zero_point;
    for (uint32_t i = 0; is_white && i < size; i++) {
        to[i] = whitened(row + i * size, sums[i], values, size, facts->shift);
    }
    for (uint32_t i = 0; !is_white && i < size; i++) {
        to[i] = (int16_t)(values[i] - zero_point);
    }
    if (facts->flags & MIDGE_LEARN_FLAG_ANGULAR) {
        scale_to(to, size, LENGTH);
    }
    if (is_head) {
        to[size] = (int16_t)(1 << (facts->input_bits - 1));
    }
    return MIDGE_OK;
}

uint32_t midge_prototype(midge_bytes_t learn, midge_bytes_t sums, midge_arena_t row) {
    const midge_learn_t *facts = midge_learn_facts(learn);
    if (!facts) {
        return MIDGE_BAD_PARAMETER;
    }
    const uint32_t size = (uint32_t)facts->size;
    const int32_t *from = (const int32_t *)(const void *)sums.data;
    if (sums.bytes != 4 * (size + 1) || !midge_is_aligned(from, 4) || row.bytes != 2 * size
        || !midge_is_aligned(row.data, 2) || from[size] < 1
        || from[size] > MIDGE_LEARN_MOST_SAMPLES) {
        return MIDGE_BAD_PARAMETER;
    }
    const int32_t most = LENGTH * from[size];
    for (uint32_t i = 0; i < size; i++) {
        if (from[i] < -most || from[i] > most) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    int16_t *to = (int16_t *)(void *)row.data;
    for (uint32_t i = 0; i < size; i++) {
        to[i] = (int16_t)divide(ROW_SCALE * from[i], from[size]);
    }
    if (facts->flags & MIDGE_LEARN_FLAG_ANGULAR) {
        scale_to(to, size, ROW_SCALE * LENGTH);
    }
    return MIDGE_OK;
}

uint32_t midge_row_distances(midge_bytes_t rows, midge_bytes_t vector, midge_arena_t squares) {
    const uint32_t size = vector.bytes / 2, count = squares.bytes / 4;
    if (!size || vector.bytes % 2 || squares.bytes % 4 || rows.bytes / vector.bytes != count
        || rows.bytes % vector.bytes || !midge_is_aligned(rows.data, 2)
        || !midge_is_aligned(vector.data, 2) || !midge_is_aligned(squares.data, 4)) {
        return MIDGE_BAD_PARAMETER;
    }
    const int16_t *row = (const int16_t *)(const void *)rows.data;
    const int16_t *from = (const int16_t *)(const void *)vector.data;
    uint32_t *to = (uint32_t *)(void *)squares.data;
    for (uint32_t r = 0; r < count; r++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < size; i++) {
            const uint32_t difference = (uint32_t)(ROW_SCALE * from[i] - *row++);
            sum += difference * difference;
        }
        to[r] = sum;
    }
    return MIDGE_OK;
}
