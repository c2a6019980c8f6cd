"""The camera: an OV7670 with https://github.com/Chris-F5/rp2040_micropython_ov7670_driver, two files for stock
firmware. With another driver only this file changes."""

from machine import I2C, Pin
from ov7670_wrapper import OV7670_WRAPPER_SIZE_DIV4, OV7670Wrapper

_camera = OV7670Wrapper(
    i2c_bus=I2C(0, sda=Pin(20), scl=Pin(21), freq=100_000),
    data_pin_base=0,  # D0 to D7 at GP0 to GP7
    pclk_pin_no=8,
    mclk_pin_no=9,
    href_pin_no=12,
    vsync_pin_no=13,
    reset_pin_no=14,
    shutdown_pin_no=15,
)
_camera.wrapper_configure_rgb()
_camera.wrapper_configure_base()
WIDTH, HEIGHT = _camera.wrapper_configure_size(OV7670_WRAPPER_SIZE_DIV4)  # 160 x 120
FORMAT = "rgb565be"  # of midge.Image: two bytes a pixel
capture = _camera.capture  # fills a bytearray
