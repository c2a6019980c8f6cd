"""Processors: the core that kernels run on, memory, and what the chip takes at full speed and asleep.

Asleep is the deepest state that keeps RAM and wakes up by itself: what a script gets that sleeps between predictions.
A chip whose data sheet was not at hand has no currents here rather than guessed ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from .figures import MODELLED, Current, Figure


@dataclass(frozen=True)
class Core:
    """A core: the architecture of the native modules it runs, the key of its counts in costs.json, and how many cycles
    one of what was counted takes."""

    name: str
    architecture: str
    counts: str
    cycles: Figure


MLPERF = (
    "MLPerf Tiny 1.2, closed/STMicroelectronics: VWW, KWS, ResNet and AD take {} of the cycles of the Cortex-M4F of "
    "NUCLEO-L4R5ZI on the {} of NUCLEO-{}"
)

M0PLUS = Core(
    "Cortex-M0+",
    "armv6m",
    "armv6m",
    Figure(1, MODELLED, "cycles by table 3-1 of Arm's Cortex-M0+ Technical Reference Manual"),
)
M4F = Core(
    "Cortex-M4F",
    "armv7emsp",
    "armv7emsp_cycles",
    Figure(1, MODELLED, "cycles by table 3-1 of Arm's Cortex-M4 Technical Reference Manual, no waiting for memory"),
)
M33 = Core(
    "Cortex-M33",
    "armv7emsp",
    "armv7emsp_cycles",
    Figure(0.89, MODELLED, MLPERF.format("0.87 to 0.90", "Cortex-M33", "U575ZI-Q")),
)
M7 = Core(
    "Cortex-M7",
    "armv7emsp",
    "armv7emsp_cycles",
    Figure(0.60, MODELLED, MLPERF.format("0.54 to 0.62", "Cortex-M7", "H7A3ZI-Q")),
)
XTENSA = (
    "cycles an instruction: ESP-NN's C takes 12.7 instructions a MAC (counted: VWW, pointwise); its README has "
    "380 ms for person_detect, 7.16 million MACs, on an ESP32 at 240 MHz: 12.7 cycles each; users measured 474 ms: 15.9"
)
LX6 = Core("Xtensa LX6", "xtensawin", "xtensawin", Figure(1.25, MODELLED, XTENSA))
LX7 = Core("Xtensa LX7", "xtensawin", "xtensawin", Figure(1.25, MODELLED, XTENSA + "; the LX7 taken as the LX6"))
RV32 = Core(
    "RISC-V RV32IMC",
    "rv32imc",
    "rv32imc",
    Figure(
        1.35,
        MODELLED,
        "cycles an instruction: 2.55 CoreMark/MHz (ESP32-C3 data sheet, features), 291,000 instructions an iteration "
        "(gcc -O3: THUAS RISC-V, sw/coremark/README.md: 1.93 CoreMark/MHz at 1.78 cycles an instruction)",
    ),
)


@dataclass(frozen=True)
class Chip:
    """`ram_kb` is the SRAM of the data sheet; `active`: one core computing, radio off, at the clock of `active_mhz`."""

    name: str
    core: Core
    ram_kb: int
    active: Current | None = None
    active_mhz: int | None = None
    asleep: Current | None = None


RP2040 = Chip("RP2040", M0PLUS, 264)  # currents: of the Pico, the only board measured
RP2350 = Chip(
    "RP2350",
    M33,
    520,
    Current(11.7, 3.3, "RP2350 data sheet, 14.9.7.3, table 1446: CoreMark on one core, 38.7 mW"),
    150,
    Current(0.166, 3.3, "RP2350 data sheet, 14.9.7.2, table 1445: P1.0, all SRAM kept, 548 µW"),
)
ESP32 = Chip(
    "ESP32",
    LX6,
    520,
    Current(44, 3.3, "ESP32 data sheet 3.5, table 6: modem sleep at 160 MHz, 27 to 44 mA"),
    160,
    Current(0.8, 3.3, "ESP32-WROOM-32 data sheet, table 4: light sleep"),
)
ESP32S2 = Chip(
    "ESP32-S2",
    LX7,
    320,
    Current(17, 3.3, "ESP32-S2-WROOM data sheet 1.1, table 8: modem sleep at 160 MHz"),
    160,
    Current(0.55, 3.3, "ESP32-S2-WROOM data sheet 1.1, table 8: light sleep"),
)
ESP32S3 = Chip(
    "ESP32-S3",
    LX7,
    512,
    Current(39.9, 3.3, "ESP32-S3-WROOM-1 data sheet 1.8, table 6-6: 160 MHz, one core, 32-bit data access"),
    160,
    Current(0.24, 3.3, "ESP32-S3-WROOM-1 data sheet 1.8, table 6-7: light sleep"),
)
ESP32C3 = Chip(
    "ESP32-C3",
    RV32,
    400,
    Current(23, 3.3, "ESP32-C3-MINI-1 data sheet 2.2, table 6-6: CPU running at 160 MHz"),
    160,
    Current(0.13, 3.3, "ESP32-C3-MINI-1 data sheet 2.2, table 6-7: light sleep"),
)
ESP32C6 = Chip(
    "ESP32-C6",
    RV32,
    512,
    Current(27, 3.3, "ESP32-C6-WROOM-1 data sheet 1.4, table 6-7: CPU running at 160 MHz"),
    160,
    Current(0.18, 3.3, "ESP32-C6-WROOM-1 data sheet 1.4, table 6-8: light sleep, peripherals' clocks off"),
)
NRF52840 = Chip(
    "nRF52840",
    M4F,
    256,
    Current(3.3, 3.0, "nRF52840 Product Specification, current consumption, ICPU0: CoreMark from flash, DC/DC"),
    64,
    Current(0.00316, 3.0, "nRF52840 Product Specification, ION_RAMON_RTC: all RAM kept, wakes on RTC"),
)
NRF52833 = Chip("nRF52833", M4F, 128)
SAMD51 = Chip("SAMD51", M4F, 192)
IMXRT1062 = Chip("i.MX RT1062", M7, 1024)
STM32F405 = Chip("STM32F405", M4F, 192)
STM32F411 = Chip("STM32F411", M4F, 128)
STM32F446 = Chip("STM32F446", M4F, 128)
STM32G474 = Chip("STM32G474", M4F, 128)
STM32L476 = Chip("STM32L476", M4F, 128)
STM32WB55 = Chip("STM32WB55", M4F, 256)
STM32H563 = Chip("STM32H563", M33, 640)
STM32F722 = Chip("STM32F722", M7, 256)
STM32F767 = Chip("STM32F767", M7, 512)
STM32H743 = Chip("STM32H743", M7, 1024)
STM32H747 = Chip("STM32H747", M7, 1024)
