// LOG_MEL: bands of powers in decibels.

#include "call.h"
#include "mel/bands.h"
#include "product.h"
#include "table.h"

#define WORD_BYTES 4
#define LEVEL_BITS 44 // fractions of a bit of a logarithm times the factor

void midge_log_mel(const midge_call_t *call) {
    const midge_log_mel_t *op = call->op;
    const uint32_t *powers = (const uint32_t *)(const void *)(call->arena + op->input);
    const uint32_t grown = powers[2 * op->bins];
    const midge_bands_t from
        = {call->weights, powers, op->bins, op->first, op->bands, op->columns};
    int32_t logarithms[MIDGE_MAX_BANDS];
    const uint8_t *added = midge_band_logarithms(&from, 0, 1, logarithms);
    for (uint32_t band = 0; band < op->bands; band++, added += WORD_BYTES) {
        const uint32_t logarithm
            = (uint32_t)logarithms[band] - (grown << (MIDGE_LOG_BITS + 1)) + midge_word_at(added);
        const int64_t level = midge_product(op->factor, (int32_t)logarithm);
        const int32_t value
            = (int32_t)((level + ((int64_t)1 << (LEVEL_BITS - 1))) >> LEVEL_BITS) + op->offset;
        midge_put_limited(call->arena + op->output, band, op->types == MIDGE_DTYPE_INT16,
            value < op->least ? op->least : value);
    }
}
