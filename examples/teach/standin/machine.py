"""Stands in for a board's machine: I2S plays sound.raw, int16, and then ends the program; a button goes down and up at
the samples that presses.txt says, two a line.
"""

with open("sound.raw", "rb") as file:
    SOUND = file.read()
with open("presses.txt") as file:
    PRESSES = [tuple(map(int, line.split())) for line in file]
_at = 0


class Pin:
    IN = PULL_UP = 1

    def __init__(self, number, mode=None, pull=None):
        pass

    def value(self):
        return int(not any(down <= _at // 2 < up for down, up in PRESSES))


class I2S:
    RX = MONO = 0

    def __init__(self, number, sck, ws, sd, mode, bits, format, rate, ibuf):
        if (bits, rate) != (16, 16_000):
            raise ValueError("sound.raw has 16,000 samples of 16 bits a second")

    def readinto(self, buffer):
        global _at
        size = 2 * len(buffer)
        if _at + size > len(SOUND):
            raise SystemExit
        for i in range(len(buffer)):
            value = int.from_bytes(SOUND[_at + 2 * i : _at + 2 * i + 2], "little")
            buffer[i] = value - 65536 if value > 32767 else value
        _at += size
        return size
