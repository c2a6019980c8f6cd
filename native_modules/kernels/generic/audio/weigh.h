#ifndef MIDGE_WEIGH_H
#define MIDGE_WEIGH_H

#include <stdint.h>

// The sum of energies times their weights, uint16; in `rest` that of energies times what their
// weights leave of `unit`. Up to 255 energies; unit <= 2^16.
uint64_t midge_weigh(const uint32_t *energies, const uint8_t *weights, uint32_t width,
    uint32_t unit, uint64_t *rest);

#endif
