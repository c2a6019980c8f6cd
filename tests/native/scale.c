// The requantisation of native_modules/kernels/armv6m against its definition, on the PC: scale.c makes the constants, the
// arithmetic of the assembly, and that of add_tables.c, stands here in C. tests/native/test_kernels_armv6m.py builds and runs
// it.

#include <stdio.h>
#include <stdlib.h>

#include "../../native_modules/kernels/generic/scale.h"

#define NEAR 4 // sums on each side of where the output changes

static uint64_t state;

static uint32_t random_bits(void) { // xorshift64*
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * 0x2545F4914F6CDD1D >> 32);
}

static uint64_t compared, doubtful;

// The bits that `spare` counts are not in x'.
static void compare(int64_t sum, const midge_scale_t *scale, int spare) {
    const int64_t products = sum - scale->channel.bias;
    // More than 65,535 products can be.
    if (products < -(1 << 30) || products > 1 << 30 || sum < INT32_MIN || sum > INT32_MAX) {
        return;
    }
    const uint32_t x = (uint32_t)((int32_t)products >> spare) + scale->start;
    const uint8_t right = (uint8_t)midge_output(scale->op, &scale->channel, (uint32_t)sum);
    uint8_t got = (uint8_t)((x >> 31 ? UINT32_MAX : 0) ^ 127);
    compared++;
    if (x <= scale->range) {
        const uint32_t v = x * scale->high + scale->base;
        if (v << 8 >= scale->limit) {
            doubtful++;
            return;
        }
        got = (uint8_t)(v >> 24);
    }
    if (got != right) {
        printf("multiplier %d, shift %d, zero point %d: the sum %lld gives %d, not %d\n", scale->channel.multiplier,
            scale->channel.shift, scale->op->output_zero, (long long)sum, (int8_t)got, (int8_t)right);
        exit(1);
    }
}

int main(int argc, char **argv) {
    const int rounds = argc > 2 ? atoi(argv[1]) : 0;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) * 2 + 1 : 1;
    for (int round = 0; round < rounds; round++) {
        static const int zeros[] = {-128, -127, 0, 126, 127};
        static const uint32_t multipliers[] = {1u << 30, (1u << 30) + 1, (1u << 31) - 1, (1u << 31) - 0x10000};
        midge_window_t op = {.code = MIDGE_CONV_2D, .clamp_min = -128, .clamp_max = 127, .bias_bits = 32};
        op.block_channels = 1;
        op.output_zero = (int8_t)(round & 1 ? zeros[random_bits() % 5] : (int)(random_bits() & 255) - 128);
        op.multiplier = (int32_t)(round & 2 ? multipliers[random_bits() & 3] : random_bits() >> 2 | 1u << 30);
        op.shift = (int8_t)(round & 8 ? -MIDGE_SUM_SHIFT : -(int)(random_bits() % 14) - (int)(random_bits() & 1));
        midge_scale_t scale;
        const uint32_t bias = round & 4 ? random_bits() : 0;
        midge_scale(&op, (const uint8_t *)&bias, 0, &scale);
        // Some rounds as add_tables.c does.
        const int spare = round & 8 && !bias ? (int)(random_bits() % 18) : 0;
        if (spare) {
            const uint32_t half = 1u << (23 - MIDGE_SUM_SHIFT);
            scale.base -= half;
            scale.limit -= (half + scale.high + 2) << 8;
            scale.channel.shift -= spare;
        }
        const double step = (double)(1u << -scale.channel.shift) * (double)(1u << 31) / op.multiplier;
        for (int q = -130; q <= 130; q++) {
            const int64_t turn = (int64_t)((q - 0.5 - op.output_zero) * step);
            for (int64_t sum = turn - NEAR; sum <= turn + NEAR; sum++) {
                compare(sum, &scale, spare);
            }
            compare(turn + (int64_t)(random_bits() / 4294967296.0 * step), &scale, spare);
        }
        for (int bit = 0; bit < 32; bit++) {
            compare((1LL << bit) - 1, &scale, spare);
            compare(-(1LL << bit), &scale, spare);
            compare((int32_t)random_bits() >> bit, &scale, spare);
        }
    }
    printf("%llu compared, %llu of them in doubt\n", (unsigned long long)compared, (unsigned long long)doubtful);
    return 0;
}
