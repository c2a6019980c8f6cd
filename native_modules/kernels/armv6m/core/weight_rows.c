#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "weight_rows.h"

void midge_begin_rows(midge_place_t *place, const midge_call_t *call, uint32_t row_bytes) {
    *place = (midge_place_t){call->op, call->weights, -1, row_bytes,
        midge_entries_bytes(call->op)};
}

const int8_t *midge_row(midge_place_t *place, int32_t step, midge_scale_t *scale) {
    const midge_window_t *op = place->op;
    const uint8_t *block = place->block;
    int32_t index = place->index + step;
    for (; index < 0; index += op->block_channels) {
        block -= op->block_bytes;
    }
    for (; index >= op->block_channels; index -= op->block_channels) {
        block += op->block_bytes;
    }
    place->block = block;
    place->index = index;
    if (scale) {
        midge_scale(op, block, (uint32_t)index, scale);
    }
    return (const int8_t *)block + place->entries_bytes + (uint32_t)index * place->row_bytes;
}

#endif
