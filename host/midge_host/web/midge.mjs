// midge in JavaScript, for browsers and node: the same .midge files, the same C core (compiled to WebAssembly), the same
// calls and the same bytes as on a board.
//
//     import { load } from "./midge.mjs";
//     const model = await load("digits.midge");
//     const scores = model.predict(pixels);
//
// docs/browser.md has more. Names that begin with _ are not for callers. A file is not trusted: read() checks every field
// that device_lib/midge/_loader.py checks, the core's check() all that it says of operators.

// generated: format (host/midge_host/device/spec.py, `make generate`)
const MAGIC = "MIDG";
const FORMAT = 4;
const HEADER_BYTES = 28;
const SECTION_BYTES = 20;
const TENSOR_BYTES = 40;
const ENTRY_BYTES = 8;
const PIECE_BYTES = 16;
const CODING_BYTES = 4;
const CODED_PIECE_BYTES = 9;
const CHANNELS_BYTES = 4;
const CHANNEL_BYTES = 8;
const AUDIO_BYTES = 24;
const RECORD_BYTES = 72;
const MAX_RANK = 6;
const MAX_WINDOW = 1048576;
const MAX_ARENA = 268435456;
const MAX_SECTIONS = 64;
const MAX_RECORDS = 65535;
const SECTION_ALIGNMENT = 4;
const WEIGHT_ALIGNMENT = 16;
const BLOCK_ALIGNMENT = 4;
const CRC_FROM = 16;
const REQUIRED = 1;
const OVERLAPS = 128;
const TOGETHER = 16;
const RAW = 0;
const CODED = 1;
const CODE_BITS = 12;
const CODE_LIMITS = {"kinds": 256, "tables": 8, "entry_bits": 128, "kind_bits": 8, "row_bits": 8};
const IS_TABLE = 128;
const FEEDS = 4;
const INIT = 1;
const FEED = 2;
const PREDICT = 3;
const CHANNEL_ZEROS = 4194304;
const SCALE_MIN = 1e-30;
const SCALE_MAX = 1e+30;
const NEEDED = ["TENS", "PROG", "ENTR", "WDIR", "WGHT"];
const OTHERS = ["CHAN", "AUDI", "LERN", "DETE", "CODE", "OVER", "GOLD", "NAME", "LABL", "INFO"];
const DTYPES = ["int8", "uint8", "float32", "int16", "int32"];
const INT8 = 1;
const INT16 = 4;
const FLOAT32 = 3;
const ELEMENT_BYTES = {"1": 1, "4": 2, "5": 4, "3": 4};
const FUNCTION = 3;
const TAKES_NAN = 4;
const SOFTMAX = 1;
const LOGISTIC = 3;
const BAD_OPERATOR = 1;
const BAD_TENSOR = 2;
const BAD_PARAMETER = 4;
const BAD_READING = 5;
const REASONS = [
  "an unknown operator",
  "a tensor outside the arena",
  "weights outside the weight section",
  "an impossible parameter",
  "a value that is not a number",
];
const FRONTS = [6, 7];
const OPERATORS = {
  1: "CONV_2D",
  2: "DEPTHWISE_CONV_2D",
  3: "FULLY_CONNECTED",
  4: "AVERAGE_POOL_2D",
  5: "MAX_POOL_2D",
  6: "MEAN",
  7: "ADD",
  8: "SOFTMAX",
  9: "LUT",
  10: "PAD",
  11: "COPY",
  12: "CONSTANT",
  13: "ARITHMETIC",
  14: "REQUANTIZE",
  27: "SELECT",
  15: "LOGISTIC",
  16: "TANH",
  24: "BATCH_MATMUL",
  17: "LSTM",
  18: "SVDF",
  19: "LOG_SOFTMAX",
  20: "ARG_MAX",
  21: "RESIZE_NEAREST_NEIGHBOR",
  22: "RESIZE_BILINEAR",
  23: "L2_NORMALIZATION",
  28: "DIV",
  29: "CUMSUM",
  30: "GATHER",
  64: "TREES",
  65: "SCORES",
  66: "AFFINE",
  67: "SCALE",
  68: "DISTANCES",
  69: "NEAREST",
  70: "VOTES",
  71: "CODES",
  72: "SPECTRUM",
  73: "FILTER_BANK",
  80: "MAGNITUDES",
  81: "CEPSTRUM",
  82: "LOG_MEL",
  76: "SERIES_FEATURES",
  77: "SERIES_FILTER",
};
const HEADER = [
  ["4s", "magic"],
  ["H", "version"],
  ["H", "header_bytes"],
  ["I", "file_bytes"],
  ["I", "crc"],
  ["I", "arena_bytes"],
  ["I", "window_bytes"],
  ["B", "input_count"],
  ["B", "output_count"],
  ["H", "section_count"],
];
const SECTION = [["4s", "tag"], ["I", "flags"], ["I", "offset"], ["I", "bytes"], ["I", "crc"]];
const TENSOR = [
  ["I", "offset"],
  ["I", "bytes"],
  ["f", "scale"],
  ["i", "zero_point"],
  ["i", "pixel_multiplier"],
  ["i", "pixel_offset"],
  ["B", "dtype"],
  ["B", "rank"],
  ["6H", "shape"],
  ["B", "element"],
  ["B", "flags"],
];
const ENTRY = [["H", "kind"], ["H", "flags"], ["H", "first"], ["H", "last"]];
const PIECE = [["I", "offset"], ["I", "stored_bytes"], ["I", "bytes"], ["I", "encoding"]];
const CODING = [["H", "kinds"], ["H", "tables"]];
const CODED_PIECE = [
  ["H", "rows"],
  ["H", "row_bytes"],
  ["B", "first_bits"],
  ["B", "zero_bits"],
  ["B", "last_bits"],
  ["B", "kind"],
  ["B", "kind_bits"],
];
const CHANNELS = [["H", "input"], ["H", "count"]];
const CHANNEL = [["f", "scale"], ["i", "zero_point"]];
const AUDIO = [
  ["I", "rate"],
  ["H", "hop"],
  ["H", "first"],
  ["H", "every"],
  ["H", "window"],
  ["f", "cutoff"],
  ["8s", "front"],
];
const HEAD = [
  ["B", "code"],
  ["B", "bank"],
  ["B", "types"],
  ["B", "flags"],
  ["H", "blocks"],
  ["38s", "fields"],
  ["I", "input"],
  ["I", "output"],
  ["I", "output_bytes"],
  ["I", "weights"],
  ["I", "block_bytes"],
  ["I", "scratch"],
  ["I", "scratch_bytes"],
];
const WINDOW = [
  ["B", "code"],
  ["B", "bank"],
  ["B", "types"],
  ["B", "flags"],
  ["H", "blocks"],
  ["B", "stride_h"],
  ["B", "stride_w"],
  ["B", "dilation_h"],
  ["B", "dilation_w"],
  ["b", "input_zero"],
  ["b", "output_zero"],
  ["b", "clamp_min"],
  ["b", "clamp_max"],
  ["B", "bias_bits"],
  ["B", "shift_bits"],
  ["B", "mult_bits"],
  ["b", "shift"],
  ["H", "in_h"],
  ["H", "in_w"],
  ["H", "in_c"],
  ["H", "out_h"],
  ["H", "out_w"],
  ["H", "out_c"],
  ["H", "kernel_h"],
  ["H", "kernel_w"],
  ["H", "pad_top"],
  ["H", "pad_left"],
  ["H", "block_channels"],
  ["i", "multiplier"],
  ["I", "input"],
  ["I", "output"],
  ["I", "output_bytes"],
  ["I", "weights"],
  ["I", "block_bytes"],
  ["I", "scratch"],
  ["I", "scratch_bytes"],
];
// generated: end
// generated: texts (device_lib/midge/_errors.py, `make generate`)
const TEXTS = {
  "bytes": "input %s takes numbers or %s values; %s holds bytes",
  "count of names": "%d names; convert the model again",
  "detector": "window and hold are whole numbers from 1 to 65535, not %r and %r",
  "differs": "%s: operator %d (%s) computes something else here",
  "encoding": "encoding %d of weights is not known to this midge; deploy a newer library",
  "half a sample": "input %s takes int16 samples, 2 bytes each, not %d bytes",
  "impossible block": "operator %d: a weight block of an impossible size",
  "impossible channels": "input %s has impossible scales for its channels",
  "impossible code": "its section CODE says something impossible; convert the model again",
  "impossible codes": "weights that cannot be decoded; copy it again",
  "impossible entry": "an impossible entry %d; convert the model again",
  "impossible function": "tensor %s has an unknown function; update the device library",
  "impossible header": "impossible header; convert the model again",
  "impossible overlap": "operator %d cannot run with its output over its input; convert the model again",
  "impossible piece": "piece %d of the weights is impossible; convert the model again",
  "impossible shape": "tensor %s has an impossible shape or scale",
  "impossible sound": "its entry feed, section AUDI and input do not fit together; convert the model again",
  "input": "input %s takes a list, tuple, array or bytes of %d values, not %s",
  "inputs": "the model has %d inputs: give a list of so many readings, not %s",
  "large": "input %s: value %d is too large",
  "length": "input %s takes %d values %s, got %d",
  "nan": "input %s: a value is NaN; check the sensor",
  "nested": "input %s: lists nested more than %d deep",
  "newer": "format %d, this midge reads %d; deploy the library, which is older than the file",
  "no self-test": "%s holds no self-test; convert it again, without --bare",
  "no such section": "no section %r; convert the model again",
  "not a midge file": "not a .midge file; make one with `midge convert`",
  "number": "input %s: value %d is %s, not a number",
  "other version": "%s is of another version; deploy the library again",
  "out length": "output %s has %d values, out has %d",
  "outputs": "the model has %d outputs: out is a list of so many, not %s",
  "program checksum": "damaged (checksum); copy it again",
  "sample": "input %s takes int16 samples, not %r",
  "section outside": "section %r lies outside the file, upon another one, or is there twice",
  "section size": "section %r of %d bytes does not fit the others; convert the model again",
  "size": "%d bytes long, %d expected; copy it again",
  "tensor outside": "tensor %s lies outside the arena",
  "unknown dtype": "tensor %s has an unknown dtype or rank",
  "unknown entry": "entry %d is not known to this midge; deploy a newer library",
  "unknown section": "section %r is not known to this midge; deploy a newer library",
  "utf-8": "names are not UTF-8; convert the model again",
  "version": "format %d, this midge reads %d; convert the model again",
  "weights crc": "%s: damaged weights (checksum); copy it again",
};
// generated: end

const BITS_OF_FLAGS = FUNCTION | TAKES_NAN;
const FAR = 8388608; // beyond what any zero point brings back into a type
const PAGE = 65536;

/** A bad file, or a reading or result of a wrong length: what and where. */
export class ValueError extends Error {}

/** A model needs more memory than there is. */
export class MemoryError extends Error {}

function text(key, ...values) {
  return TEXTS[key].replace(/%[sdr]/g, (code) => {
    const value = values.shift();
    return code === "%r" && typeof value === "string" ? `'${value}'` : Array.isArray(value) ? `(${value.join(", ")})` : String(value);
  });
}

// ---- The file.

const SIZES = { B: 1, b: 1, H: 2, I: 4, i: 4, f: 4, s: 1 };
const READERS = {
  B: (view, at) => view.getUint8(at),
  b: (view, at) => view.getInt8(at),
  H: (view, at) => view.getUint16(at, true),
  I: (view, at) => view.getUint32(at, true),
  i: (view, at) => view.getInt32(at, true),
  f: (view, at) => view.getFloat32(at, true),
};

// The fields of a layout at a place: numbers, a list of them, or of type s a string of its bytes.
function unpack(layout, data, at = 0) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const fields = {};
  for (const [code, name] of layout) {
    const type = code.at(-1);
    const count = Number(code.slice(0, -1) || 1);
    const values = Array.from({ length: count }, (_, i) => (READERS[type] ?? READERS.B)(view, at + i * SIZES[type]));
    fields[name] = type === "s" ? String.fromCharCode(...values) : code.length > 1 ? values : values[0];
    at += count * SIZES[type];
  }
  return fields;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let i = 0; i < 8; i++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** The CRC-32 of bytes, continued from `value`. */
export function crc32(bytes, value = 0) {
  value = ~value;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ CRC_TABLE[(value ^ bytes[i]) & 255];
  return ~value >>> 0;
}

// What a file holds, after a check of every field: see contents(). data: Uint8Array.
function read(data, name) {
  try {
    return contents(data);
  } catch (error) {
    if (error instanceof ValueError) error.message = `${name}: ${error.message}`;
    throw error;
  }
}

function contents(data) {
  if (data.length < HEADER_BYTES || String.fromCharCode(...data.subarray(0, 4)) !== MAGIC) {
    throw new ValueError(text("not a midge file"));
  }
  const head = unpack(HEADER, data);
  if (head.version !== FORMAT) {
    throw new ValueError(text(head.version < FORMAT ? "version" : "newer", head.version, FORMAT));
  }
  if (data.length !== head.file_bytes) throw new ValueError(text("size", data.length, head.file_bytes));
  const end = HEADER_BYTES + head.section_count * SECTION_BYTES;
  if (
    head.header_bytes !== HEADER_BYTES ||
    head.window_bytes > MAX_WINDOW ||
    head.arena_bytes > MAX_ARENA ||
    !(0 < head.section_count && head.section_count <= MAX_SECTIONS) ||
    end > data.length
  ) {
    throw new ValueError(text("impossible header"));
  }
  const places = readSections(data, head.section_count, head.crc);

  // A section, which is made of parts of a size.
  const section = (tag, size = 1) => {
    const found = places.get(tag)?.data ?? new Uint8Array(0);
    if (found.length % size) throw new ValueError(text("section size", tag, found.length));
    return found;
  };
  const lines = (tag) => {
    let found;
    try {
      found = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(section(tag));
    } catch {
      throw new ValueError(text("utf-8"));
    }
    return found ? found.split("\n") : [];
  };

  const program = section("PROG", RECORD_BYTES);
  const records = program.length / RECORD_BYTES;
  if (records > MAX_RECORDS) throw new ValueError(text("section size", "PROG", program.length));
  const stored = section("WGHT");
  const code = section("CODE");
  const pieces = checkWeights(section("WDIR", PIECE_BYTES), stored.length, code, program, records, head.window_bytes);
  const weights = code.length ? decode(code, pieces, stored) : stored;
  checkOverlap(section("OVER", 2), program, records);
  const entries = readEntries(section("ENTR", ENTRY_BYTES), records);
  const count = head.input_count + head.output_count;
  const raw = section("TENS");
  if (raw.length !== count * TENSOR_BYTES || !head.input_count || !head.output_count) {
    throw new ValueError(text("section size", "TENS", raw.length));
  }
  let names = lines("NAME");
  if (!names.length) names = Array.from({ length: count + records }, (_, i) => String(i));
  if (names.length !== count + records) throw new ValueError(text("count of names", names.length));
  const channels = readChannels(section("CHAN"), head.input_count);
  const tensors = [];
  for (let i = 0; i < count; i++) {
    const bytes = raw.subarray(i * TENSOR_BYTES, (i + 1) * TENSOR_BYTES);
    tensors.push(new Tensor(names[i], bytes, channels.get(i) ?? []));
    checkTensor(tensors[i], head.arena_bytes);
  }
  const golden = section("GOLD");
  if (golden.length && golden.length !== 4 + 4 * records) {
    throw new ValueError(text("section size", "GOLD", golden.length));
  }
  const sound = section("AUDI");
  if (sound.length || entries.feed[0] < entries.feed[1]) checkSound(sound, entries, tensors.slice(0, head.input_count), program);
  return {
    sound: sound.length ? unpack(AUDIO, sound) : null,
    arenaBytes: head.arena_bytes,
    inputs: tensors.slice(0, head.input_count),
    outputs: tensors.slice(head.input_count),
    names: names.slice(count),
    labels: lines("LABL"),
    stored,
    weightsCrc: places.get("WGHT").crc,
    program,
    records,
    weights,
    entries,
    golden,
  };
}

// The sections by their tags: {data, crc}.
function readSections(data, count, crc) {
  let end = HEADER_BYTES + count * SECTION_BYTES;
  if (crc32(data.subarray(CRC_FROM, end)) !== crc) throw new ValueError(text("program checksum"));
  const places = new Map();
  for (let i = 0; i < count; i++) {
    const { tag, flags, offset, bytes, crc } = unpack(SECTION, data, HEADER_BYTES + i * SECTION_BYTES);
    const isWeights = tag === "WGHT";
    const unit = isWeights ? WEIGHT_ALIGNMENT : SECTION_ALIGNMENT;
    if (places.has(tag) || offset < end || offset % unit || offset + bytes > data.length) {
      throw new ValueError(text("section outside", tag));
    }
    end = offset + bytes;
    places.set(tag, { data: data.subarray(offset, end), crc });
    if (!isWeights && crc32(data.subarray(offset, end)) !== crc) throw new ValueError(text("program checksum"));
    if (flags & REQUIRED && !NEEDED.includes(tag) && !OTHERS.includes(tag)) {
      throw new ValueError(text("unknown section", tag));
    }
  }
  for (const tag of NEEDED) if (!places.has(tag)) throw new ValueError(text("no such section", tag));
  return places;
}

// The pieces of the weights, once they are checked.
function checkWeights(raw, size, code, program, records, room) {
  const pieces = [];
  const ends = new Map();
  let end = 0;
  let storedEnd = 0;
  for (let at = 0; at < raw.length; at += PIECE_BYTES) {
    const piece = unpack(PIECE, raw, at);
    if (piece.encoding !== RAW && (piece.encoding !== CODED || !code.length)) {
      throw new ValueError(text("encoding", piece.encoding));
    }
    if (
      piece.offset !== Math.ceil(storedEnd / BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT ||
      !piece.bytes ||
      piece.bytes % BLOCK_ALIGNMENT ||
      (piece.encoding === RAW && piece.stored_bytes !== piece.bytes) ||
      !(piece.stored_bytes > 0 && piece.stored_bytes <= piece.bytes)
    ) {
      throw new ValueError(text("impossible piece", at / PIECE_BYTES));
    }
    storedEnd = piece.offset + piece.stored_bytes;
    ends.set(end, end + piece.bytes);
    end += piece.bytes;
    pieces.push(piece);
  }
  if (storedEnd !== size) throw new ValueError(text("section size", "WGHT", size));
  for (let i = 0; i < records; i++) {
    const { blocks, block_bytes, weights } = head(program, i);
    const fits = block_bytes > 0 && block_bytes <= room && weights + blocks * block_bytes <= (ends.get(weights) ?? 0);
    if (blocks && !fits) throw new ValueError(text("impossible block", i));
  }
  return pieces;
}

// The weights of a file with coded pieces: docs/FORMAT.md, "Coded weights".
function decode(code, pieces, stored) {
  const kinds = readCode(code);
  const weights = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.bytes, 0));
  let at = 0;
  for (const piece of pieces) {
    const data = stored.subarray(piece.offset, piece.offset + piece.stored_bytes);
    const to = weights.subarray(at, (at += piece.bytes));
    if (piece.encoding === RAW) to.set(data);
    else decodePiece(kinds, data, to);
  }
  return weights;
}

// The kinds of rows: {step, bits, table}. A table is a map from length and code of a value to the value.
function readCode(code) {
  const impossible = () => new ValueError(text("impossible code"));
  if (code.length < CODING_BYTES) throw impossible();
  const { kinds, tables } = unpack(CODING, code);
  let at = CODING_BYTES + 2 * kinds;
  if (!kinds || kinds > CODE_LIMITS.kinds || tables > CODE_LIMITS.tables || at > code.length) throw impossible();
  const found = Array.from({ length: tables }, () => {
    const table = new Map();
    let next = 0;
    let value = at + CODE_BITS;
    if (value > code.length) throw impossible();
    for (let bits = 1; bits <= CODE_BITS; bits++) {
      next <<= 1;
      for (let i = 0; i < code[at + bits - 1]; i++) table.set((1 << bits) | next++, code[value++]);
    }
    if (value > code.length || next !== 1 << CODE_BITS) throw impossible();
    at = value;
    return table;
  });
  if (at !== code.length) throw impossible();
  return Array.from({ length: kinds }, (_, i) => {
    const [step, how] = code.subarray(CODING_BYTES + 2 * i);
    const table = found[how - IS_TABLE];
    if (how > CODE_LIMITS.row_bits && !table) throw impossible();
    return { step, bits: how, table };
  });
}

function decodePiece(kinds, data, to) {
  const impossible = () => new ValueError(text("impossible codes"));
  if (data.length < CODED_PIECE_BYTES) throw impossible();
  const { rows, row_bytes, first_bits, zero_bits, last_bits, kind, kind_bits } = unpack(CODED_PIECE, data);
  const most = Math.max(first_bits, zero_bits, last_bits);
  if (!rows || !row_bytes || most > CODE_LIMITS.entry_bits || kind_bits > CODE_LIMITS.kind_bits) throw impossible();
  let bit = 8 * CODED_PIECE_BYTES;
  const take = (count) => {
    if (bit + count > 8 * data.length) throw impossible();
    let value = 0;
    for (; count > 0; count--, bit++) value = (value << 1) | ((data[bit >> 3] >> (7 - (bit & 7))) & 1);
    return value;
  };
  let at = 0; // bits of `to`
  const put = (value, count) => {
    for (let i = 0; i < count; i++, at++) to[at >> 3] |= ((value >> i) & 1) << (at & 7);
  };
  const GROUP = 24;
  const part = (bits) => {
    for (let left = bits; left > 0; left -= GROUP) put(take(Math.min(left, GROUP)), Math.min(left, GROUP));
  };
  const value = ({ bits, table }) => {
    if (!table) return bits ? (take(bits) << (32 - bits)) >> (32 - bits) : 0;
    let key = 1;
    while (!table.has(key)) key = (key << 1) | take(1);
    return table.get(key);
  };
  const aligned = (bytes) => BLOCK_ALIGNMENT * Math.ceil(bytes / BLOCK_ALIGNMENT);
  const entries = aligned((rows * (first_bits + zero_bits + last_bits)) / 8);
  if (to.length % aligned(entries + rows * row_bytes)) throw impossible();
  while (at < 8 * to.length) {
    for (let row = 0; row < rows; row++) {
      part(first_bits);
      at += zero_bits;
      part(last_bits);
    }
    at = 8 * aligned(at / 8);
    for (let row = 0; row < rows; row++) {
      const found = kinds[kind + take(kind_bits)];
      if (!found) throw impossible();
      for (let i = 0; i < row_bytes; i++) put((value(found) * found.step) & 255, 8);
    }
    at = 8 * aligned(at / 8);
  }
  if (bit <= 8 * (data.length - 1)) throw impossible(); // no byte is left over
}

// What all records begin with, of record i.
function head(program, i) {
  return unpack(HEAD, program, i * RECORD_BYTES);
}

// The section names the records whose output lies over their input, and it may: midge/_overlap.py.
function checkOverlap(data, program, records) {
  let at = 0;
  for (let i = 0; i < records; i++) {
    const op = head(program, i);
    if (!(op.flags & OVERLAPS)) continue;
    const named = at < data.length && (data[at] | (data[at + 1] << 8)) === i;
    const found = named && op.bank === 0 && (op.types & 15) === INT8 && distance(unpack(WINDOW, program, i * RECORD_BYTES));
    const apart = op.input - op.output;
    if (!found || apart < found.least || apart % found.unit) throw new ValueError(text("impossible overlap", i));
    at += 2;
  }
  if (at !== data.length) throw new ValueError(text("section size", "OVER", data.length));
}

// By how many bytes an output has to begin before its input, and what they are a multiple of.
function distance(op) {
  if (!op.stride_h || !op.in_c) return null;
  const TILE = 6;
  const kind = OPERATORS[op.code];
  let rows = 1;
  let last = op.out_h;
  let unit = 4;
  if (kind === "CONV_2D") {
    const pixels = op.out_h * op.out_w;
    if (op.blocks > 1 || pixels < TILE) return null;
    rows = Math.ceil(TOGETHER / op.out_w);
    last = Math.floor((pixels - TILE) / op.out_w);
  } else if (kind === "DEPTHWISE_CONV_2D") {
    if (op.in_c !== op.out_c || op.in_c === 1 || (op.kernel_w === 1 && op.out_w > 1)) return null;
    unit = op.in_c * [1, 4, 2, 4][op.in_c % 4];
  } else if (kind !== "AVERAGE_POOL_2D" && kind !== "MAX_POOL_2D") {
    return null;
  }
  const turns = Math.ceil(op.out_h / rows);
  const padded = Math.floor(op.pad_top / (rows * op.stride_h));
  let least = 0;
  for (const turn of [padded, padded + 1, turns - 2, turns - 1]) {
    if (turn < 0 || turn >= turns) continue;
    const end = Math.min(op.out_h, (turn + 1) * rows) * op.out_w * op.out_c;
    const above = Math.max(0, Math.min(turn * rows, last) * op.stride_h - op.pad_top) * op.in_w * op.in_c;
    least = Math.max(least, end - above);
  }
  return { least: Math.ceil(least / unit) * unit, unit };
}

// First and last record of init, feed and predict.
function readEntries(raw, records) {
  const found = new Map();
  for (let at = 0; at < raw.length; at += ENTRY_BYTES) {
    const { kind, flags, first, last } = unpack(ENTRY, raw, at);
    if (kind === INIT || kind === FEED || kind === PREDICT) {
      if (found.has(kind) || !(first <= last && last <= records)) throw new ValueError(text("impossible entry", kind));
      found.set(kind, [first, last]);
    } else if (flags & REQUIRED) {
      throw new ValueError(text("unknown entry", kind));
    }
  }
  if (!found.has(PREDICT)) throw new ValueError(text("impossible entry", PREDICT));
  return { init: found.get(INIT) ?? [0, 0], feed: found.get(FEED) ?? [0, 0], predict: found.get(PREDICT) };
}

// Of a file with a feed entry.
function checkSound(data, { feed, predict }, inputs, program) {
  const [{ fields, channels }] = inputs;
  const isWindow = inputs.length === 1 && fields.rank === 1 && fields.element === INT16 && !channels.length;
  const size = isWindow ? fields.shape[0] : 0;
  const isFront = (i) => FRONTS.includes(unpack(HEAD, program, i * RECORD_BYTES).bank);
  const hears = Array.from({ length: Math.max(0, feed[1] - feed[0]) }, (_, i) => feed[0] + i).some(isFront);
  if (data.length !== AUDIO_BYTES || !(hears && feed[1] <= predict[0])) {
    throw new ValueError(text("impossible sound"));
  }
  const { rate, hop, first, every, window, cutoff } = unpack(AUDIO, data);
  if (!rate || !(0 < hop && hop <= size) || !first || !every || !window || !(0 <= cutoff && cutoff <= 1)) {
    throw new ValueError(text("impossible sound"));
  }
}

// Scale and zero point of each channel, by the number of the input.
function readChannels(data, inputs) {
  const found = new Map();
  let least = 0;
  for (let at = 0; at < data.length; ) {
    const { input, count } = at + CHANNELS_BYTES <= data.length ? unpack(CHANNELS, data, at) : { input: 0, count: 0 };
    at += CHANNELS_BYTES;
    const end = at + count * CHANNEL_BYTES;
    if (!(least <= input && input < inputs) || !count || end > data.length) {
      throw new ValueError(text("section size", "CHAN", data.length));
    }
    const pairs = [];
    for (; at < end; at += CHANNEL_BYTES) {
      const { scale, zero_point } = unpack(CHANNEL, data, at);
      pairs.push([scale, zero_point]);
    }
    found.set(input, pairs);
    least = input + 1;
  }
  return found;
}

const isScale = (scale) => SCALE_MIN < scale && scale < SCALE_MAX;

function checkTensor(tensor, arenaBytes) {
  const { rank, shape, flags, element, dtype, offset, bytes, scale, zero_point } = tensor.fields;
  const unit = ELEMENT_BYTES[element];
  if (!(1 <= dtype && dtype <= DTYPES.length) || rank > MAX_RANK || !unit) {
    throw new ValueError(text("unknown dtype", tensor.name));
  }
  const isFloat = element === FLOAT32;
  if (flags > BITS_OF_FLAGS || (flags & TAKES_NAN && !isFloat) || (flags & FUNCTION && !rank)) {
    throw new ValueError(text("impossible function", tensor.name));
  }
  const count = shape.slice(0, rank).reduce((a, b) => a * b, unit);
  const zeros = unit === 1 ? 128 : isFloat ? 1 : 0x8000;
  if (!count || count !== bytes || !(-zeros <= zero_point && zero_point < zeros) || !isScale(scale)) {
    throw new ValueError(text("impossible shape", tensor.name));
  }
  if (offset + bytes > arenaBytes || offset % unit) throw new ValueError(text("tensor outside", tensor.name));
  if (!tensor.channels.length) return;
  const zero = (n) => -CHANNEL_ZEROS <= n && n < CHANNEL_ZEROS;
  if (
    !(element === INT8 || element === INT16) ||
    !rank ||
    tensor.channels.length !== shape[rank - 1] ||
    !tensor.channels.every(([scale, zeroPoint]) => isScale(scale) && zero(zeroPoint))
  ) {
    throw new ValueError(text("impossible channels", tensor.name));
  }
}

// ---- The model.

// Types of elements as the core knows them: the type codes of Python's module array.
const CODES = {
  Int8Array: "b",
  Uint8Array: "B",
  Uint8ClampedArray: "B",
  Int16Array: "h",
  Int32Array: "i",
  Float32Array: "f",
};
const OWN_ARRAYS = { int8: Int8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array };

const kindOf = (value) => (ArrayBuffer.isView(value) ? value[Symbol.toStringTag] : "");
const holdsReals = (value) => kindOf(value) === "Float32Array" || kindOf(value) === "Float64Array";
const typeOf = (value) => kindOf(value) || value?.constructor?.name || String(value);

/** A model input or output: name, shape, size (number of values), dtype, scale, zeroPoint.
 *
 * real value = scale * (q - zeroPoint), q of type dtype: what the source model had there. `element` is the type that
 * the memory holds. channels: [scale, zero point] for each channel of the real values of a reading, where these have
 * their own; else empty. */
class Tensor {
  constructor(name, raw, channels) {
    this.fields = unpack(TENSOR, raw);
    const { rank, shape, scale, zero_point, dtype, element, offset, bytes } = this.fields;
    Object.assign(this, { name, raw, channels, offset, bytes, scale });
    this.dtype = DTYPES[dtype - 1];
    this.element = DTYPES[element - 1];
    this.zeroPoint = zero_point + (this.dtype === "uint8" ? 128 : 0);
    this.shape = shape.slice(0, rank);
    this.size = bytes / ELEMENT_BYTES[element];
    const bank = { int8: "", float32: "_float" }[this.element] ?? "_wide";
    this.encode = `encode${bank}`;
    this.decode = `decode${bank}`;
  }

  /** The value that `index` of a real reading becomes: docs/NUMERICS.md, "Readings". */
  quantized(value, index) {
    if (typeof value !== "number") throw new TypeError(text("number", this.name, index, typeOf(value)));
    if (this.element === "float32") {
      if (Number.isNaN(value) && !(this.fields.flags & TAKES_NAN)) throw new ValueError(text("nan", this.name));
      return value;
    }
    if (this.element === "int32") {
      if (!Number.isInteger(value)) throw new TypeError(text("number", this.name, index, value));
      if (value !== (value | 0)) throw new ValueError(text("large", this.name, index));
      return value;
    }
    const most = this.element === "int8" ? 127 : 32767;
    const [scale, zeroPoint] = this.channels[index % this.channels.length] ?? [this.scale, this.fields.zero_point];
    const x = Math.fround(Math.fround(value) / scale);
    if (Number.isNaN(x)) throw new ValueError(text("nan", this.name));
    const near = Math.max(-FAR, Math.min(FAR, x));
    const q = Math.trunc(near) + Math.trunc(2 * (near - Math.trunc(near))); // halves away from zero
    return Math.max(-most - 1, Math.min(most, q + zeroPoint));
  }
}

/** A model ready to run. Make one with load().
 *
 * inputs, outputs: lists of Tensor. labels: list of strings, empty when the file has none. operators: name, operator
 * and bytes of its output, for each record of a prediction. arenaBytes, weightsBytes: memory. streaming: whether it
 * remembers something between predictions. */
class Model {
  // file: what read() says. instance: of the core, whose memory is this model's.
  constructor(name, file, instance) {
    this.name = name;
    this._file = file;
    this._core = instance.exports;
    const { inputs, outputs, labels, arenaBytes } = file;
    Object.assign(this, { inputs, outputs, labels, arenaBytes });
    this.weightsBytes = file.weights.length;
    this.streaming = file.entries.init[1] > file.entries.init[0];
    // One after the other in the module's memory; readings and results come last.
    let at = this._core.__heap_base.value;
    const reserve = (bytes) => {
      const start = Math.ceil(at / WEIGHT_ALIGNMENT) * WEIGHT_ALIGNMENT;
      at = start + bytes;
      return start;
    };
    this._program = reserve(file.program.length);
    this._descriptors = new Map();
    for (const tensor of [...inputs, ...outputs]) this._descriptors.set(tensor, reserve(TENSOR_BYTES));
    this._weights = reserve(file.weights.length);
    this._arena = reserve(arenaBytes);
    this._staging = reserve(0);
    this._need(this._staging);
    this._bytes(this._program, file.program.length).set(file.program);
    this._bytes(this._weights, file.weights.length).set(file.weights);
    for (const [tensor, start] of this._descriptors) this._bytes(start, TENSOR_BYTES).set(tensor.raw);
    this._accept(this._core.check(this._program, file.program.length, arenaBytes, file.weights.length));
    if (crc32(file.stored) !== file.weightsCrc) throw new ValueError(text("weights crc", name));
    const { feed, predict } = file.entries;
    // The records of a prediction, those of a step of sound before them.
    this._indexes = [feed, predict].flatMap(([first, last]) => Array.from({ length: last - first }, (_, i) => first + i));
    this.operators = this._indexes.map((i) => {
      const { code, output_bytes } = head(file.program, i);
      return { name: file.names[i], operator: OPERATORS[code], bytes: output_bytes };
    });
    this.reset();
  }

  /** Runs the model; returns the output as a list of numbers (a list of lists if there are several outputs).
   *
   * reading: a list (lists may be nested) or Float32Array or Float64Array of real values; an Int8Array, already
   * quantised; a Uint8Array of pixels. Several inputs: a list of readings. Throws ValueError for a wrong length or a NaN,
   * TypeError for a wrong type. */
  predict(reading) {
    const results = this.outputs.map((tensor) => new Float32Array(tensor.size));
    this.predictInto(reading, results.length > 1 ? results : results[0]);
    const lists = results.map((values) => Array.from(values));
    return lists.length > 1 ? lists : lists[0];
  }

  /** Runs the model and writes the output into `out`: a Float32Array for real values, an Int8Array (or what `element`
   * says) for the model's own, a Uint8Array for int8 + 128. Several outputs: a list of them. */
  predictInto(reading, out) {
    this._load(reading);
    this._run(...this._file.entries.predict);
    this._store(out);
  }

  _store(out) {
    const outs = this.outputs.length > 1 ? this._several("outputs", this.outputs, out) : [out];
    this.outputs.forEach((tensor, i) => this._decode(tensor, outs[i]));
  }

  /** Runs the model; returns [label, score] of the largest value of the first output. The label is the class's number
   * where the file has no labels. */
  classify(reading) {
    return this._best(this.predict(reading));
  }

  _best(found) {
    const scores = this.outputs.length > 1 ? found[0] : found;
    const best = scores.reduce((best, score, i) => (score > scores[best] ? i : best), 0);
    return [this.labels[best] ?? best, scores[best]];
  }

  /** Forgets what a streaming model remembers between predictions. */
  reset() {
    this._run(...this._file.entries.init);
  }

  /** Runs the model operator by operator; returns a list of [name, microseconds]. */
  profile(reading) {
    this._load(reading);
    return this._indexes.map((i) => {
      const start = performance.now();
      this._run(i, i + 1);
      return [this._file.names[i], (performance.now() - start) * 1000];
    });
  }

  /** Runs the model on the file's own test input: true, or a ValueError that names the first operator whose output
   * differs from the converter's. Clears the model's state. */
  selftest() {
    const { golden, records, names, entries } = this._file;
    if (!golden.length) throw new ValueError(text("no self-test", this.name));
    const values = new DataView(golden.buffer, golden.byteOffset, golden.length);
    const [first, last] = this._file.sound ? entries.feed : [0, records];
    const crcs = new Uint32Array(records);
    try {
      let x = this._draw(values.getUint32(0, true));
      this._runAndSum(0, last, crcs);
      if (this._file.sound) {
        for (let i = 1; i < FEEDS; i++) {
          x = this._draw(x);
          this._runAndSum(first, last, crcs);
        }
        this._runAndSum(last, records, crcs);
      }
      const differs = crcs.findIndex((crc, i) => crc !== values.getUint32(4 + 4 * i, true));
      if (differs >= 0) throw new ValueError(text("differs", this.name, differs, names[differs]));
    } finally {
      this.reset();
    }
    return true;
  }

  // The next input of the self-test: x goes on.
  _draw(x) {
    const arena = this._bytes(this._arena, this.arenaBytes);
    for (const { offset, bytes } of this.inputs) {
      for (let i = offset; i < offset + bytes; i++) {
        x = (Math.imul(1664525, x) + 1013904223) >>> 0;
        arena[i] = x >>> 24;
      }
    }
    return x;
  }

  // The checksums of operators' outputs go on, too, where they run again.
  _runAndSum(first, last, crcs) {
    for (let i = first; i < last; i++) {
      this._run(i, i + 1);
      const { output, output_bytes } = head(this._file.program, i);
      crcs[i] = crc32(this._bytes(this._arena + output, output_bytes), crcs[i]);
    }
  }

  _bytes(start, length) {
    return new Uint8Array(this._core.memory.buffer, start, length);
  }

  // Makes the memory at least `bytes` long.
  _need(bytes) {
    const missing = bytes - this._core.memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this._core.memory.grow(Math.ceil(missing / PAGE));
    } catch {
      const advice = "close other pages, or use a smaller model";
      throw new MemoryError(`${this.name} needs ${bytes} bytes, which are not to be had here; ${advice}`);
    }
  }

  // Throws the ValueError for a status that check() or run() returned.
  _accept(status) {
    if (!status) return;
    const index = (status >>> 4) - 1;
    let reason = REASONS[(status & 15) - 1];
    if ((status & 15) === BAD_OPERATOR) reason += "; deploy the library, which may be older than the file";
    throw new ValueError(`${this.name}: operator ${index} (${this._file.names[index]}): ${reason}`);
  }

  _run(first, last) {
    const { program, weights } = this._file;
    const whole = [this._program, program.length, first, last, this._arena, this.arenaBytes];
    this._accept(this._core.run(...whole, this._weights, weights.length));
  }

  _several(key, tensors, values) {
    if (!Array.isArray(values) || values.length !== tensors.length) {
      const given = Array.isArray(values) ? `a list of ${values.length}` : typeOf(values);
      throw new ValueError(text(key, tensors.length, given));
    }
    return values;
  }

  _load(reading) {
    const readings = this.inputs.length > 1 ? this._several("inputs", this.inputs, reading) : [reading];
    this.inputs.forEach((tensor, i) => this._encode(tensor, readings[i]));
  }

  // A reading into the place of its input: by the core where it takes it as it is, else number by number.
  _encode(tensor, reading) {
    if (reading instanceof ArrayBuffer) reading = new Uint8Array(reading);
    if (!Array.isArray(reading)) {
      if (!kindOf(reading) || kindOf(reading) === "DataView") {
        throw new TypeError(text("input", tensor.name, tensor.size, typeOf(reading)));
      }
      let status = BAD_PARAMETER;
      if (kindOf(reading) in CODES && !(tensor.channels.length && holdsReals(reading))) {
        this._need(this._staging + reading.byteLength);
        const bytes = new Uint8Array(reading.buffer, reading.byteOffset, reading.byteLength);
        this._bytes(this._staging, bytes.length).set(bytes);
        status = this._core[tensor.encode](
          ...[this._descriptors.get(tensor), TENSOR_BYTES, this._staging, bytes.length],
          ...[CODES[kindOf(reading)].charCodeAt(0), this._arena, this.arenaBytes],
        );
      }
      if (!status) return;
      if (status === BAD_TENSOR) {
        throw new ValueError(text("length", tensor.name, tensor.size, tensor.shape, reading.length));
      }
      if (status === BAD_READING) throw new ValueError(text("nan", tensor.name));
      if (!["int8", "float32"].includes(tensor.element) && reading.BYTES_PER_ELEMENT === 1) {
        throw new TypeError(text("bytes", tensor.name, tensor.element, typeOf(reading)));
      }
    }
    const values = flat(reading, tensor, 0);
    if (values.length !== tensor.size) {
      throw new ValueError(text("length", tensor.name, tensor.size, tensor.shape, values.length));
    }
    const quantized = OWN_ARRAYS[tensor.element].from(values, (value, i) => tensor.quantized(value, i));
    this._bytes(this._arena + tensor.offset, tensor.bytes).set(new Uint8Array(quantized.buffer));
  }

  // An output into a buffer or a list.
  _decode(tensor, out) {
    const values = Array.isArray(out) ? new Float32Array(out.length) : out;
    const code = CODES[kindOf(values)];
    if (code) {
      this._need(this._staging + values.byteLength);
      const status = this._core[tensor.decode](
        ...[this._descriptors.get(tensor), TENSOR_BYTES, this._arena, this.arenaBytes],
        ...[this._staging, values.byteLength, code.charCodeAt(0)],
      );
      if (status === BAD_TENSOR) throw new ValueError(text("out length", tensor.name, tensor.size, out.length));
      if (!status) {
        const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        bytes.set(this._bytes(this._staging, bytes.length));
        const kind = tensor.fields.flags & FUNCTION;
        if (kind && code === "f") applyFunction(kind, tensor.shape.at(-1), values);
        if (values !== out) values.forEach((value, i) => (out[i] = value));
        return;
      }
    }
    const kinds = new Set(["Float32Array", OWN_ARRAYS[tensor.element].name]);
    throw new TypeError(`out is a ${[...kinds].join(", ")} or list, not ${typeOf(out)}`);
  }
}

/** A model that takes int16 samples, as many as there are at a time, and predicts when enough of them have come.
 *
 * rate: samples a second. hop: samples from one frame of features to the next; first: frames before the first prediction;
 * every: from one to the next. cutoff, window: a mean score of `window` predictions above the cutoff is an event; a
 * cutoff of 0 is none. front: the front end's name. */
class AudioModel extends Model {
  constructor(name, file, instance) {
    super(name, file, instance);
    Object.assign(this, file.sound, { front: file.sound.front.replace(/\0+$/, "") });
    this.reset();
  }

  /** Takes samples and computes what is due; returns the newest scores as a list of numbers (a list of lists if there are
   * several outputs), or null if no prediction was due.
   *
   * reading: int16 samples, of any number: an Int16Array, a list, or their bytes. What is left over is kept for the next
   * call. Throws TypeError for anything else, ValueError for half a sample. */
  predict(reading) {
    const results = this.outputs.map((tensor) => new Float32Array(tensor.size));
    if (!this.predictInto(reading, results.length > 1 ? results : results[0])) return null;
    const lists = results.map((values) => Array.from(values));
    return lists.length > 1 ? lists : lists[0];
  }

  /** Takes samples and computes what is due; writes the newest scores into `out`. Returns whether there were any. */
  predictInto(reading, out) {
    return this.predictEach(reading, out, () => {});
  }

  /** The same, and calls each() after every prediction, with its scores in `out`. It must not run the model. */
  predictEach(reading, out, each) {
    const bytes = this._samples(reading);
    let fresh = false;
    for (let at = 0; at < bytes.length; ) {
      at += this._take(bytes.subarray(at));
      if (this._held < this.inputs[0].bytes) break;
      this._run(...this._file.entries.feed);
      this._held -= 2 * this.hop;
      if (--this._left) continue;
      this._left = this.every;
      this._run(...this._file.entries.predict);
      this._store(out);
      fresh = true;
      each();
    }
    return fresh;
  }

  /** Takes samples and computes what is due; returns [label, score] of the newest prediction, or null. */
  classify(reading) {
    const found = this.predict(reading);
    return found && this._best(found);
  }

  /** Runs a step of sound and a prediction operator by operator; returns a list of [name, microseconds]. Forgets all
   * sound. */
  profile(reading) {
    const result = super.profile(reading);
    this.reset();
    return result;
  }

  /** Forgets all sound. */
  reset() {
    super.reset();
    this._held = 0; // bytes of samples that lie in the input
    this._left = this.first; // frames before the next prediction
  }

  // A reading's first samples into the window of sound, for profile().
  _load(reading) {
    const bytes = this._samples(reading);
    this.reset();
    this._take(bytes);
  }

  // As many bytes as have room; returns how many.
  _take(bytes) {
    const taken = bytes.subarray(0, this.inputs[0].bytes - this._held);
    this._bytes(this._arena + this.inputs[0].offset + this._held, taken.length).set(taken);
    this._held += taken.length;
    return taken.length;
  }

  _samples(reading) {
    const { name } = this.inputs[0];
    if (Array.isArray(reading)) {
      const bad = reading.findIndex((value) => !Number.isInteger(value) || value < -32768 || value > 32767);
      if (bad >= 0) throw new ValueError(text("sample", name, reading[bad]));
      reading = Int16Array.from(reading);
    }
    if (reading instanceof ArrayBuffer) reading = new Uint8Array(reading);
    if (kindOf(reading) !== "Int16Array" && kindOf(reading) !== "Uint8Array") {
      throw new TypeError(`input ${name} takes int16 samples: Int16Array, a list or their bytes, not ${typeOf(reading)}`);
    }
    if (reading.byteLength % 2) throw new ValueError(text("half a sample", name, reading.byteLength));
    return new Uint8Array(reading.buffer, reading.byteOffset, reading.byteLength);
  }
}

/** Turns a model's scores into events, once each.
 *
 * options, where they are not what the model's file says, or else 0.8 and 1: `cutoff`, a class begins when the mean of its
 * scores is above; `window`, of so many predictions. `hold`: predictions that a class has to stay at or below the cutoff
 * before it can begin again. */
export class Detector {
  constructor(model, options = {}) {
    this.cutoff = options.cutoff ?? (model.cutoff || 0.8);
    this.window = options.window ?? model.window ?? 1;
    this.hold = options.hold ?? 10;
    if (!(this.window >= 1 && 0 < this.hold && this.hold < 65536)) {
      throw new ValueError(text("detector", this.window, this.hold));
    }
    this._model = model;
    this._outs = model.outputs.map((tensor) => new Float32Array(tensor.size));
    this._clear();
  }

  _clear() {
    this._former = []; // scores of the last predictions
    this._quiet = new Uint16Array(this._outs[0].length).fill(this.hold); // predictions since a class was above the cutoff
  }

  /** Forgets scores and events, and what the model remembers. */
  reset() {
    this._clear();
    this._model.reset();
  }

  /** Runs the model; returns the events as [label, score], in their order: of sound any number, else one or none. The
   * label is the class's number where the file has no labels. */
  detect(reading) {
    const out = this._outs.length > 1 ? this._outs : this._outs[0];
    const events = [];
    const each = () => events.push(this.update(this._outs[0]));
    if (this._model.hop) {
      this._model.predictEach(reading, out, each);
    } else {
      this._model.predictInto(reading, out);
      each();
    }
    return events.filter((event) => event);
  }

  /** Takes the scores of a prediction; returns [label, score] of a class that begins, or null. */
  update(scores) {
    this._former = [...this._former, Array.from(scores)].slice(-this.window);
    if (this._former.length < this.window) return null;
    let best = null;
    for (let i = 0; i < this._quiet.length; i++) {
      const mean = this._former.reduce((sum, row) => sum + row[i], 0) / this.window;
      if (!(mean > this.cutoff)) {
        this._quiet[i] = Math.min(this._quiet[i] + 1, this.hold);
        continue;
      }
      if (this._quiet[i] === this.hold && (!best || mean > best[1])) best = [this._model.labels[i] ?? i, mean];
      this._quiet[i] = 0;
    }
    return best;
  }
}

// The numbers of lists in lists.
function flat(values, tensor, depth) {
  if (depth > MAX_RANK) throw new ValueError(text("nested", tensor.name, depth));
  if (!Array.isArray(values)) return Array.from(values);
  const isList = (value) => Array.isArray(value) || kindOf(value) !== "";
  return values.some(isList)
    ? values.flatMap((value) => (isList(value) ? flat(value, tensor, depth + 1) : [value]))
    : values;
}

// Functions of a model's real outputs, where it ends in floats: device_lib/midge/_functions.py. A Float32Array rounds each
// step.
function applyFunction(kind, depth, values) {
  if (kind === LOGISTIC) {
    for (let i = 0; i < values.length; i++) values[i] = logistic(values[i]);
    return;
  }
  const sum = new Float32Array(1);
  for (let start = 0; start < values.length; start += depth) {
    const row = values.subarray(start, start + depth);
    const top = row.reduce((a, b) => (b > a ? b : a));
    const exponentials = new Float32Array(depth);
    sum[0] = 0;
    for (let i = 0; i < depth; i++) {
      row[i] -= top;
      exponentials[i] = Math.exp(row[i]);
      sum[0] += exponentials[i];
    }
    const logarithm = Math.fround(Math.log(sum[0]));
    for (let i = 0; i < depth; i++) row[i] = kind === SOFTMAX ? exponentials[i] / sum[0] : row[i] - logarithm;
  }
}

function logistic(x) {
  if (x > 16.619047) return 1; // from here on float32 knows 1 only
  if (x < -9) return Math.exp(x);
  return 1 / Math.fround(1 + Math.fround(Math.exp(-x)));
}

// ---- Loading.

const modules = new Map(); // compiled ones, by where they came from

function compiled(core) {
  if (core instanceof WebAssembly.Module) return core;
  const key = typeof core === "string" ? core : String(core);
  if (!modules.has(key)) {
    const module = fetched(core).then((bytes) => WebAssembly.compile(bytes));
    module.catch(() => modules.delete(key)); // the next one may come
    modules.set(key, module);
  }
  return modules.get(key);
}

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Returns a Model from a .midge file.
 *
 * source: a URL, or the file itself as a Blob, an ArrayBuffer or a Uint8Array. options: `name`, what errors call it; `core`,
 * the compiled core as a URL or a WebAssembly.Module, midge.wasm beside this file if there is none.
 *
 * Throws ValueError (what and where) when it is no sound .midge file, MemoryError when it does not fit. */
export async function load(source, options = {}) {
  const isUrl = typeof source === "string" || source instanceof URL;
  const name = options.name ?? (isUrl ? String(source) : (source.name ?? "model"));
  let data = isUrl ? await fetched(source) : source;
  if (data instanceof Blob) data = await data.arrayBuffer();
  if (data instanceof ArrayBuffer) data = new Uint8Array(data);
  const core = await compiled(options.core ?? new URL("./midge.wasm", import.meta.url));
  const instance = await WebAssembly.instantiate(core);
  const version = instance.exports.format();
  if (version !== FORMAT) throw new Error(text("other version", "midge.wasm"));
  const file = read(data, name);
  return new (file.sound ? AudioModel : Model)(name, file, instance);
}
