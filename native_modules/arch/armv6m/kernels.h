// The kernels of ARMv6-M (Cortex-M0, M0+: RP2040), for core/dispatch.h.

void midge_conv_armv6m(const midge_call_t *call);
void midge_depthwise_conv_armv6m(const midge_call_t *call);
void midge_add_armv6m(const midge_call_t *call);

#define MIDGE_TUNED_CONV
#define MIDGE_RUN_CONV midge_conv_armv6m
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv_armv6m

#define MIDGE_TUNED_ADD
#define MIDGE_RUN_ADD midge_add_armv6m
