// The input of the fuzz target core.c: job_t, then its records, then the first bytes of the
// weights. What is missing at the end of records is zero.

#ifndef MIDGE_FUZZ_JOB_H
#define MIDGE_FUZZ_JOB_H

#include "midge.h"

#define MAX_RECORDS 8
#define MAX_BYTES 0x8000u // of arena and weights, each: bounds the work, and what goes wrong needs less

typedef struct {
    uint32_t arena_bytes; // of the buffers, modulo MAX_BYTES + 1
    uint32_t weights_bytes;
    uint32_t declared; // bytes of weights, as the file says them
    uint32_t base;
    uint16_t first;
    uint16_t last;
    uint16_t begin;
    uint16_t end; // 0xffff: all blocks
    uint32_t seed; // of what the buffers hold
    uint8_t records;
    uint8_t arena_skew; // bytes by which the buffers are not aligned, modulo 4
    uint8_t weights_skew;
    uint8_t parts; // of every record, one after the other
} job_t;

#endif
