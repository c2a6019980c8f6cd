// DIV: quotients by TFLM's fixed-point reciprocal.

#include "call.h"
#include "exponential.h"

static inline int32_t unclamped(const midge_arithmetic_t *op, int32_t a, int32_t b, int wide) {
    (void)wide;
    a -= op->zero1;
    b -= op->zero2;
    if (b < 0) {
        a = -a;
        b = -b;
    }
    if (a == 0 || b == 0) { // a quotient by 0 is beyond all limits
        return a * (1 << 16) + op->output_zero;
    }
    int32_t digits = 0, headroom = 31; // binary digits of b; what a can be shifted left
    for (; b >> digits; digits++) {
    }
    for (int32_t rest = a < 0 ? -a - 1 : a; rest; rest >>= 1) {
        headroom--;
    }
    const int32_t fraction = (int32_t)(((uint32_t)b << (32 - digits)) - 0x80000000u);
    const int32_t whole = (int32_t)((uint32_t)a << headroom);
    const int32_t quotient = midge_high_mul(whole, midge_reciprocal(fraction));
    const int32_t right = digits - 1 + headroom - op->shift;
    const int32_t scaled = midge_high_mul(quotient, op->multiplier);
    return (right > 31 ? 0 : midge_rounding_shift(scaled, right)) + op->output_zero;
}

#include "broadcast.h"

void midge_div(const midge_call_t *call) {
    midge_broadcast(call, 0);
}
