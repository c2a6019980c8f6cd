// Generated from host/midge_host/device/ by `make generate`. Do not edit.
// The banks: native modules of their own.

#ifndef MIDGE_BANKS_H
#define MIDGE_BANKS_H

#define MIDGE_BANK_CORE 0 // what nearly every model has; inputs and outputs of int8
#define MIDGE_BANK_TENSOR 1 // what moves tensors, broadcasts them or changes their scale
#define MIDGE_BANK_WIDE 2 // int16 activations; inputs and outputs of int16 and int32
#define MIDGE_BANK_RECURRENT 3 // layers with a memory
#define MIDGE_BANK_MATH 4 // what few models have
#define MIDGE_BANK_TREES 5 // decision trees, linear models; inputs and outputs of float32
#define MIDGE_BANK_AUDIO 6 // features of sound
#define MIDGE_BANK_MEL 7 // features of sound as TensorFlow and librosa compute them: MFCC, log-mel
#define MIDGE_BANK_SERIES 8 // features of motion and other series

#endif
