// CONV_2D and FULLY_CONNECTED of four pixels or more: the weights of as many channels as the
// scratch memory holds, and the windows of four pixels, in 16 bits each.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "kernels_armv7emsp.h"
#include "dense.h"
#include "tiles.h"
#include "windows.h"

// Words of a group of channels besides the weights.
#define GROUP_WORDS ((sizeof(midge_group_head_t) + sizeof(midge_group_tail_t)) / 4)

// Channels `first` to `first + count - 1` of the call, in groups from `to` on. 0 where one has a
// scale that does not suit.
static int prepare(const midge_call_t *call, uint32_t first, uint32_t count, uint32_t *to) {
    const midge_window_t *op = call->op;
    const uint32_t line = (uint32_t)op->kernel_w * op->in_c, lines = op->kernel_h;
    while (count > 0) {
        midge_lane_t lanes[MIDGE_TILE_CHANNELS];
        const uint32_t some = count < MIDGE_TILE_CHANNELS ? count : MIDGE_TILE_CHANNELS;
        if (!midge_lanes(call, lines * line, first, some, lanes)) {
            return 0;
        }
        if (some == 1) {
            lanes[1] = lanes[0];
        }
        midge_group_head_t *head = (void *)to;
        to = (void *)(head + 1);
        midge_group_tail_t *tail
            = (void *)(to + MIDGE_TILE_CHANNELS * lines * midge_line_words(op));
        for (uint32_t i = 0; i < MIDGE_TILE_CHANNELS; i++) {
            const midge_lane_t *lane = &lanes[i];
            head->bias[i] = lane->bias;
            midge_widen_row(to + i, lane->row, line, lines, line);
            tail->scale[i].multiplier = lane->multiplier;
            tail->scale[i].offset = lane->offset;
            tail->scale[i].shift = lane->shift;
        }
        to = (void *)(tail + 1);
        first += some;
        count -= some;
    }
    return 1;
}

// One group, of whose pixels and channels the first are wanted.
static void run_part(midge_tile_t *tile, uint32_t pixels, uint32_t channels) {
    int8_t outputs[MIDGE_TILE_PIXELS * MIDGE_TILE_CHANNELS];
    int8_t *to = tile->out;
    const uint32_t step = tile->out_step;
    tile->out = outputs;
    tile->out_step = MIDGE_TILE_CHANNELS;
    midge_tile(tile);
    for (uint32_t p = 0; p < pixels; p++) {
        for (uint32_t c = 0; c < channels; c++) {
            to[p * step + c] = outputs[MIDGE_TILE_CHANNELS * p + c];
        }
    }
    tile->out = to + channels;
    tile->out_step = step;
}

// Of four pixels the first `pixels`, and `channels` channels, in groups of `group` words.
static void run_tile(midge_tile_t *tile, uint32_t group, uint32_t pixels, uint32_t channels) {
    const uint32_t *groups = tile->groups;
    int8_t *out = tile->out;
    const uint32_t pairs = pixels == MIDGE_TILE_PIXELS ? channels / MIDGE_TILE_CHANNELS : 0;
    if (pairs) {
        tile->groups_end = groups + pairs * group;
        midge_tile(tile);
        tile->groups = tile->groups_end;
        tile->out += pairs * MIDGE_TILE_CHANNELS;
        channels -= pairs * MIDGE_TILE_CHANNELS;
    }
    while (channels > 0) {
        const uint32_t some = channels < MIDGE_TILE_CHANNELS ? channels : MIDGE_TILE_CHANNELS;
        tile->groups_end = tile->groups + group;
        run_part(tile, pixels, some);
        tile->groups = tile->groups_end;
        channels -= some;
    }
    tile->groups = groups;
    tile->out = out + pixels * tile->out_step;
}

// 0 where the scratch memory or a channel's scale does not suit.
static int run_tiles(const midge_call_t *call, uint32_t pixels) {
    const midge_window_t *op = call->op;
    const uint32_t line = midge_line_words(op), words = op->kernel_h * line;
    const uint32_t group = GROUP_WORDS + MIDGE_TILE_CHANNELS * words;
    // A tile's windows, and room for the bytes of a line.
    const uint32_t before = MIDGE_TILE_PIXELS * words + line;
    const int apart = op->scratch + op->scratch_bytes <= op->output
        || op->output + pixels * op->out_c <= op->scratch;
    const uint32_t room = op->scratch_bytes / 4;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    uint32_t *scratch = (void *)(call->arena + op->scratch);
    if (!apart || (uintptr_t)scratch & 3 || room < before + group || channels == 0) {
        return 0;
    }
    // Strips of channels, of one size.
    const uint32_t groups = (channels + MIDGE_TILE_CHANNELS - 1) / MIDGE_TILE_CHANNELS;
    const uint32_t most = midge_divide(room - before, group);
    const uint32_t strips = midge_divide(groups + most - 1, most);
    if (strips > 1 && midge_overlaps(op)) {
        return 0;
    }
    const uint32_t strip = MIDGE_TILE_CHANNELS * midge_divide(groups + strips - 1, strips);

    midge_tile_t tile;
    tile.pixels = scratch;
    tile.end = scratch + MIDGE_TILE_PIXELS * words;
    tile.groups = scratch + before;
    tile.out_step = op->out_c;
    tile.skipped = MIDGE_TILE_STEPS - 1 - (words - 1) % MIDGE_TILE_STEPS;
    for (uint32_t first = 0; first < channels; first += strip) {
        const uint32_t left = channels - first, count = left < strip ? left : strip;
        if (!prepare(call, first, count, scratch + before)) {
            return 0;
        }
        midge_image_t image;
        midge_begin_image(&image, call, (int8_t *)(scratch + before - line));
        int8_t *out = call->arena + op->output + call->begin * op->block_channels + first;
        tile.out = out;
        for (uint32_t at = 0; at < pixels; at += MIDGE_TILE_PIXELS) {
            uint32_t some = pixels - at;
            some = some < MIDGE_TILE_PIXELS ? some : MIDGE_TILE_PIXELS;
            midge_next_windows(&image, some, scratch);
            run_tile(&tile, group, some, count);
        }
        midge_clamp_outputs(op, out, count);
    }
    return 1;
}

void midge_conv_armv7emsp(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t depth = midge_times((uint32_t)op->kernel_h * op->kernel_w, op->in_c);
    const uint32_t pixels = (uint32_t)op->out_h * op->out_w;
    const int fits = depth <= MIDGE_MOST_DEPTH;
    if (!fits || ((pixels < MIDGE_TILE_PIXELS || !run_tiles(call, pixels))
            && !midge_dense_conv(call, depth))) {
        midge_conv(call);
    }
}

#endif
