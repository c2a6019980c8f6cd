// Boxes of one thing become one.

#include "detect/detect.h"

enum { COORDINATES = MIDGE_FOUND_KEYPOINTS - MIDGE_FOUND_X + 2 * MIDGE_DETECT_MOST_KEYPOINTS };

static int32_t smaller(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t larger(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static int32_t right_of(const int16_t *a) {
    return a[MIDGE_FOUND_X] + a[MIDGE_FOUND_WIDTH];
}

static int32_t bottom_of(const int16_t *a) {
    return a[MIDGE_FOUND_Y] + a[MIDGE_FOUND_HEIGHT];
}

static uint32_t area(const int16_t *a) {
    return (uint32_t)(a[MIDGE_FOUND_WIDTH] * a[MIDGE_FOUND_HEIGHT]);
}

typedef struct {
    int32_t left, top, right, bottom;
    uint32_t area;
} edges_t;

// Whether what two boxes share is more than `limit` / 2^15 of what they cover together. Most share
// nothing.
static int overlap(const edges_t *a, const int16_t *b, uint32_t limit) {
    const int32_t left = larger(a->left, b[MIDGE_FOUND_X]);
    const int32_t width = smaller(a->right, right_of(b)) - left;
    if (width <= 0) {
        return 0;
    }
    const int32_t top = larger(a->top, b[MIDGE_FOUND_Y]);
    const int32_t height = smaller(a->bottom, bottom_of(b)) - top;
    if (height <= 0) {
        return 0;
    }
    const uint32_t shared = (uint32_t)(width * height), all = a->area + area(b) - shared;
    return shared > (all >> 15) * limit + (((all & 0x7FFF) * limit) >> 15);
}

// Whether boxes touch, at an edge or a corner; edges are rounded to 1/16 pixels.
static int touch(const int16_t *a, const int16_t *b) {
    return a[MIDGE_FOUND_X] <= right_of(b) + 1 && b[MIDGE_FOUND_X] <= right_of(a) + 1
        && a[MIDGE_FOUND_Y] <= bottom_of(b) + 1 && b[MIDGE_FOUND_Y] <= bottom_of(a) + 1;
}

static int are_apart(const int16_t *a, const int16_t *b, const midge_detect_t *facts) {
    return facts->apart && a[MIDGE_FOUND_CLASS] != b[MIDGE_FOUND_CLASS];
}

// Takes those of one thing with candidate a out of the order, from place `first` on: their numbers
// go behind the `count` of `same`. Returns how many are there then. best: the place of the highest
// score of the others.
static uint32_t take(const midge_candidates_t *list, const midge_detect_t *facts, uint32_t first,
    const int16_t *a, uint8_t *same, uint32_t count, uint8_t **best) {
    const int16_t *const found = list->found;
    const uint32_t size = list->size, limit = facts->overlap;
    const int is_merged = facts->mode == MIDGE_DETECT_MERGE;
    const edges_t edges
        = {a[MIDGE_FOUND_X], a[MIDGE_FOUND_Y], right_of(a), bottom_of(a), area(a)};
    uint8_t *const order = list->order + 1, *to = order + first;
    const uint8_t *const end = order + list->order[0];
    int32_t most = 0;
    for (const uint8_t *from = to; from < end; from++) {
        const uint32_t number = *from;
        const int16_t *b = found + number * size;
        if ((is_merged ? touch(a, b) : overlap(&edges, b, limit)) && !are_apart(a, b, facts)) {
            same[count++] = (uint8_t)number;
        } else {
            if (b[MIDGE_FOUND_SCORE] > most) {
                most = b[MIDGE_FOUND_SCORE];
                *best = to;
            }
            *to++ = (uint8_t)number;
        }
    }
    list->order[0] = (uint8_t)(to - order);
    return count;
}

// The mean of boxes and keypoints, weighted by their scores. Weights are in 1/2^15; the first
// one's is what the others leave.
static void average(const midge_candidates_t *list, const uint8_t *same, uint32_t count) {
    int32_t sums[COORDINATES];
    uint32_t total = 0;
    const uint32_t size = list->size;
    int16_t *const found = list->found, *to = found + same[0] * size + MIDGE_FOUND_X;
    int32_t *const end = sums + size - MIDGE_FOUND_X, rest = 1 << 15;
    for (uint32_t i = 0; i < count; i++) {
        total += (uint32_t)found[same[i] * size + MIDGE_FOUND_SCORE];
    }
    const uint32_t share = (1u << 31) / total;
    for (int32_t *sum = sums; sum < end; sum += 2) { // x and y, width and height
        sum[0] = sum[1] = 1 << 14;
    }
    for (uint32_t i = 1; i < count; i++) {
        const int16_t *a = found + same[i] * size;
        const int32_t weight = (int32_t)((uint32_t)a[MIDGE_FOUND_SCORE] * share >> 16);
        rest -= weight;
        a += MIDGE_FOUND_X;
        for (int32_t *sum = sums; sum < end; sum += 2, a += 2) {
            sum[0] += weight * a[0];
            sum[1] += weight * a[1];
        }
    }
    for (const int32_t *sum = sums; sum < end; sum += 2, to += 2) {
        to[0] = (int16_t)((sum[0] + rest * to[0]) >> 15);
        to[1] = (int16_t)((sum[1] + rest * to[1]) >> 15);
    }
}

// The box around boxes.
static void surround(const midge_candidates_t *list, const uint8_t *same, uint32_t count) {
    int16_t *to = list->found + same[0] * list->size;
    for (uint32_t i = 1; i < count; i++) {
        const int16_t *a = list->found + same[i] * list->size;
        const int32_t right = larger(right_of(to), right_of(a));
        const int32_t bottom = larger(bottom_of(to), bottom_of(a));
        to[MIDGE_FOUND_X] = (int16_t)smaller(to[MIDGE_FOUND_X], a[MIDGE_FOUND_X]);
        to[MIDGE_FOUND_Y] = (int16_t)smaller(to[MIDGE_FOUND_Y], a[MIDGE_FOUND_Y]);
        to[MIDGE_FOUND_WIDTH] = (int16_t)smaller(right - to[MIDGE_FOUND_X], INT16_MAX);
        to[MIDGE_FOUND_HEIGHT] = (int16_t)smaller(bottom - to[MIDGE_FOUND_Y], INT16_MAX);
    }
}

void midge_join(const midge_candidates_t *list, const midge_detect_t *facts) {
    uint8_t same[UINT8_MAX]; // numbers of candidates of one thing
    uint8_t *best = list->order + 1;
    for (uint32_t i = 1; i < list->order[0]; i++) {
        if (midge_candidate(list, i)[MIDGE_FOUND_SCORE]
            > list->found[*best * list->size + MIDGE_FOUND_SCORE]) {
            best = list->order + 1 + i;
        }
    }
    for (uint32_t first = 0; first < list->order[0]; first++) {
        uint8_t *const to = list->order + 1 + first;
        same[0] = *best;
        for (; best > to; best--) {
            *best = best[-1];
        }
        *to = same[0];
        uint32_t count = 1;
        for (uint32_t i = 0; i < (facts->mode == MIDGE_DETECT_MERGE ? count : 1); i++) {
            const int16_t *a = list->found + same[i] * list->size;
            count = take(list, facts, first + 1, a, same, count, &best);
        }
        if (facts->mode == MIDGE_DETECT_AVERAGE && count > 1) {
            average(list, same, count);
        } else if (facts->mode == MIDGE_DETECT_MERGE) {
            surround(list, same, count);
        }
    }
}
