"""Stands in for the camera's driver of the same name."""

import frames

OV7670_WRAPPER_SIZE_DIV4 = 2


class OV7670Wrapper:
    def __init__(
        self,
        i2c_bus,
        mclk_pin_no,
        pclk_pin_no,
        data_pin_base,
        vsync_pin_no,
        href_pin_no,
        reset_pin_no,
        shutdown_pin_no=None,
    ):
        self._is_rgb = False

    def wrapper_configure_rgb(self):
        self._is_rgb = True

    def wrapper_configure_base(self):
        pass

    def wrapper_configure_size(self, size):
        assert size == OV7670_WRAPPER_SIZE_DIV4
        return frames.WIDTH, frames.HEIGHT

    def capture(self, buffer):
        assert self._is_rgb
        frames.next_into(buffer)
