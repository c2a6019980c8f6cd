// The tuned kernels of ARMv6-M (Cortex-M0, M0+: RP2040), for core/dispatch.h.

midge_tuned_t midge_conv_armv6m;
midge_tuned_t midge_depthwise_conv_armv6m;

#define MIDGE_TUNED_CONV midge_conv_armv6m
#define MIDGE_TUNED_DEPTHWISE_CONV midge_depthwise_conv_armv6m

// acc[0] += w0 . x, acc[1] += w1 . x: what of the plain C convolution costs most.
void midge_accumulate_armv6m(uint32_t *acc, const int8_t *w0, const int8_t *w1, const int8_t *x,
    uint32_t n);

#define MIDGE_TUNED_ACCUMULATE midge_accumulate_armv6m
