// What CEPSTRUM and LOG_MEL share: bands of a spectrum, triangles that overlap by a half.

#ifndef MIDGE_BANDS_H
#define MIDGE_BANDS_H

#include <stdint.h>

#define MIDGE_LOG_BITS 24 // of a logarithm's fraction

typedef struct {
    const uint8_t *table; // the polynomial of the logarithm, widths, weights
    const uint32_t *magnitudes; // `bins` of them, or of powers, of two words each
    uint32_t bins, first, bands, columns;
} midge_bands_t;

// To the base 2 in 2^-24, of what each band holds of magnitudes or, if is_power, of powers, and
// `added`. Returns what lies behind the table.
const uint8_t *midge_band_logarithms(const midge_bands_t *from, uint64_t added, int is_power,
    int32_t *logarithms);

// An output's value, limited to its type: int8, or int16 if is_wide.
void midge_put_limited(int8_t *output, uint32_t at, int is_wide, int32_t value);

#endif
