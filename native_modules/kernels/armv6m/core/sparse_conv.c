#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "sparse.h"

#include "call.h"
#include "conv_armv6m.h"
#include "patch.h"
#include "plain.h"
#include "tiles.h"
#include "weight_rows.h"

// Room for a pixel's code: what most pixels need. Others take several passes.
#define LEAST_CODE(depth) ((depth) < 160 ? 12 * (depth) + 256 : 2176 + midge_divide(depth, 5))

#define CPUID 0xE000ED00u // of the System Control Block

#define SAMPLES 48 // of the input

#define PACKED 252 // rows of so many weights, 63 words, have sums of 16 bits

typedef struct {
    const midge_call_t *call;
    const midge_window_t *op;
    uint32_t depth; // products for an output
    uint32_t channels; // of the call
    uint32_t code_words;
    uint32_t *code;
    // Of a strip of channels:
    midge_scale_t *scale;
    uint32_t *sums, *partial; // six for each group
    uint32_t *weights; // packed
    uint32_t groups;
    int32_t back;
} job_t;

// Packs two rows of `depth` weights, and turns what their sums begin with from values relative to
// 0 into values relative to the zero point of the input.
static void pack(uint32_t *to, const int8_t *a, const int8_t *b, uint32_t depth, uint32_t zero,
    uint32_t *sums) {
    for (uint32_t at = 0; at < depth; at += PACKED) {
        const uint32_t count = depth - at < PACKED ? depth - at : PACKED;
        const uint32_t sum = midge_pack(to + 3 * at, a + at, b + at, count);
        const uint32_t low = (uint32_t)(int32_t)(int16_t)sum;
        sums[0] += low * zero;
        sums[1] += (uint32_t)((int32_t)(sum - low) >> 16) * zero;
    }
}

// Scales, sums and packed weights of `count` channels (6 at least) from `first` on. The last group
// overlaps the one before it.
static void prepare(job_t *job, uint32_t first, uint32_t count) {
    const midge_window_t *op = job->op;
    job->groups = midge_divide(count + MIDGE_GROUP - 1, MIDGE_GROUP);
    const uint32_t slots = job->groups * MIDGE_GROUP;
    job->back = (int32_t)(count - slots);
    uint32_t *words = job->weights;
    const int8_t *former = 0;
    midge_place_t place;
    midge_begin_rows(&place, job->call, job->depth);
    place.index += (int32_t)first;
    for (uint32_t slot = 0, pair = 0; slot < slots; slot++) {
        const int32_t step = slot == slots - MIDGE_GROUP ? 1 + job->back : 1;
        const int8_t *row = midge_row(&place, step, &job->scale[slot]);
        job->sums[slot] = job->scale[slot].start;
        if (slot & 1) {
            pack(words++, former, row, job->depth, (uint32_t)(int32_t)op->input_zero,
                job->sums + slot - 1);
            if (++pair == MIDGE_GROUP / 2) {
                pair = 0;
                words += 3 * (job->depth - 1);
            }
        }
        former = row;
    }
}

// A pixel's code in the making, with what it has passed.
typedef struct {
    midge_code_t code;
    midge_groups_t groups;
    const job_t *job;
} pixel_t;

static void restart(pixel_t *pixel) {
    pixel->code.next = pixel->job->code;
    pixel->code.budget = MIDGE_LANE_LIMIT;
}

// Runs what there is so far, so that the code can begin anew.
static void run_part(pixel_t *pixel, uint32_t passed) {
    midge_code_end(&pixel->code);
    pixel->groups.partial = pixel->job->partial;
    midge_run_code(&pixel->groups);
    pixel->groups.weights = pixel->job->weights + 3 * passed;
    pixel->groups.sums = pixel->job->partial;
    pixel->groups.partial = 0;
    restart(pixel);
}

// Code for `count` values at `x`, of which the first is number `at` of the window.
static void values(pixel_t *pixel, const int8_t *x, uint32_t count, uint32_t at) {
    pixel->code.x = x;
    pixel->code.left = count;
    midge_code_values(&pixel->code);
    while (pixel->code.left) {
        run_part(pixel, at + count - pixel->code.left);
        midge_code_values(&pixel->code);
    }
}

static void pass(pixel_t *pixel, uint32_t count, uint32_t at) {
    if (pixel->code.next > pixel->code.limit) {
        run_part(pixel, at);
    }
    if (count) {
        midge_code_pass(&pixel->code, count);
    }
}

// Code for the window at y, x; runs it over the strip of channels.
static void window(pixel_t *pixel, int32_t y, int32_t x) {
    const midge_window_t *op = pixel->job->op;
    const uint32_t in_c = op->in_c, line = op->kernel_w * in_c;
    const int8_t *input = pixel->job->call->arena + op->input;
    int32_t first;
    const int32_t taps = midge_count_taps(x, op->in_w, op->kernel_w, op->dilation_w, &first);
    restart(pixel);
    uint32_t at = 0;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h, at += line) {
        if (y < 0 || y >= op->in_h || taps <= 0) {
            pass(pixel, line, at);
            continue;
        }
        const int32_t from = y * op->in_w + x + first * op->dilation_w;
        const int8_t *value = input + (uint32_t)from * in_c;
        const uint32_t begin = (uint32_t)first * in_c, end = begin + (uint32_t)taps * in_c;
        pass(pixel, begin, at);
        if (op->dilation_w == 1) {
            values(pixel, value, end - begin, at + begin);
        } else {
            for (uint32_t i = begin; i < end; i += in_c, value += op->dilation_w * in_c) {
                values(pixel, value, in_c, at + i);
            }
        }
        pass(pixel, line - end, at + end);
    }
    midge_code_end(&pixel->code);
    midge_run_code(&pixel->groups);
}

static void run_strip(const job_t *job, uint32_t first) {
    const midge_window_t *op = job->op;
    int8_t *out = job->call->arena + op->output + job->call->begin * op->block_channels + first;
    pixel_t pixel;
    pixel.job = job;
    pixel.code.limit = job->code + job->code_words - MIDGE_STEP_WORDS(job->depth);
    pixel.code.zero = op->input_zero;
    pixel.groups.code = job->code;
    pixel.groups.weights_step = 12 * job->depth;
    pixel.groups.scale = job->scale;
    pixel.groups.count = job->groups;
    pixel.groups.back = job->back;
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        const int32_t y = oy * op->stride_h - op->pad_top;
        for (int32_t ox = 0; ox < op->out_w; ox++, out += op->out_c) {
            pixel.groups.weights = job->weights;
            pixel.groups.sums = job->sums;
            pixel.groups.partial = 0;
            pixel.groups.out = out;
            window(&pixel, y, ox * op->stride_w - op->pad_left);
        }
    }
}

// Whether the input of this very moment suits: cycles by samples of it, against tiles.S. The
// constants are measured.
static int is_faster(const job_t *job, uint32_t groups) {
    const midge_window_t *op = job->op;
    const int8_t *input = job->call->arena + op->input;
    const uint32_t bytes = (uint32_t)op->in_h * op->in_w * op->in_c;
    const uint32_t step = midge_divide(bytes, SAMPLES) | 1; // odd: all channels have their turn
    uint32_t count = 0, present = 0, sum = 0;
    for (uint32_t at = 0; at < bytes; at += step, count++) {
        const int32_t u = input[at] - op->input_zero;
        present += u != 0;
        sum += (uint32_t)(u < 0 ? -u : u);
    }
    const uint32_t flushes = sum / 16; // 16 times the runs' ends
    const uint32_t in_code = 11 * present + flushes;
    const uint32_t making = 4 * count + 11 * present + 3 * flushes;
    const uint32_t values = job->depth, apart = count * (60 * groups + 450);
    const uint32_t tiles = 15 + midge_divide(64, (uint32_t)op->out_h * op->out_w);
    return (groups * in_code + making) * values + apart < tiles * groups * count * values;
}

// Generated code may run at once on a Cortex-M0 or M0+. Larger cores run this module too, and some
// of them have caches that would have to know.
static int has_no_caches(void) {
    const uint32_t part = *(volatile const uint32_t *)CPUID & 0xFFF0;
    return part == 0xC200 || part == 0xC600;
}

int midge_sparse_conv(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    job_t job;
    job.call = call;
    job.op = op;
    job.depth = (uint32_t)op->kernel_h * op->kernel_w * op->in_c;
    job.channels = (call->end - call->begin) * op->block_channels;
    if (job.depth > 0x3FFF || job.channels < MIDGE_GROUP || !has_no_caches()) {
        return 0;
    }
    // All channels, or as many as there is room for.
    const uint32_t group_bytes = MIDGE_GROUP * (2 * job.depth + sizeof(midge_scale_t) + 8);
    const uint32_t room = op->scratch_bytes & ~3u, least_code = LEAST_CODE(job.depth);
    if (room < least_code + group_bytes) {
        return 0;
    }
    uint32_t groups = midge_divide(job.channels + MIDGE_GROUP - 1, MIDGE_GROUP);
    const uint32_t fitting = midge_divide(room - least_code, group_bytes);
    if (groups > fitting) {
        if (midge_overlaps(op)) {
            return 0;
        }
        groups = fitting;
    }
    uint32_t strip = groups * MIDGE_GROUP;
    if (strip > job.channels) {
        strip = job.channels;
    }
    if (!is_faster(&job, groups)) {
        return 0;
    }
    job.code_words = (room - groups * group_bytes) / 4;
    int8_t *scratch = call->arena + op->scratch;
    job.scale = (void *)scratch;
    scratch += groups * MIDGE_GROUP * sizeof(midge_scale_t);
    job.sums = (void *)scratch;
    job.partial = job.sums + groups * MIDGE_GROUP;
    job.weights = job.partial + groups * MIDGE_GROUP;
    job.code = job.weights + groups * 3 * job.depth;
    for (uint32_t first = 0; first < job.channels; first += strip) {
        uint32_t count = job.channels - first;
        if (count > strip) {
            count = strip;
        }
        if (count < MIDGE_GROUP) {
            first -= MIDGE_GROUP - count;
            count = MIDGE_GROUP;
        }
        prepare(&job, first, count);
        run_strip(&job, first);
    }
    return 1;
}

void midge_conv_armv6m(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t out_bytes = (uint32_t)op->out_h * op->out_w * op->out_c;
    const int apart = op->scratch + op->scratch_bytes <= op->output
        || op->output + out_bytes <= op->scratch;
    const int aligned = !((uintptr_t)(call->arena + op->scratch) & 3);
    if (!apart || !aligned || (!midge_sparse_conv(call) && !midge_dense_conv(call))) {
        midge_plain(call);
    }
}

#endif
