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
    const int32_t left = b[MIDGE_FOUND_X], right = right_of(b);
    if (left >= a->right || right <= a->left) {
        return 0;
    }
    const int32_t top = b[MIDGE_FOUND_Y], bottom = bottom_of(b);
    if (top >= a->bottom || bottom <= a->top) {
        return 0;
    }
    const int32_t width = smaller(a->right, right) - larger(a->left, left);
    const int32_t height = smaller(a->bottom, bottom) - larger(a->top, top);
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

// Brings the candidate at place `from` to place `to` before it; those between move on.
static void move(const midge_candidates_t *list, uint32_t from, uint32_t to) {
    uint8_t *order = list->order + 1;
    const uint8_t number = order[from];
    for (; from > to; from--) {
        order[from] = order[from - 1];
    }
    order[to] = number;
}

// Brings those of one thing with the candidate at `first` behind it; returns the place behind
// them.
static uint32_t gather(
    const midge_candidates_t *list, const midge_detect_t *facts, uint32_t first) {
    const uint32_t count = list->order[0], limit = facts->overlap;
    const int is_merged = facts->mode == MIDGE_DETECT_MERGE;
    uint32_t end = first + 1;
    for (uint32_t i = first; i < (is_merged ? end : first + 1); i++) {
        const int16_t *a = midge_candidate(list, i);
        const edges_t edges
            = {a[MIDGE_FOUND_X], a[MIDGE_FOUND_Y], right_of(a), bottom_of(a), area(a)};
        for (uint32_t k = end; k < count; k++) {
            const int16_t *b = midge_candidate(list, k);
            if ((is_merged ? touch(a, b) : overlap(&edges, b, limit)) && !are_apart(a, b, facts)) {
                move(list, k, end++);
            }
        }
    }
    return end;
}

// The mean of boxes and keypoints, weighted by their scores. Weights are in 1/2^15; the first
// one's is what the others leave.
static void average(const midge_candidates_t *list, uint32_t first, uint32_t end) {
    int32_t sums[COORDINATES];
    uint32_t total = 0;
    const uint32_t size = list->size;
    int16_t *const found = list->found, *to = found + same[0] * size + MIDGE_FOUND_X;
    int32_t *const end = sums + size - MIDGE_FOUND_X, rest = 1 << 15;
    for (uint32_t i = 0; i < count; i++) {
        total += (uint32_t)found[same[i] * size + MIDGE_FOUND_SCORE];
    }
    const uint32_t share = (1u << 31) / total;
    for (int32_t *sum = sums; sum < end; sum++) {
        *sum = 1 << 14;
    }
    for (uint32_t i = 1; i < count; i++) {
        const int16_t *a = found + same[i] * size;
        const int32_t weight = (int32_t)((uint32_t)a[MIDGE_FOUND_SCORE] * share >> 16);
        rest -= weight;
        a += MIDGE_FOUND_X;
        for (int32_t *sum = sums; sum < end; sum += 2, a += 2) { // x and y, width and height
            sum[0] += weight * a[0];
            sum[1] += weight * a[1];
        }
    }
    for (const int32_t *sum = sums; sum < end; sum++, to++) {
        *to = (int16_t)((*sum + rest * *to) >> 15);
    }
}

// The box around boxes.
static void surround(const midge_candidates_t *list, uint32_t first, uint32_t end) {
    int16_t *to = midge_candidate(list, first);
    for (uint32_t i = first + 1; i < end; i++) {
        const int16_t *a = midge_candidate(list, i);
        const int32_t right = larger(right_of(to), right_of(a));
        const int32_t bottom = larger(bottom_of(to), bottom_of(a));
        to[MIDGE_FOUND_X] = (int16_t)smaller(to[MIDGE_FOUND_X], a[MIDGE_FOUND_X]);
        to[MIDGE_FOUND_Y] = (int16_t)smaller(to[MIDGE_FOUND_Y], a[MIDGE_FOUND_Y]);
        to[MIDGE_FOUND_WIDTH] = (int16_t)smaller(right - to[MIDGE_FOUND_X], INT16_MAX);
        to[MIDGE_FOUND_HEIGHT] = (int16_t)smaller(bottom - to[MIDGE_FOUND_Y], INT16_MAX);
    }
}

void midge_join(const midge_candidates_t *list, const midge_detect_t *facts) {
    for (uint32_t first = 0; first < list->order[0]; first++) {
        const uint32_t end = gather(list, facts, first), joined = end - first - 1;
        if (!joined) {
            continue;
        }
        if (facts->mode == MIDGE_DETECT_AVERAGE) {
            average(list, first, end);
        } else if (facts->mode == MIDGE_DETECT_MERGE) {
            surround(list, first, end);
        }
        uint8_t *order = list->order + 1;
        for (uint32_t i = end; i < list->order[0]; i++) {
            order[i - joined] = order[i];
        }
        list->order[0] = (uint8_t)(list->order[0] - joined);
    }
}
