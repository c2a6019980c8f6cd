# Reads the parts of a .midge file and checks every field: docs/FORMAT.md. A file is not trusted; what it
# says about operators is checked by the backend's check().
#
# In memory only while it is needed (_borrow in __init__.py): what its functions return is data, and refers to
# nothing in here.

import struct
from binascii import crc32

from . import _borrow, _collect
from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: header (host/midge_host/device/spec.py, `make generate`)
FORMAT = 3
_HEADER_BYTES = const(80)
_TENSOR_BYTES = const(40)
_RECORD = const(72)
_MAX_RANK = const(6)
_MAX_WINDOW = const(1048576)
_MAX_ARENA = const(268435456)
_WEIGHT_ALIGNMENT = const(16)
_CRC_FROM = const(16)
_FIRST_EXTRA = const(32)
_BLOCKS_AT = const(2)
_WEIGHTS_AT = const(56)
_BLOCK_BYTES_AT = const(60)
_ELEMENT_AT = const(38)
_ELEMENT_BYTES = {1: 1, 4: 2, 5: 4}
_SCALE_MIN = 1e-30
_SCALE_MAX = 1e30
_HEADER = "<4sHHIIIIIIIIIIIIIIIIHBBHH"
# magic, version, header_bytes, file_bytes, program_crc, weights_crc, weights_offset, weights_bytes, program_offset, tensors_offset, names_offset, names_bytes, labels_offset, labels_bytes, info_offset, info_bytes, golden_offset, arena_bytes, window_bytes, op_count, input_count, output_count, init_count, reserved
_TENSOR = "<IIfiiiBB6HBB"
# offset, bytes, scale, zero_point, pixel_multiplier, pixel_offset, dtype, rank, shape, element, reserved
# generated: end
# generated: dtypes
_DTYPES = ("int8", "uint8", "float32", "int16", "int32")
# generated: end

_ALL = const(0xFFFF)  # the end of an operator's weight blocks, however many there are


def load(path, weights, backend):
    """The parts of a Model: see its __init__."""
    if weights not in ("auto", "ram", "map", "stream"):
        raise ValueError(text("weights", weights))
    asked = backend
    native, backend = _find_backend(asked)
    _collect()
    view = _map(path, weights == "map") if weights in ("auto", "map") else None
    if view is not None:
        weights = "map"
    elif weights == "map":
        raise ValueError(text("not in mapped memory", path))
    crcs, names, _, program, tensors, labels, sizes = _read(path, view)
    arena, start, size, window, first = sizes
    count = len(names)
    modules = (native,)
    extra = any(raw[_ELEMENT_AT] != 1 for _, raw in tensors[0] + tensors[1])
    for i in range(count):
        extra |= program[i * _RECORD] >= _FIRST_EXTRA
    if extra:
        modules = native, _borrow("_modules", "module", backend, asked, FORMAT)
    for _ in range(2):
        status = (
            _borrow("_modules", "check", modules, program, arena, size) if extra else native.check(program, arena, size)
        )
        if not status or view is None:
            break
        # Records are read in words, and a mapped file may begin anywhere.
        program = bytearray(program)
    if status:
        from ._errors import refusal

        raise refusal(path, status, names)
    steps = parts = None
    if view is not None:
        view = view[start:]
    elif weights != "ram" and size > window:
        steps = plan(program, first, count, window)
    if extra:
        parts = plan(program, first, count, 1 << 30)
        for part in parts:
            part[0] = part[1] = 0  # nothing to read
    return modules, backend, path, crcs, program, count, tensors, labels, weights, view, steps, parts, sizes


def names(path, crc):
    """The names of a file's operators. crc: what load() found of it."""
    return _same(path, crc)[1]


def golden(path, crc):
    """What a file holds for the self-test, after a check of its weights."""
    found = _same(path, crc)
    _, start, size, _, _ = found[-1]
    with open(path, "rb") as file:
        if _crc(file, start, start + size) != found[0][1]:
            raise ValueError(text("weights crc", path))
    if not found[2]:
        raise ValueError(text("no self-test", path))
    return found[2]


def plans(program, count, room):
    """plan() for each operator alone."""
    return [plan(program, i, i + 1, room) for i in range(count)]


def plan(program, first, last, room):
    # How operators first..last-1 run with streamed weights, in steps: the weights of several whole operators, or
    # so many weight blocks of one at a time, so many times (negative: in midge_extra), are read and run. See _stream
    # for a step's parts.
    steps = []
    base = size = 0  # of the weights of operators first..i-1, which wait for more
    once = 1
    for i in range(first, last):
        sign = -1 if program[i * _RECORD] >= _FIRST_EXTRA else 1
        if sign != once and first < i:
            steps.append([base, size, None, first, i, 0, _ALL, once])
            first = i
            size = 0
        once = sign
        count = _block_count(program, i)
        if not count:
            continue
        start = _u32(program, i * _RECORD + _WEIGHTS_AT)
        block = _u32(program, i * _RECORD + _BLOCK_BYTES_AT)
        if size and (start != base + size or size + count * block > room):
            steps.append([base, size, None, first, i, 0, _ALL, once])
            first = i
            size = 0
        if not size:
            base = start
        if count * block <= room:
            size += count * block
            continue
        if first < i:
            steps.append([start, 0, None, first, i, 0, _ALL, once])
        most = room // block
        times = count // most
        rest = count % most
        steps.append([start, most * block, None, i, i + 1, 0, most, times * once])
        if rest:
            steps.append([start + (count - rest) * block, rest * block, None, i, i + 1, count - rest, rest, once])
        first = i + 1
        base = start + count * block
    if first < last:
        steps.append([base, size, None, first, last, 0, _ALL, once])
    return steps


def _find_backend(name):
    if name not in ("auto", "native", "portable"):
        raise ValueError(text("backend", name))
    if name != "portable":
        try:
            import midge_native

            if getattr(midge_native, "FORMAT", None) == FORMAT:
                return midge_native, "native"
            problem = text("other version", "midge_native")
        except ImportError:
            problem = None
        except ValueError as error:  # an .mpy for another architecture
            problem = text("does not fit", "midge_native", error)
        if name == "native":
            raise ImportError(problem or text("missing", "midge_native"))
        if problem:
            print(text("portable", problem))
    from . import _portable

    return _portable, "portable"


def _same(path, crc):
    try:
        found = _read(path, None)
    except ValueError:
        found = None
    if not found or found[0][0] != crc:
        raise ValueError(text("file changed", path))
    return found


def _read(path, view):
    # Of a file whose every field was checked: checksums of the program and of the weights, names of the operators,
    # golden values, program, (inputs, outputs), labels, (bytes of the arena, where the weights are, their bytes, bytes
    # of RAM to stream them, the number of records that only set the state). view: the file in mapped memory, if it is
    # there; its program is then used where it lies.
    with open(path, "rb") as file:
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
        weights_crc,
        weights_offset,
        weights_bytes,
        program_offset,
        tensors_offset,
        names_offset,
        names_bytes,
        labels_offset,
        labels_bytes,
        _,
        _,
        golden_offset,
        arena_bytes,
        window_bytes,
        op_count,
        input_count,
        output_count,
        init_count,
        _,
    ) = struct.unpack_from(_HEADER, head)
    if version != FORMAT:
        raise ValueError(text("version", version, FORMAT))
    size = file.seek(0, 2)
    if size != file_bytes or weights_offset + weights_bytes != size:
        raise ValueError(text("size", size, file_bytes))
    if (
        header_bytes != _HEADER_BYTES
        or weights_offset < _HEADER_BYTES
        or weights_offset % _WEIGHT_ALIGNMENT
        or window_bytes > _MAX_WINDOW
        or arena_bytes > _MAX_ARENA
        or init_count > op_count
    ):
        raise ValueError(text("impossible header"))
    if _crc(file, _CRC_FROM, weights_offset) != crc:
        raise ValueError(text("program checksum"))

    def section(offset, size):
        if offset + size > weights_offset:
            raise ValueError(text("section outside"))
        if view is not None:
            return view[offset : offset + size]
        data = bytearray(size)
        file.seek(offset)
        if file.readinto(data) != size:
            raise ValueError(text("read"))
        return data

    def lines(offset, size):
        if not size:
            return []
        try:
            return str(section(offset, size), "utf-8").split("\n")
        except ValueError:  # UnicodeError, where there is one
            raise ValueError(text("utf-8"))

    _collect()
    program = section(program_offset, op_count * _RECORD)
    for i in range(op_count):
        block_bytes = _u32(program, i * _RECORD + _BLOCK_BYTES_AT)
        if _block_count(program, i) and not 0 < block_bytes <= window_bytes:
            raise ValueError(text("impossible block", i))
    count = input_count + output_count
    raw = section(tensors_offset, count * _TENSOR_BYTES)
    names = lines(names_offset, names_bytes)
    if len(names) != count + op_count or not input_count or not output_count:
        raise ValueError(text("count of names", len(names)))
    tensors = []
    for i in range(count):
        tensors.append((names[i], raw[i * _TENSOR_BYTES : (i + 1) * _TENSOR_BYTES]))
        _check_tensor(*tensors[i], arena_bytes)
    tensors = tensors[:input_count], tensors[input_count:]
    labels = lines(labels_offset, labels_bytes)
    golden = section(golden_offset, 4 + 4 * op_count) if golden_offset else None
    sizes = arena_bytes, weights_offset, weights_bytes, window_bytes, init_count
    return (crc, weights_crc), names[count:], golden, program, tensors, labels, sizes


def _check_tensor(name, raw, arena_bytes):
    fields = struct.unpack_from(_TENSOR, raw)
    offset, size, scale, zero_point, _, _, dtype, rank = fields[:8]
    unit = _ELEMENT_BYTES.get(fields[14])
    if not 1 <= dtype <= len(_DTYPES) or rank > _MAX_RANK or not unit:
        raise ValueError(text("unknown dtype", name))
    count = unit
    for n in fields[8 : 8 + rank]:
        count *= n
    zeros = 128 if unit == 1 else 0x8000
    if not count or count != size or not -zeros <= zero_point < zeros or not _SCALE_MIN < scale < _SCALE_MAX:
        raise ValueError(text("impossible shape", name))
    if offset + size > arena_bytes or offset % unit:
        raise ValueError(text("tensor outside", name))


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


def _map(path, asked):
    # A view of the file where it already is in addressable memory; None elsewhere.
    file = open(path, "rb")
    try:
        return memoryview(file)
    except TypeError:
        file.close()
    if asked:
        return _map_file(path)
    return None


def _map_file(path):
    # A view of a file where the operating system can map it, else None.
    try:
        import mmap
    except ImportError:
        return None
    with open(path, "rb") as file:
        try:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:  # an empty file
            return memoryview(b"")
