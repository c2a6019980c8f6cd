// SVDF: filters over each input whose latest results are remembered, and weighted sums of these.

#include "bytes.h"
#include "call.h"
#include "dot.h"
#include "fixed_point.h"

// Moves a filter's state on by one, to `latest`; the sum of the state with its weights. The state
// may wrap where the zero point is added, as TFLM's does.
static uint32_t remember(const midge_svdf_t *op, int8_t *state, int32_t latest,
    const uint8_t *weights) {
    const uint32_t last = op->memory - 1u;
    uint32_t sum = 0;
    if (op->flags & MIDGE_STATE_INT16) {
        int16_t *values = (int16_t *)(void *)state;
        for (uint32_t i = 0; i < last; i++, weights += 2) {
            int16_t value = values[i + 1];
            values[i] = value;
            sum += (uint32_t)(value * midge_int16_at(weights));
        }
        latest = latest < INT16_MIN ? INT16_MIN : latest > INT16_MAX ? INT16_MAX : latest;
        values[last] = (int16_t)(latest + op->state_zero);
        return sum + (uint32_t)(values[last] * midge_int16_at(weights));
    }
    for (uint32_t i = 0; i < last; i++) {
        int8_t value = state[i + 1];
        state[i] = value;
        sum += (uint32_t)(value * (int8_t)weights[i]);
    }
    state[last] = (int8_t)(midge_clamp(latest, INT8_MIN, INT8_MAX) + op->state_zero);
    return sum + (uint32_t)(state[last] * (int8_t)weights[last]);
}

void midge_svdf(const midge_call_t *call) {
    const midge_svdf_t *op = call->op;
    const uint32_t unit = op->flags & MIDGE_STATE_INT16 ? 2 : 1;
    const uint32_t memory_bytes = op->memory * unit;
    const uint32_t filters = op->block_units * op->rank; // of a block
    const uint8_t *block = call->weights;
    for (uint32_t index = call->begin; index < call->end; index++, block += op->block_bytes) {
        const uint8_t *unit_bias = block;
        const uint8_t *bias = unit_bias + op->block_units * 4u;
        const uint8_t *time = bias + filters * 4;
        const int8_t *feature = (const int8_t *)time + filters * memory_bytes;
        uint32_t first = index * op->block_units;
        for (uint32_t u = 0; u < op->block_units; u++, unit_bias += 4) {
            for (uint32_t b = 0; b < op->batch; b++) {
                const int8_t *x = call->arena + op->input + b * op->depth;
                const uint32_t at = b * op->units + first + u;
                int8_t *state = call->arena + op->input2 + at * op->rank * memory_bytes;
                uint32_t total = midge_uint32_at(unit_bias);
                for (uint32_t f = u * op->rank; f < (u + 1) * op->rank; f++) {
                    uint32_t sum = midge_uint32_at(bias + f * 4);
                    sum += midge_dot(x, feature + f * op->depth, op->depth);
                    total += remember(op, state,
                        midge_rescale((int32_t)sum, op->multiplier1, op->shift1),
                        time + f * memory_bytes);
                    state += memory_bytes;
                }
                total = (uint32_t)midge_rescale((int32_t)total, op->multiplier2, op->shift2);
                call->arena[op->output + at] = midge_clamp(
                    (int32_t)(total + (uint32_t)op->output_zero), INT8_MIN, INT8_MAX);
            }
        }
    }
}
