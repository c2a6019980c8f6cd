// SELECT: of two tensors the elements that a third, of bytes, chooses; all are broadcast.

#include "call.h"
#include "steps.h"

void midge_select(const midge_call_t *call) {
    const midge_select_t *op = call->op;
    const int8_t *condition = call->arena + op->input;
    const int8_t *first = call->arena + op->input2;
    const int8_t *second = call->arena + op->input3;
    int8_t *out = call->arena + op->output;
    const int wide = op->types == MIDGE_DTYPE_INT16;
    int32_t steps[3][DIMS];
    midge_steps(op->shape, op->repeat1, steps[0]);
    midge_steps(op->shape, op->repeat2, steps[1]);
    midge_steps(op->shape, op->repeat3, steps[2]);
    uint16_t index[DIMS] = {0, 0, 0, 0, 0};
    int32_t at[3] = {0, 0, 0};
    for (;;) {
        const int8_t *from = condition[at[0]] ? first + (at[1] << wide) : second + (at[2] << wide);
        *out++ = *from++;
        if (wide) {
            *out++ = *from;
        }
        int d = DIMS - 1;
        while (++index[d] == op->shape[d]) {
            index[d] = 0;
            for (int i = 0; i < 3; i++) {
                at[i] -= steps[i][d] * (op->shape[d] - 1);
            }
            if (--d < 0) {
                return;
            }
        }
        for (int i = 0; i < 3; i++) {
            at[i] += steps[i][d];
        }
    }
}
