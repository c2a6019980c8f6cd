// What a model's heads say becomes candidates: boxes, scores, keypoints.

#include <stddef.h>

#include "detect/detect.h"

#include "detection.h"

typedef struct {
    const midge_detect_t *facts;
    const midge_grid_t *grids;
    const midge_anchor_t *anchors;
    const int16_t *tables;
} heads_t;

enum { MOST_PLACE = INT16_MAX };

static int is_aligned(const void *bytes, uint32_t unit) {
    return ((uintptr_t)bytes & (unit - 1)) == 0;
}

// The parts of a section, once they fit together and every grid lies in the arena.
static uint32_t parse(heads_t *heads, midge_bytes_t section, uint32_t arena_bytes) {
    if (section.bytes < sizeof(midge_detect_t) || !is_aligned(section.data, 4)) {
        return MIDGE_BAD_PARAMETER;
    }
    const midge_detect_t *facts = (const midge_detect_t *)(const void *)section.data;
    if (midge_detect_check(facts, arena_bytes)) {
        return MIDGE_BAD_PARAMETER;
    }
    const uint32_t grids = facts->grids * (uint32_t)sizeof(midge_grid_t);
    const uint32_t anchors = (uint32_t)sizeof(*facts) + grids;
    const uint32_t tables = anchors + facts->anchors * (uint32_t)sizeof(midge_anchor_t);
    if (section.bytes != tables + facts->tables * MIDGE_DETECT_TABLE * sizeof(int16_t)) {
        return MIDGE_BAD_PARAMETER;
    }
    heads->facts = facts;
    heads->grids = (const midge_grid_t *)(const void *)(section.data + sizeof(*facts));
    heads->anchors = (const midge_anchor_t *)(const void *)(section.data + anchors);
    heads->tables = (const int16_t *)(const void *)(section.data + tables);
    for (uint32_t i = 0; i < facts->grids; i++) {
        const midge_grid_t *grid = &heads->grids[i];
        const uint32_t reason = midge_grid_check(grid, arena_bytes);
        if (reason) {
            return reason;
        }
        if (grid->first_anchor + grid->anchors > facts->anchors
            || grid->score_table >= facts->tables || grid->position_table >= facts->tables
            || grid->size_table >= facts->tables
            || (facts->keypoints
                && (!grid->has_box || grid->last_keypoint + 1 != facts->keypoints))) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    return MIDGE_OK;
}

// Divides numbers below 2^14: a Cortex-M0+ has no instruction for that.
typedef struct {
    uint32_t by;
    uint32_t inverse; // more than 2^16 / by, by 1 at most: so a quotient is right, or 1 more
} divisor_t;

typedef struct {
    uint32_t whole, rest;
} quotient_t;

static divisor_t divisor(uint32_t by) {
    return (divisor_t){by, (1u << 16) / by + 1};
}

static quotient_t divided(uint32_t n, const divisor_t *divisor) {
    const uint32_t whole = (n * divisor->inverse) >> 16, rest = n - whole * divisor->by;
    return rest < divisor->by ? (quotient_t){whole, rest}
                              : (quotient_t){whole - 1, rest + divisor->by};
}

// A grid, and what all of its candidates have in common.
typedef struct {
    const midge_grid_t *grid;
    const midge_anchor_t *anchors;
    const int16_t *scores, *positions, *sizes; // tables, from int8's 0 on
    const int8_t *arena;
    uint32_t keypoints;
    int32_t least;
    divisor_t across, anchor;
} head_t;

// Room for a candidate, behind the others; where there is none that of the worst, of equals the
// last one; NULL where it is no better.
static inline int16_t *place(const midge_candidates_t *list, int32_t score) {
    int16_t *const found = list->found;
    uint8_t *const order = list->order + 1;
    uint32_t count = list->order[0], number = count;
    if (count == list->most) {
        uint32_t worst = 0;
        for (uint32_t i = 1; i < count; i++) {
            if (midge_candidate(list, i)[MIDGE_FOUND_SCORE]
                <= midge_candidate(list, worst)[MIDGE_FOUND_SCORE]) {
                worst = i;
            }
        }
        number = order[worst];
        if (found[number * list->size + MIDGE_FOUND_SCORE] >= score) {
            return NULL;
        }
        for (count--; worst < count; worst++) {
            order[worst] = order[worst + 1];
        }
    }
    list->order[0] = (uint8_t)(count + 1);
    order[count] = (uint8_t)number;
    int16_t *made = found + number * list->size;
    made[MIDGE_FOUND_SCORE] = (int16_t)score;
    return made;
}

static int16_t limited(int32_t value, int32_t least) {
    return (int16_t)(value < least ? least : value > MOST_PLACE ? MOST_PLACE : value);
}

static int32_t half(uint32_t shift) {
    return (1 << shift) >> 1;
}

// A cell's place in 1/16 pixels, each of 2^shift, and half of one, which rounds what is added.
static int32_t origin(uint32_t cell, uint32_t stride, uint32_t first, uint32_t shift) {
    const uint32_t at = (cell * stride + first) >> 4;
    return (int32_t)((at > MOST_PLACE ? MOST_PLACE : at) << shift) + half(shift);
}

// The box and keypoints of candidate n.
static inline void decode(int16_t *made, const head_t *head, uint32_t n) {
    const midge_grid_t *grid = head->grid;
    const int16_t *positions = head->positions, *sizes = head->sizes;
    const uint32_t shift = grid->position_shift;
    const quotient_t row = divided(n, &head->across), column = divided(row.rest, &head->anchor);
    const midge_anchor_t *anchor = &head->anchors[column.rest];
    const int32_t x = origin(column.whole, grid->stride_x, grid->origin_x, shift);
    const int32_t y = origin(row.whole, grid->stride_y, grid->origin_y, shift);
    const int32_t unit_x = anchor->unit_x, unit_y = anchor->unit_y;
    int32_t width = anchor->width, height = anchor->height, centre_x = x, centre_y = y;
    const int8_t *values = head->arena + n * grid->box_step;
    if (grid->has_box) {
        const uint32_t size_shift = grid->size_shift;
        centre_x += unit_x * positions[values[grid->x]];
        centre_y += unit_y * positions[values[grid->y]];
        width = (width * sizes[values[grid->width]] + half(size_shift)) >> size_shift;
        height = (height * sizes[values[grid->height]] + half(size_shift)) >> size_shift;
    }
    width = limited(width, 0);
    height = limited(height, 0);
    made[MIDGE_FOUND_WIDTH] = (int16_t)width;
    made[MIDGE_FOUND_HEIGHT] = (int16_t)height;
    made[MIDGE_FOUND_X] = limited((centre_x >> shift) - (width >> 1), -MOST_PLACE);
    made[MIDGE_FOUND_Y] = limited((centre_y >> shift) - (height >> 1), -MOST_PLACE);
    made += MIDGE_FOUND_KEYPOINTS;
    const uint32_t step = grid->keypoint_step;
    const int8_t *right = values + grid->keypoint_x;
    const int32_t to_y = (int32_t)(grid->keypoint_y - grid->keypoint_x);
    for (int16_t *end = made + 2 * head->keypoints; made < end; made += 2) {
        made[0] = (int16_t)((x + unit_x * positions[*right]) >> shift);
        made[1] = (int16_t)((y + unit_y * positions[right[to_y]]) >> shift);
        right += step;
    }
}

// The class of the highest value, of equals the first.
static uint32_t best_class(const midge_grid_t *grid, const int8_t *scores) {
    uint32_t best = 0;
    int8_t most = *scores;
    for (uint32_t c = 1; c <= grid->last_class; c++) {
        scores += grid->class_step;
        if (*scores > most) {
            most = *scores;
            best = c;
        }
    }
    return best;
}

// The first of words of four int8 values each in which one reaches a threshold, or `end`: it makes
// one of two sums carry. missing: 128 - threshold, twice.
static __attribute__((noinline)) const uint32_t *skip_words(
    const uint32_t *word, const uint32_t *end, uint32_t missing) {
    for (; word < end; word++) {
        const uint32_t values = *word ^ 0x80808080; // + 128 each
        const uint32_t even = (values & 0x00FF00FF) + missing;
        const uint32_t odd = ((values >> 8) & 0x00FF00FF) + missing;
        if ((even | odd) & 0x01000100) {
            break;
        }
    }
    return word;
}

// The first candidate from n on whose value reaches the threshold, -128 to 128, or `end`. Most of
// the time goes in here.
static uint32_t skip(
    const int8_t *values, uint32_t n, uint32_t end, uint32_t step, int32_t threshold) {
    const uint32_t missing = (uint32_t)(INT8_MAX + 1 - threshold) * 0x00010001;
    for (const int8_t *value = values + n * step; n < end; n++, value += step) {
        if (step == 1 && is_aligned(value, 4)) {
            const uint32_t *word = (const uint32_t *)(const void *)value;
            value = (const int8_t *)skip_words(word, word + (end - n) / 4, missing);
            n = (uint32_t)(value - values);
        }
        if (n < end && *value >= threshold) {
            break;
        }
    }
    return n;
}

// Candidate n of a grid, whose values are looked at.
static inline void consider(
    const midge_candidates_t *list, const head_t *head, uint32_t n) {
    const midge_grid_t *grid = head->grid;
    const int8_t *first = head->arena + grid->scores + n * grid->score_step;
    const uint32_t class = best_class(grid, first);
    const int8_t best = first[class * grid->class_step];
    int32_t score = head->scores[best];
    if (grid->has_objectness) {
        const int8_t sure = head->arena[grid->objectness + n * grid->score_step];
        score = score * head->scores[sure] >> 15;
    } else if (best < grid->threshold) {
        return;
    }
    int16_t *made = score < head->least ? NULL : place(list, score);
    if (made) {
        made[MIDGE_FOUND_CLASS] = (int16_t)class;
        decode(made, head, n);
    }
}

static void scan(const midge_candidates_t *list, const heads_t *heads, const midge_grid_t *grid,
    const int8_t *arena) {
    const int16_t *middle = heads->tables + MIDGE_DETECT_TABLE / 2;
    const head_t head = {
        .grid = grid,
        .anchors = heads->anchors + grid->first_anchor,
        .scores = middle + grid->score_table * MIDGE_DETECT_TABLE,
        .positions = middle + grid->position_table * MIDGE_DETECT_TABLE,
        .sizes = middle + grid->size_table * MIDGE_DETECT_TABLE,
        .arena = arena,
        .keypoints = heads->facts->keypoints,
        .least = heads->facts->least,
        .across = divisor((uint32_t)grid->columns * grid->anchors),
        .anchor = divisor(grid->anchors),
    };
    const int8_t *values = arena + (grid->has_objectness ? grid->objectness : grid->scores);
    const int32_t least = grid->has_objectness || !grid->last_class ? grid->threshold : INT8_MIN;
    const int32_t most = least > INT8_MAX ? INT8_MAX + 1 : least; // that no value reaches
    const int32_t threshold = most < INT8_MIN ? INT8_MIN : most;
    const uint32_t end = grid->last + 1u, step = grid->score_step;
    for (uint32_t n = 0; (n = skip(values, n, end, step, threshold)) < end; n++) {
        consider(list, &head, n);
    }
}

uint32_t midge_find(
    midge_bytes_t section, midge_bytes_t arena, midge_arena_t found, midge_arena_t order) {
    heads_t heads;
    const uint32_t reason = parse(&heads, section, arena.bytes);
    if (reason) {
        return reason;
    }
    const midge_candidates_t list = {
        .found = (int16_t *)(void *)found.data,
        .order = (uint8_t *)order.data,
        .size = MIDGE_FOUND_KEYPOINTS + 2u * heads.facts->keypoints,
        .most = heads.facts->most,
    };
    if (found.bytes != list.most * list.size * sizeof(int16_t) || !is_aligned(found.data, 2)
        || order.bytes != 1 + list.most) {
        return MIDGE_BAD_PARAMETER;
    }
    list.order[0] = 0;
    for (uint32_t i = 0; i < heads.facts->grids; i++) {
        scan(&list, &heads, &heads.grids[i], (const int8_t *)arena.data);
    }
    midge_join(&list, heads.facts);
    return MIDGE_OK;
}
