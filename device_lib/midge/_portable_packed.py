# The portable twin of midge_packed, which is native: decodes weights, docs/FORMAT.md, "Coded weights".

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: coding (host/midge_host/device/spec.py, `make generate`)
_MOST_KINDS = const(256)
_MOST_TABLES = const(8)
_MOST_ENTRY_BITS = const(128)
_MOST_KIND_BITS = const(8)
_MOST_ROW_BITS = const(8)
_CODING_BYTES = const(4)
_CODE_BITS = const(12)
_LOOKUP_BITS = const(7)
_IS_TABLE = const(128)
_LOOKUPS = const(131)
_BAD_PARAMETER = const(4)
_HEAD = const(0)
_COPY = const(1)
_ENTRIES = const(2)
_KINDS = const(3)
_VALUES = const(4)
_PHASE_IN = const(0)
_TAKEN_IN = const(1)
_BITS_IN = const(2)
_HAVE_IN = const(3)
_FIELD_IN = const(4)
_ROWS_IN = const(5)
_ROW_BYTES_IN = const(6)
_FIRST_BITS_IN = const(7)
_ZERO_BITS_IN = const(8)
_LAST_BITS_IN = const(9)
_KIND_IN = const(10)
_KIND_BITS_IN = const(11)
_ROW_IN = const(12)
_LEFT_IN = const(13)
_STEP_IN = const(14)
_HOW_IN = const(15)
_PUT_IN = const(16)
_PUT_BITS_IN = const(17)
_PLACE_IN = const(18)
# generated: end

_TABLE_FIRST = const(0)
_TABLE_INDEX = const(1)
_TABLE_AT = const(2)
_TABLE_LOOKUP = const(3)
_WORDS = const(4)  # bytes of a piece's head that are in words
_HEAD_BYTES = const(9)
_GROUP = const(24)  # bits of an entry that are stored together


def prepare(code, tables):
    """Checks the section CODE and makes its tables, in an array('H'). Returns 0, or a refusal."""
    kinds = _kinds(code)
    count = code[2] | code[3] << 8 if kinds else 0
    if not kinds or count > _MOST_TABLES or len(tables) != count * _LOOKUPS:
        return _BAD_PARAMETER
    for i in range(kinds):
        how = code[_CODING_BYTES + 2 * i + 1]
        if how > _MOST_ROW_BITS and not 0 <= how - _IS_TABLE < count:
            return _BAD_PARAMETER
    at = _CODING_BYTES + 2 * kinds
    for i in range(count):
        end = _behind(code, at)
        if not end:
            return _BAD_PARAMETER
        _make(code, at, tables, i * _LOOKUPS)
        at = end
    return 0 if at == len(code) else _BAD_PARAMETER


def _kinds(code):
    # How many kinds of rows there are; 0 where they cannot be.
    if len(code) < _CODING_BYTES:
        return 0
    kinds = code[0] | code[1] << 8
    return kinds if kinds <= _MOST_KINDS and _CODING_BYTES + 2 * kinds <= len(code) else 0


def _behind(code, at):
    # What follows a table that begins at `at`; 0 where it is none.
    if at + _CODE_BITS > len(code):
        return 0
    used = 0
    end = at + _CODE_BITS
    for bits in range(1, _CODE_BITS + 1):
        count = code[at + bits - 1]
        end += count
        used += count << (_CODE_BITS - bits)
    return end if used == 1 << _CODE_BITS and end <= len(code) else 0


def _make(code, at, tables, to):
    index = 0
    place = to + _TABLE_LOOKUP
    for bits in range(1, _LOOKUP_BITS + 1):
        for _ in range(code[at + bits - 1]):
            found = bits << 8 | code[at + _CODE_BITS + index]
            for _ in range(1 << (_LOOKUP_BITS - bits)):
                tables[place] = found
                place += 1
            index += 1
    tables[to + _TABLE_FIRST] = (place - to - _TABLE_LOOKUP) << 1
    tables[to + _TABLE_INDEX] = index
    tables[to + _TABLE_AT] = at
    while place < to + _LOOKUPS:
        tables[place] = 0
        place += 1


def unpack(code, tables, state, data, data_bytes, out, at, end):
    """Goes on with a piece: from data[:data_bytes] to out[at:end]. Returns up to where; -1 where the piece is impossible.

    state: an array('I'); one of 0, or of 0 but for its phase, begins a piece. Less than `end` is returned where all data
    were taken: then "taken" has to be 0 again for those that follow.
    """
    job = _Job(code, tables, state, data, data_bytes, out, at, end)
    done = 1
    while done == 1 and job.at < end:
        done = job.advance()
    state[_TAKEN_IN] = job.next
    state[_BITS_IN] = job.bits << (32 - job.have) & 0xFFFFFFFF
    state[_HAVE_IN] = job.have
    return -1 if done < 0 else job.at


class _Job:
    # bits: the next `have` bits of the piece, as a number. The parts of a piece return 1 where they are done, 0 where
    # there is no more data, or no more room, and -1 where the piece is impossible.

    def __init__(self, code, tables, state, data, data_bytes, out, at, end):
        self.code = code
        self.tables = tables
        self.state = state
        self.data = data
        self.stop = data_bytes
        self.out = out
        self.at = at
        self.end = end
        self.next = state[_TAKEN_IN]
        self.have = state[_HAVE_IN]
        self.bits = state[_BITS_IN] >> (32 - self.have)

    def fill(self):
        while self.have <= 24 and self.next < self.stop:
            self.bits = self.bits << 8 | self.data[self.next]
            self.next += 1
            self.have += 8

    def take(self, count):
        # So many bits; -1 where they are not there yet.
        self.fill()
        if self.have < count:
            return -1
        self.have -= count
        value = self.bits >> self.have
        self.bits &= (1 << self.have) - 1
        return value

    def put(self, byte):
        self.out[self.at] = byte & 255
        self.at += 1
        self.state[_PLACE_IN] += 1

    def advance(self):
        # One part. Whether it is done, and with that which one follows.
        state = self.state
        phase = state[_PHASE_IN]
        if phase == _HEAD:
            done = self.take_head()
            follows = _ENTRIES
        elif phase == _COPY:
            return self.copy()
        elif phase == _ENTRIES:
            done = self.take_entries()
            follows = _KINDS
            if done == 1:
                state[_ROW_IN] = state[_LEFT_IN] = 0
        elif phase == _VALUES:
            done = self.take_values()
            follows = _KINDS
        elif state[_ROW_IN] < state[_ROWS_IN]:
            done = self.take_kind()
            follows = _VALUES
        else:
            done = 1 if self.pad() and self.at < self.end else 0
            follows = _ENTRIES
            if done:
                state[_ROW_IN] = state[_PLACE_IN] = 0
        if done == 1:
            state[_PHASE_IN] = follows
        return done

    def copy(self):
        size = min(self.stop - self.next, self.end - self.at)
        for i in range(size):
            self.out[self.at + i] = self.data[self.next + i]
        self.at += size
        self.next += size
        return 0

    def take_head(self):
        state = self.state
        while state[_FIELD_IN] < _HEAD_BYTES:
            byte = self.take(8)
            if byte < 0:
                return 0
            # Two words, their lower byte first, then bytes.
            field = state[_FIELD_IN]
            if field >= _WORDS:
                state[_ROWS_IN + field - 2] = byte
            elif field & 1:
                state[_ROWS_IN + field // 2] |= byte << 8
            else:
                state[_ROWS_IN + field // 2] = byte
            state[_FIELD_IN] = field + 1
        for i in (_FIRST_BITS_IN, _ZERO_BITS_IN, _LAST_BITS_IN):
            if state[i] > _MOST_ENTRY_BITS:
                return -1
        if not state[_ROWS_IN] or not state[_ROW_BYTES_IN] or state[_KIND_BITS_IN] > _MOST_KIND_BITS:
            return -1
        for i in (_ROW_IN, _LEFT_IN, _PUT_IN, _PUT_BITS_IN, _PLACE_IN):
            state[i] = 0
        return 1

    def pad(self):
        # Zero bytes up to a multiple of 4.
        while self.state[_PLACE_IN] % 4:
            if self.at == self.end:
                return 0
            self.put(0)
        return 1

    def take_entries(self):
        state = self.state
        zeros = state[_FIRST_BITS_IN] + state[_ZERO_BITS_IN]
        bits = zeros + state[_LAST_BITS_IN]
        while True:
            is_last = state[_ROW_IN] >= state[_ROWS_IN] or not bits
            waiting = state[_PUT_BITS_IN]
            if waiting >= 8 or is_last and waiting:
                if self.at == self.end:
                    return 0
                self.put(state[_PUT_IN])
                state[_PUT_IN] >>= 8
                state[_PUT_BITS_IN] = max(0, waiting - 8)
                continue
            if is_last:
                return self.pad()
            left = state[_LEFT_IN]  # how far it is in the entry
            value = 0
            if left < state[_FIRST_BITS_IN]:
                count = min(_GROUP, state[_FIRST_BITS_IN] - left)
                value = self.take(count)
            elif left < zeros:
                count = min(_GROUP, zeros - left)
            else:
                count = min(_GROUP, bits - left)
                value = self.take(count)
            if value < 0:
                return 0
            state[_PUT_IN] |= value << waiting
            state[_PUT_BITS_IN] = waiting + count
            left += count
            state[_LEFT_IN] = left if left < bits else 0
            if left >= bits:
                state[_ROW_IN] += 1

    def take_kind(self):
        state = self.state
        kind = self.take(state[_KIND_BITS_IN])
        if kind < 0:
            return 0
        kind += state[_KIND_IN]
        if kind >= _kinds(self.code):
            return -1
        state[_STEP_IN] = self.code[_CODING_BYTES + 2 * kind]
        state[_HOW_IN] = self.code[_CODING_BYTES + 2 * kind + 1]
        state[_LEFT_IN] = state[_ROW_BYTES_IN]
        return 1

    def take_values(self):
        state = self.state
        start = self.at
        stop = min(self.end, start + state[_LEFT_IN])
        how = state[_HOW_IN]
        if how >= _IS_TABLE:
            done = self.take_codes((how - _IS_TABLE) * _LOOKUPS, state[_STEP_IN], stop)
        else:
            done = self.take_numbers(how, state[_STEP_IN], stop)
        made = self.at - start
        state[_LEFT_IN] -= made
        state[_PLACE_IN] += made
        if done == 1 and not state[_LEFT_IN]:
            state[_ROW_IN] += 1
            return 1
        return -1 if done < 0 else 0

    def take_codes(self, table, step, stop):
        tables = self.tables
        out = self.out
        lookup = table + _TABLE_LOOKUP
        at = self.at
        bits = self.bits
        have = self.have
        while at < stop:
            if have < _CODE_BITS:
                self.bits = bits
                self.have = have
                self.fill()
                bits = self.bits
                have = self.have
            # What is behind the last bit counts as 0.
            found = bits >> have - _CODE_BITS if have >= _CODE_BITS else bits << _CODE_BITS - have
            entry = tables[lookup + (found >> _CODE_BITS - _LOOKUP_BITS)] or self.search(table, found)
            length = entry >> 8
            if not length or length > have:
                self.at = at
                self.bits = bits
                self.have = have
                return 0 if length else -1
            have -= length
            bits &= (1 << have) - 1
            out[at] = (entry & 255) * step & 255
            at += 1
        self.at = at
        self.bits = bits
        self.have = have
        return 1

    def search(self, table, bits):
        # The value whose code is too long to be looked up, and above it the bits of the code; 0 where it is none.
        first = self.tables[table + _TABLE_FIRST]
        index = self.tables[table + _TABLE_INDEX]
        at = self.tables[table + _TABLE_AT]
        for length in range(_LOOKUP_BITS + 1, _CODE_BITS + 1):
            count = self.code[at + length - 1]
            number = (bits >> _CODE_BITS - length) - first
            if 0 <= number < count:
                return length << 8 | self.code[at + _CODE_BITS + index + number]
            index += count
            first = (first + count) << 1
        return 0

    def take_numbers(self, count, step, stop):
        out = self.out
        sign = 1 << count >> 1
        while self.at < stop:
            value = self.take(count)
            if value < 0:
                return 0
            out[self.at] = ((value ^ sign) - sign) * step & 255
            self.at += 1
        return 1
