"""Stands in for a board's machine.SPI: an ADXL345 that plays samples.bin, int16, on its z axis, then ends the program.

A half of its FIFO waits whenever it is asked.
"""

with open("samples.bin", "rb") as file:
    SAMPLES = file.read()
SETUP = {0x31: 0x0D, 0x2C: 0x0F, 0x2D: 0x08, 0x38: 0x80}
with open("id.txt") as file:
    ID = int(file.read())


class Pin:
    OUT = 1

    def __init__(self, number, mode=0, value=0):
        pass

    def __call__(self, value):
        pass


class SPI:
    def __init__(self, bus, baudrate, polarity, phase, sck, mosi, miso):
        if (polarity, phase) != (1, 1) or baudrate > 5_000_000:
            raise OSError("the sensor does not understand")
        self.registers = {0x00: ID, 0x39: 16}
        self.at = 0

    def write(self, data):
        self.registers[data[0]] = data[1]

    def write_readinto(self, question, answer):
        register = question[0] & 0x3F
        if register != 0x32:
            answer[1] = self.registers[register]
            return
        if question[0] != 0xF2 or any(self.registers.get(r) != v for r, v in SETUP.items()):
            raise OSError("the sensor is not set up")
        if self.at >= len(SAMPLES):
            raise SystemExit
        answer[1:5] = bytes(4)
        answer[5:7] = SAMPLES[self.at : self.at + 2]
        self.at += 2
