#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "weight_rows.h"

void midge_begin_rows(midge_place_t *place, const midge_call_t *call, uint32_t row_bytes) {
    *place = (midge_place_t){call->op, call->weights, -1, row_bytes};
}

const int8_t *midge_row(midge_place_t *place, int32_t step, midge_scale_t *scale) {
    const midge_window_t *op = place->op;
    place->index += step;
    for (; place->index < 0; place->index += op->block_channels) {
        place->block -= op->block_bytes;
    }
    for (; place->index >= op->block_channels; place->index -= op->block_channels) {
        place->block += op->block_bytes;
    }
    const uint32_t index = (uint32_t)place->index;
    if (scale) {
        midge_scale(op, place->block, index, scale);
    }
    return (const int8_t *)place->block + midge_entries_bytes(op) + index * place->row_bytes;
}

#endif
