# Reads the parts of a .midge file and checks every field: docs/FORMAT.md. A file is not trusted; what it
# says about operators is checked by the backend's check().
#
# In memory only while it is needed (_borrow in __init__.py): what its functions return is data, and refers to
# nothing in here.

import struct
import sys
from binascii import crc32

from . import _borrow, _collect
from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: header (host/midge_host/device/spec.py, `make generate`)
FORMAT = 4
_POINTER_MAGIC = const(b"MIDP")
_HEADER_BYTES = const(28)
_SECTION_BYTES = const(20)
_TENSOR_BYTES = const(40)
_ENTRY_BYTES = const(8)
_PIECE_BYTES = const(16)
_CHANNELS_BYTES = const(4)
_CHANNEL_BYTES = const(8)
_RECORD = const(72)
_MAX_RANK = const(6)
_MAX_WINDOW = const(1048576)
_MAX_ARENA = const(268435456)
_MAX_SECTIONS = const(64)
_MAX_RECORDS = const(65535)
_SECTION_ALIGNMENT = const(4)
_WEIGHT_ALIGNMENT = const(16)
_BLOCK_ALIGNMENT = const(4)
_CRC_FROM = const(16)
_REQUIRED = const(1)
_OVERLAPS = const(128)
_RAW = const(0)
_CODED = const(1)
_INIT = const(1)
_FEED = const(2)
_PREDICT = const(3)
_CHANNEL_ZEROS = const(4194304)
_INT8 = const(1)
_FLOAT32 = const(3)
_INT16 = const(4)
_BANK_COUNT = const(9)
_CORE = const(0)
_WIDE = const(2)
_TREES = const(5)
_BAD_OPERATOR = const(1)
_BANK_AT = const(1)
_FLAGS_AT = const(3)
_BLOCKS_AT = const(4)
_WEIGHTS_AT = const(56)
_BLOCK_BYTES_AT = const(60)
_ELEMENT_AT = const(38)
_NEEDED = const((b"TENS", b"PROG", b"ENTR", b"WDIR", b"WGHT"))
_OTHERS = const((b"CHAN", b"AUDI", b"LERN", b"DETE", b"CODE", b"OVER", b"ROWS", b"GOLD", b"NAME", b"LABL", b"INFO"))
_FUNCTION = const(3)
_TAKES_NAN = const(4)
_ELEMENT_BYTES = {1: 1, 4: 2, 5: 4, 3: 4}
_SCALE_MIN = const(1e-30)
_SCALE_MAX = const(1e30)
_HEADER = const("<4sHHIIIIBBH")
# magic, version, header_bytes, file_bytes, crc, arena_bytes, window_bytes, input_count, output_count, section_count
_SECTION = const("<4sIIII")
# tag, flags, offset, bytes, crc
_TENSOR = const("<IIfiiiBB6HBB")
# offset, bytes, scale, zero_point, pixel_multiplier, pixel_offset, dtype, rank, shape, element, flags
_ENTRY = const("<HHHH")
# kind, flags, first, last
_PIECE = const("<IIII")
# offset, stored_bytes, bytes, encoding
_CHANNELS = const("<HH")
# input, count
_CHANNEL = const("<fi")
# scale, zero_point
# generated: end
# generated: dtypes
_DTYPES = ("int8", "uint8", "float32", "int16", "int32")
# generated: end

_ALL = const(0xFFFF)  # the end of an operator's weight blocks, however many there are


def load(path, weights, backend, cores):
    """The parts of a Model, see its __init__; where its class is, and what that takes besides: module, name, rest."""
    if weights not in ("auto", "ram", "map", "stream"):
        raise ValueError(text("weights", weights))
    if backend not in ("auto", "native", "portable"):
        raise ValueError(text("backend", backend))
    if cores not in (1, 2):
        raise ValueError(text("cores", cores))
    core = None if backend == "portable" else module("midge_core", backend)
    native = core and module
    if core is None:
        __import__("midge._portable")
        core = sys.modules["midge._portable"]
    _collect()
    view = _map(path, weights)
    if view is not None:
        weights = "map"
    elif weights == "map":
        raise ValueError(text("not in mapped memory", path))
    crcs, names, _, program, tensors, labels, sound, rows, (directory, code, _), sizes = _read(path, view)
    arena, start, size, window, _, _, first, last = sizes
    if sound:
        sound = _borrow("_feed", "check", path, *sound, first, tensors[0], program, window, plan)
    needed = _banks(path, program, names, tensors[1] if sound else tensors[0] + tensors[1])
    modules = [core]
    if any(needed):
        modules = _borrow("_modules", "load", core, needed, backend, native)
    _collect()
    for _ in range(2):
        status = (
            _borrow("_modules", "check", modules, program, arena, size)
            if len(modules) > 1
            else core.check(program, arena, size)
        )
        if not status or view is None:
            break
        # Records are read in words, and a mapped file may begin anywhere.
        program = bytearray(program)
    if status:
        from ._errors import refusal

        raise refusal(path, status, names)
    if rows:
        try:
            if sound:
                raise ValueError(text("impossible turns"))
            raws = [raw for _, raw, _ in tensors[0]]
            rows = _borrow("_region", "check", rows, program, first, last, raws, arena, window)
        except ValueError as error:
            raise ValueError("%s: %s" % (path, error))
        first = rows[2]
        sizes = sizes[:-2] + (first, last)
    steps = coded = None
    if code:
        coded = _coded(path, start, directory, code, native, backend, view is not None)
        if view is not None:  # coded weights cannot be used in place
            view = None
            weights = "auto"
    if view is not None:
        view = view[start : start + size]
    elif weights != "ram" and size > window:
        steps = plan(program, first, last, window)
    # With all weights at hand one call runs neighbouring records of a bank.
    parts = plan(program, first, last, 1 << 30)
    for part in parts:
        part[0] = 0  # where the weights at hand begin
    backend = "native" if native else "portable"
    parts = modules, backend, path, crcs, program, tensors, labels, weights, view, coded, steps, parts, sizes
    if sound:
        return parts, ("_audio", "AudioModel", sound)
    return parts, (("_rows", "RowModel", rows) if rows else ("_model", "Model"))


def _coded(path, start, directory, code, native, backend, mapped):
    # What reads the weights of a file with coded pieces. mapped: the file, or what it points to, is in memory.
    decoder = native and native("midge_packed", backend)
    if decoder is None:
        __import__("midge._portable_packed")
        decoder = sys.modules["midge._portable_packed"]
    _collect()
    from ._coded import Weights

    return Weights(path, start, directory, code, decoder, _open(path) if mapped else None)


def _banks(path, program, names, inputs):
    # A byte for each bank beside the core, which is always there: whether the model needs it.
    needed = bytearray(_BANK_COUNT)
    for _, raw, _ in inputs:
        if raw[_ELEMENT_AT] != _INT8:
            needed[_TREES if raw[_ELEMENT_AT] == _FLOAT32 else _WIDE] = 1
    for i in range(len(names)):
        bank = program[i * _RECORD + _BANK_AT]
        if bank >= _BANK_COUNT:
            from ._errors import refusal

            raise refusal(path, (i + 1) * 16 + _BAD_OPERATOR, names)
        needed[bank] = bank != _CORE
    return needed


def module(name, backend):
    """A native module; where it is not to be had an ImportError for backend "native", else None."""
    try:
        found = sys.modules.get(name) or _borrow("_native", "load", name)
        if getattr(found, "FORMAT", None) == FORMAT:
            return found
        problem = text("other version", name)
    except ImportError:
        problem = text("missing", name)
        if backend == "auto" and name == "midge_core":
            return None  # without any native module nobody expects one
    except ValueError as error:  # an .mpy for another architecture, or firmware that takes none
        problem = text("does not fit", name, error)
    if backend == "native":
        raise ImportError(problem)
    print(text("portable", problem))
    return None


def names(path, crc):
    """The names of a file's operators. crc: what load() found of it."""
    return _same(path, crc)[1]


def section(path, crc, tag):
    """A section of the file, empty if there is none."""
    with _open(path) as file:
        head = bytearray(_HEADER_BYTES)
        file.readinto(head)
        fields = struct.unpack_from(_HEADER, head)
        try:
            places = _sections(file, file.seek(0, 2), fields[-1], crc)
        except ValueError:
            raise ValueError(text("file changed", path))
        start, size, _ = places.get(tag, (0, 0, 0))
        data = bytearray(size)
        file.seek(start)
        file.readinto(data)
        return data


def golden(path, crc):
    """The file's section for the self-test, after a check of its weights."""
    found = _same(path, crc)
    start, size = found[-1][1], found[-2][2]
    with _open(path) as file:
        if _crc(file, start, start + size) != found[0][1]:
            raise ValueError(text("weights crc", path))
    if not found[2]:
        raise ValueError(text("no self-test", path))
    return found[2]


def plans(program, first, last, room):
    """plan() for each operator alone."""
    return [plan(program, i, i + 1, room) for i in range(first, last)]


def plan(program, first, last, room):
    # How operators first..last-1 run with streamed weights, in steps: the weights of several whole operators of one
    # bank, or so many weight blocks of one operator at a time, so many times, are read and run. See _stream for a
    # step's parts.
    steps = []
    base = size = 0  # of the weights of operators first..i-1, which wait for more
    bank = program[first * _RECORD + _BANK_AT] if first < last else 0
    for i in range(first, last):
        former = bank
        bank = program[i * _RECORD + _BANK_AT]
        if bank != former and first < i:
            steps.append([base, size, first, i, 0, _ALL, 1, former])
            first = i
            size = 0
        count = _block_count(program, i)
        if not count:
            continue
        start = _u32(program, i * _RECORD + _WEIGHTS_AT)
        block = _u32(program, i * _RECORD + _BLOCK_BYTES_AT)
        if size and (start != base + size or size + count * block > room):
            steps.append([base, size, first, i, 0, _ALL, 1, bank])
            first = i
            size = 0
        if not size:
            base = start
        if count * block <= room:
            size += count * block
            continue
        if first < i:
            steps.append([start, 0, first, i, 0, _ALL, 1, bank])
        most = room // block
        times = count // most
        rest = count % most
        steps.append([start, most * block, i, i + 1, 0, most, times, bank])
        if rest:
            steps.append([start + (count - rest) * block, rest * block, i, i + 1, count - rest, rest, 1, bank])
        first = i + 1
        base = start + count * block
    if first < last:
        steps.append([base, size, first, last, 0, _ALL, 1, bank])
    return steps


def _same(path, crc):
    try:
        found = _read(path, None)
    except ValueError:
        found = None
    if not found or found[0][0] != crc:
        raise ValueError(text("file changed", path))
    return found


def _read(path, view):
    # Of a file whose every field was checked: checksums of its directory and of the weights, names of the operators,
    # golden values, program, (inputs, outputs), labels, (bytes of the arena, where the weights are, their bytes, bytes
    # of RAM to stream them, first and last record of init, of predict). Before the last: the section AUDI, (first,
    # last record of feed), not checked; or None; the section ROWS, not checked, empty where there is none. Then of the
    # weights the sections WDIR and CODE and their stored bytes. view: the file in mapped memory, if it is
    # there; its program is then used where it lies.
    with _open(path) as file:
        try:
            return _contents(file, view)
        except ValueError as error:
            raise ValueError("%s: %s" % (path, error))


def _contents(file, view):
    head = bytearray(_HEADER_BYTES)
    if file.readinto(head) != _HEADER_BYTES or head[:4] != b"MIDG":
        raise ValueError(text("not a midge file"))
    (
        _,
        version,
        header_bytes,
        file_bytes,
        crc,
        arena_bytes,
        window_bytes,
        input_count,
        output_count,
        section_count,
    ) = struct.unpack_from(_HEADER, head)
    if version != FORMAT:
        raise ValueError(text("version" if version < FORMAT else "newer", version, FORMAT))
    size = file.seek(0, 2)
    if size != file_bytes:
        raise ValueError(text("size", size, file_bytes))
    if (
        header_bytes != _HEADER_BYTES
        or window_bytes > _MAX_WINDOW
        or arena_bytes > _MAX_ARENA
        or not 0 < section_count <= _MAX_SECTIONS
        or _HEADER_BYTES + section_count * _SECTION_BYTES > size
    ):
        raise ValueError(text("impossible header"))
    places = _sections(file, size, section_count, crc)

    def section(name, size=1):
        # A section, which is made of parts of a size.
        start, total, _ = places.get(name, (0, 0, 0))
        if total % size:
            raise ValueError(text("section size", name, total))
        if view is not None:
            return view[start : start + total]
        data = bytearray(total)
        file.seek(start)
        if file.readinto(data) != total:
            raise ValueError(text("read"))
        return data

    def lines(name):
        try:
            data = str(section(name), "utf-8")
        except ValueError:  # UnicodeError, where there is one
            raise ValueError(text("utf-8"))
        return data.split("\n") if data else []

    _collect()
    program = section(b"PROG", _RECORD)
    op_count = len(program) // _RECORD
    if op_count > _MAX_RECORDS:
        raise ValueError(text("section size", b"PROG", len(program)))
    weights_at, stored_bytes, weights_crc = places[b"WGHT"]
    directory = section(b"WDIR", _PIECE_BYTES)
    code = section(b"CODE")
    weights_bytes = _check_weights(directory, stored_bytes, code, program, op_count, window_bytes)
    if b"OVER" in places or any(program[i * _RECORD + _FLAGS_AT] & _OVERLAPS for i in range(op_count)):
        _borrow("_overlap", "check", section(b"OVER", 2), program)
    entries = _entries(section(b"ENTR", _ENTRY_BYTES), op_count)
    count = input_count + output_count
    raw = section(b"TENS")
    if len(raw) != count * _TENSOR_BYTES or not input_count or not output_count:
        raise ValueError(text("section size", b"TENS", len(raw)))
    names = lines(b"NAME") or ["%d" % i for i in range(count + op_count)]
    if len(names) != count + op_count:
        raise ValueError(text("count of names", len(names)))
    channels = _channels(section(b"CHAN"), input_count)
    rows = section(b"ROWS")
    tensors = []
    for i in range(count):
        tensors.append((names[i], raw[i * _TENSOR_BYTES : (i + 1) * _TENSOR_BYTES], channels.get(i, b"")))
        _check_tensor(*tensors[i], arena_bytes if i or not rows else _MAX_ARENA)
    tensors = tensors[:input_count], tensors[input_count:]
    golden = section(b"GOLD")
    if golden and len(golden) != 4 + 4 * op_count:
        raise ValueError(text("section size", b"GOLD", len(golden)))
    feed = entries[2:4]
    sound = (section(b"AUDI"), feed) if b"AUDI" in places or feed[0] < feed[1] else None
    sizes = (arena_bytes, weights_at, weights_bytes, window_bytes) + entries[:2] + entries[4:]
    stored = directory, code, stored_bytes
    return (crc, weights_crc), names[count:], golden, program, tensors, lines(b"LABL"), sound, rows, stored, sizes


def _sections(file, size, count, crc):
    # Where the sections lie: {tag: (start, bytes, checksum)}.
    end = _HEADER_BYTES + count * _SECTION_BYTES
    if _crc(file, _CRC_FROM, end) != crc:
        raise ValueError(text("program checksum"))
    file.seek(_HEADER_BYTES)
    directory = file.read(count * _SECTION_BYTES)
    places = {}
    for i in range(count):
        tag, flags, start, length, crc = struct.unpack_from(_SECTION, directory, i * _SECTION_BYTES)
        is_weights = tag == b"WGHT"
        unit = _WEIGHT_ALIGNMENT if is_weights else _SECTION_ALIGNMENT
        if tag in places or start < end or start % unit or start + length > size:
            raise ValueError(text("section outside", tag))
        end = start + length
        places[tag] = start, length, crc
        if not is_weights and _crc(file, start, end) != crc:
            raise ValueError(text("program checksum"))
        if flags & _REQUIRED and tag not in _NEEDED and tag not in _OTHERS:
            raise ValueError(text("unknown section", tag))
    for tag in _NEEDED:
        if tag not in places:
            raise ValueError(text("no such section", tag))
    return places


def _check_weights(raw, size, code, program, count, room):
    # Returns the bytes of the decoded weights.
    ends = {}
    end = stored_end = 0
    for at in range(0, len(raw), _PIECE_BYTES):
        offset, stored, decoded, encoding = struct.unpack_from(_PIECE, raw, at)
        if encoding != _RAW and (encoding != _CODED or not code):
            raise ValueError(text("encoding", encoding))
        if (
            offset != -(-stored_end // _BLOCK_ALIGNMENT) * _BLOCK_ALIGNMENT
            or not decoded
            or decoded % _BLOCK_ALIGNMENT
            or (encoding == _RAW and stored != decoded)
            or not 0 < stored <= decoded
        ):
            raise ValueError(text("impossible piece", at // _PIECE_BYTES))
        stored_end = offset + stored
        ends[end] = end + decoded
        end += decoded
    if stored_end != size:
        raise ValueError(text("section size", b"WGHT", size))
    for i in range(count):
        blocks = _block_count(program, i)
        block_bytes = _u32(program, i * _RECORD + _BLOCK_BYTES_AT)
        start = _u32(program, i * _RECORD + _WEIGHTS_AT)
        if blocks and not (0 < block_bytes <= room and start + blocks * block_bytes <= ends.get(start, 0)):
            raise ValueError(text("impossible block", i))
    return end


def _entries(raw, count):
    # First and last record of init, then of feed and of predict.
    found = {}
    for at in range(0, len(raw), _ENTRY_BYTES):
        kind, flags, first, last = struct.unpack_from(_ENTRY, raw, at)
        if kind in (_INIT, _FEED, _PREDICT):
            if kind in found or not first <= last <= count:
                raise ValueError(text("impossible entry", kind))
            found[kind] = first, last
        elif flags & _REQUIRED:
            raise ValueError(text("unknown entry", kind))
    if _PREDICT not in found:
        raise ValueError(text("impossible entry", _PREDICT))
    return found.get(_INIT, (0, 0)) + found.get(_FEED, (0, 0)) + found[_PREDICT]


def _channels(data, count):
    # {number of an input: its channels}.
    found = {}
    least = at = 0
    while at < len(data):
        index = channels = 0
        if at + _CHANNELS_BYTES <= len(data):
            index, channels = struct.unpack_from(_CHANNELS, data, at)
        at += _CHANNELS_BYTES
        end = at + channels * _CHANNEL_BYTES
        if not least <= index < count or not channels or end > len(data):
            raise ValueError(text("section size", b"CHAN", len(data)))
        found[index] = data[at:end]
        at = end
        least = index + 1
    return found


def _check_tensor(name, raw, channels, arena_bytes):
    fields = struct.unpack_from(_TENSOR, raw)
    offset, size, scale, zero_point, _, _, dtype, rank = fields[:8]
    unit = _ELEMENT_BYTES.get(fields[14])
    if not 1 <= dtype <= len(_DTYPES) or rank > _MAX_RANK or not unit:
        raise ValueError(text("unknown dtype", name))
    if (
        fields[15] > _FUNCTION | _TAKES_NAN
        or fields[15] & _TAKES_NAN
        and fields[14] != _FLOAT32
        or fields[15] & _FUNCTION
        and not rank
    ):
        raise ValueError(text("impossible function", name))
    count = unit
    for n in fields[8 : 8 + rank]:
        count *= n
    zeros = 128 if unit == 1 else 1 if fields[14] == _FLOAT32 else 0x8000
    if not count or count != size or not -zeros <= zero_point < zeros or not _SCALE_MIN < scale < _SCALE_MAX:
        raise ValueError(text("impossible shape", name))
    if offset + size > arena_bytes or offset % unit:
        raise ValueError(text("tensor outside", name))
    if not channels:
        return
    if fields[14] not in (_INT8, _INT16) or not rank or len(channels) != fields[7 + rank] * _CHANNEL_BYTES:
        raise ValueError(text("impossible channels", name))
    for at in range(0, len(channels), _CHANNEL_BYTES):
        scale, zero_point = struct.unpack_from(_CHANNEL, channels, at)
        if not _SCALE_MIN < scale < _SCALE_MAX or not -_CHANNEL_ZEROS <= zero_point < _CHANNEL_ZEROS:
            raise ValueError(text("impossible channels", name))


def _block_count(program, index):
    # An operator's number of weight blocks; 0 for one without weights.
    at = index * _RECORD + _BLOCKS_AT
    return program[at] | program[at + 1] << 8


def _u32(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def _crc(file, start, end):
    chunk = bytearray(256)
    view = memoryview(chunk)
    file.seek(start)
    value = 0
    while start < end:
        n = file.readinto(view[: min(256, end - start)])
        if not n:
            raise ValueError(text("read"))
        value = crc32(view[:n], value)
        start += n
    return value & 0xFFFFFFFF


def _open(path):
    # The file, or what it points to.
    try:
        file = open(path, "rb")
    except OSError as error:  # MicroPython's does not say which file
        if str(path) in str(error):
            raise
        raise OSError(error.errno, "%s" % path)
    if file.read(4) == _POINTER_MAGIC:
        with file:
            return _borrow("_flash", "follow", path, file)
    file.seek(0)
    return file


def _map(path, weights):
    # A view of the file where it already is in addressable memory; None elsewhere, and where the weights are to be copied.
    file = _open(path)
    if hasattr(file, "whole"):  # in flash, where alone the model is
        return file.whole()
    if weights not in ("auto", "map"):
        file.close()
        return None
    try:
        return memoryview(file)
    except TypeError:
        file.close()
    if weights == "map":
        from ._mmap import map_file

        return map_file(path)
    return None
