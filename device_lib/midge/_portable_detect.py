# The portable twin of midge_detect: finds things in what a prediction left in the arena. docs/NUMERICS.md, "Finding
# things".

import struct
from array import array

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_OK = const(0)
_SCORE = const(0)  # of a candidate in `found`
_CLASS = const(1)
_X = const(2)
_Y = const(3)
_WIDTH = const(4)
_HEIGHT = const(5)
_KEYPOINTS = const(6)
_MOST_PLACE = const(32767)
_ZERO = const(128)  # of a table: the place of int8's 0
# generated: detect (host/midge_host/device/detection.py, `make generate`)
_BAD_TENSOR = const(2)
_BAD_PARAMETER = const(4)
_AVERAGE = const(2)
_MERGE = const(3)
_TABLE = const(256)
_DETECT_BYTES = const(20)
_DETECT_LAYOUT = "<HHHHHHHHHH"
_DETECT_GRIDS = const(0)
_DETECT_ANCHORS = const(1)
_DETECT_TABLES = const(2)
_DETECT_MOST = const(3)
_DETECT_KEYPOINTS = const(4)
_DETECT_MODE = const(5)
_DETECT_APART = const(6)
_DETECT_OVERLAP = const(7)
_DETECT_LEAST = const(8)
_GRID_BYTES = const(72)
_GRID_LAYOUT = "<IIIIIIIIIIHHHHHHHHHhBBBBBBBBBBBB"
_GRID_SCORES = const(0)
_GRID_OBJECTNESS = const(1)
_GRID_X = const(2)
_GRID_Y = const(3)
_GRID_WIDTH = const(4)
_GRID_HEIGHT = const(5)
_GRID_KEYPOINT_X = const(6)
_GRID_KEYPOINT_Y = const(7)
_GRID_ORIGIN_X = const(8)
_GRID_ORIGIN_Y = const(9)
_GRID_STRIDE_X = const(10)
_GRID_STRIDE_Y = const(11)
_GRID_SCORE_STEP = const(12)
_GRID_CLASS_STEP = const(13)
_GRID_BOX_STEP = const(14)
_GRID_KEYPOINT_STEP = const(15)
_GRID_COLUMNS = const(16)
_GRID_LAST = const(17)
_GRID_FIRST_ANCHOR = const(18)
_GRID_THRESHOLD = const(19)
_GRID_ROWS = const(20)
_GRID_ANCHORS = const(21)
_GRID_LAST_CLASS = const(22)
_GRID_LAST_KEYPOINT = const(23)
_GRID_HAS_OBJECTNESS = const(24)
_GRID_HAS_BOX = const(25)
_GRID_SCORE_TABLE = const(26)
_GRID_POSITION_TABLE = const(27)
_GRID_SIZE_TABLE = const(28)
_GRID_POSITION_SHIFT = const(29)
_GRID_SIZE_SHIFT = const(30)
_ANCHOR_BYTES = const(8)
_ANCHOR_LAYOUT = "<hhhh"


# fmt: off
def _check_detect(op, arena_bytes):
    if (
        not 1 <= op[_DETECT_GRIDS] <= 16
        or not 1 <= op[_DETECT_ANCHORS] <= 256
        or not 1 <= op[_DETECT_TABLES] <= 48
        or not 1 <= op[_DETECT_MOST] <= 255
        or op[_DETECT_KEYPOINTS] > 32
        or not 1 <= op[_DETECT_MODE] <= 3
        or op[_DETECT_OVERLAP] > 32768
        or not 1 <= op[_DETECT_LEAST] <= 32767
    ):
        return _BAD_PARAMETER
    return _OK


def _check_grid(op, arena_bytes):
    if (
        op[_GRID_LAST] > 16383
        or op[_GRID_COLUMNS] * op[_GRID_ROWS] * op[_GRID_ANCHORS] != (op[_GRID_LAST] + 1)
        or op[_GRID_LAST_CLASS] > 254
        or op[_GRID_LAST_KEYPOINT] > 31
        or op[_GRID_COLUMNS] * op[_GRID_STRIDE_X] > 16777216
        or op[_GRID_ROWS] * op[_GRID_STRIDE_Y] > 16777216
        or op[_GRID_ORIGIN_X] > 16777216
        or op[_GRID_ORIGIN_Y] > 16777216
        or op[_GRID_POSITION_SHIFT] > 15
        or op[_GRID_SIZE_SHIFT] > 15
    ):
        return _BAD_PARAMETER
    if (
        op[_GRID_SCORES] + (1 + op[_GRID_LAST] * op[_GRID_SCORE_STEP] + op[_GRID_LAST_CLASS] * op[_GRID_CLASS_STEP]) > arena_bytes
    ):
        return _BAD_TENSOR
    if op[_GRID_HAS_OBJECTNESS]:
        if op[_GRID_OBJECTNESS] + (1 + op[_GRID_LAST] * op[_GRID_SCORE_STEP]) > arena_bytes:
            return _BAD_TENSOR
    if op[_GRID_HAS_BOX]:
        if (
            op[_GRID_X] + (1 + op[_GRID_LAST] * op[_GRID_BOX_STEP]) > arena_bytes
            or op[_GRID_Y] + (1 + op[_GRID_LAST] * op[_GRID_BOX_STEP]) > arena_bytes
            or op[_GRID_WIDTH] + (1 + op[_GRID_LAST] * op[_GRID_BOX_STEP]) > arena_bytes
            or op[_GRID_HEIGHT] + (1 + op[_GRID_LAST] * op[_GRID_BOX_STEP]) > arena_bytes
        ):
            return _BAD_TENSOR
        if (
            op[_GRID_KEYPOINT_X] + (1 + op[_GRID_LAST] * op[_GRID_BOX_STEP] + op[_GRID_LAST_KEYPOINT] * op[_GRID_KEYPOINT_STEP]) > arena_bytes
            or op[_GRID_KEYPOINT_Y] + (1 + op[_GRID_LAST] * op[_GRID_BOX_STEP] + op[_GRID_LAST_KEYPOINT] * op[_GRID_KEYPOINT_STEP]) > arena_bytes
        ):
            return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


def find(section, arena, found, order):
    """Finds things: their candidates in `found`, an array of int16 [most][6 + 2 * keypoints], and their order in a
    bytearray [1 + most]: how many, and their numbers. Returns 0, or why the section is refused."""
    if len(section) < _DETECT_BYTES:
        return _BAD_PARAMETER
    facts = struct.unpack_from(_DETECT_LAYOUT, section)
    if _check_detect(facts, len(arena)):
        return _BAD_PARAMETER
    anchors_at = _DETECT_BYTES + facts[_DETECT_GRIDS] * _GRID_BYTES
    tables_at = anchors_at + facts[_DETECT_ANCHORS] * _ANCHOR_BYTES
    if len(section) != tables_at + facts[_DETECT_TABLES] * 2 * _TABLE:
        return _BAD_PARAMETER
    grids = []
    for at in range(_DETECT_BYTES, anchors_at, _GRID_BYTES):
        grid = struct.unpack_from(_GRID_LAYOUT, section, at)
        reason = _check_grid(grid, len(arena))
        if reason:
            return reason
        tables = (grid[_GRID_SCORE_TABLE], grid[_GRID_POSITION_TABLE], grid[_GRID_SIZE_TABLE])
        if (
            grid[_GRID_FIRST_ANCHOR] + grid[_GRID_ANCHORS] > facts[_DETECT_ANCHORS]
            or max(tables) >= facts[_DETECT_TABLES]
            or facts[_DETECT_KEYPOINTS]
            and (not grid[_GRID_HAS_BOX] or grid[_GRID_LAST_KEYPOINT] + 1 != facts[_DETECT_KEYPOINTS])
        ):
            return _BAD_PARAMETER
        grids.append(grid)
    size = _KEYPOINTS + 2 * facts[_DETECT_KEYPOINTS]
    if len(found) != facts[_DETECT_MOST] * size or len(order) != 1 + facts[_DETECT_MOST]:
        return _BAD_PARAMETER
    anchors = array("h", bytes(section[anchors_at:tables_at]))
    tables = array("h", bytes(section[tables_at:]))
    order[0] = 0
    for grid in grids:
        _scan(facts, grid, anchors, tables, arena, found, order, size)
    _join(facts, found, order, size)
    return _OK


def _scan(facts, grid, anchors, tables, arena, found, order, size):
    scores = grid[_GRID_SCORE_TABLE] * _TABLE + _ZERO
    has_objectness = grid[_GRID_HAS_OBJECTNESS]
    threshold = grid[_GRID_THRESHOLD]
    step = grid[_GRID_CLASS_STEP]
    at = grid[_GRID_SCORES]
    objectness = grid[_GRID_OBJECTNESS] if has_objectness else at
    n = 0
    for row in range(grid[_GRID_ROWS]):
        for column in range(grid[_GRID_COLUMNS]):
            for a in range(grid[_GRID_FIRST_ANCHOR], grid[_GRID_FIRST_ANCHOR] + grid[_GRID_ANCHORS]):
                value = best = _signed(arena[objectness])
                c = 0
                if not has_objectness or value >= threshold:
                    best = _signed(arena[at])
                    for i in range(1, grid[_GRID_LAST_CLASS] + 1):
                        other = _signed(arena[at + i * step])
                        if other > best:
                            best = other
                            c = i
                if (value if has_objectness else best) >= threshold:
                    score = tables[scores + best]
                    if has_objectness:
                        score = score * tables[scores + value] >> 15
                    if score >= facts[_DETECT_LEAST]:
                        made = _place(found, order, size, facts[_DETECT_MOST], score)
                        if made >= 0:
                            found[made + _CLASS] = c
                            x = min((column * grid[_GRID_STRIDE_X] + grid[_GRID_ORIGIN_X]) >> 4, _MOST_PLACE)
                            y = min((row * grid[_GRID_STRIDE_Y] + grid[_GRID_ORIGIN_Y]) >> 4, _MOST_PLACE)
                            base = n * grid[_GRID_BOX_STEP]
                            _decode(facts, grid, anchors, 4 * a, tables, arena, base, x, y, found, made)
                n += 1
                at += grid[_GRID_SCORE_STEP]
                objectness += grid[_GRID_SCORE_STEP]


def _place(found, order, size, most, score):
    # Room for a candidate in the order of scores, behind those of the same; -1 where there are enough better ones.
    slot = count = order[0]
    if count == most:
        slot = order[count]
        count -= 1
        if found[slot * size] >= score:
            return -1
    order[0] = count + 1
    while count and found[order[count] * size] < score:
        order[count + 1] = order[count]
        count -= 1
    order[count + 1] = slot
    found[slot * size] = score
    return slot * size


def _decode(facts, grid, anchors, anchor, tables, arena, base, x, y, found, made):
    positions = grid[_GRID_POSITION_TABLE] * _TABLE + _ZERO
    shift = grid[_GRID_POSITION_SHIFT]
    unit_x, unit_y, width, height = anchors[anchor : anchor + 4]

    def place(unit, at):
        return _scaled(unit, tables[positions + _signed(arena[base + at])], shift)

    centre_x = x
    centre_y = y
    if grid[_GRID_HAS_BOX]:
        centre_x += place(unit_x, grid[_GRID_X])
        centre_y += place(unit_y, grid[_GRID_Y])
        sizes = grid[_GRID_SIZE_TABLE] * _TABLE + _ZERO
        width = _scaled(width, tables[sizes + _signed(arena[base + grid[_GRID_WIDTH]])], grid[_GRID_SIZE_SHIFT])
        height = _scaled(height, tables[sizes + _signed(arena[base + grid[_GRID_HEIGHT]])], grid[_GRID_SIZE_SHIFT])
    width = _limited(width, 0)
    height = _limited(height, 0)
    found[made + _WIDTH] = width
    found[made + _HEIGHT] = height
    found[made + _X] = _limited(centre_x - width // 2, -_MOST_PLACE)
    found[made + _Y] = _limited(centre_y - height // 2, -_MOST_PLACE)
    made += _KEYPOINTS
    for _ in range(facts[_DETECT_KEYPOINTS]):
        found[made] = _low_half(x + place(unit_x, grid[_GRID_KEYPOINT_X]))
        found[made + 1] = _low_half(y + place(unit_y, grid[_GRID_KEYPOINT_Y]))
        made += 2
        base += grid[_GRID_KEYPOINT_STEP]


def _signed(value):
    return value - 256 if value > 127 else value


def _scaled(unit, value, shift):
    return (unit * value + ((1 << shift) >> 1)) >> shift


def _low_half(value):
    return (value + 0x8000 & 0xFFFF) - 0x8000


def _limited(value, least):
    return max(least, min(value, _MOST_PLACE))


def _join(facts, found, order, size):
    # Makes one box of those of one thing.
    mode = facts[_DETECT_MODE]
    first = 1
    while first <= order[0]:
        end = _gather(facts, found, order, size, first)
        joined = end - first - 1
        if joined:
            if mode == _AVERAGE:
                _average(found, order, size, first, end)
            elif mode == _MERGE:
                _surround(found, order, size, first, end)
            for i in range(end, order[0] + 1):
                order[i - joined] = order[i]
            order[0] -= joined
        first += 1


def _gather(facts, found, order, size, first):
    # Brings those of one thing with the candidate at `first` behind it; returns the place behind them.
    is_merged = facts[_DETECT_MODE] == _MERGE
    end = first + 1
    i = first
    while i < (end if is_merged else first + 1):
        a = order[i] * size
        for k in range(end, order[0] + 1):
            b = order[k] * size
            if facts[_DETECT_APART] and found[a + _CLASS] != found[b + _CLASS]:
                continue
            if _touch(found, a, b) if is_merged else _overlap(found, a, b, facts[_DETECT_OVERLAP]):
                number = order[k]
                for place in range(k, end, -1):
                    order[place] = order[place - 1]
                order[end] = number
                end += 1
        i += 1
    return end


def _overlap(found, a, b, limit):
    # Whether what two boxes share is more than `limit` / 2^15 of what they cover together.
    width = min(found[a + _X] + found[a + _WIDTH], found[b + _X] + found[b + _WIDTH]) - max(
        found[a + _X], found[b + _X]
    )
    height = min(found[a + _Y] + found[a + _HEIGHT], found[b + _Y] + found[b + _HEIGHT]) - max(
        found[a + _Y], found[b + _Y]
    )
    if width <= 0 or height <= 0:
        return False
    shared = width * height
    union = found[a + _WIDTH] * found[a + _HEIGHT] + found[b + _WIDTH] * found[b + _HEIGHT] - shared
    return shared > union * limit >> 15


def _touch(found, a, b):
    # Whether boxes touch, at an edge or a corner; edges are rounded to 1/16 pixels.
    return (
        found[a + _X] <= found[b + _X] + found[b + _WIDTH] + 1
        and found[b + _X] <= found[a + _X] + found[a + _WIDTH] + 1
        and found[a + _Y] <= found[b + _Y] + found[b + _HEIGHT] + 1
        and found[b + _Y] <= found[a + _Y] + found[a + _HEIGHT] + 1
    )


def _average(found, order, size, first, end):
    # The mean of boxes and keypoints, weighted by their scores. Weights are in 1/2^15; the first one's is what the others
    # leave.
    total = 0
    for i in range(first, end):
        total += found[order[i] * size]
    share = (1 << 31) // total
    to = order[first] * size
    sums = [(found[to + k] << 15) + (1 << 14) for k in range(_X, size)]
    for i in range(first + 1, end):
        at = order[i] * size
        weight = found[at] * share >> 16
        for k in range(_X, size):
            sums[k - _X] += weight * (found[at + k] - found[to + k])
    for k in range(_X, size):
        found[to + k] = sums[k - _X] >> 15


def _surround(found, order, size, first, end):
    # The box around boxes.
    to = order[first] * size
    for i in range(first + 1, end):
        at = order[i] * size
        for place, length in ((_X, _WIDTH), (_Y, _HEIGHT)):
            edge = max(found[to + place] + found[to + length], found[at + place] + found[at + length])
            found[to + place] = min(found[to + place], found[at + place])
            found[to + length] = min(edge - found[to + place], _MOST_PLACE)
