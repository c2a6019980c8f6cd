// How a model learns, once it is checked.

#ifndef MIDGE_LEARNING_FACTS_H
#define MIDGE_LEARNING_FACTS_H

#include <stddef.h>

#include "learn/learn.h"

static inline int midge_is_aligned(const void *bytes, uint32_t unit) {
    return ((uintptr_t)bytes & (unit - 1)) == 0;
}

// NULL where a field is impossible.
static inline const midge_learn_t *midge_learn_facts(midge_bytes_t learn) {
    if (learn.bytes != sizeof(midge_learn_t) || !midge_is_aligned(learn.data, 4)) {
        return NULL;
    }
    const midge_learn_t *facts = (const midge_learn_t *)(const void *)learn.data;
    const int is_head = facts->method == MIDGE_LEARN_METHOD_HEAD;
    const int32_t most = is_head ? MIDGE_LEARN_MOST_HEAD_SIZE : MIDGE_LEARN_MOST_SIZE;
    if (facts->size < 1 || facts->size > most || facts->zero_point < -128
        || facts->zero_point > 127 || facts->shift < 1 || facts->shift > 30) {
        return NULL;
    }
    return facts;
}

// Of a vector, with the input of a head's bias.
static inline uint32_t midge_vector_size(const midge_learn_t *facts) {
    return (uint32_t)facts->size + (facts->method == MIDGE_LEARN_METHOD_HEAD);
}

#endif
