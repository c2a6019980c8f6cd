# Stands in for MicroPython's `machine` where there is no microphone: I2S plays sound.raw, and then ends the program.
import micropython


class Pin:
    def __init__(self, number):
        pass


class I2S:
    RX = 0
    MONO = 0

    def __init__(self, number, sck, ws, sd, mode, bits, format, rate, ibuf):
        if bits != 16:
            raise ValueError("sound.raw has 16 bits")
        with open("sound.raw", "rb") as file:
            self._sound = file.read()
        self._at = 0

    def irq(self, handler):
        self._handler = handler

    def readinto(self, buffer):
        # As on a board, the buffer is filled after this has returned.
        if self._at + len(buffer) > len(self._sound):
            raise SystemExit
        micropython.schedule(self._fill, buffer)
        return len(buffer)

    def _fill(self, buffer):
        end = self._at + len(buffer)
        buffer[:] = self._sound[self._at : end]
        self._at = end
        self._handler(self)
