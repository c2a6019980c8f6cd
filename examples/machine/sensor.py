"""An ADXL345 accelerometer on an SPI bus: windows of consecutive samples of one axis, 3,200 a second."""

import struct

AXIS = 2  # z, across the sensor's board
FIFO = 32  # samples that it holds until they are read
READ, SEVERAL = 0x80, 0x40
ID, RATE, POWER, FORMAT, DATA, FIFO_MODE, FIFO_STATE = 0x00, 0x2C, 0x2D, 0x31, 0x32, 0x38, 0x39
ADXL345 = 0xE5


class Accelerometer:
    """spi: machine.SPI of polarity 1 and phase 1, at most 5 MHz; cs: its Pin. OSError where no ADXL345 answers."""

    def __init__(self, spi, cs):
        self._spi, self._cs = spi, cs
        self._ask, self._answer = bytearray(7), bytearray(7)
        if self._read(ID) != ADXL345:
            raise OSError("no ADXL345 on this SPI bus; check the wiring")
        for register, value in ((FORMAT, 0x0D), (RATE, 0x0F), (POWER, 0x08)):  # 4 g fill 16 bits; 3,200 Hz; measure
            self._write(register, value)

    def read(self, window):
        """Fills array('h') with samples one after the other, steps of 1/8192 g. Begins anew where the FIFO ran over."""
        at, end = 0, len(window)
        while at < end:
            waiting = self._read(FIFO_STATE) & 0x3F
            if at == 0 or waiting >= FIFO:
                self._write(FIFO_MODE, 0x00)  # empties it
                self._write(FIFO_MODE, 0x80)
                at = waiting = 0
                while not waiting:
                    waiting = self._read(FIFO_STATE) & 0x3F
            for _ in range(min(waiting, end - at)):
                self._transfer(DATA | SEVERAL, 7)
                window[at] = struct.unpack_from("<h", self._answer, 1 + 2 * AXIS)[0]
                at += 1

    def _read(self, register):
        self._transfer(register, 2)
        return self._answer[1]

    def _write(self, register, value):
        self._cs(0)
        self._spi.write(bytes((register, value)))
        self._cs(1)

    def _transfer(self, register, size):
        self._ask[0] = READ | register
        self._cs(0)
        self._spi.write_readinto(self._ask, self._answer)
        self._cs(1)
