"""Stands in for CircuitPython's module of the same name. Its second frame is late."""

from array import array

import frames


class PixelFormat:
    RGB565 = 1


class FrameSize:
    QQVGA = 2


class Camera:
    width = frames.WIDTH
    height = frames.HEIGHT

    def __init__(
        self,
        data_pins,
        external_clock_pin,
        pixel_clock_pin,
        vsync_pin,
        href_pin,
        i2c,
        pixel_format,
        frame_size,
    ):
        assert (pixel_format, frame_size) == (PixelFormat.RGB565, FrameSize.QQVGA)
        self._taken = 0

    def take(self, timeout):
        self._taken += 1
        if self._taken == 2:
            return None
        buffer = array("H", bytes(2 * frames.WIDTH * frames.HEIGHT))  # 16 bits an element, as in displayio.Bitmap
        frames.next_into(buffer)
        return buffer
