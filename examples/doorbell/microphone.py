"""An I2S microphone on an RP2040 or RP2350, read by PIO and DMA alone: machine.I2S takes 15 % of a Pico's core.

Only the left channel's 16 upper bits are taken; nothing is done for a sample until somebody wants it.
"""

from time import sleep_ms

import uctypes
from machine import Pin
from rp2 import DMA, PIO, StateMachine, asm_pio

RING_BITS = 12
RING = 1 << RING_BITS  # bytes: 0.128 s of sound
RECEIVED = 0x50200020  # where the first PIO's first state machine leaves what it has read,
REQUEST = 4  # and how it asks the DMA to fetch that
FOREVER = 0xFFFFFFFF  # samples, three days; then readinto() starts the DMA anew


# Two steps a bit, 32 bits for each channel; side: word select and clock.
@asm_pio(sideset_init=(PIO.OUT_LOW, PIO.OUT_LOW), in_shiftdir=PIO.SHIFT_LEFT, autopush=True, push_thresh=16)
def left():
    set(x, 14).side(0b00)  # noqa: F821
    label("taken")  # noqa: F821
    in_(pins, 1).side(0b01)  # noqa: F821
    jmp(x_dec, "taken").side(0b00)  # noqa: F821
    in_(pins, 1).side(0b01)  # noqa: F821
    set(x, 14).side(0b00)  # noqa: F821
    label("lower")  # noqa: F821
    nop().side(0b01)  # noqa: F821
    jmp(x_dec, "lower").side(0b00)  # noqa: F821
    nop().side(0b11)  # noqa: F821
    set(x, 30).side(0b10)  # noqa: F821
    label("right")  # noqa: F821
    nop().side(0b11)  # noqa: F821
    jmp(x_dec, "right").side(0b10)  # noqa: F821
    nop().side(0b01)  # noqa: F821


class Microphone:
    """sck, sd: numbers of pins; the word select is the pin after sck. int16 samples."""

    def __init__(self, sck, sd, rate):
        storage = bytearray(2 * RING)
        start = -uctypes.addressof(storage) % RING  # a ring of the DMA lies at a multiple of its size
        self._ring = memoryview(storage)[start : start + RING]
        self._bytes_a_ms = 2 * rate // 1000
        self._dma = DMA()
        ctrl = self._dma.pack_ctrl(size=1, inc_read=False, ring_sel=True, ring_size=RING_BITS, treq_sel=REQUEST)
        self._dma.config(read=RECEIVED, write=self._ring, count=FOREVER, ctrl=ctrl, trigger=True)
        pins = {"sideset_base": Pin(sck), "in_base": Pin(sd, Pin.IN)}
        self._machine = StateMachine(0, left, freq=2 * 64 * rate, **pins)
        self._machine.active(1)
        self._at = 0

    def skip(self):
        """Forgets what was not read."""
        self._at = self._dma.write % RING

    def readinto(self, buffer):
        """Sleeps until there are as many bytes. What nobody has read for 0.128 s is lost."""
        size = len(buffer)
        missing = size - (self._dma.write - self._at) % RING
        while missing > 0:
            sleep_ms(missing // self._bytes_a_ms + 1)
            if not self._dma.active():
                self._dma.active(1)
            missing = size - (self._dma.write - self._at) % RING
        first = min(size, RING - self._at)
        buffer[:first] = self._ring[self._at : self._at + first]
        buffer[first:] = self._ring[: size - first]
        self._at = (self._at + size) % RING
