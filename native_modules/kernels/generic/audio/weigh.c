#include "weigh.h"
#include "bytes.h"
#include "target.h"

#ifndef MIDGE_TUNED_WEIGH

uint64_t midge_weigh(const uint32_t *energies, const uint8_t *weights, uint32_t width,
    uint32_t unit, uint64_t *rest) {
    const uint32_t *const end = energies + width;
    uint64_t sum = 0, whole = 0;
    for (; energies < end; energies++, weights += 2) {
        const uint32_t weight = (uint16_t)midge_int16_at(weights);
        sum += (*energies & 0xffff) * weight;
        sum += (uint64_t)((*energies >> 16) * weight) << 16;
        whole += *energies;
    }
    *rest = whole * unit - sum;
    return sum;
}

#endif
