"""Faults that tests must notice; tests/mutation/run.py makes them. One that is found in the wild belongs here."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    file: str
    old: str  # stands once in the file
    new: str
    tests: str  # arguments of pytest; without the mutant they pass


LOADER = "device_lib/midge/_loader.py"
EDGES = "tests/device/test_file_edges.py"
MEMORY = "tests/device/test_memory.py -k pieces"
BAD_FILES = "tests/device/test_bad_files.py"
RUN = "native_modules/core/run.c"
CORE = "tests/native/test_native_core.py"
ARENA = "host/midge_host/plan/arena.py"
PLANNER = "tests/host/test_planner.py"
NUMERICS = "host/midge_host/device/numerics.py"
DEPLOY = "host/midge_host/deploy/__init__.py"
ON_BOARD = "tests/boards/test_deploy.py"
IMPORTER = "host/midge_host/frontends/tflite"

MUTANTS = [
    # The loader: exact ends, checks that are missing, checksums.
    Mutant(LOADER, "if size != file_bytes:", "if size < file_bytes:", f"{EDGES} {BAD_FILES}"),
    Mutant(LOADER, "or window_bytes > _MAX_WINDOW", "or window_bytes >= _MAX_WINDOW", EDGES),
    Mutant(LOADER, "or arena_bytes > _MAX_ARENA", "or arena_bytes >= _MAX_ARENA", EDGES),
    Mutant(LOADER, "section_count <= _MAX_SECTIONS", "section_count < _MAX_SECTIONS", EDGES),
    Mutant(LOADER, "section_count * _SECTION_BYTES > size", "section_count * _SECTION_BYTES >= size", EDGES),
    Mutant(LOADER, "start < end or start % unit", "start <= end or start % unit", EDGES),
    Mutant(LOADER, "start % unit or start + length > size", "start + length > size", EDGES),
    Mutant(LOADER, "or start + length > size:", "or start + length >= size:", EDGES),
    Mutant(LOADER, "if tag in places or start < end", "if start < end", EDGES),
    Mutant(LOADER, "if _crc(file, _CRC_FROM, end) != crc:", "if False:", BAD_FILES),
    Mutant(LOADER, "if not is_weights and _crc(file, start, end) != crc:", "if False:", f"{EDGES} {BAD_FILES}"),
    Mutant(LOADER, "if flags & _REQUIRED and tag", "if False and tag", EDGES),
    Mutant(LOADER, "if op_count > _MAX_RECORDS:", "if op_count >= _MAX_RECORDS:", EDGES),
    Mutant(LOADER, "0 < block_bytes <= room", "0 < block_bytes < room", EDGES),
    Mutant(LOADER, "block_bytes <= ends.get(start, 0)", "block_bytes < ends.get(start, 0)", EDGES),
    Mutant(LOADER, "if encoding != _RAW and (encoding != _CODED or not code):", "if False:", EDGES),
    Mutant(LOADER, "or not decoded\n", "\n", EDGES),
    Mutant(LOADER, "not first <= last <= count", "not first <= last < count", EDGES),
    Mutant(LOADER, "if kind in found or", "if", EDGES),
    Mutant(LOADER, "if offset + size > arena_bytes", "if offset + size >= arena_bytes", EDGES),
    Mutant(LOADER, "if not least <= index < count", "if not least <= index <= count", EDGES),
    Mutant(LOADER, "or end > len(data):", "or end >= len(data):", EDGES),
    Mutant(LOADER, "if _crc(file, start, start + size) != found[0][1]:", "if False:", BAD_FILES),
    Mutant(LOADER, "size + count * block > room", "size + count * block > room + 4", MEMORY),
    # The executor in C.
    Mutant(RUN, "last > records(program) ||", "", CORE),
    Mutant(RUN, "first > last\n", "0\n", CORE),
    Mutant(RUN, "share->end < op->blocks ? share->end : op->blocks", "share->end", CORE),
    Mutant(RUN, "!midge_fits(op->scratch, op->scratch_bytes, arena_bytes)", "0", CORE),
    Mutant(RUN, "if (!midge_fits(op->output, op->output_bytes, arena_bytes)) {", "if (0) {", CORE),
    Mutant(RUN, "from < before ||", "", CORE),
    Mutant("native_modules/core/call.h", "bytes <= limit - offset", "bytes < limit - offset", CORE),
    Mutant("native_modules/core/fixed_point.h", "+ (x < 0);", "+ (x > 0);", CORE),
    # The planner.
    Mutant(ARENA, "self.first <= other.last", "self.first < other.last", PLANNER),
    Mutant(ARENA, "free = last[root] == i and", "free =", PLANNER),
    Mutant(ARENA, "if other.offset - offset >= buffer.size:", "if other.offset - offset > buffer.size:", PLANNER),
    Mutant(ARENA, "max(last.get(root, first), first)", "first", PLANNER),
    # The importer and the arithmetic of the host.
    Mutant(f"{IMPORTER}/__init__.py", 'data[4:8] != b"TFL3"', "False", "tests/host/test_cli_errors.py"),
    Mutant(f"{IMPORTER}/node.py", "if not -rank <= int(value) < rank:", "if False:", "tests/host/test_cli_errors.py"),
    Mutant(NUMERICS, "(mask >> 1) + (x < 0)", "(mask >> 1)", "tests/host/test_models.py"),
    Mutant(NUMERICS, "(a * b + (1 << 30)) >> 31", "(a * b) >> 31", "tests/host/test_models.py"),
    # Deploy.
    Mutant(DEPLOY, "if bad:", "if False:", f"{ON_BOARD} -k byte_that_changes"),
    Mutant(
        DEPLOY,
        'return found[1] in (hashlib.sha256(data).hexdigest(), f"{zlib.crc32(data):08x}")',
        "return True",
        f"{ON_BOARD} -k byte_that_changes",
    ),
    Mutant(DEPLOY, "need > board.free_bytes", "need > board.free_bytes + 65536", f"{ON_BOARD} -k full_file_system"),
]
