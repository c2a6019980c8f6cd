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

// Room for a candidate in the order of scores, behind those of the same; NULL where there are
// enough better ones.
static int16_t *place(const midge_candidates_t *list, int32_t score) {
    uint8_t *const order = list->order + 1;
    uint32_t count = list->order[0], slot = count;
    if (count == list->most) {
        slot = order[--count];
        if (list->found[slot * list->size + MIDGE_FOUND_SCORE] >= score) {
            return NULL;
        }
    }
    list->order[0] = (uint8_t)(count + 1);
    for (; count && midge_candidate(list, count - 1)[MIDGE_FOUND_SCORE] < score; count--) {
        order[count] = order[count - 1];
    }
    order[count] = (uint8_t)slot;
    int16_t *made = list->found + slot * list->size;
    made[MIDGE_FOUND_SCORE] = (int16_t)score;
    return made;
}

static int32_t scaled(int32_t unit, const int16_t *table, int8_t value, uint32_t shift) {
    return (unit * table[value] + ((1 << shift) >> 1)) >> shift;
}

static int16_t limited(int32_t value, int32_t least) {
    return (int16_t)(value < least ? least : value > MOST_PLACE ? MOST_PLACE : value);
}

// The box and keypoints of candidate n, at (x, y) in 1/16 pixels. Tables begin at int8's 0.
static void decode(int16_t *made, const heads_t *heads, const midge_grid_t *grid,
    const midge_anchor_t *anchor, const int8_t *arena, uint32_t n, int32_t x, int32_t y) {
    const int16_t *middle = heads->tables + MIDGE_DETECT_TABLE / 2;
    const int16_t *positions = middle + grid->position_table * MIDGE_DETECT_TABLE;
    const int16_t *sizes = middle + grid->size_table * MIDGE_DETECT_TABLE;
    const uint32_t position_shift = grid->position_shift, size_shift = grid->size_shift;
    int32_t width = anchor->width, height = anchor->height, centre_x = x, centre_y = y;
    arena += n * grid->box_step;
    if (grid->has_box) {
        centre_x += scaled(anchor->unit_x, positions, arena[grid->x], position_shift);
        centre_y += scaled(anchor->unit_y, positions, arena[grid->y], position_shift);
        width = scaled(width, sizes, arena[grid->width], size_shift);
        height = scaled(height, sizes, arena[grid->height], size_shift);
    }
    made[MIDGE_FOUND_WIDTH] = limited(width, 0);
    made[MIDGE_FOUND_HEIGHT] = limited(height, 0);
    made[MIDGE_FOUND_X] = limited(centre_x - made[MIDGE_FOUND_WIDTH] / 2, -MOST_PLACE);
    made[MIDGE_FOUND_Y] = limited(centre_y - made[MIDGE_FOUND_HEIGHT] / 2, -MOST_PLACE);
    made += MIDGE_FOUND_KEYPOINTS;
    for (uint32_t k = 0; k < heads->facts->keypoints; k++, arena += grid->keypoint_step) {
        const int8_t right = arena[grid->keypoint_x], down = arena[grid->keypoint_y];
        centre_x = x + scaled(anchor->unit_x, positions, right, position_shift);
        centre_y = y + scaled(anchor->unit_y, positions, down, position_shift);
        *made++ = limited(centre_x, -MOST_PLACE);
        *made++ = limited(centre_y, -MOST_PLACE);
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

// The first candidate from n on whose value reaches the threshold, or `end`. Most of the time goes
// in here.
static __attribute__((noinline)) uint32_t skip(
    const int8_t *value, uint32_t n, uint32_t end, uint32_t step, int32_t threshold) {
    for (value += n * step; n < end && *value < threshold; n++) {
        value += step;
    }
    return n;
}

// Candidate n of a grid, `rest` in its row, whose values are looked at.
static __attribute__((noinline)) void consider(const midge_candidates_t *list,
    const heads_t *heads, const midge_grid_t *grid, const int8_t *arena, uint32_t n,
    uint32_t row, uint32_t rest) {
    const int16_t *scores
        = heads->tables + grid->score_table * MIDGE_DETECT_TABLE + MIDGE_DETECT_TABLE / 2;
    const int8_t *first = arena + grid->scores + n * grid->score_step;
    const uint32_t class = best_class(grid, first);
    const int8_t best = first[class * grid->class_step];
    int32_t score = scores[best];
    if (grid->has_objectness) {
        score = score * scores[arena[grid->objectness + n * grid->score_step]] >> 15;
    } else if (best < grid->threshold) {
        return;
    }
    int16_t *made = score < heads->facts->least ? NULL : place(list, score);
    if (made) {
        const uint32_t column = rest / grid->anchors;
        made[MIDGE_FOUND_CLASS] = (int16_t)class;
        decode(made, heads, grid,
            &heads->anchors[grid->first_anchor + rest - column * grid->anchors], arena, n,
            (int32_t)((column * grid->stride_x + grid->origin_x) >> 4),
            (int32_t)((row * grid->stride_y + grid->origin_y) >> 4));
    }
}

static void scan(const midge_candidates_t *list, const heads_t *heads, const midge_grid_t *grid,
    const int8_t *arena) {
    const int8_t *values = arena + (grid->has_objectness ? grid->objectness : grid->scores);
    const int32_t least = grid->has_objectness || !grid->last_class ? grid->threshold : INT8_MIN;
    const uint32_t across = (uint32_t)grid->columns * grid->anchors;
    for (uint32_t row = 0, first = 0; row < grid->rows; row++, first += across) {
        const uint32_t end = first + across;
        for (uint32_t n = first; n < end; n++) {
            n = skip(values, n, end, grid->score_step, least);
            if (n < end) {
                consider(list, heads, grid, arena, n, row, n - first);
            }
        }
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
