// IEEE 754 double precision in integers.

#include "double.h"

#define SIGN MIDGE_DOUBLE_SIGN
#define INFINITE 0x7ff
#define LOG2_E 0x3ff71547652b82feull
#define LN_2 0x3fe62e42fefa39efull
#define HALF 0x3fe0000000000000ull
#define ONE 0x3ff0000000000000ull

static int32_t exponent(uint64_t a) {
    return (int32_t)(a >> 52) & INFINITE;
}

// 53 bits, the first of them 1.
static uint64_t mantissa(uint64_t a) {
    return (a & ((1ull << 52) - 1)) | 1ull << 52;
}

// m * 2^(exponent - 1023 - 63), rounded; the top bit of m is set. The last bit of m stands for all
// that was cut off.
static uint64_t rounded(uint64_t sign, int32_t exponent, uint64_t m) {
    if (exponent <= 0) {
        return sign;
    }
    const uint32_t rest = m & 0x7ff;
    m >>= 11;
    m += rest > 0x400 || (rest == 0x400 && (m & 1));
    // A mantissa that rounds up to 2^53 carries into the exponent, as it should.
    const uint64_t bits = ((uint64_t)(exponent - 1) << 52) + m;
    return sign | (bits < MIDGE_DOUBLE_INFINITY ? bits : MIDGE_DOUBLE_INFINITY);
}

// Shifts by a constant: those by a variable are calls on cores of 32 bits.
#define NORMALISE(step) \
    if (!(m >> (64 - (step)))) { \
        m <<= (step); \
        exponent -= (step); \
    }
#define SHIFT_RIGHT(step) \
    if (shift & (step)) { \
        m = m >> (step) | ((m & ((1ull << (step)) - 1)) != 0); \
    }

// m / 2^shift, shift below 64. The last bit stands for all that was cut off.
static uint64_t shifted(uint64_t m, uint32_t shift) {
    SHIFT_RIGHT(32);
    SHIFT_RIGHT(16);
    SHIFT_RIGHT(8);
    SHIFT_RIGHT(4);
    SHIFT_RIGHT(2);
    SHIFT_RIGHT(1);
    return m;
}

// As `rounded`, of any m but 0.
static uint64_t normal(uint64_t sign, int32_t exponent, uint64_t m) {
    NORMALISE(32);
    NORMALISE(16);
    NORMALISE(8);
    NORMALISE(4);
    NORMALISE(2);
    NORMALISE(1);
    return rounded(sign, exponent, m);
}

uint64_t midge_double_add(uint64_t a, uint64_t b) {
    if ((a & ~SIGN) < (b & ~SIGN)) {
        const uint64_t swap = a;
        a = b;
        b = swap;
    }
    int32_t e = exponent(a) + 1;
    if (exponent(a) == INFINITE) {
        const int opposite = exponent(b) == INFINITE && ((a ^ b) & SIGN);
        return opposite || midge_double_is_nan(a) ? MIDGE_DOUBLE_NAN : a;
    }
    if (exponent(a) == 0) {
        return a & b & SIGN;
    }
    if (exponent(b) == 0) {
        return a;
    }
    uint64_t m = mantissa(a) << 10, n = mantissa(b) << 10;
    const int32_t shift = exponent(a) - exponent(b);
    n = shift > 63 ? 1 : shifted(n, (uint32_t)shift);
    m = (a ^ b) & SIGN ? m - n : m + n;
    if (!m) {
        return 0;
    }
    return normal(a & SIGN, e, m);
}

uint64_t midge_double_multiply(uint64_t a, uint64_t b) {
    const uint64_t sign = (a ^ b) & SIGN;
    if (exponent(a) == INFINITE || exponent(b) == INFINITE) {
        const int has_nan = midge_double_is_nan(a) || midge_double_is_nan(b);
        const int has_zero = exponent(a) == 0 || exponent(b) == 0;
        return has_nan || has_zero ? MIDGE_DOUBLE_NAN : sign | MIDGE_DOUBLE_INFINITY;
    }
    if (exponent(a) == 0 || exponent(b) == 0) {
        return sign;
    }
    const uint64_t m = mantissa(a) << 11, n = mantissa(b) << 11;
    const uint64_t m_low = (uint32_t)m, m_high = m >> 32;
    const uint64_t n_low = (uint32_t)n, n_high = n >> 32;
    const uint64_t low = m_low * n_low, one = m_low * n_high, other = m_high * n_low;
    const uint64_t middle = (low >> 32) + (uint32_t)one + (uint32_t)other;
    uint64_t high = m_high * n_high + (one >> 32) + (other >> 32) + (middle >> 32);
    high |= (uint32_t)low || (uint32_t)middle;
    int32_t e = exponent(a) + exponent(b) - 1022;
    if (!(high >> 63)) {
        high <<= 1;
        e--;
    }
    return rounded(sign, e, high);
}

uint64_t midge_double_divide(uint64_t a, uint64_t b) {
    const uint64_t sign = (a ^ b) & SIGN;
    const int a_ends = exponent(a) == INFINITE, b_ends = exponent(b) == INFINITE;
    const int a_zero = exponent(a) == 0, b_zero = exponent(b) == 0;
    if (midge_double_is_nan(a) || midge_double_is_nan(b) || (a_ends && b_ends)
        || (a_zero && b_zero)) {
        return MIDGE_DOUBLE_NAN;
    }
    if (a_ends || b_zero) {
        return sign | MIDGE_DOUBLE_INFINITY;
    }
    if (a_zero || b_ends) {
        return sign;
    }
    uint64_t m = mantissa(a), quotient = 0;
    const uint64_t n = mantissa(b);
    int32_t e = exponent(a) - exponent(b) + 1023;
    if (m < n) {
        m <<= 1;
        e--;
    }
    for (int i = 0; i < 55; i++) {
        quotient <<= 1;
        if (m >= n) {
            m -= n;
            quotient |= 1;
        }
        m <<= 1;
    }
    return rounded(sign, e, quotient << 9 | (m != 0));
}

uint64_t midge_double_root(uint64_t a) {
    if (exponent(a) == 0 || exponent(a) == INFINITE) {
        return exponent(a) ? a : 0;
    }
    // Two bits of the number for each of the root, 55 bits and whether something is left.
    int32_t e = exponent(a) - 1023;
    uint64_t m = mantissa(a) << 10, rest = 0, root = 0;
    if (e & 1) {
        m <<= 1;
        e--;
    }
    for (int i = 0; i < 55; i++) {
        rest = rest << 2 | m >> 62;
        m <<= 2;
        root <<= 1;
        if (rest > 2 * root) {
            rest -= 2 * root + 1;
            root |= 1;
        }
    }
    return rounded(0, e / 2 + 1023, root << 9 | (rest != 0));
}

uint64_t midge_double_exp(uint64_t x) {
    // 1 / n!, from n = 9 down to 0: |r| <= ln 2 / 2.
    static const uint64_t terms[] = {0x3ec71de3a556c734ull, 0x3efa01a01a01a01aull,
        0x3f2a01a01a01a01aull, 0x3f56c16c16c16c17ull, 0x3f81111111111111ull,
        0x3fa5555555555555ull, 0x3fc5555555555555ull, HALF, ONE, ONE};
    if (midge_double_is_nan(x)) {
        return MIDGE_DOUBLE_NAN;
    }
    if (midge_double_order(x) > 0) {
        return ONE;
    }
    // -700
    if (midge_double_order(x) < midge_double_order(0xc085e00000000000ull)) {
        return 0;
    }
    // x = r - k ln 2, k the next whole number.
    const uint64_t scaled = midge_double_add(midge_double_multiply(x ^ SIGN, LOG2_E), HALF);
    const int32_t bits = exponent(scaled) - 1023;
    // Below 1011.
    const uint32_t k = bits < 0 ? 0 : (uint32_t)(mantissa(scaled) >> 32) >> (20 - bits);
    const uint64_t whole = midge_double_of_int((int32_t)k);
    const uint64_t r = midge_double_add(x, midge_double_multiply(whole, LN_2));
    uint64_t sum = terms[0];
    for (int i = 1; i < 10; i++) {
        sum = midge_double_add(midge_double_multiply(sum, r), terms[i]);
    }
    return sum - ((uint64_t)k << 52);
}

uint64_t midge_double_of_int(int32_t value) {
    // From 2^52 on, the last bit of a number is 1.
    const uint64_t base = 0x4330000000000000ull;
    const uint32_t m = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    const uint64_t magnitude = midge_double_add(base | m, base | SIGN);
    return value < 0 ? magnitude | SIGN : magnitude;
}

uint64_t midge_double_of_float(uint32_t bits) {
    const uint64_t sign = (uint64_t)(bits >> 31) << 63;
    uint32_t rest = bits & 0x7fffff;
    int32_t e = bits >> 23 & 255;
    if (e == 255) {
        return rest ? MIDGE_DOUBLE_NAN : sign | MIDGE_DOUBLE_INFINITY;
    }
    if (e == 0) {
        if (!rest) {
            return sign;
        }
        for (e = 1; !(rest >> 23); e--) {
            rest <<= 1;
        }
        rest &= 0x7fffff;
    }
    return sign | (uint64_t)(e + 896) << 52 | (uint64_t)rest << 29;
}

uint32_t midge_double_to_float(uint64_t bits) {
    const uint32_t sign = (uint32_t)(bits >> 63) << 31;
    const int32_t e = exponent(bits) - 896;
    if (midge_double_is_nan(bits)) {
        return 0x7fc00000;
    }
    if (e >= 255) {
        return sign | 0x7f800000;
    }
    // Subnormal numbers have fewer bits.
    const int32_t shift = e > 0 ? 29 : 30 - e;
    if (shift > 54 || exponent(bits) == 0) {
        return sign;
    }
    // Two bits more, to round by.
    const uint32_t m = (uint32_t)shifted(mantissa(bits), (uint32_t)shift - 2), rest = m & 3;
    const uint32_t kept = (m >> 2) + (rest > 2 || (rest == 2 && (m & 4)));
    return sign | (((uint32_t)(e > 0 ? e - 1 : 0) << 23) + kept);
}
