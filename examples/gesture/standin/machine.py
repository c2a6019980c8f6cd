"""Stands in for a board's machine.I2C: a sensor that plays samples.bin, int16 x, y, z, and then ends the program.

address.txt says which sensor it is; what is read depends on the clock, as with a real one.
"""

import struct
import time

with open("address.txt") as file:
    ADDRESS = int(file.read())
with open("samples.bin", "rb") as file:
    SAMPLES = file.read()
ORDER = {0x68: (0x3B, ">hhh"), 0x6A: (0x28, "<hhh")}
RANGE = {0x68: (0x1C, 0x08), 0x6A: (0x10, 0x48)}  # the register that has to hold what for steps of 1 / 8192 g


# When a button at a pin goes down and up, in milliseconds.
try:
    with open("presses.txt") as file:
        PRESSES = [tuple(map(int, line.split())) for line in file]
except OSError:
    PRESSES = []


class Pin:
    IN = PULL_UP = 1

    def __init__(self, number, mode=None, pull=None):
        pass

    def value(self):
        now = time.ticks_ms()
        return int(not any(down <= now < up for down, up in PRESSES))


class I2C:
    def __init__(self, bus, sda, scl, freq):
        self.registers = {}

    def scan(self):
        return [ADDRESS]

    def writeto_mem(self, address, register, data):
        self.registers[register] = data[0]

    def readfrom_mem_into(self, address, register, buffer):
        first, order = ORDER[ADDRESS]
        setting, value = RANGE[ADDRESS]
        if (address, register, self.registers.get(setting)) != (ADDRESS, first, value):
            raise OSError("the sensor is not set up")
        at = time.ticks_ms() // 10 * 6  # a sample every 10 ms
        if at >= len(SAMPLES):
            raise SystemExit
        struct.pack_into(order, buffer, 0, *struct.unpack("<hhh", SAMPLES[at : at + 6]))
