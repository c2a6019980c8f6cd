// Fuzz target: operator records of any kind through check and run, each buffer in an allocation of
// exactly its size, so that AddressSanitizer sees every byte read or written outside. Beyond
// crashes, these must hold:
// - what check accepts runs, as long as the weights are there;
// - weights that come block by block make the same bytes as weights that come whole.
//
// A record may legally ask for more work than anybody waits for. What takes longer than WORK_TICKS
// is left, and kept in the folder MIDGE_FUZZ_SLOW, if that is set: run.py looks whether the records
// really asked for it.

#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TICK_MICROSECONDS 4000
#define WORK_TICKS 3

static sigjmp_buf too_long;
static volatile sig_atomic_t ticks, may_leave;
static pthread_t thread; // libFuzzer has another one, which may get the signal too

static void tick(int signal) {
    if (!pthread_equal(pthread_self(), thread)) {
        pthread_kill(thread, signal);
    } else if (++ticks >= WORK_TICKS && may_leave) {
        siglongjmp(too_long, 1);
    }
}

static void start_clock(void) {
    static int running;
    if (!running) {
        struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
        const struct timeval interval = {0, TICK_MICROSECONDS};
        const struct itimerval timer = {interval, interval};
        thread = pthread_self();
        sigaction(SIGVTALRM, &action, NULL);
        setitimer(ITIMER_VIRTUAL, &timer, NULL);
        running = 1;
    }
    ticks = 0;
}

// A buffer that ends where its allocation ends.
typedef struct {
    uint8_t *allocation;
    uint8_t *data;
    uint32_t bytes;
} buffer_t;

static buffer_t allocate(uint32_t bytes, uint32_t skew) {
    buffer_t buffer = {malloc(bytes + (skew & 3)), NULL, bytes};
    buffer.data = buffer.allocation + (skew & 3);
    return buffer;
}

// Noise, or what makes the largest sums.
static void fill(buffer_t buffer, uint32_t seed) {
    static const uint8_t extremes[][2] = {{0x80, 0x80}, {0x7f, 0x7f}, {0, 0}, {0x80, 0x7f}};
    const uint8_t *extreme = seed & 4 ? extremes[seed & 3] : NULL;
    uint32_t state = seed | 1;
    for (uint32_t i = 0; i < buffer.bytes; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        buffer.data[i] = extreme ? extreme[i & 1] : (uint8_t)(state >> 11);
    }
}

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

// Nothing but the core is left in its middle.
static uint32_t run_core(midge_bytes_t records, uint32_t first, uint32_t last, midge_arena_t arena,
    midge_weights_t weights, midge_share_t share) {
    if (ticks >= WORK_TICKS) {
        siglongjmp(too_long, 1);
    }
    may_leave = 1;
    const uint32_t status = midge_run(records, first, last, arena, weights, &share);
    may_leave = 0;
    return status;
}

static buffer_t program, arena, again, weights, window;

// Not inlined: its variables do not outlive the jump out of it.
static __attribute__((noinline)) void run(const job_t *job) {
    const midge_bytes_t records = {program.data, program.bytes};
    const midge_arena_t whole = {(int8_t *)arena.data, arena.bytes};
    const midge_weights_t at_hand = {weights.data, weights.bytes, job->base};
    const uint32_t end = job->end == UINT16_MAX ? UINT32_MAX : job->end;
    const uint32_t checked = midge_check(records, arena.bytes, job->declared);
    const uint32_t status =
        run_core(records, job->first, job->last, whole, at_hand,
            (midge_share_t){job->begin, end, 0, 1});
    if (checked || job->arena_skew & 3 || job->base || weights.bytes < job->declared
        || job->first > job->last || job->last > job->records || job->begin
        || job->end != UINT16_MAX) {
        return;
    }
    if (((uintptr_t)arena.data & 3) && (status & 15) == MIDGE_BAD_TENSOR) {
        return; // operators of other banks than the core do not take such an arena
    }
    require(status == MIDGE_OK, "what check accepts runs");

    const midge_arena_t pieces = {(int8_t *)again.data, again.bytes};
    for (uint32_t i = job->first; i < job->last; i++) {
        midge_head_t op;
        memcpy(&op, program.data + i * MIDGE_RECORD_BYTES, sizeof(op));
        if (op.blocks && !op.block_bytes) {
            return; // the loader refuses blocks of no bytes
        }
        for (uint32_t block = 0; block < op.blocks || block == 0; block++) {
            // Exactly this block's bytes.
            const uint32_t from = op.blocks ? op.weights + block * op.block_bytes : 0;
            window = allocate(op.blocks ? op.block_bytes : 0, job->weights_skew);
            memcpy(window.data, weights.data + from, window.bytes);
            const uint32_t answer = run_core(records, i, i + 1, pieces,
                (midge_weights_t){window.data, window.bytes, from},
                (midge_share_t){block, block + 1, 0, 1});
            free(window.allocation);
            window.allocation = NULL;
            require(answer == MIDGE_OK, "a single block runs");
        }
    }
    require(memcmp(arena.data, again.data, arena.bytes) == 0, "blocks make the same bytes");
    // Tensors may lie upon each other, so that the bytes may be others.
    const uint32_t parts = job->parts & 7;
    for (uint32_t i = job->first; i < job->last; i++) {
        for (uint32_t part = 0; part < parts; part++) {
            const uint32_t answer = run_core(records, i, i + 1, pieces, at_hand,
                (midge_share_t){0, UINT32_MAX, part, parts});
            require(answer == MIDGE_OK, "a part runs");
        }
    }
}

static void keep(const uint8_t *data, size_t size) {
    const char *folder = getenv("MIDGE_FUZZ_SLOW");
    if (folder) {
        char path[4096];
        static uint32_t count;
        snprintf(path, sizeof(path), "%s/%u", folder, count++ % 1000);
        FILE *file = fopen(path, "wb");
        if (file) {
            fwrite(data, 1, size, file);
            fclose(file);
        }
    }
}

// Copies what is there, and zeros for the rest; returns how much was there.
static size_t take(void *to, size_t bytes, const uint8_t *data, size_t size) {
    const size_t known = size < bytes ? size : bytes;
    memcpy(to, data, known);
    memset((uint8_t *)to + known, 0, bytes - known);
    return known;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    job_t job;
    size_t at = take(&job, sizeof(job), data, size);
    job.records = job.records < MAX_RECORDS ? job.records : MAX_RECORDS;
    program = allocate(job.records * MIDGE_RECORD_BYTES, 0);
    at += take(program.data, program.bytes, data + at, size - at);
    arena = allocate(job.arena_bytes % (MAX_BYTES + 1), job.arena_skew);
    again = allocate(arena.bytes, job.arena_skew);
    weights = allocate(job.weights_bytes % (MAX_BYTES + 1), job.weights_skew);
    fill(arena, job.seed);
    fill(again, job.seed);
    fill(weights, job.seed >> 3);
    memcpy(weights.data, data + at, size - at < weights.bytes ? size - at : weights.bytes);

    start_clock();
    if (sigsetjmp(too_long, 1) == 0) {
        run(&job);
    } else {
        may_leave = 0;
        keep(data, size);
    }
    free(program.allocation);
    free(arena.allocation);
    free(again.allocation);
    free(weights.allocation);
    free(window.allocation);
    window.allocation = NULL;
    return 0;
}
