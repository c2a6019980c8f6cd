// A pixel's values as machine code that runs over weights: what the C and the assembly share.

#ifndef MIDGE_SPARSE_H
#define MIDGE_SPARSE_H

#include "lanes.h"

#define MIDGE_GROUP 6 // channels
#define MIDGE_PASSED 21 // values that one instruction passes by: 12 bytes each

#ifndef __ASSEMBLER__

#include "scale.h"

// Code under construction. sparse.S works in this order.
typedef struct {
    uint32_t *next;
    const uint32_t *limit; // no step begins behind it
    uint32_t budget; // what is left of the run's
    const int8_t *x; // the next value
    uint32_t left; // values
    int32_t zero; // the value that is nothing
} midge_code_t;

// The most words that one step appends: a run's end, a value; and the passing of `depth` values.
#define MIDGE_STEP_WORDS(depth) (14 + midge_divide(depth, MIDGE_PASSED))

// Appends code for code->left values from code->x on; stops where there is no room.
void midge_code_values(midge_code_t *code);

// Appends code that passes the weights of `count` values by.
void midge_code_pass(midge_code_t *code, uint32_t count);

// Ends the code: back to midge_run_code.
void midge_code_end(midge_code_t *code);

// The weights that a pixel's code is applied to: `count` groups of six channels.
typedef struct {
    const uint32_t *code;
    const uint32_t *weights; // packed by midge_pack; of the first value in the code
    uint32_t weights_step; // bytes to the next group's
    const uint32_t *sums; // what each channel begins with, six for each group
    uint32_t *partial; // where the sums go; NULL: they are complete, and scaled
    const midge_scale_t *scale; // six for each group
    int8_t *out; // of the first channel
    uint32_t count;
    int32_t back; // channels, 0 or less: from the end of the last group but one to the last one
} midge_groups_t;

void midge_run_code(const midge_groups_t *groups);

#endif

#endif
