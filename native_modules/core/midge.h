// midge's native core: runs the operator records of a .midge file.
//
// Freestanding C99: no libc, no writable statics, no allocation, no floating point. Little-endian
// only. Everything a file can say is checked before a kernel runs, so a kernel trusts its record.
// The format is described in docs/FORMAT.md, the arithmetic in docs/NUMERICS.md.

#ifndef MIDGE_H
#define MIDGE_H

#include "format.h"

#define MIDGE_OK 0

// `bytes` bytes at `data`: every pointer comes with its length.
typedef struct {
    const uint8_t *data;
    uint32_t bytes;
} midge_bytes_t;

typedef struct {
    int8_t *data;
    uint32_t bytes;
} midge_arena_t;

// The weights at hand: `bytes` bytes that begin at offset `base` of the weight section.
typedef struct {
    const uint8_t *data;
    uint32_t bytes;
    uint32_t base;
} midge_weights_t;

// Checks all records against the sizes that the file declares.
// Returns 0, or (operator index + 1) * 16 + reason. `program.data` must be aligned to 4.
uint32_t midge_check(midge_bytes_t program, uint32_t arena_bytes, uint32_t weights_bytes);

// The part of the work to do. Of a single record, only its weight blocks begin..end-1; an operator
// without weights ignores them. Of each record, `part` of `parts`, which have rows of its output
// each; an operator whose rows cannot be shared out runs whole in part 0. All parts of a record
// have to be done before the next one.
typedef struct {
    uint32_t begin, end;
    uint32_t part, parts;
} midge_share_t;

// Runs records first..last-1. Checks every record against the buffers given; a refused record
// leaves the arena as the records before it made it. Returns as midge_check does. For operators
// of other banks than the core `arena.data` must be aligned to 4.
uint32_t midge_run(midge_bytes_t program, uint32_t first, uint32_t last, midge_arena_t arena,
    midge_weights_t weights, const midge_share_t *share);

// Element types of readings and results: the type codes of Python's array module.
enum {
    MIDGE_INT8 = 'b',
    MIDGE_UINT8 = 'B',
    MIDGE_FLOAT32 = 'f',
    MIDGE_INT16 = 'h',
    MIDGE_INT32 = 'i',
};

// Writes a reading into an input tensor of int8: int8 as it is, uint8 pixels by the tensor's pixel
// mapping, float32 by its scale; NaN is refused. `tensor` is a descriptor (midge_tensor_t),
// aligned to 4; behind it lie scale and zero point of each channel (midge_channel_scale_t) where
// these have their own. Returns 0; MIDGE_BAD_PARAMETER for another type code; MIDGE_BAD_TENSOR
// when the descriptor cannot be right or the lengths differ; MIDGE_BAD_READING for a NaN.
uint32_t midge_encode(midge_bytes_t tensor, midge_bytes_t reading, uint32_t type,
    midge_arena_t arena);

// The reverse: an output tensor as int8, as uint8 (int8 + 128) or as float32. Returns as above.
uint32_t midge_decode(midge_bytes_t tensor, midge_arena_t arena, uint8_t *out, uint32_t out_bytes,
    uint32_t type);

// The same for tensors of int16 and int32, in the bank `wide`: their own type as it is; float32 by
// the scale, but for readings of int32.
uint32_t midge_encode_wide(midge_bytes_t tensor, midge_bytes_t reading, uint32_t type,
    midge_arena_t arena);
uint32_t midge_decode_wide(midge_bytes_t tensor, midge_arena_t arena, uint8_t *out,
    uint32_t out_bytes, uint32_t type);

// The same for tensors of float32, in the bank `trees`: float32, or bytes that hold it. NaN is
// refused but where the tensor's flags take it.
uint32_t midge_encode_float(midge_bytes_t tensor, midge_bytes_t reading, uint32_t type,
    midge_arena_t arena);
uint32_t midge_decode_float(midge_bytes_t tensor, midge_arena_t arena, uint8_t *out,
    uint32_t out_bytes, uint32_t type);

// In the banks `audio` and `mel`: copies samples, int16 or the bytes of some, from byte `at` of a
// reading on into the arena's bytes from `to` up to `end`: as many as there are, and as have room.
// Returns the number of bytes, or UINT32_MAX for another type or what is no whole sample within
// its buffer.
uint32_t midge_take(midge_arena_t arena, uint32_t to, uint32_t end, midge_bytes_t reading,
    uint32_t type, uint32_t at);

#endif
