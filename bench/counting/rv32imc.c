// Runs layers on QEMU's RISC-V board and counts instructions: with -icount shift=0 the core executes one
// per tick of its counter. What to run lies in memory, where QEMU has loaded it; the memory as it is in the
// end goes to a file.

#include <stdint.h>

// host: bench/counting/rv32imc.py
typedef struct {
    const void *layer;
    uint32_t status;
    uint32_t instructions;
} call_t;

typedef struct {
    uint32_t bytes; // of everything from here on
    uint32_t count;
    call_t calls[];
} job_t;

uint32_t run_layer(const void *layer);
uint32_t instructions(void);
uint32_t semihosting(uint32_t operation, const void *parameters);

enum { SYS_OPEN = 1, SYS_WRITE = 5, SYS_EXIT = 0x18 };
#define WRITE_BINARY 5
#define APPLICATION_EXIT 0x20026

void run_job(job_t *job) {
    for (uint32_t i = 0; i < job->count; i++) {
        call_t *call = &job->calls[i];
        uint32_t start = instructions();
        call->status = run_layer(call->layer);
        call->instructions = instructions() - start;
    }
    static const char name[] = "after.bin";
    const uint32_t open[] = {(uint32_t)name, WRITE_BINARY, sizeof(name) - 1};
    const uint32_t write[] = {semihosting(SYS_OPEN, open), (uint32_t)job, job->bytes};
    semihosting(SYS_WRITE, write);
    semihosting(SYS_EXIT, (const void *)APPLICATION_EXIT);
}
