// The tuned kernels of ARMv6-M (Cortex-M0, M0+: RP2040), for core/dispatch.h.

midge_tuned_t midge_conv_armv6m;
midge_tuned_t midge_depthwise_conv_armv6m;

#define MIDGE_TUNED_CONV midge_conv_armv6m
#define MIDGE_TUNED_DEPTHWISE_CONV midge_depthwise_conv_armv6m
