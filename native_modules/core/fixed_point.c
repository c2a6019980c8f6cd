// The functions of fixed_point.h for cores that share one copy of them.

#ifdef __ARM_ARCH_6M__
#define MIDGE_FIXED_POINT_C
#include "fixed_point.h"

// The compiler's own division is 270 bytes.
uint32_t midge_divide(uint32_t a, uint32_t b) {
    uint32_t quotient = 0, bit = 1;
    for (; !(b >> 31) && b < a; bit <<= 1) {
        b <<= 1;
    }
    for (; bit; bit >>= 1, b >>= 1) {
        if (a >= b) {
            a -= b;
            quotient |= bit;
        }
    }
    return quotient;
}
#else
typedef int midge_fixed_point_is_inline; // C has no empty files
#endif
