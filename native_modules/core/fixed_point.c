// The functions of fixed_point.h for cores that share one copy of them.

#include "target.h"
#ifdef MIDGE_OUT_OF_LINE
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
typedef int midge_no_empty_file; // C has none
#endif
