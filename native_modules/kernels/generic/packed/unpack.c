// The blocks of a coded piece, byte by byte: a piece comes in parts, and its blocks leave in
// parts.

#include "packed/coding.h"
#include "target.h"

enum { GROUP = 24 }; // bits of an entry that are stored together

// The next `have` bits of a piece, the first of them the highest of `bits`, 0 below them, and the
// bytes that follow. start: of the bytes at hand.
typedef struct {
    uint32_t bits, have;
    const uint8_t *next, *end, *start;
} midge_bits_t;

typedef struct {
    midge_unpacking_t *state;
    midge_bytes_t code, tables;
    midge_bits_t in;
    uint8_t *out, *end;
} job_t;

// What needs all registers of a small core.
#define ALONE __attribute__((noinline))

ALONE static void fill(midge_bits_t *in) {
    const uint8_t *next = in->next, *const end = in->end;
    uint32_t bits = in->bits, have = in->have;
    for (; have <= 24 && next < end; have += 8) {
        bits |= (uint32_t)*next++ << (24 - have);
    }
    in->bits = bits;
    in->have = have;
    in->next = next;
}

// Takes 0 to 24 bits; 0 where they are not there yet.
static inline int take(midge_bits_t *in, uint32_t count, uint32_t *value) {
    if (in->have < count) {
        fill(in);
        if (in->have < count) {
            return 0;
        }
    }
    const uint32_t bits = in->bits;
    *value = bits >> 1 >> (31 - count);
    in->bits = bits << count;
    in->have -= count;
    return 1;
}

static void put(job_t *job, uint32_t byte) {
    *job->out++ = (uint8_t)byte;
    job->state->place++;
}

// The parts of a piece return 1 where they are done, 0 where there is no more data, or no more
// room, and -1 where the piece is impossible.

static int is_possible(const midge_unpacking_t *s) {
    const uint32_t most = MIDGE_CODE_MOST_ENTRY_BITS;
    return s->rows - 1 < UINT16_MAX && s->row_bytes - 1 < UINT16_MAX && s->first_bits <= most
        && s->zero_bits <= most && s->last_bits <= most
        && s->kind_bits <= MIDGE_CODE_MOST_KIND_BITS && s->put_bits < 8 + GROUP;
}

static int take_head(job_t *job) {
    midge_unpacking_t *s = job->state;
    uint32_t *fields = &s->rows;
    enum { WORDS = 2, BYTES = 9 };
    for (; s->field < BYTES; s->field++) {
        uint32_t byte;
        if (!take(&job->in, 8, &byte)) {
            return 0;
        }
        // Two words, their lower byte first, then bytes.
        const uint32_t is_word = s->field < 2 * WORDS, is_upper = is_word & s->field;
        uint32_t *field = &fields[is_word ? s->field / 2 : s->field - WORDS];
        *field = is_upper ? *field | byte << 8 : byte;
    }
    s->row = s->left = s->put = s->put_bits = s->place = 0;
    return is_possible(s) ? 1 : -1;
}

// Zero bytes up to a multiple of 4.
static int pad(job_t *job) {
    while (job->state->place % MIDGE_BLOCK_ALIGNMENT) {
        if (job->out == job->end) {
            return 0;
        }
        put(job, 0);
    }
    return 1;
}

// Entries up to the last one: bits that wait to be put, whole bytes of them first.
static int take_entries(job_t *job) {
    midge_unpacking_t *s = job->state;
    const uint32_t first = s->first_bits, zeros = first + s->zero_bits;
    const uint32_t bits = zeros + s->last_bits;
    // left: how far it is in the entry.
    uint32_t put = s->put, waiting = s->put_bits, left = s->left, row = bits ? s->row : s->rows;
    uint8_t *out = job->out, *const end = job->end;
    int done = 0;
    for (;;) {
        for (; waiting >= 8 && out != end; waiting -= 8) {
            *out++ = (uint8_t)put;
            put >>= 8;
        }
        done = waiting < 8 && row == s->rows;
        if (waiting >= 8 || done) {
            break;
        }
        const uint32_t is_zero = left >= first && left < zeros;
        const uint32_t there = (left < first ? first : is_zero ? zeros : bits) - left;
        const uint32_t count = there < GROUP ? there : GROUP;
        uint32_t value = 0;
        if (!is_zero && !take(&job->in, count, &value)) {
            break;
        }
        put |= value << waiting;
        waiting += count;
        left += count;
        if (left == bits) {
            left = 0;
            row++;
        }
    }
    if (done && waiting && out != end) {
        *out++ = (uint8_t)put;
        put = waiting = 0;
    }
    s->place += (uint32_t)(out - job->out);
    job->out = out;
    s->put = put;
    s->put_bits = waiting;
    s->left = left;
    s->row = row;
    return done && !waiting && pad(job);
}

static int take_kind(job_t *job) {
    midge_unpacking_t *s = job->state;
    uint32_t kind;
    if (!take(&job->in, s->kind_bits, &kind)) {
        return 0;
    }
    kind += s->kind;
    if (kind >= midge_kinds(job->code)) {
        return -1;
    }
    const uint8_t *found = job->code.data + sizeof(midge_coding_t) + 2 * kind;
    s->step = found[0];
    s->how = found[1];
    s->left = s->row_bytes;
    return 1;
}

// Where the codes of a row are found. lengths: how many codes there are of each length; behind
// them the `values` bytes that they may stand for.
typedef struct {
    const uint16_t *table;
    const uint8_t *lengths;
    uint32_t values, step;
} midge_huffman_t;

// The code that `bits` begin with: its length, and below it 8 bits, its value; 0 for none.
ALONE static uint32_t find(const midge_huffman_t *codes, uint32_t bits) {
    const uint16_t *table = codes->table;
    const uint32_t found = table[MIDGE_TABLE_LOOKUP + (bits >> (32 - MIDGE_LOOKUP_BITS))];
    if (found >> 8) {
        return found;
    }
    const uint8_t *values = codes->lengths + MIDGE_CODE_BITS;
    uint32_t first = table[MIDGE_TABLE_FIRST], index = table[MIDGE_TABLE_INDEX];
    for (uint32_t length = MIDGE_LOOKUP_BITS + 1; length <= MIDGE_CODE_BITS; length++) {
        const uint32_t count = codes->lengths[length - 1];
        const uint32_t number = (bits >> (32 - length)) - first;
        if (number < count) {
            index += number;
            return index < codes->values ? length << 8 | values[index] : 0;
        }
        index += count;
        first = (first + count) << 1;
    }
    return 0;
}

// A byte, whatever its code, from whatever data there are.
static int take_code(job_t *job, const midge_huffman_t *codes) {
    fill(&job->in);
    const uint32_t found = find(codes, job->in.bits), length = found >> 8;
    if (length == 0 || length > MIDGE_CODE_BITS) {
        return -1;
    }
    if (length > job->in.have) {
        return 0;
    }
    job->in.bits <<= length;
    job->in.have -= length;
    *job->out++ = (uint8_t)(found * codes->step);
    return 1;
}

// What follows takes most bytes, up to `stop`, and returns how many are left of `left`, which is
// not 0.

#ifdef MIDGE_TUNED_UNPACK
// kernels/armv6m/packed/look_up.S and spread.S, until less than two bytes follow. `next` is a
// multiple of 2 or of 4, and `have` is 32 at most.
uint32_t midge_look_up(
    midge_bits_t *in, uint8_t *stop, uint32_t left, const midge_huffman_t *codes);
uint32_t midge_spread(
    midge_bits_t *in, uint8_t *stop, uint32_t left, uint32_t count, uint32_t step);

// Makes `next` a multiple of `unit`: gives bytes back, or takes some. 0 where it cannot, or where
// less than two bytes follow.
static int align(midge_bits_t *in, uint32_t unit) {
    const uint32_t over = (uint32_t)(uintptr_t)in->next & (unit - 1), missing = unit - over;
    if (in->have > 32) {
        return 0;
    }
    if (over && in->have >= 8 * over && (uint32_t)(in->next - in->start) >= over) {
        in->next -= over;
        in->have -= 8 * over;
        in->bits &= ~(UINT32_MAX >> in->have);
    } else if (over) {
        if (in->have + 8 * missing > 32 || (uint32_t)(in->end - in->next) < missing) {
            return 0;
        }
        for (uint32_t i = 0; i < missing; i++) {
            in->bits |= (uint32_t)*in->next++ << (24 - in->have);
            in->have += 8;
        }
    }
    return in->end - in->next >= 2;
}

static uint32_t look_up(
    midge_bits_t *in, uint8_t *stop, uint32_t left, const midge_huffman_t *codes) {
    return align(in, 2) ? midge_look_up(in, stop, left, codes) : left;
}

static uint32_t spread(
    midge_bits_t *in, uint8_t *stop, uint32_t left, uint32_t count, uint32_t step) {
    return align(in, 4) ? midge_spread(in, stop, left, count, step) : left;
}
#else
enum { TWO_BYTES = 16 }; // bits that are read at a time

// Until less than two bytes of data follow, or at a code that there is not.
ALONE static uint32_t look_up(
    midge_bits_t *in, uint8_t *stop, uint32_t left, const midge_huffman_t *codes) {
    const uint16_t *lookup = codes->table + MIDGE_TABLE_LOOKUP;
    const uint8_t *next = in->next, *const end = in->end;
    const uint32_t step = codes->step;
    uint32_t bits = in->bits, have = in->have;
    int32_t at = -(int32_t)left;
    do {
        if (have < MIDGE_CODE_BITS) {
            if (end - next < 2) {
                break;
            }
            bits |= ((uint32_t)next[0] << 8 | next[1]) << (TWO_BYTES - have);
            have += TWO_BYTES;
            next += 2;
        }
        uint32_t found = lookup[bits >> (32 - MIDGE_LOOKUP_BITS)];
        if (found >> 8 == 0) {
            found = find(codes, bits);
        }
        const uint32_t length = found >> 8 & 15;
        if (!length) {
            break;
        }
        bits <<= length;
        have -= length;
        found *= step;
        stop[at] = (uint8_t)found;
    } while (++at);
    in->bits = bits;
    in->have = have;
    in->next = next;
    return (uint32_t)-at;
}

// Values that are taken together, a digit each of 1 to 8 bits: they have 24 bits or less.
#define TOGETHER 0x334468C8u

// Bytes of `count` bits each, until data run out.
ALONE static uint32_t spread(
    midge_bits_t *in, uint8_t *stop, uint32_t left, uint32_t count, uint32_t step) {
    const uint32_t unused = 32 - count;
    const uint8_t *next = in->next, *const end = in->end;
    uint32_t bits = in->bits, have = in->have, together = TOGETHER >> 4 * (count - 1) & 15;
    while (left) {
        together = together < left ? together : left;
        for (; have <= 24 && next < end; have += 8) {
            bits |= (uint32_t)*next++ << (24 - have);
        }
        if (have < together * count) {
            break;
        }
        have -= together * count;
        left -= together;
        int32_t at = -(int32_t)together;
        uint8_t *to = stop - left;
        do {
            const uint32_t value = (uint32_t)((int32_t)bits >> unused);
            bits <<= count;
            to[at] = (uint8_t)(value * step);
        } while (++at);
    }
    in->bits = bits;
    in->have = have;
    in->next = next;
    return left;
}
#endif

static int take_codes(job_t *job, uint32_t number, uint8_t *stop) {
    const uint32_t at = number * MIDGE_TABLE_SIZE;
    if ((at + MIDGE_TABLE_SIZE) * sizeof(uint16_t) > job->tables.bytes) {
        return -1;
    }
    const uint16_t *table = (const uint16_t *)(const void *)job->tables.data + at;
    const uint32_t lengths = table[MIDGE_TABLE_AT], bytes = job->code.bytes;
    if (bytes < MIDGE_CODE_BITS || lengths > bytes - MIDGE_CODE_BITS) {
        return -1;
    }
    const midge_huffman_t codes
        = {table, job->code.data + lengths, bytes - MIDGE_CODE_BITS - lengths, job->state->step};
    int done = 1;
    while (done == 1 && job->out < stop) {
        job->out = stop - look_up(&job->in, stop, (uint32_t)(stop - job->out), &codes);
        if (job->out < stop) {
            done = take_code(job, &codes);
        }
    }
    return done;
}

static int take_bits(job_t *job, uint32_t count, uint8_t *stop) {
    const uint32_t step = job->state->step;
    if (job->out < stop) {
        job->out = stop - spread(&job->in, stop, (uint32_t)(stop - job->out), count, step);
    }
    uint32_t value;
    while (job->out < stop && take(&job->in, count, &value)) {
        const uint32_t sign = 1u << count >> 1;
        *job->out++ = (uint8_t)(((value ^ sign) - sign) * step);
    }
    return job->out == stop;
}

static int take_values(job_t *job) {
    midge_unpacking_t *s = job->state;
    const uint32_t room = (uint32_t)(job->end - job->out), how = s->how;
    uint8_t *const start = job->out, *const stop = start + (s->left < room ? s->left : room);
    int done = 1;
    if (how >= MIDGE_IS_TABLE) {
        done = take_codes(job, how - MIDGE_IS_TABLE, stop);
    } else if (how > MIDGE_CODE_MOST_ROW_BITS) {
        return -1;
    } else if (how) {
        done = take_bits(job, how, stop);
    } else {
        while (job->out < stop) {
            *job->out++ = 0;
        }
    }
    const uint32_t made = (uint32_t)(job->out - start);
    s->left -= made;
    s->place += made;
    if (done == 1 && !s->left) {
        s->row++;
        return 1;
    }
    return done < 0 ? -1 : 0;
}

// Rows up to the block's last, or the end of the room.
static int take_rows(job_t *job) {
    midge_unpacking_t *s = job->state;
    int done = 1;
    while (done == 1 && s->row < s->rows && job->out < job->end) {
        if (s->phase == MIDGE_UNPACKING_KINDS) {
            done = take_kind(job);
            s->phase = done == 1 ? MIDGE_UNPACKING_VALUES : MIDGE_UNPACKING_KINDS;
        } else {
            done = take_values(job);
            s->phase = done == 1 ? MIDGE_UNPACKING_KINDS : MIDGE_UNPACKING_VALUES;
        }
    }
    return done;
}

static int copy(job_t *job) {
    while (job->out < job->end && job->in.next < job->in.end) {
        *job->out++ = *job->in.next++;
    }
    return 0;
}

// One part. Whether it is done, and with that which one follows.
static int advance(job_t *job) {
    midge_unpacking_t *s = job->state;
    int done;
    switch (s->phase) {
    case MIDGE_UNPACKING_HEAD:
        done = take_head(job);
        s->phase = done == 1 ? MIDGE_UNPACKING_ENTRIES : MIDGE_UNPACKING_HEAD;
        return done;
    case MIDGE_UNPACKING_ENTRIES:
        done = take_entries(job);
        if (done == 1) {
            s->row = s->left = 0;
            s->phase = MIDGE_UNPACKING_KINDS;
        }
        return done;
    case MIDGE_UNPACKING_KINDS:
        if (s->row < s->rows) {
            return take_rows(job);
        }
        if (!pad(job) || job->out == job->end) {
            return 0;
        }
        s->row = s->place = 0;
        s->phase = MIDGE_UNPACKING_ENTRIES;
        return 1;
    case MIDGE_UNPACKING_VALUES:
        return take_rows(job);
    default:
        return -1;
    }
}

int32_t midge_unpack(midge_bytes_t code, midge_bytes_t tables, midge_arena_t state,
    midge_bytes_t data, midge_arena_t out, uint32_t at) {
    if (state.bytes != sizeof(midge_unpacking_t) || ((uintptr_t)state.data & 3)
        || ((uintptr_t)tables.data & 1) || out.bytes > INT32_MAX || at > out.bytes) {
        return -1;
    }
    midge_unpacking_t *kept = (midge_unpacking_t *)(void *)state.data;
    midge_unpacking_t s = *kept; // which nothing that is written changes
    if (s.taken > data.bytes || s.have > 32
        || (s.phase > MIDGE_UNPACKING_COPY && !is_possible(&s))) {
        return -1;
    }
    job_t job = {
        .state = &s,
        .code = code,
        .tables = tables,
        .in = {s.bits, s.have, data.data + s.taken, data.data + data.bytes, data.data},
        .out = (uint8_t *)out.data + at,
        .end = (uint8_t *)out.data + out.bytes,
    };
    int done = 1;
    while (done == 1 && job.out < job.end) {
        done = s.phase == MIDGE_UNPACKING_COPY ? copy(&job) : advance(&job);
    }
    s.bits = job.in.bits;
    s.have = job.in.have;
    s.taken = (uint32_t)(job.in.next - data.data);
    *kept = s;
    return done < 0 ? -1 : (int32_t)(job.out - (uint8_t *)out.data);
}
