// CODES: int16 codes of float32 values, so that thresholds need two bytes.

#include "bytes.h"
#include "call.h"
#include "float_order.h"

#define LIMIT 32767

// x * 2^exponent rounded up; beyond 2^29 in magnitude whatever is.
static int32_t rounded_up(uint32_t bits, int32_t exponent) {
    const int32_t e = bits >> 23 & 255;
    int32_t m = (int32_t)(bits & 0x7fffff);
    int32_t shift = (e ? e : 1) - 150 + exponent;
    if (e) {
        m |= 1 << 23;
    }
    if (e == 255 || shift > 6) {
        m = m ? 1 << 29 : 0;
        shift = 0;
    }
    if (shift >= 0) {
        m <<= shift;
        return bits >> 31 ? -m : m;
    }
    const int32_t whole = shift < -24 ? 0 : m >> -shift;
    const int cut = shift < -24 ? m != 0 : (m & ((1 << -shift) - 1)) != 0;
    return bits >> 31 ? -whole : whole + cut;
}

void midge_codes(const midge_call_t *call) {
    const midge_codes_t *op = call->op;
    const uint32_t *x = (const uint32_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    for (uint32_t i = 0; i < op->count; i++) {
        if (MIDGE_FLOAT_IS_NAN(x[i])) {
            out[i] = INT16_MIN;
            continue;
        }
        // Bytes 1 to 3 are a quarter of the zero.
        const uint8_t *word = call->weights + 4 * i;
        const int32_t zero = 4 * (midge_int16_at(word + 2) * 256 + word[1]);
        const int32_t code = rounded_up(x[i], (int8_t)word[0]) - zero;
        out[i] = (int16_t)(code > LIMIT ? LIMIT : code < -LIMIT ? -LIMIT : code);
    }
}
