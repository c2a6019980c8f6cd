// The bank and the processor of this build. Only this file asks for them; everything else asks
// for the features named here. (Assembly includes it, too.)

#ifndef MIDGE_TARGET_H
#define MIDGE_TARGET_H

#include "banks.h"

// MIDGE_BANK: the one bank that is built, MIDGE_BANK_CORE or another of banks.h. Firmware with all
// of midge, and tests, do not define it.
#ifdef MIDGE_BANK
#define MIDGE_HAS(bank) (MIDGE_BANK == (bank))
#else
#define MIDGE_HAS(bank) 1
#endif

// MIDGE_OUT_OF_LINE: code is scarcer than cycles, so that there is one copy of the helpers that
// are inlined elsewhere.
// MIDGE_SHORT_PRODUCTS: no instruction multiplies to 64 bits.
#ifdef __ARM_ARCH_6M__
#define MIDGE_OUT_OF_LINE
#define MIDGE_SHORT_PRODUCTS
#endif

// MIDGE_NO_RESCALE: no kernel of the bank rescales, so that the copy has nothing for it.
#if defined(MIDGE_BANK) && MIDGE_BANK == MIDGE_BANK_AUDIO
#define MIDGE_NO_RESCALE
#endif

// MIDGE_PIXELS: pixels that the generic CONV_2D computes together. 16 registers hold the sums of
// one.
#if defined(__arm__) || defined(__XTENSA__) || defined(__riscv)
#define MIDGE_PIXELS 1
#else
#define MIDGE_PIXELS 2
#endif

// Kernels of an architecture, in kernels/ARCH/BANK/. MIDGE_RUN_NAME is what runs in the place of
// the generic midge_NAME. With MIDGE_TUNED_CONV the generic convolutions are left out, with
// MIDGE_TUNED_ADD the generic ADD, with MIDGE_TUNED_CHANNEL the generic midge_channel
// and midge_scale_channel.
// MIDGE_GENERIC_ONLY builds without any, to compare.
#if defined(__ARM_ARCH_6M__) && !defined(MIDGE_GENERIC_ONLY) && MIDGE_HAS(MIDGE_BANK_CORE)
#define MIDGE_TUNED_CONV
#define MIDGE_TUNED_ADD
#define MIDGE_TUNED_CHANNEL
#define MIDGE_RUN_CONV midge_conv_armv6m
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv_armv6m
#define MIDGE_RUN_ADD midge_add_armv6m
#define MIDGE_KERNELS_ARMV6M // the files in kernels/armv6m are not empty
#define MIDGE_TUNED_SCALE // generic/core/scale.c is not empty
#endif

#if defined(__ARM_ARCH_6M__) && !defined(MIDGE_GENERIC_ONLY) && MIDGE_HAS(MIDGE_BANK_AUDIO)
#define MIDGE_TUNED_FFT // the generic functions of audio/fft.h are left out
#define MIDGE_TUNED_WEIGH
#endif

#if defined(__ARM_ARCH_6M__) && !defined(MIDGE_GENERIC_ONLY) && MIDGE_HAS(MIDGE_BANK_MEL)
#define MIDGE_TUNED_TURN // the generic function of mel/turn.h is left out
#endif

// The rows of midge_image: kernels/armv6m/image.
#if defined(__ARM_ARCH_6M__) && !defined(MIDGE_GENERIC_ONLY)
#define MIDGE_TUNED_PICTURE
#endif

// Loops of midge_packed: kernels/armv6m/packed.
#if defined(__ARM_ARCH_6M__) && !defined(MIDGE_GENERIC_ONLY)
#define MIDGE_TUNED_UNPACK
#endif

// Windowed calls: an ESP32, S2 or S3. A compiler for the S2 alone says that it lacks MAC16.
#if defined(__XTENSA_WINDOWED_ABI__) && !defined(MIDGE_GENERIC_ONLY) \
    && MIDGE_HAS(MIDGE_BANK_CORE) && !(defined(__XCHAL_HAVE_MAC16) && !__XCHAL_HAVE_MAC16)
#define MIDGE_RUN_CONV midge_conv_xtensa
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv_xtensa
#define MIDGE_KERNELS_XTENSA // the files in kernels/xtensawin are not empty
#define MIDGE_TUNED_SCALE
#endif

#if defined(__riscv_mul) && __riscv_xlen == 32 && !defined(MIDGE_GENERIC_ONLY) \
    && MIDGE_HAS(MIDGE_BANK_CORE)
#define MIDGE_TUNED_3X3
#define MIDGE_FALLBACK __attribute__((cold))
#define MIDGE_RUN_CONV midge_conv_rv32imc
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv_rv32imc
#define MIDGE_KERNELS_RV32IMC // the files in kernels/rv32imc are not empty
#endif

// A Cortex-M4, M7, or M33 with its DSP instructions.
#if defined(__ARM_FEATURE_SIMD32) && defined(__thumb2__) && __ARM_ARCH_PROFILE == 'M' \
    && !defined(MIDGE_GENERIC_ONLY) && MIDGE_HAS(MIDGE_BANK_CORE)
#define MIDGE_FALLBACK __attribute__((cold))
#define MIDGE_TUNED_3X3
#define MIDGE_RUN_CONV midge_conv_armv7emsp
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv_armv7emsp
#define MIDGE_RUN_ADD midge_add_armv7emsp
#define MIDGE_KERNELS_ARMV7EMSP // the files in kernels/armv7emsp are not empty
#endif

#ifndef MIDGE_FALLBACK
#define MIDGE_FALLBACK
#endif

// MIDGE_PC: a program for a PC, with kernels/pc beside the generic kernels; they need a stack of
// 128 KB.
#if defined(MIDGE_PC) && !defined(MIDGE_GENERIC_ONLY) && MIDGE_HAS(MIDGE_BANK_CORE)
#define MIDGE_RUN_CONV midge_conv_pc
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv_pc
#define MIDGE_RUN_ADD midge_add_pc
#define MIDGE_KERNELS_PC // the files in kernels/pc are not empty
#endif

#endif
