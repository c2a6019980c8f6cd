// Runs the native core on jobs from a file, with every buffer in an allocation of exactly its size, so that
// AddressSanitizer sees each byte read or written outside. tests/native/test_native_core.py writes the jobs.
//
// The file: the length of a pattern, the pattern, then jobs (job_t and `program_bytes` bytes each). Arena
// and weights hold the pattern, and its last byte from there on. Per job a line: the status of check, that of
// run (encode, decode), and the CRC-32 of the arena (decode: of the output) afterwards.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "midge.h"

enum { RUN, ENCODE, DECODE };

typedef struct {
    uint32_t kind;
    uint32_t skew; // bytes by which the program (descriptor) is not aligned
    uint32_t program_bytes;
    uint32_t arena_bytes;
    uint32_t weights_bytes; // of the reading or the output for ENCODE and DECODE
    uint32_t declared; // weights_bytes as the file would declare them, for check
    uint32_t first; // type code for ENCODE and DECODE
    uint32_t last;
    uint32_t base;
    uint32_t begin;
    uint32_t end;
    uint32_t parts; // of every record, one after the other
} job_t;

static void read_all(FILE *file, void *to, size_t bytes) {
    if (bytes && fread(to, bytes, 1, file) != 1) {
        fputs("the job file ends too early\n", stderr);
        exit(2);
    }
}

static uint8_t *filled(const uint8_t *pattern, uint32_t pattern_bytes, uint32_t bytes) {
    uint8_t *data = malloc(bytes);
    uint32_t known = bytes < pattern_bytes ? bytes : pattern_bytes;
    memcpy(data, pattern, known);
    memset(data + known, pattern[pattern_bytes - 1], bytes - known);
    return data;
}

static uint32_t crc32(const uint8_t *data, uint32_t bytes) {
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fputs("usage: driver JOBS\n", stderr);
        return 2;
    }
    uint32_t pattern_bytes;
    read_all(file, &pattern_bytes, sizeof(pattern_bytes));
    uint8_t *pattern = malloc(pattern_bytes);
    read_all(file, pattern, pattern_bytes);
    job_t job;
    while (fread(&job, sizeof(job), 1, file) == 1) {
        uint8_t *memory = malloc(job.program_bytes + job.skew);
        read_all(file, memory + job.skew, job.program_bytes);
        uint8_t *arena_data = filled(pattern, pattern_bytes, job.arena_bytes);
        uint8_t *other = filled(pattern, pattern_bytes, job.weights_bytes);
        midge_bytes_t program = {memory + job.skew, job.program_bytes};
        midge_arena_t arena = {(int8_t *)arena_data, job.arena_bytes};
        uint32_t check = 0, status, crc;
        if (job.kind == RUN) {
            midge_weights_t weights = {other, job.weights_bytes, job.base};
            check = midge_check(program, job.arena_bytes, job.declared);
            midge_share_t share = {job.begin, job.end, 0, job.parts};
            do {
                status = midge_run(program, job.first, job.last, arena, weights, &share);
            } while (status == MIDGE_OK && ++share.part < share.parts);
        } else if (job.kind == ENCODE) {
            midge_bytes_t reading = {other, job.weights_bytes};
            status = midge_encode(program, reading, job.first, arena);
        } else {
            status = midge_decode(program, arena, other, job.weights_bytes, job.first);
        }
        crc = job.kind == DECODE ? crc32(other, job.weights_bytes)
                                 : crc32(arena_data, job.arena_bytes);
        printf("%u %u %u\n", check, status, crc);
        fflush(stdout); // what was done before a report of the sanitizers
        free(memory);
        free(arena_data);
        free(other);
    }
    free(pattern);
    fclose(file);
    return 0;
}
