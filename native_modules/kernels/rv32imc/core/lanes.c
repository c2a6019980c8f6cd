#include "target.h"

#ifdef MIDGE_KERNELS_RV32IMC

#include "lanes.h"

#define FAR (1u << 29)

int midge_lanes(const midge_call_t *call, uint32_t row_bytes, uint32_t first, uint32_t count,
    midge_lane_t *lanes) {
    const midge_window_t *op = call->op;
    const uint8_t *block = call->weights;
    uint32_t index = first;
    for (; index >= op->block_channels; index -= op->block_channels) {
        block += op->block_bytes;
    }
    const uint32_t rows_at = midge_entries_bytes(op);
    for (; count > 0; count--, lanes++, index++) {
        if (index == op->block_channels) {
            index = 0;
            block += op->block_bytes;
        }
        midge_channel_t channel;
        midge_channel(op, block, index, &channel);
        if ((uint32_t)channel.bias + FAR > 2 * FAR || channel.shift >= 0) {
            return 0;
        }
        lanes->row = (const int8_t *)block + rows_at + index * row_bytes;
        lanes->bias = (uint32_t)channel.bias;
        lanes->multiplier = (uint32_t)channel.multiplier << 1;
        lanes->half = 1 << (-channel.shift - 1);
        lanes->shift = (uint32_t)-channel.shift;
    }
    return 1;
}

#endif
