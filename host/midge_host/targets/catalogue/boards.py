"""The boards of `midge info --boards` and docs/catalogue.md: to add one, add a line to BOARDS.

Clocks are those of stock firmware, which are not always the chips' fastest. Free heap is MicroPython's after boot with
Wi-Fi and Bluetooth unused; it was counted on an emulated board, or is what firmware's own linker script leaves, or is
cited; a board whose heap nothing tells has none. Paths are in MicroPython's source tree (1.25), below ports/.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ...device.architectures import runs
from . import chips
from .chips import Chip, Core
from .figures import CITED, COUNTED, MODELLED, Current, Figure

STATIC_KB = 16  # assumed of firmware's static data, where a linker script gives the heap what lies behind it


@dataclass(frozen=True)
class Board:
    """`key` is its short name; `micropython` and `circuitpython`: what their download pages call it, "" for none.
    `active` and `asleep` go before the chip's."""

    key: str
    name: str
    flash_kb: int
    micropython: str
    circuitpython: str
    chip: Chip
    clock_mhz: int
    heap: Figure | None = None
    psram_kb: int = 0
    wireless: str = ""
    active: Current | None = None
    asleep: Current | None = None

    @property
    def source(self) -> str:
        """Where clock, flash and firmware stand."""
        if self.micropython:
            return f"https://micropython.org/download/{self.micropython}/"
        return f"https://circuitpython.org/board/{self.circuitpython}/"

    @property
    def running(self) -> Current | None:
        """While it computes at its clock."""
        return self.active or (self.chip.active if self.chip.active_mhz == self.clock_mhz else None)

    @property
    def sleeping(self) -> Current | None:
        return self.asleep or self.chip.asleep


def _linked(script: str, ram_kb: float, stack_kb: int = 16) -> Figure:
    """Heap where a linker script gives it what static data and stack leave of the RAM."""
    source = f"{script}: {ram_kb:g} KB of RAM less {stack_kb} KB of stack and {STATIC_KB} KB assumed of static data"
    return Figure(round((ram_kb - stack_kb - STATIC_KB) * 1024), MODELLED, source)


def _typical(heap: int, firmware: str) -> Figure:
    return Figure(heap, MODELLED, f"typical of {firmware}; not measured")


PIBSAS = "issue 1 of PIBSAS/MicroPython_ESP32-S3-WROOM-1-N16R8_with_SmartConfig"
PICO = Figure(240_000, COUNTED, "gc.mem_free() after boot on the emulated Pico, less some KB for a script")
PICO2 = _typical(480_000, "MicroPython on an RP2350, of the 512 KB that rp2/memmap_mp_rp2350.ld has")
ESP32 = _typical(110_000, "MicroPython on an ESP32")
C3 = _typical(180_000, "MicroPython on an ESP32-C3")
C6 = Figure(C3.value, MODELLED, "taken as the ESP32-C3's, which has 112 KB of SRAM less")
S3 = Figure(267_120, CITED, f"gc.mem_free() of MicroPython 1.23 without PSRAM: {PIBSAS}")
S3_PSRAM = Figure(8_299_616, CITED, f"gc.mem_free() of MicroPython 1.23 with 8 MB of PSRAM: {PIBSAS}")
RT1062 = Figure(768 << 10, CITED, "mimxrt/boards/MIMXRT1062.ld: the second bank of OCRAM is the heap")
F405 = _linked("stm32/boards/stm32f405.ld", 128)
F411 = _linked("stm32/boards/stm32f411.ld", 112)
D51 = _linked("samd/boards/samd51x19a.ld", 192)

WIFI, BLE, BOTH = "Wi-Fi", "Bluetooth LE", "Wi-Fi, Bluetooth LE"
S3_AT_240 = Current(51.2, 3.3, "ESP32-S3-WROOM-1 data sheet 1.8, table 6-6: 240 MHz, one core, 32-bit data access")
NICLA = "Arduino Nicla Vision data sheet (ABX00051), power consumption, on a battery"

_rp2040 = partial(Board, chip=chips.RP2040, clock_mhz=125, heap=PICO)
_rp2350 = partial(Board, chip=chips.RP2350, clock_mhz=150, heap=PICO2)
_esp32c3 = partial(Board, chip=chips.ESP32C3, clock_mhz=160, heap=C3, wireless=BOTH)
_esp32c6 = partial(Board, chip=chips.ESP32C6, clock_mhz=160, heap=C6, wireless=BOTH)
_esp32s3 = partial(Board, chip=chips.ESP32S3, clock_mhz=160, heap=S3, wireless=BOTH)
_s3_fast = partial(_esp32s3, clock_mhz=240, heap=S3_PSRAM, psram_kb=8192, active=S3_AT_240)
_nrf52840 = partial(Board, chip=chips.NRF52840, clock_mhz=64, wireless=BLE)
_rt1062 = partial(Board, chip=chips.IMXRT1062, clock_mhz=600)
_samd51 = partial(Board, chip=chips.SAMD51, clock_mhz=120, heap=D51)

BOARDS: tuple[Board, ...] = (
    _rp2040(
        "pico",
        "Raspberry Pi Pico (RP2040)",
        2048,
        "RPI_PICO",
        "raspberry_pi_pico",
        active=Current(21, 5, "micropython/micropython#8770: measured while it waits at full clock, 5 V on VSYS"),
        asleep=Current(0.99, 5, "micropython/micropython#8832: measured in machine.lightsleep(5000), 5 V on VSYS"),
    ),
    _rp2040("pico-w", "Raspberry Pi Pico W", 2048, "RPI_PICO_W", "raspberry_pi_pico_w", heap=None, wireless=BOTH),
    _rp2350("pico2", "Raspberry Pi Pico 2 (RP2350)", 4096, "RPI_PICO2", "raspberry_pi_pico2"),
    _rp2350("pico2-w", "Raspberry Pi Pico 2 W", 4096, "RPI_PICO2_W", "raspberry_pi_pico2_w", heap=None, wireless=BOTH),
    _rp2040("xiao-rp2040", "Seeed XIAO RP2040", 2048, "", "seeeduino_xiao_rp2040"),
    _rp2350("xiao-rp2350", "Seeed XIAO RP2350", 2048, "SEEED_XIAO_RP2350", "seeeduino_xiao_rp2350"),
    _rp2040("qtpy-rp2040", "Adafruit QT Py RP2040", 8192, "ADAFRUIT_QTPY_RP2040", "adafruit_qtpy_rp2040"),
    _rp2040("feather-rp2040", "Adafruit Feather RP2040", 8192, "ADAFRUIT_FEATHER_RP2040", "adafruit_feather_rp2040"),
    _rp2040("itsybitsy-rp2040", "ItsyBitsy RP2040", 8192, "ADAFRUIT_ITSYBITSY_RP2040", "adafruit_itsybitsy_rp2040"),
    _rp2040("tiny2040", "Pimoroni Tiny 2040 (8 MB)", 8192, "PIMORONI_TINY2040", "pimoroni_tiny2040"),
    _rp2040("nano-rp2040", "Arduino Nano RP2040 Connect", 16384, "ARDUINO_NANO_RP2040_CONNECT", "", wireless=BOTH),
    _rp2350("promicro-rp2350", "SparkFun Pro Micro RP2350", 16384, "SPARKFUN_PROMICRO_RP2350", "", psram_kb=8192),
    Board("esp32", "ESP32", 4096, "ESP32_GENERIC", "", chips.ESP32, 160, ESP32, wireless=BOTH),
    Board("esp32s2", "ESP32-S2", 4096, "ESP32_GENERIC_S2", "", chips.ESP32S2, 160, wireless=WIFI),
    _esp32s3("esp32s3", "ESP32-S3", 8192, "ESP32_GENERIC_S3", ""),
    _esp32c3("esp32c3", "ESP32-C3", 4096, "ESP32_GENERIC_C3", ""),
    _esp32c6("esp32c6", "ESP32-C6", 4096, "ESP32_GENERIC_C6", ""),
    _esp32s3("xiao-esp32s3", "Seeed XIAO ESP32S3", 8192, "", "seeed_xiao_esp32s3", heap=S3_PSRAM, psram_kb=8192),
    _esp32c3("xiao-esp32c3", "Seeed XIAO ESP32C3", 4096, "", "seeed_xiao_esp32c3"),
    _esp32c6("xiao-esp32c6", "Seeed XIAO ESP32C6", 4096, "", "seeed_xiao_esp32c6"),
    _esp32s3("qtpy-esp32s3", "Adafruit QT Py ESP32-S3", 8192, "", "adafruit_qtpy_esp32s3_nopsram"),
    _esp32c3("qtpy-esp32c3", "Adafruit QT Py ESP32-C3", 4096, "", "adafruit_qtpy_esp32c3"),
    _esp32c6("feather-esp32c6", "Adafruit Feather ESP32-C6", 4096, "", "adafruit_feather_esp32c6_4mbflash_nopsram"),
    _s3_fast("nano-esp32", "Arduino Nano ESP32", 16384, "ARDUINO_NANO_ESP32", "arduino_nano_esp32s3"),
    _s3_fast("feathers3", "Unexpected Maker FeatherS3", 16384, "UM_FEATHERS3", "unexpectedmaker_feathers3"),
    _nrf52840(
        "xiao-nrf52840",
        "Seeed XIAO nRF52840",
        1024,
        "SEEED_XIAO_NRF52",
        "Seeed_XIAO_nRF52840_Sense",
        heap=_linked("nrf/boards/nrf52840_1M_256k.ld, s140_7.3.0.ld (56 KB for the SoftDevice)", 200, 8),
    ),
    _nrf52840(
        "nano-33-ble",
        "Arduino Nano 33 BLE",
        1024,
        "ARDUINO_NANO_33_BLE_SENSE",
        "arduino_nano_33_ble",
        heap=_linked("nrf/boards/nrf52840_1M_256k.ld, s140_6.1.1.ld (14.4 KB for the SoftDevice)", 241.6, 8),
    ),
    _nrf52840("feather-nrf52840", "Adafruit Feather nRF52840 Express", 1024, "", "feather_nrf52840_express"),
    Board(
        "microbit2",
        "micro:bit v2 (nRF52833)",
        512,
        "",
        "microbit_v2",
        chips.NRF52833,
        64,
        _typical(60_000, "the micro:bit's own MicroPython"),
        wireless=BLE,
    ),
    _rt1062(
        "teensy40",
        "Teensy 4.0",
        2048,
        "TEENSY40",
        "teensy40",
        heap=RT1062,
        active=Current(102, 5, "forum.pjrc.com, thread 74442: measured in an empty loop at 600 MHz, 5 V on VIN"),
    ),
    _rt1062("teensy41", "Teensy 4.1", 8192, "TEENSY41", "teensy41", heap=RT1062),
    _samd51("feather-m4", "Feather M4 Express (SAMD51)", 512, "ADAFRUIT_FEATHER_M4_EXPRESS", "feather_m4_express"),
    _samd51("itsybitsy-m4", "ItsyBitsy M4 Express", 512, "ADAFRUIT_ITSYBITSY_M4_EXPRESS", "itsybitsy_m4_express"),
    Board("pyboard", "Pyboard v1.1 (STM32F405)", 1024, "PYBV11", "pyboard_v11", chips.STM32F405, 168, F405),
    Board(
        "pyboard-d",
        "Pyboard D SF2 (STM32F722)",
        512,
        "PYBD_SF2",
        "",
        chips.STM32F722,
        120,
        _linked("stm32/boards/PYBD_SF2/f722_qspi.ld", 256),
        wireless=BOTH,
    ),
    Board("feather-f405", "Feather STM32F405", 1024, "ADAFRUIT_F405_EXPRESS", "", chips.STM32F405, 168, F405),
    Board("black-pill", "WeAct Black Pill F411", 512, "WEACT_F411_BLACKPILL", "", chips.STM32F411, 96, F411),
    Board("nucleo-f411re", "Nucleo-F411RE", 512, "NUCLEO_F411RE", "", chips.STM32F411, 96, F411),
    Board("nucleo-f446re", "Nucleo-F446RE", 512, "NUCLEO_F446RE", "nucleo_f446re", chips.STM32F446, 168, F411),
    Board(
        "nucleo-g474re",
        "Nucleo-G474RE",
        512,
        "NUCLEO_G474RE",
        "",
        chips.STM32G474,
        170,
        _linked("stm32/boards/stm32g474.ld", 126, 8),
    ),
    Board(
        "nucleo-l476rg",
        "Nucleo-L476RG",
        1024,
        "NUCLEO_L476RG",
        "",
        chips.STM32L476,
        80,
        _linked("stm32/boards/stm32l476xg.ld", 96, 0),
    ),
    Board(
        "nucleo-wb55",
        "Nucleo-WB55",
        1024,
        "NUCLEO_WB55",
        "",
        chips.STM32WB55,
        64,
        _linked("stm32/boards/stm32wb55xg.ld", 188),
        wireless=BLE,
    ),
    Board(
        "nucleo-f767zi",
        "Nucleo-F767ZI",
        2048,
        "NUCLEO_F767ZI",
        "nucleo_f767zi",
        chips.STM32F767,
        216,
        _linked("stm32/boards/stm32f767.ld", 384, 32),
    ),
    Board(
        "nucleo-h743zi",
        "Nucleo-H743ZI",
        2048,
        "NUCLEO_H743ZI",
        "nucleo_h743zi_2",
        chips.STM32H743,
        400,
        _linked("stm32/boards/stm32h743.ld", 512),
    ),
    Board(
        "nicla-vision",
        "Arduino Nicla Vision (STM32H747)",
        2048,
        "ARDUINO_NICLA_VISION",
        "",
        chips.STM32H747,
        400,
        _linked("stm32/boards/ARDUINO_NICLA_VISION/stm32h747.ld", 512),
        wireless=BOTH,
        active=Current(105, 3.7, f"{NICLA}: while it captures pictures"),
        asleep=Current(0.374, 3.7, f"{NICLA}: deep sleep"),
    ),
    Board("openmv-h7", "OpenMV Cam H7 (STM32H743)", 2048, "", "openmv_h7", chips.STM32H743, 480),
    Board("portenta-h7", "Arduino Portenta H7", 2048, "ARDUINO_PORTENTA_H7", "", chips.STM32H747, 400, wireless=BOTH),
    Board("giga", "Arduino Giga R1", 2048, "ARDUINO_GIGA", "", chips.STM32H747, 480, wireless=BOTH),
)


def core_of(machine: str, architecture: str | None) -> Core | None:
    """The core of a board by what its firmware says of it, as in "Raspberry Pi Pico with RP2040"; by the architecture
    of its native modules where the chip is not known; None where nothing tells."""
    chip = _letters(machine.rpartition(" with ")[2])
    known = {_letters(board.chip.name): board.chip.core for board in BOARDS}
    by_name = [core for name, core in sorted(known.items(), reverse=True) if chip.startswith(name)]
    named = next((core for core in by_name if core.architecture in runs(architecture)), None)
    return named or next((board.chip.core for board in BOARDS if board.chip.core.architecture == architecture), None)


def _letters(name: str) -> str:
    return "".join(c for c in name.upper() if c.isalnum())
