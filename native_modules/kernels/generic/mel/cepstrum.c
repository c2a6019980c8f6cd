// CEPSTRUM: bands of magnitudes, their logarithms, and sums of these with the weights of a matrix.

#include "call.h"
#include "mel/bands.h"
#include "product.h"
#include "table.h"

#define WORD_BYTES 4
#define SUM_BITS 48 // fractions of a bit of a logarithm times a factor

void midge_cepstrum(const midge_call_t *call) {
    const midge_cepstrum_t *op = call->op;
    const uint32_t *magnitudes = (const uint32_t *)(const void *)(call->arena + op->input);
    const uint32_t grown = magnitudes[op->bins] & 15;
    const midge_bands_t from
        = {call->weights, magnitudes, op->bins, op->first, op->bands, op->columns};
    const uint64_t epsilon = (uint64_t)op->epsilon * (1u << (grown + op->epsilon_shift));
    int32_t logarithms[MIDGE_MAX_BANDS];
    const uint8_t *row = midge_band_logarithms(&from, epsilon, 0, logarithms);
    const int32_t unit = (int32_t)((grown + op->unit) << MIDGE_LOG_BITS);
    for (uint32_t i = 0; i < op->values; i++) {
        uint64_t sum = (uint64_t)1 << (SUM_BITS - 1);
        for (uint32_t band = 0; band < op->bands; band++, row += WORD_BYTES) {
            sum += (uint64_t)midge_product((int32_t)midge_word_at(row), logarithms[band] - unit);
        }
        midge_put_limited(call->arena + op->output, i, op->types == MIDGE_DTYPE_INT16,
            (int32_t)((int64_t)sum >> SUM_BITS) + op->offset);
    }
}
