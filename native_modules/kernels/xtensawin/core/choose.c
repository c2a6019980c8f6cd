#include "target.h"

#ifdef MIDGE_KERNELS_XTENSA

#include "mac16.h"

#include <stddef.h>

// The assembly steps over these structures.
typedef char midge_sums_check[offsetof(midge_columns_t, sums) == MIDGE_SUMS_AT ? 1 : -1];
typedef char midge_step_check[offsetof(midge_columns_t, step) == MIDGE_STEP_AT ? 1 : -1];
typedef char midge_column_check[offsetof(midge_columns_t, column) == MIDGE_COLUMN_AT ? 1 : -1];
typedef char midge_weights_check[offsetof(midge_columns_t, weights) == MIDGE_WEIGHTS_AT ? 1 : -1];

// Cores with MAC16 and hardware loops, by XCHAL_HW_CONFIGID0 of their core-isa.h. The ESP32-S2,
// 0xC2ECFAFE, has neither.
#define ESP32 0xC2BCFFFE
#define ESP32_S3 0xC2F0FFFE
#define DC233C 0xC56707FE // of QEMU, for tests

int midge_has_mac16(void) {
    const uint32_t id = midge_core_id();
    return id == ESP32 || id == ESP32_S3 || id == DC233C;
}

#endif
