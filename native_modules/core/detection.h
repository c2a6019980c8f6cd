// Generated from host/midge_host/device/ by `make generate`. Do not edit.
// Checks of the parts of a section DETE: docs/FORMAT.md.

#ifndef MIDGE_DETECTION_H
#define MIDGE_DETECTION_H

#include "call.h"

static uint32_t midge_detect_check(const void *record, uint32_t arena_bytes) {
    (void)arena_bytes;
    const midge_detect_t *op = record;
    if (op->grids < 1 || op->grids > 16 || op->anchors < 1 || op->anchors > 256
        || op->tables < 1 || op->tables > 48 || op->most < 1 || op->most > 255
        || op->keypoints > 32 || op->mode < 1 || op->mode > 3 || op->overlap > 32768
        || op->least < 1 || op->least > 32767) {
        return MIDGE_BAD_PARAMETER;
    }
    return MIDGE_OK;
}

static uint32_t midge_grid_check(const void *record, uint32_t arena_bytes) {
    const midge_grid_t *op = record;
    if (op->last > 16383
        || (uint32_t)op->columns * op->rows * op->anchors != (uint32_t)(op->last + 1)
        || op->last_class > 254 || op->last_keypoint > 31
        || (uint32_t)op->columns * op->stride_x > 16777216 || op->origin_x > 16777216
        || op->origin_y > 16777216 || op->position_shift > 15 || op->size_shift > 15) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->scores, (1 + (uint32_t)op->last * op->score_step +
            (uint32_t)op->last_class * op->class_step), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    if (op->has_objectness != 0) {
        if (!midge_fits(op->objectness, (1 + (uint32_t)op->last * op->score_step), arena_bytes)) {
            return MIDGE_BAD_TENSOR;
        }
    }
    if (op->has_box != 0) {
        if (!midge_fits(op->x, (1 + (uint32_t)op->last * op->box_step), arena_bytes)
            || !midge_fits(op->y, (1 + (uint32_t)op->last * op->box_step), arena_bytes)
            || !midge_fits(op->width, (1 + (uint32_t)op->last * op->box_step), arena_bytes)
            || !midge_fits(op->height, (1 + (uint32_t)op->last * op->box_step), arena_bytes)) {
            return MIDGE_BAD_TENSOR;
        }
        if (!midge_fits(op->keypoint_x, (1 + (uint32_t)op->last * op->box_step +
                (uint32_t)op->last_keypoint * op->keypoint_step), arena_bytes)
            || !midge_fits(op->keypoint_y, (1 + (uint32_t)op->last * op->box_step +
                (uint32_t)op->last_keypoint * op->keypoint_step), arena_bytes)) {
            return MIDGE_BAD_TENSOR;
        }
    }
    return MIDGE_OK;
}

#endif
