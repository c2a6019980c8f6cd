// How libFuzzer changes the inputs of core.c: fields by their layouts (fields.h, which run.py writes from spec.py),
// whole records, and then, half of the time, buffers of exactly the size that the records need: most executions get
// past the cheap checks, and a byte too far is a byte outside.

#include <string.h>

#include "fields.h"
#include "job.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
    size_t size2, uint8_t *out, size_t max_size, unsigned int seed);

typedef struct {
    job_t job;
    uint8_t records[MAX_RECORDS][MIDGE_RECORD_BYTES] __attribute__((aligned(4)));
} input_t;

static uint32_t state;

static uint32_t any(uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)state * below >> 32);
}

// The parsed input; returns where its weights begin.
static size_t parse(input_t *input, const uint8_t *data, size_t size) {
    memset(input, 0, sizeof(*input));
    memcpy(&input->job, data, size < sizeof(job_t) ? size : sizeof(job_t));
    job_t *job = &input->job;
    job->records = job->records < MAX_RECORDS ? job->records : MAX_RECORDS;
    const size_t end = sizeof(job_t) + job->records * MIDGE_RECORD_BYTES;
    const size_t upto = size < end ? size : end;
    if (upto > sizeof(job_t)) {
        memcpy(input->records, data + sizeof(job_t), upto - sizeof(job_t));
    }
    return upto;
}

static uint32_t load(const uint8_t *at, uint32_t bytes) {
    uint32_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

// Extremes, neighbours, common sizes; what other fields hold; what leads exactly to the arena's end, and past it.
static uint32_t value_for(uint32_t now, uint32_t bits, const input_t *input, const uint8_t *record,
    const layout_t *layout) {
    const field_t *other = &layout->fields[any(layout->count)];
    switch (any(12)) {
        case 0:
            return any(4);
        case 1:
            return 0 - any(4);
        case 2:
            return (1u << any(bits)) + any(3) - 1;
        case 3:
            return now + 1 + any(4);
        case 4:
            return now - 1 - any(4);
        case 5:
            return now << (1 + any(2));
        case 6:
            return now >> (1 + any(2));
        case 7:
            return any(300);
        case 8:
            return load(record + other->offset, other->bytes);
        case 9:
            return now * load(record + other->offset, other->bytes);
        case 10:
            return input->job.arena_bytes - any(64);
        default:
            return now ^ 1u << any(bits);
    }
}

#define OPERATORS (sizeof(layouts) / sizeof(layouts[0]))

static const layout_t *layout_of(const midge_head_t *op) {
    for (uint32_t i = 0; i < OPERATORS; i++) {
        if (op->code == layouts[i].code && op->types == layouts[i].types) {
            return &layouts[i];
        }
    }
    return NULL;
}

// Makes it a record of an operator that there is.
static void change_operator(midge_head_t *op) {
    const layout_t *layout = &layouts[any(OPERATORS)];
    op->code = layout->code;
    op->bank = layout->bank;
    op->types = layout->types;
}

static void change_field(input_t *input, uint8_t *record) {
    midge_head_t *head = (midge_head_t *)(void *)record;
    const layout_t *layout = layout_of(head);
    if (!layout) {
        change_operator(head);
        return;
    }
    const field_t *field = &layout->fields[any(layout->count)];
    if (field->offset < 3 && any(8)) { // code, bank, types
        change_operator(head);
        return;
    }
    const uint32_t now = load(record + field->offset, field->bytes);
    const uint32_t value = value_for(now, 8 * field->bytes, input, record, layout);
    memcpy(record + field->offset, &value, field->bytes);
}

static void change_job(input_t *input) {
    job_t *job = &input->job;
    uint32_t *sizes[] = {&job->arena_bytes, &job->weights_bytes, &job->declared, &job->base};
    uint16_t *places[] = {&job->first, &job->last, &job->begin, &job->end};
    uint8_t *skews[] = {&job->arena_skew, &job->weights_skew, &job->parts};
    switch (any(6)) {
        case 0:
            *sizes[any(4)] += any(9) - 4;
            break;
        case 1:
            *sizes[any(4)] = any(1u << any(17));
            break;
        case 2:
            *places[any(4)] = (uint16_t)(any(8) ? any(MAX_RECORDS + 1) : any(4) - 2);
            break;
        case 3:
            *skews[any(3)] = (uint8_t)any(4);
            break;
        default:
            job->seed = any(8) ? job->seed ^ 1u << any(32) : state;
    }
}

static void change_records(input_t *input) {
    job_t *job = &input->job;
    const uint32_t to = any(MAX_RECORDS), from = any(job->records + !job->records);
    if (to < job->records && any(2)) { // remove
        job->records--;
        memmove(input->records[to], input->records[to + 1],
            (job->records - to) * MIDGE_RECORD_BYTES);
    } else if (job->records < MAX_RECORDS) { // double
        memcpy(input->records[job->records], input->records[from], MIDGE_RECORD_BYTES);
        job->records++;
    }
}

// The least of a buffer's bytes with which check accepts the records; MAX_BYTES + 1 for none.
static uint32_t least(const input_t *input, int of_arena) {
    const uint32_t bytes = input->job.records * MIDGE_RECORD_BYTES;
    const midge_bytes_t program = {input->records[0], bytes};
    uint32_t low = 0, high = MAX_BYTES + 1;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        const uint32_t arena = of_arena ? middle : MAX_BYTES;
        if (midge_check(program, arena, of_arena ? MAX_BYTES : middle)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void fit(input_t *input) {
    job_t *job = &input->job;
    const uint32_t arena = least(input, 1), weights = least(input, 0);
    if (arena <= MAX_BYTES && weights <= MAX_BYTES) {
        job->arena_bytes = arena;
        job->weights_bytes = job->declared = weights;
        job->base = 0;
        job->first = job->begin = 0;
        job->last = job->records;
        job->end = UINT16_MAX;
    }
}

static size_t write(const input_t *input, const uint8_t *weights, size_t weights_bytes,
    uint8_t *out, size_t max_size) {
    const size_t bytes = sizeof(job_t) + input->job.records * MIDGE_RECORD_BYTES;
    if (bytes > max_size) {
        return 0;
    }
    const size_t room = max_size - bytes;
    weights_bytes = weights_bytes < room ? weights_bytes : room;
    memmove(out + bytes, weights, weights_bytes);
    memcpy(out, &input->job, sizeof(job_t));
    memcpy(out + sizeof(job_t), input->records, bytes - sizeof(job_t));
    return bytes + weights_bytes;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    static input_t input;
    state = seed;
    const size_t at = parse(&input, data, size);
    size_t weights_bytes = size - at;
    const uint32_t way = any(16);
    if (way == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (way == 1 && max_size > at) {
        weights_bytes = LLVMFuzzerMutate(data + at, weights_bytes, max_size - at);
    } else if (way < 4) {
        change_job(&input);
    } else if (way == 4) {
        change_records(&input);
    } else if (input.job.records) {
        for (uint32_t i = 0; i <= any(3); i++) {
            change_field(&input, input.records[any(input.job.records)]);
        }
    }
    if (any(2)) {
        fit(&input);
    }
    return write(&input, data + at, weights_bytes, data, max_size);
}

// Records of both, and the weights of the first.
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
    size_t size2, uint8_t *out, size_t max_size, unsigned int seed) {
    static input_t input, other;
    state = seed;
    const size_t at = parse(&input, data1, size1);
    parse(&other, data2, size2);
    for (uint32_t i = 0; i < other.job.records; i++) {
        if (any(2)) {
            const uint32_t to = any(MAX_RECORDS);
            memcpy(input.records[to], other.records[i], MIDGE_RECORD_BYTES);
            if (to >= input.job.records) {
                memmove(input.records[input.job.records], input.records[to], MIDGE_RECORD_BYTES);
                input.job.records++;
            }
        }
    }
    fit(&input);
    return write(&input, data1 + at, size1 - at, out, max_size);
}
