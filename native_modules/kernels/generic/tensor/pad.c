// PAD: a 4-D tensor in a larger one.

#include "call.h"

void midge_pad(const midge_call_t *call) {
    const midge_pad_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (int32_t n = 0; n < op->out_shape[0]; n++) {
        int32_t in_n = n - op->before[0];
        for (int32_t y = 0; y < op->out_shape[1]; y++) {
            int32_t in_y = y - op->before[1];
            int line = in_n >= 0 && in_n < op->in_shape[0] && in_y >= 0 && in_y < op->in_shape[1];
            for (int32_t x = 0; x < op->out_shape[2]; x++) {
                int32_t in_x = x - op->before[2];
                int pixel = line && in_x >= 0 && in_x < op->in_shape[2];
                for (int32_t c = 0; c < op->out_shape[3]; c++) {
                    int32_t in_c = c - op->before[3];
                    // Input elements come in the order in which they are stored.
                    int inside = pixel && in_c >= 0 && in_c < op->in_shape[3];
                    *out++ = inside ? *input++ : op->value;
                }
            }
        }
    }
}
