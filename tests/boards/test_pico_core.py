"""The emulated Pico's processor: every kind of 16-bit instruction of ARMv6-M does what Unicorn (QEMU's ARM) says, in
the cycles of the Cortex-M0+ Technical Reference Manual, table 3-1."""

from __future__ import annotations

import shutil
import struct
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from unicorn import UC_ARCH_ARM, UC_MODE_THUMB, Uc
from unicorn.arm_const import UC_ARM_REG_CPSR, UC_ARM_REG_LR, UC_ARM_REG_PC, UC_ARM_REG_R0, UC_ARM_REG_SP

from midge_host.boards import cache

STEPS = Path(__file__).with_name("steps.mjs")
RAM, RAM_BYTES = 0x20000000, 0x42000
DATA, DATA_BYTES = 0x20001000, 1024
CODE = 0x20010000
TARGET = 0x20002001  # where branches go
SP, LR, PC = 13, 14, 15
REGISTERS = [UC_ARM_REG_R0 + i for i in range(13)] + [UC_ARM_REG_SP, UC_ARM_REG_LR]
EDGES = [0, 1, 2, 31, 32, 33, 255, 256, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0xFFFF8000, 0xFFFFFFFF]


def is_tested(op: int) -> bool:
    """All but exceptions, hints, CPS, and what ARMv6-M leaves undefined."""
    if op >> 8 in (0xBE, 0xBF, 0xDE, 0xDF, 0xB6):
        return False
    if op >> 12 == 0xB:
        if op & 0x1FF == 0 and op >> 9 in (0b1011010, 0b1011110):  # PUSH and POP of nothing
            return False
        return op >> 8 & 15 not in (1, 3, 7, 8, 9, 11, 15) and op >> 6 != 0b1011101010
    if op >> 8 == 0x47:  # BX, BLX: not of PC or SP
        return op & 7 == 0 and op >> 3 & 15 not in (SP, PC)
    if op >> 8 in (0x44, 0x45, 0x46):
        first, second = op & 7 | op >> 4 & 8, op >> 3 & 15
        # ADD PC would jump anywhere; SP is masked to words here, as in ARMv6-M, and is not in Unicorn.
        return first not in (SP, PC) and not (op >> 8 == 0x45 and (second == PC or (first < 8 and second < 8)))
    if op >> 12 == 5:  # base and offset need different values
        return op >> 3 & 7 != op >> 6 & 7
    if op >> 12 == 0xD:  # a branch to the next instruction does not show whether it was taken
        return op & 255 != 255
    return not (op >> 12 == 0xC and op & 255 == 0)


OPCODES = [op for op in range(0xE800) if is_tested(op)][::5]  # [::1] agrees too


def touches_memory(op: int) -> bool:
    return op >> 12 in (4, 5, 6, 7, 8, 9, 0xB, 0xC) and op >> 11 != 0b01000


def make_case(rng: np.random.Generator, op: int) -> tuple[int, list[int], int, bytes]:
    """PC, registers, flags and memory for one instruction, so that it stays within the data and lands on TARGET."""
    values = [int(rng.choice(EDGES)) if rng.random() < 0.5 else int(rng.integers(0, 1 << 32)) for _ in range(15)]
    memory = rng.integers(0, 256, DATA_BYTES, dtype=np.uint8).tobytes()
    if touches_memory(op):
        values = [DATA + 4 * int(rng.integers(0, 64)) for _ in range(15)]
        if op >> 12 == 5:
            values[op >> 6 & 7] = 4 * int(rng.integers(0, 64))
    values[SP] = DATA + 0x200 + 4 * int(rng.integers(0, 16))
    if op >> 8 == 0x47:
        values[op >> 3 & 15] = TARGET
    if op >> 8 == 0xBD:
        memory = struct.pack("<I", TARGET) * (DATA_BYTES // 4)
    return CODE + 2 * op, values, int(rng.integers(0, 16)) << 28, memory


def count_cycles(op: int, pc: int, new_pc: int) -> int:
    """Table 3-1, for code and data in RAM."""
    registers = bin(op & 0xFF).count("1")
    if op >> 9 == 0b1011010:  # PUSH: 1 + N
        return 1 + bin(op & 0x1FF).count("1")
    if op >> 9 == 0b1011110:  # POP: 1 + N, with PC 3 + N
        return 4 + registers if op & 0x100 else 1 + registers
    if op >> 12 == 0xC:  # LDM, STM: 1 + N
        return 1 + registers
    if op >> 12 == 0xD:  # B<condition>
        return 2 if new_pc != pc + 2 else 1
    if op >> 11 == 0b11100 or op >> 8 == 0x47:  # B, BX, BLX
        return 2
    if op >> 12 in (5, 6, 7, 8, 9) or op >> 11 == 0b01001:  # single loads and stores
        return 2
    return 1


def run_unicorn(code: bytes, cases: list) -> list[tuple]:
    machine = Uc(UC_ARCH_ARM, UC_MODE_THUMB)
    machine.mem_map(RAM, RAM_BYTES)
    machine.mem_write(CODE, code)
    system = machine.reg_read(UC_ARM_REG_CPSR) & 0x0FFFFFFF
    results = []
    for pc, values, flags, memory in cases:
        machine.mem_write(DATA, memory)
        for register, value in zip(REGISTERS, values, strict=True):
            machine.reg_write(register, value)
        machine.reg_write(UC_ARM_REG_CPSR, system | flags)
        machine.emu_start(pc | 1, 0, count=1)
        state = [machine.reg_read(UC_ARM_REG_PC) & ~1, *(machine.reg_read(r) for r in REGISTERS)]
        state.append(machine.reg_read(UC_ARM_REG_CPSR) & 0xF0000000)
        results.append((state, bytes(machine.mem_read(DATA, DATA_BYTES))))
    return results


def run_core(code: bytes, cases: list) -> list[tuple]:
    data = struct.pack("<II", CODE, len(code)) + code
    data += b"".join(struct.pack("<17I", pc, *values, flags) + memory for pc, values, flags, memory in cases)
    emulator = cache() / "pico" / "npm" / "node_modules" / "rp2040js" / "dist" / "esm"
    core = files("midge_host.boards") / "cortex_m0plus.mjs"
    done = subprocess.run(["node", STEPS, str(core), emulator], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    size = 18 * 4 + DATA_BYTES
    parts = [done.stdout[i : i + size] for i in range(0, len(done.stdout), size)]
    return [(struct.unpack_from("<18I", part), part[72:]) for part in parts]


@pytest.fixture(scope="module", autouse=True)
def emulator() -> None:
    if shutil.which("node") is None or not (cache() / "pico" / "emulator.stamp").exists():
        pytest.skip("the RP2040's emulator is not here; run `make boards`")


@pytest.mark.board("pico")
def test_instructions() -> None:
    rng = np.random.default_rng(0)
    code = np.arange(65536, dtype="<u2").tobytes()  # every opcode, at CODE + 2 * opcode
    cases = [make_case(rng, op) for op in OPCODES]
    expected, got = run_unicorn(code, cases), run_core(code, cases)
    assert len(got) == len(OPCODES)
    for op, case, (state, memory), (mine, my_memory) in zip(OPCODES, cases, expected, got, strict=True):
        assert list(mine[:17]) == state, f"{op:04x}: {case[1:3]}"
        assert my_memory == memory, f"{op:04x}: {case[1:3]}"
        assert mine[17] == count_cycles(op, case[0], mine[0]), f"{op:04x}: cycles"


# LDR r0, [r1]; STR r0, [r1]; BL, MRS r0, PRIMASK, DMB.
OTHERS = [
    ((0x6808,), 0xD0000050, 1),
    ((0x6008,), 0xD0000010, 1),
    ((0x6808,), 0x40054028, 4),
    ((0x6008,), 0x40054038, 5),
    ((0x6808,), 0x50000000, 2),
    ((0xF000, 0xF800), 0, 3),
    ((0xF3EF, 0x8010), 0, 3),
    ((0xF3BF, 0x8F5F), 0, 3),
]


@pytest.mark.board("pico")
@pytest.mark.parametrize(("code", "address", "cycles"), OTHERS)
def test_cycles_of_the_bus_and_of_long_instructions(code: tuple[int, ...], address: int, cycles: int) -> None:
    case = (CODE, [0, address, *[0] * 11, DATA, 0], 0, bytes(DATA_BYTES))
    assert run_core(struct.pack(f"<{len(code)}H", *code), [case])[0][0][17] == cycles
